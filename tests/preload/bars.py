# SPDX-License-Identifier: MIT
"""Progress bars of programs that know nothing of us: what is recorded, and that nothing changes."""
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time

from recorded import (CHOSEN, Skip, check, equal, folder, fresh, guest, main,
                      preloaded, read_recordings, record, test, write)

PYTHON = "/usr/bin/python3"
FULL = os.environ.get("WAN_TEST_TIER") in ("full", "soak")
ENDED, PHASES = 2, {"loading": 2, "preprocessing": 3, "generation": 4, "postprocessing": 5,
                    "encoding": 6}


def bars(seen, name=None):
    return [t for t in seen.of("tracker") if name in (None, t["name"])]


def brief(seen):
    return [(t["name"], t["done"], t["total"], t["state"]) for t in bars(seen)]


def python(code, name, need="tqdm", **how):
    """Bars drawn by a real library: their times differ from run to run, so do their bytes."""
    if subprocess.run([PYTHON, "-c", f"import {need}"], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        raise Skip(f"{PYTHON} has no {need}")
    script = write("script-" + name + ".py", code.encode())
    seen = record([PYTHON, script], name, compare=False, **how)
    equal(seen.outcome.status, 0, seen.outcome.stderr)
    return seen


@test
def results_and_errors_are_the_programs_own():
    seen = record([guest("guest_bars"), "results"])
    equal(seen.outcome.status, -signal.SIGPIPE, "end")
    check(b"interrupted" in seen.outcome.stdout and b"cancelled 1" in seen.outcome.stdout,
          seen.outcome.stdout)


@test
def signal_handlers_may_draw():
    seen = record([guest("guest_bars"), "signals"], compare=False)
    equal(seen.outcome.status, 0, "end")
    found = bars(seen, "main")
    check(found and found[-1]["done"] == 20000, brief(seen))


@test
def children_have_bars_of_their_own():
    seen = record([guest("guest_bars"), "forks"])
    equal(sorted(brief(seen)), [("child", 3, 3, ENDED)] * 2 + [("parent", 20, 20, ENDED)], "bars")
    equal(len(seen.of("process")), 3, "recordings")


@test
def bars_of_threads_keep_their_rows():
    seen = record([guest("guest_bars"), "threads"], compare=False)
    equal(sorted(brief(seen)), [(f"row {i}", 100, 100, ENDED) for i in range(4)], "bars")
    equal({b["updates"] for b in bars(seen)}, {100}, "steps")


@test
def bars_without_order_harm_nobody():
    seen = record([guest("guest_bars"), "race"], compare=False)
    equal(seen.outcome.status, 0, "end")
    check({t["total"] for t in bars(seen)} == {20000}, brief(seen))
    check(all(t["done"] <= 20000 for t in bars(seen)), brief(seen))


@test
def more_bars_than_there_is_room_for_are_counted():
    seen = record([guest("guest_bars"), "many"])
    cover = seen.of("coverage", name="progress bars")[0]
    check(cover["unresolved"] >= 60 and cover["objects"] == cover["operations"] +
          cover["unresolved"], cover)
    equal(len(bars(seen)), 40, "trackers")
    equal([t["done"] for t in bars(seen, "late")], [7], "one more, when others have ended")


@test
def bars_in_the_buffers_of_stdio_are_read():
    seen = record([guest("guest_bars"), "stdio"])
    equal(brief(seen), [("progress", 20, 20, ENDED)], "into a pipe")
    place = fresh("stdio-rec")
    os.chmod(place, 0o700)
    on_terminal([guest("guest_bars"), "stdio"], place)
    found = [l for l in read_recordings(place) if l["kind"] == "tracker"]
    equal([(t["done"], t["updates"], t["state"]) for t in found], [(20, 20, ENDED)],
          "onto a terminal, which is written line by line")


@test
def tqdm_as_it_is_used():
    seen = python("""
import sys, time
from tqdm import tqdm, trange
from tqdm.auto import tqdm as auto
for _ in trange(20, desc="sampling"):
    time.sleep(.005)
for _ in tqdm(range(3), desc="outer"):
    for _ in auto(range(4), desc="inner", leave=False, unit="img"):
        time.sleep(.03)
for i in tqdm(range(30), desc="left early"):
    time.sleep(.06)
    if i == 3:
        break
for _ in tqdm(iter(range(9)), desc="no total"):
    time.sleep(.02)
bar = tqdm(total=5_000_000_000, unit="B", unit_scale=True, desc="model.safetensors", colour="red")
for _ in range(4):
    bar.update(1_250_000_000)
    time.sleep(.12)
bar.close()
bar = tqdm(total=10, ascii=True)
bar.update(3)
tqdm.write("between")
bar.reset(total=4)
bar.refresh()
for _ in range(4):
    bar.update(1)
bar.close()
for _ in tqdm(range(3), desc="disabled", disable=True):
    pass
for _ in tqdm(range(3), initial=7, total=10, desc="resumed"):
    pass
for step in trange(2, desc="epoch \\x1b[1m1\\x1b[0m caf\\u00e9"):
    pass
""", "tqdm")
    found = {t["name"]: t for t in bars(seen)}
    inner = bars(seen, "inner")
    equal([(t["done"], t["total"], t["state"], t["updates"], t["level"]) for t in inner],
          [(4, 4, ENDED, 4, 1)] * 3, "inner")
    for name, done, total, updates in (("sampling", 20, 20, 20), ("outer", 3, 3, 3),
                                       ("resumed", 10, 10, 3), ("epoch 1 caf\u00e9", 2, 2, 2)):
        one = found[name]
        equal((one["done"], one["total"], one["updates"], one["state"], one["level"]),
              (done, total, updates, ENDED, 0), name)
    equal((found["left early"]["total"], found["left early"]["state"]), (30, ENDED), "left early")
    check(3 <= found["left early"]["done"] <= 4, found["left early"])
    equal((found["no total"]["done"], found["no total"]["total"], found["no total"]["state"]),
          (9, 0, ENDED), "no total")
    model = found["model.safetensors"]
    equal((model["done"], model["total"], model["phase"]), (5 * 10**9, 5 * 10**9,
                                                            PHASES["loading"]), "bytes")
    check(model["updates"] <= 6, model)
    equal((found["progress"]["done"], found["progress"]["total"]), (4, 4), "reset")
    equal(found["resumed"]["initial"], 7, "begins where it was")
    check("disabled" not in found, found)
    told = seen.of("phase", name="inner")
    equal([(t["phase"], t["steps"]) for t in told], [(PHASES["generation"], 4)] * 3, "records")


@test
def steps_between_two_drawings_are_counted():
    seen = python("""
import time
from tqdm import tqdm
for _ in tqdm(range(3000), mininterval=.1):
    time.sleep(.0001)
""", "many-steps")
    found = bars(seen)[0]
    equal((found["done"], found["updates"], found["latencies"]), (3000, 3000, 3000), "steps")
    check(found["latency_max"] < 50e6, found)


@test
def bars_in_another_locale_are_read():
    seen = python("""
from tqdm import tqdm
for _ in tqdm(range(3), desc="steps"):
    pass
""", "locale", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"})
    equal(brief(seen), [("steps", 3, 3, ENDED)], "bars")


@test
def bars_of_threads_in_python_are_read():
    seen = python("""
import threading, time
from tqdm import tqdm
def work(i):
    for _ in tqdm(range(20), desc=f"worker {i}", position=i, mininterval=0):
        time.sleep(.002)
all = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in all]
[t.join() for t in all]
""", "python-threads")
    equal(sorted(brief(seen)), [(f"worker {i}", 20, 20, ENDED) for i in range(4)], "bars")


def on_terminal(command, place):
    """Run with a terminal for stdout and stderr; what it printed."""
    master, slave = os.openpty()
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=folder,
                             env=preloaded(place, TERM="xterm-256color", COLUMNS="90"))
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    equal(child.wait(), 0, text[-300:])
    return text


@test
def rich_is_read_off_a_terminal():
    if subprocess.run([PYTHON, "-c", "import rich"], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        raise Skip(f"{PYTHON} has no rich")
    script = write("script-rich.py", b"""
import time
from rich.progress import track, Progress, MofNCompleteColumn, TextColumn, BarColumn
for _ in track(range(5), description="Working"):
    time.sleep(.12)
with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()) as progress:
    a, b = progress.add_task("alpha", total=4), progress.add_task("beta", total=8)
    for _ in range(4):
        time.sleep(.12)
        progress.advance(a)
        progress.advance(b, 2)
""")
    place = fresh("rich-rec")
    os.chmod(place, 0o700)
    on_terminal([PYTHON, script], place)
    found = {l["name"]: l for l in read_recordings(place) if l["kind"] == "tracker"}
    equal({n: (t["done"], t["total"], t["state"]) for n, t in found.items()},
          {"Working": (100, 100, ENDED), "alpha": (4, 4, ENDED), "beta": (8, 8, ENDED)}, "bars")


@test
def a_job_has_its_phases():
    """Load, encode, two models of steps with a swap between, decode, save."""
    seen = python("""
import time
from tqdm import tqdm
for _ in tqdm(range(4), desc="Loading checkpoint shards"):
    time.sleep(.02)
for _ in tqdm(range(2), desc="Encoding prompt"):
    time.sleep(.02)
for step in tqdm(range(40)):
    time.sleep(.15 if step == 20 else .02)   # one model goes, the other one comes
for _ in tqdm(range(5), desc="VAE decode"):
    time.sleep(.02)
for _ in tqdm(range(10), desc="Saving video"):
    time.sleep(.01)
""", "job")
    equal([(t["name"], t["done"], t["phase"], t["state"]) for t in bars(seen)],
          [("Loading checkpoint shards", 4, PHASES["loading"], ENDED),
           ("Encoding prompt", 2, PHASES["preprocessing"], ENDED),
           ("progress", 40, PHASES["generation"], ENDED),
           ("VAE decode", 5, PHASES["postprocessing"], ENDED),
           ("Saving video", 10, PHASES["encoding"], ENDED)], "bars")
    sampling = bars(seen, "progress")[0]
    check(sampling["latency_max"] >= 150e6 or sampling["latencies"] == 40, sampling)
    equal([t["phase"] for t in seen.of("phase")], [PHASES[n] for n in (
        "loading", "preprocessing", "generation", "postprocessing", "encoding")], "records")


@test
def what_was_drawn_survives_a_kill():
    """Killed at any instant: whatever write() has returned from is in the recording."""
    rounds, lost = 1000 if FULL else 40, 0
    for i in range(rounds):
        place = fresh(f"kill-{i}")
        os.chmod(place, 0o700)
        truth = os.path.join(folder, "truth")
        with open(truth, "wb") as file:
            file.write(bytes(4096))
        child = subprocess.Popen([guest("guest_bars"), "forever", truth], stderr=subprocess.DEVNULL,
                                 env=preloaded(place), cwd=folder)
        time.sleep(random.uniform(.003, .02))
        child.send_signal(signal.SIGKILL)
        child.wait()
        with open(truth, "rb") as file, mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ) as page:
            told = struct.unpack("<Q", page[:8])[0]
        if not told:
            continue  # killed before there was anything to lose, the file half made perhaps
        found = [l["done"] for l in read_recordings(place) if l["kind"] == "tracker"]
        # The count begins anew at 1000: the next drawing may be recorded and not yet told.
        if not found or found[-1] not in (told, (told + 1) % 1000):
            lost += 1
    equal(lost, 0, f"rounds of {rounds} in which a step was lost")


if __name__ == "__main__":
    main(CHOSEN)
