# SPDX-License-Identifier: MIT
"""What preloading alone cannot see: the audit companion, and what it must leave alone."""
from recorded import (AUDIT, CHOSEN, GUESTS, HEIGHT, JPEG, PRELOAD, WIDTH, Recorded, Skip, audited,
                      check, environment, equal, expect, fresh, guest, main, need, os,
                      preloaded, read_recordings, record, run_once, shutil, subprocess, test)

SIZE = (WIDTH, HEIGHT)
DECODED = ("jpeg.decode", "libjpeg", *SIZE, "ok")
PYTHON = "/usr/bin/python3"
USER = os.path.join(GUESTS, "libcodec_user.so")
CALL_TURBOJPEG = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[2])
data = open(sys.argv[1], "rb").read()
library.tjInitDecompress.restype = ctypes.c_void_p
handle = ctypes.c_void_p(library.tjInitDecompress())
width, height, sampling, space = (ctypes.c_int() for _ in range(4))
assert library.tjDecompressHeader3(handle, data, ctypes.c_ulong(len(data)), ctypes.byref(width),
                                   ctypes.byref(height), ctypes.byref(sampling),
                                   ctypes.byref(space)) == 0
pixels = ctypes.create_string_buffer(width.value * height.value * 3)
for _ in range(3):
    assert library.tjDecompress2(handle, data, ctypes.c_ulong(len(data)), pixels, width.value, 0,
                                 height.value, 0, 0) == 0
sys.stdout.buffer.write(pixels.raw)
"""


def library_path(soname):
    listed = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True)
    for line in listed.stdout.splitlines():
        if line.split()[:1] == [soname] and "x86-64" in line or "AArch64" in line:
            return line.split()[-1]
    raise Skip(f"no {soname}")


def renamed(soname, other, place):
    """A copy of a library under another name of the same length, as wheels carry them."""
    with open(library_path(soname), "rb") as file:
        content = file.read()
    path = os.path.join(place, other)
    with open(path, "wb") as file:
        file.write(content.replace(soname.encode(), other.encode()))
    return path


def opened(*libraries, **how):
    seen = record([guest("guest_open"), JPEG, *libraries], "open", audit=True, **how)
    equal(seen.outcome.status, 0, seen.outcome.stdout + seen.outcome.stderr)
    return seen


@test
def local_module_is_seen():
    expect(opened("local:" + USER), DECODED)


@test
def deepbind_module_is_seen():
    expect(opened("deep:" + USER), DECODED)
    alone = record([guest("guest_open"), JPEG, "deep:" + USER], "deep-alone")
    expect(alone)  # what the companion is for


@test
def module_in_another_namespace_is_seen():
    expect(opened("other:" + USER), DECODED)
    # Its C library gives out thread-specific keys of its own, from the same slots as the first one.
    expect(opened("other:" + USER, env={"WITH_KEY": "1"}), DECODED)


@test
def memory_of_another_namespace_is_unknown():
    count = os.path.join(os.path.dirname(PRELOAD), "libwanrt-count.so")
    for how, known in ("local", True), ("other", False):
        place = fresh("memory-rec")
        os.chmod(place, 0o700)
        done = run_once([guest("guest_open"), JPEG, how + ":" + USER],
                        {**preloaded(place, **audited()), "LD_PRELOAD": count + ":" + PRELOAD},
                        fresh("memory"))
        equal(done.status, 0, done.stderr)
        decode, = Recorded(read_recordings(place), done).operations
        for name in "memory", "peak":
            equal(decode[name] != "unknown", known, how + ": " + name + f" {decode[name]}")


@test
def functions_asked_for_one_by_one_are_seen():
    expect(opened("dlsym:" + library_path("libjpeg.so.62")), DECODED)


@test
def two_libraries_behind_pointers_of_one_caller_are_never_mixed():
    copy = renamed("libjpeg.so.62", "libjpeX.so.62", fresh("copies"))
    seen = opened("dlsym:" + library_path("libjpeg.so.62"), "dlsym:" + copy)
    expect(seen, DECODED, DECODED)
    names = seen.of("process")[0]["libraries"].split(";")
    equal(len([n for n in names if n.startswith("libjpe")]), 2, names)


@test
def every_way_of_opening_at_once():
    copy = renamed("libjpeg.so.62", "libjpeX.so.62", fresh("copies"))
    expect(opened("other:" + USER, "dlsym:" + copy, "deep:" + USER,
                  "dlsym:" + library_path("libjpeg.so.62")), *[DECODED] * 4)


@test
def linked_program_is_counted_once():
    seen = record([guest("guest_jpeg"), "threads", JPEG, "4"], "linked", audit=True)
    equal(len(seen.operations), 2 * 4 * 4, "operations")


@test
def ctypes_turbojpeg_is_seen():
    library = library_path("libturbojpeg.so.0")
    decoded = ("jpeg.decode", "turbojpeg", *SIZE, "ok")
    command = [PYTHON, "-c", CALL_TURBOJPEG, JPEG]
    expect(record([*command, library], "ctypes", audit=True), *[decoded] * 3)
    copy = renamed("libturbojpeg.so.0", "libturboXXXX.so.0", fresh("copies"))
    expect(record([*command, copy], "ctypes-copy", audit=True), *[decoded] * 3)


@test
def linked_turbojpeg_needs_no_companion():
    need("tjbench")
    command = ["tjbench", JPEG, "-benchtime", "0.01", "-warmup", "0", "-nowrite"]
    for audit in (False, True):
        seen = record(command, "tjbench", same=lambda outcome: outcome.status, audit=audit)
        check(seen.operations, "no operations")
        equal({(o["library"], o["width"], o["height"]) for o in seen.operations},
              {("turbojpeg", *SIZE)}, "operations")


@test
def program_that_looks_for_turbojpeg_does_not_find_ours():
    look = ("import ctypes\nfor n in ('tjDecompress2', 'tj3Decompress8', 'cudaMalloc'):\n"
            "    try: ctypes.CDLL(None)[n]; print(n, 'is there')\n"
            "    except AttributeError: print(n, 'is not there')\n")
    for audit in (False, True):
        seen = record([PYTHON, "-c", look], "look", audit=audit)
        equal(seen.outcome.stdout.count(b"is not there"), 3, seen.outcome.stdout)


TURBOJPEG3 = sorted(
    [("jpeg.decode", 640, 480, "ok", 3, 8, 24)] * 7 + [
        ("jpeg.transform", 640, 480, "ok", 3, 8, 24),
        ("jpeg.encode", 100, 50, "ok", 3, 8, 1008), ("jpeg.encode", 100, 50, "ok", 1, 12, 1012),
        ("jpeg.encode", 100, 50, "ok", 3, 12, 1016), ("jpeg.encode", 100, 50, "ok", 3, 8, 1001),
        ("jpeg.encode", 100, 50, "ok", 3, 8, 1002),
        ("jpeg.decode", 640, 480, "warned", 3, 8, 24),
        ("jpeg.decode", 640, 480, "failed", 3, 8, 24)] +
    [("yuv.convert", 30, 20, "ok", 3, 8, "unknown")] * 4, key=str)


@test
def turbojpeg_3_is_seen():
    for audit in (False, True):
        seen = record([guest("guest_turbojpeg3")], "turbojpeg3", audit=audit)
        equal(sorted(((o["name"], o["width"], o["height"], o["status"], o["channels"], o["depth"],
                       o["file_bytes"]) for o in seen.operations), key=str), TURBOJPEG3,
              "operations")
        scaled = [a for a in seen.of("aggregate") if a["flags"] & 8]
        equal([a["count"] for a in scaled], [1], "scaled decodes")


@test
def interposer_of_somebody_else_does_not_get_itself():
    """Another preloaded library wraps a function and asks for the next one."""
    need("djpeg", "cc")
    place = fresh("interposer")
    source = ("#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\n"
              "int jpeg_read_header(void *c, int r) {\n"
              "int (*real)(void *, int) = dlsym(RTLD_NEXT, \"jpeg_read_header\");\n"
              "fputs(\"wrapped\\n\", stderr); return real(c, r); }\n")
    path = os.path.join(place, "libinterposer.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", path, "-ldl"], input=source,
                   text=True, check=True)
    place = fresh("interposer-rec")
    env = environment(WAN_RECORD_PATH=place + "/", **audited())
    env["LD_PRELOAD"] = path + ":" + PRELOAD  # the order of wanprof run
    command = ["djpeg", "-outfile", "out.ppm", JPEG]
    hooked = run_once(command, env, fresh("interposed"))
    bare = run_once(command, environment(LD_PRELOAD=path), fresh("interposed"))
    check(hooked == bare, hooked.difference(bare))
    equal(hooked.stderr, b"wrapped\n", "calls of the other library")
    expect(Recorded(read_recordings(place), hooked), DECODED)


@test
def companion_alone_changes_nothing():
    need("djpeg")
    bare = run_once(["djpeg", JPEG], environment(), fresh("alone"))
    hooked = run_once(["djpeg", JPEG], environment(**audited()), fresh("alone"))
    check(hooked == bare, hooked.difference(bare))
    copy = os.path.join(fresh("elsewhere"), "libwanrt-audit.so")
    shutil.copy(AUDIT, copy)
    expect(record(["djpeg", JPEG], "copy", env={"LD_AUDIT": copy}), DECODED)


@test
def companion_needs_no_library():
    listed = subprocess.run(["readelf", "-d", AUDIT], stdout=subprocess.PIPE, text=True)
    if listed.returncode:
        raise Skip("no readelf")
    check("NEEDED" not in listed.stdout, listed.stdout)


if __name__ == "__main__":
    main(CHOSEN)
