# SPDX-License-Identifier: MIT
"""Codecs inside Python modules: seen, and nothing of it shows in Python."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from recorded import (CHOSEN, HEIGHT, JPEG, PNG, PRELOAD, TRUNCATED_PNG, WIDTH, Recorded, Skip, check,
                      environment, equal, expect, folder, fresh, guest, main, need, preloaded,
                      read_recordings, record, run_once, subprocess, test, write)

PYTHON = "/usr/bin/python3"
SIZE = (WIDTH, HEIGHT)
DECODED = ("png.decode", "pillow", *SIZE, "ok")


def python(program, *arguments, flags=(), name="python", **how):
    """Bare and recorded; every program may use sys and Image."""
    if subprocess.run([PYTHON, "-c", "import PIL"], stderr=subprocess.DEVNULL).returncode:
        raise Skip(f"{PYTHON} has no PIL")
    text = "import sys; from PIL import Image\n" + program
    return record([PYTHON, *flags, "-c", text, *arguments], name, **how)


@test
def dlsym_answers_as_ever():
    first = guest("libdlsym_first.so")
    seen = record([guest("guest_dlsym"), first], "dlsym", env={"LD_LIBRARY_PATH": guest("")})
    equal(seen.outcome.stdout.decode().splitlines(),
          ["next of the program: first", "next of the first: second", "default: program",
           "program: program", "first: first", "no_such_name: 0 1 0", "PyInit__imaging: 0 1 0"],
          "answers")


@test
def pillow_png_is_an_operation_with_file_and_memory():
    seen = python("im = Image.open(sys.argv[1]); im.load()\n"
                  "sys.stdout.buffer.write(im.tobytes()); im.save('out.png')", PNG)
    expect(seen, DECODED, ("png.encode", "pillow", *SIZE, "ok"))
    decode, encode = sorted(seen.operations, key=lambda o: o["name"])
    equal((decode["file"], decode["file_bytes"]), (PNG, os.path.getsize(PNG)), "file read")
    check(encode["file"].endswith("/out.png"), encode)
    for operation in decode, encode:
        equal((operation["channels"], operation["depth"]), (3, 8), "samples")
        check(operation["cpu_ns"] != "unknown", operation)
    check(seen.of("process")[0]["libraries"].startswith("Pillow "), seen.of("process"))


@test
def pillow_png_in_memory():
    seen = python("import io\ndata = open(sys.argv[1], 'rb').read()\n"
                  "Image.open(io.BytesIO(data)).load()\nout = io.BytesIO()\n"
                  "Image.open(sys.argv[1]).convert('L').save(out, 'PNG')\n"
                  "print(len(out.getvalue()))", PNG)
    expect(seen, DECODED, DECODED, ("png.encode", "pillow", *SIZE, "ok"))
    equal(seen.operations[0]["file_bytes"], os.path.getsize(PNG), "bytes in memory")
    equal([o["file"] for o in seen.operations], ["", PNG, ""], "files")
    equal(seen.operations[2]["channels"], 1, "grey")


@test
def pillow_jpeg_is_told_its_file():
    """Pillow hands bytes to libjpeg, whose hooks see no file."""
    seen = python("import io\nim = Image.open(sys.argv[1]); im.load(); im.save('out.jpg')\n"
                  "data = open(sys.argv[1], 'rb').read(); Image.open(io.BytesIO(data)).load()\n"
                  "im.save(io.BytesIO(), 'JPEG'); im.save('out.gif')\n"
                  "Image.open('out.gif').load()", JPEG)
    decoded, encoded = [("jpeg." + n, "libjpeg", *SIZE, "ok") for n in ("decode", "encode")]
    expect(seen, decoded, encoded, decoded, encoded)
    files = [o["file"] for o in seen.operations]
    equal((files[0], os.path.basename(files[1]), files[2:]), (JPEG, "out.jpg", ["", ""]), "files")
    equal([o["file_bytes"] for o in seen.operations],
          [os.path.getsize(JPEG), "unknown", os.path.getsize(JPEG), "unknown"], "sizes")


@test
def samples_of_every_mode():
    modes = {"1": (1, 1), "L": (1, 8), "LA": (2, 8), "P": (1, 8), "RGB": (3, 8), "RGBA": (4, 8),
             "I;16": (1, 16)}
    seen = python("grey = Image.linear_gradient('L').resize((31, 170)).crop((0, 0, 31, 90))\n"
                  "for mode in sys.argv[1:]:\n"
                  "    im = Image.new(mode, (31, 90)) if mode == 'I;16' else grey.convert(mode)\n"
                  "    im.save('x.png')\n"
                  "    Image.open('x.png').load()", *modes)
    for index, (mode, samples) in enumerate(modes.items()):
        for operation in seen.operations[2 * index:2 * index + 2]:
            equal((operation["channels"], operation["depth"]), samples, f"{mode} {operation}")
            equal((operation["width"], operation["height"]), (31, 90), mode)
    equal(len(seen.operations), 2 * len(modes), "operations")


@test
def interlaced_sources_are_told():
    need("convert-im6.q16")
    path = os.path.join(folder, "interlaced.png")
    subprocess.run(["convert-im6.q16", PNG, "-strip", "-interlace", "PNG", path], check=True,
                   env=environment())
    seen = python("Image.open(sys.argv[1]).load()", path)
    expect(seen, DECODED)
    equal(seen.of("aggregate")[0]["flags"], 4, "flags: interlaced")


@test
def opening_and_verifying_are_no_operations():
    seen = python("print(Image.open(sys.argv[1]).size); Image.open(sys.argv[1]).verify()", PNG)
    equal(seen.operations, [], "operations")


def corrupt():
    """The compressed data says nonsense from its middle on; the checksum is right."""
    import struct
    import zlib
    with open(PNG, "rb") as file:
        data = file.read()
    at = data.index(b"IDAT") + 4
    count = struct.unpack(">I", data[at - 8:at - 4])[0]
    body = data[at:at + count // 2] + b"\xff" * (count - count // 2)
    return write("corrupt.png", data[:at] + body + struct.pack(">I", zlib.crc32(b"IDAT" + body)) +
                 data[at + count + 4:])


@test
def outcomes():
    uncaught = python("Image.open(sys.argv[1]).load()", TRUNCATED_PNG, name="truncated")
    equal(uncaught.outcome.status, 1, "exit status")
    check(b"Traceback" in uncaught.outcome.stderr, uncaught.outcome.stderr)
    expect(uncaught, ("png.decode", "pillow", *SIZE, "aborted"))
    expect(python("from PIL import ImageFile; ImageFile.LOAD_TRUNCATED_IMAGES = True\n"
                  "Image.open(sys.argv[1]).load()", TRUNCATED_PNG, name="lenient"),
           ("png.decode", "pillow", *SIZE, "warned"))
    expect(python("try: Image.open(sys.argv[1]).load()\nexcept OSError as e: print(e)", corrupt(),
                  name="corrupt"), ("png.decode", "pillow", *SIZE, "failed"))
    expect(python("class Full:\n    def write(self, data):\n        if len(data) > 999:\n"
                  "            raise OSError('full')\n    def flush(self): pass\n"
                  "Image.open(sys.argv[1]).save(Full(), 'PNG')", PNG, name="full"), DECODED,
           ("png.encode", "pillow", *SIZE, "aborted"))


@test
def parser_that_is_fed_by_pieces():
    seen = python("from PIL import ImageFile\ndata = open(sys.argv[1], 'rb').read()\n"
                  "parser = ImageFile.Parser()\n"
                  "for i in range(0, len(data), 5000): parser.feed(data[i:i + 5000])\n"
                  "print(parser.close().size)", PNG)
    expect(seen, DECODED)


@test
def threads_and_objects_that_never_end():
    seen = python("import threading\nkept = []\n"
                  "def work():\n    for _ in range(5): Image.open(sys.argv[1]).load()\n"
                  "    kept.append(Image.core.zip_decoder('RGB', 'RGB', 0))\n"
                  "threads = [threading.Thread(target=work) for _ in range(4)]\n"
                  "for t in threads: t.start()\nfor t in threads: t.join()", PNG)
    expect(seen, *[DECODED] * 20)


@test
def children_of_every_kind():
    for how in "fork", "spawn", "forkserver":
        program = write(f"children_{how}.py", (
            "import multiprocessing, sys\nfrom PIL import Image\n"
            "def work(path):\n    im = Image.open(path); im.load(); return im.size\n"
            "if __name__ == '__main__':\n    work(sys.argv[1])\n"
            f"    with multiprocessing.get_context('{how}').Pool(2) as pool:\n"
            "        print(pool.map(work, [sys.argv[1]] * 4, chunksize=2))\n"
            "        pool.close(); pool.join()\n").encode())
        seen = record([PYTHON, program, PNG], how)
        expect(seen, *[DECODED] * 5)


@test
def killed_in_the_middle_it_is_named():
    seen = python("import os\nclass File:\n    def __init__(self, f): self.f, self.n = f, 0\n"
                  "    def seek(self, *a): return self.f.seek(*a)\n"
                  "    def tell(self): return self.f.tell()\n"
                  "    def read(self, *a):\n        self.n += len(data := self.f.read(*a))\n"
                  "        if self.n > 60000: os.kill(os.getpid(), 9)\n        return data\n"
                  "Image.open(File(open(sys.argv[1], 'rb'))).load()", PNG)
    equal(seen.outcome.status, -signal.SIGKILL, "status")
    equal([(o["name"], o["width"], o["height"]) for o in seen.of("inflight")],
          [("png.decode", *SIZE)], "in flight")


@test
def no_flag_of_python_matters():
    path = subprocess.run([PYTHON, "-c", "import PIL; print(PIL.__path__[0])"],
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    if not path:
        raise Skip(f"{PYTHON} has no PIL")
    program = ("import sys; sys.path.append(sys.argv[2]); from PIL import Image\n"
               "Image.open(sys.argv[1]).load()")
    for flags in ("-S",), ("-I",), ("-E", "-s"), ("-O", "-B"), ("-X", "dev"):
        seen = record([PYTHON, *flags, "-c", program, PNG, os.path.dirname(path)], "flags")
        expect(seen, DECODED)


@test
def nothing_shows_in_python():
    python("""
import gc, inspect, os, pickle
core = Image.core
im = Image.open(sys.argv[1]); im.load(); im.save('a.png')
ours = ('LD_PRELOAD', 'WAN_RECORD_PATH')
print(sorted(sys.modules), [type(f) for f in sys.meta_path], len(sys.path_hooks), sys.path)
print({k: v for k, v in sorted(os.environ.items()) if k not in ours and k != 'PWD'})
decoder = core.zip_decoder('RGB', 'RGB', 0)
for thing in core.zip_decoder, core.zip_encoder, type(decoder), type(decoder).decode:
    print(str(thing).split(' at 0x')[0], type(thing), thing.__name__, thing.__doc__, dir(thing))
print(dir(core), dir(decoder), sys.getrefcount(decoder), pickle.dumps(core.zip_decoder))
for wrong in (), (1, 2), ('RGB',), ('no', 'no'):
    try: core.zip_decoder(*wrong)
    except Exception as e: print(repr(e))
for call in (lambda: decoder.decode(), lambda: decoder.decode('x'), lambda: decoder.setimage(1, 2),
             lambda: decoder.setimage(im.im, (0, 0, 9999, 9999)), lambda: decoder.cleanup(1)):
    try: print(call())
    except Exception as e: print(repr(e))
""", PNG)


@test
def files_of_the_programs_own_making_are_left_alone():
    """Reads go to it as ever; nothing else is asked."""
    seen = python("""
class File:
    def __init__(self, f): object.__setattr__(self, 'f', f)
    def __getattribute__(self, name):
        print(name); return getattr(object.__getattribute__(self, 'f'), name)
im = Image.open(File(open(sys.argv[1], 'rb'))); im.load()
""", PNG)
    expect(seen, DECODED)
    equal(seen.operations[0]["file"], "", "file")


@test
def hooks_that_are_switched_off():
    seen = python("Image.open(sys.argv[1]).load(); Image.open(sys.argv[2]).load()", PNG, JPEG,
                  env={"WAN_PROFILE_PYTHON_HOOKS": "0"})
    expect(seen, ("jpeg.decode", "libjpeg", *SIZE, "ok"))


@test
def pillow_that_nobody_knows():
    """Another module of that name, or a Pillow of the future: it runs as ever."""
    place = fresh("imaging")
    with open(os.path.join(place, "imaging.c"), "w") as file:
        file.write("""#include <Python.h>
static PyObject *zip_decoder(PyObject *self, PyObject *value) { return Py_BuildValue("i", 7); }
static PyMethodDef methods[] = {{"zip_decoder", zip_decoder, METH_O, "Other."}, {NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "_imaging", NULL, -1, methods};
PyMODINIT_FUNC PyInit__imaging(void) { return PyModule_Create(&def); }
""")
    built = subprocess.run(f"cc -shared -fPIC $(pkg-config --cflags python3) -o {place}/_imaging.so "
                           f"{place}/imaging.c", shell=True, stderr=subprocess.DEVNULL)
    if built.returncode:
        raise Skip("no compiler, or no headers of Python")
    seen = record([PYTHON, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import _imaging\n"
                   "print(_imaging.zip_decoder(3))", place], "unknown")
    equal(seen.outcome.stdout, b"7\n", "answer")
    equal(seen.operations, [], "operations")


@test
def debian_opencv_is_counted_once():
    if subprocess.run([PYTHON, "-c", "import cv2"], stderr=subprocess.DEVNULL).returncode:
        raise Skip(f"{PYTHON} has no cv2")
    seen = record([PYTHON, "-c", "import sys, cv2, numpy\nfor path in sys.argv[1:]:\n"
                   "    im = cv2.imread(path); print(im.shape)\n"
                   "    cv2.imdecode(numpy.fromfile(path, numpy.uint8), 1)\n"
                   "    print(len(cv2.imencode(path[-4:], im)[1]))\n"
                   "print(cv2.imread('none'), cv2.haveImageWriter('x.png'))\n"
                   "try: cv2.imwrite('x.png', None)\nexcept cv2.error as e: print(e)\n"
                   "try: cv2.imread()\nexcept Exception as e: print(e)\n", JPEG, PNG], "cv2",
                  same=lambda outcome: (outcome.status, outcome.stdout, outcome.files))
    jpeg = [("jpeg." + n, "libjpeg", *SIZE, "ok") for n in ("decode", "decode", "encode")]
    expect(seen, *jpeg, *[("png" + n[4:], "libpng", *rest) for n, _, *rest in jpeg])


if __name__ == "__main__":
    main(CHOSEN)
