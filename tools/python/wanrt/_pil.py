# SPDX-License-Identifier: MIT
"""Hand-over to Pillow, which is asked for only when somebody wants a PIL image."""
from ._errors import ArgumentError, make

# Pillow shows foreign memory in these modes (Image.frombuffer); it copies for the others.
SHOWN = frozenset(("L", "RGBX", "RGBA", "CMYK", "I;16"))

_pillow = None


def pillow():
    """PIL.Image, or ImportError with a reason."""
    global _pillow
    if _pillow is None:
        try:
            from PIL import Image
        except ImportError as missing:
            raise ImportError("PIL images need Pillow: install python3-pil, or use "
                              "memoryview(image) or numpy.asarray(image)") from missing
        _pillow = Image
    return _pillow


def from_image(image):
    """wanrt.Image.to_pil()"""
    shown = _pillow or pillow()
    mode = image.mode
    if not image._is_pil:
        raise make(-22, repr(image), f"Pillow has no mode for {mode} pixels",
                   "ask for mode='RGB', or use numpy.asarray(image)", kind=ArgumentError)
    if mode in SHOWN:
        return shown.frombuffer(mode, image.size, image, "raw", mode, image._stride, 1)
    return shown.frombytes(mode, image.size, image, "raw", mode, image._stride, 1)


def pixel_bytes(mode):
    """Bytes a pixel takes inside Pillow: RGB has four."""
    return 1 if mode in ("1", "L", "P") else 2 if mode.startswith(("I;16", "BGR;1")) else 4
