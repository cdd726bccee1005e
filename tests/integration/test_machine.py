# SPDX-License-Identifier: MIT
"""wanprof tier, advise and doctor: what they say of machines made of files, and of this one.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), fake NVML,
[TEST NAME PART...]
"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
FAKE_NVML = os.path.abspath(sys.argv.pop(5))
from run_support import (IMAGE, PYTHON, TIMEOUT_S, WANPROF, fresh, need, need_reach, record,
                         record_here)
from tap import Skip, check, equal, main, test

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/schemas")
VERBS = ("tier",), ("advise",), ("doctor",)


def wanprof(*arguments, **more):
    more.setdefault("env", record_here())
    return subprocess.run([WANPROF, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=TIMEOUT_S, **more)


def validate(verb, document):
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed")
    with open(os.path.join(SCHEMAS, f"{verb}.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    equal([f"{list(e.absolute_path)}: {e.message[:200]}"
           for e in jsonschema.Draft202012Validator(schema).iter_errors(document)], [], verb)


def put(root, path, text):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)


def machine(cores=8, threads=2, gb=64, limit=None, quota=None):
    """A tree of kernel files."""
    root = fresh()
    cpus = cores * threads
    os.makedirs(root + "/proc/self")
    put(root, "/sys/devices/system/cpu/online", f"0-{cpus - 1}\n")
    for cpu in range(cpus):
        siblings = ",".join(str(cpu % cores + cores * i) for i in range(threads))
        put(root, f"/sys/devices/system/cpu/cpu{cpu}/topology/core_cpus_list", siblings + "\n")
    put(root, "/proc/cpuinfo", "processor\t: 0\nmodel name\t: Made \x1b]0;up\x07 9000\n")
    put(root, "/proc/self/status", f"Name:\tx\nCpus_allowed_list:\t0-{cpus - 1}\n")
    kib = int(gb * 1048576)
    put(root, "/proc/meminfo", f"MemTotal: {kib} kB\nMemAvailable: {kib // 2} kB\n"
                               "SwapTotal: 0 kB\nSwapFree: 0 kB\n")
    if limit or quota:
        put(root, "/proc/self/cgroup", "0::/box\n")
        put(root, "/proc/self/mountinfo",
            "31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    if limit:
        put(root, "/sys/fs/cgroup/box/memory.max", f"{int(limit * 2 ** 30)}\n")
        put(root, "/sys/fs/cgroup/box/memory.current", "1048576\n")
        put(root, "/sys/fs/cgroup/box/memory.stat", "anon 1048576\n")
    if quota:
        put(root, "/sys/fs/cgroup/box/cpu.max", f"{int(quota * 100000)} 100000\n")
    return root


def on(root, gpu_gb=None, devices=1, **more):
    if gpu_gb:
        more.update(WAN_NVML=FAKE_NVML, WAN_FAKE_NVML_DEVICES=str(devices),
                    WAN_FAKE_NVML_TOTAL=str(int(gpu_gb * 2 ** 30)))
    return record_here(WANPROF_ROOT=root, **more)


def as_json(*arguments, **more):
    done = wanprof(*arguments, "--json", **more)
    check(done.returncode in (0, 1) and not done.stderr, done.stderr)
    document = json.loads(done.stdout)
    validate(arguments[0], document)
    return document


@test
def tiers_of_made_machines():
    for expected, env in (
            ("high-end", on(machine(gb=15.4), gpu_gb=6)),
            ("mid-range", on(machine(gb=14), gpu_gb=24)),
            ("mid-range", on(machine(gb=64), gpu_gb=5, devices=2)),
            ("budget", on(machine(gb=64))),
            ("budget", on(machine(gb=64, limit=8), gpu_gb=24)),
            ("minimal", on(machine(gb=64, quota=1.5))),
            ("minimal", on(machine(gb=7))),
            (None, on(fresh()))):
        equal(as_json("tier", env=env)["tier"], expected, str(env["WANPROF_ROOT"]))


@test
def what_was_counted_is_said():
    text = wanprof("tier", env=on(machine(gb=15.4), gpu_gb=24)).stdout
    check("15.4 GB of memory count as 16 GB" in text and "not generated" in text, text)
    text = " ".join(wanprof("tier", env=on(machine(gb=64, limit=8, quota=1.5))).stdout.split())
    check("limited to 8.00 GB by cgroup /box" in text, text)
    check("the time of 1.5 by cgroup /box" in text, text)
    check("for budget: 4 processors (1.5 count here)" in text, text)
    check("not measured here" in text, text)


@test
def every_screen_fits_and_steers_nothing():
    wide = on(machine(limit=8, quota=1.5), gpu_gb=12, devices=3,
              WAN_FAKE_NVML_NAME="GPU \x1b[31m\n<script> " + "x" * 60)
    for arguments in (*VERBS, ("advise", "--threads", "99", "--memory", "99", "--vram", "99",
                               "--target-fps", "900"), ("doctor", "--", PYTHON)):
        for env in wide, record_here(), on(fresh()):
            done = wanprof(*arguments, env=env)
            check(done.returncode in (0, 1), f"{arguments}: {done.returncode} {done.stderr}")
            check("\x1b" not in done.stdout and "\x07" not in done.stdout, done.stdout)
            for line in done.stdout.splitlines():
                check(len(line) <= 80, line)


@test
def colours_come_and_go_as_asked():
    equal(wanprof("--color=always", "tier").stdout.count("\x1b") > 0, True, "always")
    env = record_here(NO_COLOR="1", CLICOLOR_FORCE="1")
    for verb in VERBS:
        check("\x1b" not in wanprof(*verb, env=env).stdout, verb)


@test
def threads_stay_below_what_is_granted():
    document = as_json("advise", "--threads", "16", env=on(machine(cores=16, quota=1.5)))
    equal(document["threads"], {"recommended": 1, "least": 1, "most": 1, "capped": True,
                                "asked": 16, "status": "over_allocated"}, "threads")
    document = as_json("advise", "--threads", "3", env=on(machine(cores=8)))
    equal(document["threads"]["status"], "under_allocated", "threads")
    equal(document["threads"]["recommended"], 8, "threads")


@test
def allotments_are_judged():
    env = on(machine(gb=64), gpu_gb=8)
    for option, value, status in (("memory", "28.9", "over_allocated"), ("memory", "28", "optimal"),
                                  ("memory", "3.1", "under_allocated"), ("vram", "7.7",
                                  "over_allocated"), ("vram", "7168M", "optimal"),
                                  ("vram", "3.9", "under_allocated")):
        equal(as_json("advise", f"--{option}", value, env=env)[option]["status"], status, value)
    equal(as_json("advise", "--vram", "4", env=on(machine()))["vram"]["status"], "no_gpu", "vram")


@test
def speed_lowers_quality_before_size_and_nothing_without_need():
    env = on(machine(), gpu_gb=24)
    for size, quality, mode, width, wanted, changed in (
            ("3840x2160", "ultra", "gpu_parallel", 3840, "low", True),
            ("3840x2160", "ultra", "cpu", 1920, "low", True),
            ("1920x1080", "high", "gpu_parallel", 1920, "high", False)):
        speed = as_json("advise", "--op", "speed", "--size", size, "--quality", quality, "--mode",
                        mode, env=env)["speed"]
        equal((speed["recommended"]["width"], speed["recommended"]["quality"], speed["changed"]),
              (width, wanted, changed), size)
        equal(speed["basis"], "rough model", "basis")
    speed = as_json("advise", "--size", "1280x720", "--mode", "cpu", "--target-fps", "25",
                    env=env)["speed"]
    equal(speed["recommended"]["width"], 832, "854 is no multiple of 16")


@test
def lines_are_accepted_by_the_configuration():
    project = fresh()
    os.mkdir(project)
    done = wanprof("advise", "--op", "config", "--memory", "2", "--vram", "6",
                   env=on(machine(), gpu_gb=8))
    lines = [line for line in done.stdout.splitlines() if re.match("[a-z#]", line)]
    with open(project + "/wanrt.conf", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    env = record_here(XDG_CONFIG_HOME=project)
    shown = wanprof("config", "--show-origin", env=env, cwd=project)
    equal((shown.returncode, shown.stderr), (0, ""), "config")
    keys = [line.split(" = ")[0] for line in lines if not line.startswith("#")]
    check(len(keys) >= 4, lines)
    for key in keys:
        check(re.search(rf"^project file +{re.escape(key)} = ", shown.stdout, re.M), key)


@test
def a_recording_replaces_the_model():
    need("djpeg", "cjpeg")
    out, picture = fresh() + ".wprof", fresh() + ".ppm"
    subprocess.run(["djpeg", "-outfile", picture, IMAGE], check=True)
    script = f"for i in 1 2 3; do cjpeg -outfile {picture}.jpg {picture}; done"
    done = record(["sh", "-c", script], out)
    equal(done.returncode, 0, done.stderr)
    document = as_json("advise", out)
    equal(document["speed"]["basis"], "measured", "basis")
    check(document["speed"]["measured_fps"] > 0, document["speed"])
    equal(document["speed"]["before_fps"], document["speed"]["measured_fps"], "before")
    told = as_json("advise", "--frames", "300", out)["speed"]["measured_fps"]
    check(told > document["speed"]["measured_fps"] * 50, told)
    cut = fresh() + ".wprof"
    with open(out, "rb") as whole, open(cut, "wb") as part:
        part.write(whole.read()[:3000])
    done = wanprof("advise", "--frames", "3", cut)
    check(done.returncode == 65 and "damaged" in done.stderr and "Threads" in done.stdout, done)
    silent = fresh() + ".wprof"
    record(["djpeg", "-outfile", picture, IMAGE], silent)
    done = wanprof("advise", silent)
    equal(done.returncode, 0, done.stderr)
    check("--frames" in done.stderr and "rough model" in done.stdout, done.stderr)


@test
def bad_input_is_named():
    for arguments, status in ((("advise", "--size", "0x720"), 64), (("advise", "--size", "12"), 64),
                              (("advise", "--quality", "hihg"), 64), (("advise", "--op", "x"), 64),
                              (("advise", "--mode", "tpu"), 64), (("advise", "--frames", "-1"), 64),
                              (("advise", "--threads", "nan"), 64),
                              (("advise", "--memory", "0"), 64), (("advise", "--vram", "lots"), 64),
                              (("advise", "--target-fps", "inf"), 64), (("advise", "a", "b"), 64),
                              (("advise", "/nowhere.wprof"), 66), (("advise", IMAGE), 65),
                              (("tier", "x"), 64), (("doctor", "--jsno"), 64)):
        done = wanprof(*arguments)
        equal((done.returncode, done.stdout, done.stderr.count("\n")), (status, "", 1), arguments)


@test
def the_doctor_says_what_is_broken_by_its_status():
    env = record_here()
    done = wanprof("doctor", env=env)
    equal((done.returncode, done.stderr), (0, ""), done.stdout)
    equal(as_json("doctor", env=env)["broken"], 0, "broken")
    env = record_here(WANPROF_PRELOAD="/nowhere.so")
    done = wanprof("doctor", env=env)
    equal(done.returncode, 1, done.stdout)
    checks = {item["id"]: item for item in as_json("doctor", env=env)["checks"]}
    equal(checks["recorder-loads"]["status"], "broken", "recorder")
    check(checks["recorder-loads"]["mend"], "no way out")


@test
def the_doctor_tells_whether_libraries_load_that_are_loaded_late():
    found, missing = ({item["id"]: item for item in as_json("doctor", env=env)["checks"]} for env in
                      (record_here(), record_here(WAN_JANSSON="/nowhere", WAN_SQLITE="/nowhere")))
    for library in "jansson", "sqlite":
        equal(missing[library]["status"], "note", library)
        if "built without" in found[library]["text"]:
            raise Skip(f"this wanprof was built without {library}")
        check("is not installed" in missing[library]["text"], missing[library])
        if found[library]["status"] != "ok":
            raise Skip(found[library]["text"])


def of_command(*command, **more):
    checks = as_json_command(*command, **more)
    return {item["id"]: item for item in checks if item["group"] == "command"}


def as_json_command(*command, **more):
    more.setdefault("env", record_here())
    done = wanprof("doctor", "--json", "--", *command, **more)
    document = json.loads(done.stdout)
    validate("doctor", document)
    return document["checks"]


@test
def the_doctor_looks_at_a_command_without_running_it():
    mark = fresh()
    equal(of_command(shutil.which("touch"), mark)["recordable"]["status"], "ok", "touch")
    check(not os.path.exists(mark), "the command was run")
    equal(of_command("no-such-command")["recordable"]["status"], "broken", "absent")
    plain = fresh()
    with open(plain, "w", encoding="ascii") as file:
        file.write("x")
    found = of_command(plain)["recordable"]
    check("may not be executed" in found["text"] and found["mend"], found)
    check(of_command(PYTHON)["recordable"]["status"] == "ok", "python")


@test
def static_programs_are_refused_with_a_way_out():
    need("cc")
    source, program = fresh() + ".c", fresh()
    with open(source, "w", encoding="ascii") as file:
        file.write("int main(void) { return 0; }\n")
    if subprocess.run(["cc", "-static", source, "-o", program], stderr=subprocess.DEVNULL).returncode:
        raise Skip("nothing can be linked statically here")
    found = of_command(program)["recordable"]
    equal(found["status"], "broken", found)
    check("statically" in found["text"] and found["mend"], found)


@test
def codecs_inside_a_module_are_found_by_their_words():
    site = fresh()
    os.makedirs(site + "/cv2")
    open(site + "/cv2/__init__.py", "w", encoding="ascii").close()
    with open(site + "/cv2/cv2.abi3.so", "wb") as file:
        file.write(b"\x7fELF" + b"\0" * 100 + b"libpng version 1.6.43\0Bogus marker length\0")
    found = [item for item in as_json_command(PYTHON, env=record_here(PYTHONPATH=site))
             if item["id"] == "python-module" and "cv2" in item["text"]]
    equal([(item["status"], "libjpeg, libpng built in" in item["text"]) for item in found],
          [("note", True)], found)


@test
def nobody_without_a_home_is_left_alone():
    if os.getuid():
        raise Skip("only root can become somebody else")
    user = 65534
    need_reach(user)
    env = {"PATH": os.environ["PATH"], "WANPROF_PRELOAD": record_here()["WANPROF_PRELOAD"]}
    for verb in VERBS:
        done = wanprof(*verb, env=env, user=user, group=user, extra_groups=[], cwd="/")
        equal(done.returncode, verb[0] == "doctor", f"{verb} {done.stderr}")
    check("XDG_STATE_HOME" in done.stdout, done.stdout)
    readonly = dict(env, XDG_STATE_HOME="/proc")
    done = wanprof("doctor", env=readonly, user=user, group=user, extra_groups=[], cwd="/")
    check("recordings cannot be written" in done.stdout, done.stdout)


@test
def hidden_cards_are_told():
    env = on(machine(), gpu_gb=8, devices=2, CUDA_VISIBLE_DEVICES="1")
    found = [item for item in as_json("doctor", env=env)["checks"] if item["id"] == "gpus-hidden"]
    check(len(found) == 1 and '"1"' in found[0]["text"], found)


@test
def a_driver_that_refuses_is_named():
    env = on(machine(), gpu_gb=8, WAN_FAKE_NVML_ERROR="3")
    equal(as_json("tier", env=env)["machine"]["gpu_state"], "refused", "gpu")
    equal(as_json("tier", env=env)["tier"], "budget", "tier")


@test
def a_driver_that_hangs_is_given_up():
    if os.environ.get("WAN_TEST_TIER") not in ("full", "soak"):
        raise Skip("takes 5 s; WAN_TEST_TIER=full runs it")
    document = as_json("tier", env=on(machine(), gpu_gb=8, WAN_FAKE_NVML_DELAY_MS="600000"))
    equal((document["machine"]["gpu_state"], document["machine"]["gpus"]), ("no_answer", []), "gpu")
    equal(document["tier"], "budget", "tier")


main(sys.argv[5:])
