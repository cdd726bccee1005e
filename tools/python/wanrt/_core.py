# SPDX-License-Identifier: MIT
"""What counts steps: the extension; without it plain Python on a slot of the recording that another
library of ours keeps (_slot.py); without that, and with WAN_PROFILE=off, nothing."""
import os
import sys

_wanrt = None
reason = None
off = os.environ.get("WAN_PROFILE", "").lower() in ("off", "0", "no", "false")
try:
    if os.environ.get("WAN_PYTHON_EXTENSION", "").lower() in ("off", "0"):
        raise ImportError("WAN_PYTHON_EXTENSION switches the extension off")
    from . import _wanrt
except ImportError as error:
    if "another interpreter" in str(error):
        raise
    reason = str(error)

if _wanrt is not None:
    from ._wanrt import Loop, Track, own_output
else:
    from ._slot import Loop, Track, own_output


def place():
    """file:line of the program's own code that calls the package."""
    frame = sys._getframe(1)
    package = __name__.rpartition(".")[0]
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def text(name):
    """As the recording takes it: some text without what would end it."""
    return str(name).replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
