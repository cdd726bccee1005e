# SPDX-License-Identifier: MIT
"""Every format of wanprof dump, of every kind of recording, read by independent parsers.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), make_recording
"""
import collections
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from format_support import READERS, inert
from run_support import IMAGE, PRELOAD, TIMEOUT_S, WANPROF, fresh, need, record, record_here
from tap import Skip, check, equal, main, test

MAKE = os.path.abspath(sys.argv[5])
made = {}


def make(kind, *more):
    """A recording of make_recording, each made once."""
    if (kind, more) not in made:
        path = fresh() + ".wprof"
        subprocess.run([MAKE, kind, path, *map(str, more)], check=True, timeout=TIMEOUT_S)
        made[kind, more] = path
    return made[kind, more]


def wanprof(*arguments, **more):
    more.setdefault("env", record_here())
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([WANPROF, *arguments], stderr=subprocess.PIPE, timeout=TIMEOUT_S, **more)


def dump(form, *arguments, status=0):
    """What the format's reader makes of it."""
    done = wanprof("dump", "-f", form, *arguments)
    equal(done.returncode, status, f"{form} {arguments}: {done.stderr}")
    return READERS[form](done.stdout)


def family():
    need("djpeg", "cjpeg")
    if "family" not in made:
        made["family"] = fresh()
        script = f"djpeg {IMAGE} | cjpeg > {fresh()}; djpeg -outfile /dev/null {IMAGE}"
        done = record(["sh", "-c", script], made["family"], "-q")
        equal(done.returncode, 0, done.stderr)
    return made["family"]


def operations(slices):
    """Slices of a Perfetto trace that are operations: all but phases have a status."""
    return [one for one in slices if "status" in one["notes"]]


def opened(document):
    return sum(event["type"] == "O" for profile in document["profiles"]
               if profile["type"] == "evented" for event in profile["events"])


def counts(path, *filters):
    """How many operations each format tells of one by one."""
    document = dump("json", *filters, path)
    return {
        "json": len(document["metrics"]) + len(document["nested_metrics"]),
        "jsonl": len(dump("jsonl", *filters, path)),
        "csv": len(dump("csv", *filters, path)),
        "trace": sum(e["cat"] != "phase" for e in dump("trace", *filters, path)),
        "perfetto": len(operations(dump("perfetto", *filters, path).slices)),
        "speedscope": opened(dump("speedscope", *filters, path)),
    }


@test
def the_help_names_the_formats_that_are_tested_here():
    text = wanprof("help", "dump").stdout.decode()
    named = re.findall(r"^  ([a-z]+): ", text[text.index("Formats:"):], re.M)
    equal(named, list(READERS), "formats")


@test
def every_format_of_every_recording_is_valid():
    for path in (make("rich"), make("empty"), make("many", 3000), family(),
                 *(make("tangle", seed) for seed in range(6))):
        for form in READERS:
            dump(form, path)


@test
def formats_tell_of_the_same_operations():
    for path in (make("rich"), make("empty"), make("many", 3000), make("tangle", 3), family()):
        found = counts(path)
        equal(set(found.values()), {found["json"]}, found)


@test
def sums_of_all_formats_agree():
    path = family()
    document = dump("json", path)
    total_ns = document["summary"]["total_time_ns"]
    total = document["summary"]["total_operations"]
    equal(sum(dump("collapsed", path).values()), total_ns, "collapsed")
    for form in ("prom", "openmetrics"):
        values = dump(form, path)
        name = "wanrt_operation_duration_seconds"
        equal(sum(v for (n, _), v in values.items() if n == name + "_count"), total, form)
        seconds = sum(v for (n, _), v in values.items() if n == name + "_sum")
        check(abs(seconds * 1e9 - total_ns) < 2, f"{form}: {seconds}")
    summary = dump("reference", path)["summary"]
    equal(summary["total_operations"], total, "reference")
    check(abs(summary["total_time"] * 1e9 - total_ns) < 2, summary)


@test
def operations_that_take_turns_nest_on_every_track():
    events = dump("trace", make("rich"))
    decodes = [e for e in events if e["name"] in ("jpeg.decode", "png.decode")]
    equal(len({e["tid"] for e in decodes[:2]}), 2, "two tracks for two decodes at once")
    read = dump("perfetto", make("rich"))
    tracks = {one["track"] for one in read.slices if one["name"] in ("jpeg.decode", "png.decode")}
    equal(len(tracks), 3, "tracks")
    overlapping = [t for t in read.tracks.values() if t["name"] == ["overlapping 1"]]
    equal(len(overlapping), 1, "a track below that of the thread")
    check("thread" in read.tracks[overlapping[0]["parent"][0]], "its parent is the thread")
    stacks = dump("collapsed", make("rich"))
    check(any(stack.endswith(";jpeg.decode;thumbnail_256x256") for stack in stacks), stacks)


@test
def samples_are_counters_and_alerts_are_instants():
    read = dump("perfetto", make("rich"))
    by_track = collections.Counter(read.tracks[one["track"]]["name"][0] for one in read.counters)
    equal(by_track["resident memory"], 20, "samples")
    equal(by_track["CPU"], 20, "samples")
    check(0 < by_track["GPU memory"] < 20 and "GPU use" not in by_track, by_track)
    equal(sorted(one["name"] for one in read.instants)[1:], ["cache_limit", "high_latency"], "marks")
    equal(sorted(one["name"] for one in read.slices if "steps" in one["notes"]),
          ["encoding", "generation"], "phases")
    text = wanprof("dump", "-f", "trace", make("rich")).stdout.decode()
    kinds = collections.Counter(event["ph"] for event in json.loads(text)["traceEvents"])
    equal(kinds["i"], 3, "instants")
    check(kinds["C"] >= 60, kinds)


@test
def filters_work_in_every_format():
    path = make("rich")
    equal(set(counts(path, "--op", "jpeg.*").values()), {2}, "--op")
    equal(set(counts(path, "--min-ms", "11").values()), {2}, "--min-ms")
    equal(set(counts(path, "--no-metrics").values()), {0}, "--no-metrics")
    for form in ("prom", "openmetrics"):
        names = {dict(labels).get("operation") for _, labels in dump(form, "--op", "jpeg.*", path)}
        equal(names - {None}, {"jpeg.decode"}, form)
        equal(dump(form, path), dump(form, "--min-ms", "11", "--no-metrics", path), form)
    check(all("jpeg.decode" in stack for stack in dump("collapsed", "--op", "jpeg.decode", path)),
          "collapsed")
    equal(dump("reference", "--op", "jpeg.*", path)["summary"]["total_operations"], 2, "reference")
    equal(dump("reference", "--min-ms", "100", path)["metrics"][0]["operation_name"],
          "jpeg.decode", "reference")


@test
def nothing_hidden_leaves_in_any_format():
    secrets = (b"secret", b"person", b"/home", b"alert(1)", b"calc", b"plan", b"user.slice")
    for form in READERS:
        done = wanprof("dump", "--redact", "-f", form, make("rich"))
        equal(done.returncode, 0, done.stderr)
        READERS[form](done.stdout)
        for secret in secrets:
            check(secret not in done.stdout, f"{form} tells {secret}")
        check(b"redacted-" in done.stdout, form)
        check(form == "collapsed" or b"jpeg.decode" in done.stdout, "identifiers stay")


def hashes(*arguments):
    text = wanprof("dump", "-f", "csv", *arguments, make("rich")).stdout.decode()
    return set(re.findall(r"redacted-[0-9a-f]{16}", text))


@test
def hashes_hold_within_a_dump_and_a_key_and_no_longer():
    key, other = fresh(), fresh()
    for path, content in ((key, b"k" * 32), (other, b"o" * 32)):
        with open(path, "wb") as file:
            file.write(content)
    check(hashes("--redact") and not hashes("--redact") & hashes("--redact"), "new for each dump")
    equal(hashes("--redact-key", key), hashes("--redact-key", key), "the same with a key")
    check(not hashes("--redact-key", key) & hashes("--redact-key", other), "other key")
    events = [json.loads(wanprof("dump", "--redact-key", key, "-f", form, make("rich")).stdout)
              for form in ("trace", "json")]
    files = {e["args"].get("file") for e in events[0]["traceEvents"] if e["ph"] == "X"}
    equal({one["file"] for one in events[1]["metrics"]} - {None}, files - {None}, "across formats")
    with open(other, "wb") as file:
        file.write(b"short")
    equal(wanprof("dump", "--redact-key", other, make("rich")).returncode, 64, "a short key")
    equal(wanprof("dump", "--redact-key", fresh(), make("rich")).returncode, 66, "no key")


def stalled():
    """djpeg in the middle of an image. Its runner, the feeding end and where it records."""
    need("djpeg")
    pipe, out = fresh(), fresh()
    os.mkfifo(pipe)
    child = subprocess.Popen([WANPROF, "run", "-q", "-o", out, "--", "djpeg", "-outfile",
                              "/dev/null", pipe], env=record_here(), start_new_session=True)
    feed = os.open(pipe, os.O_WRONLY)
    with open(IMAGE, "rb") as image:
        content = image.read()
    os.write(feed, content[:len(content) * 3 // 4])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done = wanprof("dump", out + ".d")
        flight = json.loads(done.stdout)["run"]["in_flight"] if not done.returncode else None
        if flight:
            return child, feed, out, flight[0]["process"]
        time.sleep(0.05)
    child.kill()
    raise AssertionError(f"no operation in flight: {done.stderr}")


@test
def a_live_process_is_dumped_in_every_format_and_goes_on():
    child, feed, out, pid = stalled()
    for form in READERS:
        dump(form, "-p", str(pid))
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        state = file.read().rsplit(")", 1)[1].split()[0]
    check(state in "SR", f"state {state}")
    flying = [e for e in dump("trace", "-p", str(pid)) if e["args"].get("in_flight")]
    equal([e["name"] for e in flying], ["jpeg.decode"], "in flight")
    values = dump("prom", "-p", str(pid))
    equal([v for (n, _), v in values.items() if n == "wanrt_operations_in_flight"], [1], "prom")
    os.kill(pid, signal.SIGKILL)
    os.close(feed)
    child.wait(timeout=20)
    for form in READERS:
        dump(form, out)
    ended = dump("trace", out)
    equal([(e["name"], e["args"]["status"]) for e in ended if e["args"].get("unfinished")],
          [("jpeg.decode", "aborted")], "what a killed process was doing")


@test
def the_tree_of_a_recording_is_its_family():
    need("djpeg")
    place = fresh()
    os.mkdir(place)
    command = ["sh", "-c", f"djpeg -outfile /dev/null {IMAGE}; djpeg -outfile /dev/null {IMAGE}"]
    subprocess.run(command, env=record_here(WAN_RECORD_PATH=place + "/", LD_PRELOAD=PRELOAD,
                                            WAN_RECORD_RUN_ID="0123456789abcdef" * 2),
                   check=True, timeout=TIMEOUT_S)
    files = sorted(os.path.join(place, name) for name in os.listdir(place))
    if len(files) != 2:
        raise Skip(f"{len(files)} recordings")
    for form in READERS:
        dump(form, "--tree", files[0])
    equal(dump("json", files[0])["summary"]["total_operations"], 1, "one alone")
    equal(dump("json", "--tree", files[0])["summary"]["total_operations"], 2, "with its family")
    equal(len({e["pid"] for e in dump("trace", "--tree", files[1])}), 2, "processes")


@test
def a_terminal_is_not_sent_bytes():
    controller, terminal = pty.openpty()
    done = wanprof("dump", "-f", "perfetto", make("rich"), stdout=terminal)
    os.close(terminal)
    os.close(controller)
    equal(done.returncode, 64, done.stderr)
    check(b"-o" in done.stderr, done.stderr)


@test
def the_list_shows_names_as_they_are():
    place = fresh()
    os.mkdir(place)
    subprocess.run([MAKE, "rich", os.path.join(place, "a\x1b[31m\n.wprof")], check=True)
    done = wanprof("dump", "--list", place)
    equal(done.returncode, 0, done.stderr)
    inert(done.stdout.decode())
    equal(done.stdout.count(b"\n"), 2, done.stdout)


def page_queries():
    """The jq commands of the manual page: lines .Dl with a pipe to jq."""
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../tools/man/wanprof-dump.1")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    return [line[4:].replace("\\e", "\\").replace("\\-", "-") for line in text.splitlines()
            if line.startswith(".Dl ") and "| jq" in line]


@test
def queries_of_the_manual_page_work():
    need("jq", "sh")
    queries = page_queries()
    check(len(queries) >= 4, queries)
    for query in queries:
        command = query.replace("a.wprof", make("rich")).replace("wanprof ", WANPROF + " ", 1)
        done = subprocess.run(["sh", "-c", "set -e; " + command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=record_here(), timeout=TIMEOUT_S)
        equal(done.returncode, 0, f"{query}: {done.stderr}")
        equal(done.stderr, b"", query)
        check(done.stdout.strip(), f"nothing from {query}")


main()
