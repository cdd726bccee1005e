#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Others' memory in a real memory cgroup: how soon it is seen, what comes back, what stays calm.

    tests/bench/pressure.py BUILD [--rounds N] [--steady SECONDS] [--limit MB]

BUILD is a build folder with -Dbuildtype=release -Dbench=true. Needs root, or a delegated memory
cgroup (v2). Exit status: 0 all targets met, 1 some missed, 77 no such group can be made here.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from memory_group import MemoryGroup, Unavailable  # noqa: E402

MIB = 1 << 20


def one(given, mode, *more):
    with MemoryGroup("pressure", given.limit * MIB) as group:
        limit_path = group.file("memory.limit_in_bytes", "memory.max")
        process = group.popen([given.program, mode, group.usage_path, limit_path,
                               str(given.limit), *more], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "XDG_STATE_HOME": given.state})
        out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"bench-pressure {mode}: status {process.returncode}\n{out}")
    words = out.split()
    return dict(zip(words[::2], map(float, words[1::2])))


def line(name, target_text, met, measured):
    verdict = "met" if met else "missed"
    print(f"{name:64} {target_text:8} {measured:38} {verdict}")
    sys.stdout.flush()
    return met


def seen_lines(given, mode, text, target_ms):
    rounds = [one(given, mode) for _ in range(given.rounds)]
    met = True
    for key, what in (("known_ms", "the level says so"), ("first_ms", "the first is dropped")):
        times = sorted(r[key] if r[key] >= 0 else 1000 for r in rounds)
        met &= line(f"{text}: {what}", f"{target_ms} ms", times[-1] <= target_ms,
                    f"median {statistics.median(times):.1f} ms, worst {times[-1]:.1f} ms")
    shares = sorted(r["returned"] / r["evicted"] for r in rounds if r["evicted"])
    if shares:
        met &= line(f"{text}: evicted bytes back at the OS in 50 ms", "90 %", shares[0] >= 0.9,
                    f"median {statistics.median(shares):.1%}, worst {shares[0]:.1%}")
    return met


def measure(given):
    met = seen_lines(given, "grow", "others grow to 89 %", 100)
    met &= seen_lines(given, "limit", "limit lowered to 89 % used", 100)
    if given.steady:
        r = one(given, "steady", str(given.steady))
        allowed = max(1, given.steady / 60)
        met &= line(f"{given.steady:.0f} s at 84 to 86 %: level changes, flushes",
                    f"{allowed:.0f}, 0", r["changes"] <= allowed and not r["flushes"],
                    f"{r['changes']:.0f}, {r['flushes']:.0f}")
    return 0 if met else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--steady", type=float, default=600, help="seconds; 0: not at all")
    parser.add_argument("--limit", type=int, default=256, help="of the group, in MB")
    given = parser.parse_args()
    given.program = os.path.join(given.build, "tests/bench/bench-pressure")
    if not os.access(given.program, os.X_OK):
        print(f"{given.program} is not built; configure with -Dbench=true", file=sys.stderr)
        return 66
    try:
        MemoryGroup("try", 1 << 30).remove()
    except Unavailable as reason:
        print(f"skipped: {reason}")
        return 77
    with tempfile.TemporaryDirectory(prefix="wanrt-pressure-") as scratch:
        given.state = scratch
        return measure(given)


if __name__ == "__main__":
    sys.exit(main())
