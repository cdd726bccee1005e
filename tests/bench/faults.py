# SPDX-License-Identifier: MIT
"""Is the cause of a stall named right? Faults are made on purpose, each many times.

faults.py BENCH_FAULTS [--rounds N] [--only KIND,...] [--preload LIBRARY --cudart LIBRARY]
          [--least SHARE] [--quick]: prints what was made against what was told, and how late (after 1.5 steps
+ 1 s; goal: never). Ends with 1 when a kind is told right in less than SHARE of its rounds (goal:
0.9). --quick: TAP, each of some kinds once, all at the same time. computing and loading are slow steps that get on: they must be notices.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from memory_group import MemoryGroup, Unavailable  # noqa: E402

KINDS = ("stopped", "lock", "disk", "thrashing", "gpu_wait", "killed_for_memory", "gone",
         "waiting", "computing", "loading")
NOTICES = ("computing", "loading")
MIB = 1 << 20


class SlowDisk:
    """A group (cgroup v1, root) in which writing to the disk of a folder is throttled."""

    def __init__(self, folder, bytes_per_second):
        mount = "/sys/fs/cgroup/blkio"
        limit = "blkio.throttle.write_bps_device"
        if not os.path.exists(os.path.join(mount, limit)):
            raise Unavailable("no blkio controller of cgroup v1 is mounted")
        device = os.stat(folder).st_dev
        self.path = os.path.join(mount, f"wanrt-faults-{os.getpid()}")
        try:
            os.mkdir(self.path)
            self.write(limit, f"{os.major(device)}:{os.minor(device)} {bytes_per_second}")
        except OSError as error:
            self.remove()
            raise Unavailable(f"the disk cannot be throttled: {error.strerror}") from error

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as out:
            out.write(text)

    def popen(self, command, **more):
        return subprocess.Popen(command, preexec_fn=lambda: self.write(
            "cgroup.procs", str(os.getpid())), **more)

    def remove(self):
        for _ in range(300):
            try:
                os.rmdir(self.path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)


class Nothing:
    """No group is needed."""
    @staticmethod
    def popen(command, **more):
        return subprocess.Popen(command, **more)

    @staticmethod
    def remove():
        pass


def group_for(kind, folder, tag):
    if kind == "thrashing":
        return MemoryGroup(f"faults-{tag}", 40 * MIB)
    if kind == "killed_for_memory":
        return MemoryGroup(f"faults-{tag}", 64 * MIB)
    if kind == "disk":
        return SlowDisk(folder, 131072)
    return Nothing()


def environment_for(options, kind, folder):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("WAN_", "LD_"))}
    if kind == "gpu_wait":
        environment.update(FAULT_PRELOAD=f"{options.preload} {options.cudart}",
                           WAN_RECORD_PATH=folder + "/")
    if options.quick:
        environment["FAULT_NOTICE_S"] = "1"
    return environment


def one_batch(options, kind, folder, count):
    """Rounds that run side by side: they sleep most of the time."""
    groups, runs, answers = [], [], []
    environment = environment_for(options, kind, folder)
    shared = group_for(kind, folder, "all") if kind == "disk" else None
    try:
        for index in range(count):
            group = shared or group_for(kind, folder, index)
            groups.append(group)
            large = kind in ("thrashing", "loading")
            name = f"large-{index}" if large else f"written-{index}"
            runs.append(group.popen([options.bench, kind, os.path.join(folder, name)],
                                    env=environment, stdout=subprocess.PIPE, text=True))
        for run in runs:
            text, _ = run.communicate(timeout=60)
            answers.append(text.split() if text else ["none", "unknown", "0"])
    finally:
        for run in runs:
            if run.poll() is None:
                run.kill()
                run.wait()
        for group in groups:
            group.remove()
    return answers


def reason_to_skip(options, kind, folder):
    if kind == "gpu_wait" and not (options.preload and options.cudart):
        return "give --preload and --cudart"
    if kind == "disk":
        with open("/proc/mounts", encoding="utf-8") as mounts:
            memory = [line.split()[1] for line in mounts if line.split()[2] == "tmpfs"]
        if any(folder == at or folder.startswith(at + "/") for at in memory if at != "/"):
            return "the folder for files is in memory"
    try:
        group_for(kind, folder, "try").remove()
    except Unavailable as error:
        return str(error)
    return None


def make_large_files(folder):
    """Larger than the group of a guest, one for each that runs beside another."""
    for index in range(2):
        with open(os.path.join(folder, f"large-{index}"), "wb") as out:
            for _ in range(96):
                out.write(os.urandom(MIB))
            out.flush()
            os.fsync(out.fileno())


def measure(options, folder):
    told, late, weak = {}, [], []
    for kind in options.only:
        skip = reason_to_skip(options, kind, folder)
        if skip:
            print(f"# SKIP {kind}: {skip}")
            continue
        counts = told.setdefault(kind, {})
        side_by_side = 2 if kind in ("computing", "loading", "thrashing") else 5
        left, right = options.rounds, 0
        while left > 0:
            for answer in one_batch(options, kind, folder, min(left, side_by_side)):
                wanted = "long_step" if kind in NOTICES else "stalled"
                state, cause, seconds = answer[:3]
                right += cause == kind and state == wanted
                label = cause if state == "stalled" else f"{cause}*"
                counts[label] = counts.get(label, 0) + 1
                if state == "stalled":
                    late.append((float(seconds), kind))
                if options.verbose or cause != kind:
                    print(f"# {kind}: {' '.join(answer)}")
            left -= side_by_side
        if right < options.least * options.rounds:
            weak.append(kind)
    return told, late, weak


def quick(options, folder):
    """The cause alone: how late depends on what else the machine does."""
    kinds = [kind for kind in KINDS if kind not in ("disk", "thrashing", "loading")]
    print(f"TAP version 13\n1..{len(kinds)}")
    started, failed = [], False
    for number, kind in enumerate(kinds, 1):
        skip = reason_to_skip(options, kind, folder)
        if skip:
            print(f"ok {number} - {kind} is told # SKIP {skip}")
            continue
        group = group_for(kind, folder, kind)
        started.append((number, kind, group, group.popen(
            [options.bench, kind], env=environment_for(options, kind, folder),
            stdout=subprocess.PIPE, text=True)))
    for number, kind, group, run in started:
        text, _ = run.communicate(timeout=60)
        group.remove()
        told = text.split()[:2]
        right = told == ["long_step" if kind in NOTICES else "stalled", kind]
        failed |= not right
        print(f"{'ok' if right else 'not ok'} {number} - {kind} is told\n# {text.strip()}")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--least", type=float, default=0.9)
    parser.add_argument("--only", type=lambda text: text.split(","), default=KINDS)
    parser.add_argument("--preload")
    parser.add_argument("--cudart")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.bench = os.path.abspath(options.bench)
    folder = tempfile.mkdtemp(prefix="wanrt-faults-", dir=os.environ.get("FAULTS_FOLDER"))
    try:
        if options.quick:
            sys.exit(quick(options, folder))
        make_large_files(folder)
        told, late, weak = measure(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'made':18} told ({options.rounds} rounds each; * as a notice)")
    for kind, counts in told.items():
        print(f"{kind:18} " + ", ".join(f"{name} {count}" for name, count in
                                        sorted(counts.items(), key=lambda item: -item[1])))
    if late:
        worst = max(late)
        print(f"named at the latest {worst[0]:+.2f} s against 1.5 steps + 1 s ({worst[1]})")
    if weak:
        sys.exit("told right too seldom: " + ", ".join(weak))


if __name__ == "__main__":
    main()
