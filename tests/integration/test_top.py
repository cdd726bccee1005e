# SPDX-License-Identifier: MIT
"""wanprof top: what stands on the screen, and that the terminal is given back whatever happens."""
import os
import signal
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import WANPROF, fresh, record_here, wait_for
from screen import Terminal, children, width
from tap import check, equal, main, test

JOBS = os.path.abspath(sys.argv[5])


class Jobs:
    """The program that is watched: tracks what it is told to."""

    def __init__(self, *commands, run=False, **more):
        self.state = more.pop("state", None) or fresh()
        self.env = record_here(XDG_STATE_HOME=self.state, TERM="xterm", LC_ALL="C.UTF-8", **more)
        command = [WANPROF, "run", "-q", "--", JOBS] if run else [JOBS]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=self.env, start_new_session=True)
        self.tell(*commands)

    def tell(self, *commands):
        for command in commands:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
            check(self.process.stdout.read(1) == b".", f"{command} was refused")

    def start(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def watch(self, *options, rows=24, columns=80, shell=False, **more):
        return Terminal([WANPROF, "top", *options], dict(self.env, **more), rows, columns,
                        shell=shell)

    def rows(self, *options):
        return subprocess.run([WANPROF, "top", *options], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, text=True)

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


SAMPLING = ("begin 40 step sampling", "phase 4", "steps 17 5")


@test
def a_job_is_shown_with_phase_and_step():
    with Jobs(*SAMPLING) as jobs, jobs.watch("-p", str(jobs.process.pid)) as top:
        top.wait_for_text("17/40")
        lines = top.model.text()
        line = next(line for line in lines if "17/40" in line)
        check("sampling" in line and "generation" in line and "42 %" in line, line)
        check(any("p50" in line and "p99" in line for line in lines), lines)
        check(str(jobs.process.pid) in lines[0] and "running" in lines[0], lines[0])
        check(any(line.startswith("memory") for line in lines), lines)
        check("q quit" in lines[23], lines[23])
        jobs.tell("update 18", "own vae_decode")
        top.wait_for(lambda lines: any("18/40" in line and "vae_decode" in line for line in lines),
                     "the next step and phase")
        top.keys("q")
        equal(top.wait(), 0, "exit status")
        top.given_back()


@test
def what_a_job_took_and_whether_it_was_done_is_said():
    with Jobs(*SAMPLING) as jobs, jobs.watch() as top:
        top.wait_for_text("17/40")
        jobs.tell("complete")
        top.wait_for_text("done after")
        jobs.tell("begin 0 frame frames", "steps 3 1")
        top.wait_for(lambda lines: any(line.startswith("frames") for line in lines)
                     and not any("sampling" in line for line in lines[1:]), "the active job alone")
        check(any("eta unknown" in line for line in top.model.text()), "a total nobody knows")
        top.keys("t")
        top.wait_for_text("sampling")
        top.keys("q")
        top.wait()
        top.given_back()


@test
def the_last_screen_stays_when_the_run_ends():
    with Jobs(*SAMPLING, run=True) as jobs, jobs.watch() as top:
        top.wait_for_text("17/40")
        jobs.end()
        equal(top.wait(), 0, "exit status")
        top.given_back()
        text = "\n".join(top.model.text())
        check("exit 0" in text and "17/40" in text and "left after" in text, text)


@test
def a_killed_program_ends_it_and_the_signal_is_named():
    with Jobs(*SAMPLING, run=True) as jobs, jobs.watch() as top:
        top.wait_for_text("17/40")
        os.kill(children(jobs.process.pid)[0], signal.SIGKILL)
        equal(top.wait(), 0, "exit status")
        top.given_back()
        text = "\n".join(top.model.text())
        check("signal 9" in text and "17/40" in text and "generation" in text, text)


@test
def phase_and_step_of_a_dead_process_come_from_the_file_alone():
    with Jobs(*SAMPLING) as jobs:
        jobs.process.kill()
        jobs.process.wait()
        for verb in ("top", "report"):
            answer = subprocess.run([WANPROF, verb, "-p", str(jobs.process.pid)], env=jobs.env,
                                    stdout=subprocess.PIPE, text=True, timeout=60)
            equal(answer.returncode, 0, verb)
            check("17/40" in answer.stdout and "generation" in answer.stdout, answer.stdout)


@test
def every_signal_that_ends_it_gives_the_terminal_back():
    with Jobs(*SAMPLING) as jobs:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with jobs.watch() as top:
                top.wait_for_text("17/40")
                check(termios.tcgetattr(top.slave) != top.before, "keys need another mode")
                top.process.send_signal(number)
                status = top.wait()
                equal(status, 0 if number == signal.SIGINT else -number, number)
                top.given_back()
        equal(jobs.process.poll(), None, "the watched program")


@test
def it_stops_and_goes_on_with_the_terminal_given_back_between():
    with Jobs(*SAMPLING) as jobs, jobs.watch(shell=True) as top:
        top.wait_for_text("17/40")
        job = top.job()
        top.keys("\x1a")
        top.wait_for(lambda _: state_of(job) == "T", "the stop")
        top.read(0.05)
        top.given_back()
        os.kill(job, signal.SIGCONT)
        top.wait_for(lambda lines: top.model.alternate and any("17/40" in l for l in lines),
                     "the screen again")
        os.kill(job, signal.SIGSTOP)
        os.kill(job, signal.SIGCONT)
        top.keys("q")
        equal(top.wait(), 0, "exit status")
        top.given_back()


@test
def a_terminal_that_goes_away_ends_it():
    with Jobs(*SAMPLING) as jobs, jobs.watch() as top:
        top.wait_for_text("17/40")
        os.close(top.master)
        os.close(top.slave)
        top.closed = True
        top.process.wait(timeout=20)
        equal(jobs.process.poll(), None, "the watched program")


@test
def the_screen_follows_its_size_down_to_almost_nothing():
    with Jobs(*SAMPLING) as jobs, jobs.watch(rows=40, columns=132) as top:
        top.wait_for(lambda lines: any("[########" in line and "17/40" in line for line in lines),
                     "a bar where there is room")
        for rows, columns in ((24, 80), (5, 20), (8, 40), (2, 10), (1, 1), (24, 60), (50, 200)):
            top.resize(rows, columns)
            top.process.send_signal(signal.SIGWINCH)
            frames = top.model.frames
            top.wait_for(lambda lines: top.model.frames > frames, "another frame")
            top.read(0.1)
            check(not top.model.strange, top.model.strange)
            if rows > 1 and columns >= 20:
                top.wait_for_text("17/40")
        top.keys("q")
        equal(top.wait(), 0, "exit status")
        top.given_back()


@test
def no_name_steers_the_terminal_and_wide_ones_keep_the_columns():
    hostile = (r"\x1b[2J\x1b]0;owned\x07", r"a\x0ab\x0dc\x08\x9b31m", "画像" * 12 + "é́",
               r"\xff\xfe\xc3", r"\xe2\x80\xae reversed", "%s%n%d")
    with Jobs() as jobs:
        for name in hostile:
            jobs.tell("begin 9 step " + name, r"own \x1b[31m" + name, "update 3")
        for columns in (80, 41, 133):
            with jobs.watch(columns=columns, rows=30) as top:
                top.wait_for(lambda lines: sum("3/9" in line for line in lines) == len(hostile),
                             "all of them")
                lines = top.model.text()
                places = {sum(map(width, line[:line.index("3/9")])) for line in lines
                          if "3/9" in line}
                equal(len(places), 1, f"columns at which the steps stand: {places}\n"
                      + "\n".join(lines))
                top.keys("q")
                top.wait()
                top.given_back()
        text = jobs.rows("--once").stdout
        check("\x1b" not in text and "\x07" not in text and "\u202e" not in text, repr(text))


@test
def keys_sort_and_unknown_ones_do_nothing():
    with Jobs(*SAMPLING) as jobs, jobs.watch() as top:
        top.wait_for_text("17/40")
        top.keys("x\x1b[Z\x1b[1;5C\x00\xff" + "s" * 9 + "\x1b[A\x1b[B\x1b[5~\x1b[6~")
        top.read(0.3)
        equal(top.process.poll(), None, "still there")
        top.keys("\x04")
        equal(top.wait(), 0, "exit status")
        top.given_back()


@test
def colours_come_and_go_with_the_environment():
    with Jobs(*SAMPLING) as jobs:
        for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            with jobs.watch(**more) as top:
                top.wait_for_text("17/40")
                equal(bool(top.model.styles - {"0"}), coloured, more)
                top.keys("q")
                top.wait()


@test
def without_a_terminal_rows_are_printed_as_jobs_move():
    with Jobs(*SAMPLING) as jobs:
        top = subprocess.Popen([WANPROF, "top", "--delay", "0.05"], env=jobs.env,
                               stdout=subprocess.PIPE, text=True)
        first = top.stdout.readline()
        check("17/40" in first and "generation" in first and "\x1b" not in first, first)
        jobs.tell("update 18")
        second = top.stdout.readline()
        check("18/40" in second, second)
        jobs.end()
        rest = top.stdout.read()
        top.stdout.close()
        equal(top.wait(), 0, "exit status")
        check("exit 0" in rest.splitlines()[-1], rest)


@test
def a_dumb_terminal_gets_rows():
    with Jobs(*SAMPLING) as jobs, jobs.watch(TERM="dumb") as top:
        top.wait_for_text("17/40")
        check(b"\x1b" not in top.bytes, top.bytes)
        jobs.end()
        equal(top.wait(), 0, "exit status")


@test
def one_screen_is_printed_on_demand():
    with Jobs(*SAMPLING) as jobs:
        answer = jobs.rows("--once")
        equal(answer.returncode, 0, "exit status")
        check("17/40" in answer.stdout and answer.stdout.count("\n") < 10, answer.stdout)


@test
def several_runs_are_listed_and_chosen_from():
    state = fresh()
    with Jobs("begin 5 step first", "update 1", state=state) as one, \
            Jobs("begin 6 step second", "update 2", state=state), one.watch() as top:
        top.wait_for_text("2 runs are being recorded")
        top.keys("2")
        top.wait_for_text("1/5")
        top.keys("q")
        top.wait()
        top.given_back()
        answer = one.rows("--once")
        check("2 runs are being recorded" in answer.stderr and "2/6" in answer.stdout,
              answer.stderr + answer.stdout)
        with one.watch() as again:
            again.wait_for_text("2 runs")
            again.keys("q")
            equal(again.wait(), 0, "exit status")
            again.given_back()


@test
def a_family_shares_the_screen():
    state = fresh()
    env = record_here(XDG_STATE_HOME=state, TERM="xterm")
    script = f"printf 'begin 5 step left\\nupdate 1\\nsteps 1 5000\\n' | {JOBS} & " \
             f"printf 'begin 6 step right\\nupdate 2\\nsteps 1 5000\\n' | {JOBS} & wait"
    run = subprocess.Popen([WANPROF, "run", "-q", "--", "sh", "-c", script], env=env,
                           stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        once = [WANPROF, "top", "--once", "-p", str(run.pid)]
        wait_for(lambda: not subprocess.run(once, env=env, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL).returncode, "the recording")
        with Terminal([WANPROF, "top", "-p", str(run.pid)], env, 30, 100) as top:
            top.wait_for(lambda lines: any("1/5" in l for l in lines)
                         and any("2/6" in l for l in lines), "both")
            top.keys("q")
            top.wait()
            top.given_back()
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


@test
def a_stopped_program_is_said_to_be_stopped():
    with Jobs("begin 40 step sampling", "steps 12 50") as jobs, jobs.watch(columns=100) as top:
        top.wait_for_text("12/40")
        os.kill(jobs.process.pid, signal.SIGSTOP)
        top.wait_for(lambda lines: "stopped" in lines[0], "the title")
        top.wait_for(lambda lines: any("stalled" in l and "stopped" in l for l in lines[1:]),
                     "the stall with its cause")
        check(any("eta unknown" in line for line in top.model.text()), "no end in sight")
        os.kill(jobs.process.pid, signal.SIGCONT)
        jobs.tell("update 13")
        top.wait_for(lambda lines: any("13/40" in l for l in lines)
                     and not any("stalled" in l for l in lines), "going on")
        top.keys("q")
        top.wait()


LIVE = f"""printf 'begin 9 step live\\nphase 4\\nupdate 3\\nsteps 1 1400\\n' | {JOBS} > /dev/null &
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo line $i; sleep 0.03; done
wait; echo end"""


@test
def run_live_keeps_a_line_below_what_the_command_says():
    env = record_here(XDG_STATE_HOME=fresh(), TERM="xterm")
    command = [WANPROF, "run", "-q", "--live", "--", "sh", "-c", LIVE]
    with Terminal(command, env, 10, 60, shell=True) as run:
        run.wait_for(lambda lines: lines[9].startswith("wanprof") and "3/9" in lines[9],
                     "the line at the foot")
        run.wait_for(lambda lines: "line 14" in lines, "the command's lines")
        check(any(line.startswith("wanprof") for line in run.model.text()[9:]), run.model.text())
        equal([l for l in run.model.text()[:9] if l.startswith("wanprof")], [], "lines above")
        equal(run.wait(), 0, "exit status")
        run.given_back()
        lines = run.model.text()
        equal([line for line in lines if line.startswith("wanprof")], [], "lines left behind")
        equal([line for line in lines if line][-3:], ["line 13", "line 14", "end"], "the command's")


@test
def run_live_leaves_what_the_command_writes_as_it_is():
    env = record_here(XDG_STATE_HOME=fresh(), TERM="xterm")
    out = fresh()
    script = f"exec > {out}; " + LIVE
    with Terminal([WANPROF, "run", "-q", "--live", "--", "sh", "-c", script], env, 10, 60,
                  shell=True) as run:
        run.wait_for(lambda lines: "3/9" in lines[9], "the line at the foot")
        equal(run.wait(), 0, "exit status")
        run.given_back()
    with open(out, encoding="utf-8") as file:
        equal(file.read(), "".join(f"line {i}\n" for i in range(1, 15)) + "end\n", "its output")


@test
def run_live_without_a_terminal_says_so_and_runs():
    env = record_here(XDG_STATE_HOME=fresh(), TERM="xterm")
    answer = subprocess.run([WANPROF, "run", "--live", "--", "echo", "hello"], env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True, timeout=60)
    equal((answer.returncode, answer.stdout), (0, "hello\n"), "the command")
    check("no terminal" in answer.stderr, answer.stderr)


@test
def nothing_to_watch_is_said():
    env = record_here(XDG_STATE_HOME=fresh())
    for options, status, words in (((), 66, "nothing is being recorded"),
                                   (("-p", "4194304"), 66, "process"),
                                   (("-p", "x"), 64, "not a process id"),
                                   (("-d", "0"), 64, "0.05"), (("file",), 64, "-p PID")):
        answer = subprocess.run([WANPROF, "top", *options], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=60)
        equal(answer.returncode, status, options)
        check(words in answer.stderr and not answer.stdout, answer.stderr)


if __name__ == "__main__":
    main(sys.argv[6:])
