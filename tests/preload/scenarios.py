# SPDX-License-Identifier: MIT
"""Guests that use the codecs in the ways that break interposers."""
from recorded import (BAD_TABLE_JPEG, CHOSEN, HEIGHT, JPEG, PNG, TRUNCATED_PNG, WIDTH, Skip, check,
                      equal, expect, guest, main, made_by, os, record, shutil, test)

SIZE = (WIDTH, HEIGHT)
DECODED = ("jpeg.decode", "libjpeg", *SIZE, "ok")
PNG_DECODED = ("png.decode", "libpng", *SIZE, "ok")
JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"


def jpeg(what, path=JPEG, count=1, **how):
    return record([guest("guest_jpeg"), what, path, str(count)], what, **how)


def png(what, path=PNG, count=1, **how):
    return record([guest("guest_png"), what, path, str(count)], what, **how)


def status_of(seen):
    return [o["status"] for o in seen.operations]


@test
def reused_object_gives_two_operations():
    seen = jpeg("reuse")
    expect(seen, DECODED, ("jpeg.decode", "libjpeg", *SIZE, "aborted"))


@test
def all_rows_without_finish_are_ok():
    expect(jpeg("no_finish"), DECODED)


@test
def missing_rows_are_aborted():
    expect(jpeg("stop"), ("jpeg.decode", "libjpeg", *SIZE, "aborted"))


@test
def errno_is_kept():
    seen = jpeg("errno")
    expect(seen, DECODED)
    check(seen.outcome.stdout.split().count(b"77") >= 6, seen.outcome.stdout)


@test
def header_alone_is_no_operation():
    seen = jpeg("probe")
    expect(seen)
    equal(seen.of("inflight"), [], "in flight")
    equal(png("probe").operations, [], "operations of a PNG probe")


@test
def exit_in_the_middle_shows_in_flight():
    seen = jpeg("exit")
    equal(seen.operations, [], "ended operations")
    shown = seen.of("inflight")
    equal(len(shown), 1, "in flight")
    equal((shown[0]["name"], shown[0]["width"], shown[0]["file"]), ("jpeg.decode", WIDTH, JPEG),
          "what")
    check(180 <= shown[0]["rows"] <= 200, shown[0])


@test
def error_exits_leave_no_trace():
    seen = jpeg("errors", BAD_TABLE_JPEG, 10000)
    process = seen.of("process")[0]
    equal(process["total"], 10000, "operations")
    equal({(a["name"], a["status"]) for a in seen.of("aggregate")}, {("jpeg.decode", "failed")},
          "all failed")
    equal(seen.of("inflight"), [], "in flight")


@test
def objects_never_destroyed_give_way():
    seen = jpeg("leaked", BAD_TABLE_JPEG, 5000)
    equal(seen.of("coverage")[0]["objects"], 5000, "objects")
    # The table holds 2048; what had to give way was recorded as what it was, what is left is
    # still there when the program ends.
    total = seen.of("process")[0]["total"]
    check(5000 - 2048 <= total < 5000, total)
    equal({(a["name"], a["status"]) for a in seen.of("aggregate")}, {("jpeg.decode", "failed")},
          "all failed")


@test
def memory_that_becomes_an_object_again_closes_the_one_before():
    seen = jpeg("recreate", BAD_TABLE_JPEG, 10)
    # What the memory says of the one before cannot be trusted any more: no size.
    expect(seen, *[("jpeg.decode", "libjpeg", 0, 0, "failed")] * 9)
    equal(len(seen.of("inflight")), 1, "the last one")


@test
def rows_from_two_threads_are_one_operation():
    seen = jpeg("hand_over")
    expect(seen, DECODED)
    equal(seen.operations[0]["cpu_ns"], "unknown", "CPU over several threads")
    equal(seen.operations[0]["memory"], "unknown", "memory over several threads")


@test
def thread_that_takes_anothers_place_is_another():
    seen = jpeg("inherit")
    expect(seen, DECODED, DECODED)
    handed, whole = sorted(seen.operations, key=lambda o: o["thread"])
    equal((handed["cpu_ns"], handed["memory"]), ("unknown", "unknown"), "handed over")
    check(whole["cpu_ns"] != "unknown", whole)


@test
def many_threads_record_everything():
    seen = jpeg("threads", count=16)
    equal((seen.of("process")[0]["total"], seen.of("process")[0]["dropped"]), (2 * 16 * 4, 0),
          "operations, dropped ones")
    equal(set(status_of(seen)), {"ok"}, "statuses")


@test
def raw_data_is_recorded():
    expect(jpeg("raw"), DECODED)


@test
def encoder_writes_to_memory_and_file():
    seen = jpeg("encode", "out.jpg")
    one = ("jpeg.encode", "libjpeg", 320, 240, "ok")
    expect(seen, one, one)
    first, second = sorted(seen.operations, key=lambda o: o["file_bytes"] == "unknown")
    equal(first["file_bytes"], int(seen.outcome.stdout), "bytes in memory")
    equal(second["file_bytes"], "unknown", "bytes in a file not yet flushed")
    check(second["file"].endswith("/out.jpg"), second)


@test
def fork_gives_each_process_its_own():
    seen = jpeg("fork")
    processes = seen.of("process")
    equal(sorted(p["total"] for p in processes), [2, 2], "operations of each")
    equal(set(status_of(seen)), {"ok"}, "statuses")
    equal(seen.of("inflight"), [], "in flight")
    for process in processes:
        check("libjpeg.so" in process["libraries"], process)


@test
def closed_descriptors_do_not_matter():
    seen = jpeg("closed")
    equal(seen.of("process")[0]["total"], 4, "operations")


@test
def png_rows_with_and_without_end():
    expect(png("rows"), PNG_DECODED)
    expect(png("no_end"), PNG_DECODED)
    expect(png("stop"), ("png.decode", "libpng", *SIZE, "aborted"))


@test
def png_high_level():
    seen = png("high")
    expect(seen, PNG_DECODED)
    equal(seen.operations[0]["file_bytes"], os.path.getsize(PNG), "file size")
    equal((seen.operations[0]["channels"], seen.operations[0]["depth"]), (3, 8), "samples")


@test
def png_pushed_in_pieces():
    seen = png("push")
    expect(seen, PNG_DECODED)
    equal(seen.operations[0]["file_bytes"], os.path.getsize(PNG), "bytes pushed")
    expect(png("push", TRUNCATED_PNG), ("png.decode", "libpng", *SIZE, "aborted"))


@test
def png_simplified():
    expect(png("simple"), PNG_DECODED, ("png.encode", "libpng", 16, 8, "ok"))


@test
def png_errors_are_failures():
    expect(png("rows", TRUNCATED_PNG), ("png.decode", "libpng", *SIZE, "failed"))
    expect(png("high", TRUNCATED_PNG), ("png.decode", "libpng", *SIZE, "failed"))
    equal(png("rows", TRUNCATED_PNG, 100).of("process")[0]["total"], 100, "operations")


@test
def png_interlaced():
    if not shutil.which("pnmtopng"):
        raise Skip("pnmtopng is not installed")
    path = made_by(["pnmtopng", "-interlace", os.path.join(os.path.dirname(PNG), "in.ppm")],
                   "interlaced.png")
    for what in ("rows", "no_end", "push", "high"):
        seen = png(what, path)
        expect(seen, PNG_DECODED)
        equal(seen.of("aggregate")[0]["flags"], 4, "flags: interlaced")


@test
def png_written_is_complete_at_its_end():
    expect(png("write", "out.png"), ("png.encode", "libpng", 320, 240, "ok"))
    expect(png("write_no_end", "out.png"), ("png.encode", "libpng", 320, 240, "aborted"))


@test
def memory_is_unknown_without_jemalloc():
    operation = jpeg("decode").operations[0]
    equal((operation["memory"], operation["peak"]), ("unknown", "unknown"), "memory")
    equal(jpeg("decode").of("process")[0]["allocator_active"], 0, "allocator")


def with_jemalloc(what, path):
    if not os.path.exists(JEMALLOC):
        raise Skip("jemalloc is not installed")
    from recorded import PRELOAD, environment, fresh, read_recordings, run_once
    place = fresh("jemalloc")
    program = guest("guest_png" if path.endswith(".png") else "guest_jpeg")
    run_once([program, what, path], environment(LD_PRELOAD=f"{PRELOAD} {JEMALLOC}",
                                                WAN_RECORD_PATH=place + "/"), fresh("run"))
    return read_recordings(place)


@test
def memory_comes_from_jemalloc():
    lines = with_jemalloc("decode", JPEG)
    process = [r for r in lines if r["kind"] == "process"][0]
    equal(process["allocator_active"], 1, "allocator")
    check(process["allocator"].startswith("jemalloc 5"), process)
    operation = [r for r in lines if r["kind"] == "operation"][0]
    check(50_000 < operation["peak"] < 2_000_000, operation)
    # The whole image in rows: 2.8 MB at the peak.
    whole = [r for r in with_jemalloc("high", PNG) if r["kind"] == "operation"][0]
    check(WIDTH * HEIGHT * 3 <= whole["peak"] < WIDTH * HEIGHT * 3 + 1_000_000, whole)


@test
def interface_of_version_8_is_read_where_its_fields_are():
    seen = record([guest("guest_jpeg8")], "jpeg8")
    expect(seen, ("jpeg.decode", "libjpeg", 400, 300, "ok"),
           ("jpeg.encode", "libjpeg", 200, 100, "ok"))
    equal({(o["name"], o["channels"], o["depth"]) for o in seen.operations},
          {("jpeg.decode", 3, 8), ("jpeg.encode", 1, 8)}, "samples of the files")
    equal({a["flags"] for a in seen.of("aggregate")}, {4}, "flags: progressive")


if __name__ == "__main__":
    main(CHOSEN)
