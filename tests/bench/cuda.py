# SPDX-License-Identifier: MIT
"""What a hooked CUDA call costs beyond the bare one.

cuda.py PRELOAD_LIBRARY GUEST [--instructions]: ns, as a multiple of two reads of the processor's
counter in the same run (predicted for a launch: 1.5, at most 30 ns; measured 0.96), bare, preloaded and under the
audit companion; with --instructions counted by callgrind, and compared with the ceilings (for the
suites).
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PRELOAD, GUEST = (os.path.abspath(a) for a in sys.argv[1:3])
AUDIT = os.path.normpath(os.path.join(os.path.dirname(PRELOAD), "../audit/libwanrt-audit.so"))
COUNT, FEW, MANY = 200000, 2000, 12000
PAIRS = 7

# Instructions of one hooked call more than of a bare one (-O2): what was counted plus a tenth. A
# launch took 16.7 ns more in all, since most of them wait for nothing; clocks are not in the count.
CEILINGS = {"launch": 150, "copy": 255, "wait": 620, "memory": 1000}


def environment(how, place):
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("WAN_") and k not in ("LD_PRELOAD", "LD_AUDIT")}
    if how != "bare":
        kept.update(LD_PRELOAD=PRELOAD, WAN_RECORD_PATH=place + "/")
    if how == "audited":
        kept.update(LD_AUDIT=AUDIT, GLIBC_TUNABLES="glibc.rtld.optional_static_tls=16384")
    return kept


def run(what, count, how, place):
    done = subprocess.run([GUEST, what, str(count)], env=environment(how, place), check=True,
                          capture_output=True, text=True)
    return [float(f) for f in done.stdout.split()]


def figures(place):
    print(f"{'call':8} {'how':10} {'ns more':>8} {'of two clock reads':>19}")
    for what in CEILINGS:
        best = {how: [1e9, 1e9] for how in ("bare", "preloaded", "audited")}
        for _ in range(PAIRS):
            for how, least in best.items():
                least[:] = map(min, least, run(what, COUNT, how, place))
        for how in ("preloaded", "audited"):
            more = best[how][0] - best["bare"][0]
            if what == "memory":
                more /= 2  # a call to get it and one to give it back
            print(f"{what:8} {how:10} {more:8.1f} {more / best[how][1]:18.2f}x")
    print(f"two clock reads: {best['bare'][1]:.1f} ns")


def total(what, count, how, place):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", GUEST,
                           what, str(count), "once"], capture_output=True, text=True, check=False,
                          env=environment(how, place))
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(done.stderr[-2000:])
    return int(found.group(1))


def instructions(place):
    grown = []
    for what, ceiling in CEILINGS.items():
        each = {how: (total(what, MANY, how, place) - total(what, FEW, how, place)) / (MANY - FEW)
                for how in ("bare", "preloaded")}
        more = each["preloaded"] - each["bare"]
        print(f"{what}: {more:.0f} instructions more than bare, at most {ceiling}")
        if more > ceiling:
            grown.append(what)
    if grown:
        sys.exit(f"grown: {', '.join(grown)}")


def main():
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o700)
        if "--instructions" not in sys.argv:
            return figures(place)
        if not shutil.which("valgrind"):
            print("valgrind is not installed")
            sys.exit(77)
        instructions(place)


main()
