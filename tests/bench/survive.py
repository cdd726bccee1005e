#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who survives a small memory? Programs that load or make ever new images and keep them all, each
many times inside a memory cgroup, under four guards (survive_guard.h).

    tests/bench/survive.py BUILD [--runs N] [--limits 256,128] [--seconds S] [--guards ours,none,...]
                           [--malloc glibc,jemalloc] [--loads j1,...] [--images FOLDER]

BUILD is a build folder with -Dbuildtype=release -Dbench=true. Needs root, or a delegated memory
cgroup (v2). Exit status: 0 ours survived all, 1 it did not, 77 no such group can be made here.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from memory_group import MemoryGroup, Unavailable  # noqa: E402

LOADS = {"j1": 1, "j4": 4, "s1": 1, "s4": 4, "s4p": 4, "j8p": 8, "b2": 2, "b4": 4}
OURS = ["w4", "m4", "v4"]  # buffers of ours, mixed sizes, both
JEMALLOC = ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "/usr/lib/aarch64-linux-gnu/libjemalloc.so.2")
MIB = 1 << 20


def jemalloc():
    return next((path for path in JEMALLOC if os.path.exists(path)), None)


def pin(load):
    if load.endswith("p"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def one_run(given, guard, load, limit_mb, allocator):
    """Returns None when it was killed, or its figures."""
    environment = {**os.environ, "XDG_STATE_HOME": given.state}
    if allocator == "jemalloc":
        environment["LD_PRELOAD"] = jemalloc()
    # "fits" is the yardstick of speed: with the same bound, but nothing that could kill it.
    limit = limit_mb * MIB * (8 if guard == "fits" else 1)
    with MemoryGroup("survive", limit) as group:
        command = [given.program, guard, load, given.images, str(limit_mb), group.usage_path,
                   str(given.seconds)]
        done = group.popen(command, before=lambda: pin(load), env=environment,
                           stdout=subprocess.PIPE, text=True)
        out = done.stdout.read()
        _, status, usage = os.wait4(done.pid, 0)
        done.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss * 1024
    if done.returncode == -9:
        return None
    words = re.match(r"done (\d+) bytes (\d+) refused (\d+) failed (\d+) fill (\S+)", out or "")
    if done.returncode or not words:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{out}")
    return {"gb_s": int(words[2]) / given.seconds / 1e9, "refused": int(words[3]),
            "done": int(words[1]), "fill": float(words[5]), "peak": peak / limit}


def cell(given, guard, load, limit_mb, allocator):
    runs = given.runs if guard == "ours" else min(given.runs, given.others)
    results = [one_run(given, guard, load, limit_mb, allocator) for _ in range(runs)]
    alive = [r for r in results if r]
    figures = {"runs": runs, "alive": len(alive)}
    if alive:
        figures["gb_s"] = statistics.median(r["gb_s"] for r in alive)
        figures["peak"] = max((r["peak"] for r in alive if r["peak"]), default=None)
        figures["fill"] = statistics.median(r["fill"] for r in alive)
        figures["refused"] = sum(r["refused"] for r in alive) / sum(r["done"] for r in alive)
    return figures


def survived(table, loads, guard):
    return " ".join(f"{table[load]['alive']:>3}/{table[load]['runs']:<3}" for load in loads)


def print_table(given, tables, limit_mb, allocator):
    loads = [load for load in given.loads if load in tables["ours"]]
    head = " ".join(f"{load:>7}" for load in loads)
    print(f"\n{limit_mb} MB, {allocator}: runs survived\n  {'guard':8} {head}")
    for guard in given.guards:
        if guard != "fits":
            print(f"  {guard:8} {survived(tables[guard], loads, guard)}")
    rows = [("GB/s", "gb_s", "{:.2f}"), ("peak RSS, of the limit", "peak", "{:.1%}"),
            ("fill of what is allowed", "fill", "{:.1%}"), ("refused", "refused", "{:.1%}")]
    for title, key, form in rows:
        values = [tables["ours"][load].get(key) for load in loads]
        print(f"  {title:24} " + " ".join(
            f"{form.format(v) if v is not None and v >= 0 else '-':>7}" for v in values))
    if "fits" in tables:
        ratios = [tables["ours"][load].get("gb_s", 0) / tables["fits"][load]["gb_s"]
                  for load in loads]
        print(f"  {'speed, of one that fits':24} " + " ".join(f"{r:>7.1%}" for r in ratios))
    sys.stdout.flush()


def measure(given):
    killed = runs = 0
    for limit_mb in given.limits:
        for allocator in given.malloc:
            tables = {}
            for guard in given.guards:
                tables[guard] = {load: cell(given, guard, load, limit_mb, allocator)
                                 for load in given.loads}
            print_table(given, tables, limit_mb, allocator)
            runs += sum(figures["runs"] for figures in tables["ours"].values())
            killed += sum(f["runs"] - f["alive"] for f in tables["ours"].values())
    print(f"\nours: {killed} of {runs} runs killed (target 0)")
    return 1 if killed else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--others", type=int, default=3, help="runs of each other guard")
    parser.add_argument("--limits", default="256,128", help="in MB")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--guards", default="ours,none,poll10,fits")
    parser.add_argument("--malloc", default="glibc,jemalloc")
    parser.add_argument("--loads", default=",".join([*LOADS, *OURS]))
    parser.add_argument("--images", help="keeps the images in this folder")
    given = parser.parse_args()
    given.limits = [int(mb) for mb in given.limits.split(",")]
    for name in ("guards", "malloc", "loads"):
        setattr(given, name, getattr(given, name).split(","))
    if "ours" not in given.guards:
        given.guards.insert(0, "ours")
    if not jemalloc() and "jemalloc" in given.malloc:
        print("jemalloc is not installed: left out")
        given.malloc.remove("jemalloc")
    given.program = os.path.join(given.build, "tests/bench/bench-survive")
    return given


def main():
    given = arguments()
    if not os.access(given.program, os.X_OK):
        print(f"{given.program} is not built; configure with -Dbench=true", file=sys.stderr)
        return 66
    try:
        MemoryGroup("try", 1 << 30).remove()
    except Unavailable as reason:
        print(f"skipped: {reason}")
        return 77
    with tempfile.TemporaryDirectory(prefix="wanrt-survive-") as scratch:
        given.state = os.path.join(scratch, "state")
        given.images = given.images or os.path.join(scratch, "images")
        if not os.path.isdir(given.images):
            os.makedirs(given.images)
            subprocess.run([given.program, "make", given.images], check=True)
        return measure(given)


if __name__ == "__main__":
    sys.exit(main())
