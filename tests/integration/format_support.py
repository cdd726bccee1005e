# SPDX-License-Identifier: MIT
"""Independent readers of what wanprof dump writes: each raises on the first thing that is wrong.

None of them shares a line with the writers; where a tool of others is installed (protoc, promtool,
prometheus_client) it is asked as well.
"""
import collections
import csv
import io
import json
import re
import shutil
import struct
import subprocess

from tap import check, equal

STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u2028-\u202e\u2066-\u2069]")


def inert(text):
    """Text that a terminal, a log or a page shows as it is."""
    found = STEERING.search(text)
    check(not found, f"{found and ascii(text[max(0, found.start() - 30):found.end() + 10])}")


def strict_json(text):
    def refuse(value):
        raise AssertionError(f"{value} is no JSON")

    def pairs(items):
        equal(len({key for key, _ in items}), len(items), f"keys twice: {items}")
        return dict(items)
    inert(text)
    return json.loads(text, parse_constant=refuse, object_pairs_hook=pairs)


def nested(spans, where):
    """Bars of one track: each wholly inside, or wholly outside, of any other."""
    open_until = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        check(end >= start, f"{where}: ends before it begins")
        while open_until and open_until[-1] <= start:
            open_until.pop()
        check(not open_until or end <= open_until[-1], f"{where}: {start}..{end} overlaps")
        open_until.append(end)


def trace(text):
    """The complete events."""
    document = strict_json(text)
    events = document["traceEvents"]
    named = {(e["pid"], e["tid"]) for e in events
             if e["ph"] == "M" and e["name"] == "thread_name"}
    tracks = collections.defaultdict(list)
    for event in events:
        check(event["ph"] in "XMCi", event)
        for key in ("name", "pid", "ph"):
            check(key in event, event)
        if event["ph"] == "M":
            continue
        check(event["ts"] >= 0, event)
        if event["ph"] == "C":
            check(isinstance(event["args"]["value"], (int, float)), event)
        elif event["ph"] == "i":
            check(event["s"] in "gpt", event)
        else:
            check((event["pid"], event["tid"]) in named, f"no name for the track of {event}")
            # thousandths of a microsecond are exact as integers
            start = round(event["ts"] * 1000)
            tracks[event["pid"], event["tid"]].append((start, start + round(event["dur"] * 1000)))
    for key, spans in tracks.items():
        nested(spans, key)
    return [event for event in events if event["ph"] == "X"]


def fields(data):
    """The fields of a protocol buffer message, as (number, wire type, value)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                check(value < 1 << 64 and shift <= 70, "varint too long")
                return value
    while at < len(data):
        tag = varint()
        number, wire = tag >> 3, tag & 7
        check(number > 0, "field 0")
        if wire == 0:
            yield number, wire, varint()
        elif wire == 1:
            at += 8
            yield number, wire, data[at - 8:at]
        else:
            equal(wire, 2, "wire type")
            size = varint()
            check(at + size <= len(data), "longer than what is around it")
            at += size
            yield number, wire, data[at - size:at]


def message(data, known):
    """Fields by name; known: number -> (name, wire type). Any other field is an error."""
    found = collections.defaultdict(list)
    for number, wire, value in fields(data):
        check(number in known, f"field {number} is not on the list")
        name, kind = known[number]
        equal(wire, {"u": 0, "d": 1, "s": 2, "m": 2}[kind], name)
        if kind == "s":
            value = value.decode("utf-8")
            inert(value)
        elif kind == "d":
            value, = struct.unpack("<d", value)
        found[name].append(value)
    return found


# Numbers of perfetto's protos/perfetto/trace/.
PACKET = {6: ("clocks", "m"), 8: ("time", "u"), 10: ("sequence", "u"), 11: ("event", "m"),
          12: ("interned", "m"), 13: ("flags", "u"), 60: ("track", "m")}
TRACK = {1: ("uuid", "u"), 2: ("name", "s"), 3: ("process", "m"), 4: ("thread", "m"),
         5: ("parent", "u"), 8: ("counter", "m")}
PROCESS = {1: ("pid", "u"), 6: ("name", "s")}
THREAD = {1: ("pid", "u"), 2: ("tid", "u"), 5: ("name", "s")}
COUNTER = {6: ("unit", "s")}
EVENT = {3: ("category_id", "u"), 4: ("note", "m"), 9: ("type", "u"), 10: ("name_id", "u"),
         11: ("track", "u"), 22: ("category", "s"), 23: ("name", "s"), 44: ("value", "d")}
NOTE = {1: ("key", "u"), 3: ("uint", "u"), 4: ("int", "u"), 6: ("text", "s")}
INTERNED = {1: ("category", "m"), 2: ("name", "m"), 3: ("key", "m")}
STRING = {1: ("id", "u"), 2: ("text", "s")}
BEGIN, END, INSTANT, VALUE = 1, 2, 3, 4


class Perfetto:
    def __init__(self, data):
        self.tracks, self.slices, self.counters, self.instants = {}, [], [], []
        self.interned = {"category": {}, "name": {}, "key": {}}
        self.stacks = collections.defaultdict(list)
        for number, _, value in fields(data):
            equal(number, 1, "field of Trace")
            self.packet(message(value, PACKET))
        check(not any(self.stacks.values()), "a slice has no end")

    def packet(self, packet):
        equal(packet["sequence"], [1], "sequence")
        for interned in packet["interned"]:
            for kind, values in message(interned, INTERNED).items():
                for value in values:
                    one = message(value, STRING)
                    check(one["id"][0] not in self.interned[kind], "an id twice")
                    self.interned[kind][one["id"][0]] = one["text"][0]
        for data in packet["track"]:
            track = message(data, TRACK)
            check(track["uuid"][0] not in self.tracks, "a track twice")
            for parent in track["parent"]:
                check(parent in self.tracks, f"no parent of {dict(track)}")
            for key, known in (("process", PROCESS), ("thread", THREAD), ("counter", COUNTER)):
                if track[key]:
                    track[key] = [message(track[key][0], known)]
            self.tracks[track["uuid"][0]] = track
        for data in packet["event"]:
            check(packet["time"][0] < 1 << 63, "time is signed")
            self.event(packet["time"][0], message(data, EVENT))

    def notes(self, event):
        notes = {}
        for data in event["note"]:
            note = message(data, NOTE)
            notes[self.interned["key"][note["key"][0]]] = (note["uint"] + note["int"] +
                                                           note["text"])[0]
        return notes

    def event(self, time, event):
        track = event["track"][0]
        check(track in self.tracks, "an event of no track")
        kind, = event["type"]
        if kind == END:
            check(self.stacks[track], "an end without a begin")
            begun = self.stacks[track].pop()
            check(time >= begun["start"], "ends before it begins")
            for outer in self.stacks[track]:
                check(time >= outer["start"], "outside of what is around it")
            begun["end"] = time
            self.slices.append(begun)
            return
        names = event["name"] + [self.interned["name"][i] for i in event["name_id"]]
        for i in event["category_id"]:
            check(i in self.interned["category"], "no such category")
        one = {"track": track, "start": time, "name": names[0] if names else None,
               "notes": self.notes(event), "value": event["value"]}
        if kind == BEGIN:
            stack = self.stacks[track]
            check(not stack or time >= stack[-1]["start"], "goes back in time")
            stack.append(one)
        elif kind == VALUE:
            check(self.tracks[track]["counter"], "a value on a track that is no counter")
            self.counters.append(one)
        else:
            equal(kind, INSTANT, "type")
            self.instants.append(one)


def perfetto(data):
    """The trace, read by its wire format; protoc reads it too, when there is one."""
    read = Perfetto(data)
    spans = collections.defaultdict(list)
    for one in read.slices:
        spans[one["track"]].append((one["start"], one["end"]))
    for track, all_spans in spans.items():
        nested(all_spans, track)
    if shutil.which("protoc"):
        done = subprocess.run(["protoc", "--decode_raw"], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        equal(done.returncode, 0, done.stderr)
        packets = sum(line == b"1 {" for line in done.stdout.splitlines())
        equal(packets, sum(1 for _ in fields(data)), "packets that protoc finds")
    return read


def speedscope(text):
    document = strict_json(text)
    equal(document["$schema"], "https://www.speedscope.app/file-format-schema.json", "schema")
    frames = document["shared"]["frames"]
    check(all(set(frame) <= {"name", "file", "line", "col"} and frame["name"] for frame in frames),
          frames)
    check(document["activeProfileIndex"] < len(document["profiles"]), "active")
    for profile in document["profiles"]:
        check(profile["unit"] in ("none", "nanoseconds", "microseconds", "milliseconds", "seconds",
                                  "bytes"), profile["unit"])
        if profile["type"] == "sampled":
            equal(len(profile["samples"]), len(profile["weights"]), "weights")
            equal(profile["endValue"] - profile["startValue"], sum(profile["weights"]), "total")
            check(all(0 <= f < len(frames) for stack in profile["samples"] for f in stack), "frame")
            continue
        equal(profile["type"], "evented", "type")
        stack, last = [], profile["startValue"]
        for event in profile["events"]:
            check(last <= event["at"] <= profile["endValue"], event)
            last = event["at"]
            if event["type"] == "O":
                check(0 <= event["frame"] < len(frames), event)
                stack.append(event["frame"])
            else:
                equal(event["type"], "C", "event")
                equal(stack.pop(), event["frame"], "closes what was opened last")
        equal(stack, [], "still open")
    return document


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([0-9.+-]+|\+Inf|NaN)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)')


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        check(found and found[1] not in labels, f"labels {text}")
        labels[found[1]] = found[2]
        at = found.end()
    return labels


def metrics(text, openmetrics):
    """(name, labels) -> value, by the rules of the text formats."""
    inert(text)
    check(text.endswith("\n"), "last line")
    lines = text[:-1].split("\n")
    if openmetrics:
        equal(lines.pop(), "# EOF", "the end")
    values, types, family, seen = {}, {}, None, set()
    for line in lines:
        check(line and line != "# EOF", "an empty line, or the end in the middle")
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            if word == "HELP" or (word == "TYPE" and name != family):
                check(name not in seen, f"{name} is not in one piece")
                family = name
                seen.add(name)
            if word == "TYPE":
                types[name] = rest
            if word == "UNIT":
                check(openmetrics and name.endswith("_" + rest), line)
            continue
        found = SAMPLE.match(line)
        check(found, f"no sample: {line}")
        key = found[1], tuple(sorted(labels_of(found[2] or "").items()))
        check(key not in values, f"twice: {line}")
        values[key] = float(found[3])
        suffix = found[1][len(family):]
        check(found[1].startswith(family), f"{found[1]} under {family}")
        allowed = {"histogram": ("_bucket", "_sum", "_count"), "info": ("_info",),
                   "counter": ("_total",) if openmetrics else ("",), "gauge": ("",)}
        check(suffix in allowed[types[family]], line)
    histograms(values)
    ask_others(text, openmetrics)
    return values


def histograms(values):
    rows = collections.defaultdict(list)
    for (name, labels), value in values.items():
        if name.endswith("_bucket"):
            rest = tuple(label for label in labels if label[0] != "le")
            rows[name[:-7], rest].append((float(dict(labels)["le"]), value))
    for (name, labels), buckets in rows.items():
        buckets.sort()
        counts = [count for _, count in buckets]
        equal(counts, sorted(counts), "cumulative")
        equal(buckets[-1][0], float("inf"), "last bucket")
        equal(counts[-1], values[name + "_count", labels], "count")


def ask_others(text, openmetrics):
    try:
        from prometheus_client import openmetrics as other, parser
        parse = (__import__("prometheus_client.openmetrics.parser", fromlist=["x"])
                 if openmetrics else parser).text_string_to_metric_families
        check(len(list(parse(text))) > 3, "families")
    except ImportError:
        pass
    if not openmetrics and shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        equal(done.returncode, 0, done.stdout)


def collapsed(text):
    """stack -> nanoseconds"""
    inert(text)
    stacks = {}
    for line in text.splitlines():
        stack, number = line.rsplit(" ", 1)
        check(number.isdigit() and stack and all(stack.split(";")), line)
        stacks[stack] = stacks.get(stack, 0) + int(number)
    return stacks


def table(text):
    inert(text)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        check(None not in row and None not in row.values(), row)
        check(not any(value.startswith(("=", "@")) for value in row.values()), row)
    return rows


def reference(text):
    document = strict_json(text)
    for key in ("total_operations", "total_time", "average_time", "peak_memory_mb",
                "total_memory_mb"):
        check(isinstance(document["summary"][key], (int, float)), key)
    for one in document["metrics"]:
        equal(list(one), ["operation_name", "execution_time", "memory_usage_mb", "peak_memory_mb",
                          "cpu_usage_percent", "image_size", "file_size_bytes", "timestamp"], one)
        check(None not in one.values(), one)
    equal(list(document["monitor"]), ["summary", "metrics", "alerts"], "monitor")
    equal(list(document["optimization_status"]),
          ["enabled", "profiling_active", "monitoring_active"], "status")
    return document


READERS = {
    "json": lambda data: strict_json(data.decode()),
    "jsonl": lambda data: [strict_json(line) for line in data.decode().splitlines()],
    "csv": lambda data: table(data.decode()),
    "trace": lambda data: trace(data.decode()),
    "perfetto": perfetto,
    "speedscope": lambda data: speedscope(data.decode()),
    "collapsed": lambda data: collapsed(data.decode()),
    "prom": lambda data: metrics(data.decode(), False),
    "openmetrics": lambda data: metrics(data.decode(), True),
    "reference": lambda data: reference(data.decode()),
}
