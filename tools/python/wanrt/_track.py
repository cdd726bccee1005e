# SPDX-License-Identifier: MIT
"""wanrt.track: takes the place of tqdm. It draws the bar a user of tqdm expects, and tells the
recording of each step, so that `wanprof top` and the report know phase, step, speed and stalls.

Accepted and without effect: maxinterval (the clock is looked at in each step: a bar that was fast
does not freeze when it becomes slow), lock_args, nrows, write_bytes, gui."""
import os
import sys
import threading
import time
import weakref

from . import _core, _meter, _phase
from ._core import Loop, Track

_positions = set()
_lock = threading.RLock()
_shown = weakref.WeakSet()
_QUIET_S = 10.0  # between drawings in a log file


def _forked():
    global _lock
    _lock = threading.RLock()
    track._lock = _lock
    for bar in list(_shown):
        bar._draws_bar = False  # the parent's: it goes on drawing it
        bar._closed = True
    _shown.clear()
    _positions.clear()


os.register_at_fork(after_in_child=_forked)


def _setting(name, kind):
    value = os.environ.get("TQDM_" + name)
    try:
        return None if value in (None, "") else kind(value)
    except ValueError:
        return None


def _flag(value):
    return value.lower() not in ("0", "false", "no")


def _whole(total):
    """For the recording; 0 is unknown."""
    try:
        return int(total) if total is not None and 0 < total < 1 << 63 else 0
    except (TypeError, ValueError, OverflowError):
        return 0


class track(Track):
    """for x in wanrt.track(iterable, desc="sampling"): a progress bar, as tqdm draws it, whose
    steps are recorded.

    Parameters as tqdm's. Besides: name (of the job in the recording; default: desc, else the place
    of the call) and record (False: draw only). disable=True draws nothing and still records;
    disable=None draws on a terminal only. On what is no terminal the bar is drawn each 10 s, unless
    file or mininterval is given. An exception that leaves the loop marks the job as failed and
    passes."""
    monitor_interval = 0
    _lock = _lock

    def __init__(self, iterable=None, desc=None, total=None, leave=True, file=None, ncols=None,
                 mininterval=None, maxinterval=10.0, miniters=None, ascii=None, disable=False,
                 unit="it", unit_scale=False, dynamic_ncols=False, smoothing=0.3, bar_format=None,
                 initial=0, position=None, postfix=None, unit_divisor=1000, write_bytes=False,
                 lock_args=None, nrows=None, colour=None, delay=0.0, gui=False, *, name=None,
                 record=True, color=None):
        self._closed = True  # until it has begun
        self._draws_bar = False
        self._job = self._row = None
        if total is None and iterable is not None:
            try:
                total = len(iterable)
            except (TypeError, AttributeError):
                total = None
        if isinstance(total, float) and total == float("inf"):
            total = None
        wanted = _setting("DISABLE", _flag)
        self.disable = wanted if wanted is not None and disable is False else disable
        self.iterable, self.desc, self._total, self.leave = iterable, desc or "", total, leave
        self.fp = sys.stderr if file is None else file
        self.ncols = _setting("NCOLS", int) if ncols is None else ncols
        self.dynamic_ncols, self.nrows = dynamic_ncols, nrows
        self.ascii = _setting("ASCII", _flag) if ascii is None else ascii
        self.unit, self.unit_scale, self.unit_divisor = unit, unit_scale, unit_divisor
        self.smoothing, self.bar_format, self.initial = smoothing, bar_format, initial
        self.colour = colour or color
        self.maxinterval, self.miniters, self.delay = maxinterval, miniters or 0, delay
        self.dynamic_miniters = miniters is None
        self.pos = position
        self.postfix = None
        self.start_t = self.last_print_t = time.monotonic()
        self.n = self.last_print_n = initial
        self._rate_steps = self._rate_time = self._weight = 0.0
        self._length = 0
        self._prepare_bar(file, _setting("MININTERVAL", float) if mininterval is None
                          else mininterval)
        if postfix:
            try:
                self.set_postfix(refresh=False, **postfix)
            except TypeError:
                self.postfix = postfix
        self._closed = False
        if record and not _core.off:
            self._record(name)
        if self._draws_bar:
            self._show()

    def _prepare_bar(self, file, mininterval):
        terminal = _meter.is_terminal(self.fp) or \
            type(self.fp).__module__.startswith("ipykernel")
        if self.disable is None:
            self.disable = not terminal
        self.disable = bool(self.disable) or self.fp is None
        if mininterval is None:
            mininterval = 0.1 if terminal or file is not None else _QUIET_S
        self.mininterval = mininterval
        self._draws_bar = not self.disable

    def _record(self, name):
        name = _core.text(name or self.desc.strip().rstrip(":") or _core.place())
        self._job, level = _phase.enter_track(self)
        self._steps_before = self.n
        if not self._begin(name, _whole(self._total), _core.text(self.unit or "it"), level):
            _phase.leave_track(self)
            self._job = None

    def _show(self):
        if self.ncols is None:
            self.ncols = _meter.columns_of(self.fp)
        if not self.ascii and self.ascii is not False:
            self.ascii = not _meter.takes_blocks(self.fp)
        with self._lock:
            if self.pos is None:
                self.pos = next(i for i in range(len(_positions) + 1) if i not in _positions)
            self._row = self.pos
            _positions.add(self.pos)
            _shown.add(self)
        self._draws(self.mininterval, max(self.delay, self.mininterval))
        if not self.delay:
            self.refresh()

    # --- the loop ---

    def __iter__(self):
        if self.iterable is None:
            raise TypeError("wanrt.track() was given no iterable to go through")
        inner = iter(self.iterable)
        if self._closed or not (self.recorded or self._draws_bar):
            return inner
        return Loop(self, inner)

    def __aiter__(self):
        return self._each()

    async def _each(self):
        outcome = 2
        try:
            async for item in self.iterable:
                yield item
                self.update()
            outcome = 1
        except GeneratorExit:
            outcome = 0
            raise
        finally:
            self._finish(outcome)

    def _due(self):
        """A drawing is due: called by the step that finds it so."""
        if self.n - self.last_print_n < self.miniters or not self._draws_bar:
            return False
        now = time.monotonic()
        steps, passed = self.n - self.last_print_n, now - self.last_print_t
        if steps >= 0 and passed > 0:
            keep = 1 - (self.smoothing or 0)
            self._rate_steps = keep * self._rate_steps + (1 - keep) * steps
            self._rate_time = keep * self._rate_time + (1 - keep) * passed
        self.last_print_n, self.last_print_t = self.n, now
        self.refresh()
        return True

    def _finish(self, outcome):
        """0 not told how, 1 completed, 2 failed."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._draws_bar:
                self._draw_last()
        finally:
            if self._job is not None:
                if self._job is not False and self.recorded:
                    self._job.took(self)
                _phase.leave_track(self)
            self._end(outcome)

    def close(self):
        """The job is over: completed when n has reached total, else not told how."""
        whole = self._total and self.n >= self._total
        self._finish(1 if whole else 0)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None or issubclass(kind, GeneratorExit):
            self.close()
        else:
            self._finish(2)

    def __del__(self):
        try:
            if not self._closed:
                self.close()
        except Exception:  # the interpreter goes
            pass

    # --- what is shown ---

    @property
    def format_dict(self):
        passed = time.monotonic() - self.start_t
        rate = self._rate_steps / self._rate_time if self._rate_time and self.smoothing else None
        if self.dynamic_ncols:
            self.ncols = _meter.columns_of(self.fp)
        return {"n": self.n, "total": self._total, "elapsed": passed, "ncols": self.ncols,
                "nrows": self.nrows, "prefix": self.desc, "ascii": self.ascii, "unit": self.unit,
                "unit_scale": self.unit_scale, "rate": rate, "bar_format": self.bar_format,
                "postfix": self.postfix, "unit_divisor": self.unit_divisor,
                "initial": self.initial, "colour": self.colour}

    format_sizeof = staticmethod(_meter.sizeof)
    format_interval = staticmethod(_meter.interval)
    format_num = staticmethod(_meter.number)
    format_meter = staticmethod(_meter.meter)

    def __str__(self):
        return _meter.meter(**self.format_dict)

    __repr__ = __str__

    def _write(self, text):
        """Nothing of a bar is worth ending a job for: a closed or broken stream ends the bar."""
        try:
            _core.own_output(1)
            try:
                self.fp.write(text)
                flush = getattr(self.fp, "flush", None)
                if flush:
                    flush()
            finally:
                _core.own_output(-1)
        except (OSError, ValueError, UnicodeError):
            self._draws_bar = False
            self._draws(-1, 0)

    def display(self, msg=None, pos=None):
        """Draw the line, or another text, at its row or another one."""
        if not self._draws_bar:
            return False
        row = abs(self._row if pos is None else pos)
        text = _meter.cut(str(self) if msg is None else msg, self.ncols)
        width = _meter.width_of(text)
        line = "\n" * row + "\r" + text + " " * max(0, self._length - width) + "\x1b[A" * row
        self._length = width
        self._write(line)
        return True

    def refresh(self, nolock=False, lock_args=None):
        """Draw it now."""
        with self._lock:
            return self.display()

    def clear(self, nolock=False):
        """Take it off the screen, until it is drawn again."""
        with self._lock:
            if self._draws_bar:
                row = abs(self._row)
                self._write("\n" * row + "\r" + " " * self._length + "\r" + "\x1b[A" * row)

    def _draw_last(self):
        with self._lock:
            stays = self._row == 0 if self.leave is None else self.leave
            if stays:
                self._rate_time = 0.0  # the whole job's rate
                self.display(pos=0)
                self._write("\n")
            else:
                self.clear()
            self._draws_bar = False
            self._draws(-1, 0)
            _shown.discard(self)
            _positions.discard(self._row)

    # --- what may be changed ---

    @property
    def total(self):
        return self._total

    @total.setter
    def total(self, total):
        self._total = total
        self._tell_total(_whole(total))

    def reset(self, total=None):
        """Begin again at 0."""
        if total is not None:
            self.total = total
        self.n = self.last_print_n = 0
        self.start_t = self.last_print_t = time.monotonic()
        self._rate_steps = self._rate_time = 0.0
        if self._draws_bar:
            self.refresh()

    def unpause(self):
        """Time since the last drawing does not count."""
        now = time.monotonic()
        self.start_t += now - self.last_print_t
        self.last_print_t = now

    def set_description(self, desc=None, refresh=True):
        """Another text in front of the bar; the job's name in the recording stays."""
        self.desc = f"{desc}: " if desc else ""
        if refresh and self._draws_bar:
            self.refresh()

    def set_description_str(self, desc=None, refresh=True):
        self.desc = desc or ""
        if refresh and self._draws_bar:
            self.refresh()

    def set_postfix(self, ordered_dict=None, refresh=True, **values):
        """Values behind the bar: set_postfix(loss=0.1)."""
        if not self._draws_bar:
            return
        every = dict(ordered_dict or {}, **values)
        self.postfix = ", ".join(
            f"{key}={_meter.number(value) if isinstance(value, (int, float)) else value}".strip()
            for key, value in every.items())
        if refresh:
            self.refresh()

    def set_postfix_str(self, s="", refresh=True):
        self.postfix = str(s)
        if refresh and self._draws_bar:
            self.refresh()

    def moveto(self, n):
        if self._draws_bar:
            self._write("\n" * n + "\x1b[A" * -n)

    # --- as a container ---

    def __len__(self):
        if self.iterable is None:
            return self._total or 0
        return len(self.iterable)

    def __bool__(self):
        if self._total is not None:
            return self._total > 0
        if self.iterable is None:
            raise TypeError("bool() of a wanrt.track without total or iterable")
        return bool(self.iterable)

    def __contains__(self, item):
        return item in self.iterable

    def __reversed__(self):
        before = self.iterable
        self.iterable = reversed(before)
        return iter(self)

    def __hash__(self):
        return id(self)

    # --- all bars ---

    @classmethod
    def write(cls, s, file=None, end="\n", nolock=False):
        """Print above the bars."""
        file = sys.stdout if file is None else file
        with cls._lock:
            bars = [bar for bar in list(_shown) if bar._draws_bar and
                    (bar.fp is file or all(f in (sys.stdout, sys.stderr) for f in (file, bar.fp)))]
            for bar in bars:
                bar.clear()
            file.write(s + end)
            if bars and hasattr(file, "flush"):
                file.flush()
            for bar in bars:
                bar.refresh()

    @classmethod
    def get_lock(cls):
        return cls._lock

    @classmethod
    def set_lock(cls, lock):
        cls._lock = lock


def trange(*args, **kwargs):
    """track(range(*args), **kwargs)"""
    return track(range(*args), **kwargs)
