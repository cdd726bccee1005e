#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a step of a loop costs in Python: wanrt.track, the bare loop, tqdm and rich, in one run.
Usage: PYTHONPATH=BUILD/tools/python python_progress.py [--steps N]
(with WAN_PYTHON_EXTENSION=off LD_LIBRARY_PATH=BUILD/runtime: plain Python).

Goals: at most 10 ns an iteration more than the bare loop, with clock and percentiles, and at most a
sixth of what tqdm adds; in plain Python at most 45 ns an iteration in all. Repetitions of all
candidates alternate; the median and the least count."""
import argparse
import io
import os
import statistics
import sys
import time

import wanrt
from wanrt import _core


def bare(iterable):
    for _ in iterable:
        pass


def updates(bar, steps):
    update = bar.update
    for _ in range(steps):
        update(1)


def candidates(steps, null):
    def ours(**more):
        return lambda: bare(wanrt.track(range(steps), name="bench", **more))
    yield "bare loop", lambda: bare(range(steps))
    yield "wanrt.track, recorded", ours(disable=True)
    yield "wanrt.track, recorded and drawn", ours(file=null)
    yield "wanrt.track, drawn only", ours(file=null, record=False)
    yield "wanrt.track, neither", ours(disable=True, record=False)
    yield "wanrt.track.update(1)", lambda: updates(
        wanrt.track(total=steps, name="bench", file=null), steps)
    try:
        import tqdm
        yield f"tqdm {tqdm.__version__}", lambda: bare(tqdm.tqdm(range(steps), file=null))
        yield "tqdm.update(1)", lambda: updates(tqdm.tqdm(total=steps, file=null), steps)
    except ImportError:
        print("tqdm is not installed", file=sys.stderr)
    try:
        from rich.console import Console
        from rich.progress import track
        console = Console(file=io.StringIO())
        yield "rich track()", lambda: bare(track(range(steps), console=console))
    except ImportError:
        print("rich is not installed", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500000)
    parser.add_argument("--runs", type=int, default=9)
    wanted = parser.parse_args()
    with open(os.devnull, "w") as null:
        runs = {name: (run, []) for name, run in candidates(wanted.steps, null)}
        for _ in range(wanted.runs):
            for run, taken in runs.values():
                begin = time.perf_counter_ns()
                run()
                taken.append((time.perf_counter_ns() - begin) / wanted.steps)
    loop = statistics.median(runs["bare loop"][1])
    added = {name: statistics.median(taken) - loop for name, (_, taken) in runs.items()}
    ours = added["wanrt.track, recorded and drawn"]
    print(f"{'in C' if _core._wanrt else 'in plain Python'}; Python {sys.version.split()[0]}, "
          f"{wanted.steps} steps, median of {wanted.runs}, ns")
    print(f"{'':34}{'a step':>8}{'least':>8}{'added':>8}{'x ours':>8}")
    for name, (_, taken) in runs.items():
        print(f"{name:34}{statistics.median(taken):8.1f}{min(taken):8.1f}{added[name]:8.1f}"
              f"{added[name] / ours:8.1f}")
    begin = time.perf_counter_ns()
    for _ in range(2000):
        wanrt.track(total=1, name="made", disable=True).close()
    print(f"made and closed: {(time.perf_counter_ns() - begin) / 2e6:.1f} us")


main()
