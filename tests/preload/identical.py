# SPDX-License-Identifier: MIT
"""Programs do under wanprof run what they do without: the same bytes, files, status and signals.

A table of commands. Each runs bare and with everything that wanprof run puts there by default, in a
folder of its own that holds copies of the inputs; output, messages, files left and status are
compared. status_only: the program prints times or writes them into its files; times_in_messages.
"""
import signal

from recorded import (CHOSEN, JPEG, PRELOAD, Skip, audited, check, environment, equal, folder,
                      fresh, main, os, read_recordings, run_once, shutil, subprocess, test)

PYTHON = "/usr/bin/python3"
COUNT = os.path.join(os.path.dirname(PRELOAD), "libwanrt-count.so")
WORK = os.path.join(folder, "work")  # the same name for each run: messages may hold it
sources = fresh("sources")


def source(name, *command, stdin=None):
    path = os.path.join(sources, name)
    done = subprocess.run(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(), check=True)
    with open(path, "wb") as file:
        file.write(done.stdout)
    return path


small = source("small.ppm", "djpeg", "-scale", "1/4", JPEG)
source("in.jpg", "cjpeg", "-quality", "90", small)
source("progressive.jpg", "cjpeg", "-progressive", small)
source("gray.jpg", "cjpeg", "-grayscale", small)
source("restart.jpg", "cjpeg", "-restart", "1", small)
source("arithmetic.jpg", "cjpeg", "-arithmetic", small)
with open(os.path.join(sources, "in.jpg"), "rb") as file:
    whole = file.read()
for name, content in (("short.jpg", whole[:len(whole) // 2]), ("tiny.jpg", whole[:20]),
                      ("junk.jpg", bytes(range(256)) * 4), ("empty.jpg", b""),
                      ("flipped.jpg", whole[:900] + bytes(b ^ 0x55 for b in whole[900:940]) +
                       whole[940:])):
    with open(os.path.join(sources, name), "wb") as file:
        file.write(content)
if shutil.which("pnmtopng"):
    source("in.png", "pnmtopng", small)
    source("interlaced.png", "pnmtopng", "-interlace", small)
    with open(os.path.join(sources, "in.png"), "rb") as file:
        whole = file.read()
    for name, content in (("short.png", whole[:len(whole) // 2]),
                          ("crc.png", whole[:29] + b"\0\0\0\0" + whole[33:]),
                          ("flipped.png", whole[:3000] + b"\xff" * 40 + whole[3040:])):
        with open(os.path.join(sources, name), "wb") as file:
            file.write(content)

PILLOW = "import sys\nfrom PIL import Image\n"
CV2 = "import sys, cv2\n"
SHELL = "/bin/sh"

# name, command, options: see above; a Python module that is needed; the signal that ends it.
COMMANDS = [
    ("djpeg", ["djpeg", "in.jpg"]),
    ("djpeg into a file", ["djpeg", "-outfile", "out.ppm", "in.jpg"]),
    ("djpeg scaled", ["djpeg", "-scale", "1/2", "-bmp", "in.jpg"]),
    ("djpeg grayscale", ["djpeg", "-grayscale", "-dct", "fast", "in.jpg"]),
    ("djpeg colours", ["djpeg", "-colors", "16", "-gif", "in.jpg"]),
    ("djpeg crop", ["djpeg", "-crop", "64x64+16+16", "in.jpg"]),
    ("djpeg skip", ["djpeg", "-skip", "10,20", "in.jpg"]),
    ("djpeg progressive", ["djpeg", "progressive.jpg"]),
    ("djpeg arithmetic", ["djpeg", "arithmetic.jpg"]),
    ("djpeg restart markers", ["djpeg", "-verbose", "restart.jpg"]),
    ("djpeg short file", ["djpeg", "short.jpg"]),
    ("djpeg header only", ["djpeg", "tiny.jpg"]),
    ("djpeg no image", ["djpeg", "junk.jpg"]),
    ("djpeg empty file", ["djpeg", "empty.jpg"]),
    ("djpeg flipped bits", ["djpeg", "flipped.jpg"]),
    ("djpeg strict", ["djpeg", "-strict", "short.jpg"]),
    ("djpeg memory limit", ["djpeg", "-maxmemory", "10", "progressive.jpg"]),
    ("djpeg missing file", ["djpeg", "nothing.jpg"]),
    ("djpeg bad option", ["djpeg", "-nonsense"]),
    ("djpeg from a pipe", [SHELL, "-c", "cat in.jpg | djpeg | cksum"]),
    ("djpeg into a closed pipe", [SHELL, "-c", "djpeg in.jpg | head -c 100 | cksum"]),
    ("djpeg without stdout", [SHELL, "-c", "djpeg in.jpg >&-; echo $?"]),
    ("djpeg without stdin", [SHELL, "-c", "djpeg <&- 2>&1; echo $?"]),
    ("djpeg without stderr", [SHELL, "-c", "djpeg tiny.jpg 2>&-; echo $?"]),
    ("djpeg onto a full disk", [SHELL, "-c", "djpeg in.jpg > /dev/full; echo $?"]),
    ("djpeg short of files", [SHELL, "-c", "ulimit -n 5; djpeg in.jpg | cksum"]),
    ("djpeg beyond the file size", [SHELL, "-c", "ulimit -f 1; djpeg -outfile out.ppm in.jpg 2>&1"
                                    " | head -1; echo $?"]),
    ("cjpeg", ["cjpeg", "small.ppm"]),
    ("cjpeg progressive", ["cjpeg", "-progressive", "-optimize", "small.ppm"]),
    ("cjpeg arithmetic", ["cjpeg", "-arithmetic", "-quality", "20", "small.ppm"]),
    ("cjpeg in memory", ["cjpeg", "-memdst", "-outfile", "out.jpg", "small.ppm"]),
    ("cjpeg no image", ["cjpeg", "junk.jpg"]),
    ("jpegtran rotated", ["jpegtran", "-rotate", "90", "-trim", "in.jpg"]),
    ("jpegtran cropped", ["jpegtran", "-crop", "64x64+32+32", "in.jpg"]),
    ("jpegtran progressive", ["jpegtran", "-progressive", "-copy", "none", "in.jpg"]),
    ("jpegtran short file", ["jpegtran", "-outfile", "out.jpg", "short.jpg"]),
    ("rdjpgcom", ["rdjpgcom", "-verbose", "in.jpg"]),
    ("wrjpgcom", ["wrjpgcom", "-comment", "hello", "in.jpg"]),
    ("tjbench", ["tjbench", "in.jpg", "-benchtime", "0.001", "-warmup", "0"], "status_only"),
    ("convert jpeg to png", ["convert-im6.q16", "in.jpg", "-strip", "out.png"]),
    ("convert png to jpeg", ["convert-im6.q16", "in.png", "-strip", "out.jpg"]),
    ("convert resized", ["convert-im6.q16", "in.jpg", "-resize", "50%", "-strip", "out.jpg"]),
    ("convert short file", ["convert-im6.q16", "short.jpg", "-strip", "out.ppm"]),
    ("convert bad png", ["convert-im6.q16", "flipped.png", "-strip", "out.ppm"]),
    ("identify", ["identify-im6.q16", "-format", "%w %h %m %k\\n", "in.jpg", "in.png",
                  "progressive.jpg"]),
    ("mogrify", ["mogrify-im6.q16", "-resize", "64x64", "-strip", "in.jpg"]),
    ("compare", ["compare-im6.q16", "-metric", "PSNR", "in.jpg", "progressive.jpg", "out.ppm"]),
    ("montage", ["montage-im6.q16", "in.jpg", "in.png", "-geometry", "64x64", "-strip",
                 "out.ppm"]),
    ("gm convert jpeg", ["gm", "convert", "in.jpg", "+profile", "*", "out.jpg"]),
    ("gm convert png", ["gm", "convert", "in.png", "+profile", "*", "out.ppm"]),
    ("gm identify", ["gm", "identify", "-format", "%w %h %m", "in.jpg"]),
    ("gm bad file", ["gm", "convert", "junk.jpg", "out.ppm"]),
    ("vips copy", ["vips", "copy", "in.jpg", "out.jpg[strip]"]),
    ("vips resize", ["vips", "resize", "in.png", "out.jpg[strip]", "0.5"]),
    ("vips bad file", ["vips", "copy", "tiny.jpg", "out.ppm"], "times_in_messages"),
    ("vipsthumbnail", ["vipsthumbnail", "in.jpg", "--size", "80x", "-o", "t_%s.png[strip]"]),
    ("vipsheader", ["vipsheader", "-f", "width", "in.jpg"]),
    ("oiiotool", ["oiiotool", "in.jpg", "--resize", "100x50", "-o", "out.ppm"]),
    ("oiiotool png", ["oiiotool", "in.png", "-o", "out.ppm"]),
    ("optipng", ["optipng", "-quiet", "-o1", "-out", "out.png", "in.png"]),
    ("optipng bad file", ["optipng", "-o1", "-out", "out.png", "crc.png"]),
    ("pngquant", ["pngquant", "--nofs", "--strip", "-o", "out.png", "16", "in.png"]),
    ("pngcrush", ["pngcrush", "-q", "-reduce", "in.png", "out.png"],
     "times_in_messages"),
    ("pngtopam", ["pngtopam", "in.png"]),
    ("pngtopam interlaced", ["pngtopam", "interlaced.png"]),
    ("pngtopam short file", ["pngtopam", "short.png"]),
    ("pnmtopng", ["pnmtopng", "-interlace", "small.ppm"]),
    ("pngfix", ["pngfix", "--out=out.png", "in.png"]),
    ("jpegtopnm", ["jpegtopnm", "in.jpg"]),
    ("pnmtojpeg", ["pnmtojpeg", "-quality=70", "small.ppm"]),
    ("jpegoptim", ["jpegoptim", "-q", "--strip-all", "in.jpg"]),
    ("cwebp", ["cwebp", "-quiet", "-q", "50", "in.jpg", "-o", "out.webp"]),
    ("rsvg-convert", ["rsvg-convert", "--version"]),
    ("gdk-pixbuf-thumbnailer", ["gdk-pixbuf-thumbnailer", "-s", "64", "in.jpg", "out.png"],
     "status_only"),
    ("gdk-pixbuf-csource", ["gdk-pixbuf-csource", "--raw", "in.png"]),
    ("feh", ["feh", "-l", "in.jpg", "in.png"]),
    ("ffmpeg", ["ffmpeg", "-v", "error", "-i", "in.jpg", "-bitexact", "-threads", "1", "out.png"]),
    ("Pillow decode", [PYTHON, "-c", PILLOW + "im = Image.open('in.jpg').convert('RGB')\n"
                       "sys.stdout.buffer.write(im.tobytes())"], "PIL"),
    ("Pillow png", [PYTHON, "-c", PILLOW + "Image.open('in.png').save('out.png')"], "PIL"),
    ("Pillow thumbnail", [PYTHON, "-c", PILLOW + "im = Image.open('in.jpg')\n"
                          "im.thumbnail((64, 64)); im.save('out.jpg', quality=80)"], "PIL"),
    ("Pillow short file", [PYTHON, "-c", PILLOW + "Image.open('short.jpg').load()"], "PIL"),
    ("Pillow bad png", [PYTHON, "-c", PILLOW + "Image.open('flipped.png').load()"], "PIL"),
    ("Pillow threads", [PYTHON, "-c", PILLOW + "from concurrent.futures import ThreadPoolExecutor\n"
                        "with ThreadPoolExecutor(4) as pool:\n"
                        "    print(list(pool.map(lambda n: sum(Image.open('in.jpg').resize((n, n))"
                        ".convert('L').tobytes()), range(8, 24))))"], "PIL"),
    ("OpenCV", [PYTHON, "-c", CV2 + "im = cv2.imread('in.jpg')\n"
                "cv2.imwrite('out.png', im); cv2.imwrite('out.jpg', im)"], "cv2"),
    ("OpenCV bad file", [PYTHON, "-c", CV2 + "print(cv2.imread('junk.jpg'))"], "cv2"),
    ("Python exit status", [PYTHON, "-c", "import sys; sys.exit(77)"]),
    ("Python fork", [PYTHON, "-c", PILLOW + "import os\npid = os.fork()\n"
                     "Image.open('in.jpg').load()\nif pid: print(os.waitpid(pid, 0)[1])"], "PIL"),
    ("Python subprocess", [PYTHON, "-c", "import subprocess\nprint(len(subprocess.run("
                           "['djpeg', 'in.jpg'], stdout=subprocess.PIPE).stdout))"]),
    ("shell loop", [SHELL, "-c", "for f in in gray restart; do djpeg $f.jpg | cjpeg | cksum; done"]),
    ("xargs", [SHELL, "-c", "ls *.jpg | sort | xargs -n 1 -P 1 djpeg 2>&1 | cksum"]),
    ("killed by itself", [SHELL, "-c", "djpeg in.jpg | cksum; kill -TERM $$"], signal.SIGTERM),
    ("aborted", [PYTHON, "-c", PILLOW + "import os\nImage.open('in.jpg').load(); os.abort()"],
     "PIL", signal.SIGABRT),
    ("killed hard", [SHELL, "-c", "kill -KILL $$"], signal.SIGKILL),
    ("segmentation fault", [PYTHON, "-c", "import ctypes; ctypes.string_at(0)"], signal.SIGSEGV),
    ("broken pipe", [SHELL, "-c", "exec djpeg in.jpg | exec true; echo done"]),
    ("alarm", [PYTHON, "-c", "import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\ntime.sleep(9)"],
     signal.SIGALRM),
    ("handler", [PYTHON, "-c", PILLOW + "import os, signal\n"
                 "signal.signal(signal.SIGUSR1, lambda *a: Image.open('in.jpg').load())\n"
                 "os.kill(os.getpid(), signal.SIGUSR1); print('alive')"], "PIL"),
    ("environment", [SHELL, "-c", "env | grep -v '^LD_\\|^WAN_\\|^GLIBC_TUNABLES\\|^PWD' | sort"]),
    ("descriptors", [SHELL, "-c", "ls /proc/self/fd | wc -l"]),
]


def everything(place):
    """The environment that wanprof run makes by default."""
    return environment(LD_PRELOAD=COUNT + ":" + PRELOAD, WAN_RECORD_PATH=place + "/", **audited())


def run(command, env):
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(sources, WORK)
    return run_once(command, env, WORK)


def look(name, command, *options):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    for module in (o for o in options if o in ("PIL", "cv2")):
        if subprocess.run([PYTHON, "-c", "import " + module],
                          stderr=subprocess.DEVNULL).returncode:
            raise Skip(f"{PYTHON} has no {module}")
    records = fresh("rec")
    os.chmod(records, 0o700)
    bare, hooked = run(command, environment()), run(command, everything(records))
    for wanted in (o for o in options if isinstance(o, signal.Signals)):
        equal(bare.status, -wanted, "the bare run was to end by")
    if "status_only" in options:
        equal(hooked.status, bare.status, "status")
    elif "times_in_messages" in options:
        check((hooked.status, hooked.files) == (bare.status, bare.files), hooked.difference(bare))
    else:
        check(hooked == bare, hooked.difference(bare))
    read_recordings(records)  # whole, or it says so


ran = []


def add(entry):
    def one():
        look(*entry)
        ran.append(entry[0])
    one.__name__ = entry[0].replace(" ", "_") + "_is_the_same"
    test(one)


for command in COMMANDS:
    add(command)


@test
def at_least_fifty_commands_were_compared():
    if CHOSEN:
        raise Skip("a part was chosen")
    check(len(ran) >= 50, f"{len(ran)} only")


if __name__ == "__main__":
    main(CHOSEN)
