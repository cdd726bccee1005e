# SPDX-License-Identifier: MIT
"""wanrt.report(): the JSON profile of this process, with a text of one screen."""
import json
import os
import tempfile

from ._core import _wanrt, reason


class Report(dict):
    """The profile as a dict; str() of it is for reading."""

    def __str__(self):
        if not self:
            return f"nothing is recorded here: {reason or 'switched off'}"
        lines = []
        for part in (self._phases, self._trackers, self._operations, self._findings, self._cache):
            lines.extend(part())
        return "\n".join(lines) or "nothing was recorded so far"

    def _rows(self, *keys):
        at = self
        for key in keys:
            at = at.get(key) if isinstance(at, dict) else None
        return at if isinstance(at, (list, dict)) else []

    def _phases(self):
        rows = self._rows("progress", "phases")
        if rows:
            yield f"{'phase':<24}{'time':>12}{'share':>8}{'steps':>8}{'s/step':>10}"
        for row in rows:
            steps, each = row.get("steps"), row.get("s_per_step")
            yield (f"{_cut(row['name'], 23):<24}{_ms(row.get('duration_ms')):>12}"
                   f"{row.get('share_percent') or 0:>6.0f} %{steps if steps else '-':>8}"
                   f"{f'{each:.3g}' if each else '-':>10}")

    def _trackers(self):
        rows = [row for row in self._rows("progress", "trackers") if row.get("updates")]
        if rows:
            yield f"{'job':<24}{'done':>16}{'state':>10}{'mean':>12}{'longest':>12}"
        for row in rows:
            total = row.get("total")
            done = f"{row['done']}/{total}" if total else str(row["done"])
            yield (f"{_cut(row['name'], 23):<24}{done:>16}{row.get('state', ''):>10}"
                   f"{_ms(row.get('average_latency_ms')):>12}{_ms(row.get('max_latency_ms')):>12}")

    def _operations(self):
        rows = sorted(self._rows("operations"), key=lambda row: -(row.get("total_time_ms") or 0))
        if rows:
            yield f"{'operation':<32}{'count':>10}{'total':>12}{'mean':>12}"
        for row in rows[:10]:
            count, total = row.get("count") or 0, row.get("total_time_ms") or 0
            yield (f"{_cut(str(row.get('operation_name') or row.get('name')), 31):<32}"
                   f"{count:>10}{_ms(total):>12}{_ms(total / count if count else None):>12}")

    def _findings(self):
        for row in self._rows("findings")[:5]:
            text = row.get("message") or row.get("id")
            yield f" ! {text}: {row.get('action') or ''}".rstrip(": ")

    def _cache(self):
        cache = self._rows("cache")
        if cache and cache.get("total_requests"):
            used, limit = cache.get("memory_usage_mb") or 0, cache.get("limit_mb") or 0
            yield (f"cache: {cache['hits']} hits, {cache['misses']} misses, "
                   f"{used:.1f} of {limit:.0f} MB")


def _cut(text, columns):
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= columns else text[:columns - 1] + "~"


def _ms(value):
    if value is None:
        return "-"
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.3g} ms"


def report(path=None, *, overwrite=False):
    """Everything that was recorded in this process since it began, as `wanprof dump` says it: a
    dict of the JSON profile (operations, findings, progress, cache, memory); print(wanrt.report())
    shows one screen of it. With a path it is written there too. Costs milliseconds. Empty where
    nothing is recorded."""
    if _wanrt is None:
        return Report()
    if path is not None:
        _wanrt.export_json(path, bool(overwrite))
        with open(path, encoding="utf-8") as file:
            return Report(json.load(file))
    with tempfile.TemporaryDirectory(prefix="wanrt-") as folder:
        return report(os.path.join(folder, "profile.json"))
