# SPDX-License-Identifier: MIT
"""Counts what meson's test logs hold: TAP subtests where there are some, else executables.

test_summary.py LOG... [--broken TEXT...]; the last line is "N passed, N failed, N skipped".
"""
import json
import os
import re
import sys

LINE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:- )?(.*?)(?:\s+#\s*(SKIP|TODO)\b\s*(.*))?$", re.I)
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*SKIP\b\s*(.*))?$", re.I)


class Results:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add_tap(self, name, text):
        """Counts the subtests; returns how many failed, or None when the text is not TAP."""
        plan = failed = None
        count = 0
        for line in text.splitlines():
            planned = PLAN.match(line)
            if planned:
                plan = int(planned.group(1))
                if plan == 0:
                    self.skipped.append((name, planned.group(2) or "no reason given"))
                continue
            match = LINE.match(line)
            if not match:
                continue
            count += 1
            failed = failed or 0
            if match.group(1):
                failed += 1
                self.failed.append(f"{name}: {match.group(2)}")
            elif (match.group(3) or "").upper() == "SKIP":
                self.skipped.append((f"{name}: {match.group(2)}", match.group(4)))
            else:
                self.passed += 1
        if plan is None and count == 0:
            return None
        if plan != count:
            self.failed.append(f"{name}: ran {count} of {plan} subtests")
            return 1
        return failed or 0

    def add(self, entry, folder):
        name = f"{folder}: {entry['name']}"
        result = entry["result"]
        output = entry.get("stdout") or ""
        failed = self.add_tap(name, output)
        good = result in ("OK", "EXPECTEDFAIL", "SKIP")
        if failed is None and result == "SKIP":
            self.skipped.append((name, output.strip()[:200] or "no reason given"))
        elif failed is None and good:
            self.passed += 1
        elif failed is None or (not good and failed == 0):
            self.failed.append(f"{name}: {result.lower()}, status {entry.get('returncode')}")
        if not good:
            show(name, entry)


def show(name, entry):
    print(f"---- {name}: {entry['result']}")
    lines = (entry.get("stdout") or "").splitlines()
    wanted = [line for line in lines if line.startswith(("not ok", "#"))]
    for line in wanted[:40]:
        print(line)
    for line in (entry.get("stderr") or "").splitlines()[-40:]:
        print(line)


def main(arguments):
    broken = []
    if "--broken" in arguments:
        at = arguments.index("--broken")
        arguments, broken = arguments[:at], arguments[at + 1:]
    results = Results()
    for path in arguments:
        folder = path.split(os.sep)[0]
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                results.add(json.loads(line), folder)
    results.failed += broken
    for name, reason in results.skipped:
        print(f"skipped {name}: {reason}")
    for name in results.failed:
        print(f"FAILED {name}")
    print(f"{results.passed} passed, {len(results.failed)} failed, "
          f"{len(results.skipped)} skipped")
    return 1 if results.failed or not results.passed else 0


sys.exit(main(sys.argv[1:]))
