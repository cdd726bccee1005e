# SPDX-License-Identifier: MIT
"""What wanrt.track, phase and profile leave in recordings: of their own, under wanprof run, without
the extension, and when a program forks, fails or is killed. Arguments: wanprof, the preload
library, the folder of libwanrt.so."""
import ctypes.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

WANPROF, PRELOAD, RUNTIME = (os.path.abspath(path) for path in sys.argv[1:4])
sys.argv[1:] = sys.argv[4:]
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tap import Skip, check, equal, main, test

EXAMPLE = os.path.join(HERE, "wan_like.py")
PYTHON = "/usr/bin/python3"
folder = tempfile.mkdtemp(prefix="wan-progress-")
count = 0


def environment(**more):
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("WAN", "LD_", "TQDM", "PYTHONDEV"))}
    kept.update(XDG_STATE_HOME=os.path.join(folder, "state"), XDG_RUNTIME_DIR=folder,
                WANPROF_PRELOAD=PRELOAD)
    kept.update(more)
    return kept


def ask(*command, code=0, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, env=environment(**more))
    check(done.returncode == code, f"{command}: {done.returncode}\n{done.stderr}")
    return done


def fresh():
    global count
    count += 1
    return os.path.join(folder, f"run{count}.wprof")


def profile(path):
    return json.loads(ask(WANPROF, "dump", path).stdout)


def recorded(code, *arguments, status=0, **more):
    """The profile of a program that records for itself."""
    path = fresh()
    ask(PYTHON, "-X", "dev", "-c", code, *arguments, code=status, WAN_RECORD_PATH=path, **more)
    return profile(path)


def jobs(document):
    return {job["name"]: job for job in document["progress"]["trackers"]}


def check_example(document, steps=8):
    seen = jobs(document)
    equal(sorted(seen), ["sampling", "shards", "tiles", "wan_like.py"])
    for name, done, unit in (("shards", 3, "shard"), ("sampling", steps, "step"),
                             ("tiles", 4, "tile")):
        job = seen[name]
        equal((job["done"], job["total"], job["updates"], job["unit"], job["state"], job["source"],
               job["level"]), (done, done, done, unit, "ended", "python", 0), name)
    check(seen["sampling"]["average_latency_ms"] >= 3, seen["sampling"])
    equal(seen["sampling"]["device_done"], steps - 1)
    phases = {phase["name"]: phase for phase in document["progress"]["phases"]}
    for name, least_ms, done in (("load", 15, 3), ("encode", 10, None),
                                 ("sampling", 3 * steps + 20, steps), ("decode", 8, 4),
                                 ("save", 0, None)):
        phase = phases[name]
        check(phase["duration_ms"] >= least_ms, phase)
        equal(phase["steps"], done, name)
    check(seen["sampling"]["average_latency_ms"] * steps <= phases["sampling"]["duration_ms"],
          (seen["sampling"], phases["sampling"]))


def names(document):
    return [metric["operation_name"] for metric in document["metrics"]]


@test
def a_generation_leaves_phases_steps_and_operations():
    path = fresh()
    done = ask(PYTHON, EXAMPLE, WAN_RECORD_PATH=path)
    check(done.stdout.startswith("done:") and "sampling: 100%|" in done.stderr, done.stderr)
    document = profile(path)
    check_example(document)
    equal(sorted(set(names(document))), ["denoise", "text_encode"])
    equal(names(document).count("denoise"), 8)


@test
def under_wanprof_run_our_bars_are_counted_once():
    for options in ((), ("--alloc=off",), ("--alloc=jemalloc",)):
        if "jemalloc" in "".join(options) and not ctypes.util.find_library("jemalloc"):
            continue
        for extension in ("on", "off"):
            path = fresh()
            ask(WANPROF, "run", "-q", *options, "-o", path, "--", PYTHON, EXAMPLE,
                WAN_PYTHON_EXTENSION=extension)
            document = profile(path)
            check_example(document)
            if extension == "on":
                equal(names(document).count("denoise"), 8)


@test
def plain_python_records_through_libwanrt():
    path = fresh()
    ask(PYTHON, EXAMPLE, WAN_RECORD_PATH=path, WAN_PYTHON_EXTENSION="off", LD_LIBRARY_PATH=RUNTIME)
    check_example(profile(path))


@test
def it_works_with_jemalloc_preloaded():
    library = ctypes.util.find_library("jemalloc")
    if not library:
        raise Skip("jemalloc is not installed")
    path = fresh()
    ask(PYTHON, EXAMPLE, WAN_RECORD_PATH=path, LD_PRELOAD=library)
    check_example(profile(path))


@test
def switched_off_or_without_any_library_it_is_silent_and_whole():
    for more in ({"WAN_PROFILE": "off"}, {"WAN_PYTHON_EXTENSION": "off"},
                 {"WAN_PYTHON_EXTENSION": "off", "WAN_PROFILE": "off"}):
        path = fresh()
        done = ask(PYTHON, EXAMPLE, WAN_RECORD_PATH=path, **more)
        check(done.stdout.startswith("done:") and "sampling: 100%|" in done.stderr, done.stderr)
        check(not os.path.exists(path), more)
    ask(PYTHON, "-c", """
import wanrt
source = range(3)
assert type(iter(wanrt.track(source, disable=True))) is type(iter(source)), "nothing in between"
def f(): pass
assert wanrt.profile(f) is f
assert str(wanrt.report()).startswith("nothing is recorded") or wanrt.report() is not None
""", WAN_PROFILE="off")
    ask(PYTHON, "-c", "import wanrt\ntry: wanrt.load('x')\nexcept ImportError as e: print(e)",
        WAN_PYTHON_EXTENSION="off")


@test
def how_a_job_ended_is_told():
    document = recorded("""
import wanrt, contextlib
def go(name, stop, by):
    with contextlib.suppress(ValueError):
        for x in wanrt.track(range(4), name=name, disable=True):
            if x == stop:
                if by == "break": break
                raise ValueError
go("whole", 9, ""), go("left", 2, "break"), go("failed", 2, "raise")
def source():
    yield 1
    raise ValueError
with contextlib.suppress(ValueError):
    for x in wanrt.track(source(), name="source", disable=True): pass
with contextlib.suppress(ValueError), wanrt.track(total=3, name="manual", disable=True) as bar:
    bar.update(); raise ValueError
kept = iter(wanrt.track(range(9), name="kept", disable=True)); next(kept); next(kept)
""")
    seen = jobs(document)
    equal({name: job["done"] for name, job in seen.items()},
          {"whole": 4, "left": 2, "failed": 2, "source": 1, "manual": 1, "kept": 1})
    if "outcome" in seen["whole"]:
        equal({name: job["outcome"] for name, job in seen.items()},
              {"whole": "completed", "left": None, "failed": "failed", "source": "failed",
               "manual": "failed", "kept": None})


@test
def a_function_that_fails_is_marked_and_the_exception_passes():
    document = recorded("""
import asyncio, wanrt
@wanrt.profile
def sync(): raise KeyError(1)
@wanrt.profile
async def later(): await asyncio.sleep(0); raise KeyError(2)
@wanrt.profile
def each(): yield 1; raise KeyError(3)
for call in (sync, lambda: asyncio.run(later()), lambda: list(each())):
    try: call()
    except KeyError: pass
    else: raise SystemExit("no exception")
@wanrt.profile
def outer():
    inner()
@wanrt.profile
def inner(): pass
outer()
""")
    equal({m["operation_name"]: m["status"] for m in document["metrics"]},
          {"sync": "failed", "later": "failed", "each": "failed", "outer": "ok"},
          "inner is part of outer")


@test
def the_child_of_a_fork_leaves_the_parents_jobs_alone():
    for start in ("fork", "spawn", "forkserver"):
        document = recorded("""
import multiprocessing, os, sys, wanrt
def work(n):
    return sum(wanrt.track(range(100), name="child", disable=True))
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    total = 0
    with wanrt.phase("parent"):
        for x in wanrt.track(range(6), name="loop", disable=True):
            if x == 2:
                if sys.argv[1] == "fork":
                    with context.Pool(2) as pool: total = sum(pool.map(work, range(4)))
                    child = os.fork()
                    if not child: continue
                    os.waitpid(child, 0)
    if sys.argv[1] != "fork" or child: assert wanrt.track is not None
""", start)
        job = jobs(document)["loop"]
        equal((job["done"], job["updates"], job["state"]), (6, 6, "ended"), start)


@test
def a_killed_program_shows_its_step():
    path = fresh()
    process = subprocess.Popen([PYTHON, "-c", """
import sys, time, wanrt
with wanrt.phase("generation"):
    for x in wanrt.track(range(100), name="steps", disable=True):
        if x == 7:
            print("here", flush=True); time.sleep(60)
"""], env=environment(WAN_RECORD_PATH=path), stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    job = jobs(profile(path))["steps"]
    equal((job["done"], job["total"], job["state"]), (7, 100, "unended"))


@test
def an_interrupt_ends_the_loop():
    done = subprocess.run([PYTHON, "-c", """
import os, signal, wanrt
for x in wanrt.track(range(10**9), mininterval=0.001):
    if x == 1000: os.kill(os.getpid(), signal.SIGINT)
"""], env=environment(WAN_RECORD_PATH="off"), stderr=subprocess.PIPE, timeout=60)
    check(b"KeyboardInterrupt" in done.stderr and done.returncode in (130, -2), done)


@test
def the_interpreter_ends_with_loops_under_way():
    for _ in range(3):
        done = ask(PYTHON, "-X", "dev", "-c", """
import sys, threading, time, wanrt
def endless():
    for x in wanrt.track(iter(int, 1), disable=True):
        with wanrt.phase("p"): pass
for _ in range(3): threading.Thread(target=endless, daemon=True).start()
kept = iter(wanrt.track(range(9))); next(kept)
bar = wanrt.track(total=4); bar.update()
sys.modules["kept"] = kept
time.sleep(0.05)
""", WAN_RECORD_PATH="off")
        check("Traceback" not in done.stderr and "Fatal" not in done.stderr, done.stderr)


@test
def more_jobs_than_places_do_no_harm():
    document = recorded("""
import wanrt
bars = [wanrt.track(total=2, name=f"job {n}", disable=True) for n in range(5000)]
for bar in bars: bar.update(); bar.update()
assert all(bar.n == 2 for bar in bars)
for bar in bars: bar.close()
""")
    check(all(job["done"] == 2 for job in jobs(document).values()))


@test
def a_report_is_for_reading_and_for_programs():
    said = ask(PYTHON, "-c", """
import wanrt
with wanrt.phase("decode"):
    for x in wanrt.track(range(3), name="tiles\\x1b[2J", disable=True): pass
r = wanrt.report()
assert r["progress"]["trackers"]
print(r)
""", WAN_RECORD_PATH=fresh()).stdout
    check("decode" in said and "3/3" in said and "\x1b" not in said, said)


try:
    main(sys.argv[1:])
finally:
    shutil.rmtree(folder, ignore_errors=True)
