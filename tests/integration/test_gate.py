# SPDX-License-Identifier: MIT
"""The verbs gate and diff: exit statuses, bad input one by one, JSON against its schema.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), [TEST NAME PART...]
Runs are JSON made here, so that their times are what a test needs; one test records real ones.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import IMAGE, PYTHON, TIMEOUT_S, WANPROF, fresh, need, record_here
from tap import Skip, check, equal, main, test

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools")
MB = 1048576


def wanprof(*arguments, text=None, **environment):
    return subprocess.run([WANPROF, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT_S, input=text, encoding="utf-8",
                          env=record_here(WANPROF_TARGETS=os.path.join(TOOLS, "verdict/targets"),
                                          **environment))


def operation(name="jpeg.decode", ms=10.0, mb=1.0, status="ok", size=(1280, 720)):
    return {"operation_name": name, "execution_time_ns": int(ms * 1e6), "library": "libjpeg",
            "peak_memory_bytes": None if mb is None else int(mb * MB), "status": status,
            "image_size": list(size), "timestamp": "2026-11-21T04:00:00.000000000Z",
            "thread": 1, "process": 1}


def run(operations, start=0, phases=(), job="job", **environment):
    """A profile with what is judged of it."""
    rows = []
    for status in "ok", "failed":
        for name in sorted({o["operation_name"] for o in operations}):
            of = [o for o in operations if o["operation_name"] == name and o["status"] == status]
            if of:
                rows.append({"operation_name": name, "library": "libjpeg", "status": status,
                             "nested": False, "count": len(of), "cpu_time_known_for": 0,
                             "total_time_ns": sum(o["execution_time_ns"] for o in of),
                             "max_ns": max(o["execution_time_ns"] for o in of)})
    return {"schema": "wanrt-profile", "schema_version": 1,
            "run": {"job": job, "state": "exited", "exit_status": 0, "duration_ns": 10**9,
                    "started": f"2026-11-21T04:{start // 60:02d}:{start % 60:02d}.000000000Z"},
            "summary": {"total_operations": len(operations)}, "environment": environment,
            "metrics": operations, "operations": rows, "progress": {"phases": list(phases)}}


def save(document):
    path = fresh() + ".json"
    with open(path, "w", encoding="utf-8") as file:
        if isinstance(document, str):
            file.write(document)
        else:
            json.dump(document, file)
    return path


def gate(expected, *arguments, says="", text=None):
    answer = wanprof("gate", *arguments, text=text)
    equal(answer.returncode, expected, answer.stdout + answer.stderr)
    check(says in answer.stdout + answer.stderr, f"{says!r} in {answer.stdout}{answer.stderr}")
    return answer


def validated(answer, name):
    document = json.loads(answer.stdout)
    try:
        import jsonschema
    except ImportError:
        return document
    with open(os.path.join(TOOLS, f"schemas/{name}.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    problems = [f"{list(e.absolute_path)}: {e.message[:200]}"
                for e in jsonschema.Draft202012Validator(schema).iter_errors(document)]
    equal(problems, [], "schema")
    return document


def need_json():
    if "jansson" in wanprof("gate", save(run([operation()]))).stderr:
        raise Skip("this build has no JSON library")


@test
def the_sample_of_the_requirements_exits_0():
    need_json()
    path = save(run([operation("inference", 900, 500)] * 46 +
                    [operation("inference", 2500, 500)] * 2 +
                    [operation("inference", 5, 500, "failed")] * 2))
    gate(0, path, says="50 tests, 96.0 % success, 92.0 % compliance")
    document = validated(gate(0, "--json", path), "gate")
    equal(document["summary"]["total_tests"], 50)
    equal(document["summary"]["success_rate"], 96)
    equal(document["summary"]["real_time_compliance_rate"], 92)
    equal(document["performance_targets"]["real_time_target_ms"], 2000)
    equal(document["performance_targets"]["max_memory_per_inference_mb"], 1024)
    equal(document["results_by_operation"]["inference"]["tests"], 50)
    gate(0, "-", text=json.dumps(run([operation()])))


@test
def each_exit_status_has_its_reason():
    need_json()
    gate(1, save(run([operation()] * 79 + [operation(status="failed")] * 21)),
         says="success rate 79.0 %")
    gate(2, save(run([operation()] * 89 + [operation(ms=2000)] * 11)),
         says="compliance 89.0 %")
    gate(0, save(run([operation()] * 90 + [operation(ms=2000)] * 10)))
    gate(3, save(run([operation(mb=None)])), says="not known of 1 of 1")
    gate(3, save(run([])), says="nothing to judge")
    limits = save("operation jpeg.* time_ms < 9 hard\n")
    gate(1, "--targets", limits, save(run([operation()])), says="operation jpeg.* time_ms < 9 hard")


@test
def targets_that_contradict_are_refused_with_their_line():
    need_json()
    path = save(run([operation()]))
    for text, line in ("operation a time_ms 9..3", 1), \
                      ("operation a time_ms < 5\noperation a time_ms < 6", 2), \
                      ("operation a time_ms < 5\noperation a time_ms < 6 hard", 2), \
                      ("\n\noperation a speed < 6", 3):
        gate(65, "--targets", save(text), path, says=f", line {line}: ")
    gate(66, "--targets", "no-such-list", path, says="no such file of targets")
    gate(66, "--targets", save(""), path, says="it is empty")


@test
def shipped_lists_are_found_by_their_names():
    need_json()
    loading = {"name": "model_loading", "duration_ns": int(0.4e9), "steps": None}
    path = save(run([operation()], phases=[loading], job="yolo11-medium"))
    gate(0, "--targets", "variants", path, says="load_ms <= 2000")
    gate(3, "--targets", "tiers", path, says="targets for a tier are not judged")


@test
def baselines_are_compared_in_pairs():
    need_json()
    noise = [0.99, 1.0, 1.01, 1.0, 1.02, 0.98, 1.0, 1.01, 0.99, 1.0, 1.0, 1.01]
    base, same, slow = [], [], []
    for i, factor in enumerate(noise):
        base += ["--baseline", save(run([operation(ms=10 * factor)] * 9, 4 * i))]
        same.append(save(run([operation(ms=10.01 * noise[-i])] * 9, 4 * i + 1)))
        slow.append(save(run([operation(ms=10.5 * noise[-i])] * 9, 4 * i + 1)))
    gate(0, *base, *same, says="12 runs of each side, paired, interleaved")
    document = validated(gate(1, "--json", *base, *slow), "gate")
    equal([row["operation_name"] for row in document["regressions"]], ["jpeg.decode"])
    check(3 < document["regressions"][0]["low_percent"] < 5)
    gate(3, *base[:8], *slow[:4], says="4 pairs are too few to compare; 4 more are needed")
    gate(1, base[1], "--baseline", base[1], "--baseline", base[3], "--targets",
         save("operation * time_ms < 1 hard\n"), base[3])
    other = save(run([operation(ms=20)] * 9, 0, cpu={"model": "another", "count": 2}))
    mine = save(run([operation(ms=10)] * 9, 1, cpu={"model": "mine", "count": 2}))
    gate(3, "--baseline", mine, other, says="the baseline is of another machine (mine, now another)")


@test
def bad_input_is_named_and_nothing_crashes():
    need_json()
    good = json.dumps(run([operation()]))
    cases = [(good[:len(good) // 2], 65, "not JSON, or damaged"), ("{}", 65, "not a profile"),
             ("[1, 2]", 65, "not a profile"), ("\x00\x01\x02 garbage", 65, "not a recording"),
             (good.replace('"schema_version": 1', '"schema_version": 9'), 65, "version 9"),
             ("[" * 100 + "]" * 100, 65, "nested 100 levels"), ("", 66, "")]
    for text, status, says in cases:
        path = save(text)
        for arguments in ["gate", path], ["gate", "--baseline", path, save(good)], \
                         ["diff", path, save(good)], ["diff", save(good), path]:
            answer = wanprof(*arguments)
            equal(answer.returncode, status, f"{arguments[0]} {text[:40]!r} {answer.stderr}")
            check(says in answer.stderr and os.path.basename(path) in answer.stderr,
                  answer.stderr)
            equal(answer.stdout, "")
    for arguments in ["gate", "/no/such.wprof"], ["diff", "/no/such.wprof", save(good)]:
        answer = wanprof(*arguments)
        equal(answer.returncode, 66)
        check("/no/such.wprof: no such file" in answer.stderr, answer.stderr)
    equal(wanprof("gate", "--limit", "x", save(good)).returncode, 64)
    equal(wanprof("diff", save(good)).returncode, 64)
    equal(wanprof("gate", "--no-such", save(good)).returncode, 64)


@test
def a_report_goes_to_a_file_that_is_not_overwritten():
    need_json()
    path, report = save(run([operation()])), fresh()
    equal(gate(0, "-o", report, path).stdout, "")
    check("gate: met" in open(report, encoding="utf-8").read())
    gate(73, "-o", report, path)
    gate(0, "-o", report, "--force", "--json", path)
    equal(json.load(open(report, encoding="utf-8"))["schema"], "wanprof-gate")


@test
def texts_of_the_runs_do_not_steer_the_terminal():
    need_json()
    hostile = "\x1b[2J\u202e<script>\n"
    path = save(run([operation(hostile, 3000)], job=hostile))
    for arguments in ["gate", path], ["diff", path, save(run([operation()]))]:
        answer = wanprof(*arguments)
        check("\x1b" not in answer.stdout and "\u202e" not in answer.stdout, answer.stdout)
    validated(gate(2, "--json", path), "gate")
    validated(wanprof("diff", "--json", path, path), "diff")


@test
def a_difference_is_told_with_its_noise():
    need_json()
    base = [save(run([operation(ms=10 + i / 100), operation("png.decode", 5)], i))
            for i in range(5)]
    now = [save(run([operation(ms=12 + i / 100), operation("png.encode", 5)], i))
           for i in range(5)]
    bases = [word for path in base for word in ("--base", path)]
    document = validated(wanprof("diff", "--json", *bases, *now), "diff")
    rows = {row["name"]: row for row in document["operations"]}
    equal(rows["jpeg.decode"]["judgement"], "more")
    check(19 < rows["jpeg.decode"]["low_percent"] < 20.1, rows)
    equal((rows["png.decode"]["now"], rows["png.encode"]["base"]), (None, None))
    text = wanprof("diff", *bases, *now).stdout
    check("gone" in text and "new" in text and "few runs" not in text, text)
    check("few runs" in wanprof("diff", base[0], now[0]).stdout)


@test
def recordings_and_their_json_have_the_same_verdict():
    path = fresh() + ".wprof"
    code = f"from PIL import Image\nfor i in range(5): Image.open({IMAGE!r}).load()"
    wanprof("run", "-q", "-o", path, "--", PYTHON, "-c", code)
    if not os.path.exists(path) or b"PIL" in subprocess.run(
            [PYTHON, "-c", "import PIL"], stderr=subprocess.PIPE, check=False).stderr:
        raise Skip("python3-pil is not installed")
    need_json()
    dumped = path + ".json"
    equal(wanprof("dump", path, "-o", dumped).returncode, 0)
    first, second = (wanprof("gate", "--json", name) for name in (path, dumped))
    equal(first.returncode, second.returncode)
    first, second = validated(first, "gate"), validated(second, "gate")
    equal(first["summary"], second["summary"])
    equal(first["results_by_operation"], second["results_by_operation"])


@test
def without_the_json_library_recordings_are_judged_all_the_same():
    need("djpeg")
    path, dumped, empty = fresh() + ".wprof", save(run([operation()])), fresh()
    wanprof("run", "-q", "-o", path, "--", "djpeg", "-outfile", "/dev/null", IMAGE)
    expected = wanprof("gate", "--json", path)
    open(empty, "wb").close()
    for library in "/nowhere.so", empty:
        answer = wanprof("gate", "--json", path, WAN_JANSSON=library)
        equal((answer.returncode, answer.stdout, answer.stderr),
              (expected.returncode, expected.stdout, ""))
        for arguments in ("gate", dumped), ("gate", "-"), ("diff", path, dumped):
            answer = wanprof(*arguments, text="{}", WAN_JANSSON=library)
            equal((answer.returncode, answer.stdout, answer.stderr.count("\n")), (66, "", 1))
            check("jansson" in answer.stderr and "recording" in answer.stderr, answer.stderr)


main(sys.argv[5:])
