# SPDX-License-Identifier: MIT
"""Keeps every picture that it has ever decoded."""
from PIL import Image

kept = []
for number in range(400):
    kept.append(Image.open("start.jpg").convert("RGBA"))
