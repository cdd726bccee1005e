# SPDX-License-Identifier: MIT
"""A terminal for tests: a pseudo-terminal, and a model of what its screen shows.

The model knows what `wanprof top` sends and refuses anything else, so that a byte that should not
have reached the terminal fails the test that looks.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from tap import check

# A shell starts what it runs in the background with these ignored, and programs inherit that.
for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    signal.signal(ignored, signal.SIG_DFL)


def width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def children(pid):
    """Processes that this one, or a thread of it, has started and not waited for."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            found += [int(word) for word in file.read().split()]
    return sorted(found)


class Model:
    """Cells, cursor, scrolling part, alternate screen; .strange lists what it does not know."""
    CSI = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")

    def __init__(self, rows, columns):
        self.strange, self.pending = [], ""
        self.alternate, self.cursor_shown, self.wraps = False, True, True
        self.styles, self.frames = set(), 0
        self.ordinary = None
        self.resize(rows, columns)

    def resize(self, rows, columns):
        self.rows, self.columns, self.row, self.column = rows, columns, 0, 0
        self.region, self.saved = (0, rows - 1), (0, 0)
        self.cells = [[" "] * columns for _ in range(rows)]

    def text(self):
        return ["".join(row).rstrip() for row in self.cells]

    def mode(self, parameters, on):
        if parameters == "?1049":
            if on and not self.alternate:
                self.ordinary = (self.cells, self.row, self.column)
                self.cells = [[" "] * self.columns for _ in range(self.rows)]
            elif not on and self.alternate:
                self.cells, self.row, self.column = self.ordinary
            self.alternate = on
        elif parameters == "?25":
            self.cursor_shown = on
        elif parameters == "?7":
            self.wraps = on
        else:
            self.strange.append(f"mode {parameters}")

    def control(self, parameters, letter):
        if letter in "hl":
            self.mode(parameters, letter == "h")
        elif letter == "H":
            row, column = (int(n or 1) for n in (parameters or "1;1").split(";"))
            check(row <= self.rows and column <= self.columns, f"cursor to {row};{column}")
            self.row, self.column = row - 1, column - 1
        elif letter == "K" and parameters == "2":
            self.cells[self.row] = [" "] * self.columns
        elif letter == "J" and parameters == "2":
            self.cells = [[" "] * self.columns for _ in range(self.rows)]
            self.frames += 1
        elif letter == "m":
            self.styles.add(parameters)
        elif letter == "A":
            self.row = max(0, self.row - int(parameters or 1))
        elif letter == "r":
            first, last = (parameters or f"1;{self.rows}").split(";")
            self.region, self.row, self.column = (int(first) - 1, int(last) - 1), 0, 0
        else:
            self.strange.append(f"CSI {parameters} {letter}")

    def put(self, character):
        if character == "\n":
            self.column = 0
            if self.row == self.region[1]:
                del self.cells[self.region[0]]
                self.cells.insert(self.region[1], [" "] * self.columns)
            else:
                self.row = min(self.row + 1, self.rows - 1)
            return
        if character == "\r":
            self.column = 0
            return
        if ord(character) < 32 or 0x7f <= ord(character) < 0xa0:
            self.strange.append(f"byte {ord(character):#x}")
            return
        columns = width(character)
        if not columns:
            return
        check(not self.alternate or self.column + columns <= self.columns,
              f"beyond column {self.columns}: {character!r} in row {self.row}")
        if self.column + columns <= self.columns and self.row < self.rows:
            self.cells[self.row][self.column] = character
            if columns == 2:
                self.cells[self.row][self.column + 1] = ""
        self.column += columns

    def feed(self, text):
        text, at = self.pending + text, 0
        self.pending = ""
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            match = self.CSI.match(text, at)
            if text[at + 1:at + 2] in ("7", "8"):
                if text[at + 1] == "7":
                    self.saved = (self.row, self.column)
                else:
                    self.row, self.column = self.saved
                at += 2
            elif match:
                self.control(match[1], match[2])
                at = match.end()
            elif len(text) - at < 24:
                self.pending = text[at:]
                return
            else:
                self.strange.append(repr(text[at:at + 8]))
                at += 1


class Terminal:
    """A command with a terminal of its own; .model is what stands on it."""

    # A job of a shell: it can be stopped, which a session of its own cannot.
    SHELL = """import os, sys, time
pid = os.fork()
try:
    os.setpgid(pid, pid)
except PermissionError:
    pass  # it did so itself, and has begun
if not pid:
    while os.tcgetpgrp(0) != os.getpid():
        time.sleep(0.001)  # or its first word to the terminal would stop it
    os.execv(sys.argv[1], sys.argv[1:])
os.tcsetpgrp(0, pid)
while True:
    try:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    except InterruptedError:
        pass
"""

    def __init__(self, command, env, rows=24, columns=80, stderr=None, shell=False):
        self.master, self.slave = pty.openpty()
        self.set_size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.model, self.bytes = Model(rows, columns), b""

        def prepare():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        if shell:
            command = ["/usr/bin/python3", "-c", self.SHELL, *command]
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave,
                                        stderr=stderr or self.slave, env=env,
                                        preexec_fn=prepare)
        self.closed = False

    def set_size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.set_size(rows, columns)
        self.model.resize(rows, columns)

    def read(self, seconds=0.0):
        deadline = time.monotonic() + seconds
        while True:
            left = max(0, deadline - time.monotonic())
            if not select.select([self.master], [], [], left)[0]:
                return
            data = os.read(self.master, 65536)
            self.bytes += data
            self.model.feed(data.decode("utf-8", "replace"))

    def wait_for(self, condition, what, seconds=20):
        """condition(lines of the screen)"""
        deadline = time.monotonic() + seconds
        while not condition(self.model.text()):
            if time.monotonic() > deadline:
                check(False, f"waited in vain for {what}:\n" + "\n".join(self.model.text()))
            self.read(0.02)

    def wait_for_text(self, text, seconds=20):
        self.wait_for(lambda lines: any(text in line for line in lines), repr(text), seconds)

    def job(self):
        """The command behind the shell."""
        (job,) = children(self.process.pid)
        return job

    def keys(self, text):
        os.write(self.master, text.encode())

    def wait(self, seconds=20):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            check(time.monotonic() < deadline, "it does not end")
            self.read(0.02)
        self.read(0)
        return self.process.returncode

    def given_back(self):
        """The terminal is as it was."""
        check(termios.tcgetattr(self.slave) == self.before, "the terminal's mode is another one")
        check(not self.model.alternate, "the other screen is left on")
        check(self.model.cursor_shown and self.model.wraps, "cursor or wrapping are left off")
        check(self.model.region == (0, self.model.rows - 1), "part of it does not scroll")
        check(not self.model.strange, f"unexpected on the terminal: {self.model.strange}")

    def close(self):
        if self.closed:
            return
        self.closed = True
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
