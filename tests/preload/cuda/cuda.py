# SPDX-License-Identifier: MIT
"""Programs that use a CUDA runtime without a GPU: what is counted, and that nothing changes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from recorded import GUESTS, PRELOAD, check, equal, guest, main, record, test  # noqa: E402

MIB = 1 << 20


def cuda(what, count=1, **how):
    return record([guest("guest_cuda"), what, str(count)], "cuda-" + what, **how)


def sums(seen, status="ok"):
    """name: (calls, bytes) over all processes; records and sums together."""
    return {a["name"]: (a["count"], a["file_bytes"])
            for a in seen.of("aggregate", status=status) if a["library"] == "cuda"}


def words(seen, device="device 0"):
    found = seen.of("cuda", name=device)
    equal(len(found), 1, f"blocks of {device}")
    return found[0]


@test
def each_call_is_counted_with_its_bytes():
    seen = cuda("everything", 1000)
    equal(sums(seen), {
        "cuda.malloc": (2, MIB + 5120), "cuda.malloc_host": (1, 4096),
        "cuda.malloc_async": (1, 2048), "cuda.malloc_managed": (1, 8192),
        "cuda.memcpy_h2d": (1, MIB), "cuda.memcpy_h2d_async": (1, 1000),
        "cuda.memcpy_d2h": (1, 2000), "cuda.memset": (1, 500), "cuda.launch": (1000, 0),
        "cuda.graph_launch": (1, 0), "cuda.synchronize": (1, 0),
        "cuda.synchronize_stream": (1, 0), "cuda.free": (4, MIB + 5120 + 8192),
        "cuda.free_async": (1, 2048), "cuda.free_host": (1, 4096)}, "sums")
    equal({a["flags"] for a in seen.of("aggregate")}, {1}, "in no total")
    found = words(seen)
    equal([found[n] for n in ("device_live", "managed_live", "pinned_live", "unknown_frees",
                              "untracked", "failed_calls")], [0] * 6, "what is left")
    equal([found[n] for n in ("device_peak", "managed_peak", "pinned_peak", "allocations",
                              "frees")], [MIB + 5120 + 2048, 8192, 4096, 5, 5], "memory")
    equal(found["enqueued"], found["known_done"], "all is done at the end")
    equal(found["enqueued"], 1003, "launches, a copy, a set, a graph")


@test
def live_memory_and_its_peak_are_known():
    found = words(cuda("memory", 5))
    equal((found["device_live"], found["device_peak"]), (3 * MIB, 10 * MIB), "live, peak")
    equal((found["allocations"], found["frees"]), (50, 47), "calls")


@test
def device_memory_over_time_is_sampled():
    seen = cuda("memory", 5)
    samples, found = seen.of("vram", name="device 0"), words(seen)
    check(0 < len(samples) <= found["allocations"] + found["frees"], samples)
    equal(max(s["high"] for s in samples), found["device_peak"], "no peak is missed")
    check(all(s["live"] <= s["high"] for s in samples), samples)
    # Ever the same up and down is told by few.
    repeated = cuda("memory", 2000, env={"MALLOC_PERTURB_": "0"})  # gigabytes, of the heap here
    equal(max(s["high"] for s in repeated.of("vram")), words(repeated)["device_peak"], "peak")
    check(len(repeated.of("vram")) < 2000, len(repeated.of("vram")))


@test
def a_full_table_is_told():
    found = words(cuda("many", 40000))
    equal(found["allocations"] + found["untracked"], 40000, "allocations")
    check(found["untracked"] > 0, found)
    equal(found["untracked"], found["unknown_frees"], "what was not in the table")
    equal(found["untracked_size"], found["untracked"], "bytes of it")
    equal(found["device_live"], 0, "live")


@test
def errors_are_passed_on_and_counted():
    for error, lost in ((2, 0), (700, 700), (46, 46), (100, 0)):
        seen = cuda("errors", 300, env={"WAN_FAKE_CUDA_ERROR": str(error)})
        equal(seen.outcome.stdout.split(), [str(error).encode()] * 900, "answers")
        found = words(seen)
        equal((found["failed_calls"], found["last_error"], found["lost"]), (900, error, lost),
              "told")
        equal(found["out_of_memory"], 900 if error == 2 else 0, "out of memory")
        equal((found["device_live"], found["enqueued"], found["waits"]), (0, 0, 0), "nothing")
        equal({n: c for n, (c, _) in sums(seen, "failed").items()},
              {"cuda.malloc": 300, "cuda.synchronize": 300, "cuda.launch": 300}, "failed")
        equal(sums(seen), {}, "none succeeded")
        equal(len(seen.operations), 256, "records: the first ones, not all")


@test
def work_is_done_when_the_program_has_waited_for_it():
    for how, enqueued, done in ((0, 170, 0), (1, 170, 120), (2, 170, 170), (3, 170, 100),
                                (4, 170, 50), (5, 171, 171), (6, 200, 30)):
        found = words(cuda("work", how))
        left = enqueued % 64 if how == 0 else 0  # not written until somebody waits
        equal((found["enqueued"], found["known_done"]), (enqueued - left, done), f"work {how}")
    found = words(cuda("work", 4, env={"WAN_FAKE_CUDA_QUERY": "600"}))
    equal((found["known_done"], found["failed_calls"]), (0, 0), "not ready is no error")


@test
def devices_are_told_apart():
    seen = cuda("work", 7, env={"WAN_FAKE_CUDA_DEVICES": "2"})
    equal([(words(seen, d)["enqueued"], words(seen, d)["known_done"])
           for d in ("device 0", "device 1")], [(170, 0), (30, 30)], "work of each")


@test
def long_waits_have_records_of_their_own():
    seen = cuda("work", 2, env={"WAN_FAKE_CUDA_WAIT_MS": "30"})
    equal([(o["name"], o["library"], o["status"], o["child"]) for o in seen.operations],
          [("cuda.synchronize", "cuda", "ok", 1)], "records")
    check(seen.operations[0]["span_ns"] >= 30e6, seen.operations)
    found = words(seen)
    check(found["wait_time"] >= 30e6 and found["longest_wait"] >= 30e6, found)
    equal(found["waits"], 1, "waits")
    equal(sums(seen)["cuda.synchronize"], (1, 0), "counted once")


@test
def threads_add_up():
    seen = cuda("threads", 16)
    equal({n: c for n, (c, _) in sums(seen).items()},
          {"cuda.malloc": 16000, "cuda.launch": 16000, "cuda.free": 16000}, "calls")
    found = words(seen)
    equal((found["device_live"], found["allocations"], found["frees"]), (0, 16000, 16000),
          "memory")


@test
def a_child_counts_its_own_calls():
    seen = cuda("fork", 100)
    launches = sorted(a["count"] for a in seen.of("aggregate", name="cuda.launch"))
    equal(launches, [200, 200], "parent, child")
    child = [w for w in seen.of("cuda") if not w["allocations"]]
    equal([(w["unknown_frees"], w["device_live"]) for w in child], [(1, 0)], "the child's")


@test
def calls_outlive_a_kill():
    seen = cuda("kill", 12345)
    equal(sums(seen), {"cuda.launch": (12345, 0)}, "sums")
    equal(seen.of("damage"), [], "damage")


@test
def a_wait_that_never_ends_is_shown():
    seen = cuda("hang", 10, env={"WAN_FAKE_CUDA_WAIT_MS": "60000"})
    shown = seen.of("inflight")
    equal([(i["name"], i["library"]) for i in shown], [("cuda.synchronize", "cuda")], "in flight")
    check(shown[0]["span_ns"] >= 0, shown)


@test
def a_reset_gives_everything_back():
    found = words(cuda("reset", 50))
    equal((found["device_live"], found["device_peak"]), (0, 50000), "live, peak")


def driver(what, count, **env):
    """Through the audit companion: nothing else sees what dlsym() is asked for."""
    return record([guest("guest_cuda_driver"), what, str(count)], "driver-" + what, audit=True,
                  env={"LD_LIBRARY_PATH": GUESTS, **env})


DRIVER_SUMS = {"cuda.malloc": (2, 3 * MIB), "cuda.memcpy_h2d_async": (1, 100),
               "cuda.synchronize_stream": (1, 0), "cuda.free": (2, 3 * MIB)}


@test
def functions_that_the_driver_is_asked_for_are_seen():
    for count in (1000, 1001):  # odd: with a default stream per thread
        seen = driver("asked", count)
        equal(sums(seen), {**DRIVER_SUMS, "cuda.launch": (count, 0)}, "sums")
        found = words(seen, "device 1")
        equal((found["device_live"], found["device_peak"]), (0, 3 * MIB), "memory")
        equal((found["enqueued"], found["known_done"]), (count + 1, count + 1), "work")


@test
def functions_of_the_driver_are_seen_under_their_exported_names():
    equal(sums(driver("direct", 50)), {**DRIVER_SUMS, "cuda.launch": (50, 0)}, "sums")


@test
def functions_of_old_versions_are_left_alone():
    equal(sums(driver("old", 3)), {"cuda.malloc": (1, MIB), "cuda.free": (1, MIB)}, "sums")


@test
def errors_of_the_driver_are_passed_on():
    seen = driver("asked", 3, WAN_FAKE_CUDA_ERROR="719")
    check(b"alloc 719" in seen.outcome.stdout and b"launch 719" in seen.outcome.stdout,
          seen.outcome.stdout)
    equal(sums(seen), {}, "none succeeded")
    equal(words(seen)["lost"], 719, "lost")


@test
def without_a_driver_nothing_is_recorded():
    seen = record([guest("guest_cuda_driver"), "asked", "1"], "no-driver", audit=True,
                  env={"LD_LIBRARY_PATH": "/nowhere"})
    equal(seen.lines, [], "recordings")


@test
def the_audit_companion_counts_no_call_twice():
    seen = record([guest("guest_cuda"), "everything", "77"], "audited", audit=True)
    equal(sums(seen)["cuda.launch"], (77, 0), "launches")
    equal(sums(seen)["cuda.malloc"], (2, MIB + 5120), "allocations")


@test
def a_program_that_looks_for_cuda_finds_none():
    """Hooks are not exported by their plain names: weak references and dlsym() stay empty."""
    code = ("import ctypes; lib = ctypes.CDLL(None); "
            "print([hasattr(lib, n) for n in ('cudaMalloc', 'cuInit', 'cuMemAlloc_v2')])")
    seen = record(["/usr/bin/python3", "-c", code], "probe", audit=True)
    equal(seen.outcome.stdout, b"[False, False, False]\n", "what is found")


@test
def named_ranges_are_operations():
    seen = record([guest("guest_nvtx")], "nvtx", env={"NVTX_INJECTION64_PATH": PRELOAD})
    counts = {}
    for line in seen.of("aggregate", library="nvtx"):
        counts[line["name"], line["flags"]] = line["count"]
    for name, flags, count in (("step", 0, 1), ("inner", 1, 1), ("deep", 0, 1), ("deep", 1, 31),
                               ("library:kernel", 0, 1), ("library:wide", 0, 1),
                               ("crossing", 1, 1), ("mark", 1, 1), ("tile 7", 0, 1)):
        equal(counts.get((name, flags)), count, (name, flags))
    tiles = sum(c for (n, _), c in counts.items() if n.startswith("tile") or not n)
    equal(tiles, 3000, "tiles: single names, then one for all")
    check(counts["tile #", 0] > 2000 or counts.get(("", 0), 0) > 2000, counts)
    step = seen.of("operation", name="step")
    equal([(s["memory"], s["peak"], s["child"]) for s in step], [(0, 3 * MIB, 0)],
          "device memory of the range, freed inside: the peak stays")
    check(step[0]["span_ns"] >= 3e6, step)
    equal(seen.of("damage"), [], "damage")


@test
def ranges_cost_nothing_when_recording_is_off():
    seen = record([guest("guest_nvtx")], "nvtx-off",
                  env={"NVTX_INJECTION64_PATH": PRELOAD, "WAN_PROFILE": "off"})
    equal((seen.lines, seen.outcome.stdout), ([], b"done\n"), "nothing")


@test
def recording_off_changes_nothing():
    seen = cuda("everything", 10, env={"WAN_PROFILE": "off"})
    equal(seen.lines, [], "recordings")


def device_done(steps, waited, streams=1):
    """What a bar of so many steps says of the device when the program has waited for some."""
    seen = record([guest("guest_cuda_bar"), str(steps), str(waited), str(streams)], "cuda-bar",
                  audit=False)
    found = seen.of("tracker", name="progress")
    equal(len(found), 1, "trackers")
    equal((found[0]["done"], found[0]["total"]), (steps, steps), "what was drawn")
    return found[0]["device_done"] - 1


@test
def a_bar_is_never_ahead_of_the_device():
    """All steps enqueued at once: the drawn step is the program's, the device's its own."""
    for waited in 0, 1, 7, 29, 30:
        equal(device_done(30, waited), waited, f"done after waiting for {waited}")
    equal(device_done(30, -1), 30, "after waiting for all")
    for waited in 10, 95, 199, 200:  # more drawings than marks: coarser, never ahead
        told = device_done(200, waited)
        check(waited - 32 <= told <= waited, f"{told} of {waited}")
    equal(device_done(200, 200), 200, "all done")


@test
def a_device_without_work_is_not_known():
    equal(device_done(30, 0, streams=0), -1, "no device")


@test
def many_streams_are_done_when_all_are():
    equal(device_done(30, 30, streams=3), 0, "two streams were never waited for")
    equal(device_done(30, -1, streams=3), 30, "all were")
    equal(device_done(30, -1, streams=9), 30, "all were, of more than are marked")


main()
