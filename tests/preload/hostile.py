# SPDX-License-Identifier: MIT
"""Hostile images through hooked programs: the outcome is the one without hooks, and nothing of an
error stays behind. WAN_TEST_TIER=full lengthens both."""
from recorded import (BAD_CRC_PNG, BAD_TABLE_JPEG, CHOSEN, PRELOAD, Recorded, audited, check,
                      environment, equal, fresh, guest, main, need, os, preloaded,
                      read_recordings, run_once, test)

FULL = os.environ.get("WAN_TEST_TIER") in ("full", "soak")
CORPORA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fuzz/corpus")
COUNT = os.path.join(os.path.dirname(PRELOAD), "libwanrt-count.so")


def corpus(*names):
    """Files that are, or once were, JPEG or PNG; small ones, so that many can be tried."""
    paths = []
    for name in names:
        place = os.path.join(CORPORA, name)
        paths += [os.path.join(place, n) for n in sorted(os.listdir(place))]
    return [p for p in paths if 8 <= os.path.getsize(p) < 64 << 10]


def both(command, name, **more):
    place = fresh(name + "-rec")
    os.chmod(place, 0o700)
    bare = run_once(command, environment(), fresh(name))
    hooked = run_once(command, preloaded(place, **more), fresh(name))
    check(hooked == bare, hooked.difference(bare))
    return Recorded(read_recordings(place), hooked)


@test
def every_file_and_its_mutations_end_alike():
    files = corpus("image_jpeg", "image_png", "image_probe", "sof")
    check(len(files) > 50, len(files))
    mutations = "3000" if FULL else "30"
    for start in range(0, len(files), 200):
        seen = both([guest("guest_hostile"), "sweep", mutations, *files[start:start + 200]],
                    "sweep", **(audited() if start == 0 else {}))
        equal(seen.outcome.status, 0, seen.outcome.stderr[-300:])
        failed = sum(int(line.split()[-2]) for line in seen.outcome.stdout.splitlines())
        check(failed > 100, f"{failed} failures only: the files are too good")
        equal(seen.of("inflight"), [], "in flight")
        equal({o["status"] for o in seen.operations} - {"ok", "warned", "failed", "aborted"}, set(),
              "statuses")


@test
def djpeg_and_pngtopam_say_the_same_of_every_file():
    need("djpeg", "pngtopam")
    step = 1 if FULL else 12
    for program, name in (("djpeg", "image_jpeg"), ("pngtopam", "image_png")):
        for path in corpus(name)[::step]:
            both(["timeout", "20", program, path], program)


def leave(count):
    """Error exits of both libraries, and what was recorded of them."""
    place = fresh("exits-rec")
    os.chmod(place, 0o700)
    env = preloaded(place, WAN_RECORD_CAPACITY="1024")
    env["LD_PRELOAD"] = COUNT + ":" + PRELOAD
    done = run_once([guest("guest_hostile"), "exits", str(count), BAD_TABLE_JPEG, BAD_CRC_PNG], env,
                    fresh("exits"), timeout=3000)
    equal(done.status, 0, done.stderr)
    failed, grown_kib = map(int, done.stdout.split())
    equal(failed, count, "error exits")
    return Recorded(read_recordings(place), done), grown_kib


@test
def error_exits_leave_no_state():
    count = 10_000_000 if FULL else 20_000
    seen, grown_kib = leave(count)
    process = seen.of("process")[0]
    equal((process["total"], process["dropped"]), (count, 0), "operations, dropped ones")
    counted = {}
    for line in seen.of("aggregate"):
        counted[line["name"], line["status"]] = counted.get((line["name"], line["status"]),
                                                            0) + line["count"]
    equal(counted, {("jpeg.decode", "failed"): count // 2, ("png.decode", "failed"): count // 2},
          "outcomes")
    equal(seen.of("inflight"), [], "in flight")
    equal({line["objects"] for line in seen.of("coverage") if line["objects"]}, {count // 2},
          "objects")
    # Pages of the recording itself, at most its capacity.
    check(grown_kib < 8192, f"resident memory grew by {grown_kib} KiB")


if __name__ == "__main__":
    main(CHOSEN)
