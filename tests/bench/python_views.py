# SPDX-License-Identifier: MIT
"""What the Python package costs, next to Pillow and numpy in the same run.

    PYTHONPATH=BUILD/tools/python /usr/bin/python3 tests/bench/python_views.py

Predicted: image to numpy at most 1 us and to PIL (RGBX) at most 5 us at 1280x720, whatever the size;
a cached repeat of load, thumbnail, validate 1 to 2 us from Python (0.2 us of it the call, the rest
the library's key and pin); a cached function of a PIL image at the speed of hashing its bytes.
Medians of batches; ratios are firm, single times +-20 %.
"""
import functools
import os
import statistics
import sys
import tempfile
import time

import numpy
import PIL
import wanrt
from PIL import Image

SIZE = (1280, 720)


def median_ns(call, budget_s=0.25):
    """Of one call: batches long enough for the clock, their median."""
    call(), call()
    began = time.perf_counter_ns()
    call()
    one = max(50, time.perf_counter_ns() - began)
    batch = max(1, 200_000 // one)
    samples = []
    end = time.perf_counter() + budget_s
    repeat = range(batch)
    while time.perf_counter() < end or len(samples) < 5:
        began = time.perf_counter_ns()
        for _ in repeat:
            call()
        samples.append((time.perf_counter_ns() - began) / batch)
    return statistics.median(samples)


def text(ns):
    return f"{ns / 1000:9.2f} us" if ns < 1e6 else f"{ns / 1e6:9.2f} ms"


def row(what, ns, baseline=None, base_ns=None, limit_ns=None):
    line = f"{what:<44} {text(ns)}"
    if base_ns:
        line += f"   {baseline:<34} {text(base_ns)}  {base_ns / ns:8.1f}x"
    if limit_ns:
        line += f"   {'met' if ns <= limit_ns else 'NOT MET'}: at most {limit_ns / 1000:g} us"
    print(line, flush=True)


def photograph(size):
    """Smooth with noise: neither flat nor random."""
    random = numpy.random.default_rng(5)
    y, x = numpy.mgrid[0:size[1], 0:size[0]]
    base = numpy.stack([(numpy.sin(x / 97 + c) + numpy.cos(y / 61 - c)) * 60 + 128 for c in range(3)],
                       axis=-1)
    return Image.fromarray((base + random.normal(0, 6, base.shape)).clip(0, 255).astype("u1"))


def views(path):
    print(f"views of {SIZE[0]}x{SIZE[1]}")
    rgb, rgbx = wanrt.load(path), wanrt.load(path, "RGBX")
    theirs = Image.open(path)
    theirs.load()
    wide = theirs.convert("RGBX")
    row("numpy.asarray(image)", median_ns(lambda: numpy.asarray(rgb)), "numpy.asarray(PIL RGB)",
        median_ns(lambda: numpy.asarray(theirs)), 1000)
    row("numpy.asarray(image), RGBX", median_ns(lambda: numpy.asarray(rgbx)),
        "numpy.asarray(PIL RGBX)", median_ns(lambda: numpy.asarray(wide)), 1000)
    row("memoryview(image)", median_ns(lambda: memoryview(rgb)))
    row("image.to_pil(), RGBX: no copy", median_ns(rgbx.to_pil), "PIL.Image.copy(), RGBX",
        median_ns(wide.copy), 5000)
    row("image.to_pil(), RGB: a copy", median_ns(rgb.to_pil), "PIL.Image.copy(), RGB",
        median_ns(theirs.copy))


def repeats(path):
    print("cached repeats, against doing it again with Pillow")

    def thumbnail():
        image = Image.open(path)
        image.thumbnail((256, 256), Image.LANCZOS)

    def decode():
        Image.open(path).load()
    again = median_ns(decode)
    row("load(path)", median_ns(lambda: wanrt.load(path)), "open().load()", again)
    row("load(path, 'RGBX')", median_ns(lambda: wanrt.load(path, "RGBX")), "open().load()", again)
    row("thumbnail(path, 256)", median_ns(lambda: wanrt.thumbnail(path, 256)),
        "open().thumbnail(256)", median_ns(thumbnail))
    row("fit(path, (832, 480))", median_ns(lambda: wanrt.fit(path, (832, 480))))
    row("tensor(path, (832, 480))", median_ns(lambda: wanrt.tensor(path, (832, 480))))
    row("frame(path, 'diffusers', (832, 480))",
        median_ns(lambda: wanrt.frame(path, "diffusers", (832, 480))))
    row("validate(path)", median_ns(lambda: wanrt.validate(path)))
    row("validate(path).issues, .metadata",
        median_ns(lambda: (lambda v: (v.issues, v.metadata))(wanrt.validate(path))))
    row("prepare_pair(path, path)", median_ns(lambda: wanrt.prepare_pair(path, path)))
    row("prepare_pair(path, path, stack=True)",
        median_ns(lambda: wanrt.prepare_pair(path, path, stack=True)))
    print("where the time of load(path) goes")
    row("  a call with one argument", median_ns(lambda: wanrt._wanrt.cache_contains(b"0" * 16)))
    row("  identity of the file (file_key)", median_ns(lambda: wanrt._wanrt.file_key(path)))
    row("  os.stat(path), for comparison", median_ns(lambda: os.stat(path)))
    image = wanrt.load(path)
    row("  one attribute of an image", median_ns(lambda: image.width))


def functions(path):
    print("@cached, against calling the function")
    theirs = Image.open(path)
    theirs.load()
    array = numpy.asarray(theirs)
    ours = wanrt.load(path)

    def shrink(image):
        return image.resize((256, 144), Image.LANCZOS)

    def mean(a):
        return float(a.mean())
    row("shrink(PIL RGB)", median_ns(functools.partial(wanrt.cached(shrink), theirs)),
        "the function", median_ns(lambda: shrink(theirs)))
    row("shrink(PIL RGB), copy=False",
        median_ns(functools.partial(wanrt.cached(shrink, copy=False), theirs)), "tobytes() alone",
        median_ns(theirs.tobytes))
    row("mean(array)", median_ns(functools.partial(wanrt.cached(mean), array)), "the function",
        median_ns(lambda: mean(array)))
    as_array = wanrt.cached(lambda image: float(numpy.asarray(image).mean()))
    row("mean(wanrt.Image): digest kept", median_ns(lambda: as_array(ours)))
    plain = wanrt.cached(lambda a, b=2: a + b)
    kept = functools.lru_cache(lambda a, b=2: a + b)
    row("add(1, 2)", median_ns(lambda: plain(1, 2)), "functools.lru_cache",
        median_ns(lambda: kept(1, 2)))


def main():
    with tempfile.TemporaryDirectory(prefix="wan-bench-") as folder:
        path = os.path.join(folder, "start.jpg")
        photograph(SIZE).save(path, quality=90)
        os.utime(path, (1_600_000_000, 1_600_000_000))
        time.sleep(0.1)  # a fresh file is keyed by its bytes too
        print(f"wanrt {wanrt.__version__}, Pillow {PIL.__version__}, numpy {numpy.__version__}, "
              f"Python {sys.version.split()[0]}")
        for part in (views, repeats, functions):
            part(path)


main()
