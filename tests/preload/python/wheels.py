# SPDX-License-Identifier: MIT
"""Real wheels from a Python package index, in virtual environments. Only in the full tier
(WAN_TEST_TIER=full): it downloads some 150 MB; WAN_TEST_TORCH=1 adds PyTorch with 6 GB."""
import atexit
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from recorded import (CHOSEN, HEIGHT, JPEG, PNG, TRUNCATED_JPEG, TRUNCATED_PNG, WIDTH, Skip, check,
                      environment, equal, expect, main, record, subprocess, test)

PYTHON = "/usr/bin/python3"
SIZE = (WIDTH, HEIGHT)
place = tempfile.mkdtemp(prefix="wan-wheels-")
atexit.register(shutil.rmtree, place, ignore_errors=True)
MINUTE = 60


def wheels(name, *requirements, only=True, minutes=5):
    """A folder with these packages in it, for PYTHONPATH."""
    if os.environ.get("WAN_TEST_TIER") not in ("full", "soak"):
        raise Skip("downloads packages: only in the full tier")
    target = os.path.join(place, name)
    command = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check",
               "--only-binary", ":all:", "--target", target, "--retries", "1", "--timeout", "15",
               *(["--no-deps"] if only else []), *requirements]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=minutes * MINUTE)
    except subprocess.TimeoutExpired as late:
        raise Skip(f"no answer from the package index in {minutes} minutes") from late
    if done.returncode:
        raise Skip("no package index, or no such wheel: " +
                   " ".join(done.stderr.split())[-200:].replace("#", ""))
    return {"PYTHONPATH": target}


def run(env, program, *arguments, name="wheel"):
    """stderr of OpenCV and PyTorch has times in it."""
    return record([PYTHON, "-c", program, *arguments], name, env=env,
                  same=lambda outcome: (outcome.status, outcome.stdout, outcome.files))


PILLOW = """
import io, sys
from PIL import Image, ImageFile
for path in sys.argv[1:3]:
    im = Image.open(path); im.load()
    im.thumbnail((320, 180)); im.save('out' + path[-4:])
for path in sys.argv[3:5]:
    try: Image.open(path).load()
    except OSError as e: print(e)
ImageFile.LOAD_TRUNCATED_IMAGES = True
Image.open(sys.argv[4]).load()
"""


def pillow(version):
    env = wheels("pillow-" + version, "pillow" + version)
    seen = run(env, PILLOW, JPEG, PNG, TRUNCATED_JPEG, TRUNCATED_PNG)
    expect(seen, ("jpeg.decode", "libjpeg", *SIZE, "ok"),
           ("jpeg.encode", "libjpeg", 320, 180, "ok"),
           ("png.decode", "pillow", *SIZE, "ok"), ("png.encode", "pillow", 320, 180, "ok"),
           ("jpeg.decode", "libjpeg", *SIZE, "aborted"),
           ("png.decode", "pillow", *SIZE, "aborted"), ("png.decode", "pillow", *SIZE, "warned"))
    equal([o["file"] for o in seen.operations if o["status"] != "ok"],
          [TRUNCATED_JPEG, TRUNCATED_PNG, TRUNCATED_PNG], "files")
    libraries = seen.of("process")[0]["libraries"]
    check("Pillow " in libraries and "libjpeg-" in libraries, libraries)
    print("# " + libraries)


for _version in "<10", "<11", "<12", ">=12":
    def pillow_wheel(version=_version):
        pillow(version)
    pillow_wheel.__name__ = "pillow_wheel_" + _version
    test(pillow_wheel)


OPENCV = """
import sys, cv2, numpy
for path in sys.argv[1:3]:
    im = cv2.imread(path); print(im.shape, im.sum())
    print(cv2.imwrite('out' + path[-4:], im))
    print(cv2.imdecode(numpy.fromfile(path, numpy.uint8), cv2.IMREAD_REDUCED_COLOR_2).shape)
    print(len(cv2.imencode(path[-4:], im)[1]))
print(cv2.imread('none.png'), cv2.imdecode(numpy.fromfile(sys.argv[1], numpy.uint8)[:200], 1))
try: cv2.imwrite('x.jpg', None)
except cv2.error as e: print(e)
"""


@test
def opencv_wheel():
    env = wheels("opencv", "opencv-python-headless", only=False)
    seen = run(env, OPENCV, JPEG, PNG)
    done = [(o["name"], o["width"], o["height"], o["status"]) for o in seen.operations]
    one_kind = ["decode", "encode", "decode", "encode"]
    wanted = [(f"{kind}.{name}", *SIZE, "ok") for kind in ("jpeg", "png") for name in one_kind]
    equal(done[:8], wanted, "operations")
    equal([(o["name"], o["status"]) for o in seen.operations[8:]], [("jpeg.decode", "failed")],
          "what fails")
    equal({o["library"] for o in seen.operations if o["name"].startswith("jpeg")}, {"opencv"},
          "JPEG is inside the module")
    check(any(a["flags"] == 8 for a in seen.of("aggregate")), "scaled decode")


@test
def modules_out_of_reach_are_named():
    env = wheels("simplejpeg", "simplejpeg", "numpy")
    seen = run(env, "import simplejpeg, sys\n"
               "print(simplejpeg.decode_jpeg(open(sys.argv[1], 'rb').read()).shape)", JPEG)
    equal(seen.operations, [], "operations")
    equal([c["name"] for c in seen.of("coverage")], ["simplejpeg"], "coverage")


PYAV = """
import sys, fractions, av
for frame in av.open(sys.argv[1]).decode(video=0): print(frame.width, frame.height)
for name, kind in ("png", "rgb24"), ("mjpeg", "yuvj420p"):
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, kind
    context.time_base = fractions.Fraction(1, 25)
    packets = context.encode(frame.reformat(format=kind)) + context.encode(None)
    print(name, [p.size for p in packets])
"""


@test
def pyav_wheel():
    env = wheels("pyav", "av", "numpy")
    seen = run(env, PYAV, JPEG)
    expect(seen, *[(name, "libavcodec", *SIZE, "ok")
                   for name in ("jpeg.decode", "png.encode", "jpeg.encode")])


TORCH = """
import sys, torch
from PIL import Image
from torchvision.io import read_image, encode_jpeg, encode_png, decode_jpeg
from diffusers.image_processor import VaeImageProcessor
for path in sys.argv[1:3]:
    im = read_image(path); print(im.shape)
    print(len(encode_jpeg(im)), len(encode_png(im)))
    pixels = VaeImageProcessor(vae_scale_factor=8).preprocess(Image.open(path), 480, 832)
    print(tuple(pixels.shape))
    VaeImageProcessor().postprocess(pixels, 'pil')[0].save('out' + path[-4:])
"""


@test
def torchvision_and_diffusers_wheels():
    ready = os.environ.get("WAN_TEST_TORCH_PATH")  # site-packages with all of it
    if not ready and os.environ.get("WAN_TEST_TORCH") != "1":
        raise Skip("PyTorch is 6 GB: only with WAN_TEST_TORCH=1")
    env = {"PYTHONPATH": ready} if ready else wheels(
        "torch", "torch", "torchvision", "diffusers", "pillow", only=False, minutes=20)
    seen = run(env, TORCH, JPEG, PNG)
    names = [(o["name"], o["library"], o["width"], o["height"]) for o in seen.operations]
    for name, library, times in (("jpeg.decode", "libjpeg", 2), ("png.decode", "libpng", 1),
                                 ("png.decode", "pillow", 1), ("jpeg.encode", "libjpeg", 2),
                                 ("png.encode", "libpng", 2)):
        equal(names.count((name, library, *SIZE)), times, f"{name} by {library}: {names}")
    equal(names.count(("jpeg.encode", "libjpeg", 832, 480)), 1, f"result: {names}")
    equal(names.count(("png.encode", "pillow", 832, 480)), 1, f"result: {names}")
    equal({o["status"] for o in seen.operations}, {"ok"}, "statuses")


if __name__ == "__main__":
    main(CHOSEN)
