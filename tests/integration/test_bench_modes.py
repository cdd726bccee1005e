# SPDX-License-Identifier: MIT
"""wanprof bench --mode and --matrix: reports that hold together, whatever happens meanwhile."""
import fcntl
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from tap import Skip, check, equal, main, test

WANPROF = os.path.abspath(sys.argv[1])
SCHEMA = os.path.join(here, "../../tools/schemas/bench.schema.json")
TIMEOUT_S = 240
NOBODY = 65534
FULL = os.environ.get("WAN_TEST_TIER", "quick") in ("full", "soak")


def bench(*arguments, folder=None, **more):
    environment = dict(os.environ, TMPDIR=folder or "/tmp", LC_ALL="C.UTF-8")
    return subprocess.run([WANPROF, "bench", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, env=environment,
                          **more)


def validate(report):
    try:
        import jsonschema
    except ImportError:
        return  # the cross-checks below hold without it
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    problems = [f"{list(e.absolute_path)}: {e.message[:200]}"
                for e in jsonschema.Draft202012Validator(schema).iter_errors(report)]
    equal(problems, [], "schema")


def cross_check(report):
    validate(report)
    summary, tests = report["summary"], report["tests"]
    equal(summary["total_tests"], len(tests), "total")
    for status in ("passed", "failed", "inconclusive"):
        equal(summary[status], sum(t["status"] == status for t in tests), status)
    groups = report["results_by_group"]
    equal(sum(g["tests"] for g in groups.values()), len(tests), "tests of groups")
    for one in tests:
        check(one["reason"] is None or one["status"] != "passed", one)
        check(one["status"] == "passed" or one["reason"], one)
    rows = (report["matrix"] or {"configurations": []})["configurations"]
    fps = [row["fps"] for row in rows if row["success"]]
    equal(fps, sorted(fps, reverse=True), "by falling fps")
    for one in report["stress"]:
        check(one["survived"] or one["status"] != "passed", one)


class Folder:
    """A place for the benchmark's pictures and reports; nothing of these may be left."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="wan-modes-")
        os.chmod(self.path, 0o777)
        return self.path

    def __exit__(self, kind, *unused):
        left = glob.glob(os.path.join(self.path, "wanprof-bench-*"))
        shutil.rmtree(self.path, ignore_errors=True)
        check(kind or not left, f"left behind: {left}")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as numbers:
        return [int(number) for number in numbers.read().split()]


def worker_of(pid, word):
    """The wanprof-bench that does that part of the work, once it is there."""
    for _ in range(6000):
        for child in children_of(pid):
            try:
                with open(f"/proc/{child}/cmdline", "rb") as line:
                    if word.encode() in line.read().split(b"\0"):
                        return child
            except OSError:
                pass  # it has ended meanwhile
        time.sleep(0.01)
    raise AssertionError(f"no {word} is at work")


def kill_worker(pid, word):
    """Kill one that is at work: halted before, so that it cannot end by itself meanwhile."""
    while True:
        worker = worker_of(pid, word)
        try:
            os.kill(worker, signal.SIGSTOP)
            for _ in range(6000):
                with open(f"/proc/{worker}/stat", encoding="ascii") as stat:
                    state = stat.read().rpartition(")")[2].split()[0]
                if state in "TZX":
                    break
                time.sleep(0.001)
            os.kill(worker, signal.SIGKILL)
            if state == "T":
                return
        except (OSError, IndexError):
            pass  # it has ended: the next one


def start(*arguments, folder):
    return subprocess.Popen([WANPROF, "bench", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True,
                            env=dict(os.environ, TMPDIR=folder, LC_ALL="C.UTF-8"))


@test
def a_quick_run_has_every_group_and_a_report_that_holds_together():
    with Folder() as folder:
        path = os.path.join(folder, "report.json")
        done = bench("--mode", "quick", "--sizes", "64x64,17x9", "--rounds", "1",
                     "-o", path, folder=folder)
        check(done.returncode in (0, 1, 2, 3), f"{done.returncode} {done.stderr}")
        equal(done.stderr, "", "messages")
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        cross_check(report)
        equal(report["summary"]["exit_status"], done.returncode, "exit status")
        equal([t for t in report["tests"] if t["status"] == "failed"], [], "failures")
        equal(sorted(report["results_by_group"]),
              ["aspect", "batch", "concurrent", "errors", "repeat", "size"], "groups")
        equal(sorted(report["results_by_content"]), ["complex", "medium", "simple"], "contents")
        check({"64x64", "17x9", "1x1"} <= set(report["results_by_size"]), "sizes")
        bits = report["results_by_content"]
        check(bits["simple"]["bits_per_pixel_png"] < bits["complex"]["bits_per_pixel_png"], bits)
        equal(report["memory_analysis"]["leak"]["verdict"], "none", "leak")
        equal(max(t["concurrent"] for t in report["tests"]), 10, "at once")
        for needed in "by size", "by content", "10 requests at once", "repeats:", "verdict:":
            check(needed in done.stdout, f"{needed!r} is missing:\n{done.stdout}")


@test
def the_matrix_compares_configurations_by_time_memory_and_error():
    with Folder() as folder:
        done = bench("--matrix", "--sizes", "160x90", "--rounds", "2", "--json", folder=folder)
        report = json.loads(done.stdout)
        cross_check(report)
        rows = {row["config_name"]: row for row in report["matrix"]["configurations"]}
        check(len(rows) >= 11, sorted(rows))
        for row in rows.values():
            check(row["success"] and row["mode"].startswith("cpu_"), row)
            check(row["psnr_db"] > 20 and row["peak_memory_mb"] > 0, row)
        check(rows["quality 75"]["psnr_db"] < rows["reference"]["psnr_db"], rows["quality 75"])
        equal(rows["cache"]["largest_error"], rows["reference"]["largest_error"], "cached pixels")
        equal(report["matrix"]["best"], report["matrix"]["configurations"][0]["config_name"], "best")


@test
def stress_is_injected_survived_and_told():
    with Folder() as folder:
        done = bench("--mode", "stress", "--sizes", "160x90", "--seconds", "0.2", "--json",
                     folder=folder)
        report = json.loads(done.stdout)
        cross_check(report)
        told = {one["name"]: one for one in report["stress"]}
        equal(list(told), ["undisturbed", "memory at 75 %", "memory at 85 %", "memory at 95 %",
                           "full disk", "contention", "throttled CPU"], "scenarios")
        for one in told.values():
            check(one["status"] != "failed", one)
            check(one["status"] == "inconclusive" or one["results_right"], one)
        equal(done.returncode in (0, 2, 3), True, f"{done.returncode} {done.stderr}")
        pressed = told["memory at 95 %"]
        if pressed["status"] == "passed":
            equal(pressed["level"], "emergency", str(pressed))
            check(pressed["actions"] > 0 and pressed["cache_limit_least_mb"] < 96, pressed)


@test
def stress_needs_no_rights_and_says_what_it_could_not_do():
    if not FULL:
        raise Skip("takes 1.3 GB once more; WAN_TEST_TIER=full")
    if os.getuid() != 0:
        raise Skip("not root: the test before was that already")
    if subprocess.run([WANPROF, "--version"], preexec_fn=lambda: os.setuid(NOBODY),
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("the build folder is closed to other users")
    with Folder() as folder:
        done = bench("--mode", "stress", "--sizes", "160x90", "--seconds", "0.1", "--json",
                     folder=folder, preexec_fn=lambda: os.setuid(NOBODY))
        report = json.loads(done.stdout)
        cross_check(report)
        for one in report["stress"]:
            check(one["status"] != "failed", one)
            if one["name"].startswith("memory") and one["status"] == "passed":
                check("memory.process_cap" in one["injected"], one)
        if any(one["status"] == "inconclusive" for one in report["stress"]):
            equal(done.returncode, 3, "exit status")
            equal(report["summary"]["verdict"], "inconclusive", str(report["summary"]))


@test
def an_interrupt_writes_what_there_is_and_ends_with_its_number():
    for number in signal.SIGINT, signal.SIGHUP:
        with Folder() as folder:
            path = os.path.join(folder, "report.json")
            child = start("--mode", "stress", "--sizes", "64x64", "--seconds", "300", "--only",
                          "stress", "-o", path, folder=folder)
            worker = worker_of(child.pid, "calm")
            os.killpg(child.pid, number)
            out, err = child.communicate(timeout=TIMEOUT_S)
            equal(child.returncode, 128 + number, err)
            check("interrupted" in out and f"exit status {128 + number}" in out, out)
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
            cross_check(report)
            check(report["interrupted"] and not report["complete"], report["summary"])
            equal(report["summary"]["exit_status"], 128 + number, "exit status")
            check(not os.path.exists(f"/proc/{worker}/exe"), "the worker still works")


@test
def what_a_killed_run_leaves_is_removed_by_the_next_and_nothing_else_is():
    with Folder() as folder:
        child = start("--mode", "stress", "--sizes", "64x64", "--seconds", "300", folder=folder)
        worker_of(child.pid, "calm")
        at_work = os.listdir(folder)
        equal(len(at_work), 1, str(at_work))
        for other in "wanprof-bench-results", "wanprof-leak-aaaaaa":
            os.mkdir(os.path.join(folder, other))
        done = bench("--mode", "quick", "--only", "errors", folder=folder)
        equal(done.returncode, 0, done.stderr)
        check(at_work[0] in os.listdir(folder), "the folder of one at work was removed")
        child.kill()
        child.communicate(timeout=TIMEOUT_S)
        check(at_work[0] in os.listdir(folder), "killed, and yet it cleaned up")
        bench("--mode", "quick", "--only", "errors", folder=folder)
        equal(sorted(os.listdir(folder)), ["wanprof-bench-results", "wanprof-leak-aaaaaa"], "left")
        os.rmdir(os.path.join(folder, "wanprof-bench-results"))


@test
def a_worker_that_is_killed_is_one_failed_test_and_the_next_one_runs():
    with Folder() as folder:
        child = start("--mode", "quick", "--sizes", "64x64", "--only", "repeat", "--only", "errors",
                      "--repeats", "1000", "--json", folder=folder)
        kill_worker(child.pid, "leak")
        out, err = child.communicate(timeout=TIMEOUT_S)
        report = json.loads(out)
        cross_check(report)
        failed = [one for one in report["tests"] if one["status"] == "failed"]
        equal([one["group"] for one in failed], ["repeat"], str(failed))
        check("signal 9" in failed[0]["reason"], failed)
        equal(child.returncode, 1, err)
        check(sum(one["group"] == "errors" for one in report["tests"]) >= 8, "the next ones")


@test
def a_configuration_that_fails_is_listed_and_the_others_go_on():
    with Folder() as folder:
        child = start("--matrix", "--sizes", "64x64", "--rounds", "6", "--json", folder=folder)
        kill_worker(child.pid, "frames")
        out, err = child.communicate(timeout=TIMEOUT_S)
        report = json.loads(out)
        cross_check(report)
        rows = report["matrix"]["configurations"]
        failed = [row for row in rows if not row["success"]]
        equal(len(failed), 1, str(failed))
        check("signal 9" in failed[0]["error"] and failed[0] is rows[-1], failed)
        check(len(rows) >= 11, "the others")


@test
def a_full_disk_takes_the_file_only():
    with Folder() as folder:
        small = os.path.join(folder, "small")
        os.mkdir(small)
        arguments = ["--mode", "quick", "--sizes", "64x64", "--rounds", "1", "--only", "size"]
        script = 'mount -t tmpfs -o size=4k none "$1" && shift && exec "$@"'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", small, WANPROF, "bench",
                               *arguments, "-o", os.path.join(small, "report.json")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=TIMEOUT_S, env=dict(os.environ, TMPDIR=folder))
        if "by size" not in done.stdout and re.search("unshare|mount", done.stderr):
            raise Skip("a small file system cannot be mounted here")
        equal(done.returncode, 73, done.stderr)
        check("report.json" in done.stderr and "full" in done.stderr, done.stderr)
        check("verdict:" in done.stdout, done.stdout)


@test
def files_that_cannot_be_written_are_told_before_the_work():
    with Folder() as folder:
        path = os.path.join(folder, "report.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write("mine")
        for wrong, reason in ((path, "exists"), (os.path.join(folder, "no/such.json"), "such")):
            done = bench("--mode", "comprehensive", "-o", wrong, folder=folder)
            check(done.returncode == 73 and reason in done.stderr, done.stderr)
            equal(done.stdout, "", "output")
        with open(path, encoding="utf-8") as file:
            equal(file.read(), "mine", "the file")
        done = bench("--mode", "quick", folder="/no/such/folder")
        check(done.returncode == 73 and "/no/such/folder" in done.stderr, done.stderr)


@test
def wrong_arguments_are_named():
    for wrong, named in ((["--mode", "fast"], "quick"), (["--mode", "quik"], "quick"),
                         (["--mode"], "--mode"), (["--mode", "quick", "--table"], "one at a time"),
                         (["--matrix", "--scaling", "x.png"], "one at a time"),
                         (["--mode", "quick", "x.png"], "x.png"),
                         (["--mode", "quick", "--only", "sizes"], "size"),
                         (["--mode", "stress", "--only", "size"], "--only"),
                         (["--mode", "quick", "--sizes", "64"], "--sizes"),
                         (["--mode", "quick", "--sizes", "16385x1"], "--sizes"),
                         (["--mode", "quick", "--repeats", "0"], "--repeats"),
                         (["--mode", "stress", "--seconds", "0"], "--seconds"),
                         (["--mode", "quick", "--rounds", "1001"], "--rounds"),
                         (["--table", "--only", "size"], "--mode"), (["--modes"], "--mode")):
        done = bench(*wrong)
        check(done.returncode == 64 and named in done.stderr, f"{wrong}: {done.stderr}")
        equal(done.stdout, "", str(wrong))


def on_terminal(folder, kind, columns):
    """What a terminal of that width is shown, and what goes to standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([WANPROF, "bench", "--mode", "quick", "--sizes", "64x64",
                              "--only", "size", "--only", "repeat", "--rounds", "1"],
                             stdout=subprocess.PIPE, stderr=theirs, text=True,
                             env=dict(os.environ, TMPDIR=folder, TERM=kind))
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], TIMEOUT_S)[0]:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    out, _ = child.communicate(timeout=TIMEOUT_S)
    return seen, out


@test
def a_terminal_sees_how_far_it_is_and_a_pipe_does_not():
    with Folder() as folder:
        seen, out = on_terminal(folder, "xterm", 80)
        check(re.search(rb"\[1/7\]\s+0 %\s+size 64x64 simple jpeg", seen), seen[:300])
        check(seen.endswith(b"\r\x1b[K"), seen[-80:])
        check("\x1b" not in out and "\r" not in out, out[:200])
        seen, _ = on_terminal(folder, "xterm", 24)
        check(seen, "nothing is shown on a narrow terminal")
        wide = [line for line in seen.split(b"\r\x1b[K") if len(line) >= 24]
        equal(wide, [], "lines that wrap cannot be written over")
        equal(on_terminal(folder, "dumb", 80)[0], b"", "a terminal that cannot go back")


main(sys.argv[3:])
