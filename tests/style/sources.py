# SPDX-License-Identifier: MIT
"""The files of the tree, for the tests of this folder."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = {".git", "__pycache__"}


def from_git():
    try:
        answer = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None
    if answer.returncode:
        return None
    return [p for p in answer.stdout.splitlines() if os.path.isfile(os.path.join(ROOT, p))]


def from_disk():
    paths = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in SKIPPED and not (
            folder == ROOT and f.startswith("build"))]
        paths += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
    return paths


def files(pattern=""):
    """Paths from the root of the tree, of all files of the project that match."""
    paths = from_git()
    if paths is None:
        paths = from_disk()
    return sorted(p for p in set(paths) if re.search(pattern, p))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def without_comments(text):
    """C text with comments and string contents blanked, line numbers kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)
