#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Pillow's and torch's times for bench-image: `image_pillow.py WORK ARGUMENTS` prints the median in
milliseconds and, where there is one, the CRC-32 of the result. One thread."""
import sys
import time
import zlib

from PIL import Image

ROUNDS = 11
FILTERS = {"lanczos": Image.LANCZOS, "bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR,
           "box": Image.BOX}


def median_of(work):
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - begin)
    return sorted(times)[ROUNDS // 2] * 1000, result


def picture(path, mode, width, height):
    with open(path, "rb") as file:
        return Image.frombytes(mode, (int(width), int(height)), file.read())


def resize(path, mode, width, height, to_width, to_height, name):
    image, size = picture(path, mode, width, height), (int(to_width), int(to_height))
    return median_of(lambda: image.resize(size, FILTERS[name]))


def thumbnail(path, most, how):
    def work():
        image = Image.open(path)
        if how == "full":
            image.load()
        image.thumbnail((int(most), int(most)), Image.LANCZOS)
        return image
    return median_of(work)


def torch_resize(path, width, height, to_width, to_height, mode):
    import numpy
    import torch
    torch.set_num_threads(1)
    pixels = numpy.asarray(picture(path, "RGB", width, height)).copy()

    def work():
        floats = torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div(255).sub(0.5).div(0.5)
        return torch.nn.functional.interpolate(floats, size=(int(to_height), int(to_width)),
                                               mode=mode, align_corners=False)
    return median_of(work)


def main():
    work = {"resize": resize, "thumbnail": thumbnail, "torch": torch_resize}[sys.argv[1]]
    time_ms, result = work(*sys.argv[2:])
    crc = zlib.crc32(result.tobytes()) if isinstance(result, Image.Image) else 0
    print("%.4f %08x" % (time_ms, crc))


if __name__ == "__main__":
    main()
