# SPDX-License-Identifier: MIT
"""Formatting by the tools that define it."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sources import ROOT, files
from tap import Skip, check, main, test

# Other versions of clang-format break lines elsewhere.
CLANG_FORMAT_VERSION = 14


def run(command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


@test
def c_files_are_formatted():
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not installed")
    version = re.search(r"version (\d+)", run(["clang-format", "--version"]).stdout)
    if not version or int(version.group(1)) != CLANG_FORMAT_VERSION:
        raise Skip(f"clang-format is not version {CLANG_FORMAT_VERSION}")
    done = run(["clang-format", "--dry-run", "-Werror"] + files(r"\.[ch]$"))
    bad = sorted({line.split(":")[0] for line in done.stdout.splitlines() if "error:" in line})
    check(done.returncode == 0, "\n".join(bad))


@test
def shell_scripts_are_clean():
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not installed")
    scripts = files(r"\.sh$|^tools/(test|demo)$|^\.ci/run$")
    done = run(["shellcheck", "-x", "-S", "warning"] + scripts)
    check(done.returncode == 0, done.stdout)


@test
def python_files_compile():
    for path in files(r"\.py$"):
        with open(os.path.join(ROOT, path), "rb") as file:
            compile(file.read(), path, "exec")


main(sys.argv[1:])
