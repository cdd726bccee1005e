# SPDX-License-Identifier: MIT
"""wan-startend --stack: what each pipeline would have built of the same images, said in NumPy.

Arguments: wan-startend, wanprof, [TEST NAME PART...]
"""
import json
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from startend_support import PYTHON, Skip, check, equal, fresh, good, noise_png, python, run, write
from tap import main, test

# Arguments: folder, pipeline. The formulas of the pipelines' own code, on the tensors written.
COMPARE = r"""
import sys
import numpy
folder, pipeline = sys.argv[1:]
start, end = (numpy.load(f"{folder}/{side}.npy") for side in ("start", "end"))
stack = numpy.load(f"{folder}/stack.npy", mmap_mode="r")
mask = numpy.load(f"{folder}/mask.npy")
channels, height, width = start.shape
frames = 81

def rearranged(flags, repeat_end):
    # First frame four times, then the others; four to a latent frame.
    first, last = numpy.repeat(flags[:1], 4), flags[-1:]
    flags = numpy.concatenate([first, flags[1:-1], numpy.repeat(last, 4 if repeat_end else 1)])
    flags = flags.reshape(-1, 4).transpose(1, 0)
    return numpy.broadcast_to(flags[:, :, None, None],
                              (*flags.shape, height // 8, width // 8)).astype(numpy.float32)

if pipeline == "comfyui":
    want = numpy.full((frames, height, width, 3), 0.5, numpy.float32)
    want[0] = start.transpose(1, 2, 0) * numpy.float32(0.5) + numpy.float32(0.5)
    want[-1] = end.transpose(1, 2, 0) * numpy.float32(0.5) + numpy.float32(0.5)
    flags = numpy.ones(84, numpy.float32)
    flags[:4] = 0
    flags[-1:] = 0
    known = numpy.broadcast_to(flags.reshape(21, 4).T[:, :, None, None],
                               (4, 21, height // 8, width // 8))
else:
    own = pipeline == "kijai"
    middle = numpy.zeros((3, frames - 1 if own else frames - 2, height, width), numpy.float32)
    want = numpy.concatenate([start[:, None], middle, end[:, None]], axis=1)
    flags = numpy.zeros(frames + own, numpy.float32)
    flags[0] = flags[-1] = 1
    known = rearranged(flags, own)
    if pipeline.startswith("diffusers"):
        want = want[None]
assert stack.shape == want.shape, (stack.shape, want.shape)
assert stack.dtype == numpy.float32
assert numpy.array_equal(stack, want), numpy.abs(stack - want).max()
assert mask.shape == known.shape, (mask.shape, known.shape)
assert numpy.array_equal(mask, known)
"""


def written(*arguments):
    out = fresh()
    done = good("--start", write(noise_png(), ".png"), "--end", write(noise_png(), ".png"), "-o", out, "--stack",
                "--size", "320x256", *arguments)
    return out, done


@test
def stacks_are_those_the_pipelines_build():
    for pipeline in "diffusers", "diffusers-exact", "kijai", "comfyui", "wan2gp":
        out, _ = written("--pipeline", pipeline)
        python(COMPARE, out, pipeline)


@test
def zeros_take_no_place_on_the_disk():
    out, done = written("--pipeline", "diffusers-exact")
    size, disk = (lambda s: (s.st_size, s.st_blocks * 512))(os.stat(os.path.join(out, "stack.npy")))
    known = 2 * 3 * 320 * 256 * 4
    check(size == 128 + 81 * known // 2, size)
    check(disk < known * 1.1 + 8 * 4096, f"{disk} bytes on the disk for {known}")
    check("1.9 of 75.9 MB are known frames, the rest takes no memory and no disk" in done.out,
          done.out)


def safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


@test
def safetensors_hold_stack_and_mask_of_the_type_asked_for():
    for name, code, width in ("float32", "F32", 4), ("float16", "F16", 2), ("bfloat16", "BF16", 2):
        out, _ = written("--pipeline", "kijai", "--tensors", "safetensors", "--dtype", name)
        header, data = safetensors(os.path.join(out, "stack.safetensors"))
        equal(list(header), ["stack", "mask"])
        equal(header["stack"]["dtype"], code)
        equal(header["stack"]["shape"], [3, 82, 256, 320])
        equal(header["mask"]["shape"], [4, 22, 32, 40])
        equal(header["mask"]["data_offsets"][1], len(data))
        image, pixels = safetensors(os.path.join(out, "start.safetensors"))
        equal(image["image"]["shape"], [3, 256, 320])
        plane = 256 * 320 * width
        for c in range(3):  # the first frame of each channel is the start image's tensor
            at = c * 82 * plane
            check(data[at:at + plane] == pixels[c * plane:(c + 1) * plane], f"channel {c}")
        check(not os.path.exists(os.path.join(out, "start.npy")), "start.npy is there too")


@test
def without_a_pipeline_the_layout_is_that_of_diffusers():
    out, _ = written()
    python(COMPARE, out, "diffusers")


@test
def what_has_no_stack_is_refused_before_any_work():
    start, out = write(noise_png(), ".png"), fresh()
    for arguments, needed in ((("--pipeline", "s2v"), "builds no stack"),
                              (("--pipeline", "kijai", "--dtype", "float8"), "bfloat16"),
                              (("--pipeline", "kijai", "--tensors", "pt"), "safetensors"),
                              (("--pipeline", "kijai", "--frames", "65537"), "at most 65536")):
        done = run("--start", start, "-o", out, "--stack", *arguments)
        equal(done.status, 64)
        check(needed in done.err, done.err)
    done = run("--explain", start, "--stack")
    equal(done.status, 64)
    check(not os.path.exists(out), "something was written")


@test
def a_stack_that_is_there_is_kept():
    out, _ = written("--pipeline", "kijai")
    before = os.stat(os.path.join(out, "stack.npy"))
    for name in os.listdir(out):
        if name not in ("stack.npy", "mask.npy"):
            os.unlink(os.path.join(out, name))
    done = run("--start", write(noise_png(), ".png"), "-o", out, "--stack", "--pipeline", "kijai",
               "--size", "320x256")
    equal(done.status, 73)
    check("stack.npy: exists already" in done.err, done.err)
    equal(sorted(os.listdir(out)), ["mask.npy", "stack.npy"])
    equal(os.stat(os.path.join(out, "stack.npy")).st_mtime_ns, before.st_mtime_ns)


if not os.path.exists(PYTHON):
    raise SystemExit(f"1..0 # SKIP {PYTHON} is not installed")
main(sys.argv[3:])
