# SPDX-License-Identifier: MIT
"""A start and an end image: what is wrong with them, and both as a pipeline frames them."""
from . import _wanrt


class PairVerdict:
    """What validation says of two images: issues of the pair itself, and the verdict of each."""

    __slots__ = ("pair", "start", "end")

    def __init__(self, pair, start, end):
        self.pair, self.start, self.end = pair, start, end

    @property
    def valid(self):
        """Both images may be used; bool(verdict) is the same."""
        return all(v.valid for v in (self.pair, self.start, self.end) if v is not None)

    __bool__ = valid.fget

    @property
    def issues(self):
        """Of the pair, then of the start image, then of the end image."""
        return tuple(issue for v in (self.pair, self.start, self.end) if v is not None
                     for issue in v.issues)

    def __repr__(self):
        return f"<wanrt.PairVerdict {'valid' if self else 'not valid'}, {len(self.issues)} issues>"


def validate_pair(start, end=None):
    """Judge a start and an end image, and whether they go together (sizes, ratios, colour modes): a
    PairVerdict. An end image is optional. Errors as wanrt.validate()."""
    return PairVerdict(*_wanrt.validate_pair(start, end))


PIPELINES = _wanrt.pipelines()


class Pair:
    """A start and an end image as a pipeline sees them.

    start, end: wanrt.Image, RGB, of exactly `size` (end: None without an end image).
    start_tensor, end_tensor: the same as float32 (3, height, width), when tensors were asked for.
    stack, mask: wanrt.Stack, when a stack was asked for.
    verdict: PairVerdict of the files. start_framing, end_framing: as wanrt.framing() says.
    """

    __slots__ = ("pipeline", "size", "frames", "start", "end", "start_framing", "end_framing",
                 "verdict", "start_tensor", "end_tensor", "stack", "mask")

    def __init__(self, **parts):
        for name in self.__slots__:
            setattr(self, name, parts.get(name))

    @property
    def warnings(self):
        """What a user should hear before minutes are spent: texts, worst first."""
        return _warnings(self)

    def __repr__(self):
        return (f"<wanrt.Pair {self.pipeline} {self.size[0]}x{self.size[1]}"
                f"{'' if self.end else ', no end image'}, {len(self.warnings)} warnings>")


def _source_size(verdict, pipeline):
    upright = PIPELINES[pipeline]["turns_upright"]
    return verdict.metadata["dimensions" if upright else "stored_dimensions"]


def _warnings(pair):
    said = [issue.message for issue in pair.verdict.issues if issue.severity == "error"]
    for side, framing in (("start", pair.start_framing), ("end", pair.end_framing)):
        if framing is None:
            continue
        if abs(framing["squeeze_percent"]) >= 1:
            how = "wider" if framing["squeeze_percent"] > 0 else "narrower"
            said.append(f"the {side} image is squeezed: things look "
                        f"{abs(framing['squeeze_percent']):.1f} % {how}")
        if framing["lost_percent"] >= 1:
            said.append(f"{framing['lost_percent']:.1f} % of the {side} image are cut off")
        if framing["padded_percent"] >= 1:
            said.append(f"{framing['padded_percent']:.1f} % of the frame around the {side} image "
                        f"are black")
    return said + [issue.message for issue in pair.verdict.issues if issue.severity == "warning"]


def prepare_pair(start, end=None, size=None, pipeline="diffusers", *, mode="RGB", tensors=False,
                 stack=False, frames=None, dtype="float32"):
    """Both images of a clip as the pipeline will see them: a Pair.

    start, end: files; end may be None.
    size: (width, height) asked of the pipeline; it makes the size of its frames from it and from
        the start image (Pair.size). None: what is usual for the pipeline.
    pipeline: one of wanrt.PIPELINES, such as "a14b", "ti2v", "diffusers", "comfyui", "kijai",
        "wan2gp". ValueError if it takes no end image and one is given.
    mode: of the pictures: "RGB", "RGBX" (for PIL without a copy), "RGBA", "L".
    tensors: also as float32 (3, height, width) in [-1, 1].
    stack: also as the tensor the pipeline gives its VAE, and its mask; frames (default: the
        pipeline's usual number) and dtype ("float32", "float16", "bfloat16") are the stack's.

    Each step is cached: N seeds with one start image do the work once; the stack is built anew,
    since it may be written to. An image that may not be used is no exception: look at
    Pair.verdict. Errors and threads as wanrt.load()."""
    try:
        about = PIPELINES[pipeline]
    except (KeyError, TypeError):
        raise ValueError(f"pipeline {pipeline!r} is not one of {', '.join(PIPELINES)}") from None
    if end is not None and not about["takes_end"]:
        raise ValueError(f"pipeline {pipeline!r} takes no end image: "
                         + ", ".join(n for n, p in PIPELINES.items() if p["takes_end"]) + " do")
    asked = about["usual"] if size is None else size
    verdict = validate_pair(start, end)
    parts = {"pipeline": pipeline, "verdict": verdict}
    parts["start_framing"] = _wanrt.framing(pipeline, _source_size(verdict.start, pipeline), asked)
    output = parts["size"] = parts["start_framing"]["output"]
    sides = [("start", start, asked, False)]
    if end is not None:
        parts["end_framing"] = _wanrt.framing(pipeline, _source_size(verdict.end, pipeline), output,
                                              end=True)
        sides.append(("end", end, output, True))
    for side, path, wanted, is_end in sides:
        parts[side] = _wanrt.frame(path, pipeline, wanted, end=is_end, mode=mode)
        if tensors or stack:
            parts[side + "_tensor"] = _wanrt.frame(path, pipeline, wanted, end=is_end, tensor=True)
    if stack:
        parts["frames"] = about["frames"] if frames is None else _wanrt.frame_count(pipeline, frames)
        parts["stack"], parts["mask"] = _wanrt.make_stack(
            parts["start_tensor"], parts.get("end_tensor"), pipeline, parts["frames"], dtype)
        if not tensors:
            del parts["start_tensor"]
            parts.pop("end_tensor", None)
    return Pair(**parts)
