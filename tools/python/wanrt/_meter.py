# SPDX-License-Identifier: MIT
"""How a bar looks: texts from numbers, in the fields of tqdm's bar_format, and the terminal."""
import os
import shutil
import unicodedata

BLOCKS = " ▏▎▍▌▋▊▉█"
DIGITS = " 123456789#"
_COLOURS = {"black": 30, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35,
            "cyan": 36, "white": 37}


def sizeof(number, suffix="", divisor=1000):
    """12345 is "12.3k": three digits and a prefix."""
    for prefix in ("", "k", "M", "G", "T", "P", "E", "Z"):
        size = abs(number)
        if size < 999.5:
            if prefix == "" and isinstance(number, int):
                return f"{number}{suffix}"
            digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
            return f"{number:.{digits}f}{prefix}{suffix}"
        number /= divisor
    return f"{number:.1f}Y{suffix}"


def interval(seconds):
    """3725 is "1:02:05"."""
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(abs(int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
    return sign + clock


def number(value):
    """Short, with at most three digits behind the point."""
    if isinstance(value, int):
        return str(value)
    short = f"{value:.3g}"
    return short if len(short) <= len(str(value)) else str(value)


def width_of(text):
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "FW" else 1 for c in text)


def is_terminal(file):
    try:
        return bool(file.isatty())
    except (AttributeError, ValueError, OSError):
        return False


def columns_of(file):
    """Of the terminal that file is; None: it is none."""
    try:
        return os.get_terminal_size(file.fileno()).columns or None
    except (AttributeError, ValueError, OSError):
        return shutil.get_terminal_size((0, 0)).columns or None if is_terminal(file) else None


def takes_blocks(file):
    try:
        BLOCKS.encode(file.encoding or "utf-8")
        return True
    except (AttributeError, TypeError):
        return True
    except (UnicodeEncodeError, LookupError):
        return False


def colour_code(colour):
    if not colour:
        return ""
    name = str(colour).lower()
    if name in _COLOURS:
        return f"\x1b[{_COLOURS[name]}m"
    digits = name.lstrip("#")
    try:
        red, green, blue = (int(digits[i:i + 2], 16) for i in (0, 2, 4))
    except ValueError:
        return ""
    return f"\x1b[38;2;{red};{green};{blue}m"


def bar(share, width, symbols, colour=None):
    """A share of 0 to 1 of so many columns; symbols[0] is empty, the last one full."""
    steps = len(symbols) - 1
    filled = int(min(max(share, 0.0), 1.0) * width * steps)
    whole, part = divmod(filled, steps)
    text = symbols[-1] * whole
    if whole < width:
        text += symbols[part] + symbols[0] * (width - whole - 1)
    code = colour_code(colour)
    return f"{code}{text}\x1b[0m" if code else text


class _Bar:
    """{bar} or {bar:20} in a bar_format; without a width it takes what is left of the line."""

    def __init__(self, share, symbols, colour):
        self.share, self.symbols, self.colour, self.width = share, symbols, colour, 10
        self.is_left_out = False

    def __format__(self, spec):
        symbols, width = self.symbols, self.width
        if self.is_left_out:
            return ""
        if spec[-1:] in ("a", "u", "b"):
            symbols = {"a": DIGITS, "u": BLOCKS, "b": " "}[spec[-1]]
            spec = spec[:-1]
        if spec:
            width = int(spec) if int(spec) >= 0 else max(1, self.width + int(spec))
        if len(symbols) < 2:
            return symbols * width
        return bar(self.share, width, symbols, self.colour)


def meter(n, total, elapsed, ncols=None, prefix="", ascii=False, unit="it", unit_scale=False,
          rate=None, bar_format=None, postfix=None, unit_divisor=1000, initial=0, colour=None,
          **extra):
    """One line. ncols 0: without a bar; None: a bar of ten columns."""
    if total and n >= total + 0.5:
        total = None
    if unit_scale and unit_scale not in (True, 1):
        n, total = n * unit_scale, total * unit_scale if total else total
        initial, rate = initial * unit_scale, rate * unit_scale if rate else rate
        unit_scale = False
    done = n - initial
    if rate is None and elapsed:
        rate = done / elapsed
    inverse = 1 / rate if rate else None
    scaled = (lambda value: sizeof(value, divisor=unit_divisor)) if unit_scale else str
    speed = (lambda value: sizeof(value, divisor=unit_divisor)) if unit_scale else \
        (lambda value: f"{value:5.2f}")
    noinv = (speed(rate) if rate else "?") + unit + "/s"
    inv = (speed(inverse) if inverse else "?") + "s/" + unit
    remaining = (total - n) / rate if rate and total else 0
    postfix = f", {postfix}" if postfix else ""
    prefix = prefix or ""
    before = prefix if not prefix or prefix.endswith(": ") else prefix + ": "
    fields = dict(
        extra, n=n, n_fmt=scaled(n), total=total, total_fmt=scaled(total) if total else "?",
        elapsed=interval(elapsed), elapsed_s=elapsed, ncols=ncols, desc=prefix, unit=unit,
        rate=inverse if inverse and inverse > 1 else rate,
        rate_fmt=inv if inverse and inverse > 1 else noinv, rate_noinv=rate, rate_noinv_fmt=noinv,
        rate_inv=inverse, rate_inv_fmt=inv, postfix=postfix, unit_divisor=unit_divisor,
        colour=colour, remaining=interval(remaining) if rate and total else "?",
        remaining_s=remaining, percentage=100 * n / total if total else 0,
        eta=_clock_time(remaining), initial=initial)
    if not total and not bar_format:
        return before + "{n_fmt}{unit} [{elapsed}, {rate_fmt}{postfix}]".format(**fields)
    fields["l_bar"] = before + "{percentage:3.0f}%|".format(**fields)
    fields["r_bar"] = "| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]".format(
        **fields)
    symbols = DIGITS if ascii is True else ascii or BLOCKS
    drawn = _Bar(n / total if total else 0, symbols, colour)
    layout = bar_format or ("{l_bar}{bar}{r_bar}" if ncols != 0 else "{l_bar}{r_bar}")
    if ncols == 0 and not bar_format:
        fields["l_bar"], fields["r_bar"] = fields["l_bar"][:-1], fields["r_bar"][1:]
    if ncols:
        drawn.is_left_out = True
        drawn.width = max(1, ncols - width_of(layout.format(bar=drawn, **fields)))
        drawn.is_left_out = False
    return layout.format(bar=drawn, **fields)


def _clock_time(seconds):
    import datetime
    try:
        return datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return datetime.datetime.max


def cut(text, columns):
    """To so many columns; what colours it goes with what is cut."""
    if not columns or width_of(text) <= columns or "\x1b" in text:
        return text
    while text and width_of(text) > columns:
        text = text[:-1]
    return text
