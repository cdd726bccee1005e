# SPDX-License-Identifier: MIT
"""Images: pixels equal Pillow's, seen without a copy, alive as long as somebody looks."""
import ctypes
import os
import sys
import pickle
import weakref

from support import (address, cache, check, equal, folder, main, numpy, pattern, picture, pillow,
                     raises, settle, test, wanrt)
from tap import Skip


@test
def pixels_equal_pillows():
    np, Image = numpy(), pillow()
    for name, mode in (("a.png", "RGB"), ("a.jpg", "RGB"), ("b.png", "RGBA"), ("c.png", "L"),
                       ("c.jpg", "L"), ("d.png", "LA"), ("e.jpg", "CMYK")):
        path = picture(name, mode)
        with Image.open(path) as theirs:
            for wanted in (None, "RGB", "L", "RGBX"):
                if mode == "CMYK" and wanted == "L":
                    continue  # by way of RGB, which Pillow rounds otherwise
                ours = wanrt.load(path, wanted)
                expected = np.asarray(theirs.convert(wanted) if wanted else theirs)
                got = np.asarray(ours)
                if wanted == "RGBX":
                    check((got[..., 3] == 255).all(), "the fourth byte of RGBX")
                    got, expected = got[..., :3], np.asarray(theirs.convert("RGB"))
                equal(got.shape, expected.shape, f"{name} as {wanted}")
                check((got == expected).all(), f"{name} as {wanted}")


@test
def the_palette_and_sixteen_bits_are_decoded():
    np, Image = numpy(), pillow()
    path = picture("p.png", "P")
    check((np.asarray(wanrt.load(path)) == np.asarray(Image.open(path).convert("RGB"))).all())
    deep = os.path.join(folder, "deep.png")
    values = (np.arange(96 * 64, dtype=np.uint16) * 10).reshape(64, 96)
    Image.fromarray(values).save(deep)
    ours = wanrt.load(deep)
    equal((ours.mode, ours.dtype, ours.shape), ("I;16", "uint16", (64, 96)))
    check((np.asarray(ours) == values).all())
    check((np.asarray(ours.to_pil()) == values).all())


@test
def numpy_sees_the_same_memory():
    np = numpy()
    image = wanrt.load(picture("a.png"))
    array = np.asarray(image)
    equal(array.ctypes.data, address(image))
    equal((array.shape, str(array.dtype), array.strides), ((64, 96, 3), "uint8", (288, 3, 1)))
    check(not array.flags.writeable and not array.flags.owndata)
    raises(ValueError, array.__setitem__, (0, 0, 0), 1)
    equal(np.array(image, copy=False).ctypes.data, address(image))
    class Only:  # a consumer that knows the array interface alone
        __array_interface__ = image.__array_interface__
    view = np.asarray(Only())
    equal(view.ctypes.data, address(image))
    check(not view.flags.writeable and (view == array).all())
    tensor = wanrt.tensor(picture("a.png"), (48, 32))
    equal((tensor.shape, tensor.dtype, tensor.mode), ((3, 32, 48), "float32", "RGB;F32"))
    equal(np.asarray(tensor).ctypes.data, address(tensor))
    expected = np.asarray(wanrt.fit(picture("a.png"), (48, 32))).astype(np.float32)
    expected = (expected / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    check((np.asarray(tensor) == expected.transpose(2, 0, 1)).all())


@test
def memoryview_needs_no_numpy():
    image = wanrt.load(picture("a.png"))
    view = memoryview(image)
    equal((view.shape, view.format, view.readonly, view.nbytes), ((64, 96, 3), "B", True, 18432))
    equal(view[3, 5, 1], pattern(96, 64)[(3 * 96 + 5) * 3 + 1])
    equal(bytes(view), pattern(96, 64))
    raises(TypeError, view.__setitem__, (0, 0, 0), 1)


@test
def writable_views_are_refused():
    np = numpy()
    image = wanrt.load(picture("a.png"))
    error = raises((BufferError, TypeError, ValueError), np.frombuffer(image, np.uint8).setflags,
                   write=True)
    check(error)
    with open(os.devnull, "rb") as empty:
        raises((BufferError, TypeError), empty.readinto, image)


@test
def pil_shows_rgbx_rgba_and_l_without_a_copy():
    Image, np = pillow(), numpy()
    for name, mode, wanted in (("a.png", "RGB", "RGBX"), ("b.png", "RGBA", None),
                               ("c.png", "L", None), ("e.jpg", "CMYK", None)):
        image = wanrt.load(picture(name, mode), wanted)
        shown = image.to_pil()
        equal((shown.mode, shown.size, shown.readonly), (image.mode, (96, 64), 1))
        if not hasattr(shown.im, "unsafe_ptrs"):
            raise Skip("this Pillow does not tell where its pixels are")
        rows = dict(shown.im.unsafe_ptrs)["image"]
        first = ctypes.cast(rows, ctypes.POINTER(ctypes.c_void_p))[0]
        equal(first, address(image), f"{name}: the first row")
        check((np.asarray(shown).reshape(-1) == np.asarray(image).reshape(-1)).all())
    check(shown.getpixel((3, 2)) == Image.open(picture("e.jpg", "CMYK")).getpixel((3, 2)))


@test
def pil_copies_rgb_and_draws_on_copies_only():
    pillow()
    image = wanrt.load(picture("a.png"))
    copied = image.to_pil()
    equal((copied.mode, copied.size), ("RGB", (96, 64)))
    equal(copied.tobytes(), pattern(96, 64))
    copied.putpixel((0, 0), (1, 2, 3))
    shown = wanrt.load(picture("a.png"), "RGBX").to_pil()
    shown.paste((9, 9, 9), (0, 0, 5, 5))
    equal(shown.getpixel((0, 0))[:3], (9, 9, 9))
    equal(bytes(memoryview(image)), pattern(96, 64))
    equal(bytes(memoryview(wanrt.load(picture("a.png"), "RGBX")))[:3], pattern(96, 64)[:3])


@test
def a_mode_pillow_does_not_have_says_so():
    pillow()
    error = raises(wanrt.ArgumentError, wanrt.tensor(picture("a.png"), (8, 8)).to_pil)
    check("RGB;F32" in str(error) and "numpy" in error.hint, error)


@test
def the_cache_gives_the_same_pixels_again():
    path = picture("again.png")
    first, second = wanrt.load(path), wanrt.load(path)
    check(not first.from_cache and second.from_cache)
    equal(address(first), address(second))
    shown = wanrt.load(path, "RGBX")
    equal(address(shown), address(wanrt.load(path, "RGBX")))
    equal(address(wanrt.load(path, "RGB")), address(first), "RGB is what the file holds")


@test
def a_changed_file_is_decoded_again():
    Image = pillow()
    path = os.path.join(folder, "changing.png")
    Image.new("RGB", (20, 10), (1, 2, 3)).save(path)
    first = wanrt.load(path, "RGBX")
    Image.new("RGB", (20, 10), (4, 5, 6)).save(path)
    second = wanrt.load(path, "RGBX")
    equal(bytes(memoryview(first))[:4], b"\1\2\3\xff")
    equal(bytes(memoryview(second))[:4], b"\4\5\6\xff")


@test
def a_view_survives_del_clear_and_eviction_and_stays_charged():
    np = numpy()
    path = picture("long.png", size=(256, 256))
    wanrt.clear()
    settle()
    image = wanrt.load(path)
    array = np.asarray(image)[10:20]
    there = address(image)
    del image
    settle()
    check(cache()["pinned_bytes"] >= 256 * 256 * 3, cache())
    wanrt.clear()
    equal(cache()["entries"], 0)
    check(cache()["used_bytes"] >= 256 * 256 * 3, "what is looked at stays charged")
    for number in range(60):  # more than the entries that fit
        wanrt.load(picture(f"other{number}.png", size=(200, 200)))
    equal(array.ctypes.data, there + 10 * 256 * 3)
    equal(array.tobytes(), pattern(256, 256)[10 * 768:20 * 768])
    wanrt.clear()
    check(cache()["used_bytes"] >= 256 * 256 * 3)
    del array
    settle()
    check(cache()["used_bytes"] < 256 * 256 * 3, cache())
    equal(cache()["pinned_bytes"], 0)


@test
def pil_images_hold_the_pixels_too():
    pillow()
    wanrt.clear()
    settle()
    shown = wanrt.load(picture("a.png"), "RGBX").to_pil()
    settle()
    check(cache()["pinned_bytes"] > 0)
    wanrt.clear()
    equal(shown.tobytes()[:3], pattern(96, 64)[:3])
    del shown
    settle()
    equal(cache()["pinned_bytes"], 0)


@test
def garbage_collection_breaks_cycles_that_hold_views():
    wanrt.clear()
    settle()
    class Node:
        pass
    node = Node()
    node.me, node.image = node, wanrt.load(picture("a.png"))
    node.view = memoryview(node.image)
    gone = weakref.ref(node.image)
    del node
    settle()
    check(gone() is None)
    equal(cache()["pinned_bytes"], 0)


@test
def an_image_describes_itself():
    image = wanrt.load(picture("a.png"))
    equal((image.width, image.height, image.size, image.channels, image.mode, image.dtype,
           image.nbytes, image.warnings), (96, 64, (96, 64), 3, "RGB", "uint8", 18432, 0))
    equal(repr(image), "<wanrt.Image RGB 96x64>")
    raises(TypeError, wanrt.Image)
    raises(AttributeError, setattr, image, "width", 3)
    raises(TypeError, pickle.dumps, image)


@test
def orientation_and_alpha_follow_the_arguments():
    np, Image = numpy(), pillow()
    path = os.path.join(folder, "turned.jpg")
    exif = Image.Exif()
    exif[0x112] = 6
    Image.frombytes("RGB", (96, 64), pattern(96, 64)).save(path, exif=exif.tobytes(), quality=95)
    equal(wanrt.load(path).size, (64, 96))
    equal(wanrt.load(path, exif=False).size, (96, 64))
    plain = np.asarray(wanrt.load(path, exif=False))
    check((np.asarray(wanrt.load(path)) == np.rot90(plain, -1)).all())
    rgba = picture("b.png", "RGBA")
    theirs = Image.open(rgba)
    check((np.asarray(wanrt.load(rgba, alpha="drop")) == np.asarray(theirs)[..., :3]).all())
    white = Image.new("RGBA", theirs.size, "white")
    white.alpha_composite(theirs)
    ours = np.asarray(wanrt.load(rgba, "RGB", alpha="white")).astype(int)
    check(abs(ours - np.asarray(white)[..., :3]).max() <= 1)
    opaque = np.asarray(wanrt.load(rgba, "RGBX", alpha="white"))
    check((opaque[..., :3] == ours).all() and (opaque[..., 3] == 255).all())
    error = raises(wanrt.AlphaError, wanrt.load, rgba, alpha="refuse")
    check(isinstance(error, OSError) and error.path == rgba, error)
    equal(wanrt.load(picture("a.png"), alpha="refuse").mode, "RGB")


@test
def thumbnails_and_fits_equal_pillows():
    np, Image = numpy(), pillow()
    path = picture("big.png", size=(300, 200))
    with Image.open(path) as theirs:
        theirs.load()
        small = theirs.copy()
        small.thumbnail((64, 64), Image.LANCZOS)
        check((np.asarray(wanrt.thumbnail(path, 64)) == np.asarray(small)).all())
        check((np.asarray(wanrt.thumbnail(path, (64, 64), "RGBX"))[..., :3]
               == np.asarray(small)).all())
        for name in ("lanczos", "bicubic", "bilinear", "box"):
            expected = theirs.resize((96, 80), getattr(Image, name.upper()))
            ours = wanrt.fit(path, (96, 80), "stretch", name)
            check((np.asarray(ours) == np.asarray(expected)).all(), name)
    equal(wanrt.thumbnail(path, 5000).size, (300, 200), "never enlarged")
    equal(wanrt.fit(path, (64, 64)).size, (64, 64))


@test
def half_tensors_are_rounded_to_nearest():
    np = numpy()
    path = picture("a.png")
    whole = np.asarray(wanrt.tensor(path, (48, 32)))
    half = wanrt.tensor(path, (48, 32), dtype="float16")
    equal((half.dtype, half.shape, half.nbytes), ("float16", (3, 32, 48), 2 * 3 * 32 * 48))
    check((np.asarray(half) == whole.astype(np.float16)).all())
    brain = wanrt.tensor(path, (48, 32), dtype="bfloat16")
    bits = np.ascontiguousarray(whole).view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    equal((brain.dtype, np.asarray(brain).dtype), ("bfloat16", np.uint16))
    check((np.asarray(brain) == rounded).all())
    raises(ValueError, wanrt.tensor, path, (8, 8), dtype="int8")


@test
def alpha_goes_over_any_colour():
    np, Image = numpy(), pillow()
    path = picture("b.png", "RGBA")
    theirs = Image.open(path)
    ground = Image.new("RGBA", theirs.size, (10, 200, 30, 255))
    ground.alpha_composite(theirs)
    ours = np.asarray(wanrt.load(path, alpha=(10, 200, 30))).astype(int)
    equal(ours.shape, (64, 96, 3))
    check(abs(ours - np.asarray(ground)[..., :3]).max() <= 1)
    check((np.asarray(wanrt.load(path, alpha="white")) != ours).any())
    for wrong in ((1, 2), (1, 2, 256), (1, 2, "3"), (-1, 0, 0)):
        check("is no colour" in str(raises(ValueError, wanrt.load, path, alpha=wrong)))


main(sys.argv[1:])
