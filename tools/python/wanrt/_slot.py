# SPDX-License-Identifier: MIT
"""Without the extension: steps are stored to the recording by plain Python, through a memoryview of
the job's slot there. Clock and percentiles follow every few steps (each step, when steps take half
a millisecond or more): never is there a foreign call in each step of a fast loop.

The slot comes from libwanrt.so, or from the preload library of `wanprof run`; where there is
neither, steps are counted and nothing is told. An exception that leaves a loop is not seen from
here: the job ends untold, unless the bar is used as a context manager."""
import os
import time
from itertools import islice

_off = os.environ.get("WAN_PROFILE", "").lower() in ("off", "0", "no", "false")
_AT_MOST = 256       # steps between two looks at the clock
_LOOK_NS = 500_000   # as often as this, when steps are that short
_forks = 0
_now = time.monotonic_ns


class _Library:
    """Trackers of libwanrt.so."""

    def __init__(self, ctypes, names):
        for name in names:
            try:
                library = ctypes.CDLL(name)
                break
            except OSError:
                continue
        else:
            raise OSError("libwanrt.so.0 is not found")
        self.ctypes, whole, handle = ctypes, ctypes.c_uint64, ctypes.c_void_p

        def function(name, result, *arguments):
            found = getattr(library, "wan_" + name)
            found.restype, found.argtypes = result, arguments
            return found
        self._runtime = function("runtime_default", handle)
        self._progress = function("runtime_progress", handle, handle)
        self._begin = function("progress_begin", ctypes.c_int, handle, ctypes.c_char_p, whole,
                               ctypes.c_char_p, ctypes.POINTER(handle))
        self._slot = function("progress_slot", handle, handle)
        self.steps = function("progress_update_many", None, handle, whole, whole)
        self._phase = function("progress_phase", None, handle, ctypes.c_int)
        self._named = function("progress_phase_named", None, handle, ctypes.c_char_p)
        self.one_off = function("progress_one_off", None, handle, whole)
        self._end = function("progress_end", None, handle)

    def begin(self, name, total, unit):
        tracker = self.ctypes.c_void_p()
        if self._begin(self._progress(self._runtime()), name, total, unit, tracker) < 0:
            return None
        return tracker, self._slot(tracker)

    def phase(self, tracker, name, number):
        if name:
            self._named(tracker, name)
        else:
            self._phase(tracker, number)

    def end(self, tracker, words, outcome):
        words[61] = outcome
        self._end(tracker)


class _Share:
    """Trackers of the preload library: runtime/record/attach.h."""
    VERSION = 3

    def __init__(self, ctypes):
        pointer, whole, text = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_char_p
        kind = ctypes.CFUNCTYPE

        class Table(ctypes.Structure):
            _fields_ = [("version", ctypes.c_uint32), ("recorder_bytes", ctypes.c_uint32),
                        ("recorder", pointer), ("operation_open", pointer),
                        ("own_output", kind(None, ctypes.c_int)),
                        ("begin", kind(pointer, text, whole, text, ctypes.POINTER(pointer))),
                        ("steps", kind(None, pointer, pointer, whole, whole)),
                        ("phase", kind(None, pointer, ctypes.c_uint, text)),
                        ("grace", kind(None, pointer, whole)),
                        ("end", kind(None, pointer, whole))]
        self.ctypes = ctypes
        self.table = Table.in_dll(ctypes.CDLL(None), "wan_record_share")
        if self.table.version != self.VERSION:
            raise OSError("the preload library is of another version")

    def begin(self, name, total, unit):
        counts = self.ctypes.c_void_p()
        words = self.table.begin(name, total, unit, self.ctypes.byref(counts))
        return ((words, counts), words) if words else None

    def steps(self, tracker, done, count):
        self.table.steps(*tracker, done, count)

    def phase(self, tracker, name, number):
        self.table.phase(tracker[0], number, name)

    def one_off(self, tracker, ns):
        self.table.grace(tracker[0], ns)

    def end(self, tracker, words, outcome):
        self.table.end(tracker[0], outcome)


def _names():
    yield "libwanrt.so.0"
    for path in os.environ.get("LD_PRELOAD", "").replace(":", " ").split():
        if "libwanrt-preload" in path:
            yield os.path.join(os.path.dirname(os.path.realpath(path)), "libwanrt.so.0")


def _find():
    if _off:
        return None, None
    try:
        import ctypes
    except ImportError:
        return None, None
    try:
        share = _Share(ctypes)
        return share, share.table.own_output
    except (OSError, ValueError, AttributeError):
        pass
    try:
        return _Library(ctypes, _names()), None
    except (OSError, AttributeError):
        return None, None


_driver, _own_output = _find()


def own_output(delta):
    """+1 before this thread prints a bar of a job that is told anyway, -1 after."""
    if _own_output is not None:
        _own_output(delta)


def _forked():
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_forked)


class Track:
    """The base of wanrt.track, as the extension has it."""
    _tracker = None
    _interval = -1
    _looked = 0   # ns
    _next = 0     # ns, of the next drawing
    _told = 0     # steps so far, at the last look
    _chunk = 1

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self._slot = [0]  # the recording's words, once there are some
        return self

    @property
    def n(self):
        return self._part if self._part is not None else self._slot[0]

    _part = None  # as the program told it, when it is no whole number

    @n.setter
    def n(self, n):
        whole = int(n)
        self._part = n if whole != n or whole < 0 else None
        self._slot[0] = max(whole, 0)

    @property
    def recorded(self):
        """Whether the job is in the recording, and under way."""
        return self._tracker is not None and self._fork == _forks

    def _begin(self, name, total, unit, level):
        began = _driver and _driver.begin(name.encode(), total, unit.encode() if unit else None)
        if not began:
            return False
        import ctypes
        self._tracker, address = began
        words = (ctypes.c_uint64 * 63).from_address(address)
        words = memoryview(words).cast("B").cast("Q")
        words[36], words[37] = 2, level
        words[0] = words[62] = self._slot[0]
        self._fork, self._slot, self._told = _forks, words, words[0]
        self._looked = _now()
        return True

    def _end(self, outcome):
        words, tracker, self._tracker = self._slot, self._tracker, None
        if tracker is None or self._fork != _forks:
            return
        self._slot = [words[0]]
        _driver.end(tracker, words, outcome)

    def _tell_total(self, total):
        if self.recorded:
            self._slot[1] = total

    def _tell_phase(self, name, number):
        if self.recorded:
            _driver.phase(self._tracker, name.encode() if name else None, number)

    def _add_steps(self, count):
        if self.recorded:
            self._slot[6] += count

    def one_off(self, seconds):
        """What comes now happens once and may take so long."""
        if self.recorded:
            _driver.one_off(self._tracker, int(max(0, min(seconds, 1e9)) * 1e9))

    def expect(self, seconds):
        """Steps are due that often."""
        if self.recorded:
            self._slot[57] = int(max(0, min(seconds, 1e9)) * 1e9)

    def device_done(self, n):
        """How many of the steps the device has finished. None: not known."""
        if self.recorded:
            self._slot[39] = 0 if n is None else n + 1

    def latency(self):
        return None

    def _draws(self, interval, wait):
        self._interval = int(interval * 1e9) if interval >= 0 else -1
        self._next = _now() + int(wait * 1e9)

    def _look(self, now):
        """Steps since the last look are told; a bar that is due is drawn."""
        n = self._slot[0]
        count = n - self._told
        if count > 0 and self._tracker is not None and self._fork == _forks:
            _driver.steps(self._tracker, n, count)
        passed, self._looked, self._told = now - self._looked, now, n
        if self._interval == 0:
            self._chunk = 1
        elif count > 0:
            self._chunk = max(1, min(_AT_MOST, count * _LOOK_NS // (passed + 1)))
        if self._interval < 0 or now < self._next:
            return False
        drawn = self._due()
        self._next = _now() + self._interval
        return drawn

    def update(self, n=1):
        """n more are done. True when that made the bar be drawn again."""
        if n is None:
            n = 1
        if self._part is not None or n.__class__ is not int or n < 0:
            self.n = self.n + n
        else:
            self._slot[0] += n
        if self._slot[0] - self._told < self._chunk:
            return False
        return self._look(_now())


def Loop(track, inner):
    """for x in wanrt.track(...)"""
    outcome = 2
    slot, n = track._slot, track._slot[0]
    try:
        while True:
            first, chunk = n, track._chunk
            for item in islice(inner, chunk):
                yield item
                n += 1
                slot[0] = n
            track._look(_now())
            if n - first < chunk:
                break
            n = slot[0]  # the program may have set it
        outcome = 1
    except GeneratorExit:
        outcome = 0
        raise
    finally:
        track._finish(outcome)
