# SPDX-License-Identifier: MIT
"""What the tests of wan-startend share: a run with its cost, and images made from nothing."""
import atexit
import collections
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Skip, check, equal

STARTEND, WANPROF = (os.path.abspath(path) for path in sys.argv[1:3])
PYTHON = "/usr/bin/python3"
PHOTOS = "/usr/share/backgrounds/mate"
TIMEOUT_S = 60

folder = tempfile.mkdtemp(prefix="wan-startend-")
os.chmod(folder, 0o755)  # one test looks from another user
atexit.register(shutil.rmtree, folder, ignore_errors=True)
count = 0

Done = collections.namedtuple("Done", "status out err cpu_s rss_kib")


def fresh(suffix=""):
    """A path that nothing has yet."""
    global count
    count += 1
    return os.path.join(folder, f"{count:04d}{suffix}")


def environment(**more):
    """No trace of the caller's settings; recordings only where a test asks for one."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("WAN", "XDG_")) and name not in ("LD_PRELOAD", "LD_AUDIT")}
    kept.update(XDG_STATE_HOME=os.path.join(folder, "state"), XDG_RUNTIME_DIR=folder,
                XDG_CONFIG_HOME=folder, HOME=folder, WAN_RECORD_PATH="off", LC_ALL="C.UTF-8")
    kept.update(more)
    return kept


def another_user():
    """How to run as somebody else; a clone in a folder of its owner alone cannot be."""
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    user = {"user": 65534, "group": 65534, "extra_groups": []}
    if subprocess.run(["test", "-r", STARTEND], check=False, **user).returncode:
        raise Skip("the build folder is closed to other users")
    return user


def run(*arguments, env=None, stdout=None, **more):
    """Runs wan-startend and tells what it cost by itself, not what this process cost before."""
    with tempfile.TemporaryFile(dir=folder) as out, tempfile.TemporaryFile(dir=folder) as err:
        process = subprocess.Popen([STARTEND, *arguments], stdin=subprocess.DEVNULL,
                                   stdout=stdout or out, stderr=err, cwd=folder,
                                   env=env or environment(), **more)
        _, state, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(state)
        out.seek(0)
        err.seek(0)
        return Done(process.returncode, out.read().decode(errors="replace"),
                    err.read().decode(errors="replace"), usage.ru_utime + usage.ru_stime,
                    usage.ru_maxrss)


def good(*arguments, **more):
    done = run(*arguments, **more)
    equal(done.status, 0, f"status of {arguments}\n{done.out}{done.err}")
    return done


def one_sentence(done, status, *parts):
    """The exit status, and one line on stderr that names what is wrong."""
    equal(done.status, status, f"exit status ({done.err.strip()})")
    equal(done.err.count("\n"), 1, f"lines on stderr {done.err!r}")
    check(done.err.startswith("wan-startend: "), done.err)
    for part in parts:
        check(part in done.err, f"no {part!r} in {done.err!r}")
    check(all(letter.isprintable() for letter in done.err[:-1]), repr(done.err))


def listed(path):
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def nothing_left(path):
    equal(listed(path), [], f"files in {path}")


def write(content, suffix=""):
    path = fresh(suffix)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def python(code, *arguments):
    """Pillow and numpy stay out of this process: they would hide what the program takes."""
    done = subprocess.run([PYTHON, "-c", code, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, cwd=folder)
    if "ModuleNotFoundError" in done.stderr:
        raise Skip(done.stderr.strip().splitlines()[-1])
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def chunk(name, content, crc=None):
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def ihdr(width, height, depth=8, colour=2, interlace=0, **more):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace),
                 **more)


def png(header, idat=b"", *before):
    return (b"\x89PNG\r\n\x1a\n" + header + b"".join(before) +
            (chunk(b"IDAT", idat) if idat else b"") + chunk(b"IEND", b""))


def noise_rows(width, height):
    """Sharp and coloured, so that the validation has nothing to say."""
    generator = random.Random(width * 65536 + height)
    return b"".join(b"\0" + generator.randbytes(3 * width) for _ in range(height))


def noise_png(width=320, height=256):
    return png(ihdr(width, height), zlib.compress(noise_rows(width, height), 1))


def flat_png(width, height, grey=128):
    """Large, of one colour, a few hundred kB: compressed row by row."""
    press = zlib.compressobj(9)
    row = b"\0" + bytes([grey]) * (3 * width)
    packed = b"".join(press.compress(row) for _ in range(height)) + press.flush()
    return png(ihdr(width, height), packed)


# Arguments: folder. Every kind of picture that is decoded here, of 400x300 pixels.
KINDS = r"""
import os, random, struct, sys, zlib
from PIL import Image
folder, random_bytes = sys.argv[1], random.Random(7).randbytes
small = Image.frombytes("RGB", (100, 75), random_bytes(22500))
rgb = small.resize((400, 300), Image.BICUBIC)
def save(name, image, **more):
    image.save(os.path.join(folder, name), **more)
exif = Image.Exif()
exif[0x0112] = 6
alpha = rgb.convert("L").point(lambda v: 255 if v > 80 else 0)
save("baseline.jpg", rgb, quality=90)
save("progressive.jpg", rgb, quality=90, progressive=True)
save("gray.jpg", rgb.convert("L"), quality=90)
save("cmyk.jpg", rgb.convert("CMYK"), quality=90)
save("rotated.jpg", rgb, quality=95, exif=exif)
save("rgb.png", rgb)
save("gray.png", rgb.convert("L"))
save("rgba.png", Image.merge("RGBA", (*rgb.split(), alpha)))
save("gray-alpha.png", Image.merge("LA", (rgb.convert("L"), alpha)))
palette = rgb.quantize(16)
save("palette.png", palette)
save("palette-transparent.png", palette, transparency=3)
save("bits-1.png", rgb.convert("1"))
save("bits-16.png", Image.frombytes("I;16", (400, 300), random_bytes(400 * 300 * 2)))
"""


def adam7(width, height):
    """An interlaced RGB PNG; Pillow writes none."""
    rows = bytearray()
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)):
        for y in range(y0, height, dy):
            rows.append(0)
            for x in range(x0, width, dx):
                rows += bytes((x * 37 & 255, y * 91 & 255, x * y & 255))
    return png(ihdr(width, height, interlace=1), zlib.compress(bytes(rows)))


def kinds():
    """The folder of the pictures; made once."""
    place = os.path.join(folder, "kinds")
    if not os.path.isdir(place):
        os.mkdir(place)
        python(KINDS, place)
        with open(os.path.join(place, "interlaced.png"), "wb") as file:
            file.write(adam7(400, 300))
    return place


def kind(name):
    return os.path.join(kinds(), name)


def photo_like():
    """Smooth, 1200x900."""
    if not photo_like.path:
        photo_like.path = fresh(".png")
        python("import random, sys\nfrom PIL import Image\n"
               "small = Image.frombytes('RGB', (60, 45), random.Random(3).randbytes(8100))\n"
               "small.resize((1200, 900), Image.BICUBIC).save(sys.argv[1])", photo_like.path)
    return photo_like.path


photo_like.path = None
