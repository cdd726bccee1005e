# SPDX-License-Identifier: MIT
"""Nobody is killed: programs that would take more than their group may have, in real memory cgroups
(root and v1, or a delegated v2), and what a report says of memory that was short."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, ".."), os.path.join(here, "../bench")]
from memory_group import MemoryGroup, Unavailable
from tap import Skip, check, equal, main, test

STARTEND, WANPROF, SURVIVE, PRESSURE = (os.path.abspath(path) for path in sys.argv[1:5])
MIB = 1 << 20
FULL = os.environ.get("WAN_TEST_TIER", "quick") in ("full", "soak")
TIMEOUT_S = 120


def environment(folder, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WAN", "XDG_"))}
    kept.update({"XDG_STATE_HOME": folder, "XDG_CONFIG_HOME": folder, "HOME": folder,
                 "WAN_RECORD_PATH": "off", "LC_ALL": "C.UTF-8", **more})
    return kept


def group_of(limit_mb):
    try:
        return MemoryGroup("test-memory", limit_mb * MIB)
    except Unavailable as reason:
        raise Skip(str(reason)) from reason


def killed_in(group):
    """How many of the group the kernel killed; None where it does not count."""
    words = group.read("memory.oom_control", "memory.events").split()
    return int(words[words.index("oom_kill") + 1]) if "oom_kill" in words else None


def run_in(group, command, folder, timeout_s=TIMEOUT_S, **more):
    with tempfile.TemporaryFile(dir=folder) as err:
        process = group.popen(command, env=environment(folder, **more), stderr=err,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        out, _ = process.communicate(timeout=timeout_s)
        err.seek(0)
        return process.returncode, out.decode(), err.read().decode()


def frames(folder, count):
    """JPEGs of 3840x2160, all the same pixels: files of their own, so that each is decoded."""
    from PIL import Image
    first = os.path.join(folder, "0000.jpg")
    gradient = Image.linear_gradient("L").resize((3840, 2160))
    Image.merge("RGB", (gradient, gradient.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
                        gradient)).save(first, quality=80)
    paths = [os.path.join(folder, f"{number:04d}.jpg") for number in range(count)]
    for path in paths[1:]:
        shutil.copyfile(first, path)
    return paths


def batch_of_4k_frames(count, timeout_s):
    with tempfile.TemporaryDirectory(prefix="wan-memory-") as folder, group_of(256) as group:
        try:
            paths = frames(folder, count)
        except ImportError as reason:
            raise Skip("python3-pil is missing") from reason
        pairs = os.path.join(folder, "pairs.tsv")
        with open(pairs, "w", encoding="utf-8") as lines:
            lines.writelines(f"{path}\t-\tframe{number}\n" for number, path in enumerate(paths))
        out = os.path.join(folder, "out")
        status, _, said = run_in(group, [STARTEND, "--list", pairs, "--batch", "auto", "--size",
                                         "832x480", "-o", out], folder, timeout_s)
        equal(status, 0, f"status; {said[-400:]}")
        check(killed_in(group) in (0, None), f"{killed_in(group)} were killed")
        made = {name.split(".")[0].split("-")[0].split("_")[0] for name in os.listdir(out)}
        missing = [number for number in range(count) if f"frame{number}" not in made]
        check(not missing, f"frames without a result: {missing[:5]}, made {sorted(made)[:5]}")


@test
def more_4k_frames_than_fit_become_clips_in_256_mb():
    batch_of_4k_frames(12, TIMEOUT_S)  # 300 MB of pixels


@test
def a_thousand_4k_frames_become_clips_in_256_mb():
    if not FULL:
        raise Skip("takes minutes; WAN_TEST_TIER=full")
    batch_of_4k_frames(1000, 1200)


def survive(load, seconds, folder, images, **more):
    with group_of(256) as group:
        status, out, said = run_in(group, [SURVIVE, "ours", load, images, "256", group.usage_path,
                                           str(seconds)], folder, **more)
        equal(status, 0, f"{load}: status; {said[-400:]}")
        check(killed_in(group) in (0, None), f"{load}: {killed_in(group)} were killed")
        return out.split()


@test
def programs_that_keep_all_they_load_survive():
    if not os.access(SURVIVE, os.X_OK):
        raise Skip("bench-survive is not built (-Dbench=true)")
    with tempfile.TemporaryDirectory(prefix="wan-memory-") as folder:
        images = os.path.join(folder, "images")
        os.mkdir(images)
        try:
            first = frames(folder, 1)[0]
        except ImportError as reason:
            raise Skip("python3-pil is missing") from reason
        from PIL import Image
        small = os.path.join(folder, "small.jpg")
        Image.open(first).resize((1920, 1080)).save(small, quality=80)
        for number in range(60):  # 356 MB of pixels
            shutil.copyfile(small, os.path.join(images, f"full_hd-{number:03d}.jpg"))
        for load in ("s1", "s4", "j4"):
            words = survive(load, 0.3, folder, images)
            done, refused = int(words[1]), int(words[5])
            check(done > 0, words)
            check(refused <= done, f"{load}: {refused} refused beside {done}")


@test
def a_report_tells_of_steps_and_of_what_was_done():
    with tempfile.TemporaryDirectory(prefix="wan-memory-") as folder:
        path = os.path.join(folder, "pressure.wprof")
        done = subprocess.run([PRESSURE, "2.4"], env=environment(folder, WAN_RECORD_PATH=path),
                              stdout=subprocess.PIPE, timeout=TIMEOUT_S, check=True, text=True)
        lines = done.stdout.splitlines()
        before, after, last = lines[0].split(), lines[2].split(), lines[-1].split()
        if "normal" not in before:
            raise Skip(f"memory of this machine is short itself: {lines[0]}")
        equal(before[-3:], ["160", "MB", "32"], "limit and batch before")
        check("critical" in after, lines[2])
        equal(after[-3:], ["80", "MB", "16"], "limit and batch after")
        check("normal" in last, lines[-1])
        text = " ".join(subprocess.run([WANPROF, "report", path], env=environment(folder),
                                       stdout=subprocess.PIPE, timeout=TIMEOUT_S, check=True,
                                       text=True).stdout.split())
        for part in ("memory: normal (", "up to critical", "batch 32 to 16 (critical: process at 86.",
                     "cache_limit 160 MB to 80.0 MB, freed"):
            check(part in text, f"{part!r} is not in: {text}")
        check(re.search(r"cache_regrow 80\.0 MB to [\d.]+ MB in \d+ steps until", text), text)


main(sys.argv[5:])
