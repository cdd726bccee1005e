# SPDX-License-Identifier: MIT
"""@wanrt.cached: results of functions of images, arrays and plain values, in the same cache, under
the same ceiling, as the images themselves."""
import copy as copying
import functools
import hashlib
import inspect
import itertools
import os
import sys
import threading
import time
import types
from typing import Any, Callable, Optional, TypeVar, overload

from . import _pil, _wanrt
from ._wanrt import Image, Verdict, call_key, cache_get, cache_hold

_MISSING = object()
_serial = itertools.count()

# How a result is handed out.
_AS_IS, _PIL, _ARRAY, _OTHER = range(4)

_IMMUTABLE = frozenset((type(None), bool, int, float, complex, str, bytes, type, range, Image,
                        Verdict))


# --- identity of a function ---

def _code_parts(code):
    constants = tuple(_code_parts(c) if isinstance(c, types.CodeType) else repr(c)
                      for c in code.co_consts)
    return (code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars)


def _identity(function):
    """Module, name and code: a function that was edited is another one. One with variables of an
    enclosing call has values that its code does not show, so it shares with nobody."""
    code = getattr(function, "__code__", None)
    parts = [getattr(function, "__module__", "") or "", getattr(function, "__qualname__", "")]
    if code is None or function.__closure__:
        parts.append(str(next(_serial)))
    if code is not None:
        parts.append(hashlib.blake2b(repr(_code_parts(code)).encode(), digest_size=16).hexdigest())
    return "\0".join(parts)


def _parameters(function):
    """(names that a key knows, how many of them by position, defaults)"""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return (), 0, {}
    by_position, by_name, defaults = [], [], {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            by_position.append(name)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            by_name.append(name)
        else:
            continue
        if parameter.default is not parameter.empty:
            defaults[name] = parameter.default
    return tuple(by_position + by_name), len(by_position), defaults


# --- what a result is, and what it takes ---

def _is_pil(value):
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _is_array(value):
    module = sys.modules.get("numpy")
    return module is not None and isinstance(value, module.ndarray)


def _kind(value):
    if type(value) in _IMMUTABLE:
        return _AS_IS
    if type(value) in (tuple, frozenset):
        return _AS_IS if all(_kind(item) == _AS_IS for item in value) else _OTHER
    if _is_pil(value):
        return _PIL
    if _is_array(value):
        return _ARRAY if value.dtype != object else _OTHER
    return _OTHER


def size_of(value, seen=None):
    """Bytes that a value keeps in memory, with what it contains."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if _is_pil(value):
        width, height = value.size
        return sys.getsizeof(value) + width * height * _pil.pixel_bytes(value.mode)
    if _is_array(value):
        base = value
        while _is_array(base.base):
            base = base.base
        return 128 + max(base.nbytes, value.nbytes)
    if isinstance(value, Image):
        return sys.getsizeof(value)  # its pixels are charged as what they are
    total = sys.getsizeof(value)
    nbytes = getattr(value, "nbytes", None)
    if isinstance(nbytes, int) and not isinstance(value, (bytes, bytearray)):
        total += nbytes
    if isinstance(value, dict):
        total += sum(size_of(k, seen) + size_of(v, seen) for k, v in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        total += sum(size_of(item, seen) for item in value)
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict):
        total += size_of(own, seen)
    return total


def _picture(value):
    """(width, height, channels, bits) of an image or an array that looks like one, else None."""
    if isinstance(value, Image):
        return (*value.size, value.channels, 8 * memoryview(value).itemsize)
    if _is_pil(value):
        return (*value.size, len(value.getbands()), 8)
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not 2 <= len(shape) <= 5:
        return None
    *_, a, b, c = (1, *shape)
    if len(shape) == 2:
        sides = (c, b, 1)
    else:  # channels last, or first
        sides = (b, a, c) if c <= 4 else (c, b, a)
    if not all(isinstance(side, int) and 0 < side < 1 << 24 for side in sides):
        return None
    return (*sides, 8 * getattr(value, "itemsize", 0))


def _describe(args, kwargs, result):
    for value in itertools.chain(args, kwargs.values(), (result,)):
        picture = _picture(value)
        if picture:
            return picture
    return (0, 0, 0, 0)


# --- handing out ---

def _private(name, kind, value):
    """A copy nobody else has."""
    if kind == _PIL or kind == _ARRAY:
        return value.copy()
    try:
        return copying.deepcopy(value)
    except Exception as reason:
        raise TypeError(f"{name}: its result, a {type(value).__name__}, cannot be copied for the "
                        f"cache; @wanrt.cached(copy=False) hands out one object to all") from reason


def _freeze(kind, value):
    """Shared by all from now on: where the class knows read-only, it is."""
    if kind == _PIL:
        value.load()
        value.readonly = 1  # Pillow copies before it draws, into the object drawn on
        return _show_pil(value, None)
    if kind == _ARRAY:
        value.flags.writeable = False
    return value


def _show_pil(value, held):
    shown = value._new(value.im)
    shown.readonly = 1
    shown._wanrt_held = held
    return shown


def _show_array(value, held):
    try:
        return sys.modules["numpy"].asarray(held)
    except (TypeError, ValueError, BufferError):  # of a dtype that has no buffer: dates
        return value.view()


def _show(entry, held):
    """Without a copy; what holds the entry keeps it charged as long as somebody looks at it."""
    kind, value = entry
    if kind == _PIL:
        return _show_pil(value, held)
    if kind == _ARRAY:
        return value.view() if held is None else _show_array(value, held)
    return value


# --- one execution for all who ask at once ---

class _Flight:
    __slots__ = ("owner", "done", "entry", "error", "result")

    def __init__(self):
        self.owner = threading.get_ident()
        self.done = threading.Event()
        self.entry = self.error = None


_lock = threading.Lock()
_flights = {}   # key: _Flight under way
_waiting = {}   # thread: _Flight it waits for


def _forget_after_fork():
    """Threads that computed in the parent are not in the child."""
    global _lock
    _lock = threading.Lock()
    _flights.clear()
    _waiting.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


def _waits_for_me(flight, me):
    """Would waiting close a circle? Then everybody in it would wait for ever."""
    while flight is not None:
        if flight.owner == me:
            return True
        flight = _waiting.get(flight.owner)
    return False


class _Function:
    """One decorated function."""

    def __init__(self, function, name, copy, key, size):
        self.function = function
        self.name = name
        self.copy = copy
        self.key = key
        self.size = size
        self.identity = _identity(function)
        self.names, self.positional, self.defaults = _parameters(function)
        self.epoch = 0
        self.keys = {}  # of results that may be in the cache
        self.sweep_at = 1024
        self.hits = self.misses = 0

    def key_of(self, args, kwargs):
        if self.key is not None:
            return call_key(self.identity, (), 0, {}, (self.key(*args, **kwargs),), None)
        return call_key(self.identity, self.names, self.positional, self.defaults, args, kwargs)

    def look(self, key):
        """(found, result); one request in the statistics."""
        if self.copy:
            entry = cache_get(key, _MISSING)
            return (False, None) if entry is _MISSING else (True, self.hand_out(entry))
        held = cache_hold(key)
        return (False, None) if held is None else (True, _show(held.object, held))

    def hand_out(self, entry):
        kind, value = entry
        if kind == _AS_IS:
            return value
        return _private(self.name, kind, value) if self.copy else _show(entry, None)

    def compute(self, key, args, kwargs):
        """(result, entry) after the function has run and its result is kept."""
        self.misses += 1
        epoch = self.epoch
        began = time.perf_counter_ns()
        result = _wanrt.profiled(self.name, self.function, args, kwargs, _describe)
        cost = time.perf_counter_ns() - began
        kind = _kind(result)
        if kind == _AS_IS:
            kept = result
        else:
            kept = _private(self.name, kind, result) if self.copy else _freeze(kind, result)
        entry = (kind, kept)
        size = size_of(kept) if self.size is None else self.size(kept)
        if epoch == self.epoch and _wanrt.cache_put(key, entry, size, cost):
            self.remember(key)
        return result, entry

    def remember(self, key):
        self.keys[key] = None
        if len(self.keys) >= self.sweep_at:
            kept = {k: None for k in list(self.keys) if _wanrt.cache_contains(k)}
            self.keys = kept
            self.sweep_at = max(1024, 2 * len(kept))

    def miss(self, key, args, kwargs):
        me = threading.get_ident()
        mine = _Flight()
        try:
            while True:
                with _lock:
                    flight = _flights.setdefault(key, mine)
                    if flight is mine:
                        break
                    circular = _waits_for_me(flight, me)
                    if not circular:
                        _waiting[me] = flight
                if circular:
                    return self.compute(key, args, kwargs)[0]
                try:
                    while not flight.done.wait(1.0) and _flights.get(key) is flight:
                        pass
                finally:
                    _waiting.pop(me, None)
                if flight.entry is not None:
                    return self.hand_out(flight.entry)
                if isinstance(flight.error, Exception):
                    raise flight.error
                # Its thread was interrupted, which is no answer for this one: ask again.
            if _wanrt.cache_contains(key):  # it came between the look and the lock
                mine.entry = cache_get(key, None)
                if mine.entry is not None:
                    return self.hand_out(mine.entry)
            result, mine.entry = self.compute(key, args, kwargs)
            return result
        except BaseException as error:
            mine.error = error
            raise
        finally:
            with _lock:
                if _flights.get(key) is mine:
                    del _flights[key]
            mine.done.set()

    def clear(self):
        self.epoch += 1
        keys, self.keys = self.keys, {}
        for key in keys:
            _wanrt.cache_remove(key)
        self.hits = self.misses = 0


_Callable = TypeVar("_Callable", bound=Callable[..., Any])


@overload
def cached(function: _Callable, /) -> _Callable: ...
@overload
def cached(*, name: Optional[str] = None, copy: bool = True,
           key: Optional[Callable[..., Any]] = None,
           size: Optional[Callable[[Any], int]] = None) -> Callable[[_Callable], _Callable]: ...
def cached(function=None, *, name=None, copy=True, key=None, size=None):
    """Keep the results of a function in the cache. Use it as @wanrt.cached or with options.

    Calls are told apart by content: pixels, size and mode of PIL images (with palette and info),
    shape, dtype and bytes of arrays, plain values, files behind pathlib paths as they are now; and
    by the function's module, name and code. Where an argument is given (position, name, default)
    does not matter. The function must depend on its arguments alone.

    Of all threads that ask for the same at once, one runs the function and the others share its
    result or its exception, unchanged. Exceptions are not kept. Each run is an operation of that
    name in the recording; hits are counted in wanrt.stats()["cache"].

    name: of the operation; default the function's own.
    copy: True hands out a copy of what could be changed, each time. False hands out views of the
        one result: PIL images that copy before they are drawn on, read-only arrays, and of any
        other class the same object to all.
    key: a function of the same arguments that returns a plain value to tell calls apart by, for
        arguments of classes that cannot be compared by content.
    size: a function of the result that returns its bytes; default: measured, with what it contains.

    The function gets cache_clear(), cache_info() -> {"hits", "misses", "entries"},
    cache_contains(*args) and cache_forget(*args).
    """
    if function is None:
        return functools.partial(cached, name=name, copy=copy, key=key, size=size)
    if not callable(function):
        raise TypeError(f"wanrt.cached() decorates a function, not {function!r}; its options are "
                        f"given by name")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or \
            inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__}: coroutines and generators run once; "
                        f"wanrt.cached() keeps results of plain functions")
    state = _Function(function, name or getattr(function, "__name__", type(function).__name__),
                      copy, key, size)

    key_of, look = state.key_of, state.look

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        call = key_of(args, kwargs)
        found, result = look(call)
        if found:
            state.hits += 1
            return result
        return state.miss(call, args, kwargs)

    wrapper.cache_clear = state.clear
    wrapper.cache_info = lambda: {"hits": state.hits, "misses": state.misses,
                                  "entries": sum(map(_wanrt.cache_contains, list(state.keys)))}
    wrapper.cache_contains = lambda *args, **kwargs: _wanrt.cache_contains(
        state.key_of(args, kwargs))
    wrapper.cache_forget = lambda *args, **kwargs: _wanrt.cache_remove(state.key_of(args, kwargs))
    return wrapper
