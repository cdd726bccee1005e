#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page of a recording of a million operations: processor time, beside reading alone.

    tests/bench/html.py BUILD [--operations N] [--rounds N]

BUILD is a build folder with -Dbuildtype=release. Reading and judging are what `report --json` does
too; predicted for the page itself: 40 ms, most of them one walk over the records for each of stacks,
columns and clouds. Exit status: 0 when the page takes at most 1 s and 300 kB.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile


def run(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command}: status {child.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--operations", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    wanprof = os.path.join(given.build, "tools", "wanprof")
    make = os.path.join(given.build, "tests", "integration", "make_recording")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "many.wprof")
        subprocess.run([make, "many", path, str(given.operations)], check=True)
        pages, reads = [], []
        for _ in range(given.rounds):  # in turns: the machine is the same for both
            pages.append(run([wanprof, "report", "--html", "-", path]))
            reads.append(run([wanprof, "report", "--json", path]))
        page_s = statistics.median(p[0] for p in pages)
        read_s = statistics.median(r[0] for r in reads)
        size = len(pages[0][2])
        print(f"{given.operations} operations, {os.path.getsize(path) / 1048576:.0f} MB recorded")
        print(f"report --html  {page_s * 1e3:6.0f} ms  {pages[0][1]:6.0f} MB  {size} bytes")
        print(f"report --json  {read_s * 1e3:6.0f} ms  {reads[0][1]:6.0f} MB")
        print(f"the page itself {(page_s - read_s) * 1e3:5.0f} ms, "
              f"{pages[0][1] - reads[0][1]:.1f} MB, ratio {page_s / read_s:.3f}")
        return 0 if page_s <= 1 and size <= 300000 else 1


if __name__ == "__main__":
    sys.exit(main())
