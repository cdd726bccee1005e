# SPDX-License-Identifier: MIT
"""What the value of an argument of some class consists of, for its key."""
import array
import dataclasses
import enum
import os
import pickle
import types

from . import _wanrt

# Small values without a state of their own; pickle writes them the same way each time.
_PLAIN_MODULES = frozenset(("datetime", "decimal", "fractions", "uuid", "zoneinfo", "ipaddress",
                            "re", "collections"))
_REFUSED = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType,
            types.GeneratorType)


def _refuse(value, why=""):
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise TypeError(f"{kind} cannot be made a key{why}: give @wanrt.cached(key=function), a "
                    f"function of the same arguments that returns what they stand for")


def _array_parts(value):
    """numpy arrays whose memory is not all there is to them."""
    kind = getattr(value.dtype, "kind", "")
    if hasattr(value, "mask"):
        return (str(value.dtype), value.filled(), value.mask)
    if kind in "mM":
        return (str(value.dtype), value.view("i8"))
    return _refuse(value, " (it holds objects)")


def parts_of(value):
    """Something plainer that is different whenever the value is. TypeError when that is unknown."""
    if isinstance(value, _REFUSED):
        return _refuse(value)
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        try:
            return (path, _wanrt.file_key(path))
        except OSError:
            return (path, None)
    if isinstance(value, enum.Enum):
        return value.name
    if dataclasses.is_dataclass(value):
        return tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    for plain in (str, int, float, tuple, list, dict, set, frozenset):
        if isinstance(value, plain):
            return (plain(value), getattr(value, "__dict__", None) or None)
    if isinstance(value, (complex, slice, range)):
        return repr(value)
    module = type(value).__module__.partition(".")[0]
    if module == "numpy" and hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array_parts(value)
    if module in ("numpy", "torch") and type(value).__name__.lower().endswith(("dtype", "device")) \
            or "dtype" in (c.__name__ for c in type(value).__mro__):
        return str(value)
    if module in _PLAIN_MODULES and not isinstance(value, array.array):
        try:
            return pickle.dumps(value, 4)
        except Exception:
            return _refuse(value)
    if hasattr(value, "__array__"):
        return _as_array(value)
    return _refuse(value)


def _as_array(value):
    try:
        import numpy
    except ImportError:
        return _refuse(value, " without numpy")
    made = numpy.asarray(value)
    if made.dtype == object:
        return _refuse(value)
    return made
