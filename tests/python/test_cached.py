# SPDX-License-Identifier: MIT
"""@wanrt.cached: told apart by content, handed out safely, charged truly."""
import dataclasses
import enum
import functools
import gc
import os
import sys
import pathlib
import weakref

from support import (address, cache, check, equal, folder, main, numpy, pattern, picture, pillow,
                     raises, settle, test, wanrt)


def counted(**options):
    """A cached function that counts its runs; no two of them share."""
    runs = []

    @wanrt.cached(**options)
    def function(*args, **kwargs):
        runs.append((args, kwargs))
        return len(runs)
    function.runs = runs
    return function


@test
def equal_images_are_one_and_different_ones_are_not():
    Image = pillow()
    f = counted()
    first = Image.frombytes("RGB", (30, 10), pattern(30, 10))
    other = Image.frombytes("RGB", (30, 10), pattern(30, 10))
    other.putpixel((0, 0), other.getpixel((0, 0)))
    equal(f(first), 1)
    equal(f(other), 1, "made twice")
    equal(f(first.convert("RGBX").convert("RGB")), 1, "by way of another mode")
    changed = first.copy()
    changed.putpixel((29, 9), (1, 2, 3))
    equal(f(changed), 2)
    equal(f(Image.new("RGB", (512, 512))), 3)
    equal(f(Image.new("RGB", (1024, 256))), 4, "the same bytes in another shape")
    equal(f(Image.new("L", (30, 10))), 5)
    equal(f(Image.new("RGB", (10, 10))), 6, "as many bytes in another mode")
    opened = Image.open(picture("a.png"))
    equal(f(opened), 7, "not loaded before")
    equal(f(Image.frombytes("RGB", (96, 64), pattern(96, 64))), 7)


@test
def every_mode_of_pillow_is_told_apart_by_its_pixels():
    Image = pillow()
    f = counted()
    base = Image.frombytes("RGB", (40, 30), pattern(40, 30))
    seen = set()
    for mode in ("1", "L", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F",
                 "LA", "I;16"):
        if mode == "LAB":
            image = Image.new("LAB", (40, 30), (1, 2, 3))
        elif mode == "I;16":
            image = Image.new("I;16", (40, 30), 300)
        else:
            image = base.convert(mode)
        seen.add(f(image))
        equal(f(image.copy()), len(seen), mode)
        edited = image.copy()
        before = edited.getpixel((39, 29))
        edited.putpixel((39, 29), 0 if isinstance(before, (int, float)) else
                        tuple(255 - v for v in before))
        if edited.getpixel((39, 29)) != before:
            seen.add(f(edited))
    equal(len(seen), len(f.runs))
    palette = base.quantize(8)
    same_indices = palette.copy()
    colours = palette.getpalette()
    same_indices.putpalette([255 - c for c in colours])
    check(f(palette) != f(same_indices), "another palette")
    noted = base.copy()
    noted.info["icc_profile"] = b"profile"
    check(f(noted) != f(base), "another colour profile")


@test
def arrays_are_told_apart_by_shape_dtype_and_bytes():
    np = numpy()
    f = counted()
    a = np.arange(24, dtype=np.float32).reshape(4, 6)
    equal(f(a), 1)
    equal(f(a.copy(order="F")), 1, "the same values in another order of memory")
    wide = np.zeros((4, 12), np.float32)
    wide[:, ::2] = a
    equal(f(wide[:, ::2]), 1, "a view with gaps")
    equal(f(a.reshape(6, 4)), 2)
    equal(f(a.astype(np.float64)), 3)
    equal(f(a.view(np.int32)), 4)
    b = a.copy()
    b[3, 5] = np.nan
    equal(f(b), 5)
    equal(f(b.copy()), 5)
    equal(f(np.float32(1)), 6)
    equal(f(np.float64(1)), 7)
    equal(f(1.0), 8)
    masked = np.ma.masked_array([1, 2, 3], [0, 1, 0])
    equal(f(masked), 9)
    equal(f(np.ma.masked_array([1, 2, 3], [0, 0, 1])), 10)
    dates = np.array(["2026-11-20"], "M8[D]")
    equal(f(dates), 11)
    equal(f(dates + np.timedelta64(1, "D")), 12)
    large = np.zeros(1 << 20, np.uint8)
    equal(f(large), 13)
    large[-1] = 1
    equal(f(large), 14)
    raises(TypeError, f, np.array([object()]))


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Options:
    steps: int
    name: str = "x"


@test
def plain_values_are_told_apart_by_kind_and_value():
    values = [None, True, False, 0, 1, -1, 1 << 70, -(1 << 70), 0.0, -0.0, 1.0, float("nan"), 1j,
              "", "a", "ab", b"", b"a", bytearray(b"a"), "\ud800", (), (1,), (1, 2), ((1,), 2),
              [1, 2], [], {}, {"a": 1}, {"a": 2}, {1: 2}, {1, 2}, frozenset((1, 2)), {1, 3}, ...,
              int, str, Colour.RED, Colour.BLUE, Options(1), Options(2), Options(1, "y"), range(3),
              range(4), slice(1, 2), "x" * 5000, "x" * 4999 + "y", pathlib.Path("/nowhere"),
              [[[[1], 2], 3], 4]]
    f = counted()
    results = [f(value) for value in values]
    equal(results, list(range(1, len(values) + 1)))
    equal([f(value) for value in values], results)
    equal(f({"b": 1, "a": 2}), f({"a": 2, "b": 1}))
    equal(f({3, 1, 2}), f({2, 3, 1}))
    check(f("a", "b") != f("ab") and f(("a", "b")) != f("a", "b"))


@test
def a_file_behind_a_path_object_counts_as_it_is():
    path = pathlib.Path(folder, "some.txt")
    path.write_text("one")
    f = counted()
    equal((f(path), f(path)), (1, 1))
    path.write_text("two")
    equal((f(path), f(path)), (2, 2))


@test
def what_cannot_be_told_apart_is_refused_with_a_way_out():
    f = counted()
    for value in (object(), lambda: 1, open, (n for n in ()), [object()], gc):
        error = raises(TypeError, f, value)
        check("cannot be made a key" in str(error) and "key=" in str(error), error)
    equal(f.runs, [])
    deep = []
    deep.append(deep)
    raises(RecursionError, f, deep)

    class Model:
        name = "vae"

        @wanrt.cached(key=lambda self, n: (self.name, n))
        def run(self, n):
            return (self.name, n)
    one, two = Model(), Model()
    two.name = "other"
    equal((one.run(3), two.run(3), Model().run(3)), (("vae", 3), ("other", 3), ("vae", 3)))
    equal(Model.run.cache_info()["misses"], 2)


@test
def it_does_not_matter_how_an_argument_is_given():
    runs = []

    @wanrt.cached
    def f(a, b=2, *rest, c=3, **more):
        runs.append(1)
        return len(runs)
    equal({f(1), f(1, 2), f(a=1), f(1, b=2), f(b=2, a=1), f(1, c=3), f(1, 2, c=3)}, {1})
    equal((f(1, 2, 3), f(1, 2, c=4), f(1, 2, d=3), f(1, 2, d=3), f(1, 2, e=3)), (2, 3, 4, 4, 5))
    raises(TypeError, f)
    equal(f.__name__, "f")
    equal(f.__wrapped__(1), 6)


@test
def functions_share_by_code_not_by_name():
    def make(text):
        names = {}
        exec(f"def step(x):\n    return {text}", names)
        return wanrt.cached(names["step"])
    first, again, other = make("x + 1"), make("x + 1"), make("x + 2")
    equal((first(1), other(1), again(1)), (2, 3, 2))
    equal((first.cache_info()["misses"], again.cache_info()["misses"]), (1, 0))

    def scaled(by):
        @wanrt.cached
        def scale(x):
            return x * by
        return scale
    equal((scaled(2)(3), scaled(5)(3)), (6, 15))
    equal(wanrt.cached(functools.partial(max, 3))(1), 3)


@test
def empty_results_are_kept():
    for nothing in (None, False, 0, "", (), b""):
        runs = []

        @wanrt.cached
        def f(x, nothing=nothing):
            runs.append(x)
            return nothing
        equal((f(1), f(1), len(runs)), (nothing, nothing, 1))


@test
def results_are_copies_that_nobody_else_has():
    np, Image = numpy(), pillow()
    source = np.arange(12.0)

    @wanrt.cached
    def arrays(n):
        return source if n == 0 else source[2:8]

    @wanrt.cached
    def images(image):
        return image

    @wanrt.cached
    def mixed(n):
        return {"list": [1, 2], "array": source[:3]}
    for n in (0, 1):
        first = arrays(n)
        first[:] = -1
        source[:] = np.arange(12.0)
        second = arrays(n)
        second[:] = -2
        equal(list(arrays(n)), list(range(12)) if n == 0 else list(range(2, 8)))
    image = Image.new("RGB", (8, 8), (1, 1, 1))
    got = images(image)
    got.putpixel((0, 0), (9, 9, 9))
    again = images(Image.new("RGB", (8, 8), (1, 1, 1)))
    equal(again.getpixel((0, 0)), (1, 1, 1))
    again.putpixel((0, 0), (7, 7, 7))
    again.load()[1, 1] = (5, 5, 5)
    equal(images(Image.new("RGB", (8, 8), (1, 1, 1))).getpixel((0, 0)), (1, 1, 1))
    kept = mixed(1)
    kept["list"].append(3)
    kept["array"][0] = 99
    source[:] = np.arange(12.0)
    equal((mixed(1)["list"], mixed(1)["array"][0]), ([1, 2], 0.0))

    class Stubborn:
        def __deepcopy__(self, memo):
            raise ValueError("no")
    error = raises(TypeError, wanrt.cached(lambda: Stubborn()))
    check("copy=False" in str(error), error)


@test
def without_copies_views_are_read_only_and_keep_the_entry_charged():
    np, Image = numpy(), pillow()

    @wanrt.cached(copy=False)
    def array(n):
        return np.full((300, 300), n, np.float32)

    @wanrt.cached(copy=False)
    def image(n):
        return Image.new("RGB", (300, 300), (n, n, n))
    array(1), image(1)
    wanrt.clear()
    settle()
    equal(cache()["pinned_bytes"], 0)
    a = array(1)
    raises(ValueError, a.__setitem__, 0, 5)
    b = array(1)
    raises(ValueError, b.__setitem__, 0, 5)
    equal((b.dtype, b.shape, float(b[3, 3])), (np.float32, (300, 300), 1.0))
    equal(b.ctypes.data, array(1).ctypes.data, "one memory")
    part = b[5:7]
    del b
    settle()
    check(cache()["pinned_bytes"] >= 360000, cache())
    wanrt.clear()
    check(cache()["used_bytes"] >= 360000, "a part of it is looked at")
    equal(float(part[0, 0]), 1.0)
    del part
    settle()
    check(cache()["used_bytes"] < 360000, cache())

    first = image(4)
    first.paste((8, 8, 8), (0, 0, 9, 9))
    equal(first.getpixel((0, 0)), (8, 8, 8))
    second = image(4)
    equal(second.getpixel((0, 0)), (4, 4, 4), "drawing was on a copy")
    second.putpixel((0, 0), (7, 7, 7))
    third = image(4)
    equal(third.getpixel((0, 0)), (4, 4, 4))
    check(cache()["pinned_bytes"] >= 360000)
    shared = wanrt.cached(lambda: [1], copy=False)
    check(shared() is shared())


@test
def bytes_are_charged_as_they_are():
    np, Image = numpy(), pillow()
    makers = {
        "array": (lambda: np.zeros((500, 400), np.float32), 800000),
        "view": (lambda: np.zeros((500, 400), np.float32)[:10], 10 * 400 * 4),
        "RGB": (lambda: Image.new("RGB", (500, 400)), 500 * 400 * 4),
        "L": (lambda: Image.new("L", (500, 400)), 500 * 400),
        "F": (lambda: Image.new("F", (500, 400)), 500 * 400 * 4),
        "bytes": (lambda: bytes(123456), 123456),
        "dict": (lambda: {"a": np.zeros(100000), "b": [bytes(50000)] * 3}, 850000),
        "sized": (lambda: "x", 777777),
    }
    for name, (make, expected) in makers.items():
        f = wanrt.cached(make, size=(lambda _: 777777) if name == "sized" else None)
        before = cache()["used_bytes"]
        f()
        charged = cache()["used_bytes"] - before
        check(expected <= charged <= expected + 2000, f"{name}: {charged} for {expected}")
        f.cache_clear()
        equal(cache()["used_bytes"], before, name)


@test
def what_has_no_room_is_handed_out_all_the_same():
    runs = []
    limit = cache()["limit_bytes"]

    @wanrt.cached(size=lambda value: limit + 1)
    def oversize(n):
        runs.append(n)
        return n
    before = cache()["entries"]
    equal((oversize(1), oversize(1), runs), (1, 1, [1, 1]))
    equal(cache()["entries"], before, "nothing else was evicted for it")


@test
def eviction_destroys_results_and_they_are_computed_again():
    class Result:
        pass
    alive = weakref.WeakSet()

    @wanrt.cached(copy=False, size=lambda value: 20 << 20)
    def f(n):
        result = Result()
        alive.add(result)
        return result
    for n in range(40):
        f(n)
    settle()
    check(cache()["used_bytes"] <= cache()["limit_bytes"], cache())
    check(1 <= len(alive) <= 12, f"{len(alive)} alive")
    before = f.cache_info()["misses"]
    f(0)
    equal(f.cache_info()["misses"], before + 1)
    wanrt.clear()
    settle()
    equal(len(alive), 0)


@test
def a_function_can_be_cleared_and_asked():
    f, other = counted(), counted()
    f(1), f(2), f(1), other(1)
    equal(f.cache_info(), {"hits": 1, "misses": 2, "entries": 2})
    check(f.cache_contains(1) and not f.cache_contains(3))
    check(f.cache_forget(1) and not f.cache_forget(1) and not f.cache_contains(1))
    f.cache_clear()
    equal(f.cache_info(), {"hits": 0, "misses": 0, "entries": 0})
    check(other.cache_contains(1))
    equal(f(1), 3)


@test
def requests_are_counted_once():
    f = counted()
    before = cache()
    f(1), f(1), f(1), f(2)
    after = cache()
    equal((after["requests"] - before["requests"], after["hits"] - before["hits"],
           after["misses"] - before["misses"]), (4, 2, 2))


@test
def cached_images_of_ours_are_keyed_by_their_pixels():
    pillow()
    f = counted()
    copy = os.path.join(folder, "copy-of-a.png")
    os.link(picture("a.png"), copy)
    image = wanrt.load(picture("a.png"))
    equal((f(image), f(image), f(wanrt.load(picture("a.png")))), (1, 1, 1))
    equal(f(wanrt.load(copy)), 1, "another file of the same pixels")
    equal(f(wanrt.load(picture("a.png"), "RGBX")), 2)
    returned = wanrt.cached(lambda: wanrt.load(picture("a.png")))
    check(address(returned()) == address(returned()) == address(image))


@test
def coroutines_and_generators_are_refused():
    async def coroutine():
        pass

    def generator():
        yield 1
    raises(TypeError, wanrt.cached, coroutine)
    raises(TypeError, wanrt.cached, generator)
    raises(TypeError, wanrt.cached, 3)
    raises(TypeError, lambda: wanrt.cached(lambda: 1, copies=True))


main(sys.argv[1:])
