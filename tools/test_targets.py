# SPDX-License-Identifier: MIT
"""Prints the files of a build folder that the tests of some suites run, for ninja.

test_targets.py FOLDER SUITE... [--without SUITE...]
"""
import json
import os
import subprocess
import sys


def introspect(folder, what):
    done = subprocess.run(["meson", "introspect", what, folder], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main(folder, suites):
    without = []
    if "--without" in suites:
        at = suites.index("--without")
        suites, without = suites[:at], suites[at + 1:]
    wanted = set()
    for test in introspect(folder, "--tests"):
        names = {name.split(":")[-1] for name in test["suite"]}
        if names & set(suites) and not names & set(without):
            wanted.update(test["depends"])
    root = os.path.abspath(folder)
    for target in introspect(folder, "--targets"):
        if target["id"] in wanted:
            for path in target["filename"]:
                print(os.path.relpath(path, root))


main(sys.argv[1], sys.argv[2:])
