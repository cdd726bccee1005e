# SPDX-License-Identifier: MIT
"""The frame of wanprof: verbs, options, help, configuration, output that cannot be written.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), [TEST NAME PART...]
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import IMAGE, WANPROF, fresh, need, record, record_here
from tap import Skip, check, equal, main, test


def wanprof(*arguments, **more):
    more.setdefault("env", record_here())
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([WANPROF, *arguments], stderr=subprocess.PIPE, text=True, timeout=60,
                          **more)


@test
def mistakes_in_names_get_the_nearest_one():
    cases = {("dmup",): '"dump"', ("config", "--show-orgin"): '"--show-origin"',
             ("config", "cache.limt"): '"cache.limit"', ("help", "rnu"): '"run"',
             ("dump", "-f", "jsno"): '"json"', ("completion", "bsh"): '"bash"',
             ("--colour=never", "config"): '"--color='}
    for arguments, nearest in cases.items():
        done = wanprof(*arguments)
        equal((done.returncode, done.stdout, done.stderr.count("\n")), (64, "", 1), arguments)
        check(f"did you mean {nearest}" in done.stderr, done.stderr)


@test
def messages_cannot_steer_the_terminal():
    done = wanprof("config", "\x1b]0;owned\x07\n")
    equal(done.returncode, 64, "status")
    check("\x1b" not in done.stderr and "\\x1B" in done.stderr.replace("x1b", "x1B"), done.stderr)


@test
def nothing_asked_for_is_a_usage_error():
    done = wanprof()
    equal((done.returncode, done.stdout), (64, ""), "status")
    check("Usage:" in done.stderr)


@test
def help_and_version_go_to_standard_output():
    for arguments in ["--help"], ["help"], ["help", "run"], ["run", "--help"], ["dump", "-h"]:
        done = wanprof(*arguments)
        equal((done.returncode, done.stderr), (0, ""), arguments)
        check("Usage: wanprof" in done.stdout)
    equal(wanprof("--version").stdout.count("\n"), 1, "lines of --version")


@test
def a_full_disk_behind_standard_output_is_told():
    with open("/dev/full", "w", encoding="ascii") as full:
        for arguments in ["--help"], ["config"], ["config", "--json"], ["completion", "zsh"], \
                ["tier"], ["advise", "--json"], ["doctor"]:
            done = wanprof(*arguments, stdout=full)
            equal(done.returncode, 73, arguments)
            equal(done.stderr.count("could not be written"), 1, done.stderr)


@test
def the_configuration_says_where_each_value_comes_from():
    home, project = fresh(), fresh()
    os.makedirs(home + "/wanrt")
    os.mkdir(project)
    with open(home + "/wanrt/wanrt.conf", "w", encoding="ascii") as file:
        file.write("cache.limit = 100M\n[cache]\nentries = 7\nidle = 5min\n")
    with open(project + "/wanrt.conf", "w", encoding="ascii") as file:
        file.write("# the project\ncache.entries = 8\ncache.idle = 6min\n")
    environment = record_here(XDG_CONFIG_HOME=home, WAN_CACHE_IDLE="7min")
    done = wanprof("config", "--show-origin", "cache", cwd=project, env=environment)
    equal(done.returncode, 0, done.stderr)
    for line in ("user file     cache.limit = 100M", "project file  cache.entries = 8",
                 "environment   cache.idle = 7min", "default       cache.auto = false"):
        check(line in done.stdout, done.stdout)
    values = json.loads(wanprof("config", "--json", cwd=project, env=environment).stdout)
    equal(values["cache.limit"], {"value": 100 << 20, "text": "100M", "origin": "user file"})
    check(len(values) > 40, len(values))


@test
def a_wrong_configuration_file_is_named_with_its_line():
    project = fresh()
    os.mkdir(project)
    with open(project + "/wanrt.conf", "w", encoding="ascii") as file:
        file.write("cache.entries = 8\ncache.limt = 1M\n")
    done = wanprof("config", cwd=project)
    equal(done.returncode, 65, done.stderr)
    check("wanrt.conf:2" in done.stderr and "cache.limit" in done.stderr, done.stderr)


@test
def outputs_appear_whole_or_not_at_all():
    need("djpeg")
    folder = fresh()
    os.mkdir(folder)
    recording = fresh()
    equal(record(["djpeg", "-outfile", "/dev/null", IMAGE], recording).returncode, 0, "run")
    target = folder + "/a.json"
    equal(wanprof("dump", "-o", target, recording).returncode, 0, "first")
    again = wanprof("dump", "-o", target, recording)
    equal(again.returncode, 73, "an existing file")
    check("--force" in again.stderr, again.stderr)
    equal(wanprof("dump", "--force", "-o", target, recording).returncode, 0, "forced")
    equal(wanprof("dump", "-o", folder + "/no/a.json", recording).returncode, 73, "no folder")
    equal(wanprof("dump", "-o", folder, recording).returncode, 73, "a folder")
    equal(wanprof("dump", "-o", "/dev/full", recording).returncode, 73, "a full disk")
    equal(os.listdir(folder), ["a.json"], "files")
    equal(json.loads(wanprof("dump", "-o", "-", recording).stdout)["schema_version"], 1, "stdout")


@test
def colours_follow_the_conventions():
    need("djpeg")
    recording = fresh()
    record(["djpeg", "-outfile", "/dev/null", IMAGE], recording)

    def coloured(*arguments, **variables):
        slow = dict(WAN_PROFILE_SLOW="1us", WAN_PROFILE_RULES="classic")
        return "\x1b[" in wanprof(*arguments, "report", recording,
                                  env=record_here(**slow, **variables)).stdout

    check(not coloured(), "in a pipe")
    check(coloured("--color=always"), "--color=always")
    check(coloured(CLICOLOR_FORCE="1"), "CLICOLOR_FORCE")
    check(not coloured(CLICOLOR_FORCE="1", NO_COLOR="1"), "NO_COLOR wins")
    check(not coloured("--color=never", CLICOLOR_FORCE="1"), "--color=never")


@test
def what_few_verbs_need_is_not_loaded_by_the_others():
    """jansson and SQLite cost every start of wanprof 0.2 ms and more."""
    path = fresh()
    record(["true"], path)
    loaded = dict(env=record_here(LD_DEBUG="files"), stdout=subprocess.DEVNULL)
    verbs = (["--version"], ["dump", path], ["report", path], ["gate", path],
             ["run", "-q", "-o", fresh(), "--", "true"])
    for arguments in verbs:
        said = wanprof(*arguments, **loaded).stderr
        if "libc.so" not in said:
            raise Skip("the loader does not tell what it loads")
        check(not re.search("sqlite|jansson", said), f"{arguments}: {said}")


main(sys.argv[5:])
