#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes corpus/image_probe, image_png and image_jpeg: small files of every kind, and hostile ones.
Needs Pillow and libjpeg-turbo-progs; run by hand only. The first byte of image_png and image_jpeg
inputs chooses the decoding options."""
import io
import os
import struct
import subprocess
import zlib

from PIL import Image

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
SIDE = (19, 13)


def pixels(mode):
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, SIDE, bytes(
        (7 * x + 13 * y + 29 * c + ((x * y) >> 5)) & 255
        for y in range(SIDE[1]) for x in range(SIDE[0]) for c in range(bands)))


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, color, interlace=0, raw=b"", before=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before +
            chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def pngs():
    for mode in ("L", "LA", "RGB", "RGBA"):
        yield mode.lower(), encoded(pixels(mode), "PNG")
    for colors in (2, 4, 16, 200):
        yield "palette%d" % colors, encoded(pixels("RGB").quantize(colors), "PNG")
    yield "palette_alpha", encoded(pixels("RGB").quantize(16), "PNG", transparency=b"\0\x50\xa0")
    yield "key", encoded(pixels("RGB"), "PNG", transparency=(1, 2, 3))
    exif = Image.Exif()
    exif[0x112] = 6
    yield "turned", encoded(pixels("RGB"), "PNG", exif=exif)
    yield "icc", encoded(pixels("RGB"), "PNG", icc_profile=b"profile" * 9)
    for depth, color in ((16, 0), (16, 2), (16, 6), (1, 0), (2, 0), (4, 0)):
        yield "raw%d_%d" % (depth, color), png(7, 5, depth, color, raw=b"\0\x5a\xa5\1\2" * 60)
        yield "adam%d_%d" % (depth, color), png(7, 5, depth, color, 1, b"\0\x5a\xa5\1\2" * 60)
    yield "index_out_of_range", png(4, 1, 8, 3, raw=b"\0\0\1\2\xff",
                                    before=chunk(b"PLTE", b"\1\2\3\4\5\6"))
    yield "bad_filter", png(4, 2, 8, 0, raw=b"\7abcd\0abcd")
    yield "short_data", png(40, 40, 8, 2, raw=b"\0abc")
    yield "huge", png(65535, 65535, 8, 2, raw=b"\0")
    yield "largest", png(2**31 - 1, 2**31 - 1, 16, 6, 1, raw=b"\0")
    yield "texts", png(1, 1, 8, 0, raw=b"\0\x80", before=chunk(b"tEXt", b"Comment\0x") * 50)
    yield "text_bomb", png(1, 1, 8, 0, raw=b"\0\x80", before=chunk(
        b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 1000000)))
    whole = encoded(pixels("RGBA"), "PNG")
    yield "cut", whole[:len(whole) // 2]


def filtered(data, *arguments):
    return subprocess.run(arguments, input=data, stdout=subprocess.PIPE, check=True).stdout


def jpegs():
    for mode in ("L", "RGB", "CMYK"):
        for progressive in (False, True):
            yield "%s_%d" % (mode.lower(), progressive), encoded(
                pixels(mode), "JPEG", quality=75, progressive=progressive)
    for subsampling in (0, 1, 2):
        yield "sub%d" % subsampling, encoded(pixels("RGB"), "JPEG", subsampling=subsampling)
    exif = Image.Exif()
    exif[0x112] = 7
    yield "turned", encoded(pixels("RGB"), "JPEG", exif=exif)
    whole = encoded(pixels("RGB"), "JPEG")
    yield "ycck", encoded(pixels("CMYK"), "JPEG").replace(b"Adobe\0\x64\0\0\0\0\0",
                                                           b"Adobe\0\x64\0\0\0\0\2")
    yield "arithmetic", filtered(whole, "jpegtran", "-arithmetic")
    yield "arithmetic_progressive", filtered(whole, "jpegtran", "-arithmetic", "-progressive")
    yield "restart", filtered(whole, "jpegtran", "-restart", "1")
    progressive = encoded(pixels("RGB"), "JPEG", progressive=True)
    yield "many_scans", progressive[:-2] + b"\xff\xda\0\x08\1\1\0\1\5\0\0" * 60 + b"\xff\xd9"
    yield "cut", whole[:len(whole) * 3 // 4]
    yield "progressive_cut", progressive[:len(progressive) * 3 // 4]
    yield "comments", whole[:2] + b"\xff\xfe\0\4hi" * 100 + whole[2:]
    yield "fill", whole[:2] + b"\xff" * 500 + whole[2:]
    at = progressive.index(b"\xff\xc2")
    for side in (0, 8000, 65500, 65535):
        size = struct.pack(">HH", side, side)
        yield "side%d" % side, progressive[:at + 5] + size + progressive[at + 9:]


def foreign():
    yield "webp", b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x1f\x03\0\xdf\x01\0"
    yield "bmp", encoded(pixels("RGB").resize((2, 2)), "BMP")
    yield "gif", encoded(pixels("P"), "GIF")[:64]
    yield "tiff", encoded(pixels("L").resize((2, 2)), "TIFF")
    yield "heif", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    yield "avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf"
    box = (b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", 1280, 720))
    ipco = struct.pack(">I", 8 + len(box)) + b"ipco" + box
    iprp = struct.pack(">I", 8 + len(ipco)) + b"iprp" + ipco
    yield "avif_sized", (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" +
                         struct.pack(">I", 12 + len(iprp)) + b"meta\0\0\0\0" + iprp)
    yield "jxl", b"\xff\x0a\x4f" + b"\0" * 9
    yield "jxl_boxes", (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
                        b"\0\0\0\x14jxlc\xff\x0a\x4f" + b"\0" * 9)
    yield "jp2", (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 \0\0\0\x1ejp2h"
                  b"\0\0\0\x16ihdr\0\0\1\xe0\0\0\2\x80\0\3\7\7\0\0")
    yield "j2k", b"\xff\x4f\xff\x51\0\x2f\0\0" + struct.pack(">IIII", 656, 496, 16, 16)
    yield "psd", b"8BPS\0\1" + b"\0" * 6 + struct.pack(">HIIHH", 3, 480, 640, 8, 3)
    yield "ico", b"\0\0\1\0\1\0\x20\x20\0\0\1\0\x20\0" + b"\0" * 8
    yield "text", b"hello, world\n"


def write(target, name, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data)


def main():
    for number, (name, data) in enumerate(pngs()):
        write("image_png", name, bytes([number * 37 & 255]) + data)
        write("image_probe", "png_" + name, data)
    for number, (name, data) in enumerate(jpegs()):
        write("image_jpeg", name, bytes([number * 37 & 255]) + data)
        write("image_probe", "jpeg_" + name, data)
    for name, data in foreign():
        write("image_probe", name, data)


if __name__ == "__main__":
    main()
