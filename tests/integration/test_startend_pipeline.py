# SPDX-License-Identifier: MIT
"""wan-startend --pipeline, --explain, --alpha, --exif and --format: what is told is what
comes out, and what comes out is what Pillow and torch would make of it.

Arguments: wan-startend, wanprof, [TEST NAME PART...]
"""
import json
import os
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from startend_support import (flat_png, fresh, good, ihdr, kind, listed, noise_png, nothing_left,
                              one_sentence, photo_like, png, python, read, run, write)
from tap import check, equal, main, test

PIPELINES = {  # name: size asked for, frames of a 1200x900 image
    "a14b": ("832x480", (720, 544)), "ti2v": ("1280x704", (1088, 800)),
    "diffusers": ("832x480", (720, 544)), "wan2gp": ("832x480", (736, 544)),
    "wan2gp-inside": ("832x480", (640, 480)), "comfyui": ("832x480", (832, 480)),
    "diffusers-exact": ("832x480", (832, 480)), "kijai": ("832x480", (832, 480)),
    "wan2gp-crop": ("832x480", (832, 480)), "s2v": ("1024x704", None),
    "animate": ("1280x720", (1280, 720)), "diffusers-ti2v": ("1280x704", (1088, 800))}
TAKE_END = ("diffusers", "wan2gp", "wan2gp-inside", "comfyui", "diffusers-exact", "kijai",
            "wan2gp-crop")


def told(*arguments, status=0):
    done = run("--json", "-", *arguments)
    equal(done.status, status, done.err)
    document = json.loads(done.out)
    equal((document["schema"], document["schema_version"]), ("wanrt-explanation", 1))
    return document["pairs"]


def ids(thing):
    return [issue["id"] for issue in thing["issues"]]


@test
def golden_sizes_are_told():
    goldens = {(512, 512): ((624, 624), (960, 928), (624, 624), (624, 624), (480, 480)),
               (1920, 1080): ((832, 464), (1248, 704), (832, 464), (848, 480), (832, 464)),
               (832, 480): ((832, 464), (1248, 704), (832, 480), (832, 480), (832, 480)),
               (1024, 1536): ((512, 768), (768, 1152), (512, 768), (512, 768), (480, 720))}
    for (width, height), expected in goldens.items():
        pair = told("--explain", write(flat_png(width, height)))[0]
        found = {p["name"]: tuple(p["output"]) for p in pair["pipelines"]}
        equal(tuple(found[name] for name in ("a14b", "ti2v", "diffusers", "wan2gp",
                                             "wan2gp-inside")), expected, (width, height))
        equal(pair["start"]["dimensions"], [width, height])
    squeezed = told("--pipeline", "a14b", "--explain", write(noise_png(832, 480)))[0]
    official = squeezed["pipelines"][0]
    check("squeezed" in ids(official), official)
    check(official["unsqueezed"] != official["output"], official)


@test
def the_proposed_size_is_left_alone():
    for name in PIPELINES:
        first = told("--pipeline", name, "--explain", photo_like())[0]["pipelines"][0]
        width, height = first["unsqueezed"]
        size = [] if name in ("a14b", "ti2v", "diffusers", "wan2gp", "wan2gp-inside", "s2v",
                              "diffusers-ti2v") else ["--size", f"{width}x{height}"]
        again = told("--pipeline", name, *size, "--explain",
                     write(flat_png(width, height)))[0]["pipelines"][0]
        equal(again["output"], [width, height], name)
        start = again["start"]
        equal((start["squeeze_pct"], start["lost_pct"], start["padded_pct"]), (0, 0, 0), name)


@test
def pairs_that_are_framed_differently_are_told():
    wide, square = write(noise_png(640, 360)), write(noise_png(600, 600))
    pair = told("--explain", wide, square)[0]
    check("framing_differs" in ids(pair), pair["issues"])
    for pipeline in pair["pipelines"]:
        name = pipeline["name"]
        equal("end" in pipeline, name in TAKE_END, name)
        equal("framing_differs" in ids(pipeline), name in TAKE_END, name)
        equal("end_not_taken" in ids(pipeline), name not in TAKE_END, name)
    same = told("--explain", wide, write(noise_png(1280, 720)))[0]
    for pipeline in same["pipelines"]:
        check("framing_differs" not in ids(pipeline), pipeline)
    documented = [p for p in same["pipelines"] if p["name"] == "diffusers"][0]
    check("documented_last_frame" in ids(documented) and "end_documented" in documented)


@test
def text_says_what_json_says():
    picture = photo_like()
    done = good("--pipeline", "a14b", "--explain", picture)
    for part in ("720x544", "720x544 (torch-bicubic)", "all of it is seen", "81 frames",
                 "16x21x68x90", "keeps shape"):
        check(part in done.out, f"no {part!r} in {done.out}")
    equal(done.err, "", "stderr")
    done = good("--explain", picture, picture)
    told_of = done.out.splitlines()[-len(PIPELINES):]
    equal([line.split()[0] for line in told_of], list(PIPELINES), "lines")
    done = good("--pipeline", "diffusers", "--explain", picture, "--frames", "16")
    check("asked for     832x480, 16 frames" in done.out and ", 17 frames" in done.out, done.out)
    done = good("--pipeline", "a14b", "--explain", picture, "--frames", "16")
    check("fails with 16 frames: ask for 13" in done.out, done.out)
    for name in PIPELINES:
        check(f"\n{name} " in "\n" + good("--list-pipelines").out, name)
    check("too_dark" in good("--list-rules").out)


@test
def a_pipeline_without_output_only_tells():
    picture, out = photo_like(), fresh()
    place = os.path.dirname(out)
    before = listed(place)
    done = good("--pipeline", "comfyui", "--start", picture, "--end", picture)
    check("comfyui" in done.out and "end image" in done.out, done.out)
    equal(listed(place), before, "files")
    report = fresh(".json")
    good("--pipeline", "comfyui", "--start", picture, "--json", report, "-q")
    equal(json.loads(read(report))["pairs"][0]["pipelines"][0]["name"], "comfyui")
    one_sentence(run("--pipeline", "comfyui", "--start", picture, "--json", report, "-q"), 73,
                 report, "--force")


@test
def lists_are_told_pair_by_pair():
    a, b = write(noise_png(640, 360)), write(noise_png(600, 600))
    path = write(f"{a}\t{b}\tone\n{b}\t-\ttwo\n", ".tsv")
    pairs = told("--list", path, "--explain")
    equal([pair["name"] for pair in pairs], ["one", "two"])
    check("end" in pairs[0] and "end" not in pairs[1])


# Arguments: list of [pipeline, source, framing, PNG, .npy] as JSON. Pillow and torch are the judges.
JUDGE = r"""
import json, sys
import numpy, torch
from PIL import Image
def judge(name, path, f, made, npy):
  source = Image.open(path).convert("RGB")
  x, y, w, h = f["crop"]
  source = source.crop((x, y, x + w, y + h))
  made, tensor = Image.open(made), numpy.load(npy)
  assert list(made.size) == f["output"], made.size
  assert tensor.dtype == numpy.float32 and tensor.shape == (3, made.height, made.width), tensor.shape
  pixels = numpy.asarray(made).astype(numpy.float32) / numpy.float32(127.5) - 1
  if f["filter"].startswith("torch"):
      values = torch.from_numpy(numpy.asarray(source).astype(numpy.float32).transpose(2, 0, 1))
      values = (values / 255 - 0.5) / 0.5
      want = torch.nn.functional.interpolate(values[None], size=(f["scaled"][1], f["scaled"][0]),
                                             mode=f["filter"][6:], align_corners=False)[0].numpy()
      canvas = numpy.full(tensor.shape, -1, numpy.float32)
      px, py = f["place"]
      canvas[:, py:py + want.shape[1], px:px + want.shape[2]] = want
      if f["padded_pct"] == 0:
          assert numpy.abs(tensor - canvas).max() < 1e-4, numpy.abs(tensor - canvas).max()
      quantised = numpy.clip(numpy.rint((canvas + 1) * 127.5), 0, 255)
      off = numpy.abs(quantised - numpy.asarray(made).transpose(2, 0, 1))
      assert off.max() <= 1 and (off > 0).mean() < 0.01, (off.max(), (off > 0).mean())
  else:
      filters = {"lanczos": Image.LANCZOS, "bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR}
      scaled = source.resize(f["scaled"], filters[f["filter"]])
      x, y, w, h = f["window"]
      canvas = Image.new("RGB", f["output"])
      canvas.paste(scaled.crop((x, y, x + w, y + h)), tuple(f["place"]))
      assert canvas.tobytes() == made.tobytes(), "pixels differ from Pillow's"
      assert numpy.abs(tensor - pixels.transpose(2, 0, 1)).max() < 1e-6
for case in json.loads(sys.argv[1]):
  judge(*case)
"""


def case_of(name, source, side, out, extra=()):
    pipeline = told("--pipeline", name, *extra, "--explain", source, source)[0]["pipelines"][0]
    return pipeline, [name, source, pipeline[side], f"{out}/{side}.png", f"{out}/{side}.npy"]


@test
def what_is_written_is_what_was_told_and_what_pillow_and_torch_make():
    source, cases = photo_like(), []
    for name, (size, frames) in PIPELINES.items():
        out = fresh()
        done = good("--pipeline", name, "--start", source, "--end", source, "-o", out)
        sides = ["start", "end"] if name in TAKE_END else ["start"]
        equal(listed(out), sorted(side + suffix for side in sides
                                  for suffix in (".png", ".npy", "-thumbnail.png")), name)
        equal("end_not_taken" in done.out, name not in TAKE_END, name)
        for side in sides:
            pipeline, case = case_of(name, source, side, out)
            cases.append(case)
        equal("x".join(str(side) for side in pipeline["target"]), size, name)
        check(frames is None or tuple(pipeline["output"]) == frames, (name, pipeline["output"]))
    python(JUDGE, json.dumps(cases))


@test
def the_size_asked_for_reaches_the_pipeline():
    source, cases = photo_like(), []
    for name, size in (("a14b", "1280x720"), ("kijai", "488x264"), ("comfyui", "854x480")):
        out = fresh()
        good("--pipeline", name, "--size", size, "--start", source, "-o", out)
        pipeline, case = case_of(name, source, "start", out, ("--size", size))
        cases.append(case)
        if name == "comfyui":
            equal(pipeline["output"], [848, 480])
            check("size_changed" in ids(pipeline), pipeline)
    python(JUDGE, json.dumps(cases))


# Arguments: source, PNG, what. The frame is the stretched source, 64x48.
ALPHA = r"""
import sys
from PIL import Image, ImageOps
path, made, what = sys.argv[1:]
image = Image.open(path)
if what == "exif":
    want = image.convert("RGB")
elif what == "upright":
    want = ImageOps.exif_transpose(image).convert("RGB")
elif what == "drop":
    want = image.convert("RGB")
else:
    ground = Image.new("RGBA", image.size, what)
    want = Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
want = want.resize((64, 48), Image.LANCZOS)
off = max(abs(a - b) for a, b in zip(want.tobytes(), Image.open(made).convert("RGB").tobytes()))
assert off <= (0 if what in ("drop", "exif", "upright") else 1), off
"""


@test
def alpha_is_put_over_the_colour_asked_for():
    source = kind("rgba.png")
    for alpha, what in (("drop", "drop"), ("white", "white"), ("black", "black"),
                        ("#3060f0", "#3060f0")):
        out = fresh()
        good("--start", source, "--size", "64x48", "--fit", "stretch", "--alpha", alpha, "-o", out)
        python(ALPHA, source, f"{out}/start.png", what)
    out = fresh()
    one_sentence(run("-q", "--start", source, "--size", "64x48", "--alpha", "refuse", "-o", out),
                 65, source, "transparency")
    nothing_left(out)
    good("--start", kind("rgb.png"), "--size", "64x48", "--alpha", "refuse", "-o", fresh())


@test
def the_cameras_orientation_is_applied_or_not():
    source = kind("rotated.jpg")
    for arguments, what in ((["--exif", "ignore"], "exif"), (["--exif", "apply"], "upright")):
        out = fresh()
        good("--start", source, "--size", "64x48", "--fit", "stretch", *arguments, "-o", out)
        python(ALPHA, source, f"{out}/start.png", what)
    # The official code ignores it, diffusers does not.
    pair = told("--explain", source)[0]
    seen = {p["name"]: (p["start"]["source"], "orientation_ignored" in ids(p))
            for p in pair["pipelines"]}
    equal(seen["a14b"], ([400, 300], True))
    equal(seen["comfyui"], ([300, 400], False))
    applied = told("--explain", source, "--exif", "apply", "--pipeline", "a14b")[0]
    equal(applied["pipelines"][0]["start"]["source"], [300, 400])
    out = fresh()
    done = good("--pipeline", "a14b", "--start", source, "-o", out)
    check("orientation_ignored" in done.out, done.out)


@test
def frames_may_be_jpeg_or_raw():
    source, out, raw = photo_like(), fresh(), fresh()
    good("--start", source, "--size", "64x48", "--format", "jpeg", "--quality", "100", "-o", out)
    equal(listed(out), ["start-thumbnail.png", "start.jpg", "start.npy"])
    check(read(f"{out}/start.jpg").startswith(b"\xff\xd8\xff"))
    good("--start", source, "--size", "64x48", "--format", "raw", "-o", raw)
    equal(len(read(f"{raw}/start.rgb")), 64 * 48 * 3)
    same = fresh()
    good("--start", source, "--size", "64x48", "-o", same)
    python("import sys\nfrom PIL import Image\n"
           "assert Image.open(sys.argv[1]).tobytes() == open(sys.argv[2], 'rb').read()",
           f"{same}/start.png", f"{raw}/start.rgb")


@test
def images_that_cannot_be_used_end_with_65_and_are_measured_all_the_same():
    tiny = write(noise_png(100, 80))
    pairs = told("--explain", tiny, status=65)
    check("too_small" in ids(pairs[0]["start"]) and not pairs[0]["start"]["is_valid"], pairs)
    equal(len(pairs[0]["pipelines"]), len(PIPELINES))
    cut = write(noise_png(600, 600)[:200000])
    pairs = told("--explain", cut, status=65)
    equal(ids(pairs[0]["start"]), ["corrupted_file"])
    equal(pairs[0]["start"]["dimensions"], [600, 600])
    one_sentence(run("-q", "--explain", cut), 65, cut)
    one_sentence(run("-q", "--explain", write(b"no image at all")), 65, "any image format")
    one_sentence(run("-q", "--explain", "/no/such/file"), 66, "/no/such/file")
    one_sentence(run("-q", "--explain", tiny, "/no/such/file"), 66, "/no/such/file")


FOREIGN = r"""
import sys
from PIL import Image, features
image = Image.open(sys.argv[1]).convert("RGB").crop((0, 0, 200, 150))
made = []
for name, suffix, needs in (("GIF", "gif", None), ("TIFF", "tiff", None), ("BMP", "bmp", None),
                            ("WebP", "webp", "webp"), ("ICO", "ico", None),
                            ("JPEG 2000", "jp2", "jpg_2000"), ("JPEG 2000", "j2k", "jpg_2000")):
    if needs and not features.check(needs):
        continue
    more = {"sizes": [(200, 150)]} if suffix == "ico" else {}
    image.save(f"{sys.argv[2]}.{suffix}", **more)
    made.append(f"{suffix}={name}")
print(",".join(made))
"""


@test
def foreign_files_of_real_encoders_are_named_and_measured():
    stem = fresh()
    made = python(FOREIGN, kind("rgb.png"), stem).strip().split(",")
    check(len(made) >= 5, made)
    for suffix, name in (one.split("=") for one in made):
        start = told("--explain", f"{stem}.{suffix}", status=65)[0]["start"]
        equal((start["format"], start["dimensions"]), (name, [200, 150]), suffix)
        check("200x150" in start["issues"][0]["message"], start["issues"])


@test
def extreme_shapes_get_a_verdict_and_no_wrong_frame():
    for width, height in ((1, 1), (1, 300), (65535, 1), (1, 65535), (4096, 256), (257, 4095)):
        picture = write(flat_png(width, height))
        usable = min(width, height) >= 256
        pair = told("--explain", picture, status=0 if usable else 65)[0]
        equal(len(pair["pipelines"]), len(PIPELINES))
        for pipeline in pair["pipelines"]:
            if pipeline["possible"]:
                check(min(pipeline["output"]) >= 8, pipeline)
        for name in PIPELINES if usable else ("a14b", "kijai"):
            out = fresh()
            done = run("-q", "--pipeline", name, "--start", picture, "-o", out)
            check(done.status == (0 if usable else 65), (name, width, height, done))
            if done.status:
                one_sentence(done, 65, picture)
                nothing_left(out)


@test
def wrong_arguments_end_with_64():
    picture, out = kind("rgb.png"), fresh()
    fine = "--start", picture, "-o", out
    for arguments, parts in (
            (["--pipeline", "wan"], ["wan", "--list-pipelines"]),
            (["--pipeline", "a14b", "--fit", "cover"], ["--fit", "--pipeline"]),
            (["--pipeline", "a14b", "--filter", "bicubic"], ["--filter", "--pipeline"]),
            (["--pipeline", "a14b", "--size", "0x0"], ["WIDTHxHEIGHT"]),
            (["--pipeline", "a14b", "--size", "nanxnan"], ["WIDTHxHEIGHT"]),
            (["--pipeline", "a14b", "--frames", "0"], ["frames"]),
            (["--pipeline", "a14b", "--frames", "nan"], ["frames"]),
            (["--pipeline", "a14b", "--frames", "1e9"], ["frames"]),
            (["--size", "64x48", "--alpha", "pink"], ["pink", "#rrggbb"]),
            (["--size", "64x48", "--alpha", "#12345"], ["#12345"]),
            (["--size", "64x48", "--alpha", "#12345g"], ["#12345g"]),
            (["--size", "64x48", "--alpha", "keep"], ["--alpha", "keep"]),
            (["--size", "64x48", "--exif", "maybe"], ["maybe"]),
            (["--size", "64x48", "--format", "gif"], ["gif"]),
            (["--size", "64x48", "--quality", "101"], ["101"]),
            (["--size", "64x48", "--quality", "nan"], ["nan"])):
        done = run(*fine, *arguments)
        one_sentence(done, 64, *parts)
        equal(done.out, "", "stdout")
    one_sentence(run("--explain", picture, picture, picture), 64, "too many")
    one_sentence(run("--explain"), 64, "--start")
    one_sentence(run("--explain", picture, "--start", picture), 64, "--start")
    one_sentence(run("--start", picture), 64, "--explain")
    check(not os.path.exists(out), "the folder is made")


@test
def strict_counts_what_the_pipeline_does_to_the_images():
    picture = write(noise_png(832, 480))
    equal(run("--explain", picture, "--pipeline", "comfyui", "--strict").status, 1,
          "480 is below the recommended 512")
    picture = write(noise_png(1280, 720))
    equal(run("--explain", picture, "--pipeline", "a14b", "--size", "1280x720", "--strict").status,
          0)
    equal(run("--explain", picture, "--pipeline", "comfyui", "--size", "720x1280",
              "--strict").status, 1, "two thirds are cut off")


@test
def a_pair_that_differs_is_said_once_for_the_pipeline_that_is_used():
    arguments = ("--start", write(noise_png(640, 360)), "--end", write(noise_png(600, 600)),
                 "--pipeline", "kijai")
    for more in [], ["-o", fresh()]:
        done = good(*arguments, *more)
        equal(done.out.count("framing_differs"), 1, done.out)


@test
def names_with_anything_in_them_stay_json():
    place = fresh('"\\\x1b\n\xe9.png')
    os.rename(write(noise_png()), place)
    start = told("--explain", place)[0]["start"]
    equal(start["path"], place)
    odd = os.path.join(os.path.dirname(place).encode(), b"\xff\xfe\xed\xa0\x80.png")
    os.rename(place, odd)
    done = run("--json", "-", "--explain", odd)
    equal(done.status, 0, done.err)
    check("\ufffd" in json.loads(done.out)["pairs"][0]["start"]["filename"])
    done = good("--explain", odd)
    check("\x1b" not in done.out)


@test
def hidden_colours_are_told():
    rows = b"".join(b"\0" + bytes((x * 5 & 255, y * 3 & 255, x * y & 255, 255 if x > 99 else 0)[c]
                                  for x in range(320) for c in range(4)) for y in range(300))
    picture = write(png(ihdr(320, 300, 8, 6), zlib.compress(rows, 1)))
    start = told("--explain", picture)[0]["start"]
    check("hidden_colors" in ids(start), start["issues"])
    check(abs(start["transparent_pct"] - 31.25) < 1e-9, start["transparent_pct"])
    equal((start["color_mode"], start["has_transparency"]), ("RGBA", True))


main(sys.argv[3:])
