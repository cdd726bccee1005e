# SPDX-License-Identifier: MIT
"""The part of the package that needs the extension: images, and what looks after their cache."""
import atexit as _atexit
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


# Objects in the cache need an interpreter to be destroyed: they stay where they are when it goes.
_atexit.register(_wanrt.close)
