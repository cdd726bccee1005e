# SPDX-License-Identifier: MIT
"""wanrt.phase: what the program is at. The phases of a thread are those of one job, named after the
program; it begins with the first phase and ends with the thread or the program. Loops
(wanrt.track) inside a phase are jobs of their own, whose steps count in the phase too."""
import atexit
import contextlib
import functools
import inspect
import os
import sys
import threading
import weakref

from . import _core
from ._core import Track

_NUMBERS = {"initialization": 1, "model_loading": 2, "preprocessing": 3, "generation": 4,
            "postprocessing": 5, "encoding": 6, "completion": 7}
PHASES = tuple(_NUMBERS)
_jobs = weakref.WeakSet()


class _Job(Track):
    """Phases of a thread."""

    def __init__(self, name):
        self.open = []  # names of the phases that are entered, outermost first
        self.failed = False
        self._begin(_core.text(name), 0, None, 0)
        _jobs.add(self)

    def enter(self, name):
        number = _NUMBERS.get(name.lower().replace("-", "_").replace(" ", "_"))
        if number:
            self._tell_phase(None, number)
        elif name:
            self._tell_phase(name, 0)
        else:
            self._tell_phase(None, 0)

    def took(self, track):
        """Steps of a loop are steps of the phase that it ran in."""
        steps = int(track.n) - int(track._steps_before)
        track._steps_before = track.n
        if steps > 0 and self.open:
            self._add_steps(steps)


class _Thread(threading.local):
    """What is under way on this thread."""

    def __init__(self):
        self.job = None
        self.tracks = []  # weak references, outermost first

    def __del__(self):
        self.job = None


_here = _Thread()


def _job():
    job = _here.job
    if job is None or not job.recorded:
        program = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""
        name = "python" if program in ("", "-c", "-") else program
        thread = threading.current_thread()
        if thread is not threading.main_thread():
            name = f"{name}: {thread.name}"
        job = _here.job = _Job(name)
    return job


def enter_track(track):
    """(job of the phase it runs in or False, how many are around it)"""
    tracks = _here.tracks
    tracks[:] = [t for t in tracks if t() is not None and t().recorded]
    level = len(tracks)
    track._around = tracks
    tracks.append(weakref.ref(track))
    job = _here.job
    return (job if job is not None and job.open and not level else False), level


def leave_track(track):
    tracks = track._around
    for at in range(len(tracks) - 1, -1, -1):
        if tracks[at]() in (track, None):
            del tracks[at]


def _current():
    """The innermost loop of this thread, else its phases."""
    for track in reversed(_here.tracks):
        if track() is not None and track().recorded:
            return track()
    return _here.job


class phase(contextlib.ContextDecorator):
    """with wanrt.phase("decode"): what is done inside belongs to that phase. Also as a decorator,
    of functions and coroutines, and nested: at its end the phase around it goes on.

    The seven names of PHASES are known to every report; any other name is told as it is. An
    exception passes, and marks the job as failed unless another phase follows."""

    def __init__(self, name):
        self.name = _core.text(name)
        self._outer = []

    def __call__(self, function):
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def inside(*args, **kwargs):
            with type(self)(self.name):
                return await function(*args, **kwargs)
        return inside

    def _recreate_cm(self):
        return type(self)(self.name)

    def __enter__(self):
        if _core.off:
            return self
        job = _job()
        job.open.append(self.name)
        job.failed = False
        job.enter(self.name)
        self._outer.append(job)
        return self

    def __exit__(self, kind, value, trace):
        if not self._outer:
            return None
        job = self._outer.pop()
        for track in list(_here.tracks):
            if track() is not None and track()._job is job:
                job.took(track())
        if self.name in job.open:
            at = len(job.open) - 1 - job.open[::-1].index(self.name)
            del job.open[at]
        job.failed = kind is not None and not issubclass(kind, GeneratorExit)
        job.enter(job.open[-1] if job.open else "")
        return None

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, kind, value, trace):
        return self.__exit__(kind, value, trace)


def one_off(seconds):
    """What comes now happens once (a warm-up, a swap of models) and may take so long: no stall is
    told until then. Of the innermost loop or phase of this thread; a loop has the method too."""
    current = _current()
    if current is not None:
        current.one_off(seconds)


def device_done(n):
    """How many steps of the innermost loop of this thread the device has finished, where they are
    only enqueued here (GPU work runs behind). None: not known. A loop has the method too."""
    current = _current()
    if current is not None:
        current.device_done(n)


@atexit.register
def _end():
    for job in list(_jobs):
        if job.recorded:
            job._end(2 if job.failed else 1)


def _forked():
    _here.job = None
    _here.tracks = []


os.register_at_fork(after_in_child=_forked)
