# SPDX-License-Identifier: MIT
"""Verdicts, and pairs as the pipelines frame them."""
import os
import re
import subprocess
import sys

from support import (address, check, content, equal, folder, main, numpy, picture, pillow, raises,
                     settle, test, wanrt)

# Output sizes of a start image, from the programs themselves.
GOLDEN = [
    ((512, 512), {"a14b": (624, 624), "diffusers": (624, 624), "wan2gp": (624, 624),
                  "wan2gp-inside": (480, 480)}),
    ((1920, 1080), {"a14b": (832, 464), "diffusers": (832, 464), "wan2gp": (848, 480),
                    "wan2gp-inside": (832, 464)}),
    ((832, 480), {"a14b": (832, 464), "diffusers": (832, 480), "wan2gp": (832, 480)}),
    ((4000, 3000), {"a14b": (720, 544), "diffusers": (720, 544), "wan2gp": (736, 544),
                    "wan2gp-inside": (640, 480)}),
    ((1024, 1536), {"a14b": (512, 768), "diffusers": (512, 768), "wan2gp": (512, 768),
                    "wan2gp-inside": (480, 720)}),
]


@test
def framings_have_the_golden_sizes():
    for source, sizes in GOLDEN:
        for pipeline, expected in sizes.items():
            equal(wanrt.framing(pipeline, source, (832, 480))["output"], expected,
                  f"{source} by {pipeline}")
    equal(wanrt.framing("ti2v", (1024, 1536), (1280, 704))["output"], (768, 1152))
    equal(wanrt.framing("diffusers-ti2v", (512, 512), (1280, 704))["output"], (928, 928))
    equal(wanrt.framing("comfyui", (512, 512), (832, 480))["crop"], (0, 108, 512, 296))
    equal(wanrt.framing("comfyui", (4000, 3000), (832, 480))["crop"], (0, 346, 4000, 2308))


@test
def a_verdict_tells_issues_and_metadata():
    Image = pillow()
    dark = os.path.join(folder, "dark.png")
    Image.new("RGB", (640, 360), (5, 5, 5)).save(dark)
    verdict = wanrt.validate(dark)
    check(verdict.valid and bool(verdict), verdict)
    ids = {issue.id: issue for issue in verdict.issues}
    check("too_dark" in ids, ids)
    issue = ids["too_dark"]
    equal((issue.severity, issue.value, issue.limit), ("warning", 5.0, 20.0))
    check(issue.message and issue.suggestion and issue[0] == "too_dark")
    equal((verdict.severity, verdict.brightness_mean, verdict.contrast_std), ("warning", 5.0, 0.0))
    metadata = verdict.metadata
    equal((metadata["format"], metadata["dimensions"], metadata["has_transparency"],
           metadata["file_size_bytes"]), ("PNG", (640, 360), False, os.path.getsize(dark)))
    check(verdict.ratio_label.startswith("16:9"), verdict.ratio_label)
    equal(metadata["aspect_ratio_string"], verdict.ratio_label)
    check(verdict.issues is verdict.issues and "warning" in repr(verdict))
    tiny = picture("tiny.png", size=(20, 20))
    check(not wanrt.validate(tiny) and wanrt.validate(tiny).severity == "error")
    raises(TypeError, wanrt.Verdict)


@test
def a_pair_is_judged_as_a_pair():
    start = picture("start.png", size=(640, 360))
    end = picture("end.png", "RGBA", size=(640, 480))
    verdict = wanrt.validate_pair(start, end)
    check(verdict.valid, verdict.issues)
    check(len(verdict.pair.issues) >= 2, verdict.pair.issues)
    check(len(verdict.issues) == sum(len(v.issues) for v in (verdict.pair, verdict.start,
                                                            verdict.end)))
    alone = wanrt.validate_pair(start)
    check(alone.valid and alone.end is None)
    check(not wanrt.validate_pair(start, picture("tiny.png", size=(20, 20))))
    raises(FileNotFoundError, wanrt.validate_pair, start, "/nowhere")


@test
def a_damaged_file_has_a_verdict_and_no_picture():
    whole = content(picture("start.png", size=(640, 360)))
    for name, part in (("cut.png", whole[:len(whole) // 2]), ("text.png", b"no image at all"),
                       ("empty.png", b"")):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(part)
        verdict = wanrt.validate(path)
        check(not verdict and verdict.severity == "error" and verdict.issues, verdict)
        equal(verdict.metadata["filename"], name)
        raises(wanrt.DamagedImageError, wanrt.prepare_pair, path)
        check(not wanrt.validate_pair(picture("start.png", size=(640, 360)), path))


@test
def every_pipeline_prepares_a_pair():
    np = numpy()
    start, end = picture("start.png", size=(640, 360)), picture("e.png", size=(500, 400))
    for pipeline, about in wanrt.PIPELINES.items():
        pair = wanrt.prepare_pair(start, end if about["takes_end"] else None, pipeline=pipeline,
                                  tensors=True, stack=True)
        for side in ("start", "end"):
            image, tensor = getattr(pair, side), getattr(pair, side + "_tensor")
            if side == "end" and not about["takes_end"]:
                check(image is None and tensor is None and pair.end_framing is None)
                continue
            equal(image.size, pair.size, pipeline)
            equal(image.mode, "RGB")
            equal(tensor.shape, (3, pair.size[1], pair.size[0]), pipeline)
            values = (np.clip(np.asarray(tensor), -1, 1) + 1) * 127.5
            shown = np.asarray(image).transpose(2, 0, 1)
            check(np.abs(values - shown).max() <= 0.51, (pipeline, np.abs(values - shown).max()))
        equal(pair.size, pair.start_framing["output"])
        frames = pair.stack.shape
        check(pair.size[0] in frames and pair.size[1] in frames, (pipeline, frames))
        check(pair.verdict.start.metadata["dimensions"] == (640, 360))


@test
def lanczos_pipelines_equal_pillow():
    np, Image = numpy(), pillow()
    start = picture("start.png", size=(640, 360))
    theirs = Image.open(start).convert("RGB")
    for pipeline in ("diffusers", "kijai", "wan2gp"):
        pair = wanrt.prepare_pair(start, None, (832, 480), pipeline)
        expected = theirs.resize(pair.size, Image.LANCZOS)
        check((np.asarray(pair.start) == np.asarray(expected)).all(), pipeline)
    cut = wanrt.prepare_pair(start, None, (832, 480), "wan2gp-crop")
    equal(cut.size, (832, 480))


@test
def the_start_image_settles_the_size_for_both():
    start, end = picture("start.png", size=(640, 360)), picture("tall.png", size=(300, 600))
    pair = wanrt.prepare_pair(start, end, (832, 480), "diffusers")
    equal((pair.start.size, pair.end.size), (pair.size, pair.size))
    check(abs(pair.end_framing["squeeze_percent"]) > 50, pair.end_framing)
    ids = {issue.id for issue in pair.issues}
    check("squeezed" in ids and "framing_differs" in ids, ids)
    check(any("end image" in text for text in pair.warnings), pair.warnings)
    check(len(pair.issues) == len(set(pair.issues)) and pair.issues is not None)
    exact = wanrt.prepare_pair(start, None, (832, 480), "kijai")
    better = wanrt.framing("kijai", (640, 360), exact.better_size)
    check(abs(better["squeeze_percent"]) < 1 < abs(exact.start_framing["squeeze_percent"]))


@test
def modes_and_caching_hold_for_pairs():
    start, end = picture("start.png", size=(640, 360)), picture("e.png", size=(500, 400))
    first = wanrt.prepare_pair(start, end, mode="RGBX", tensors=True)
    again = wanrt.prepare_pair(start, end, mode="RGBX", tensors=True)
    equal(first.start.mode, "RGBX")
    for name in ("start", "end", "start_tensor", "end_tensor"):
        equal(address(getattr(first, name)), address(getattr(again, name)), name)
        check(getattr(again, name).from_cache, name)


@test
def stacks_hold_what_is_known_and_are_constant_elsewhere():
    np = numpy()
    start, end = picture("start.png", size=(640, 360)), picture("e.png", size=(500, 400))
    pair = wanrt.prepare_pair(start, end, (832, 480), "diffusers", tensors=True, stack=True,
                              frames=17)
    stack = np.asarray(pair.stack)
    check(not stack.flags.writeable, "shared")
    same = wanrt.prepare_pair(start, end, (832, 480), "diffusers", stack=True, frames=17)
    equal(np.asarray(same.stack).ctypes.data, stack.ctypes.data)
    equal(np.asarray(same.mask).ctypes.data, np.asarray(pair.mask).ctypes.data)
    equal(pair.frames, 17)
    equal(stack.shape, (1, 3, 17, pair.size[1], pair.size[0]))
    check((stack[0, :, 0] == np.asarray(pair.start_tensor)).all())
    check((stack[0, :, 16] == np.asarray(pair.end_tensor)).all())
    check((stack[0, :, 1:16] == 0).all() and pair.stack.constant == 0)
    check(pair.stack.held_bytes < pair.stack.nbytes / 4, pair.stack.held_bytes)
    mask = np.asarray(pair.mask)
    equal(mask.shape, (4, 5, pair.size[1] // 8, pair.size[0] // 8))
    check((mask[:, 0] == 1).all() and (mask[:, 1:4] == 0).all())
    path = os.path.join(folder, "stack.npy")
    pair.stack.save(path)
    check((np.load(path) == stack).all())
    raises(FileExistsError, pair.stack.save, path)
    pair.stack.save(path, overwrite=True)
    own = wanrt.prepare_pair(start, end, (832, 480), "diffusers", stack="own", frames=17)
    mine = np.asarray(own.stack)
    check((mine == stack).all() and mine.flags.writeable)
    mine[0, 0, 5, 0, 0] = 3
    equal((float(stack[0, 0, 5, 0, 0]), float(mine[0, 0, 5, 0, 0])), (0.0, 3.0))
    check(own.start_tensor is None)
    del own, pair, same
    settle()
    equal(float(mine[0, 0, 5, 0, 0]), 3.0)
    del stack, mine, mask
    settle()
    equal(wanrt.stats()["cache"]["pinned_bytes"], 0)


@test
def halves_are_rounded_to_nearest():
    np = numpy()
    start = picture("start.png", size=(640, 360))
    whole = np.asarray(wanrt.prepare_pair(start, stack=True, frames=5).stack)
    half = wanrt.prepare_pair(start, stack=True, frames=5, dtype="float16").stack
    check((np.asarray(half) == whole.astype(np.float16)).all())
    brain = wanrt.prepare_pair(start, stack=True, frames=5, dtype="bfloat16").stack
    equal((brain.dtype, np.asarray(brain).dtype), ("bfloat16", np.uint16))
    bits = np.ascontiguousarray(whole).view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    check((np.asarray(brain) == rounded).all())
    raises(ValueError, wanrt.prepare_pair, start, stack=True, dtype="int8")
    raises(ValueError, wanrt.prepare_pair, start, stack=True, frames=0)


@test
def the_readme_example_runs():
    here = os.path.dirname(os.path.abspath(__file__))
    readme = os.path.join(here, "../../tools/python/README.md")
    with open(readme, encoding="utf-8") as file:
        code = re.search(r"```python\n(.*?)```", file.read(), re.S).group(1)
    check(code.count("\n") <= 14, "longer than ten lines and imports")
    pillow(), numpy()
    work = os.path.join(folder, "readme")
    os.mkdir(work)
    os.link(picture("start.png", size=(640, 360)), os.path.join(work, "start.png"))
    os.link(picture("end.jpg", size=(640, 360)), os.path.join(work, "end.jpg"))
    done = subprocess.run([sys.executable, "-c", code], cwd=work, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    equal((done.returncode, done.stderr), (0, ""))
    check("sampling" in done.stdout and "jpeg.decode" in done.stdout, done.stdout)


main(sys.argv[1:])
