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
