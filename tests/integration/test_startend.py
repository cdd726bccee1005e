# SPDX-License-Identifier: MIT
"""wan-startend: what comes out, how many work together, and what the profile says about it.

Arguments: wan-startend, wanprof, [TEST NAME PART...]
"""
import glob
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from startend_support import (PHOTOS, STARTEND, WANPROF, environment, fresh, good, kind, listed,
                              noise_png, one_sentence, png, ihdr, python, read, run, write)
from tap import Skip, check, equal, main, test

SUFFIXES = ".png", ".npy", "-thumbnail.png"

# Arguments: input, size, PNG, .npy, thumbnail, longest side of it, filter.
COMPARE = r"""
import ast, struct, sys
import numpy
from PIL import Image, ImageOps
path, size, png, npy, thumbnail, side, name = sys.argv[1:]
width, height = (int(part) for part in size.split("x"))
source = ImageOps.exif_transpose(Image.open(path))
source = source if source.mode == "RGB" else source.convert("RGB")
made = Image.open(png)
assert made.size == (width, height) and made.mode == "RGB", made
s = max(width / source.width, height / source.height)
full = max(width, round(source.width * s)), max(height, round(source.height * s))
x, y = (full[0] - width) // 2, (full[1] - height) // 2
want = source.resize(full, getattr(Image, name)).crop((x, y, x + width, y + height))
assert made.tobytes() == want.tobytes(), "pixels differ from Pillow's"
tensor = numpy.load(npy)
assert tensor.dtype == numpy.float32 and tensor.shape == (3, height, width), tensor.shape
pixels = numpy.asarray(made).astype(numpy.float32) / numpy.float32(255)
normal = (pixels - numpy.float32(0.5)) / numpy.float32(0.5)
assert numpy.array_equal(tensor, normal.transpose(2, 0, 1)), numpy.abs(
    tensor - normal.transpose(2, 0, 1)).max()
small = Image.open(thumbnail)
side = int(side)
assert max(small.size) <= side, small.size
assert max(small.size) == min(side, max(source.size)), small.size
assert abs(small.width * source.height - small.height * source.width) <= max(
    source.size), (small.size, source.size)
"""


def compare(path, size, out, label="start", side=256, name="LANCZOS"):
    python(COMPARE, path, size, *(os.path.join(out, label + s) for s in SUFFIXES), str(side), name)


def photo(index=0):
    found = sorted(glob.glob(os.path.join(PHOTOS, "nature", "*.jpg")))
    if len(found) <= index:
        raise Skip(f"no photographs in {PHOTOS}")
    return found[index]


def pairs_list(*lines):
    return write("".join(line + "\n" for line in lines), ".tsv")


def profile(path):
    document = json.loads(read(path))
    summary, cache = document["summary"], document["cache"]
    equal(summary["total_operations"], len(document["metrics"]) + summary["metrics_dropped"],
          "operations")
    equal(summary["total_operations"], sum(o["count"] for o in document["operations"]), "by name")
    equal(cache["hits"] + cache["misses"], cache["total_requests"], "requests")
    check(cache["memory_usage_bytes"] <= cache["limit_bytes"], cache)
    return document


def names(document):
    return [metric["operation_name"] for metric in document["metrics"]]


@test
def photographs_come_out_as_pillow_would_fit_them():
    out = fresh()
    good("--start", photo(0), "--end", photo(1), "--size", "832x480", "-o", out)
    equal(len(listed(out)), 6, listed(out))
    compare(photo(0), "832x480", out)
    compare(photo(1), "832x480", out, "end")


@test
def every_kind_of_picture_comes_out_as_pillow_would_fit_it():
    for name in ("baseline.jpg", "progressive.jpg", "gray.jpg", "rotated.jpg", "rgb.png",
                 "gray.png", "rgba.png", "gray-alpha.png", "palette.png", "bits-1.png",
                 "interlaced.png"):
        out = fresh()
        good("--start", kind(name), "--size", "64x96", "-o", out, "--thumbnail", "40")
        compare(kind(name), "64x96", out, side=40)


@test
def the_other_filters_come_out_as_pillows():
    for name in "bicubic", "bilinear":
        out = fresh()
        good("--start", kind("rgb.png"), "--size", "64x48", "-o", out, "--filter", name)
        compare(kind("rgb.png"), "64x48", out, name=name.upper())


@test
def what_pillow_shows_otherwise_still_comes_out():
    for name in "cmyk.jpg", "palette-transparent.png", "bits-16.png":
        out = fresh()
        good("--start", kind(name), "--size", "64x48", "-o", out)
        equal(listed(out), ["start-thumbnail.png", "start.npy", "start.png"], name)


@test
def the_end_image_is_optional_and_the_wrong_extension_no_matter():
    out = fresh()
    picture = write(noise_png(), ".jpg")
    done = good("--start", picture, "--size", "64x48", "-o", out)
    equal(listed(out), ["start-thumbnail.png", "start.npy", "start.png"])
    equal(done.err, "", "stderr")
    header = read(os.path.join(out, "start.npy"))[:128]
    check(header.startswith(b"\x93NUMPY") and b"(3, 48, 64)" in header and b"'<f4'" in header,
          header)
    equal(struct.unpack(">II", read(os.path.join(out, "start.png"))[16:24]), (64, 48), "size")


@test
def a_list_prepares_all_its_pairs():
    out, report = fresh(), fresh(".json")
    a, b = write(noise_png(384, 256)), write(noise_png(256, 384))
    path = pairs_list("# a comment", f"{a}\t{b}\tfirst", "", f"{b}\t-", f"{a}\t{b}\tagain\r",
                      f"{a}")
    good("--list", path, "--size", "64x48", "-o", out, "--json", report)
    expected = [f"{pair}-{side}{suffix}" for pair, sides in
                (("first", ("start", "end")), ("pair-0002", ("start",)),
                 ("again", ("start", "end")), ("pair-0004", ("start",)))
                for side in sides for suffix in SUFFIXES]
    equal(listed(out), sorted(expected))
    for suffix in SUFFIXES:
        equal(read(f"{out}/first-start{suffix}"), read(f"{out}/again-start{suffix}"), suffix)
    document = profile(report)
    done = names(document)
    equal(done.count("png.decode"), 2, "each picture is decoded once")
    equal((done.count("fit"), done.count("normalise")), (2, 2), "steps")
    check(document["cache"]["hits"] >= 12, document["cache"])
    phases = [phase["name"] for phase in document["progress"]["phases"]]
    equal(sorted(set(phases)), ["completion", "encoding", "preprocessing"], "phases")
    tracker = document["progress"]["trackers"][0]
    equal((tracker["done"], tracker["total"], tracker["state"]), (6, 6, "ended"), "tracker")


@test
def the_order_of_the_phases_is_that_of_the_work():
    report = fresh(".json")
    good("--start", write(noise_png()), "--size", "64x48", "-o", fresh(), "--json", report)
    phases = [phase["name"] for phase in profile(report)["progress"]["phases"]]
    equal(phases, ["preprocessing", "encoding", "completion"])


@test
def one_bad_pair_does_not_stop_the_others():
    out, report = fresh(), fresh(".json")
    fine, broken = write(noise_png()), write(noise_png()[:100000], ".png")
    path = pairs_list(f"{fine}\t-\ta", f"{broken}\t-\tb", "/no/such/file\t-\tc",
                      f"{fine}\t{broken}\td", f"{fine}\t{fine}\te")
    done = run("--list", path, "--size", "64x48", "-o", out, "--json", report)
    equal(done.status, 65, "the status of the first pair that failed")
    equal(done.err.count("\n"), 3, done.err)
    equal(sorted({name.split("-")[0] for name in listed(out)}), ["a", "e"], "pairs written")
    profile(report)


@test
def two_pairs_of_one_name_are_refused_before_anything_is_written():
    out, picture = fresh(), write(noise_png())
    for lines in ([f"{picture}\t-\tx", f"{picture}\t-\ty", f"{picture}\t-\tx"],
                  [f"{picture}\t-\tpair-0002", picture]):
        done = run("--list", pairs_list(*lines), "--size", "64x48", "-o", out, "--force")
        one_sentence(done, 64, "name")
        check(not os.path.exists(out), "something is written")


@test
def a_small_cache_still_works_and_is_never_exceeded():
    out, report = fresh(), fresh(".json")
    pictures = [write(noise_png(700, 500 + i)) for i in range(4)]
    path = pairs_list(*(f"{picture}\t{pictures[0]}" for picture in pictures))
    good("--list", path, "--size", "640x480", "-o", out, "--json", report,
         env=environment(WAN_CACHE_LIMIT="8M"))
    equal(len(listed(out)), 24, "files")
    cache = profile(report)["cache"]
    equal(cache["limit_bytes"], 8 << 20, "limit")
    check(cache["evictions"] > 0, cache)


@test
def memory_that_is_not_granted_ends_with_75_and_names_the_level():
    out = fresh()
    # A header that prices 300 MB, which its bytes could hold, and which cannot be read row by row;
    # the cap is reached first.
    picture = write(png(ihdr(10000, 10000, interlace=1), b"\0" * 400000))
    done = run("-q", "--start", picture, "--size", "64x48", "-o", out,
               env=environment(WAN_MEMORY_PROCESS_CAP="64M"))
    one_sentence(done, 75, picture, "process")
    equal(listed(out), [], "files")


@test
def a_result_that_memory_does_not_hold_is_not_begun():
    out, picture = fresh(), write(noise_png())
    done = run("-q", "--start", picture, "--size", "8192x8192", "-o", out,
               env=environment(WAN_MEMORY_PROCESS_CAP="256M"))
    one_sentence(done, 75, picture, "process")
    check(done.rss_kib < 300 << 10, f"{done.rss_kib} KiB under a cap of 256 MB")
    equal(listed(out), [], "files")


@test
def under_a_small_memory_limit_all_pairs_still_come_out():
    out, report = fresh(), fresh(".json")
    pictures = [write(noise_png(1200, 900 + i)) for i in range(3)]
    path = pairs_list(*(f"{picture}\t{pictures[0]}" for picture in pictures * 2))
    good("--list", path, "--size", "1280x720", "-o", out, "--json", report,
         env=environment(WAN_MEMORY_PROCESS_CAP="96M"))
    equal(len(listed(out)), 36, "files")
    profile(report)


@test
def batches_shrink_when_memory_is_short_and_nothing_is_lost():
    pictures = [write(noise_png(1200, 900 + i)) for i in range(4)]
    path = pairs_list(*(f"{pictures[i % 4]}\t{pictures[(i + 1) % 4]}" for i in range(8)))
    for cap in "80M", "64M", "56M", "48M":
        out, report = fresh(), fresh(".json")
        done = run("-q", "--list", path, "--size", "1280x720", "-o", out, "--json", report,
                   env=environment(WAN_MEMORY_PROCESS_CAP=cap))
        if done.status == 75 and cap != "80M":  # not even one pair fits: other allocators take more
            break
        equal((done.status, done.err), (0, ""), cap)
        equal(len(listed(out)), 48, cap)
        check(done.rss_kib < int(cap[:-1]) << 10, f"{done.rss_kib} KiB under {cap}")
        shrunk = [event for event in profile(report)["memory"]["events"]
                  if event["action"] == "batch" and event["batch_after"] < event["batch_before"]]
        if shrunk:
            return
    raise Skip("no cap makes a batch smaller here and still lets one pair through")


@test
def a_picture_larger_than_memory_is_judged_and_framed_by_rows():
    out, picture = fresh(), fresh(".png")
    python("""import os, struct, sys, zlib
def chunk(name, content):
    return (struct.pack(">I", len(content)) + name + content +
            struct.pack(">I", zlib.crc32(name + content)))
rows, packer = [], zlib.compressobj(1)
for _ in range(3000):
    rows.append(packer.compress(b"\\0" + os.urandom(12000)))
rows.append(packer.flush())
with open(sys.argv[1], "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n" +
               chunk(b"IHDR", struct.pack(">IIBBBBB", 4000, 3000, 8, 2, 0, 0, 0)) +
               chunk(b"IDAT", b"".join(rows)) + chunk(b"IEND", b""))""", picture)
    done = good("--start", picture, "--size", "640x480", "-o", out,
                env=environment(WAN_MEMORY_PROCESS_CAP="40M"))
    equal(len(listed(out)), 3, "files")
    check(done.rss_kib < 40 << 10, f"{done.rss_kib} KiB for a picture of 36 MB")
    check("preview" in done.out, done.out)


@test
def automatic_batches_take_what_fits_and_write_everything():
    pictures = [write(noise_png(600, 400 + i)) for i in range(4)]
    lines = [f"{pictures[i % 4]}\t{pictures[(i + 1) % 4]}\tp{i}" for i in range(16)]
    path, reference = pairs_list(*lines), fresh()
    good("--list", path, "--size", "640x384", "-o", reference, "--batch", "1")
    for cap in "0", "96M":
        out = fresh()
        done = good("--list", path, "--size", "640x384", "-o", out, "--batch", "auto",
                    env=environment(WAN_MEMORY_PROCESS_CAP=cap))
        equal(len(listed(out)), 96, "files")
        check("batches: " in done.out, done.out)
        if cap != "0":
            check(done.rss_kib < int(cap[:-1]) << 10, f"{done.rss_kib} KiB under {cap}")
        for name in ("p0-start.npy", "p15-end.png"):
            equal(read(f"{out}/{name}"), read(f"{reference}/{name}"), name)
    for value in "0", "101", "many", "":
        one_sentence(run("--list", path, "--size", "64x48", "-o", fresh(), "--batch", value), 64)


@test
def the_recording_is_there_and_can_be_reported():
    recording, report = fresh(".wan"), fresh(".json")
    done = good("--start", write(noise_png()), "--size", "64x48", "-o", fresh(), "--json", report,
                env=environment(WAN_RECORD_PATH=recording))
    check(done.err.count("\n") == 1 and recording in done.err and "wanprof report" in done.err,
          done.err)
    said = subprocess.run([WANPROF, "report", recording], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=environment())
    equal(said.returncode, 0, said.stderr)
    check("png.decode" in said.stdout, said.stdout)
    dump = subprocess.run([WANPROF, "dump", "-f", "json", recording], stdout=subprocess.PIPE,
                          env=environment(), check=True)
    document = json.loads(dump.stdout)
    equal(names(document), names(profile(report)), "operations")
    equal(document["run"]["state"], "exited", "state")


@test
def json_on_standard_output_is_nothing_but_json():
    done = good("--start", write(noise_png()), "--size", "64x48", "-o", fresh(), "--json", "-")
    equal(json.loads(done.out)["schema"], "wanrt-profile")


@test
def strict_turns_warnings_into_status_1():
    blurred = write(png(ihdr(256, 256, 8, 0), zlib.compress(
        b"".join(b"\0" + bytes(range(256)) for _ in range(256)))))
    arguments = "--start", blurred, "--size", "64x64", "-o"
    good(*arguments, fresh())
    out = fresh()
    done = run(*arguments, out, "--strict")
    equal(done.status, 1, done.err)
    check("warning" in done.out, done.out)
    equal(len(listed(out)), 3, "files are written all the same")


@test
def existing_outputs_are_kept_unless_forced():
    picture = write(noise_png())
    for suffix in SUFFIXES:
        out = fresh()
        os.mkdir(out)
        target = f"{out}/start{suffix}"
        with open(target, "wb") as file:
            file.write(b"mine")
        arguments = "--start", picture, "--size", "64x48", "-o", out, "-q"
        one_sentence(run(*arguments), 73, target, "--force")
        equal((listed(out), read(target)), ([os.path.basename(target)], b"mine"), "untouched")
        good(*arguments, "--force")
        check(read(target) != b"mine" and len(listed(out)) == 3, "not replaced")


@test
def an_existing_profile_is_refused_before_the_work():
    out, report = fresh(), write("mine", ".json")
    arguments = ("--start", write(noise_png()), "--size", "64x48", "-o", out, "-q",
                 "--json", report)
    one_sentence(run(*arguments), 73, report, "--force")
    equal((listed(out), read(report)), ([], b"mine"), "untouched")
    good(*arguments, "--force")
    profile(report)


def long_list():
    """Enough for seconds, and more pictures than the cache holds."""
    if not long_list.path:
        pixels = noise_png()
        pictures = [write(pixels) for _ in range(60)]
        long_list.path = pairs_list(*(f"{picture}\t{picture}" for picture in pictures * 4))
    return long_list.path


long_list.path = None


def begin(out, **more):
    process = subprocess.Popen([STARTEND, "--list", long_list(), "--size", "1280x720", "-o", out],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=environment(**more))
    deadline = time.monotonic() + 20
    while not any(name.endswith("-thumbnail.png") for name in listed(out)):
        check(time.monotonic() < deadline and process.poll() is None, "no file came")
        time.sleep(0.01)
    return process


def whole(out):
    """Every file with a final name is complete."""
    for name in listed(out):
        content = read(os.path.join(out, name))
        if name.endswith(".png"):
            check(content.endswith(b"IEND\xaeB`\x82"), f"{name} is half-written")
        elif name.endswith(".npy"):
            equal(len(content), 128 + 3 * 4 * 1280 * 720, name)
        else:
            check(name.startswith(".wan-") and name.endswith(".tmp"), name)


@test
def an_interrupt_ends_with_130_and_leaves_no_temporary_file():
    for number in signal.SIGINT, signal.SIGTERM:
        out, recording = fresh(), fresh(".wan")
        process = begin(out, WAN_RECORD_PATH=recording)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1].decode()
        equal(process.returncode, 128 + number, said)
        check("interrupted" in said, said)
        check(0 < len(listed(out)) < 240 * 6, "files")
        equal([name for name in listed(out) if name.startswith(".")], [], "temporary files")
        whole(out)


@test
def a_kill_leaves_a_readable_recording_and_only_whole_files():
    for _ in range(3):
        out, recording = fresh(), fresh(".wan")
        process = begin(out, WAN_RECORD_PATH=recording)
        process.kill()
        process.communicate()
        whole(out)
        check(os.path.exists(recording), "no recording")
        done = subprocess.run([WANPROF, "dump", "-f", "json", recording], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment())
        check(done.returncode in (0, 65), f"{done.returncode} {done.stderr}")
        check(len(json.loads(done.stdout)["metrics"]) > 0, "nothing is recorded")


main(sys.argv[3:])
