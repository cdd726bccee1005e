# SPDX-License-Identifier: MIT
"""GPU memory and utilisation by libraries that are not there: from outside, and in the report."""
import json
import os
import re
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


def put(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


@test
def heat_power_and_throttling_are_recorded_and_judged():
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WAN_")}
    with tempfile.TemporaryDirectory() as place:
        root, path = os.path.join(place, "root"), os.path.join(place, "run.wprof")
        put(root, "sys/class/hwmon/hwmon3/name", "k10temp\n")
        put(root, "sys/class/hwmon/hwmon3/temp1_input", "86500\n")
        put(root, "sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n")
        put(root, "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "4\n")
        kept.update(XDG_STATE_HOME=place, WANPROF_SENSORS_ROOT=root, WAN_NVML=NVML,
                    WAN_FAKE_NVML_CELSIUS="71", WAN_FAKE_NVML_MILLIWATTS="310500",
                    WAN_FAKE_NVML_SLOWED="64")
        subprocess.run([WANPROF, "run", "-q", "-o", path, "--", "sleep", "0.5"], env=kept,
                       capture_output=True, check=True)
        shown = subprocess.run([WANPROF, "dump", path], env=kept, capture_output=True, text=True,
                               check=True)
        told = subprocess.run([WANPROF, "report", path], env=kept, capture_output=True, text=True,
                              check=True).stdout
    document = json.loads(shown.stdout)
    last = document["samples"][-1]
    equal([last[key] for key in ("cpu_temperature_c", "gpu_temperature_c", "gpu_power_w",
                                 "gpu_throttle_reasons", "cpu_throttled", "cpu_power_w",
                                 "cpu_mhz")], [86.5, 71, 310.5, 64, 0, None, None], "last sample")
    verdicts = {t["name"]: t["verdict"] for t in document["samples_summary"]["targets"]}
    equal([verdicts[name] for name in ("cpu_temperature", "gpu_temperature", "cpu_throttled",
                                       "gpu_throttled", "cpu_use")],
          ["above", "met", "met", "above", "unknown"], "verdicts")
    ids = {finding["id"] for finding in document["recommendations"]}
    check({"too-hot", "throttled"} <= ids, str(ids))
    told = " ".join(told.split())  # whatever the width
    check("processor at most 86" in told and "SLOWED DOWN by it" in told, told)


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
    # Beside it what took long enough for a record of its own.
    told = re.search(r"\n  peak in operations: (.*)\n", text)
    check(told and {"step 4.00 MB"} <= set(told.group(1).split(", ")) <=
          {"step 4.00 MB", "crossing 4.00 MB", "inner 4.00 MB"}, text)
    text = report(os.path.join(GUESTS, "guest_cuda_bar"), "3", "2", "1", str(5 << 20))
    check("\n  peak in phases: generation 5.00 MB\n" in text, text)
    text = report(os.path.join(GUESTS, "guest_cuda_bar"), "3", "2", "0")
    check("peak in" not in text, text)


@test
def an_allocation_that_fails_is_a_finding():
    text = report(os.path.join(GUESTS, "guest_cuda"), "errors", "3", WAN_FAKE_CUDA_ERROR="2")
    check("GPU memory ran out: device 0" in " ".join(text.split()), text)
    text = report(os.path.join(GUESTS, "guest_cuda"), "memory", "3")
    check("GPU memory ran out" not in text, text)


main()
