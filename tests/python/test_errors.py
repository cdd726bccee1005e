# SPDX-License-Identifier: MIT
"""Files that are no images, arguments that are none: errors that name object, reason, next step."""
import os
import sys

from support import (check, content, equal, folder, main, pattern, picture, raises, run_python,
                     test, wanrt)


def file(name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as to:
        to.write(content)
    return path


@test
def each_failure_has_its_class():
    missing = os.path.join(folder, "missing.png")
    whole = content(picture("a.png"))
    cases = [
        (missing, FileNotFoundError, wanrt.FileMissingError),
        (folder, IsADirectoryError, wanrt.FileIsFolderError),
        (file("empty.png", b""), OSError, wanrt.DamagedImageError),
        (file("text.png", b"hello, world, I am no image"), OSError, wanrt.DamagedImageError),
        (file("cut.png", whole[:len(whole) // 2]), OSError, wanrt.DamagedImageError),
        (file("bent.png", whole[:60] + b"\0\0\0\0" + whole[64:]), OSError, wanrt.DamagedImageError),
        (file("anim.gif", b"GIF89a" + bytes(40)), OSError, wanrt.UnsupportedImageError),
        ("/dev/null", ValueError, wanrt.ArgumentError),
    ]
    for path, natural, ours in cases:
        if issubclass(ours, wanrt.ImageError):
            check(not wanrt.validate(path), "what is wrong with an image is in its verdict")
        else:
            check(isinstance(raises(wanrt.Error, wanrt.validate, path), ours))
        for call in (wanrt.load, lambda p: wanrt.thumbnail(p, 32),
                     lambda p: wanrt.fit(p, (32, 32)), lambda p: wanrt.load(p, "RGBX"),
                     lambda p: wanrt.frame(p, "diffusers", (832, 480))):
            error = raises(wanrt.Error, call, path)
            check(isinstance(error, natural) and isinstance(error, ours),
                  f"{path}: {type(error).__mro__}")
            equal(error.path, path)
            check(error.reason and error.reason in str(error) and error.code > 0, error)


@test
def hostile_headers_are_refused_before_the_work():
    import struct
    import zlib
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    for side in (1 << 31, 65535, 0):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side & 0xffffffff, side & 0xffffffff, 8, 2, 0,
                                          0, 0))
        path = file(f"huge{side}.png", b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"x" * 40)
                    + chunk(b"IEND", b""))
        error = raises(wanrt.ImageError, wanrt.load, path)
        check(isinstance(error, OSError), error)


@test
def a_file_that_is_cut_off_gives_its_rows_when_asked():
    whole = content(picture("rows.png", size=(400, 400)))
    path = file("rows-cut.png", whole[:len(whole) * 3 // 4])
    raises(wanrt.DamagedImageError, wanrt.load, path)
    image = wanrt.load(path, truncated=True)
    equal(image.size, (400, 400))
    check(image.warnings > 0)
    equal(bytes(memoryview(image))[:1200], pattern(400, 400)[:1200])


@test
def unreadable_files_are_permission_errors():
    if os.geteuid() != 0:
        path = file("closed.png", b"x")
        os.chmod(path, 0)
        check(isinstance(raises(wanrt.Error, wanrt.load, path), PermissionError))
        return
    os.chmod(folder, 0o755)
    path = file("closed.png", b"x")
    os.chmod(path, 0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            wanrt.load(path)
        except PermissionError as error:
            status = 0 if isinstance(error, wanrt.FilePermissionError) else 2
        finally:
            os._exit(status)
    equal(os.waitpid(child, 0)[1], 0)


@test
def wrong_arguments_are_named():
    path = picture("a.png")
    cases = [
        (TypeError, "load() needs the argument 'path'", lambda: wanrt.load()),
        (TypeError, "load() has no argument 'mod'", lambda: wanrt.load(path, mod="L")),
        (TypeError, "load() was given the argument 'path' twice",
         lambda: wanrt.load(path, path=path)),
        (TypeError, "load() takes at most 2 arguments by position (3 given)",
         lambda: wanrt.load(path, "L", "drop")),
        (ValueError, "mode 'BGR' is not one of natural, L, LA, RGB, RGBX, RGBA",
         lambda: wanrt.load(path, "BGR")),
        (TypeError, "mode is a text, not 3", lambda: wanrt.load(path, 3)),
        (ValueError, "alpha 'gone' is not one of keep, drop, white, black, refuse",
         lambda: wanrt.load(path, alpha="gone")),
        (ValueError, "mode 'RGBA' keeps alpha: alpha='drop' asks to lose it",
         lambda: wanrt.load(path, "RGBA", alpha="drop")),
        (ValueError, "a side of 0 pixels", lambda: wanrt.thumbnail(path, 0)),
        (ValueError, "a side of -3 pixels", lambda: wanrt.fit(path, (-3, 5))),
        (ValueError, "a side of 99999999999999999999999 pixels",
         lambda: wanrt.fit(path, (99999999999999999999999, 5))),
        (TypeError, "a size is (width, height) or one number, not (1, 2, 3)",
         lambda: wanrt.fit(path, (1, 2, 3))),
        (TypeError, "float", lambda: wanrt.fit(path, (float("nan"), 5))),
        (ValueError, "how 'fill' is not one of stretch, cover, contain",
         lambda: wanrt.fit(path, (8, 8), "fill")),
        (ValueError, "filter 'nearest' is not one of lanczos, bicubic, bilinear, box",
         lambda: wanrt.fit(path, (8, 8), "cover", "nearest")),
        (TypeError, "expected str, bytes or os.PathLike object, not int", lambda: wanrt.load(7)),
        (ValueError, "embedded null byte", lambda: wanrt.load("a\0b")),
        (ValueError, "pipeline 'sora' is not one of a14b", lambda: wanrt.prepare_pair(
            path, pipeline="sora")),
        (ValueError, "takes no end image", lambda: wanrt.prepare_pair(path, path,
                                                                     pipeline="a14b")),
        (ValueError, "cannot make 0 frames", lambda: wanrt.frame_count("diffusers", 0)),
        (ValueError, "cannot make -1 frames", lambda: wanrt.frame_count("diffusers", -1)),
        (ValueError, "cannot make 4294967377 frames",
         lambda: wanrt.frame_count("diffusers", 2**32 + 81)),
        (ValueError, "frames", lambda: wanrt.frame_count("diffusers", 2**70)),
    ]
    for kind, text, call in cases:
        error = raises(kind, call)
        check(text in str(error), f"{error!r} instead of {text!r}")


@test
def paths_may_be_text_bytes_or_path_objects():
    import pathlib
    path = picture("a.png")
    for given in (path, os.fsencode(path), pathlib.Path(path)):
        equal(wanrt.load(given).size, (96, 64))
        equal(wanrt.validate(given).metadata["path"], given)
    odd = os.path.join(os.fsencode(folder), b"caf\xe9 \xff.png")
    os.link(path, odd)
    equal(wanrt.load(odd).size, (96, 64))
    equal(wanrt.load(os.fsdecode(odd)).size, (96, 64))
    gone = os.path.join(os.fsencode(folder), b"\xff gone")
    equal(os.fsencode(raises(wanrt.Error, wanrt.load, gone).path), gone)


@test
def settings_are_checked_and_applied_whole_or_not_at_all():
    before = wanrt.stats()["cache"]
    error = raises(wanrt.ArgumentError, wanrt.configure, cache_limt="1M")
    check("cache.limt" in str(error) and "cache.limit" in str(error), error)
    raises(wanrt.Error, wanrt.configure, cache_limit="lots")
    raises(wanrt.Error, wanrt.configure, {"cache.entries": -1})
    raises(TypeError, wanrt.configure, {3: 4})
    equal(wanrt.stats()["cache"]["limit_bytes"], before["limit_bytes"])
    kept = wanrt.load(picture("a.png"))
    wanrt.configure({"cache.entries": 7}, cache_limit="32M", runtime_auto_optimize=False)
    cache = wanrt.stats()["cache"]
    equal((cache["limit_bytes"], cache["entry_limit"]), (32 << 20, 7))
    equal(bytes(memoryview(kept))[:3], pattern(96, 64)[:3], "an image of before")
    del kept
    wanrt.configure(cache_entries=8)
    equal(wanrt.stats()["cache"]["limit_bytes"], 32 << 20, "earlier settings stay")


@test
def limits_of_the_configuration_are_kept():
    done = run_python("import sys, wanrt\n"
                      "wanrt.configure(image_max_pixels=100)\n"
                      "try: wanrt.load(sys.argv[1])\n"
                      "except wanrt.ImageTooLargeError as e: print(e)", picture("a.png"))
    check("image.max_pixels" in done.stdout or "pixels" in done.stdout, done)


@test
def it_works_without_numpy_and_pillow():
    path = picture("a.png")
    done = run_python("import sys\n"
                      "sys.modules['PIL'] = sys.modules['numpy'] = None\n"
                      "import wanrt\n"
                      "i = wanrt.load(sys.argv[1])\n"
                      "assert bytes(memoryview(i))[:3] == bytes(%r)\n"
                      "assert wanrt.validate(sys.argv[1]).metadata['format'] == 'PNG'\n"
                      "f = wanrt.cached(lambda a, b: [a, b])\n"
                      "assert f(1, b'x') == f(1, b'x') == [1, b'x'] and f.__wrapped__\n"
                      "assert wanrt.prepare_pair(sys.argv[1], tensors=True).start_tensor\n"
                      "try: i.to_pil()\n"
                      "except ImportError as e: assert 'python3-pil' in str(e)\n"
                      "else: raise SystemExit('no error')\n" % pattern(96, 64)[:3], path)
    equal((done.returncode, done.stderr), (0, ""))


@test
def the_module_tells_what_works():
    import subprocess
    done = subprocess.run([sys.executable, "-m", "wanrt"], stdout=subprocess.PIPE, text=True)
    equal(done.returncode, 0)
    for word in ("wanrt " + wanrt.__version__, "Pillow", "numpy", "256 MB", "recording"):
        check(word in done.stdout, done.stdout)


main(sys.argv[1:])
