# SPDX-License-Identifier: MIT
"""Start and end images for WAN pipelines: decoded once, cached under one ceiling, recorded.

    import wanrt
    image = wanrt.load("start.png", mode="RGBX")   # a view of pixels in the cache
    image.to_pil(), numpy.asarray(image)           # neither copies

load, thumbnail, fit, tensor, frame give wanrt.Image; validate, validate_pair say what is wrong;
prepare_pair frames a start and an end image as a pipeline does; cached keeps results of your own
functions; configure, clear, stats, report look after the cache. `python3 -m wanrt` tells what works
here.
"""
import atexit as _atexit
import json as _json
import os as _os
import tempfile as _tempfile
from typing import Optional as _Optional

from . import _wanrt
from ._cached import cached
from ._errors import (AlphaError, ArgumentError, DamagedImageError, Error, FileError,
                      FileExistsAlreadyError, FileIsFolderError, FileMissingError,
                      FilePermissionError, ImageError, ImageTooLargeError, OutOfMemoryError,
                      UnsupportedImageError)
from ._pair import _Path, PIPELINES, Pair, PairVerdict, prepare_pair, validate_pair
from ._wanrt import (Image, Issue, Stack, Verdict, clear, fit, frame, frame_count, framing, load,
                     stats, tensor, thumbnail, validate)

__version__ = _wanrt.version

__all__ = [
    "AlphaError", "ArgumentError", "DamagedImageError", "Error", "FileError",
    "FileExistsAlreadyError", "FileIsFolderError", "FileMissingError", "FilePermissionError",
    "Image", "ImageError", "ImageTooLargeError", "Issue", "OutOfMemoryError", "PIPELINES", "Pair",
    "PairVerdict", "Stack", "UnsupportedImageError", "Verdict", "cached", "clear", "configure",
    "fit", "frame", "frame_count", "framing", "load", "prepare_pair", "report", "stats", "tensor",
    "thumbnail", "validate", "validate_pair",
]

_settings = {}


def _setting(value):
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def configure(settings: _Optional[dict] = None, /, **named) -> None:
    """Use these settings from now on: configure({"cache.limit": "512M"}) or
    configure(cache_limit="512M", cache_entries=200). They win over files and environment; the keys
    are those of wanprof-config(1). Settings of earlier calls stay.

    The cache begins empty: call it first. Images made before stay valid. Nothing changes when a
    setting is refused (wanrt.ArgumentError, or wanrt.Error for a broken configuration file)."""
    wanted = dict(_settings)
    wanted.update(settings or {})
    wanted.update((name.replace("_", ".", 1), value) for name, value in named.items())
    for key in wanted:
        if not isinstance(key, str):
            raise TypeError(f"a setting is named by a text, not {key!r}")
    try:
        _wanrt.configure([(key, _setting(value)) for key, value in wanted.items()])
    except FileMissingError as unknown:  # "no such key"
        from ._errors import make
        raise make(-22, unknown.path, unknown.reason, unknown.hint) from None
    _settings.clear()
    _settings.update(wanted)


def report(path: _Optional[_Path] = None, *, overwrite: bool = False) -> dict:
    """Everything that was recorded in this process since it began, as `wanprof dump` says it: a
    dict of the JSON profile (operations, findings, cache, memory). With a path it is written there
    too. Costs milliseconds."""
    if path is not None:
        _wanrt.export_json(path, bool(overwrite))
        with open(path, encoding="utf-8") as file:
            return _json.load(file)
    with _tempfile.TemporaryDirectory(prefix="wanrt-") as folder:
        return report(_os.path.join(folder, "profile.json"))


# Objects in the cache need an interpreter to be destroyed: they stay where they are when it goes.
_atexit.register(_wanrt.close)
