# SPDX-License-Identifier: MIT
"""A start and an end image: what is wrong with them, and both as a pipeline frames them."""
import os
from typing import Optional, Tuple, Union

from . import _wanrt

_Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


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


def validate_pair(start: _Path, end: Optional[_Path] = None) -> PairVerdict:
    """Judge a start and an end image, and whether they go together (sizes, ratios, colour modes): a
    PairVerdict. An end image is optional. Errors as wanrt.validate()."""
    return PairVerdict(*_wanrt.validate_pair(start, end))


PIPELINES = _wanrt.pipelines()


class Pair:
    """A start and an end image as a pipeline sees them.

    start, end: wanrt.Image, RGB, of exactly `size` (end: None without an end image).
    start_tensor, end_tensor: the same as float32 (3, height, width), when tensors were asked for.
    stack, mask: wanrt.Stack, when a stack was asked for; frames: how many.
    verdict: PairVerdict of the files. start_framing, end_framing: as wanrt.framing() says.
    """

    __slots__ = ("pipeline", "size", "frames", "start", "end", "start_framing", "end_framing",
                 "verdict", "start_tensor", "end_tensor", "stack", "mask", "_asked", "_explained")

    def __init__(self, **parts):
        for name in self.__slots__:
            setattr(self, name, parts.get(name))

    def _explanation(self):
        if self._explained is None:
            end = self.verdict.end and self.verdict.end.path
            self._explained = _wanrt.explain(self.pipeline, self.verdict.start.path, end,
                                             self._asked)
        return self._explained

    @property
    def issues(self):
        """All there is to say, as wanrt.Issue: of the images, of the pair, and of what the pipeline
        does with them (squeezed, cut off, framed differently), worst first."""
        order = {"error": 0, "warning": 1, "info": 2}
        both = self.verdict.issues + self._explanation()[0].issues
        return tuple(sorted(dict.fromkeys(both), key=lambda issue: order[issue.severity]))

    @property
    def warnings(self):
        """What a user should hear before minutes are spent: texts of errors and warnings."""
        return [issue.message for issue in self.issues if issue.severity != "info"]

    @property
    def better_size(self):
        """The nearest size that is neither squeezed nor cut: of an image, for a pipeline that
        chooses the size of its frames; to ask for, for the others. None: there is none."""
        return self._explanation()[1]

    def __repr__(self):
        return (f"<wanrt.Pair {self.pipeline} {self.size[0]}x{self.size[1]}"
                f"{'' if self.end else ', no end image'}>")


def _source_size(verdict, pipeline):
    upright = PIPELINES[pipeline]["turns_upright"]
    return verdict.metadata["dimensions" if upright else "stored_dimensions"]


def prepare_pair(start: _Path, end: Optional[_Path] = None,
                 size: Optional[Tuple[int, int]] = None, pipeline: str = "diffusers", *,
                 mode: str = "RGB", tensors: bool = False, stack: Union[bool, str] = False,
                 frames: Optional[int] = None, dtype: str = "float32") -> Pair:
    """Both images of a clip as the pipeline will see them: a Pair.

    start, end: files; end may be None.
    size: (width, height) asked of the pipeline; it makes the size of its frames from it and from
        the start image (Pair.size). None: what is usual for the pipeline.
    pipeline: one of wanrt.PIPELINES, such as "a14b", "ti2v", "diffusers", "comfyui", "kijai",
        "wan2gp". ValueError if it takes no end image and one is given.
    mode: of the pictures: "RGB", "RGBX" (for PIL without a copy), "RGBA", "L".
    tensors: also as float32 (3, height, width) in [-1, 1], before rounding to bytes where the
        pipeline resizes in floating point.
    stack: True: also the tensor the pipeline gives its VAE, and its mask; shared through the cache,
        read-only. "own": built anew, and writable. frames (default: the pipeline's usual number)
        and dtype ("float32", "float16", "bfloat16") are the stack's.

    Each step is cached: N seeds with one start image do the work once. An image that a pipeline
    would take but should not is no exception: look at Pair.issues. Errors and threads as
    wanrt.load()."""
    try:
        about = PIPELINES[pipeline]
    except (KeyError, TypeError):
        raise ValueError(f"pipeline {pipeline!r} is not one of {', '.join(PIPELINES)}") from None
    if end is not None and not about["takes_end"]:
        raise ValueError(f"pipeline {pipeline!r} takes no end image: "
                         + ", ".join(n for n, p in PIPELINES.items() if p["takes_end"]) + " do")
    if stack not in (False, True, "own"):
        raise ValueError(f"stack={stack!r} is not one of False, True, 'own'")
    asked = about["usual"] if size is None else size
    verdict = validate_pair(start, end)
    parts = {"pipeline": pipeline, "verdict": verdict, "_asked": asked}
    wanted = asked
    for side, path, judged in (("start", start, verdict.start), ("end", end, verdict.end)):
        if path is None:
            continue
        is_end = side == "end"
        parts[side] = _wanrt.frame(path, pipeline, wanted, end=is_end, mode=mode)
        parts[side + "_framing"] = _wanrt.framing(pipeline, _source_size(judged, pipeline), wanted,
                                                  end=is_end)
        if tensors:
            parts[side + "_tensor"] = _wanrt.frame(path, pipeline, wanted, end=is_end, tensor=True)
        wanted = parts[side].size
    parts["size"] = parts["start"].size
    if stack:
        parts["frames"] = (about["frames"] if frames is None
                           else _wanrt.frame_count(pipeline, frames))
        parts["stack"], parts["mask"] = _wanrt.make_stack(start, end, pipeline, asked,
                                                          parts["frames"], dtype, stack == "own")
    return Pair(**parts)
