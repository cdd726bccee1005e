# SPDX-License-Identifier: MIT
"""Seventeen programs that decode and encode, each in the way it is used, with everything that
wanprof run puts there by default. Prints a table: operations seen, sizes right, bytes the same."""
from recorded import (CHOSEN, HEIGHT, JPEG, PNG, PPM, PRELOAD, WIDTH, Recorded, Skip, audited,
                      check, environment, equal, fresh, main, need, os, read_recordings, run_once,
                      subprocess, test)

PYTHON = "/usr/bin/python3"
COUNT = os.path.join(os.path.dirname(PRELOAD), "libwanrt-count.so")
FULL, SMALL = (WIDTH, HEIGHT), (320, 180)
JPEG_IN, JPEG_OUT = ("jpeg.decode", "libjpeg", *FULL), ("jpeg.encode", "libjpeg", *FULL)
PNG_IN, PNG_OUT = ("png.decode", "libpng", *FULL), ("png.encode", "libpng", *FULL)
PILLOW = "from PIL import Image\n"
CTYPES = """
import ctypes, ctypes.util, sys
turbo = ctypes.CDLL("libturbojpeg.so.0")
data = open(sys.argv[1], "rb").read()
turbo.tjInitDecompress.restype = ctypes.c_void_p
handle, to = ctypes.c_void_p(turbo.tjInitDecompress()), ctypes.create_string_buffer(1280 * 720 * 3)
assert turbo.tjDecompress2(handle, data, ctypes.c_ulong(len(data)), to, 1280, 0, 720, 0, 0) == 0
sys.stdout.buffer.write(to.raw)
"""

# program, what is compared, [command, operations or how to judge them]...
# at_least: the operations must be among those seen, all of the right sizes.
CASES = {
    "djpeg": [(["djpeg", JPEG], [JPEG_IN])],
    "cjpeg": [(["cjpeg", "-outfile", "out.jpg", PPM], [JPEG_OUT])],
    "jpegtran": [(["jpegtran", "-rotate", "90", JPEG], [("jpeg.transform", "libjpeg", *FULL)])],
    "tjbench": [(["tjbench", JPEG, "-benchtime", "0.001", "-warmup", "0", "-nowrite"],
                 {("jpeg.decode", "turbojpeg", *FULL)})],
    "ImageMagick": [(["convert-im6.q16", JPEG, "-strip", "out.jpg"], [JPEG_IN, JPEG_OUT]),
                    (["convert-im6.q16", PNG, "-strip", "out.png"], [PNG_IN, PNG_OUT])],
    "GraphicsMagick": [(["gm", "convert", JPEG, "+profile", "*", "out.jpg"], [JPEG_IN, JPEG_OUT]),
                       (["gm", "convert", PNG, "+profile", "*", "out.ppm"], [PNG_IN])],
    "Pillow JPEG": [([PYTHON, "-c", PILLOW + f"im = Image.open({JPEG!r})\n"
                      "im.thumbnail((320, 180)); im.save('out.jpg')"],
                     [JPEG_IN, ("jpeg.encode", "libjpeg", *SMALL)])],
    "Pillow PNG": [([PYTHON, "-c", PILLOW + f"im = Image.open({PNG!r})\nim.load()\n"
                     "im.resize((320, 180)).save('out.png')"],
                    [("png.decode", "pillow", *FULL), ("png.encode", "pillow", *SMALL)])],
    "OpenCV": [([PYTHON, "-c", f"import cv2\ncv2.imwrite('out.jpg', cv2.imread({JPEG!r}))"],
                [JPEG_IN, JPEG_OUT]),
               ([PYTHON, "-c", f"import cv2\ncv2.imwrite('out.png', cv2.imread({PNG!r}))"],
                [PNG_IN, PNG_OUT])],
    "libvips": [(["vipsthumbnail", JPEG, "--size", "320x180", "-o", "./out.jpg[strip]"],
                 [JPEG_IN, ("jpeg.encode", "libjpeg", *SMALL)])],
    "oiiotool": [(["oiiotool", JPEG, "-o", "out.ppm"], [JPEG_IN]),
                 (["oiiotool", PNG, "-o", "out.ppm"], [PNG_IN])],
    "gdk-pixbuf": [(["gdk-pixbuf-thumbnailer", "-s", "320", JPEG, "out.png"],
                    {("jpeg.decode", "libjpeg", *FULL), ("png.encode", "libpng", *SMALL)}),
                   (["gdk-pixbuf-thumbnailer", "-s", "320", PNG, "out.png"],
                    {PNG_IN, ("png.encode", "libpng", *SMALL)})],
    "feh": [(["feh", "-l", JPEG, PNG], None)],
    "optipng": [(["optipng", "-quiet", "-o1", "-out", "out.png", PNG], {PNG_IN, PNG_OUT})],
    "pngquant": [(["pngquant", "--nofs", "--strip", "-o", "out.png", PNG], [PNG_IN, PNG_OUT])],
    "ffmpeg": [(["ffmpeg", "-v", "error", "-i", JPEG, "-bitexact", "-threads", "1", "out.png"],
                None)],
    "TurboJPEG by ctypes": [([PYTHON, "-c", CTYPES, JPEG], [("jpeg.decode", "turbojpeg", *FULL)])],
}
STATUS_ONLY = ("tjbench", "gdk-pixbuf")  # print times, write dates into their files
MODULES = {"Pillow JPEG": "PIL", "Pillow PNG": "PIL", "OpenCV": "cv2"}
table = {}


def run(command, same):
    place = fresh("rec")
    os.chmod(place, 0o700)
    bare = run_once(command, environment(), fresh("bare"))
    hooked = run_once(command, environment(LD_PRELOAD=COUNT + ":" + PRELOAD,
                                           WAN_RECORD_PATH=place + "/", **audited()),
                      fresh("hooked"))
    equal(bare.status, 0, bare.stderr)
    check(same(hooked) == same(bare), hooked.difference(bare))
    return Recorded(read_recordings(place), hooked)


def judge(wanted, operations):
    seen = sorted((o["name"], o["library"], o["width"], o["height"]) for o in operations)
    if wanted is None:  # whatever decodes must have the size of the picture
        equal({(o["width"], o["height"]) for o in operations}, {FULL}, "sizes")
    elif isinstance(wanted, set):
        equal(set(seen), wanted, "operations")
    else:
        equal(seen, sorted(wanted), "operations")
    equal({o["status"] for o in operations}, {"ok"}, "statuses")


def look(program):
    need(*{command[0] for command, _ in CASES[program]})
    module = MODULES.get(program)
    if module and subprocess.run([PYTHON, "-c", "import " + module],
                                 stderr=subprocess.DEVNULL).returncode:
        raise Skip(f"{PYTHON} has no {module}")
    same = (lambda o: o.status) if program in STATUS_ONLY else (lambda o: o)
    count = 0
    for command, wanted in CASES[program]:
        seen = run(command, same)
        judge(wanted, seen.operations)
        count += len(seen.operations)
    table[program] = (count, "right", "status" if program in STATUS_ONLY else "same")


def add(program):
    def one():
        look(program)
    one.__name__ = program.replace(" ", "_") + "_is_seen"
    test(one)


for case in CASES:
    add(case)


@test
def the_table_is_complete():
    print("#   program               operations  sizes  output")
    for program in CASES:
        count, sizes, same = table.get(program, ("-", "-", "-"))
        print(f"#   {program:<20}  {count:>10}  {sizes:<5}  {same}")
    if CHOSEN or len(table) < len(CASES):
        raise Skip(f"{len(table)} of {len(CASES)} programs were looked at")
    check(all(row[0] for row in table.values()), table)


if __name__ == "__main__":
    main(CHOSEN)
