# SPDX-License-Identifier: MIT
"""What the tests of the Python package share. PYTHONPATH names the package's folder."""
import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Skip, check, equal, main, test

import wanrt

folder = tempfile.mkdtemp(prefix="wan-python-")
_owner = os.getpid()


@atexit.register
def _clean():
    if os.getpid() == _owner:
        shutil.rmtree(folder, ignore_errors=True)


def pillow():
    try:
        from PIL import Image
    except ImportError:
        raise Skip("Pillow is not installed (python3-pil)")
    return Image


def numpy():
    try:
        import numpy as module
    except ImportError:
        raise Skip("numpy is not installed (python3-numpy)")
    return module


def pattern(width, height, bands=3):
    """A picture no two pixels of which are by chance the same, as bytes of rows."""
    one = bytearray()
    for y in range(height):
        for x in range(width):
            for c in range(bands):
                one.append((7 * x + 13 * y + 29 * c + ((x * y) >> 5)) & 255)
    return bytes(one)


_pictures = {}


def picture(name, mode="RGB", size=(96, 64), **save):
    """A file of that name, made once. Older than the times in which identity reads contents."""
    path = os.path.join(folder, name)
    if path not in _pictures:
        bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "P": 1}[mode]
        image = pillow().frombytes(mode if mode != "P" else "L", size, pattern(*size, bands))
        if mode == "P":
            image = image.convert("P")
        image.save(path, **save)
        os.utime(path, (1_600_000_000, 1_600_000_000))
        _pictures[path] = True
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


def raises(kind, call, *args, **kwargs):
    """The exception of a kind that the call ends with."""
    try:
        result = call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")


def cache():
    return wanrt.stats()["cache"]


def settle():
    """Nothing is looked at any more."""
    gc.collect()
    gc.collect()


def address(image):
    return image.__array_interface__["data"][0]


def run_python(code, *arguments, before=(), **environment):
    """A program of its own with the package on its path."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("WAN", "LD_"))}
    env.update(environment)
    return subprocess.run([*before, "/usr/bin/python3", "-X", "dev", "-c", code, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          env=env)
