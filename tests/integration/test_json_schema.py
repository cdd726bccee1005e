# SPDX-License-Identifier: MIT
"""The documents of wanprof dump and report: schema, sums, formats, filters, bad input.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), [TEST NAME PART...]
"""
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import IMAGE, TIMEOUT_S, WANPROF, fresh, need, record, record_here
from tap import Skip, check, equal, main, test

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../tools/profile.schema.json")


def wanprof(*arguments, **more):
    more.setdefault("env", record_here())
    return subprocess.run([WANPROF, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT_S, **more)


def validate(document, part=None):
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed")
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    if part:
        schema = dict(schema, **{"$ref": f"#/$defs/{part}"})
        for key in ("properties", "required", "additionalProperties"):
            schema.pop(key)
    problems = [f"{list(e.absolute_path)}: {e.message[:200]}"
                for e in jsonschema.Draft202012Validator(schema).iter_errors(document)]
    equal(problems, [], "schema")


def cross_check(document):
    """Whatever was recorded, the numbers of one document agree with each other."""
    summary, metrics, rows = document["summary"], document["metrics"], document["operations"]
    outer = [row for row in rows if not row["nested"]]
    equal(summary["total_operations"], len(metrics) + summary["metrics_dropped"], "total")
    equal(summary["total_operations"], sum(row["count"] for row in outer), "rows")
    equal(summary["nested_operations"], sum(r["count"] for r in rows if r["nested"]), "nested")
    equal(summary["total_time_ns"], sum(row["total_time_ns"] for row in outer), "time of rows")
    if not summary["metrics_dropped"]:
        equal(summary["total_time_ns"], sum(m["execution_time_ns"] for m in metrics), "time")
    equal(sum(item["operations"] for item in document["coverage"]),
          sum(row["count"] for row in rows if row["library"]), "coverage")
    equal([f["severity"] for f in document["findings"]],
          sorted((f["severity"] for f in document["findings"]),
                 key=["critical", "high", "medium", "notice"].index), "worst first")
    equal(len(summary["bottlenecks"]), len(document["findings"]), "bottlenecks")
    equal(len(summary["recommendations"]), len(document["recommendations"]), "recommendations")
    for row in rows:
        equal(row["count"], sum(one["count"] for one in row["sizes"]), "sizes")
        equal(row["total_time_ns"], sum(one["total_time_ns"] for one in row["sizes"]), "sizes")
        order = [row[key] for key in ("min_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns")]
        equal(order, sorted(order), f"percentiles of {row['operation_name']}")
    for one in metrics:
        check(one["execution_time_ns"] <= one["span_ns"], "inside its span")
        check(abs(one["execution_time_ms"] * 1e6 - one["execution_time_ns"]) < 1, "ms and ns")
    starts = [one["monotonic_ns"] for one in metrics]
    if len({one["process"] for one in metrics}) == 1:
        equal(starts, sorted(starts), "order")


def dump(*arguments, status=0):
    done = wanprof("dump", *arguments)
    equal(done.returncode, status, done.stderr)
    document = json.loads(done.stdout)
    validate(document)
    cross_check(document)
    return document


def recorded(*command, status=0, **more):
    need(command[0])
    out = fresh()
    done = record(list(command), out, "-q", **more)
    equal(done.returncode, status, done.stderr)
    return out


def size_of_image():
    need("djpeg")
    head = subprocess.run(["djpeg", "-pnm", IMAGE], stdout=subprocess.PIPE).stdout[:32].split()
    return [int(head[1]), int(head[2])]


@test
def a_decode_is_one_metric_with_its_size():
    document = dump(recorded("djpeg", "-outfile", "/dev/null", IMAGE))
    equal(len(document["metrics"]), 1, "metrics")
    one = document["metrics"][0]
    equal(one["operation_name"], "jpeg.decode", "name")
    equal(one["image_size"], size_of_image(), "size")
    equal(one["status"], "ok", "status")
    equal(one["library"], "libjpeg", "library")
    equal(document["run"]["state"], "exited", "state")
    equal(document["run"]["exit_status"], 0, "exit status")
    equal(document["program"]["command"][0], "djpeg", "command")
    equal(document["damage"], [], "damage")
    width, height = size_of_image()
    size = document["operations"][0]["sizes"][0]
    check(size["pixels_from"] <= width * height <= size["pixels_to"], size)
    environment = document["environment"]
    equal(environment["cpu"]["count"], os.cpu_count(), "processors")
    equal(environment["cpu"]["usable_count"], len(os.sched_getaffinity(0)), "usable")
    check(environment["memory"]["total_bytes"] > 1 << 28, environment["memory"])
    check(environment["kernel"].startswith("Linux " + os.uname().release), environment["kernel"])


@test
def the_processes_of_a_run_are_pooled():
    script = f"djpeg -outfile /dev/null {IMAGE}; djpeg -outfile /dev/null {IMAGE}; exit 3"
    document = dump(recorded("sh", "-c", script, status=3))
    equal(document["summary"]["total_operations"], 2, "operations")
    equal(document["run"]["exit_status"], 3, "exit status")
    equal(len({one["process"] for one in document["metrics"]}), 2, "processes")
    equal(document["operations"][0]["count"], 2, "one row")


@test
def several_recordings_are_pooled():
    files = [recorded("djpeg", "-outfile", "/dev/null", IMAGE) for _ in range(3)]
    equal(dump(*files)["summary"]["total_operations"], 3, "operations")


def cut(path):
    out = fresh() + ".jpg"
    with open(path, "rb") as source, open(out, "wb") as file:
        content = source.read()
        file.write(content[:len(content) // 2])
    return out


@test
def a_truncated_image_is_not_ok():
    need("djpeg")
    out = fresh()
    record(["djpeg", "-outfile", "/dev/null", cut(IMAGE)], out, "-q")
    document = dump(out)
    equal(len(document["metrics"]), 1, "metrics")
    check(document["metrics"][0]["status"] in ("warned", "failed"), document["metrics"][0])
    check(document["findings"], "a finding")


def stalled():
    """djpeg in the middle of an image that does not go on coming. Its pid and the feeding end."""
    need("djpeg")
    pipe, out = fresh(), fresh()
    os.mkfifo(pipe)
    child = subprocess.Popen([WANPROF, "run", "-q", "-o", out, "--", "djpeg", "-outfile",
                              "/dev/null", pipe], env=record_here(), start_new_session=True)
    feed = os.open(pipe, os.O_WRONLY)
    with open(IMAGE, "rb") as image:
        content = image.read()
    os.write(feed, content[:len(content) * 3 // 4])
    end = time.monotonic() + 20
    while time.monotonic() < end:
        done = wanprof("dump", out + ".d")
        if done.returncode == 0:
            document = json.loads(done.stdout)
            if document["run"]["in_flight"]:
                return child, feed, out, document
        time.sleep(0.05)
    child.kill()
    os.close(feed)
    raise AssertionError(f"no operation in flight: {done.stderr}")


def finish(child, feed):
    os.close(feed)
    return child.wait(timeout=20)


@test
def the_open_operation_of_a_live_process_is_in_flight():
    child, feed, out, document = stalled()
    validate(document)
    cross_check(document)
    one = document["run"]["in_flight"][0]
    equal(one["operation_name"], "jpeg.decode", "name")
    equal(document["run"]["state"], "running", "state")
    equal(document["summary"]["total_operations"], 0, "not ended")
    finish(child, feed)
    equal(dump(out)["summary"]["total_operations"], 1, "ended")


@test
def the_open_operation_of_a_killed_process_is_aborted():
    child, feed, out, document = stalled()
    pid = document["run"]["in_flight"][0]["process"]
    os.kill(pid, signal.SIGKILL)
    finish(child, feed)
    document = dump(out)
    equal(document["run"]["state"], "signalled", "state")
    equal(document["run"]["signal"], 9, "signal")
    equal([m["status"] for m in document["metrics"]], ["aborted"], "status")
    equal(document["metrics"][0]["unfinished"], True, "unfinished")
    equal(document["summary"]["total_operations"], 1, "counted")


@test
def filters_leave_out_metrics_but_not_totals():
    out = recorded("sh", "-c", f"djpeg -outfile /dev/null {IMAGE}")
    equal(dump("--no-metrics", out)["summary"]["metrics_dropped"], 1, "no metrics")
    equal(dump("--min-ms", "100000", out)["metrics"], [], "min-ms")
    equal(dump("--op", "png.*", out)["summary"]["total_operations"], 0, "another operation")
    equal(dump("--op", "jpeg.*", out)["summary"]["total_operations"], 1, "this one")


@test
def a_redacted_document_has_no_path():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    for form in ("json", "jsonl", "csv"):
        text = wanprof("dump", "--redact", "-f", form, out).stdout.decode()
        check(IMAGE not in text and os.path.basename(IMAGE) not in text, text)
        check(out not in text and "/usr/bin" not in text, text)
    dump("--redact", out)


@test
def every_line_of_jsonl_is_an_operation():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    lines = wanprof("dump", "-f", "jsonl", out).stdout.decode().splitlines()
    equal(len(lines), 1, "lines")
    one = json.loads(lines[0])
    equal(one.pop("nested"), False, "nested")
    validate(one, "operation")


@test
def csv_has_a_header_and_a_line_per_operation():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    rows = list(csv.DictReader(io.StringIO(wanprof("dump", "-f", "csv", out).stdout.decode())))
    equal(len(rows), 1, "rows")
    equal([int(rows[0]["width_px"]), int(rows[0]["height_px"])], size_of_image(), "size")
    check(None not in rows[0], "as many cells as names")


@test
def an_existing_file_is_not_overwritten_without_force():
    out, to = recorded("djpeg", "-outfile", "/dev/null", IMAGE), fresh()
    equal(wanprof("dump", "-o", to, out).returncode, 0, "new")
    before = os.stat(to)
    done = wanprof("dump", "-o", to, out)
    equal(done.returncode, 73, "status")
    check(b"--force" in done.stderr, done.stderr)
    equal(os.stat(to).st_mtime_ns, before.st_mtime_ns, "untouched")
    equal(wanprof("dump", "--force", "-o", to, out).returncode, 0, "forced")
    equal([n for n in os.listdir(os.path.dirname(to)) if n.endswith(".part")], [], "left-overs")


@test
def a_full_device_is_said():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    for arguments in (("-f", "json"), ("-f", "jsonl"), ("-f", "csv"), ("--schema",), ("--list",)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([WANPROF, "dump", *arguments, out] if arguments[0] == "-f"
                                  else [WANPROF, "dump", *arguments], stdout=full,
                                  stderr=subprocess.PIPE, env=record_here(), timeout=TIMEOUT_S)
        if arguments == ("--list",) and done.returncode == 66:
            continue  # nothing to list here
        equal(done.returncode, 73, f"{arguments} {done.stderr}")
        check(b"written" in done.stderr, done.stderr)
    equal(wanprof("dump", "-o", "/dev/full", out).returncode, 73, "-o")


@test
def a_reader_that_leaves_is_no_error_message():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    child = subprocess.Popen([WANPROF, "dump", out], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=record_here())
    child.stdout.close()
    equal(child.stderr.read(), b"", "silence")
    child.wait()


@test
def missing_and_foreign_input_is_named():
    for path, status in ((fresh(), 66), (IMAGE, 65), ("/dev/null", None)):
        for verb in ("dump", "report"):
            done = wanprof(verb, path)
            check(done.returncode == status or (status is None and done.returncode in (65, 66)),
                  f"{verb} {path}: {done.returncode} {done.stderr}")
            check(path.encode() in done.stderr, done.stderr)
            equal(done.stdout, b"", "no half document")
    done = wanprof("dump", "-p", "4194303")
    equal(done.returncode, 66, done.stderr)
    equal(wanprof("dump", "-p", "x").returncode, 64, "not a pid")


@test
def usage_errors_name_the_nearest():
    done = wanprof("dump", "-f", "jsno", "x")
    equal(done.returncode, 64, "status")
    check(b"did you mean \"json\"" in done.stderr, done.stderr)
    done = wanprof("dump", "--redcat")
    equal(done.returncode, 64, "status")
    check(b"--redact" in done.stderr, done.stderr)
    equal(wanprof("dump", "-f", "", "x").returncode, 64, "no format")
    equal(wanprof("dump", "--min-ms", "-1", "x").returncode, 64, "min-ms")


@test
def without_any_recording_it_says_how_to_make_one():
    for verb in ("dump", "report"):
        done = wanprof(verb, env=record_here(XDG_STATE_HOME=fresh()))
        equal(done.returncode, 66, "status")
        check(b"wanprof run" in done.stderr, done.stderr)


@test
def damaged_recordings_give_a_whole_document():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    with open(out, "rb") as file:
        content = file.read()
    seen = set()
    for at in range(0, len(content), max(1, len(content) // 60)):
        for kind in ("cut", "flip"):
            broken = fresh()
            with open(broken, "wb") as file:
                if kind == "cut":
                    file.write(content[:at])
                else:
                    file.write(content[:at] + bytes(b ^ 0xff for b in content[at:at + 64])
                               + content[at + 64:])
            done = wanprof("dump", broken)
            seen.add(done.returncode)
            check(done.returncode in (0, 65, 66), f"{kind} at {at}: {done.returncode}")
            if done.stdout:
                document = json.loads(done.stdout)
                validate(document)
                equal(document["summary"]["total_operations"], len(document["metrics"]) +
                      document["summary"]["metrics_dropped"], f"{kind} at {at}")
                equal(done.returncode, 65 if document["damage"] else 0, f"{kind} at {at}")
            os.unlink(broken)
    check(65 in seen, seen)


@test
def the_schema_is_printed_and_is_one():
    done = wanprof("dump", "--schema")
    equal(done.returncode, 0, done.stderr)
    with open(SCHEMA, "rb") as file:
        equal(done.stdout, file.read(), "the shipped file")
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


@test
def the_report_fits_its_screen_and_says_what_comes_next():
    out = recorded("djpeg", "-outfile", "/dev/null", IMAGE)
    done = wanprof("report", out)
    equal(done.returncode, 0, done.stderr)
    text = done.stdout.decode()
    check("jpeg.decode" in text and "libjpeg (1)" in text, text)
    check(f"wanprof dump {out}" in text, text)
    wide = [line for line in text.splitlines() if len(line) > 80 and "next:" not in line]
    equal(wide, [], "wider than 80 columns")
    document = json.loads(wanprof("report", "--json", out).stdout)
    validate(document)
    equal(document["metrics"], [], "no single operations")


@test
def a_command_without_images_is_told_why_nothing_was_seen():
    done = record(["true"], fresh())
    equal(done.returncode, 0, done.stderr)
    check(b"no image operation was recorded" in done.stderr, done.stderr)
    check(done.stderr.count(b"\n") <= 24, "one screen")


@test
def terminal_sequences_of_a_command_do_not_reach_the_terminal():
    out = recorded("sh", "-c", f"djpeg -outfile /dev/null {IMAGE} # \x1b[31m\x07")
    for verb in ("report", "dump"):
        done = wanprof(verb, out)
        check(b"\x1b" not in done.stdout and b"\x07" not in done.stdout, done.stdout)


main()
