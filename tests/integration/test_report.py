# SPDX-License-Identifier: MIT
"""wanprof report and the summary of a run: what a person reads."""
import json
import os
import shutil
import subprocess
import sys
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import IMAGE, TIMEOUT_S, WANPROF, fresh, need, record, record_here
from tap import check, main, test


def report(*arguments, **environment):
    done = subprocess.run([WANPROF, "report", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S,
                          env=record_here(**environment))
    check(done.returncode == 0, done.stderr)
    return done.stdout


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


def check_screen(text, lines_most=None):
    lines = [line for line in text.splitlines() if not line.startswith("wanprof: ")]
    for line in lines:
        if not line.startswith("next: "):  # never cut: it is there to be copied
            check(columns(line) <= 80, f"{columns(line)} columns: {line}")
        check(all(c.isprintable() for c in line), repr(line))
    if lines_most:
        check(len(lines) <= lines_most, f"{len(lines)} lines")


def recorded(command, *options):
    path = fresh() + ".wprof"
    done = record(command, path, *options)
    check(done.returncode == 0, done.stderr.decode())
    return path, done.stderr.decode()


@test
def names_of_any_kind_stay_inside_the_columns():
    need("djpeg")
    name = "e\u0301\u5199\u771f\x1b[31m\n.jpg"
    inside = fresh()
    os.mkdir(inside)
    shutil.copy(IMAGE, os.path.join(inside, name))
    path, summary = recorded(["sh", "-c", 'cd "$0" && djpeg "$1" > /dev/null', inside, name])
    check_screen(summary, 26)
    text = report(path, WAN_PROFILE_SLOW="1us")
    check_screen(text)
    check("\\x1b[31m\\x0a" in text, text)


@test
def one_line_says_which_libraries_were_seen():
    need("djpeg", "cjpeg")
    path, summary = recorded(["sh", "-c", f"djpeg {IMAGE} | cjpeg > /dev/null"])
    check("seen: libjpeg (2)" in summary, summary)
    check("overhead of wanprof" in summary and f"wanprof report {path}" in summary, summary)


@test
def processes_that_are_alike_share_a_line_of_the_report():
    need("djpeg")
    path, _ = recorded(["sh", "-c", f"for i in 1 2 3; do djpeg {IMAGE} > /dev/null; done"])
    text = report(path)
    check("3 processes:" in text and "3 operations, 3 times" in text, text)


@test
def several_recordings_are_put_together():
    need("djpeg")
    paths = [recorded(["djpeg", "-outfile", "/dev/null", IMAGE])[0] for _ in range(3)]
    text = report(*paths)
    check("3 runs" in text, text)
    row = [line for line in text.splitlines() if line.startswith("jpeg.decode")]
    check(len(row) == 1 and row[0].split()[1] == "3", text)


@test
def colour_only_where_it_is_wanted():
    need("djpeg")
    cut = fresh() + ".jpg"
    with open(IMAGE, "rb") as file, open(cut, "wb") as to:
        to.write(file.read()[:-1200])
    path, _ = recorded(["sh", "-c", f"djpeg {cut} > /dev/null || true"])
    check("\x1b" not in report(path), "colour in a pipe")
    check("\x1b[" in report(path, CLICOLOR_FORCE="1"), "no colour though it was asked for")
    check("\x1b" not in report(path, CLICOLOR_FORCE="1", NO_COLOR="1"), "NO_COLOR")


@test
def each_finding_has_number_limit_action_and_saving():
    need("djpeg")
    path, _ = recorded(["djpeg", "-outfile", "/dev/null", IMAGE])
    text = report(path, WAN_PROFILE_SLOW="1us")
    at = text.find("Slow operations: jpeg.decode 1 of 1 above 0.001 ms, worst")
    check(at > 0 and "->" in text[at:] and "saving not estimated" in text[at:].replace("\n      ", " "), text)
    done = subprocess.run([WANPROF, "report", "--json", path], stdout=subprocess.PIPE, check=True,
                          env=record_here(WAN_PROFILE_SLOW="1us"))
    finding = json.loads(done.stdout)["findings"][0]
    check(finding["id"] == "slow-operation" and finding["limit"] == 0.001, finding)
    check(finding["predicted_saving"] == "not estimated", finding)


@test
def a_healthy_run_has_no_findings():
    need("djpeg", "cjpeg")
    path, summary = recorded(["sh", "-c", f"djpeg {IMAGE} | cjpeg > /dev/null"])
    check("nothing slow, heavy or badly scaling was found" in summary, summary)
    check("nothing slow, heavy or badly scaling was found" in report(path), "report")


main(sys.argv[5:])
