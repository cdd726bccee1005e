# SPDX-License-Identifier: MIT
r"""The commands of the guides are run, and what the pages show is what comes of them.

In a display (.Bd -literal) each line that begins with "$ " is run, in a folder with the files that
the page speaks of and a home of its own; the lines below it must come, on either output. "..." stands for anything, a number for any number, a unit for any of its kind. A comment
.\" guide: WORDS before a display says more:
  status=N     the last command ends so (else 0); any: what it is depends on the machine
  group=MIB    in a memory group of that size
  needs=FILE   not run where there is none; lib...: where the compiler finds none
  until        the last command is repeated until its lines are there: what it shows takes a while
  NAME=VALUE   in the environment; @build@ is the build folder
  not run: WHY the display is not run
A command that ends with & goes on until the page is through.

Arguments: wanprof, libwanrt-preload.so, wan-startend or -, build folder, [TEST NAME PART...]
"""
import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../.."), os.path.join(HERE, "../../bench")]
from memory_group import MemoryGroup, Unavailable
from tap import Skip, check, main, test

ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
WANPROF, PRELOAD, STARTEND, BUILD = (a if a == "-" else os.path.abspath(a) for a in sys.argv[1:5])
TIMEOUT_S = 240
UNITS = r"(?:[nmu]?s|[KMGT]?B)"
NUMBER = r"[0-9][0-9.,]*(?:e[-+]?[0-9]+)?"


class Display:
    """Commands of a page, each with the lines that are to be read of it."""

    def __init__(self, words, lines, place):
        self.place, self.status, self.group, self.until = place, 0, None, False
        self.why, self.needs, self.environment, self.commands = None, ".", {}, []
        if words.startswith("not run:"):
            self.why = words
            words = ""
        for word in words.split():
            name, _, value = word.partition("=")
            if name == "status":
                self.status = None if value == "any" else int(value)
            elif name == "group":
                self.group = int(value)
            elif name == "until":
                self.until = True
            elif name == "needs":
                self.needs = value
            else:
                self.environment[name] = value.replace("@build@", BUILD)
        for line in lines:
            if line.startswith("$ "):
                self.commands.append((line[2:], []))
            elif line.startswith("> ") and self.commands:
                command, shown = self.commands.pop()
                self.commands.append((command + "\n" + line[2:], shown))
            elif self.commands and line.strip():
                self.commands[-1][1].append(line)


def plain(line):
    """A line of a literal display, as a reader sees it."""
    return line.replace("\\&", "").replace("\\(dq", '"').replace("\\-", "-").replace("\\e", "\\")


def displays(page):
    path = os.path.join(ROOT, "tools/man", page)
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    words, found, at = "", [], 0
    while at < len(lines):
        if lines[at].startswith('.\\" guide: '):
            words = lines[at][len('.\\" guide: '):]
        elif lines[at].startswith(".Bd -literal"):
            end = lines.index(".Ed", at)
            body = [plain(line) for line in lines[at + 1:end]]
            display = Display(words, body, f"{page}:{at + 1}")
            if display.commands:
                found.append(display)
            words, at = "", end
        at += 1
    return found


def pattern(line):
    """What a line of output must look like. How it is broken into lines may differ."""
    parts = []
    for word in line.split():
        for part in re.split(rf"(\.\.\.|{NUMBER}|\b{UNITS}\b)", word):
            if part == "...":
                parts.append(".{0,400}?")
            elif re.fullmatch(NUMBER, part):
                parts.append(NUMBER)
            else:
                parts.append(UNITS if re.fullmatch(UNITS, part) else re.escape(part))
        parts.append(" ")
    return "".join(parts[:-1]).replace(" .{0,400}? ", " .{0,400}?").replace(" .{0,400}?", ".{0,400}?")


def missing(shown, output):
    """The first line that is nowhere; None: all are there. What took longer comes first in a table,
    so that the order of lines says nothing."""
    text = " ".join(output.split())
    return next((line for line in shown if not re.search(pattern(line), text)), None)


class Reader:
    """Somebody who goes through a page with a terminal."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="wan-guide-")
        self.going_on, self.skipped = [], []
        atexit.register(self.leave)
        home, programs = (os.path.join(self.folder, name) for name in ("home", "bin"))
        for path in (home, programs):
            os.mkdir(path)
        for name, path in (("wanprof", WANPROF), ("wan-startend", STARTEND),
                           ("python3", "/usr/bin/python3")):
            if path != "-":
                os.symlink(path, os.path.join(programs, name))
        video = os.path.join(BUILD, "tests/preload/cuda/guest_cuda_bar")
        if os.path.exists(video):
            os.symlink(video, os.path.join(self.folder, "video"))
        guide = os.path.join(HERE, "programs")
        for name in os.listdir(guide):
            shutil.copy(os.path.join(guide, name), self.folder)
        self.pictures()
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith(("WAN", "XDG_")) and k not in ("LD_PRELOAD", "LD_AUDIT")}
        self.environment = dict(
            kept, HOME=home, LC_ALL="C", PATH=programs + ":" + os.environ["PATH"],
            WANPROF_PRELOAD=PRELOAD, XDG_RUNTIME_DIR=home, NO_COLOR="1", COLUMNS="100",
            PYTHONPATH=os.path.join(BUILD, "tools/python"),
            PKG_CONFIG_PATH=os.path.join(BUILD, "meson-uninstalled"),
            LD_LIBRARY_PATH=os.path.join(BUILD, "runtime"))

    def pictures(self):
        """A start and an end image, and a photograph as a camera would have made it."""
        try:
            from PIL import Image
        except ImportError as error:
            raise Skip("Pillow is not installed") from error
        with Image.open(os.path.join(ROOT, "tests/golden/pattern.png")) as pattern_image:
            for name, size in (("start.jpg", (1280, 720)), ("end.jpg", (1280, 720))):
                pattern_image.resize(size).save(os.path.join(self.folder, name))
            for number in range(40):
                shutil.copy(os.path.join(self.folder, "start.jpg"),
                            os.path.join(self.folder, f"picture-{number}.jpg"))
            pattern_image.resize((900, 600)).save(os.path.join(self.folder, "large.jpg"),
                                                    progressive=True, quality=95)

    def leave(self):
        for process in self.going_on:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self.going_on = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def answer(self, command, display, group):
        environment = dict(self.environment, **display.environment)
        how = {"cwd": self.folder, "env": environment, "start_new_session": True,
               "stdin": subprocess.DEVNULL}
        start = group.popen if group else subprocess.Popen
        if command.endswith("&"):
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = start(["bash", "-c", "exec " + command[:-1]], **how, **quiet)
            self.going_on.append(process)
            return 0, ""
        process = start(["bash", "-c", command], stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True, errors="replace", **how)
        output, _ = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, output

    def has(self, name):
        if not name.startswith("lib"):
            return os.path.exists(os.path.join(self.folder, name))
        place = subprocess.run(["cc", "-print-file-name=" + name], stdout=subprocess.PIPE,
                               text=True, check=True).stdout.strip()
        return os.path.isabs(place)

    def run(self, display):
        group = None
        if display.why:
            return
        if not self.has(display.needs):
            print(f"# {display.place}: not run: {display.needs} is not there", flush=True)
            return
        if display.group:
            try:
                group = MemoryGroup("guide", display.group << 20)
            except Unavailable as why:
                print(f"# {display.place}: not run: {why}", flush=True)
                return
        try:
            for index, (command, shown) in enumerate(display.commands):
                last = index + 1 == len(display.commands)
                deadline = time.monotonic() + TIMEOUT_S
                while True:
                    status, output = self.answer(command, display, group)
                    lacks = missing(shown, output)
                    if not last or not display.until or not lacks or \
                            time.monotonic() > deadline:
                        break
                    time.sleep(0.1)
                where = f"{display.place}: {command}\n"
                check(not lacks, f"{where}lacks: {lacks}\n{output}")
                wanted = display.status if last else 0
                check(wanted is None or status == wanted, f"{where}status {status}, not {wanted}\n{output}")
        finally:
            if group:
                group.remove()


def read(page):
    reader = Reader()
    try:
        for display in displays(page):
            reader.run(display)
    finally:
        reader.leave()


@test
def what_the_guide_shows_is_what_comes():
    read("wanrt-guide.7")


@test
def what_the_troubleshooting_page_shows_is_what_comes():
    read("wanrt-troubleshooting.7")


@test
def few_displays_of_the_guides_are_not_run():
    for page in ("wanrt-guide.7", "wanrt-troubleshooting.7"):
        found = displays(page)
        check(len(found) >= 8, f"{page}: {len(found)} displays")
        left = [d.place for d in found if d.why]
        check(len(left) * 8 <= len(found), f"{page}: not run: {left}")


@test
def a_line_of_a_guide_that_does_not_come_is_noticed():
    check(missing(["read 3 files in 2.5 ms"], "x\nread 14 files  in 17 us\n") is None, "numbers")
    check(missing(["read 3 files"], "read some files\n") == "read 3 files", "no number")
    check(missing(["a", "b"], "b\nc\n") == "a", "another line")
    check(missing(["a ... z"], "a b c z\n") is None, "left out")
    check(missing(["cache: 0 of 8"], "cash: 0 of 8") == "cache: 0 of 8", "words")


main(sys.argv[5:])
