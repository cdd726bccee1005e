#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes data/*.jpg and goldens.inc: small JPEG files of every kind, and the checksums of the pixels
Pillow reads from them. Needs Pillow, ImageMagick 6 and libjpeg-turbo-progs; run by hand only."""
import os
import subprocess
import zlib

from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
WIDTH, HEIGHT = 61, 43


def smooth(x, y, c):
    return (x * 255 // WIDTH, y * 255 // HEIGHT, (x + y) * 255 // (WIDTH + HEIGHT))[c]


def busy(x, y, c):
    return (7 * x + 13 * y + 29 * c + ((x * y) >> 5)) & 255


def picture(mode, rule):
    bands = {"L": 1, "RGB": 3}[mode]
    return Image.frombytes(mode, (WIDTH, HEIGHT), bytes(
        rule(x, y, c) for y in range(HEIGHT) for x in range(WIDTH) for c in range(bands)))


def path(name):
    return os.path.join(DATA, name + ".jpg")


def tool(name, arguments, source):
    with open(source, "rb") as taken, open(path(name), "wb") as made:
        subprocess.check_call(arguments, stdin=taken, stdout=made)


def magick(name, *arguments):
    picture("RGB", busy).save("/tmp/wan-make-data.png")
    subprocess.check_call(["convert-im6.q16", "/tmp/wan-make-data.png", *arguments, path(name)])


def ycck():
    """No tool writes YCCK: the CMYK file with another transform in its Adobe segment is one."""
    with open(path("cmyk"), "rb") as taken, open(path("ycck"), "wb") as made:
        bytes_ = bytearray(taken.read())
        bytes_[bytes_.index(b"Adobe") + 11] = 2
        made.write(bytes_)


def make():
    os.makedirs(DATA, exist_ok=True)
    rgb = picture("RGB", smooth)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        rgb.save(path("ycc" + name), quality=90, subsampling=subsampling)
        picture("RGB", busy).save(path("progressive" + name), quality=80, subsampling=subsampling,
                                  progressive=True)
    picture("L", busy).save(path("gray"), quality=90)
    picture("L", smooth).save(path("gray_progressive"), quality=90, progressive=True)
    rgb.convert("CMYK").save(path("cmyk"), quality=90)
    rgb.save(path("icc"), quality=90, icc_profile=b"not a real profile" * 8)
    rgb.resize((1, 1)).save(path("one_pixel"))
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = turn
        rgb.save(path("turned%d" % turn), quality=75, exif=exif)
    magick("ycc440", "-sampling-factor", "1x2", "-quality", "90")
    magick("ycc411", "-sampling-factor", "4x1", "-quality", "90")
    ycck()
    tool("rgb", ["cjpeg", "-rgb", "-quality", "90"], ppm(rgb))
    tool("restart", ["cjpeg", "-restart", "1", "-quality", "85"], ppm(rgb))
    tool("arithmetic", ["jpegtran", "-arithmetic"], path("ycc420"))
    tool("arithmetic_progressive", ["jpegtran", "-arithmetic", "-progressive"], path("ycc444"))
    scans = "/tmp/wan-make-data.scans"
    with open(scans, "w") as text:
        text.write("0;\n1;\n2;\n")
    tool("several_scans", ["jpegtran", "-scans", scans], path("ycc420"))


def ppm(image):
    image.save("/tmp/wan-make-data.ppm")
    return "/tmp/wan-make-data.ppm"


def checksum(image):
    return zlib.crc32(image.tobytes())


def goldens():
    with open(os.path.join(HERE, "goldens.inc"), "w") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n"
                  "/* Made by make_data.py: file, size, CRC-32 as RGB, as stored, as grey. */\n")
        for file in sorted(os.listdir(DATA)):
            image = Image.open(os.path.join(DATA, file))
            upright = ImageOps.exif_transpose(image)
            out.write('GOLDEN("%s", %d, %d, 0x%08x, 0x%08x, 0x%08x)\n' % (
                file[:-4], upright.width, upright.height, checksum(upright.convert("RGB")),
                checksum(upright), checksum(upright.convert("RGB").convert("L"))))


if __name__ == "__main__":
    make()
    goldens()
