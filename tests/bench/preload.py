# SPDX-License-Identifier: MIT
"""What recording costs a program that decodes images.

preload.py LIBRARY GUEST [--quick] [--pairs N] [--jemalloc] [--instructions]

The guest decodes 200 JPEG and 50 PNG of 640x480. Three figures, each against the same guest with
the same allocator and without the library:
  instructions  callgrind, slope between N and 4N images (goal +0.25 %)
  wall          interleaved pairs, median ratio with its 95 % interval (goal 1.01; met when the
                upper end is at most 1.015)
  start         a guest that does nothing (goal: 2 ms more at most)
Exit status: 0 all met, 1 one is not, 3 the wall interval is too wide to tell.
"""
import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
ROUNDS = 50  # of 4 JPEG and 1 PNG


class Bench:
    def __init__(self, options):
        self.guest = os.path.abspath(options.guest)
        self.library = os.path.abspath(options.library)
        self.jemalloc = options.jemalloc
        self.folder = tempfile.mkdtemp(prefix="wan-bench-")
        self.records = os.path.join(self.folder, "rec")
        os.mkdir(self.records, 0o700)
        self.images = [os.path.join(self.folder, n) for n in ("in.jpg", "in.png")]
        subprocess.run([self.guest, "make", *self.images], check=True)
        self.wide = False
        self.cpu_s = {False: [], True: []}

    def environment(self, hooked):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("WAN_", "LD_"))}
        libraries = ([self.library] if hooked else []) + ([JEMALLOC] if self.jemalloc else [])
        if libraries:
            env["LD_PRELOAD"] = " ".join(libraries)
        env["WAN_RECORD_PATH"] = self.records + "/"
        return env

    def command(self, rounds):
        return [self.guest, "run", *self.images, str(rounds)]

    def clean(self):
        for name in os.listdir(self.records):
            os.unlink(os.path.join(self.records, name))

    def loop_ns(self, hooked):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.command(ROUNDS), env=self.environment(hooked), check=True,
                              stdout=subprocess.PIPE)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_s[hooked].append(after.ru_utime + after.ru_stime - before.ru_utime -
                                  before.ru_stime)
        if hooked and not os.listdir(self.records):
            sys.exit("nothing was recorded: the figures would mean nothing")
        self.clean()
        return int(done.stdout.split()[0])

    def start_ns(self, hooked):
        env, command = self.environment(hooked), self.command(0)
        begin = time.perf_counter_ns()
        pid = os.posix_spawn(self.guest, command, env)
        os.waitpid(pid, 0)
        return time.perf_counter_ns() - begin

    def instructions(self, hooked, rounds):
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                               *self.command(rounds)], env=self.environment(hooked),
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.clean()
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode or not found:
            sys.exit("callgrind failed:\n" + done.stderr[-2000:])
        return int(found.group(1))


def interval(values):
    """Median and its 95 % interval by order statistics: no assumption about the noise."""
    ordered = sorted(values)
    n = len(ordered)
    half = 0.98 * n ** 0.5
    low, high = max(0, int(n / 2 - half)), min(n - 1, int(n / 2 + half))
    return ordered[n // 2], ordered[low], ordered[high]


def pairs_of(measure, pairs):
    """Bare and hooked in turn, the order changing, so that drift hits both."""
    seen = []
    for i in range(pairs):
        order = (False, True) if i % 2 else (True, False)
        times = {hooked: measure(hooked) for hooked in order}
        seen.append((times[False], times[True]))
    return seen


def wall(bench, pairs):
    bench.loop_ns(True), bench.loop_ns(False)
    seen = pairs_of(bench.loop_ns, pairs)
    middle, low, high = interval([hooked / bare for bare, hooked in seen])
    bare = interval([b for b, _ in seen])[0]
    met = high <= 1.015
    bench.wide = not met and low <= 1.01
    print(f"wall          {middle:.4f} [{low:.4f} .. {high:.4f}] over {pairs} pairs of "
          f"{bare / 1e6:.0f} ms: {'met' if met else 'inconclusive' if bench.wide else 'NOT MET'}",
          flush=True)
    middle, low, high = interval([h / b for b, h in zip(bench.cpu_s[False], bench.cpu_s[True])])
    print(f"cpu           {middle:.4f} [{low:.4f} .. {high:.4f}] of the same runs, start "
          f"included: for information", flush=True)
    return met


def start(bench, pairs):
    bench.start_ns(True), bench.start_ns(False)
    seen = pairs_of(bench.start_ns, pairs)
    middle, low, high = interval([hooked - bare for bare, hooked in seen])
    bare = interval([b for b, _ in seen])[0]
    met = middle <= 2e6
    print(f"start         {middle / 1e6:+.3f} ms [{low / 1e6:+.3f} .. {high / 1e6:+.3f}] over "
          f"{pairs} pairs of {bare / 1e6:.2f} ms: {'met' if met else 'NOT MET'}", flush=True)
    return met


def instructions(bench, rounds):
    if not shutil.which("valgrind"):
        print("instructions  not measured: valgrind is not installed")
        return True
    slope = {hooked: (bench.instructions(hooked, 4 * rounds) - bench.instructions(hooked, rounds))
             / (3 * rounds * 5) for hooked in (False, True)}
    ratio = slope[True] / slope[False]
    met = ratio <= 1.0025
    print(f"instructions  {(ratio - 1) * 100:+.3f} % ({slope[True] - slope[False]:+.0f} of "
          f"{slope[False]:.0f} an image, slope between {5 * rounds} and {20 * rounds} images): "
          f"{'met' if met else 'NOT MET'}", flush=True)
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("guest")
    parser.add_argument("--quick", action="store_true", help="11 pairs, few images: a rough look")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--jemalloc", action="store_true", help="on both sides")
    parser.add_argument("--instructions", action="store_true",
                        help="only those: the gate, which no noise disturbs")
    options = parser.parse_args()
    if options.instructions and not shutil.which("valgrind"):
        print("valgrind is not installed")
        sys.exit(77)
    pairs = options.pairs or (11 if options.quick else 101)
    bench = Bench(options)
    try:
        print(f"allocator     {'jemalloc' if options.jemalloc else 'C library'}, on both sides")
        results = [instructions(bench, 1 if options.quick else 4)]
        if not options.instructions:
            results += [start(bench, pairs), wall(bench, pairs)]
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    sys.exit(0 if all(results) else 3 if bench.wide and all(results[:2]) else 1)


if __name__ == "__main__":
    main()
