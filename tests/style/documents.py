# SPDX-License-Identifier: MIT
"""Everything the tools offer is documented. Arguments: wanprof, wan-startend or -, the built
wanprof-config.1."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sources import ROOT, files, read
from tap import Skip, check, main, test

WANPROF, STARTEND, CONFIG_PAGE = sys.argv[1:4]


def answer(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def verbs():
    table = answer(WANPROF, "--help").split("Verbs:")[1]
    return [name for name in re.findall(r"^  (\w+) ", table, re.M) if name != "help"]


def options(text):
    return set(re.findall(r"^\s+(?:-\w, )?--([\w-]+)", text, re.M))


def page(verb):
    if verb == "config":
        with open(CONFIG_PAGE, encoding="utf-8") as file:
            return file.read()
    path = f"tools/man/wanprof-{verb}.1"
    return read(path) if os.path.exists(os.path.join(ROOT, path)) else None


@test
def every_verb_is_in_the_manual():
    manual = read("tools/man/wanprof.1")
    check(verbs(), "no verbs found")
    for verb in verbs():
        check(re.search(rf"^\.It Cm {verb}\b", manual, re.M), f"wanprof.1 lacks {verb}")
        check(verb == "completion" or page(verb), f"no wanprof-{verb}.1")


@test
def every_option_is_in_the_manual_and_the_other_way_round():
    bad = []
    for verb in verbs():
        if not page(verb):
            continue
        offered = options(answer(WANPROF, "help", verb))
        described = set(re.findall(r"^\.It (?:Fl \w , )?Fl? ?\\?-([\w-]+)", page(verb), re.M))
        described |= set(re.findall(r"^\.It Fl \w , -([\w-]+)", page(verb), re.M))
        bad += [f"wanprof-{verb}.1 lacks --{name}" for name in offered - described]
        bad += [f"wanprof {verb} lacks --{name}" for name in described - offered]
    check(not bad, "\n".join(bad))


@test
def every_option_is_in_the_completions():
    for shell in "bash", "zsh", "fish":
        text = answer(WANPROF, "completion", shell)
        for verb in verbs():
            for name in options(answer(WANPROF, "help", verb)):
                check(re.search(rf"(--|-l ){name}\b", text), f"{shell}: {verb} --{name}")


@test
def completions_are_valid_scripts():
    missing = []
    for shell, check_only in ("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute"):
        if not shutil.which(shell):
            missing.append(shell)
            continue
        done = subprocess.run([shell, check_only], input=answer(WANPROF, "completion", shell),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check(done.returncode == 0, done.stdout)
    if len(missing) == 3:
        raise Skip("no shell is installed")


@test
def every_configuration_key_is_in_the_manual():
    keys = re.findall(r'^WAN_KEY\(\w+, "([\w.]+)"', read("runtime/base/config_keys.def"), re.M)
    check(len(keys) > 20, "config_keys.def could not be read")
    bad = [key for key in keys if f".It Li {key}\n" not in page("config")]
    check(not bad, bad)


@test
def every_option_of_wan_startend_is_in_its_manual():
    if STARTEND == "-":
        raise Skip("wan-startend is not built")
    manual = read("tools/man/wan-startend.1")
    bad = [name for name in options(answer(STARTEND, "--help"))
           if not re.search(rf"^\.It .*-{name}\b", manual, re.M)]
    check(not bad, f"wan-startend.1 lacks {bad}")


@test
def manual_pages_format_without_a_warning():
    if not shutil.which("groff"):
        raise Skip("groff is not installed")
    pages = [os.path.join(ROOT, p) for p in files(r"^tools/man/.*\.[137]$")] + [CONFIG_PAGE]
    for path in pages:
        done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        check(done.returncode == 0 and not done.stderr, f"{path}:\n{done.stderr[:2000]}")


@test
def commands_of_the_readme_exist():
    """The first word of every command in a code block, and every verb and option of wanprof."""
    known = {"cc", "c++", "export", "cd", "pkg-config", "apt-get", "meson"}
    bad = []
    for block in re.findall(r"^```sh\n(.*?)^```", read("README.md"), re.S | re.M):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            words = re.sub(r"#.*", "", line).split()
            while words and re.fullmatch(r"\w+=\S*|sudo", words[0]):
                words.pop(0)
            if not words:
                continue
            program = words[0]
            if program == "wanprof":
                bad += unknown_words(words[1:])
            elif program.startswith(("tools/", "tests/")):
                if not os.access(os.path.join(ROOT, program), os.X_OK):
                    bad.append(line)
            elif program not in known and program != "wan-startend" and not shutil.which(program):
                bad.append(line)
    check(not bad, "\n".join(bad))


def unknown_words(words):
    verb = words[0]
    if verb in ("help", "--help", "--version"):
        return []
    if verb not in verbs():
        return [f"wanprof {verb}"]
    own = words[1:words.index("--")] if "--" in words else words[1:]
    offered = options(answer(WANPROF, "help", verb))
    return [f"wanprof {verb} {w}" for w in own
            if w.startswith("--") and w[2:].split("=")[0] not in offered]


@test
def help_starts_with_examples_and_fits_a_terminal():
    text = answer(WANPROF, "--help")
    check(text.index("wanprof run -- ") < text.index("Usage:"))
    for verb in verbs():
        text += answer(WANPROF, "help", verb)
    check(not [line for line in text.splitlines() if len(line) > 100])


main(sys.argv[4:])
