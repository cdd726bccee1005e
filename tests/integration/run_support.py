# SPDX-License-Identifier: MIT
"""What the tests of wanprof run share."""
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Skip, check

WANPROF, PRELOAD, LISTER, IMAGE = (os.path.abspath(path) for path in sys.argv[1:5])
PYTHON = "/usr/bin/python3"
TIMEOUT_S = 60

folder = tempfile.mkdtemp(prefix="wan-run-")
os.chmod(folder, 0o755)  # some tests look from another user
atexit.register(shutil.rmtree, folder, ignore_errors=True)
count = 0


def fresh():
    """A path that nothing has yet."""
    global count
    count += 1
    return os.path.join(folder, f"{count:03d}")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def need_reach(user):
    """A clone in a folder of its owner alone cannot be run by another user."""
    for path in (WANPROF, PRELOAD):
        if subprocess.run(["test", "-r", path], user=user).returncode:
            raise Skip(f"user {user} may not read the build folder")


def record_here(**more):
    """An environment without a trace of the caller's settings, recording below our folder."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("WAN") and name not in ("LD_PRELOAD", "LD_AUDIT")}
    kept.update(XDG_STATE_HOME=os.path.join(folder, "state"), XDG_RUNTIME_DIR=folder,
                XDG_CACHE_HOME=os.path.join(folder, "cache"),
                WANPROF_PRELOAD=PRELOAD)
    kept.update(more)
    return kept


def bare(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=record_here(), timeout=TIMEOUT_S, **more)


def record(command, out, *options, **more):
    more.setdefault("env", record_here())
    return subprocess.run([WANPROF, "run", "-o", out, *options, "--", *command],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                          **more)


def start(command, out, *options, **more):
    """In a session of its own, so that a signal to the group stays there."""
    more.setdefault("env", record_here())
    return subprocess.Popen([WANPROF, "run", "-q", "-o", out, *options, "--", *command],
                            stdout=subprocess.PIPE, start_new_session=True, **more)


def wait_for(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"waited in vain for {what}")
        time.sleep(0.02)


def listed(path, kind):
    """The lines of one kind that the reader finds, as dictionaries."""
    done = subprocess.run([LISTER, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=TIMEOUT_S)
    check(done.returncode == 0, f"{path}: status {done.returncode}\n{done.stdout}{done.stderr}")
    rows = []
    for line in done.stdout.splitlines():
        fields = line.split("\t")
        if fields[0] == kind:
            rows.append(dict(field.split("=", 1) for field in fields[1:]))
    return rows


def operations(path):
    return listed(path, "operation")


def dumped(path):
    """The profile of a recording, as JSON."""
    done = subprocess.run([WANPROF, "dump", "-f", "json", path], stdout=subprocess.PIPE,
                          env=record_here(), timeout=TIMEOUT_S, check=True)
    return json.loads(done.stdout)
