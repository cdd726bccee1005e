# SPDX-License-Identifier: MIT
"""The guests linked with the library instead of preloaded: in a sanitizer build this is where data
races and bad accesses of the hooks would show."""
from recorded import (BAD_TABLE_JPEG, CHOSEN, JPEG, PNG, TRUNCATED_JPEG, TRUNCATED_PNG, check,
                      environment, equal, fresh, guest, main, os, read_recordings, run_once, test)

REPORTS = (b"WARNING: ThreadSanitizer", b"ERROR: AddressSanitizer", b"runtime error:")


def run(program, what, path, count=1, status=0):
    place = fresh("linked-rec")
    os.chmod(place, 0o700)
    outcome = run_once([guest(program), what, path, str(count)],
                       environment(WAN_RECORD_PATH=place + "/",
                                   ASAN_OPTIONS="detect_leaks=0"), fresh("linked"))
    check(not any(r in outcome.stderr for r in REPORTS), outcome.stderr.decode(errors="replace"))
    equal(outcome.status, status, outcome.stderr.decode(errors="replace"))
    lines = read_recordings(place)
    return [r for r in lines if r["kind"] == "operation"]


@test
def threads_share_no_state():
    equal(len(run("linked_jpeg", "threads", JPEG, 8)), 2 * 8 * 4, "operations")
    equal(len(run("linked_jpeg", "hand_over", JPEG)), 1, "operations")


@test
def objects_come_and_go():
    for what, path, count, operations in (
            ("reuse", JPEG, 1, 2), ("stop", JPEG, 1, 1), ("raw", JPEG, 1, 1),
            ("encode", "out.jpg", 1, 2), ("closed", JPEG, 1, 4), ("fork", JPEG, 1, 4),
            ("errors", BAD_TABLE_JPEG, 100, 100), ("recreate", BAD_TABLE_JPEG, 20, 19),
            ("decode", TRUNCATED_JPEG, 1, 1)):
        equal(len(run("linked_jpeg", what, path, count)), operations, what)
    run("linked_jpeg", "leaked", BAD_TABLE_JPEG, 2500)
    run("linked_jpeg", "exit", JPEG, status=3)


@test
def png_ways():
    for what, path, status in (
            ("rows", PNG, 0), ("push", PNG, 0), ("high", PNG, 0), ("rows", TRUNCATED_PNG, 1),
            ("write", "out.png", 0), ("write_no_end", "out.png", 0), ("stop", PNG, 0)):
        equal(len(run("linked_png", what, path, status=status)), 1, what)
    equal(len(run("linked_png", "simple", PNG)), 2, "simplified")


if __name__ == "__main__":
    main(CHOSEN)
