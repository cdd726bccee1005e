# SPDX-License-Identifier: MIT
"""wan-startend --convert: the pixels stay, and what fails leaves nothing.

Arguments: wan-startend, wanprof, [TEST NAME PART...]
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from startend_support import (another_user, fresh, good, kind, nothing_left, one_sentence,
                              photo_like, python, read, run, write)
from tap import Skip, equal, main, test


@test
def conversions_keep_the_pixels():
    source, jpeg, back, raw, npy = kind("rgb.png"), *(fresh(s) for s in
                                                      (".jpg", ".png", ".rgb", ".npy"))
    good("--convert", source, raw)
    good("--convert", source, npy)
    good("--convert", source, jpeg, "--quality", "95")
    good("--convert", jpeg, back)
    python("import sys, numpy\nfrom PIL import Image\n"
           "source, jpeg, back, raw, npy = sys.argv[1:]\n"
           "pixels = Image.open(source).tobytes()\n"
           "assert open(raw, 'rb').read() == pixels\n"
           "assert numpy.load(npy).tobytes() == pixels\n"
           "assert Image.open(jpeg).format == 'JPEG'\n"
           "assert Image.open(back).tobytes() == Image.open(jpeg).tobytes()\n",
           source, jpeg, back, raw, npy)
    alpha = fresh(".png")
    good("--convert", kind("rgba.png"), alpha)
    equal(read(alpha)[25], 6, "colour type: alpha is kept")
    good("--convert", kind("rgba.png"), alpha, "--alpha", "white", "--force")
    equal(read(alpha)[25], 2, "colour type")
    good("--convert", kind("gray-alpha.png"), fresh(".jpg"))
    good("--convert", kind("bits-16.png"), fresh(".jpg"))
    good("--convert", kind("cmyk.jpg"), fresh(".png"))


@test
def conversions_that_fail_leave_nothing():
    source = kind("rgb.png")
    mine = write("mine", ".rgb")
    for suffix in ".rgb", ".png", ".jpg", ".npy":
        mine = write("mine", suffix)
        one_sentence(run("--convert", source, mine), 73, mine, "--force")
        equal(read(mine), b"mine")
        one_sentence(run("--convert", source, f"/no/such/folder/x{suffix}"), 73)
        one_sentence(run("--convert", "/no/such/image", fresh(suffix)), 66)
        one_sentence(run("--convert", write(b"text"), fresh(suffix)), 65)
    one_sentence(run("--convert", source, fresh(".webp")), 64, ".png")
    one_sentence(run("--convert", source), 64, "IN OUT")
    one_sentence(run("--convert", source, "a.png", "b.png"), 64, "too many")
    one_sentence(run("--convert", source, fresh(".png"), "--size", "64x64"), 64, "--convert")
    for option in (("--stack",), ("--dtype", "float16"), ("--tensors", "safetensors"),
                   ("--filter", "bicubic"), ("--frames", "81"), ("--format", "jpeg")):
        one_sentence(run("--convert", source, fresh(".png"), *option), 64, "--convert")
    one_sentence(run("--convert", kind("rgba.png"), fresh(".jpg"), "--alpha", "refuse"), 65)


@test
def a_full_disk_stops_conversions_and_explanations():
    out = fresh()
    os.mkdir(out)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", out],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if mounted.returncode != 0:
        raise Skip(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    try:
        for suffix in ".rgb", ".png", ".jpg", ".npy":
            done = run("--convert", photo_like(), f"{out}/x{suffix}")
            one_sentence(done, 73, out)
            nothing_left(out)
        done = run("-q", "--explain", photo_like(), photo_like(), "--json", f"{out}/x.json")
        one_sentence(done, 73, out)
        nothing_left(out)
    finally:
        subprocess.run(["umount", out], check=True)


@test
def a_folder_without_permission_stops_them_too():
    user = another_user()
    out = fresh()
    os.mkdir(out, 0o755)
    for suffix in ".rgb", ".png":
        one_sentence(run("--convert", kind("rgb.png"), f"{out}/x{suffix}", **user), 73, out)
    nothing_left(out)


main(sys.argv[3:])
