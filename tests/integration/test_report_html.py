# SPDX-License-Identifier: MIT
"""wanprof report --html: the page as parsers that are not ours read it, and where it goes.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), make_recording, fake NVML
"""
import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import IMAGE, PYTHON, TIMEOUT_S, WANPROF, fresh, need, record, record_here
from tap import check, equal, main, test

MAKE, FAKE_NVML = (os.path.abspath(path) for path in sys.argv[5:7])
SECTIONS = ["findings", "timeline", "scaling", "latency", "cache", "stacks", "progress", "memory",
            "coverage"]
made = {}


def make(kind, *more):
    if (kind, more) not in made:
        path = fresh() + ".wprof"
        subprocess.run([MAKE, kind, path, *map(str, more)], check=True, timeout=TIMEOUT_S)
        made[kind, more] = path
    return made[kind, more]


def report(*arguments, status=0, cwd=None, **environment):
    done = subprocess.run([WANPROF, "report", *arguments], stdout=subprocess.PIPE, cwd=cwd,
                          stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                          env=record_here(**environment))
    equal(done.returncode, status, f"{arguments}: {done.stderr}")
    return done


class Reader(html.parser.HTMLParser):
    """What a browser without script would show, and every attribute."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.attributes, self.text, self.headings = [], "", []
        self.inside = []

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in ("meta", "br"):
            self.inside.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_endtag(self, tag):
        equal(self.inside.pop(), tag, "elements that cross")

    def handle_data(self, data):
        if self.inside and self.inside[-1] in ("style", "script"):
            return
        self.text += data
        if self.inside and self.inside[-1] == "h2":
            self.headings.append(data)


def read(page):
    """The page as two parsers see it; what holds for every page is checked."""
    text = page.decode("utf-8")
    check(text.startswith("<!DOCTYPE html>\n"), text[:40])
    root = xml.etree.ElementTree.fromstring(text.split("\n", 1)[1])
    reader = Reader()
    reader.feed(text)
    reader.close()
    equal(reader.inside, [], "elements that stay open")
    for tag, name, value in reader.attributes:
        check(not name.startswith("on") and name not in ("src", "srcset", "style", "action"),
              f"{tag} {name}")
        if name == "href":
            check(value.startswith("#"), value)
    check(not re.search(r"(nan|inf)[\"' ,]", "".join(
        value for _, name, value in reader.attributes if name in ("d", "points", "x", "y"))), "nan")
    equal([e.get("id") for e in root.iter("section")][:9], SECTIONS, "order of the sections")
    for picture in root.iter("svg"):
        check(picture.get("aria-hidden") or (picture.get("role") == "img" and
                                             picture.get("aria-label")), "a picture without words")
    check(len(list(root.iter("script"))) == 1, "scripts")
    return root, reader


def page_of(*arguments, **more):
    return report("--html", "-", *arguments, **more).stdout


@test
def every_kind_of_recording_gives_a_page_of_clean_html():
    for kind in (("rich",), ("empty",), ("tangle", 5), ("many", 70000)):
        page = page_of(make(*kind))
        read(page)
        check(len(page) < 300000, f"{kind}: {len(page)} bytes")


@test
def hostile_texts_stay_texts():
    _, reader = read(page_of(make("rich")))
    check("<script>alert(1)</script>" in reader.text, "the name is not shown")
    check("\\x1b[2J" in reader.text and "\x1b" not in reader.text, "control bytes")
    check("\u202e" not in reader.text, "text can be turned around")


@test
def nothing_is_fetched_and_only_our_script_may_run():
    root, reader = read(page_of(make("rich")))
    policy = dict((name, value) for tag, name, value in reader.attributes
                  if tag == "meta" and name == "content" and "default-src" in value)["content"]
    check("default-src 'none'" in policy and "unsafe" not in policy, policy)
    for element in ("style", "script"):
        content = next(root.iter(element)).text.encode()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        check(f"{element}-src 'sha256-{digest}'" in policy, f"{element}: {policy}")
        check(b"http" not in content and b"url(" not in content and b"import" not in content,
              element)
        check(len(content) < 10240, f"{element}: {len(content)} bytes")


@test
def a_run_is_told_without_script():
    need("djpeg", "cjpeg")
    path = fresh() + ".wprof"
    done = record(["sh", "-c", f"for i in 1 2 3; do djpeg {IMAGE} | cjpeg > /dev/null; done; exit 3"],
                  path)
    equal(done.returncode, 3, done.stderr)
    _, reader = read(page_of(path, WAN_PROFILE_SLOW="1us"))
    for words in ("exit 3", path, "Slow operations: jpeg.decode", "predicted saving", "p99.9",
                  "0.001 ms", "overhead of wanprof", "libjpeg", "No cache of wanrt was in use",
                  "@wanrt.cached"):
        check(words in reader.text, words)


@test
def a_progress_bar_is_a_lane_with_its_steps():
    path = fresh() + ".wprof"
    bar = ("import sys, time\n"
           "for i in range(21):\n"
           "    sys.stderr.write(f'\\rsampling: {5*i:3d}%|##| {i}/20 [00:01<00:02, 9.00it/s]')\n"
           "    sys.stderr.flush()\n"
           "    time.sleep(0.01)\n")
    done = record([PYTHON, "-c", bar], path)
    equal(done.returncode, 0, done.stderr)
    _, reader = read(page_of(path))
    check("sampling" in reader.text and "20/20" in reader.text, "the bar is not told")


@test
def a_damaged_recording_is_told_and_still_a_page():
    with open(make("rich"), "rb") as file:
        content = file.read()
    path = fresh() + ".wprof"
    with open(path, "wb") as file:
        file.write(content[:len(content) - 5000])
    done = report("--html", "-", path, status=65)
    _, reader = read(done.stdout)
    check("The recording is damaged." in reader.text, "not told")
    check(b"damaged" in done.stderr, done.stderr)


@test
def a_page_that_exists_is_not_replaced_without_force():
    page = fresh() + ".html"
    report("--html", page, make("empty"))
    with open(page, "rb") as file:
        before = file.read()
    check(b"--force" in report("--html", page, make("rich"), status=73).stderr, "no hint")
    with open(page, "rb") as file:
        equal(file.read(), before, "it was touched")
    report("--html", page, "--force", make("rich"))
    with open(page, "rb") as file:
        check(file.read() != before, "it was not replaced")
    check(b"create the folder" in report("--html", fresh() + "/no/a.html", make("empty"),
                                         status=73).stderr, "no hint")


@test
def open_without_a_desktop_says_where_the_page_is():
    folder = fresh()
    os.mkdir(folder)
    done = report("--open", make("empty"), cwd=folder, DISPLAY="", WAYLAND_DISPLAY="")
    name = os.path.basename(make("empty")).replace(".wprof", ".html")
    check(os.path.join(folder, name).encode() in done.stderr, done.stderr)
    with open(os.path.join(folder, name), "rb") as file:
        read(file.read())


def dump(path):
    done = subprocess.run([WANPROF, "dump", path], stdout=subprocess.PIPE, env=record_here(),
                          check=True, timeout=TIMEOUT_S)
    return json.loads(done.stdout)


def rows_of(root, caption):
    """The cells of the table whose caption begins so; None: there is none."""
    for table in root.iter("table"):
        if "".join(table.find("caption").itertext()).startswith(caption):
            return [["".join(cell.itertext()) for cell in row] for row in table.find("tbody")]
    return None


def sensed(command, celsius, **more):
    """A recording of a machine whose processors are so hot; None: it has no sensors at all."""
    path, machine = fresh() + ".wprof", fresh()
    if celsius is not None:
        monitor = os.path.join(machine, "sys/class/hwmon/hwmon0")
        os.makedirs(monitor)
        for name, text in (("name", "coretemp"), ("temp1_input", str(celsius * 1000))):
            with open(os.path.join(monitor, name), "w") as file:
                file.write(text + "\n")
    done = record(command, path, env=record_here(WANPROF_SENSORS_ROOT=machine, **more))
    equal(done.returncode, 0, done.stderr)
    return path


@test
def heat_and_use_are_told_as_the_json_tells_them():
    path = sensed(["sleep", "1"], 91, WAN_NVML=FAKE_NVML, WAN_FAKE_NVML_CELSIUS="71",
                  WAN_FAKE_NVML_USED=str(3 << 30), WAN_FAKE_NVML_TOTAL=str(8 << 30))
    root, reader = read(page_of(path))
    document = dump(path)
    rows = rows_of(root, "Use and heat")
    equal([row[3] for row in rows],
          [target["verdict"] for target in document["samples_summary"]["targets"]], "verdicts")
    equal(rows[0], ["hottest processor", "91 \xb0C", "below 85 \xb0C", "above"], "processor")
    check("limit: processors 85 \xb0C" in reader.text, "no limit line")
    lines = [line for line in root.iter("path") if line.get("class") == "lim"]
    seen = any(sample["gpu_temperature_c"] is not None for sample in document["samples"])
    equal(len(lines), 4 if seen else 2, "limit lines, for wide and narrow screens")
    equal("GPU 83 \xb0C" in reader.text, seen, "limit of the GPU")
    held = any(sample["gpu_used_mb"] is not None for sample in document["samples"])
    equal("GPU memory, at most 3.00 GB" in reader.text, held, "memory of the GPU")
    check("use of the processors" in reader.text.split("not drawn: ")[1], "unknown and not said")


@test
def a_machine_without_sensors_has_one_sentence_of_them():
    path = sensed(["sleep", "0.3"], None, WAN_NVML="/nonexistent")
    root, reader = read(page_of(path))
    check("Not known, so not drawn: use of the processors, use of GPUs, temperature of the "
          "processors, temperature of GPUs." in reader.text, "not said")
    check(not [line for line in root.iter("path") if line.get("class") == "lim"], "limit lines")
    check("\xb0C, GPU" not in reader.text, "a limit without a line")


@test
def a_baseline_is_compared_as_recording_and_as_json():
    need("djpeg")
    first, second, dumped = fresh() + ".wprof", fresh() + ".wprof", fresh() + ".json"
    for path in (first, second):
        equal(record(["djpeg", "-outfile", "/dev/null", IMAGE], path).returncode, 0, "djpeg")
    root, reader = read(page_of("--baseline", first, second))
    check("Against the baseline" in reader.headings, reader.headings)
    check("grey, hollow or dashed" in reader.text and "jpeg.decode" in reader.text, "no comparison")
    counted = all(any(operation["peak_memory_mb"] for operation in dump(path)["operations"])
                  for path in (first, second))
    rows = rows_of(root, "Peak memory of operations")
    equal([row[0] for row in rows or []], ["jpeg.decode"] if counted else [], "memory")
    subprocess.run([WANPROF, "dump", "-o", dumped, first], check=True, env=record_here(),
                   timeout=TIMEOUT_S)
    done = subprocess.run([WANPROF, "report", "--html", "-", "--baseline", dumped, second],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=record_here(),
                          timeout=TIMEOUT_S)
    if done.returncode == 0:
        check("it is JSON" in read(done.stdout)[1].text, "JSON is not told")
    else:  # built without a reader of JSON
        check(b"recordings" in done.stderr, done.stderr)
    report("--html", "-", "--baseline", fresh(), second, status=66)


@test
def options_that_do_not_go_together_are_refused():
    report("--baseline", make("empty"), make("empty"), status=64)
    report("--json", "--html", "-", make("empty"), status=64)


main(sys.argv[7:])
