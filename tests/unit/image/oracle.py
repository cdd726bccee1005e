#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What Pillow and torch make of the same pixels, asked for by oracle.h over a pipe.

A question is a line of words, followed by the bytes it announces; an answer is a line
"WIDTH HEIGHT BYTES" and the bytes, or "error TEXT"."""
import io
import sys

import PIL
from PIL import Image, ImageFile, ImageOps

ImageFile.MAXBLOCK = 1 << 25  # noise does not fit the buffer Pillow gives libjpeg

FILTERS = {"lanczos": Image.LANCZOS, "bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR,
           "box": Image.BOX}


def picture(mode, width, height):
    bands = len(Image.new(mode, (1, 1)).tobytes())
    size = (int(width), int(height))
    return Image.frombytes(mode, size, sys.stdin.buffer.read(size[0] * size[1] * bands))


def resize(mode, width, height, to_width, to_height, name, *box):
    image = picture(mode, width, height)
    box = tuple(float(side) for side in box) if box else None
    return image.resize((int(to_width), int(to_height)), FILTERS[name], box=box)


def thumbnail(mode, width, height, most_width, most_height):
    image = picture(mode, width, height)
    image.thumbnail((int(most_width), int(most_height)), Image.LANCZOS)
    return image


def shrink(image, size):
    """What thumbnail() does. Before version 10 it asks the JPEG decoder for twice the final size,
    since then for twice the box it was given; ours is the first, whose steps are taken there."""
    if int(PIL.__version__.split(".")[0]) < 10:
        image.thumbnail(size, Image.LANCZOS)
        return image
    final = Image.new("1", image.size)
    final.thumbnail(size)
    if final.size == image.size:
        return image
    drafted = image.draft(None, (final.width * 2, final.height * 2))
    image.load()
    if image.size == final.size:
        return image
    return image.resize(final.size, Image.LANCZOS, box=drafted and drafted[1], reducing_gap=2.0)


def file_thumbnail(count, most_width, most_height, turned):
    """As stored, then turned upright: EXIF is not Pillow's business in thumbnail()."""
    image = Image.open(io.BytesIO(sys.stdin.buffer.read(int(count))))
    size = (int(most_width), int(most_height))
    if turned == "turned":
        side = image.getexif().get(0x112, 1)
        image = shrink(image, size[::-1] if side >= 5 else size)
        return ImageOps.exif_transpose(image)
    return shrink(image, size)


def encoded(mode, width, height, *words):
    """A JPEG file of the pixels: quality, subsampling, progressive, orientation."""
    quality, subsampling, progressive, orientation = (int(word) for word in words)
    image, out, exif = picture(mode, width, height), io.BytesIO(), Image.Exif()
    if orientation:
        exif[0x112] = orientation
    image.save(out, "JPEG", quality=quality, subsampling=subsampling,
               progressive=bool(progressive), exif=exif)
    return image.size, out.getvalue()


def torch_resize(width, height, to_width, to_height, mode):
    import torch
    size = int(width), int(height)
    data = bytearray(sys.stdin.buffer.read(size[0] * size[1] * 3))
    pixels = torch.frombuffer(data, dtype=torch.uint8).reshape(size[1], size[0], 3)
    floats = pixels.permute(2, 0, 1)[None].to(torch.float32).div(255).sub(0.5).div(0.5)
    made = torch.nn.functional.interpolate(floats, size=(int(to_height), int(to_width)), mode=mode,
                                           align_corners=False)
    return (int(to_width), int(to_height)), made.contiguous().numpy().tobytes()


QUESTIONS = {"resize": resize, "thumbnail": thumbnail, "file": file_thumbnail, "jpeg": encoded,
             "torch": torch_resize}


def answer(question, words):
    made = QUESTIONS[question](*words)
    size, data = (made.size, made.tobytes()) if isinstance(made, Image.Image) else made
    return b"%d %d %d\n" % (size[0], size[1], len(data)) + data


def main():
    while True:
        words = sys.stdin.buffer.readline().decode().split()
        if not words:
            return
        try:
            text = answer(words[0], words[1:])
        except Exception as error:  # told to the test, which decides
            text = ("error %s\n" % str(error).replace("\n", " ")).encode()
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
