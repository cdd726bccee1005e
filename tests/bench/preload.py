# SPDX-License-Identifier: MIT
"""What recording costs programs that work on images.

preload.py BUILD [--quick] [--only NAME] [--pairs N] [--append FILE] [--judge FILE...]
           [--instructions] [--start] [--peers]

Three workloads: one 12-megapixel image, 250 small decodes, 60 Pillow thumbnails. Each is run bare,
with the hooks, with hooks and counted allocations, and with jemalloc without and with the hooks, in
turn, the order changing, so that drift hits all. Each figure is against the same program with the
same allocator and without the hooks:
  wall          time of the work itself (start-up apart), median of the pairs with its 95 % interval
                by order statistics; goal 1.01 (counted: 1.03), met when the upper end is at most
                1.015 (1.035)
  memory        peak resident, median of the same runs, start-up and recording included
  instructions  callgrind: slope between N and 4N images; goal +0.25 %
  start         a program that does nothing: the hooks, and the whole of `wanprof run`; goal 2 ms
  peers         heaptrack, ltrace, LTTng's wrappers of the C library, where installed: 3 runs each
Long measurements can be made in pieces: --append keeps the pairs in a file, --judge reads them.
Exit status: 0 all met, 1 one is not, 3 an interval is too wide to tell.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
INERT = "libdl.so.2"  # empty since glibc 2.34
PYTHON = "/usr/bin/python3"
THUMBNAILS = """
import sys, time
from PIL import Image
def thumbnail():
    image = Image.open(sys.argv[1])
    image.thumbnail((256, 256))
    image.load()
thumbnail()  # imports the codec
start = time.perf_counter_ns()
for _ in range(int(sys.argv[2])):
    thumbnail()
print(time.perf_counter_ns() - start)
"""
# Mode: what it is measured against, its limit, and the upper end that still meets it.
MODES = {"bare": None, "hooks": ("bare", 1.01, 1.015), "count": ("bare", 1.03, 1.035),
         "jemalloc": None, "hooks on jemalloc": ("jemalloc", 1.01, 1.015)}


class Bench:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.guest = next((g for g in (os.path.join(self.build, "tests", name) for name in
                           ("bench/bench-preload_guest", "preload/preload_guest"))
                           if os.path.exists(g)), None)
        if not self.guest:
            sys.exit("preload_guest is not built")
        self.folder = tempfile.mkdtemp(prefix="wan-bench-")
        self.records = os.path.join(self.folder, "rec")
        os.mkdir(self.records, 0o700)
        self.jpeg, self.png, self.big, self.middle = (
            os.path.join(self.folder, n) for n in ("in.jpg", "in.png", "big.jpg", "middle.jpg"))
        subprocess.run([self.guest, "make", self.jpeg, self.png], check=True)
        self.tile(self.big, 7, 6)     # 4480x2880
        self.tile(self.middle, 2, 2)  # 1280x960
        self.wide = self.missed = False
        self.libraries = {
            "bare": [], "hooks": [self.at("profiler/preload/libwanrt-preload.so")],
            "jemalloc": [JEMALLOC]}
        self.libraries["count"] = self.libraries["hooks"] + [
            self.at("profiler/preload/libwanrt-count.so")]
        self.libraries["hooks on jemalloc"] = self.libraries["hooks"] + [JEMALLOC]

    def at(self, name):
        path = os.path.join(self.build, name)
        if not os.path.exists(path):
            sys.exit(f"{path} is not built")
        return path

    def tile(self, path, across, down):
        """The small picture again and again: work like a photograph's, the same at each run."""
        plain = subprocess.run(["djpeg", "-ppm", self.jpeg], stdout=subprocess.PIPE,
                               check=True).stdout
        pixels = plain.split(b"\n255\n", 1)[1]
        rows = b"".join(pixels[i * 1920:(i + 1) * 1920] * across for i in range(480))
        subprocess.run(["cjpeg", "-quality", "85", "-outfile", path], check=True,
                       input=b"P6\n%d %d\n255\n" % (640 * across, 480 * down) + rows * down)

    def workloads(self):
        """Name: (command that prints the ns of count times the work, count)."""
        return {
            "12 Mpx image": (lambda n: [self.guest, "jpeg", self.big, self.png, str(n)], 4),
            "250 small": (lambda n: [self.guest, "run", self.jpeg, self.png, str(n)], 50),
            "60 thumbnails": (lambda n: [PYTHON, "-c", THUMBNAILS, self.middle, str(n)], 60)}

    def environment(self, mode):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("WAN_", "LD_"))}
        # The same linker set-up for all: something is preloaded, and the environment has one
        # length. Against nothing preloaded 60 thumbnails differ by 1.5 %; that the environment
        # moves the stack may be why, but was not measured apart.
        libraries = " ".join(self.libraries.get(mode) or [INERT])
        if mode != "peer":  # which preloads what it likes
            env["LD_PRELOAD"] = libraries + " " * (512 - len(libraries))
        env["WAN_RECORD_PATH"] = self.records + "/"
        return env

    def clean(self):
        for name in os.listdir(self.records):
            os.unlink(os.path.join(self.records, name))

    def run(self, command, mode, prefix=()):
        """(ns of the work, peak resident KiB, ns of the process); the guest that launches is small,
        since a child's peak starts with its parent's."""
        done = subprocess.run([*prefix, self.guest, "launch", *command], env=self.environment(mode),
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = done.stdout.split(b"\n")
        work = int(lines[0].split()[0]) if lines[0] else 0  # a program that does nothing
        peak, wall = map(int, lines[-2].split()[1:])
        if mode not in ("bare", "jemalloc") and work and not os.listdir(self.records):
            sys.exit("nothing was recorded: the figures would mean nothing")
        self.clean()
        return work, peak, wall


def interval(values):
    """Median and its 95 % interval by order statistics: no assumption about the noise."""
    ordered = sorted(values)
    n = len(ordered)
    half = 0.98 * n ** 0.5
    low, high = max(0, int(n / 2 - half)), min(n - 1, int(n / 2 + half))
    return ordered[n // 2], ordered[low], ordered[high]


def rounds(bench, name, modes, count, pairs):
    """One line each: {mode: [work ns, peak KiB]}."""
    command, usual = bench.workloads()[name]
    command = command(count or usual)
    for mode in modes:
        bench.run(command, mode)
    for i in range(pairs):
        turn = modes[i % len(modes):] + modes[:i % len(modes)]
        yield {mode: bench.run(command, mode)[:2] for mode in (turn if i & 1 else turn[::-1])}


def judge(bench, name, seen):
    base = statistics.median(r["bare"][0] for r in seen)
    print(f"{name}: {len(seen)} rounds, {base / 1e6:.1f} ms bare")
    for mode, against in MODES.items():
        if against is None or mode not in seen[0]:
            continue
        base, goal, upper = against
        middle, low, high = interval([r[mode][0] / r[base][0] for r in seen])
        memory = [statistics.median(r[m][1] for r in seen) for m in (mode, base)]
        verdict = ("met" if high <= upper else "inconclusive" if low <= goal else "NOT MET")
        bench.wide |= verdict == "inconclusive"
        bench.missed |= verdict == "NOT MET"
        print(f"  {mode:18} wall {middle:.4f} [{low:.4f} .. {high:.4f}] of {base}, goal {goal}: "
              f"{verdict}; memory {memory[0] / memory[1]:.3f} ({memory[0] - memory[1]:+.0f} KiB)")
    if "jemalloc" in seen[0]:
        middle, low, high = interval([r["jemalloc"][0] / r["bare"][0] for r in seen])
        memory = [statistics.median(r[m][1] for r in seen) for m in ("jemalloc", "bare")]
        print(f"  {'jemalloc by itself':18} wall {middle:.4f} [{low:.4f} .. {high:.4f}] of bare; "
              f"memory {memory[0] / memory[1]:.3f} ({memory[0] - memory[1]:+.0f} KiB)", flush=True)


def counted(bench, command, mode):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           *command], env=bench.environment(mode), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    bench.clean()
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit("callgrind failed:\n" + done.stderr[-2000:])
    return int(found.group(1))


def instructions(bench, name, few, modes):
    command = bench.workloads()[name][0]
    slope = {mode: (counted(bench, command(4 * few), mode) - counted(bench, command(few), mode))
             / (3 * few) for mode in modes}
    for mode in modes[1:]:
        grown = slope[mode] / slope["bare"] - 1
        goal = 0.0025 if mode == "hooks" else None
        bench.missed |= goal is not None and grown > goal
        verdict = "for information" if goal is None else "met" if grown <= goal else "NOT MET"
        print(f"{name}: {mode:6} instructions {grown * 100:+.3f} % ({slope[mode] - slope['bare']:+.0f}"
              f" of {slope['bare']:.0f} each, slope between {few} and {4 * few}): {verdict}",
              flush=True)


def start(bench, pairs):
    """A program that does nothing, in turns: bare, under the hooks, under wanprof run."""
    nothing = [bench.guest, "run", bench.jpeg, bench.png, "0"]
    one = [bench.guest, "jpeg", bench.jpeg, bench.png, "1"]
    wanprof = bench.at("tools/wanprof")
    # A new file each time, as usual: replacing one makes the file system write it out at once.
    recorded = [wanprof, "run", "-q", "-o", bench.records + "/", "--"]
    rows = {"nothing, hooks": (nothing, "hooks", []), "nothing, count": (nothing, "count", []),
            "nothing, wanprof run": (nothing, "bare", recorded),
            "one image, hooks": (one, "hooks", []), "one image, count": (one, "count", []),
            "one image, wanprof run": (one, "bare", recorded)}
    seen = {row: [] for row in rows}
    for _ in range(pairs):
        for row, (command, mode, prefix) in rows.items():
            bare = bench.run(command, "bare")[2]
            hooked = launched(bench, prefix + command, mode)
            seen[row].append((hooked - bare) / 1e6)
    for row, values in seen.items():
        middle, low, high = interval(values)
        whole = "run" in row
        met = middle <= 2
        bench.missed |= not met and not whole
        print(f"start, {row:24} {middle:+.3f} ms [{low:+.3f} .. {high:+.3f}] over {pairs} pairs: "
              f"{'for information' if whole else 'met' if met else 'NOT MET'}", flush=True)


def launched(bench, command, mode):
    """ns of a process that is started from the small one."""
    done = subprocess.run([bench.guest, "launch", *command], env=bench.environment(mode), check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    bench.clean()
    return int(done.stdout.split(b"\n")[-2].split()[2])


def peers(bench, names):
    """Whole processes, start included, since that is what the peers cost."""
    out = os.path.join(bench.folder, "peer")
    wrapper = next((p for p in ("/usr/lib/x86_64-linux-gnu/liblttng-ust-libc-wrapper.so.1",
                                "/usr/lib/x86_64-linux-gnu/liblttng-ust-libc-wrapper.so")
                    if os.path.exists(p)), None)
    table = {"wanprof run": [bench.at("tools/wanprof"), "run", "-q", "--force", "-o", out, "--"],
             "heaptrack": ["heaptrack", "-o", out],
             "ltrace": ["ltrace", "-f", "-c", "-o", out],
             "LTTng": ["env", f"LD_PRELOAD={wrapper}"]}
    lttng = bool(shutil.which("lttng") and wrapper)
    if lttng:
        for words in (["create", "wan", f"--output={out}.lttng"],
                      ["enable-event", "-u", "lttng_ust_libc:*"], ["start"]):
            lttng &= subprocess.run(["lttng", *words], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL).returncode == 0
    try:
        for name in names:
            command, count = bench.workloads()[name]
            command = command(count)
            bare = min(bench.run(command, "bare")[2] for _ in range(3))
            for peer, prefix in table.items():
                if not shutil.which(prefix[0]) or (peer == "LTTng" and not lttng):
                    print(f"{name}: {peer} is not installed or does not start")
                    continue
                try:
                    wall = min(launched(bench, prefix + command, "peer") for _ in range(3))
                except subprocess.CalledProcessError:
                    print(f"{name}: {peer} failed")
                    continue
                print(f"{name}: {peer:12} {wall / bare:6.2f} x bare (best of 3, start included)",
                      flush=True)
    finally:
        if lttng:
            subprocess.run(["lttng", "destroy", "wan"], stdout=subprocess.DEVNULL)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true", help="few rounds, few images: a rough look")
    parser.add_argument("--only", help="one of the workloads, by the beginning of its name")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--append", help="keep the rounds in this file and judge nothing")
    parser.add_argument("--judge", nargs="+", help="of rounds that were kept")
    for what in "instructions", "start", "peers":
        parser.add_argument("--" + what, action="store_true", help="only this")
    return parser.parse_args()


def judge_kept(bench, paths):
    kept = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                kept.setdefault(entry["workload"], []).append(entry["round"])
    for name, seen in kept.items():
        judge(bench, name, seen)


def measure(bench, options, names):
    pairs = options.pairs or (11 if options.quick else 101)
    everything = not (options.start or options.peers or options.instructions)
    if options.instructions or (everything and not options.append):
        for name, few in (("12 Mpx image", 1), ("250 small", 1 if options.quick else 4)):
            if name in names and shutil.which("valgrind"):
                instructions(bench, name, few, ["bare", "hooks", "count"])
    if options.start or (everything and not options.append):
        start(bench, pairs)
    if options.peers:
        peers(bench, names)
    modes = [m for m in MODES if os.path.exists(JEMALLOC) or "jemalloc" not in m]
    for name in names if everything else []:
        seen = list(rounds(bench, name, modes, None, pairs))
        if not options.append:
            judge(bench, name, seen)
            continue
        with open(options.append, "a", encoding="utf-8") as file:
            for one in seen:
                file.write(json.dumps({"workload": name, "round": one}) + "\n")


def main():
    options = parse_arguments()
    if options.instructions and not shutil.which("valgrind"):
        print("valgrind is not installed")
        sys.exit(77)
    if not shutil.which("djpeg") or not shutil.which("cjpeg"):
        print("djpeg and cjpeg make the images and are not installed")
        sys.exit(77)
    bench = Bench(options.build)
    try:
        names = [n for n in bench.workloads() if not options.only or n.startswith(options.only)]
        if options.judge:
            judge_kept(bench, options.judge)
        else:
            measure(bench, options, names)
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    sys.exit(1 if bench.missed else 3 if bench.wide else 0)


if __name__ == "__main__":
    main()
