# SPDX-License-Identifier: MIT
"""GPU memory and utilisation by libraries that are not there: from outside, and in the report."""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
from tap import check, equal, main, test  # noqa: E402

WANPROF, NVML, GUESTS, PRELOAD = (os.path.abspath(a) for a in sys.argv[1:5])
GIB = 1 << 30


def samples(seconds="0.5", **extra):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WAN_")}
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "run.wprof")
        kept.update(XDG_STATE_HOME=place, **extra)
        begin = time.monotonic()
        done = subprocess.run([WANPROF, "run", "-q", "-o", path, "--", "sleep", seconds], env=kept,
                              capture_output=True, text=True, check=False)
        took = time.monotonic() - begin
        equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "run")
        shown = subprocess.run([WANPROF, "dump", path], env=kept, capture_output=True, text=True,
                               check=True)
        found = json.loads(shown.stdout)["samples"]
        check(found, "there are samples")
        return [(s["gpu_used_mb"], s["gpu_utilization_percent"]) for s in found], took


@test
def memory_and_utilisation_are_sampled():
    seen, _ = samples(WAN_NVML=NVML, WAN_FAKE_NVML_USED=str(3 * GIB),
                      WAN_FAKE_NVML_UTILIZATION="73")
    equal(seen[-1], (3072, 73), "the last sample")


@test
def devices_add_up_and_the_busiest_one_speaks():
    seen, _ = samples(WAN_NVML=NVML, WAN_FAKE_NVML_DEVICES="3")
    equal(seen[-1], (3072, 50), "the last sample")


@test
def unknown_is_null():
    for how in ({}, {"WAN_NVML": "/nowhere/libnvidia-ml.so"},
                {"WAN_NVML": NVML, "WAN_FAKE_NVML_ERROR": "999"},
                {"WAN_NVML": NVML, "WAN_FAKE_NVML_DEVICES": "0"}):
        if not how and os.path.exists("/dev/nvidiactl"):
            continue
        seen, _ = samples("0.2", **how)
        equal(set(seen), {(None, None)}, how)


@test
def a_library_that_starts_slowly_holds_nothing_up():
    seen, took = samples("0.2", WAN_NVML=NVML, WAN_FAKE_NVML_DELAY_MS="20000")
    equal(set(seen), {(None, None)}, "samples")
    check(took < 15, f"{took:.1f} s")


def report(*command, **extra):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WAN_")}
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "run.wprof")
        kept.update(XDG_STATE_HOME=place, **extra)
        subprocess.run([WANPROF, "run", "-q", "-o", path, "--", *command], env=kept,
                       capture_output=True, check=True)
        return subprocess.run([WANPROF, "report", path], env=kept, capture_output=True, text=True,
                              check=True).stdout


@test
def the_report_says_in_what_device_memory_was_high():
    text = report(os.path.join(GUESTS, "guest_nvtx"), NVTX_INJECTION64_PATH=PRELOAD)
    check("\n  peak in operations: step 4.00 MB\n" in text, text)
    text = report(os.path.join(GUESTS, "guest_cuda_bar"), "3", "2", "1", str(5 << 20))
    check("\n  peak in phases: generation 5.00 MB\n" in text, text)
    text = report(os.path.join(GUESTS, "guest_cuda_bar"), "3", "2", "0")
    check("peak in" not in text, text)


main()
