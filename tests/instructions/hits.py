# SPDX-License-Identifier: MIT
"""Instructions of the cache's hot paths, counted by callgrind: a hit must not grow by accident.

A ceiling is what was counted plus about a tenth. Who makes a path longer on purpose raises it here,
and says why; who makes it shorter lowers it.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Skip, check, main, test

PROGRAM = sys.argv.pop(1)
FEW, MANY = 2000, 12000

# Kind: instructions of one step, the loop around it not counted (built with -O2, assertions on).
CEILINGS = {"keys": 230, "text": 370, "newest": 135, "auto": 220, "put": 2300}


def total(kind, count):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM,
                           kind, str(count)], capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    check(done.returncode == 0 and found, done.stderr[-2000:])
    return int(found.group(1))


def step(kind):
    return (total(kind, MANY) - total(kind, FEW)) / (MANY - FEW)


@test
def no_hot_path_of_the_cache_has_grown():
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not installed")
    if os.uname().machine != "x86_64":
        raise Skip("the ceilings are counted on x86_64")
    loop, grown = step("nothing"), []
    for kind, ceiling in CEILINGS.items():
        count = step(kind) - loop
        print(f"# {kind}: {count:.0f} of at most {ceiling}")
        if count > ceiling:
            grown.append(f"{kind}: {count:.0f} instructions, at most {ceiling}")
    check(not grown, "\n".join(grown))


main()
