# SPDX-License-Identifier: MIT
"""wanrt.profile: calls of a function as operations of the recording."""
import functools
import inspect
import sys
import time
import types

from . import _core
from ._core import _wanrt

if _wanrt is not None and not _core.off:
    from ._wanrt import Operation, call, record
else:
    record = None

_now = time.perf_counter_ns


@types.coroutine
def _driven(name, inner):
    """A coroutine or generator, driven; its time at work is told apart from the time between."""
    began, at_work, status = _now(), 0, 2
    step, value = inner.send, None
    try:
        while True:
            resumed = _now()
            try:
                given = step(value)
            except StopIteration as stop:
                status = 0
                return stop.value
            finally:
                at_work += _now() - resumed
            try:
                value = yield given
                step = inner.send
            except GeneratorExit:
                status = 3
                inner.close()
                raise
            except BaseException as error:
                step, value = inner.throw, error
    finally:
        record(name, _now() - began, at_work, status)


async def _driven_async(name, inner):
    began, status = _now(), 2
    try:
        async for item in inner:
            yield item
        status = 0
    except GeneratorExit:
        status = 3
        await inner.aclose()
        raise
    finally:
        spent = _now() - began
        record(name, spent, spent, status)


def _wrapped(function, name):
    if inspect.iscoroutinefunction(function):
        async def wrapper(*args, **kwargs):
            return await _driven(name, function(*args, **kwargs))
    elif inspect.isasyncgenfunction(function):
        def wrapper(*args, **kwargs):
            return _driven_async(name, function(*args, **kwargs))
    elif inspect.isgeneratorfunction(function):
        def wrapper(*args, **kwargs):
            return _driven(name, function(*args, **kwargs))
    else:
        def wrapper(*args, **kwargs):
            return call(name, function, args, kwargs)
    return functools.wraps(function)(wrapper)


def _decorated(target, name):
    if isinstance(target, (staticmethod, classmethod)):
        return type(target)(_decorated(target.__func__, name))
    if isinstance(target, property):
        return property(*(part and _decorated(part, name)
                          for part in (target.fget, target.fset, target.fdel)), target.__doc__)
    if not callable(target):
        raise TypeError(f"@wanrt.profile goes before a function, not {type(target).__name__}")
    if record is None:
        return target
    name = name or getattr(target, "__qualname__", None) or type(target).__qualname__
    return _wrapped(target, _core.text(name.replace("<locals>.", "")))


class _Profile:
    """profile("name"): a decorator, and a context manager for a block."""

    def __init__(self, name):
        self._name = name
        self._open = []

    def __call__(self, target):
        return _decorated(target, self._name)

    def __enter__(self):
        if record is not None:
            name = self._name or sys._getframe(1).f_code.co_name
            self._open.append(Operation(_core.text(name)))
        return self

    def __exit__(self, kind, value, trace):
        if self._open:
            self._open.pop().end(0 if kind is None else 2)

    async def __aenter__(self):
        self._open.append(_now())
        return self

    async def __aexit__(self, kind, value, trace):
        spent = _now() - self._open.pop()
        if record is not None:
            record(_core.text(self._name or "block"), spent, spent, 0 if kind is None else 2)


def profile(target=None, /, *, name=None):
    """@wanrt.profile, @wanrt.profile("name"), with wanrt.profile("name"): each call (or the block)
    is an operation of the recording, with its time, CPU and memory; one that raises is marked as
    failed, and what it raised passes. Methods, coroutines and generators too: of these the time at
    work is told apart from the time between. Off, the function itself is returned."""
    if target is None or isinstance(target, str):
        return _Profile(target or name)
    return _decorated(target, name)
