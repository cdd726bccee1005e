# SPDX-License-Identifier: MIT
"""wanprof leak: planted leaks are found, what only warms up is not called one.

Arguments: wanprof, libwanrt-preload.so, a lister (unused), an image, the program `leaks`
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
LEAKS = os.path.abspath(sys.argv.pop(5))
from run_support import PYTHON, TIMEOUT_S, WANPROF, fresh, record_here
from tap import check, equal, main, test

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../tools/schemas/leak.schema.json")
NONE, LEAK, INCONCLUSIVE = 0, 1, 3

# Its iterations are the steps of a progress bar, as programs print them.
LOOP = """
import sys
what, count, kept = sys.argv[1], int(sys.argv[2]), []
def bar(done):
    sys.stderr.write(f"\\rimages: {100 * done // count:3}%|#   | {done}/{count} "
                     f"[00:0{done % 10}<00:09,  1.00it/s]")
    sys.stderr.flush()
bar(0)
for i in range(count):
    work = bytearray(b"w" * (3 << 20))
    if what == "leak" or what == "cache" and i < count // 3:
        kept.append(bytearray(b"k" * (1 << 20)))
    if what == "objects":
        kept.append([{"number": k} for k in range(4000)])
    del work
    bar(i + 1)
"""


def leak(*arguments, expect, **environment):
    done = subprocess.run([WANPROF, "leak", "--json", "--settle", "0", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=TIMEOUT_S, env=record_here(**environment))
    equal(done.returncode, expect, done.stdout[:3000] + done.stderr[-1000:])
    document = json.loads(done.stdout)
    try:
        import jsonschema
    except ImportError:
        return document
    with open(SCHEMA, encoding="utf-8") as file:
        jsonschema.Draft202012Validator(json.load(file)).validate(document)
    return document


def python(what, count, *options, expect):
    return leak(*options, "--", PYTHON, "-c", LOOP, what, str(count), expect=expect)


@test
def one_megabyte_per_iteration_is_found_in_python():
    document = python("leak", 10, expect=LEAK)
    equal(document["iterations_from"], "steps", "cut by")
    equal(document["iterations"], 10, "iterations")
    equal(document["kind"], "heap", "kind")
    held = document["series"][0]
    check(0.9 * 2**20 < held["per_iteration_bytes"] < 1.2 * 2**20, str(held))
    equal(len(held["differences_mb"]), len(held["readings"]) - 1, "differences")


@test
def small_objects_of_python_are_seen():
    document = python("objects", 12, expect=LEAK)
    check(document["series"][0]["per_iteration_bytes"] > 200_000, str(document["series"][0]))


@test
def clean_loop_and_warming_cache_in_python_are_no_leak():
    python("clean", 12, expect=NONE)
    python("cache", 24, expect=NONE)


@test
def too_few_iterations_are_inconclusive():
    document = python("leak", 8, expect=INCONCLUSIVE)
    equal(document["verdict"], "inconclusive", "verdict")
    equal(python("leak", 8, "-n", "7", expect=LEAK)["iterations"], 8, "iterations")


@test
def one_megabyte_per_iteration_is_found_in_c():
    document = leak("--", LEAKS, "heap", "12", expect=LEAK)
    equal(document["iterations_from"], "marks", "cut by")
    equal(document["iterations_of"], "heap", "named by the test")
    document = leak("--", LEAKS, "tracker", "12", expect=LEAK)
    equal(document["iterations_of"], "frames", "the job's steps")
    equal(leak("--", LEAKS, "image", "12", expect=LEAK)["kind"], "heap", "pictures count")


@test
def cache_of_ours_that_fills_is_no_leak():
    leak("--", LEAKS, "clean", "12", expect=NONE)
    document = leak("--", LEAKS, "cache", "20", expect=NONE)
    check(document["series"][0]["growth_mb"] < 5, "of 33 MB")


@test
def runs_of_a_command_are_judged_by_what_they_leave():
    document = leak("--iterations-from=runs", "-n", "7", "--", "sh", "-c",
                    "head -c 2000000 /dev/zero > $(mktemp)", expect=LEAK)
    equal([document["kind"], document["iterations"]], ["files", 7], "what")


@test
def result_reads_well_and_the_command_prints_elsewhere():
    done = subprocess.run([WANPROF, "leak", "-n", "6", "--", PYTHON, "-c",
                           "print('mine')\n" + LOOP.replace('"images:', '"\\x1b[31mimages:'),
                           "leak", "9"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=TIMEOUT_S, env=record_here())
    check(done.stdout.startswith("LEAK: every iteration keeps about 1.0"), done.stdout)
    check("mine" not in done.stdout and "mine" in done.stderr, "whose output is whose")
    check("\x1b" not in done.stdout, repr(done.stdout))


@test
def a_recording_asked_for_stays_and_wrong_usage_is_told():
    path = fresh() + ".wprof"
    leak("-o", path, "--", LEAKS, "clean", "12", expect=NONE)
    check(os.path.exists(path), "kept")
    for words in (["-n", "3", "true"], ["--rules", "x", "true"], ["--settle", "-1", "true"], []):
        done = subprocess.run([WANPROF, "leak", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S, env=record_here())
        equal(done.returncode, 64, done.stderr.decode())
    for words, status, said in ((["no-such-command"], 127, "no-such-command"),
                                (["--iterations-from=runs", "/no/such/command"], 127, "/no/such"),
                                (["-o", path, "--", LEAKS, "leak", "12"], 125, "--force"),
                                (["-o", "/no/such/a.wprof", "true"], 125, "/no/such/a.wprof")):
        done = subprocess.run([WANPROF, "leak", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S, env=record_here())
        equal((done.returncode, done.stdout), (status, b""), f"{words} {done.stderr.decode()}")
        equal(done.stderr.decode().count(said), 1, done.stderr.decode())
    leak("-o", path, "--force", "--", LEAKS, "clean", "12", expect=NONE)


main()
