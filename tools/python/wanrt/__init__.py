# SPDX-License-Identifier: MIT
"""Start and end images for WAN pipelines: decoded once, cached under one ceiling, recorded; and
progress that costs nanoseconds.

    import wanrt
    image = wanrt.load("start.png", mode="RGBX")   # a view of pixels in the cache
    image.to_pil(), numpy.asarray(image)           # neither copies

load, thumbnail, fit, tensor, frame give wanrt.Image; validate, validate_pair say what is wrong;
prepare_pair frames a start and an end image as a pipeline does; cached keeps results of your own
functions; configure, clear, stats look after the cache.

    for t in wanrt.track(timesteps, desc="sampling"):   # in the place of tqdm
        ...
    with wanrt.phase("decode"): ...
    print(wanrt.report())

track, phase, profile, one_off, device_done, gpu_reusable tell the recording what the program is at;
they work, and cost next to nothing, where nothing is recorded or the extension is absent.
`python3 -m wanrt` tells what works here.
"""
from typing import Optional as _Optional

from . import _core
from ._core import _wanrt
from ._operation import profile
from ._phase import PHASES, device_done, one_off, phase
from ._report import Report, report
from ._track import track, trange

_of_progress = ["PHASES", "Report", "device_done", "gpu_reusable", "one_off", "phase", "profile",
                "report", "track", "trange"]
_of_images = [
    "AlphaError", "ArgumentError", "DamagedImageError", "Error", "FileError",
    "FileExistsAlreadyError", "FileIsFolderError", "FileMissingError", "FilePermissionError",
    "Image", "ImageError", "ImageTooLargeError", "Issue", "OutOfMemoryError", "PIPELINES", "Pair",
    "PairVerdict", "Stack", "UnsupportedImageError", "Verdict", "cached", "clear", "configure",
    "fit", "frame", "frame_count", "framing", "load", "prepare_pair", "stats", "tensor",
    "thumbnail", "validate", "validate_pair",
]

if _wanrt is not None:
    from ._images import *  # noqa: F403
    from ._images import _Path  # noqa: F401
    __version__ = _wanrt.version
    __all__ = sorted(_of_progress + _of_images)
else:
    __version__ = "0"
    __all__ = _of_progress

    def __getattr__(name):
        if name in _of_images:
            raise ImportError(f"wanrt.{name} needs the extension: {_core.reason}")
        raise AttributeError(f"module 'wanrt' has no attribute {name!r}")


def gpu_reusable(device: _Optional[int] = None, bytes: _Optional[int] = None) -> _Optional[int]:
    """Tell how many bytes this process holds on a GPU without using them, so that they are not
    taken for need. Without bytes, what torch's allocator caches there, when torch is imported
    already and uses CUDA; without device, its current one. Returns the bytes told, or None."""
    import sys
    torch = sys.modules.get("torch")
    if bytes is None:
        cuda = getattr(torch, "cuda", None)
        if cuda is None or not cuda.is_available() or not cuda.is_initialized():
            return None
        device = cuda.current_device() if device is None else device
        bytes = max(0, cuda.memory_reserved(device) - cuda.memory_allocated(device))
    if _wanrt is None or _core.off:
        return None
    _wanrt.gpu_reusable(0 if device is None else device, bytes)
    return bytes
