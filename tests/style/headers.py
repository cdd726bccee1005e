# SPDX-License-Identifier: MIT
"""Every public header stands alone, in C and in C++, and documents every function."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sources import ROOT, files, read
from tap import Skip, check, main, test

HEADERS = files(r"^include/wan/.*\.h$")
PARTS = ["Threads:", "Since:"]


def compile_alone(compiler, language, standard):
    if not shutil.which(compiler):
        raise Skip(f"{compiler} is not installed")
    bad = []
    for header in HEADERS:
        answer = subprocess.run(
            [compiler, "-x", language, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra",
             "-Werror", "-pedantic", "-I", os.path.join(ROOT, "include"), "-"],
            input=f'#include "{header[len("include/"):]}"\n', stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        if answer.returncode:
            bad.append(f"{header}:\n{answer.stdout}")
    check(not bad, "\n".join(bad))


@test
def headers_compile_alone_in_c11():
    compile_alone("gcc", "c", "c11")


@test
def headers_compile_alone_in_cpp17():
    compile_alone("g++", "c++", "c++17")


@test
def all_headers_are_in_wan_h():
    missing = [h for h in HEADERS if not h.endswith("/wan.h")
               and f'#include "{h[len("include/"):]}"' not in read("include/wan/wan.h")]
    check(HEADERS and not missing, missing)


def functions_with_comments(text):
    """(name, comment) of each WAN_API declaration; without a blank line between them, one comment
    is for the group below it."""
    comment = ""
    for match in re.finditer(r"^WAN_API\b[^;{]*?\b(wan_\w+)\s*\(", text, re.M):
        before = text[:match.start()]
        if before.rstrip().endswith("*/"):
            comment = before[before.rindex("/*"):]
        elif not re.search(r"[;,]\n$", before):
            comment = ""
        yield match.group(1), comment


@test
def every_public_function_is_documented():
    """In full, or as one of a group right under the first, which has the whole comment."""
    bad = []
    for header in HEADERS:
        for name, comment in functions_with_comments(read(header)):
            missing = [part for part in PARTS if part not in comment]
            if missing:
                bad.append(f"{header}: {name} lacks {' '.join(missing)}")
    check(not bad, "\n".join(bad))


main(sys.argv[1:])
