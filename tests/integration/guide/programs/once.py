# SPDX-License-Identifier: MIT
"""The same thumbnails from one decode, at about the size that is needed."""
from PIL import Image

image = Image.open("large.jpg")
image.draft("RGB", (384, 384))
image.load()
for width in range(128, 192, 4):
    image.resize((width, width)).save(f"thumbnail-{width}.jpg")
