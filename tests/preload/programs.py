# SPDX-License-Identifier: MIT
"""Real programs of the distribution, unmodified: same bytes, same status, operations recorded."""
from recorded import (BAD_CRC_PNG, BAD_TABLE_JPEG, CHOSEN, HEIGHT, JPEG, PNG, PPM, PROGRESSIVE,
                      TRUNCATED_JPEG, TRUNCATED_PNG, WIDTH, Skip, check, equal, expect, main, need,
                      os, record, subprocess, test)

SIZE = (WIDTH, HEIGHT)
DECODED = ("jpeg.decode", "libjpeg", *SIZE, "ok")
ENCODED = ("jpeg.encode", "libjpeg", *SIZE, "ok")
PNG_DECODED = ("png.decode", "libpng", *SIZE, "ok")
PNG_ENCODED = ("png.encode", "libpng", *SIZE, "ok")
PYTHON = "/usr/bin/python3"


def need_module(name):
    if subprocess.run([PYTHON, "-c", f"import {name}"], stderr=subprocess.DEVNULL).returncode:
        raise Skip(f"{PYTHON} has no {name}")


@test
def djpeg_decodes():
    need("djpeg")
    seen = record(["djpeg", JPEG], "djpeg")
    expect(seen, DECODED)
    operation = seen.operations[0]
    equal(operation["file_bytes"], os.path.getsize(JPEG), "file size")
    equal(operation["file"], JPEG, "file")
    equal((operation["channels"], operation["depth"]), (3, 8), "samples")
    check(operation["cpu_ns"] != "unknown", operation)
    process = seen.of("process")[0]
    check(process["libraries"].startswith("libjpeg.so."), process)


@test
def djpeg_decodes_progressive():
    need("djpeg")
    seen = record(["djpeg", PROGRESSIVE], "djpeg-progressive")
    expect(seen, DECODED)
    equal(seen.of("aggregate")[0]["flags"], 4, "flags: progressive")


@test
def djpeg_decodes_scaled():
    need("djpeg")
    seen = record(["djpeg", "-scale", "1/4", JPEG], "djpeg-scaled")
    expect(seen, DECODED)
    equal(seen.of("aggregate")[0]["flags"], 8, "flags: scaled")


@test
def djpeg_warns_of_a_truncated_file():
    need("djpeg")
    expect(record(["djpeg", TRUNCATED_JPEG], "djpeg-truncated"),
           ("jpeg.decode", "libjpeg", *SIZE, "warned"))


@test
def djpeg_fails_on_a_bad_table():
    need("djpeg")
    seen = record(["djpeg", BAD_TABLE_JPEG], "djpeg-bad-table")
    equal(seen.outcome.status, 1, "exit status")
    shown = seen.operations + seen.of("inflight")
    equal([(o["name"], o["status"] in ("failed", "in_flight")) for o in shown],
          [("jpeg.decode", True)], "operations and in flight")
    equal(shown[0]["file"], BAD_TABLE_JPEG, "file")


@test
def djpeg_reads_a_pipe():
    need("djpeg")
    seen = record(["/bin/sh", "-c", f"cat '{JPEG}' | djpeg"], "djpeg-pipe")
    expect(seen, DECODED)
    equal(seen.operations[0]["file_bytes"], "unknown", "file size of a pipe")


@test
def cjpeg_encodes():
    need("cjpeg")
    expect(record(["cjpeg", "-outfile", "out.jpg", PPM], "cjpeg"), ENCODED)


@test
def jpegtran_transforms():
    need("jpegtran")
    seen = record(["jpegtran", "-rotate", "90", "-outfile", "out.jpg", JPEG], "jpegtran")
    expect(seen, ("jpeg.transform", "libjpeg", *SIZE, "ok"))
    equal(seen.of("aggregate")[0]["flags"], 16, "flags: lossless")


@test
def tjbench_uses_turbojpeg():
    need("tjbench")
    command = ["tjbench", JPEG, "-benchtime", "0.01", "-warmup", "0", "-nowrite"]
    seen = record(command, "tjbench", same=lambda outcome: outcome.status)
    names = {o["name"] for o in seen.operations}
    check("jpeg.decode" in names, seen.operations[:5])
    for operation in seen.operations:
        equal((operation["library"], operation["width"], operation["height"],
               operation["status"]), ("turbojpeg", *SIZE, "ok"), "operation")
        equal(operation["file_bytes"], os.path.getsize(JPEG), "bytes in memory")


@test
def tjbench_transforms():
    need("tjbench")
    seen = record(["tjbench", JPEG, "-rot90", "-benchtime", "0.01", "-warmup", "0", "-nowrite"],
                  "tjbench-transform", same=lambda outcome: outcome.status)
    equal({o["name"] for o in seen.operations}, {"jpeg.transform", "jpeg.decode"}, "names")
    transforms = [o for o in seen.operations if o["name"] == "jpeg.transform"]
    equal({(o["width"], o["height"], o["status"]) for o in transforms}, {(*SIZE, "ok")},
          "transforms")


@test
def tjbench_compresses():
    need("tjbench", "djpeg")
    bmp = os.path.join(os.path.dirname(JPEG), "in.bmp")
    with open(bmp, "wb") as file:
        subprocess.run(["djpeg", "-bmp", JPEG], stdout=file, check=True)
    seen = record(["tjbench", bmp, "90", "-benchtime", "0.01", "-warmup", "0", "-nowrite",
                   "-subsamp", "420"], "tjbench-bmp", same=lambda outcome: outcome.status)
    equal({o["name"] for o in seen.operations}, {"jpeg.encode", "jpeg.decode"}, "names")
    for operation in seen.operations:
        equal((operation["width"], operation["height"], operation["status"]), (*SIZE, "ok"),
              "operation")
        check(10000 < operation["file_bytes"] < WIDTH * HEIGHT, operation)


@test
def imagemagick_converts_jpeg():
    need("convert-im6.q16")
    seen = record(["convert-im6.q16", JPEG, "-strip", "-quality", "80", "out.jpg"], "im-jpeg")
    expect(seen, DECODED, ENCODED)


@test
def imagemagick_converts_png():
    need("convert-im6.q16")
    seen = record(["convert-im6.q16", PNG, "-strip", "out.png"], "im-png")
    expect(seen, PNG_DECODED, PNG_ENCODED)


@test
def imagemagick_warns_of_a_truncated_file():
    need("convert-im6.q16")
    seen = record(["convert-im6.q16", TRUNCATED_JPEG, "-strip", "out.ppm"], "im-truncated")
    expect(seen, ("jpeg.decode", "libjpeg", *SIZE, "warned"))


@test
def graphicsmagick_converts():
    need("gm")
    expect(record(["gm", "convert", JPEG, "+profile", "*", "out.jpg"], "gm-jpeg"),
           DECODED, ENCODED)
    expect(record(["gm", "convert", PNG, "+profile", "*", "out.ppm"], "gm-png"), PNG_DECODED)


@test
def pillow_decodes_jpeg():
    need_module("PIL")
    seen = record([PYTHON, "-c", "import sys; from PIL import Image\n"
                   "im = Image.open(sys.argv[1]); im.load()\n"
                   "sys.stdout.buffer.write(im.tobytes())", JPEG], "pillow")
    expect(seen, DECODED)


@test
def pillow_drafts_and_saves():
    need_module("PIL")
    seen = record([PYTHON, "-c", "import sys; from PIL import Image\n"
                   "im = Image.open(sys.argv[1]); im.thumbnail((320, 180))\n"
                   "im.save('out.jpg', quality=85)", JPEG], "pillow-thumbnail")
    expect(seen, DECODED, ("jpeg.encode", "libjpeg", 320, 180, "ok"))
    check(any(a["flags"] == 8 for a in seen.of("aggregate")), "scaled decode")
    equal({o["channels"] for o in seen.operations}, {3}, "channels of the files")


@test
def pillow_gives_up_on_a_truncated_file():
    need_module("PIL")
    seen = record([PYTHON, "-c", "import sys; from PIL import Image\n"
                   "try: Image.open(sys.argv[1]).load()\n"
                   "except OSError as e: print(e)", TRUNCATED_JPEG], "pillow-truncated")
    expect(seen, ("jpeg.decode", "libjpeg", *SIZE, "aborted"))


@test
def opencv_decodes_and_encodes():
    need_module("cv2")
    program = ("import sys, cv2\nim = cv2.imread(sys.argv[1])\n"
               "sys.stdout.buffer.write(im.tobytes()[:100000])\ncv2.imwrite(sys.argv[2], im)")
    expect(record([PYTHON, "-c", program, JPEG, "out.jpg"], "cv2-jpeg"), DECODED, ENCODED)
    expect(record([PYTHON, "-c", program, PNG, "out.png"], "cv2-png"), PNG_DECODED, PNG_ENCODED)


@test
def opencv_survives_hostile_files():
    need_module("cv2")
    program = "import sys, cv2\nprint(cv2.imread(sys.argv[1]) is None)"
    same = (lambda outcome: (outcome.status, outcome.stdout))
    expect(record([PYTHON, "-c", program, TRUNCATED_PNG], "cv2-truncated-png", same=same),
           ("png.decode", "libpng", *SIZE, "failed"))
    expect(record([PYTHON, "-c", program, TRUNCATED_JPEG], "cv2-truncated-jpeg", same=same),
           ("jpeg.decode", "libjpeg", *SIZE, "warned"))


def need_libpng_in_vips():
    """Newer builds read and write PNG with libspng, which is not ours to see."""
    config = subprocess.run(["vips", "--vips-config"], capture_output=True, text=True).stdout
    if "PNG load/save with libspng: true" in config or "PNG load/save with spng: true" in config:
        raise Skip("this vips uses libspng for PNG")


@test
def vips_makes_a_thumbnail():
    need("vipsthumbnail")
    need_libpng_in_vips()
    command = ["vipsthumbnail", JPEG, "--size", "320x180", "-o"]
    expect(record([*command, os.path.join(".", "out.png[strip]")], "vipsthumbnail"),
           DECODED, ("png.encode", "libpng", 320, 180, "ok"))


@test
def vips_copies_jpeg():
    need("vips")
    expect(record(["vips", "copy", JPEG, "out.jpg[strip]"], "vips-jpeg"), DECODED, ENCODED)


@test
def vips_copies_png():
    need("vips")
    need_libpng_in_vips()
    expect(record(["vips", "copy", PNG, "out.png[strip]"], "vips-png"), PNG_DECODED, PNG_ENCODED)


@test
def optipng_uses_the_high_level_interface():
    need("optipng")
    seen = record(["optipng", "-o1", "-out", "out.png", PNG], "optipng")
    names = [o["name"] for o in seen.operations]
    check(names.count("png.decode") >= 1 and names.count("png.encode") >= 1, names)
    for operation in seen.operations:
        equal((operation["width"], operation["height"], operation["status"]), (*SIZE, "ok"),
              "operation")


@test
def optipng_refuses_a_bad_header():
    need("optipng")
    seen = record(["optipng", "-out", "out.png", BAD_CRC_PNG], "optipng-bad")
    check(seen.outcome.status != 0, seen.outcome.status)
    equal({o["status"] for o in seen.operations}, {"failed"}, "statuses")


@test
def pngquant_reads_and_writes():
    need("pngquant")
    seen = record(["pngquant", "--nofs", "--strip", "-o", "out.png", PNG], "pngquant")
    expect(seen, PNG_DECODED, PNG_ENCODED)


@test
def netpbm_reads_and_writes():
    need("pngtopam", "pnmtopng")
    expect(record(["pngtopam", PNG], "pngtopam"), PNG_DECODED)
    expect(record(["pnmtopng", PPM], "pnmtopng"), PNG_ENCODED)


@test
def pngtopam_shows_in_flight_what_it_left():
    need("pngtopam")
    seen = record(["pngtopam", TRUNCATED_PNG], "pngtopam-truncated")
    shown = seen.operations + seen.of("inflight")
    equal([(o["name"], o["width"], o["height"]) for o in shown], [("png.decode", *SIZE)], "shown")
    check(shown[0]["status"] in ("failed", "in_flight"), shown)


@test
def gdk_pixbuf_pushes_png():
    need("gdk-pixbuf-thumbnailer")
    seen = record(["gdk-pixbuf-thumbnailer", "-s", "128", PNG, "out.png"], "gdk-png",
                  same=lambda outcome: outcome.status)
    check(("png.decode", *SIZE, "ok") in
          [(o["name"], o["width"], o["height"], o["status"]) for o in seen.operations],
          seen.operations)


if __name__ == "__main__":
    main(CHOSEN)
