# SPDX-License-Identifier: MIT
"""wanprof history and baseline over real recordings, and what can be wrong with their files.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), [TEST NAME PART...]
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import IMAGE, TIMEOUT_S, WANPROF, bare, fresh, need, record_here
from tap import Skip, check, equal, main, test

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "../unit/history/table.runs")
SCHEMAS = os.path.join(HERE, "../../tools/schemas")


class Place:
    """A state folder of its own."""

    def __init__(self):
        self.state = fresh()
        self.folder = os.path.join(self.state, "wanrt")
        self.index = os.path.join(self.folder, "history", "history.sqlite")

    def __call__(self, *arguments, status=0, user=None, **environment):
        done = subprocess.run([WANPROF, *arguments], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S, errors="replace",
                              env=record_here(XDG_STATE_HOME=self.state, **environment), user=user)
        equal(done.returncode, status, f"{arguments}: {done.stderr}")
        self.said = done.stderr
        return done.stdout

    def run(self, job, command=("djpeg", IMAGE), status=0, **environment):
        need(command[0])
        self("run", "-q", "--job", job, "--", *command, status=status, **environment)

    def jobs(self, *arguments):
        document = json.loads(self("history", "--json", *arguments))
        validate(document, "history")
        return {job["job"]: job for job in document["jobs"]}

    def recordings(self):
        return sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder)
                      if name.endswith(".wprof"))


def validate(document, name):
    try:
        import jsonschema
    except ImportError:
        return
    with open(os.path.join(SCHEMAS, name + ".schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    problems = [f"{list(e.absolute_path)}: {e.message[:200]}"
                for e in jsonschema.Draft202012Validator(schema).iter_errors(document)]
    equal(problems, [], "schema")


def need_index(place):
    place("history", "--job", "none of this name", status=66)
    if "no SQLite" in place.said:
        raise Skip("this build has no SQLite")


@test
def runs_of_a_job_are_put_together():
    place = Place()
    for _ in range(3):
        place.run("decode")
    place.run("decode", ("djpeg", "/nonexistent"), status=1)
    place.run("other")
    jobs = place.jobs()
    equal(sorted(jobs), ["decode", "other"])
    job = jobs["decode"]
    equal((job["runs"], job["completed"], job["failed"]), (4, 3, 1))
    equal(job["success_percent"], 75)
    times = sorted(run["total_s"] for run in job["history"] if run["status"] == "ok")
    check(abs(job["mean_s"] - sum(times) / 3) < 1e-5, job["mean_s"])
    equal((job["min_s"], job["max_s"]), (times[0], times[-1]))
    equal([run["verdict"] for run in job["history"] if run["status"] == "failed"], ["exit 1"])
    check(job["tier"], "the tier is recorded")
    check("3 completed of 4, 1 failed" in place("history", "--job", "dec*"))
    equal(sorted(place.jobs("--job", "o*")), ["other"])
    equal(place.jobs("--last", "2")["decode"]["runs"], 2)
    equal(place.jobs("--tier", job["tier"])["decode"]["runs"], 4)
    place("history", "--since", "2100-01-01", status=66)
    equal(place.jobs("--since", "7d")["decode"]["runs"], 4)


@test
def the_runs_of_the_requirements_have_the_recomputed_figures():
    place = Place()
    place("history", "--import", TABLE)
    jobs = place.jobs()
    equal(len(jobs), 7)
    for name, mean in (("video_fast", 241.475), ("video7b_fast_enhanced", 266.866667),
                       ("video7b_high_enhanced", 370.0), ("sdxl_image_fast", 44.05),
                       ("sdxl_image_high", 41.75)):
        check(abs(jobs[name]["mean_s"] - mean) < 1e-5, f"{name}: {jobs[name]['mean_s']}")
    text = place("history")
    for figure in ("mean 241.5 s", "mean 266.9 s", "mean 370.0 s", "mean 44.05 s", "mean 41.75 s",
                   "s.d. 38.14 s", "7 of 10 job types have runs", "+79 %", "too few runs to tell",
                   "phases exceed the total by 10.40 s"):
        check(figure in text, f"{figure} in\n{text}")
    place("history", "--import", TABLE, status=73)  # not replaced unasked
    place("history", "--import", TABLE, "--force")


@test
def an_export_can_be_imported_elsewhere():
    place, other = Place(), Place()
    place.run("decode")
    path = fresh()
    with open(path, "w", encoding="utf-8") as file:
        file.write(place("history", "--export"))
    other("history", "--import", path)
    equal(other.jobs()["decode"]["mean_s"], place.jobs()["decode"]["mean_s"])


@test
def a_run_outlives_its_recording():
    place = Place()
    need_index(place)
    for _ in range(3):
        place.run("decode", WAN_RECORD_KEEP_FILES="2")
    equal(len(place.recordings()), 2)
    job = place.jobs()["decode"]
    equal(job["completed"], 3)
    equal([run["file_gone"] for run in job["history"]].count(True), 1)
    check("(file gone)" in place("history", "--runs"))
    equal(place.jobs("--rebuild")["decode"]["completed"], 3)


@test
def only_new_recordings_are_read():
    place = Place()
    need_index(place)
    for _ in range(2):
        place.run("decode")
    equal(json.loads(place("history", "--json"))["recordings_read"], 0)  # run put them there
    os.unlink(place.index)
    equal(json.loads(place("history", "--json"))["recordings_read"], 2)
    equal(json.loads(place("history", "--json"))["recordings_read"], 0)
    os.utime(place.recordings()[0], (1, 1))
    equal(json.loads(place("history", "--json"))["recordings_read"], 1)
    equal(json.loads(place("history", "--json", "--rebuild"))["recordings_read"], 2)


@test
def recordings_elsewhere_can_be_named():
    place = Place()
    place.run("decode")
    elsewhere = fresh()
    os.mkdir(elsewhere)
    shutil.move(place.recordings()[0], os.path.join(elsewhere, "a.wprof"))
    shutil.copy(os.path.join(elsewhere, "a.wprof"), os.path.join(elsewhere, "copy.wprof"))
    other = Place()
    equal(other.jobs(elsewhere)["decode"]["runs"], 1)  # a copy is no second run
    equal(other.jobs(os.path.join(elsewhere, "a.wprof"))["decode"]["runs"], 1)
    other("history", os.path.join(elsewhere, "none.wprof"), status=66)
    other("history", "/etc/passwd", status=65)
    check("not a" in other.said, other.said)


@test
def a_damaged_foreign_or_newer_index_is_made_anew():
    place = Place()
    need_index(place)
    place.run("decode")
    place.run("decode")

    def foreign():
        os.unlink(place.index)
        base = sqlite3.connect(place.index)
        base.execute("CREATE TABLE recording (path TEXT)")
        base.commit()
        base.close()

    def newer():
        base = sqlite3.connect(place.index)
        base.execute("PRAGMA user_version = 99")
        base.commit()
        base.close()

    def damaged():
        with open(place.index, "wb") as file:
            file.write(b"not a database " * 1000)

    def torn():
        size = os.path.getsize(place.index)
        with open(place.index, "r+b") as file:
            file.seek(100)
            file.write(b"\xff" * (size - 100))

    for harm, word in ((damaged, "is damaged"), (torn, "is damaged"),
                       (foreign, "of another program"), (newer, "newer wanprof")):
        harm()
        equal(place.jobs()["decode"]["runs"], 2)
        check(word in place.said and "kept as" in place.said, f"{word}: {place.said}")
        equal(place.jobs()["decode"]["runs"], 2)
        equal(place.said, "")
    kept = [name for name in os.listdir(os.path.dirname(place.index)) if "sqlite." in name]
    check(len(kept) >= 3, kept)  # those of one second share a name


@test
def an_index_that_is_locked_is_done_without():
    place = Place()
    need_index(place)
    place.run("decode")
    lock = sqlite3.connect(place.index, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    equal(place.jobs()["decode"]["runs"], 1)
    check("locked" in place.said, place.said)
    place.run("decode")  # nor does recording wait for ever
    lock.execute("ROLLBACK")
    lock.close()
    equal(place.jobs()["decode"]["runs"], 2)
    equal(place.said, "")


@test
def a_folder_that_cannot_be_written_is_done_without():
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    place = Place()
    need_index(place)
    place.run("decode")
    for path, folders, files in os.walk(place.state):
        os.chmod(path, 0o755)
        for name in files:
            os.chmod(os.path.join(path, name), 0o644)
    try:
        document = json.loads(place("history", "--json", user=65534))
    except PermissionError:
        raise Skip("user 65534 may not run wanprof here")
    equal(document["jobs"][0]["runs"], 1)
    check("cannot be" in place.said, place.said)


@test
def a_full_disk_costs_only_the_index():
    if os.geteuid() != 0 or bare(["unshare", "-m", "true"]).returncode:
        raise Skip("no mount of our own may be made here")
    place = Place()
    place.run("decode")
    script = (f"mount -t tmpfs -o size=64k none {place.folder}/history && "
              f"(head -c 1M /dev/zero > {place.folder}/history/fill; "
              f"exec {WANPROF} history --json)")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S,
                          env=record_here(XDG_STATE_HOME=place.state))
    equal(done.returncode, 0, done.stderr)
    equal(json.loads(done.stdout)["jobs"][0]["runs"], 1)
    check("index" in done.stderr or "no SQLite" in done.stderr, done.stderr)


@test
def without_sqlite_recordings_are_read_each_time():
    place = Place()
    place.run("decode")
    place.run("decode")
    for _ in range(2):
        document = json.loads(place("history", "--json", WAN_SQLITE="/nowhere.so"))
        equal(document["jobs"][0]["runs"], 2)
        check("no SQLite" in place.said and place.said.count("\n") == 1, place.said)
        check(not os.path.exists(place.index), "an index without SQLite")
    need_index(place)
    equal(place.jobs()["decode"]["runs"], 2)


@test
def hostile_names_do_not_steer_the_terminal():
    place = Place()
    evil = "\x1b]0;pwned\x07\x1b[2Jjob\r\n\u202e"
    place.run(evil)
    path = fresh() + "\x1b[31m.txt"
    with open(path, "w", encoding="utf-8") as file:
        file.write('wanrt-runs 1\nrun "\\x1b[31mred" total=1 status=ok label="\\x1b[2J" '
                   'verdict="\\x07" phase="\\x1b[1m:1"\n')
    place("history", "--import", path)
    text = place("history", "--runs") + place.said
    check(all(c.isprintable() or c == "\n" for c in text), repr(text))
    check("\\x1b" in text, text)
    check(any(job.startswith("\x1b]0;pwned") for job in place.jobs()), "JSON has the name itself")


@test
def a_bad_list_is_refused_whole():
    place = Place()
    path = fresh()
    for text, status, word in (("wanrt-runs 1\nrun a total=1 status=ok\nrun b\n", 65, "line 3"),
                               ("wanrt-runs 9\n", 65, "newer"), ("", 65, "empty"),
                               ("PNG\n", 65, "not a list of runs")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        place("history", "--import", path, status=status)
        check(word in place.said, place.said)
    place("history", "--import", "/nonexistent", status=66)
    place("history", status=66)


@test
def a_verdict_is_kept_with_its_run():
    place = Place()
    place.run("decode")
    key = place.jobs()["decode"]["history"][0]["key"]
    place("history", "--verdict", f"{key[:12]}=wrong subjects\x1b[2J")
    run = place.jobs("--rebuild")["decode"]["history"][0]
    check(run["verdict"].startswith("wrong subjects"), run["verdict"])
    place("history", "--verdict", "nothing-such=x", status=66)
    place("history", "--verdict", "without", status=64)


@test
def what_a_run_found_at_its_start_is_kept():
    place = Place()
    place.run("decode")
    document = json.loads(place("dump", place.recordings()[0]))
    before = document["run"]["preconditions"]
    check(before["memory_available_bytes"] > 0, before)
    check(before["recording_disk_free_bytes"] > 0, before)
    check(before["load_per_cpu"] is not None, before)
    check(document["run"]["storage"]["major_faults"] >= 0)
    check(document["environment"]["tier"] in ("minimal", "budget", "mid-range", "high-end", None))


@test
def a_run_of_a_named_job_is_known_wherever_it_was_recorded():
    place = Place()
    need("djpeg")
    need_index(place)
    path = fresh() + ".wprof"
    place("run", "-q", "-o", path, "--job", "decode", "--", "djpeg", IMAGE)
    equal(place.jobs()["decode"]["runs"], 1)
    place("run", "-q", "-o", fresh() + ".wprof", "--", "djpeg", IMAGE)  # nobody named a job
    equal(list(place.jobs()), ["decode"])


@test
def a_pipe_among_the_recordings_is_not_waited_for():
    place = Place()
    place.run("decode")
    os.mkfifo(os.path.join(place.folder, "pipe.wprof"))
    equal(place.jobs()["decode"]["runs"], 1)


@test
def a_damaged_recording_is_never_found_as_quick_as_a_baseline():
    place = Place()
    place.run("decode")
    whole = place.recordings()[0]
    cut = fresh() + ".wprof"
    with open(whole, "rb") as source, open(cut, "wb") as to:
        to.write(source.read(3000))
    place("baseline", "save", "main", whole)
    place("baseline", "save", "other", cut, status=65)
    place("baseline", "compare", "main", cut, status=3)
    check("is damaged" in place.said, place.said)
    place("gate", "--baseline", "none.wprof", whole, status=66)
    check("no such file" in place.said, place.said)
    place("gate", "--baseline", "none", "--baseline", "main", whole, status=64)


@test
def a_baseline_is_saved_promoted_and_removed():
    place = Place()
    for _ in range(3):
        place.run("decode")
    place("baseline", "save", "main", "--job", "decode", "--last", "2")
    check("reference" in place.said, place.said)
    place("baseline", "save", "main", *place.recordings())
    check("candidate" in place.said, place.said)
    place("baseline", "save", "main", *place.recordings(), status=73)
    place("baseline", "save", "main", *place.recordings(), "--force")

    def counts():
        document = json.loads(place("baseline", "list", "--json"))
        validate(document, "baseline")
        return [(b["name"], b["reference"], b["candidate"], b["previous"])
                for b in document["baselines"]]

    equal(counts(), [("main", 2, 3, 0)])
    place("baseline", "promote", "main")
    equal(counts(), [("main", 3, 0, 2)])
    place("baseline", "promote", "main", status=66)
    check("reference of main" in place("baseline", "show", "main"))
    check("main" in place("baseline", "list"))
    place("baseline", "remove", "main")
    equal(counts(), [])
    place("baseline", "remove", "main", status=66)
    place("baseline", "show", "main", status=66)


@test
def a_comparison_with_too_few_runs_decides_nothing():
    place = Place()
    place.run("decode")
    file = place.recordings()[0]
    place("baseline", "save", "main", file)
    check("inconclusive" in place("baseline", "compare", "main", file, status=3))
    document = json.loads(place("baseline", "compare", "--json", "main", file, status=3))
    validate(document, "baseline")
    equal(document["verdict"], "inconclusive")
    place("baseline", "compare", "none", file, status=66)
    place("baseline", "compare", "main", "/nonexistent", status=66)
    place("baseline", "compare", "main", status=64)
    place("gate", "--baseline", "main", file, status=3)
    place("gate", "--baseline", "none", file, status=66)


@test
def a_baseline_of_another_tier_is_said_to_be_one():
    place = Place()
    place.run("decode")
    file = place.recordings()[0]
    place("baseline", "save", "main", file)
    tiers = os.path.join(place.folder, "baselines")
    here = os.listdir(tiers)[0]
    other = "high-end" if here != "high-end" else "budget"
    os.rename(os.path.join(tiers, here), os.path.join(tiers, other))
    text = place("baseline", "compare", "main", file, status=3)
    check(f"the runs are of tier {here}, the baseline is of tier {other}" in text, text)


@test
def what_did_not_complete_makes_no_baseline():
    place = Place()
    place.run("decode", ("djpeg", "/nonexistent"), status=1)
    failed = place.recordings()[0]
    place("baseline", "save", "main", failed, status=65)
    check("failed" in place.said, place.said)
    place("baseline", "save", "main", "/etc/passwd", status=65)
    place("baseline", "save", "main", "--job", "none", status=66)
    place("baseline", "save", "main", status=64)
    for name in ("../x", ".x", "-x", "a/b", "a b", "\x1b", "x" * 65):
        place("baseline", "save", "--", name, failed, status=64)
    place("baseline", status=64)
    place("baseline", "sav", status=64)
    check("did you mean" in place.said, place.said)
    check(not os.path.exists(os.path.join(place.folder, "baselines")), "nothing was left")


main(sys.argv[5:])
