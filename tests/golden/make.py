#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the pictures of this folder: byte(x, y, c) = (7x + 13y + 29c + ((x * y) >> 5)) & 255."""
import sys
from PIL import Image


def pattern(width, height):
    return Image.frombytes("RGB", (width, height), bytes(
        (7 * x + 13 * y + 29 * c + ((x * y) >> 5)) & 255
        for y in range(height) for x in range(width) for c in range(3)))


def main(folder):
    pattern(320, 256).save(folder + "/pattern.png", optimize=True)
    pattern(320, 256).save(folder + "/pattern.jpg", quality=90)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
