# SPDX-License-Identifier: MIT
"""Every framing against the rules of the pipelines written down a second time, in the arithmetic of
the language they are written in.

Arguments: the lister of framings, [TEST NAME PART...]
"""
import errno
import math
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
from tap import check, equal, main, test

LISTER = sys.argv[1]
CASES = 2000000 if os.environ.get("WAN_TEST_TIER") in ("full", "soak") else 60000


class Unusable(Exception):
    """The pipeline has no answer; it would fail or make an empty image."""


def ask(questions):
    text = "".join(f"{name} {w} {h} {tw} {th}\n" for name, (w, h), (tw, th) in questions)
    done = subprocess.run([LISTER], input=text, stdout=subprocess.PIPE, text=True, check=True)
    lines = done.stdout.splitlines()
    equal(len(lines), len(questions), "answers")
    return [line.split() for line in lines]


def usable(*sides):
    if min(sides) < 1:
        raise Unusable
    return sides


def a14b(w, h, area):
    ratio = h / w
    return (round(math.sqrt(area / ratio) // 8 // 2 * 2) * 8,
            round(math.sqrt(area * ratio) // 8 // 2 * 2) * 8)


def ti2v(w, h, area):
    want = w / h
    wide = (area * want) ** 0.5
    by_width = int(wide // 32 * 32)
    by_height = int(area / wide // 32 * 32)
    usable(by_width, by_height)
    first = by_width, int(area / by_width // 32 * 32)
    second = int(area / by_height // 32 * 32), by_height
    usable(*first, *second)

    def off(size):
        ratio = size[0] / size[1]
        return max(want / ratio, ratio / want)
    return first if off(first) < off(second) else second


def diffusers(w, h, area, mod=16):
    ratio = h / w
    return tuple(round(math.sqrt(side)) // mod * mod for side in (area / ratio, area * ratio))


def wan2gp(w, h, scale):
    return round(w * scale / 16) * 16, round(h * scale / 16) * 16


def s2v(w, h, area):
    low, high = 0.1, 1.0
    if h * w > area:
        b, a, c = 63 * (h + w), h * w, 63 ** 2 - area
        low, high = (math.sqrt(b ** 2 - 2 * a * c) - b) / (2 * a), math.sqrt(area / (h * w))
    for i in range(100):
        scale = high - (high - low) * i / 100
        size = [int(side * scale) + -int(side * scale) % 64 for side in (w, h)]
        if size[0] * size[1] <= area:
            return tuple(size)
    ratio = w / h
    size = int((area * ratio) ** 0.5 // 64 * 64), int((area / ratio) ** 0.5 // 64 * 64)
    return size if size[0] < w and size[1] < h else (w // 64 * 64, h // 64 * 64)


def output_size(name, source, target):
    (w, h), (tw, th) = source, target
    area = tw * th
    if name in ("a14b", "ti2v", "diffusers", "s2v"):
        return {"a14b": a14b, "ti2v": ti2v, "diffusers": diffusers, "s2v": s2v}[name](w, h, area)
    if name == "diffusers-ti2v":  # its VAE's 16 times the transformer's patches of 2
        return diffusers(w, h, area, 16 * 2)
    if name.startswith("wan2gp"):
        tw, th = tw // 16 * 16, th // 16 * 16
    if name == "wan2gp":
        return wan2gp(w, h, (th * tw / (h * w)) ** (1 / 2))
    if name == "wan2gp-inside":
        return wan2gp(w, h, max(min(th / h, tw / w), min(tw / h, th / w)))
    step = 8 if name == "kijai" else 16
    return tw // step * step, th // step * step


def centre_crop(length, wanted):
    """torchvision's, one axis: offset and length of what stays, border before it."""
    if wanted > length:
        return 0, length, (wanted - length) // 2
    return int(round((length - wanted) / 2.0)), wanted, 0


def frame(name, source, output):
    """Crop, scaled, window, place."""
    (w, h), (ow, oh) = source, output
    usable(ow, oh)
    crop, scaled, window, place = (0, 0, w, h), output, (0, 0, ow, oh), (0, 0)
    if name == "ti2v":
        s = max(ow / w, oh / h)
        scaled = max(round(w * s), ow), max(round(h * s), oh)
        window = (scaled[0] - ow) // 2, (scaled[1] - oh) // 2, ow, oh
    elif name == "comfyui":
        have, want = w / h, ow / oh
        x = y = 0
        if have > want:
            x = round((w - w * (want / have)) / 2)
        elif have < want:
            y = round((h - h * (have / want)) / 2)
        crop = x, y, w - 2 * x, h - 2 * y
    elif name == "wan2gp-crop":
        want = ow / oh
        if w / h > want:
            kept = int(h * want)
            crop = (w - kept) // 2, 0, kept, h
        else:
            kept = min(int(w / want), h)
            crop = 0, (h - kept) // 2, w, kept
    elif name == "s2v":
        side = min(ow, oh)
        scaled = (side, int(side * h / w)) if w <= h else (int(side * w / h), side)
        x, width, left = centre_crop(scaled[0], ow)
        y, height, top = centre_crop(scaled[1], oh)
        window, place = (x, y, width, height), (left, top)
    elif name == "animate":
        scaled = (int(oh / h * w), oh) if h / w > oh / ow else (ow, int(ow / w * h))
        place = int((ow - scaled[0]) / 2), int((oh - scaled[1]) / 2)
        window = (0, 0, *scaled)
    usable(*crop[2:], *scaled)
    return [*output, *crop, *scaled, *window, *place]


def sizes(generator):
    kind = generator.randrange(4)
    if kind == 0:
        return generator.randint(1, 65535), generator.randint(1, 65535)
    if kind == 1:  # photographs
        side, ratio = generator.randint(200, 6000), generator.choice(
            (16 / 9, 4 / 3, 3 / 2, 1, 9 / 16, 2 / 3, 21 / 9))
        return max(1, int(side * ratio)), side
    if kind == 2:  # near the steps
        return tuple(generator.randint(1, 300) * 16 + generator.randint(-1, 1)
                     for _ in range(2))
    return tuple(int(math.exp(generator.uniform(0, 9))) for _ in range(2))


TARGETS = [(832, 480), (480, 832), (1280, 720), (720, 1280), (1280, 704), (1024, 704), (16, 16),
           (640, 640), (854, 480), (1921, 1081)]


def questions_of(name, generator, count):
    questions = []
    for _ in range(count):
        target = generator.choice(TARGETS) if generator.randrange(3) else sizes(generator)
        questions.append((name, sizes(generator), target))
    return questions


def compare(name, questions, expected_of):
    failed = 0
    for question, answer in zip(questions, ask(questions)):
        try:
            expected = expected_of(question[1], question[2])
        except (Unusable, ZeroDivisionError):
            failed += 1
            equal(answer, ["error", str(-errno.ERANGE)], question)
            continue
        equal([int(number) for number in answer[:14]], expected, question)
    check(failed < len(questions) / 2, f"{failed} of {len(questions)} without an answer: {name}")


NAMES = ("a14b", "ti2v", "diffusers", "wan2gp", "wan2gp-inside", "comfyui", "diffusers-exact",
         "kijai", "wan2gp-crop", "s2v", "animate", "diffusers-ti2v")


@test
def framings_equal_a_second_statement_of_the_rules():
    for name in NAMES:
        questions = questions_of(name, random.Random(name), CASES // 10)
        compare(name, questions,
                lambda source, target, name=name:
                frame(name, source, output_size(name, source, target)))
    print(f"# {len(NAMES)} pipelines, {CASES // 10} sizes each")


@test
def ends_are_framed_for_the_frames_of_the_start():
    for name in NAMES:
        questions = questions_of(name + ":end", random.Random(name), CASES // 60)
        if name in ("a14b", "ti2v", "s2v", "animate", "diffusers-ti2v"):
            for answer in ask(questions):
                equal(answer, ["error", str(-errno.EOPNOTSUPP)], name)
        else:
            compare(name, questions, lambda source, target, name=name: frame(name, source, target))


@test
def the_documented_last_frame_is_cut_with_its_sides_exchanged():
    questions = questions_of("last", random.Random(5), CASES // 10)
    for (_, (w, h), (ow, oh)), answer in zip(questions, ask(questions)):
        if (w, h) == (ow, oh):
            continue
        ratio = max(ow / w, oh / h)
        tall, wide = round(w * ratio), round(h * ratio)
        x, width, _ = centre_crop(w, wide)
        y, height, _ = centre_crop(h, tall)
        equal([int(number) for number in answer[2:6]], [x, y, width, height], (w, h, ow, oh))
        squeeze = ((ow / wide) / (oh / tall) - 1) * 100
        check(abs(float(answer[14]) - squeeze) <= 1e-6 * max(1, abs(squeeze)), (answer, squeeze))
        lost = max(0, (1 - width * height / (w * h)) * 100)
        check(abs(float(answer[15]) - lost) < 1e-4, (answer, lost))


@test
def what_is_lost_squeezed_and_bordered_follows_from_the_steps():
    for name in NAMES:
        questions = questions_of(name, random.Random(1), CASES // 60)
        for (_, (w, h), _), answer in zip(questions, ask(questions)):
            if answer[0] == "error":
                continue
            ow, oh, _, _, cw, ch, sw, sh, _, _, ww, wh, _, _ = (int(n) for n in answer[:14])
            squeeze, lost, padded = (float(number) for number in answer[14:])
            check(abs(squeeze - ((sw / cw) / (sh / ch) * 100 - 100)) <= 1e-6 * max(1, abs(squeeze)),
                  answer)
            seen = (ww * cw / sw) * (wh * ch / sh) / (w * h)
            check(abs(lost - (1 - seen) * 100) < 1e-6, (answer, seen))
            check(abs(padded - (1 - ww * wh / (ow * oh)) * 100) < 1e-6, answer)
            check(0 <= lost < 100 and 0 <= padded < 100, answer)


@test
def a_size_that_is_proposed_stays_as_it_is():
    for name in NAMES:
        generator = random.Random(2)
        asked = [(name + ":size", sizes(generator), generator.choice(TARGETS[:6]))
                 for _ in range(12)]
        for (_, source, target), answer in zip(asked, ask(asked)):
            check(answer[0] != "error", (name, source, target))
            size = tuple(int(number) for number in answer)
            chooses = output_size(name, size, target)
            kept = frame(name, size, size if chooses != size else chooses)
            equal(kept, [*size, 0, 0, *size, *size, 0, 0, *size, 0, 0], (name, source, target))
            if name in ("a14b", "ti2v", "diffusers", "wan2gp", "wan2gp-inside", "s2v",
                        "diffusers-ti2v"):
                equal(chooses, size, f"{name} does not keep {size}")


@test
def frames_are_counted_as_the_pipelines_do():
    def kept(frames, asked, fails=False):
        return [0 if frames == asked else 2 if fails else 1, frames]
    for name in NAMES:
        asked = [(name + ":count", (frames, 1), (1, 1)) for frames in range(1, 200)]
        for (_, (frames, _), _), answer in zip(asked, ask(asked)):
            below = (frames - 1) // 4 * 4 + 1
            if name in ("a14b", "animate"):
                expected = kept(below, frames, True)
            elif name.startswith("diffusers"):
                expected = kept(frames if frames % 4 == 1 else max(1, frames // 4 * 4 + 1), frames)
            elif name == "s2v":
                expected = kept(frames // 4 * 4, frames) if frames >= 4 else [2, 1]
            else:
                expected = kept(below, frames)
            equal([int(number) for number in answer], expected, (name, frames))


main(sys.argv[2:])
