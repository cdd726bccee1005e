# SPDX-License-Identifier: MIT
"""The last line of tools/test is true: whatever goes wrong counts as failed."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sources import ROOT
from tap import equal, main, test

SUMMARY = os.path.join(ROOT, "tools/test_summary.py")
HEAD = "TAP version 13\n"


def count(*results, broken=()):
    """results: (meson's verdict, what the test printed). Returns status and last line."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "testlog.json")
        with open(path, "w", encoding="utf-8") as log:
            for verdict, output in results:
                log.write(json.dumps({"name": "t", "result": verdict, "stdout": output,
                                      "returncode": 0 if verdict == "OK" else 1}) + "\n")
        more = ["--broken", *broken] if broken else []
        done = subprocess.run([sys.executable, SUMMARY, path, *more], stdout=subprocess.PIPE,
                              text=True)
    return done.returncode, done.stdout.splitlines()[-1]


@test
def subtests_are_counted_one_by_one():
    equal(count(("OK", HEAD + "ok 1 - a\nok 2 - b # SKIP no GPU\n1..2\n")),
          (0, "1 passed, 0 failed, 1 skipped"))
    equal(count(("FAIL", HEAD + "1..2\nok 1 - a\nnot ok 2 - b\n")),
          (1, "1 passed, 1 failed, 0 skipped"))


@test
def programs_without_subtests_count_as_one():
    equal(count(("OK", "done"), ("SKIP", "no display"), ("FAIL", "no")),
          (1, "1 passed, 1 failed, 1 skipped"))


@test
def a_crash_after_good_subtests_is_a_failure():
    equal(count(("ERROR", HEAD + "ok 1 - a\n")), (1, "1 passed, 1 failed, 0 skipped"))
    equal(count(("ERROR", HEAD + "ok 1 - a\n1..1\n")), (1, "1 passed, 1 failed, 0 skipped"))
    equal(count(("TIMEOUT", "")), (1, "0 passed, 1 failed, 0 skipped"))


@test
def a_plan_that_is_not_kept_is_a_failure():
    equal(count(("OK", HEAD + "1..3\nok 1 - a\n")), (1, "1 passed, 1 failed, 0 skipped"))


@test
def a_build_that_fails_is_a_failure():
    equal(count(("OK", HEAD + "1..1\nok 1 - a\n"), broken=["build-tsan: compilation"]),
          (1, "1 passed, 1 failed, 0 skipped"))


@test
def nothing_run_is_no_success():
    equal(count(), (1, "0 passed, 0 failed, 0 skipped"))
    equal(count(("OK", "1..0 # SKIP nothing here\n")), (1, "0 passed, 0 failed, 1 skipped"))


main(sys.argv[1:])
