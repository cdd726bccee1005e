#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the benches of the cache one after the other and prints their figures as one table.

    tests/bench/cache.py BUILD [--seconds N]

BUILD is a build folder with -Dbuildtype=release. N seconds for the test of the ceiling (60 by
default). Exit status: 0 all targets met, 1 some missed, 66 a bench is not built.
"""
import argparse
import os
import re
import subprocess
import sys



def program(build, name):
    path = os.path.join(build, "tests/bench/bench-" + name)
    return path if os.access(path, os.X_OK) else None


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.splitlines()


def model_order(build):
    """The order of evictions against the reference model, in the long variant of its test."""
    path = os.path.join(build, "tests/unit/cache/cache-model")
    if not os.access(path, os.X_OK):
        return ["eviction order: not measured (the tests are not built)"]
    done = subprocess.run([path], env={**os.environ, "WAN_TEST_TIER": "full"},
                          stdout=subprocess.PIPE, text=True, check=False)
    count = sum(int(n) for n in re.findall(r"# (\d+) operations", done.stdout))
    differs = "0 differences" if done.returncode == 0 else "different, see its output"
    return ["%-47s %-16s %-16s %-34s %s" % (
        "eviction order against the model", "identical", "10^7 operations",
        f"{differs} in {count}", "met" if done.returncode == 0 and count >= 10**7 else "missed")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--seconds", default="60", help="of the test of the ceiling")
    given = parser.parse_args()
    if not program(given.build, "cache"):
        print(f"{given.build}: no bench-cache; configure with -Dbench=true and build",
              file=sys.stderr)
        return 66
    peer = program(given.build, "cache-oiio")
    parts = [[program(given.build, "cache")] + ([peer] if peer else []),
             [program(given.build, "cache_put")], [program(given.build, "cache_flight")],
             [program(given.build, "cache_ceiling"), given.seconds]]
    lines = []
    for command in parts:
        lines += [line for line in run(command) if not lines or not line.startswith("figure  ")]
    lines += model_order(given.build)
    print("\n".join(lines))
    met = sum(line.rstrip().endswith(" met") for line in lines)
    missed = sum(" missed" in line for line in lines)
    print(f"{met} met, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
