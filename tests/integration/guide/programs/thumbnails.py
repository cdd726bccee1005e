# SPDX-License-Identifier: MIT
"""Decodes the same large picture for each thumbnail."""
from PIL import Image

for width in range(128, 192, 4):
    image = Image.open("large.jpg")
    image.load()
    image.resize((width, width)).save(f"thumbnail-{width}.jpg")
