# SPDX-License-Identifier: MIT
"""Run a program bare and recorded, compare what it did, and read what was recorded.

Scripts are started with: PRELOAD_LIBRARY LIST_OPERATIONS GUEST_FOLDER [TEST NAME PART...]
"""
import atexit
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Skip, check, equal, main, test  # noqa: E402,F401  (for the scripts)

PRELOAD, LISTER, GUESTS = (os.path.abspath(a) for a in sys.argv[1:4])
AUDIT = os.path.normpath(os.path.join(os.path.dirname(PRELOAD), "../audit/libwanrt-audit.so"))
CHOSEN = sys.argv[4:]
WIDTH, HEIGHT = 1280, 720
TIMEOUT_S = 120

folder = tempfile.mkdtemp(prefix="wan-preload-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
serial = 0


def fresh(name):
    """A folder of its own for each run."""
    global serial
    serial += 1
    path = os.path.join(folder, f"{serial:03d}-{name}")
    os.mkdir(path)
    return path


def guest(name):
    return os.path.join(GUESTS, name)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def environment(**extra):
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("WAN_") and k not in ("LD_PRELOAD", "LD_AUDIT")}
    kept.update(LC_ALL="C", VIPS_CONCURRENCY="2", MAGICK_THREAD_LIMIT="1", OMP_NUM_THREADS="1")
    kept.update(extra)
    return kept


class Outcome:
    """What a person could see of a run: status, output, files it left."""

    def __init__(self, status, stdout, stderr, files):
        self.status, self.stdout, self.stderr, self.files = status, stdout, stderr, files

    def __eq__(self, other):
        return vars(self) == vars(other)

    def difference(self, other):
        for name in ("status", "stdout", "stderr"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                return f"{name}: {mine[:300] if name != 'status' else mine!r} recorded, " \
                       f"{theirs[:300] if name != 'status' else theirs!r} bare"
        names = [n for n in set(self.files) | set(other.files)
                 if self.files.get(n) != other.files.get(n)]
        return f"files that differ: {sorted(names)}"


def run_once(command, env, cwd, stdin=None, timeout=TIMEOUT_S, **how):
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run(command, env=env, cwd=cwd, stdin=source, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout, **how)
    files = {}
    for place, _, names in os.walk(cwd):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, cwd)] = file.read()
    return Outcome(done.returncode, done.stdout, done.stderr, files)


def parse(line):
    kind, *fields = line.split("\t")
    record = {"kind": kind}
    for field in fields:
        name, _, value = field.partition("=")
        record[name] = int(value) if value.lstrip("-").isdigit() else value
    return record


def read_recordings(place):
    paths = sorted(os.path.join(place, n) for n in os.listdir(place))
    if not paths:
        return []
    done = subprocess.run([LISTER, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace", timeout=TIMEOUT_S)
    equal(done.returncode, 0, "reading " + " ".join(paths) + done.stderr + done.stdout[-500:])
    return [parse(line) for line in done.stdout.splitlines()]


class Recorded:
    """Lines of all recordings of one run."""

    def __init__(self, lines, outcome):
        self.lines, self.outcome = lines, outcome

    def of(self, kind, **fields):
        return [r for r in self.lines if r["kind"] == kind and
                all(r.get(k) == v for k, v in fields.items())]

    @property
    def operations(self):
        return self.of("operation")


def preloaded(place, **extra):
    return environment(LD_PRELOAD=PRELOAD, WAN_RECORD_PATH=place + "/", **extra)


def audited():
    """What wanprof run adds for the companion."""
    return {"LD_AUDIT": AUDIT, "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=16384"}


def record(command, name="run", stdin=None, compare=True, env=None, same=None, audit=False, **how):
    """Run bare, then recorded; both must look alike. same: what to compare of an Outcome."""
    same = same or (lambda outcome: outcome)
    place = fresh(name + "-rec")
    os.chmod(place, 0o700)
    added = {**(env or {}), **(audited() if audit else {})}
    hooked = run_once(command, preloaded(place, **added), fresh(name + "-hooked"), stdin, **how)
    if compare:
        bare = run_once(command, environment(**(env or {})), fresh(name + "-bare"), stdin, **how)
        check(same(hooked) == same(bare), hooked.difference(bare))
    return Recorded(read_recordings(place), hooked)


def expect(recorded, *wanted):
    """Exactly these operations: (name, library, width, height, status), in any order."""
    seen = sorted((o["name"], o["library"], o["width"], o["height"], o["status"])
                  for o in recorded.operations)
    equal(seen, sorted(wanted), "operations")
    for operation in recorded.operations:
        check(0 < operation["span_ns"] < 60e9, operation)
        check(0 < operation["inside_ns"] <= operation["span_ns"], operation)
    for line in recorded.of("coverage"):
        equal(line["unresolved"], 0, "unresolved functions")


# Images: the same bytes at each run.

def pixels(width=WIDTH, height=HEIGHT):
    rows = []
    for y in range(height):
        row = bytearray()
        for x in range(width):
            row += bytes(((x * 255 // width) ^ (y >> 3) & 31, (x * y >> 7) & 255,
                          (y * 255 // height + (x >> 4 & 1) * 40) & 255))
        rows.append(bytes(row))
    return rows


def png_bytes(rows, width, height):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(
            ">I", zlib.crc32(name + body))
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def write(name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def made_by(command, name):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
                          env=environment())
    return write(name, done.stdout)


def encode_jpeg(ppm, *options):
    if shutil.which("cjpeg"):
        return ["cjpeg", "-quality", "90", *options, ppm]
    raise SystemExit("1..0 # SKIP cjpeg is needed to make the test images")


_rows = pixels()
PPM = write("in.ppm", b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT) + b"".join(_rows))
PNG = write("in.png", png_bytes(_rows, WIDTH, HEIGHT))
JPEG = made_by(encode_jpeg(PPM), "in.jpg")
PROGRESSIVE = made_by(encode_jpeg(PPM, "-progressive"), "progressive.jpg")
with open(JPEG, "rb") as _file:
    _jpeg = _file.read()
with open(PNG, "rb") as _file:
    _png = _file.read()
TRUNCATED_JPEG = write("truncated.jpg", _jpeg[:len(_jpeg) * 6 // 10])
_at = _jpeg.index(b"\xff\xc4")
BAD_TABLE_JPEG = write("bad_table.jpg", _jpeg[:_at + 5] + b"\xff" * 16 + _jpeg[_at + 21:])
TRUNCATED_PNG = write("truncated.png", _png[:len(_png) * 6 // 10])
BAD_CRC_PNG = write("bad_crc.png", _png[:16] + _png[16:29] + b"\0\0\0\0" + _png[33:])
