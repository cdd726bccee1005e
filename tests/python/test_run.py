# SPDX-License-Identifier: MIT
"""The package in recordings: its own, and the one of wanprof run. Arguments: wanprof, the preload
library."""
import ctypes.util
import json
import os
import subprocess
import sys

WANPROF, PRELOAD = (os.path.abspath(path) for path in sys.argv[1:3])

sys.argv[1:] = sys.argv[3:]
from support import check, equal, folder, main, picture, pillow, test
from tap import Skip

PROGRAM = """
import sys, wanrt
from PIL import Image
@wanrt.cached
def shrink_by_half(image):
    return image.resize((image.width // 2, image.height // 2))
path = sys.argv[1]
source = Image.open(path)
for _ in range(3):
    wanrt.load(path, "RGBX"); wanrt.thumbnail(path, 32); wanrt.validate(path)
    wanrt.prepare_pair(path, path, (96, 64), "diffusers", stack=True)
    shrink_by_half(source)
print(wanrt.stats()["recording"])
"""
count = 0


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WAN", "LD_"))}
    kept.update(XDG_STATE_HOME=os.path.join(folder, "state"), XDG_RUNTIME_DIR=folder,
                WANPROF_PRELOAD=PRELOAD)
    kept.update(more)
    return kept


def ask(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, env=environment(**more))
    check(done.returncode == 0, f"{command}: {done.returncode}\n{done.stderr}")
    return done.stdout


def fresh(suffix):
    global count
    count += 1
    return os.path.join(folder, f"run{count}{suffix}")


def profile(path):
    return json.loads(ask(WANPROF, "dump", path))


def by_name(document):
    named = {}
    for metric in document["metrics"]:
        named.setdefault(metric["operation_name"], []).append(metric)
    return named


def check_operations(named, decode="png.decode"):
    for name in (decode, "convert", "thumbnail_32x32", "image_validation", "fit",
                 "normalise", "stack", "shrink_by_half"):
        check(name in named, f"no {name} among {sorted(named)}")
    equal(len(named["shrink_by_half"]), 1, "hits are no operations")
    own = named["shrink_by_half"][0]
    equal((own["image_size"], own["channels"], own["bit_depth"], own["status"]),
          ([96, 64], 3, 8, "ok"))
    equal(len(named["stack"]), 1, "built once, shared")
    equal(named[decode][0]["image_size"], [96, 64])


@test
def a_recording_of_its_own_shows_each_stage_with_its_sizes():
    pillow()
    recording = fresh(".wprof")
    said = ask("/usr/bin/python3", "-c", PROGRAM, picture("a.png"), WAN_RECORD_PATH=recording)
    equal(said.strip(), recording)
    document = profile(recording)
    named = by_name(document)
    check_operations(named)
    equal(len(named["png.decode"]), 1, "decoded once")
    check(document["cache"]["hits"] >= 8, document["cache"])


@test
def wanprof_run_and_the_package_share_one_recording():
    pillow()
    for options in ((), ("--alloc=off",)):
        recording = fresh(".wprof")
        ask(WANPROF, "run", "-q", *options, "-o", recording, "--", "/usr/bin/python3", "-c",
            PROGRAM, picture("a.jpg"))
        document = profile(recording)
        named = by_name(document)
        check_operations(named, "jpeg.decode")
        libraries = sorted(m["library"] for m in named["jpeg.decode"])
        check(libraries[-1] == "wanrt" and len(libraries) >= 2, f"Pillow's and ours: {libraries}")
        writers = [(p["pid"], p["role"]) for p in document["program"]["processes"]
                   if p["recorded_operations"]]
        equal(len(writers), 1, f"one process, one recording: {writers}")


@test
def a_function_that_fails_is_recorded_as_failed():
    recording = fresh(".wprof")
    ask("/usr/bin/python3", "-c", """
import wanrt
@wanrt.cached(name="my step")
def f(): raise ValueError
try: f()
except ValueError: pass
""", WAN_RECORD_PATH=recording)
    equal([m["status"] for m in by_name(profile(recording))["my step"]], ["failed"])


@test
def it_works_with_jemalloc_preloaded():
    library = ctypes.util.find_library("jemalloc")
    if not library:
        raise Skip("jemalloc is not installed")
    recording = fresh(".wprof")
    ask("/usr/bin/python3", "-c", PROGRAM, picture("a.png"), LD_PRELOAD=library,
        WAN_RECORD_PATH=recording)
    named = by_name(profile(recording))
    check_operations(named)
    check(named["shrink_by_half"][0]["memory_usage_mb"] is not None)


@test
def a_report_is_the_profile_of_this_process():
    said = ask("/usr/bin/python3", "-c", """
import sys, wanrt, json
wanrt.load(sys.argv[1])
r = wanrt.report()
assert [m["operation_name"] for m in r["metrics"]] == ["png.decode"], r["metrics"]
assert r["cache"]["entries_count"] == 1
wanrt.report(sys.argv[2])
try: wanrt.report(sys.argv[2])
except FileExistsError as e: assert isinstance(e, wanrt.FileExistsAlreadyError)
else: raise SystemExit("overwritten")
assert wanrt.report(sys.argv[2], overwrite=True) == json.load(open(sys.argv[2]))
print("fine")
""", picture("a.png"), fresh(".json"), WAN_RECORD_PATH=fresh(".wprof"))
    equal(said, "fine\n")


main(sys.argv[1:])
