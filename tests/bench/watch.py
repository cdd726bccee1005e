#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How soon a reader sees what a job tells, what watching costs, how soon a dead job is named.

    watch.py BUILD [SECONDS]

An attached `wanprof top` draws on a terminal of ours while a job makes ten updates a second; told
is the time from an update to its number on that terminal. Then jobs are killed, and the time of
`wanprof top -p PID` and `wanprof report -p PID` is told, from the start of the program to its last
line.
"""
import fcntl
import os
import pty
import random
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

BUILD = os.path.abspath(sys.argv[1])
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 15
WANPROF = os.path.join(BUILD, "tools/wanprof")
JOBS = os.path.join(BUILD, "tests/integration/jobs")
folder = tempfile.mkdtemp(prefix="wan-watch-")
ENV = dict(os.environ, XDG_STATE_HOME=folder, TERM="xterm")


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def start_job():
    job = subprocess.Popen([JOBS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    tell(job, "begin 0 step delivery", "phase 4", "steps 20 1")
    return job


def tell(job, *commands):
    for command in commands:
        job.stdin.write(command.encode() + b"\n")
        job.stdin.flush()
        job.stdout.read(1)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def deliver():
    job = start_job()
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    top = subprocess.Popen([WANPROF, "top"], stdin=slave, stdout=slave, env=ENV)
    time.sleep(0.7)
    delays, number, begin = [], 100000, time.monotonic()
    cpu = cpu_seconds(top.pid)
    while time.monotonic() - begin < SECONDS:
        number += 1
        due = begin + (number - 100000) * 0.1 + random.uniform(-0.02, 0.02)
        while (left := due - time.monotonic()) > 0:
            if select.select([master], [], [], left)[0]:
                os.read(master, 65536)
        tell(job, f"update {number}")
        told, seen = time.monotonic(), b""
        while str(number).encode() not in seen and time.monotonic() - told < 2:
            if select.select([master], [], [], 0.5)[0]:
                seen = seen[-16:] + os.read(master, 65536)
        delays.append(1000 * (time.monotonic() - told))
    share = (cpu_seconds(top.pid) - cpu) / (time.monotonic() - begin)
    top.kill()
    top.wait()
    job.kill()
    job.wait()
    p99 = percentile(delays, 0.99)
    print(f"update to screen, {len(delays)} updates at 10/s: p50 {percentile(delays, 0.5):.1f} ms, "
          f"p99 {p99:.1f} ms, longest {max(delays):.1f} ms; predicted p99 45; "
          f"target 100: {'met' if p99 <= 100 else 'missed'}")
    print(f"cpu of top meanwhile: {100 * share:.2f} % of a core; predicted 0.5; "
          f"target below 1: {'met' if share < 0.01 else 'missed'}")


def name_the_dead():
    for verb in ("top", "report"):
        times = []
        for _ in range(20):
            job = start_job()
            job.kill()
            job.wait()
            begin = time.monotonic()
            answer = subprocess.run([WANPROF, verb, "-p", str(job.pid)], env=ENV, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            times.append(1000 * (time.monotonic() - begin))
            assert "generation" in answer.stdout and "20" in answer.stdout, answer.stdout
        print(f"{verb} names phase and step of a dead process: p50 {percentile(times, 0.5):.1f} ms, "
              f"longest {max(times):.1f} ms of {len(times)}; predicted 5; target 50: "
              f"{'met' if max(times) <= 50 else 'missed'}")


try:
    deliver()
    name_the_dead()
finally:
    shutil.rmtree(folder, ignore_errors=True)
