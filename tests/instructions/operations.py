# SPDX-License-Identifier: MIT
"""Instructions of recording, counted by callgrind: operations of a program's own, and the hooks.

A ceiling is what was counted plus about a tenth. Who makes a path longer on purpose raises it here,
and says why; who makes it shorter lowers it.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Skip, check, main, test

PROGRAM, PRELOAD = sys.argv.pop(1), sys.argv.pop(1)
ROWS = 2048

# Instructions of one step, the loop around it not counted (-O2, assertions on). A row is a call of
# jpeg_read_scanlines through the hook, an image all else of a decode: what is above the bare one.
# Under callgrind the hooks take the time by clock_gettime, which is longer than the counter.
OPERATIONS = {"begin_end": 330, "with_image": 400, "nested": 910, "off": 8}
HOOKS = {"row": 36, "image": 3600}


def total(kind, count, hooked=False):
    with tempfile.TemporaryDirectory() as folder:
        env = {"PATH": os.environ["PATH"], "WAN_RECORD_PATH": folder + "/"}
        if hooked:
            env["LD_PRELOAD"] = PRELOAD
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                               PROGRAM, kind, str(count)], env=env, capture_output=True, text=True,
                              check=False)
        check(not hooked or os.listdir(folder), "nothing was recorded")
    found = re.search(r"Collected : (\d+)", done.stderr)
    check(done.returncode == 0 and found, done.stderr[-2000:])
    return int(found.group(1))


def step(kind, few, many, hooked=False):
    return (total(kind, many, hooked) - total(kind, few, hooked)) / (many - few)


def judge(counts, ceilings):
    grown = []
    for kind, count in counts.items():
        print(f"# {kind}: {count:.1f} of at most {ceilings[kind]}")
        if count > ceilings[kind]:
            grown.append(f"{kind}: {count:.1f} instructions, at most {ceilings[kind]}")
    check(not grown, "\n".join(grown))


def need_valgrind():
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not installed")
    if os.uname().machine != "x86_64":
        raise Skip("the ceilings are counted on x86_64")


@test
def no_path_of_an_operation_has_grown():
    need_valgrind()
    loop = step("nothing", 2000, 12000)
    judge({kind: step(kind, 2000, 12000) - loop for kind in OPERATIONS}, OPERATIONS)


@test
def no_path_of_a_hook_has_grown():
    need_valgrind()
    rows, images = (step(kind, 20, 120, True) - step(kind, 20, 120) for kind in ("rows", "images"))
    judge({"row": (rows - images) / (ROWS - 1), "image": images}, HOOKS)


main()
