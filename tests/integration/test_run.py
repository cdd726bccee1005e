# SPDX-License-Identifier: MIT
"""wanprof run: the command must not notice, and the recording must be there whatever happens.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), [TEST NAME PART...]
"""
import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import (IMAGE, PRELOAD, PYTHON, WANPROF, bare, dumped, fresh, listed, need, need_reach,
                         operations, record, record_here, start, wait_for)
from tap import Skip, check, equal, main, test

# What the command says about itself: everything that wanprof could spoil.
SELF = r"""
import os, sys
status = open("/proc/self/status").read()
for field in "SigBlk", "SigIgn", "SigCgt":
    print(field, [l.split()[1] for l in status.splitlines() if l.startswith(field)][0])
print("group", os.getpgrp() == int(sys.argv[1]), "session", os.getsid(0) == int(sys.argv[2]))
print("descriptors", sorted(int(f) for f in os.listdir("/proc/self/fd") if int(f) != 3))
print("arguments", sys.argv[3:], "folder", os.getcwd(), "umask", os.umask(0))
"""


@test
def exit_status_is_passed_on_from_0_to_255():
    out = fresh()
    for status in range(256):
        done = record(["sh", "-c", f"exit {status}"], out, "--force")
        equal(done.returncode, status, "exit status")


@test
def death_by_signal_is_128_and_the_number():
    out = fresh()
    for number in signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGINT:
        done = record(["sh", "-c", f"ulimit -c 0; kill -{int(number)} $$"], out, "--force")
        equal(done.returncode, 128 + number, number.name)
        equal(listed(out, "process")[0]["state"], "3", "state signalled")


@test
def standard_streams_are_byte_for_byte_the_commands():
    blob = bytes(range(256)) * 300
    command = ["sh", "-c", "cat; printf 'to\\0stderr\\377' >&2"]
    done = record(command, fresh(), "-q", input=blob)
    equal(done.stdout, blob, "stdout")
    equal(done.stderr, b"to\0stderr\xff", "stderr")


@test
def a_decode_is_recorded_and_its_output_unchanged():
    need("djpeg")
    out = fresh()
    expected = bare(["djpeg", IMAGE]).stdout
    done = record(["djpeg", IMAGE], out)
    equal(done.returncode, 0, done.stderr)
    check(done.stdout == expected and len(expected) > 1000, "output differs")
    found = operations(out)
    equal([o["name"] for o in found], ["jpeg.decode"], "operations")
    check(not os.path.exists(out + ".d"), "FILE.d is left")
    equal(stat.S_IMODE(os.stat(out).st_mode) & 0o077, 0, "others may read")


@test
def signals_group_descriptors_and_arguments_are_as_without_us():
    def prepare():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    command = [PYTHON, "-c", SELF, str(os.getpgrp()), str(os.getsid(0)), "", "a b", "-q", "--", "ä"]
    expected = bare(command, preexec_fn=prepare)
    done = record(command, fresh(), "-q", preexec_fn=prepare)
    equal(done.stdout.decode(), expected.stdout.decode(), done.stderr)
    check(b"SigBlk" in done.stdout)


@test
def closed_standard_descriptors_stay_closed():
    code = ("import os\nfor fd in 0, 1, 2:\n try: os.fstat(fd)\n except OSError: continue\n"
            " os._exit(20 + fd)\nos._exit(7)")
    out = fresh()
    # A shell closes them; Popen cannot.
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", WANPROF, "run", "-o", out,
                           PYTHON, "-S", "-c", code], env=record_here())
    equal(done.returncode, 7, "status")
    equal(listed(out, "process")[0]["state"], "2", "state exited")


@test
def a_reader_that_has_gone_costs_neither_status_nor_recording():
    out = fresh()
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([WANPROF, "run", "-o", out, "sh", "-c", "exit 5"], stderr=writer,
                          env=record_here())
    os.close(writer)
    equal(done.returncode, 5, "status")
    check(listed(out, "process"), "no recording")


@test
def the_newest_recordings_of_the_default_place_are_kept():
    environment = record_here(XDG_STATE_HOME=fresh(), WAN_RECORD_KEEP_FILES="3")
    need("djpeg")
    for _ in range(5):
        subprocess.run([WANPROF, "run", "-q", "djpeg", "-outfile", "/dev/null", IMAGE],
                       env=environment, check=True)
    names = set(os.listdir(os.path.join(environment["XDG_STATE_HOME"], "wanrt"))) - {"history"}
    equal(len(names), 3, names)


@test
def options_after_the_command_belong_to_it():
    done = subprocess.run([WANPROF, "run", "-q", "-o", fresh(), "printf", "%s", "--force"],
                          stdout=subprocess.PIPE, env=record_here())
    equal(done.stdout, b"--force", "output")


@test
def without_a_command_there_is_a_usage_error():
    for arguments in [], ["--"], ["-q"]:
        done = subprocess.run([WANPROF, "run", *arguments], stderr=subprocess.PIPE)
        equal(done.returncode, 125, arguments)
        check(b"command" in done.stderr, done.stderr)


@test
def an_unknown_option_names_the_nearest():
    cases = {"--ouput=x": b'"--output"', "--estimte": b'"--estimate"', "-Z": b'"-Z"',
             "--alloc=malloc": b"jemalloc", "--audit=often": b"auto",
             "--estimate=soon": b"seconds", "--records=0": b"--records", "--quiet=yes": b"no value"}
    for option, expected in cases.items():
        done = subprocess.run([WANPROF, "run", option, "true"], stderr=subprocess.PIPE)
        equal(done.returncode, 125, option)
        check(expected in done.stderr, done.stderr)
        equal(done.stderr.count(b"\n"), 1, "lines")


@test
def what_does_not_exist_is_127_and_what_cannot_be_executed_126():
    folder = fresh()
    os.mkdir(folder)
    plain = os.path.join(folder, "plain")
    with open(plain, "w", encoding="ascii") as file:
        file.write("just text\n")
    os.chmod(plain, 0o644)
    cases = {"no-such-command-of-anyone": 127, "/no/such/command": 127, plain: 126, folder: 126,
             "/etc/passwd/x": 127, "": 127}
    for command, expected in cases.items():
        out = fresh()
        done = record([command], out)
        equal(done.returncode, expected, command)
        equal(done.stderr.count(b"\n"), 1, done.stderr)
        check(not os.path.exists(out) and not os.path.exists(out + ".d"), "something is left")


@test
def a_script_without_interpreter_line_runs_as_the_shell_would():
    script = fresh()
    with open(script, "w", encoding="ascii") as file:
        file.write("exit 9\n")
    os.chmod(script, 0o755)
    equal(record([script], fresh()).returncode, 9, "status")


@test
def control_c_reaches_the_group_and_the_recording_is_written():
    need("djpeg")
    out = fresh()
    command = ["sh", "-c", f"djpeg '{IMAGE}' >/dev/null; echo ready; exec sleep 60"]
    process = start(command, out)
    equal(process.stdout.readline(), b"ready\n", "first line")
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    equal(process.wait(20), 130, "status")
    equal(len(operations(out)), 1, "operations")
    check(not os.path.exists(out + ".d"), "FILE.d is left")


def on_a_terminal():
    try:
        return pty.fork()
    except OSError as error:
        raise Skip(f"no pseudo terminal here: {error}") from error


@test
def control_c_typed_on_a_terminal_ends_the_command_not_us():
    out = fresh()
    pid, terminal = on_a_terminal()
    if pid == 0:
        os.execve(WANPROF, [WANPROF, "run", "-o", out, "sh", "-c",
                            "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; "
                            "done"], record_here())
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    equal(os.waitstatus_to_exitcode(status), 5, "status")
    check(os.path.getsize(out) > 4096, "no recording")
    os.close(terminal)


@test
def control_z_gives_the_terminal_back_to_the_shell():
    pid, terminal = on_a_terminal()
    if pid == 0:
        os.execve("/bin/bash", ["bash", "--norc", "-i"], record_here(PS1="", TERM="dumb"))

    def until(*words):
        seen = b""
        deadline = time.monotonic() + 20
        while not all(word in seen for word in words):
            check(time.monotonic() < deadline, seen)
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 1000)
        return seen

    try:
        command = "echo rea''dy; sleep 1; echo wo''ke; exit 6"
        os.write(terminal, f"{WANPROF} run -q -o {fresh()} sh -c \"{command}\"\n".encode())
        until(b"ready\r\n")
        os.write(terminal, b"\x1a")
        until(b"Stopped")
        os.write(terminal, b"echo she''ll\n")
        until(b"shell\r\n")
        os.write(terminal, b"fg; echo sta''tus $?\n")
        until(b"woke\r\n", b"status 6")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


@test
def a_termination_sent_to_us_alone_is_handed_on():
    out = fresh()
    command = ["sh", "-c", "trap 'exit 33' TERM; echo ready; while :; do sleep 0.05; done"]
    process = start(command, out)
    process.stdout.readline()
    os.kill(process.pid, signal.SIGTERM)
    equal(process.wait(20), 33, "status")
    check(os.path.getsize(out) > 4096, "no recording")


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


@test
def when_the_command_stops_so_do_we_and_both_go_on():
    process = start(["sh", "-c", "echo $$; sleep 0.3; echo on; exit 4"], fresh())
    child = int(process.stdout.readline())
    os.kill(child, signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid) == "T", "wanprof to stop")
    os.kill(process.pid, signal.SIGCONT)
    equal(process.wait(20), 4, "status")


@test
def killing_wanprof_leaves_a_readable_folder():
    need("djpeg")
    out = fresh()
    process = start(["sh", "-c", f"djpeg '{IMAGE}' >/dev/null; echo ready; exec sleep 60"], out)
    process.stdout.readline()
    process.kill()
    equal(process.wait(20), -signal.SIGKILL, "status")
    try:
        equal(len(operations(out + ".d")), 1, "operations")
        # The name is taken until somebody has looked at what is there.
        done = record(["true"], out)
        equal(done.returncode, 125, "status of a second run")
        check(b".d" in done.stderr, done.stderr)
        equal(record(["true"], out, "--force").returncode, 0, "status with --force")
    finally:
        os.killpg(process.pid, signal.SIGKILL)


@test
def a_place_that_cannot_be_written_is_said_before_the_command_runs():
    folder = fresh()
    os.mkdir(folder)
    marker = os.path.join(folder, "ran")
    for place in "/no/such/folder/a.wprof", folder, folder + "/no/", "/proc/a.wprof", "/dev/full", "", "-", "x" * 5000:
        done = record(["touch", marker], place)
        equal(done.returncode, 125, place)
        equal(done.stderr.count(b"\n"), 1, done.stderr)
        check(not os.path.exists(marker), f"{place!r}: the command ran")


@test
def a_folder_of_somebody_else_is_refused():
    if os.getuid() != 0:
        raise Skip("only root can become somebody else")
    folder = fresh()
    os.mkdir(folder, 0o755)
    need_reach(65534)
    done = record(["true"], folder + "/a.wprof", user=65534)
    equal(done.returncode, 125, done.stderr)
    check(b"Permission denied" in done.stderr, done.stderr)


@test
def an_existing_file_stays_unless_forced():
    out = fresh()
    with open(out, "wb") as file:
        file.write(b"precious")
    done = record(["true"], out)
    equal(done.returncode, 125, done.stderr)
    check(b"--force" in done.stderr, done.stderr)
    with open(out, "rb") as file:
        equal(file.read(), b"precious", "content")
    equal(record(["true"], out, "--force").returncode, 0, "with --force")
    check(listed(out, "process"), "no recording")


@test
def names_with_blanks_colons_and_dollars_work_everywhere():
    need("djpeg")
    folder = fresh() + " a:b $HOME\n"
    os.mkdir(folder)
    library = os.path.join(folder, "libwanrt-preload.so")
    image = os.path.join(folder, "an image.jpg")
    out = os.path.join(folder, "a recording: one")
    for source, target in (PRELOAD, library), (IMAGE, image):
        with open(source, "rb") as from_file, open(target, "wb") as to_file:
            to_file.write(from_file.read())
    done = record(["djpeg", image], out, env=record_here(WANPROF_PRELOAD=library))
    equal(done.returncode, 0, done.stderr)
    equal([o["name"] for o in operations(out)], ["jpeg.decode"], done.stderr)


@test
def nested_runs_record_each_its_own():
    need("djpeg")
    outer, inner = fresh(), fresh()
    done = record([WANPROF, "run", "-q", "-o", inner, "djpeg", IMAGE], outer)
    equal(done.returncode, 0, done.stderr)
    equal(len(operations(inner)), 1, "operations of the inner run")
    equal(len(operations(outer)), 0, "operations of the outer run")


@test
def an_existing_preload_list_is_kept_behind_ours():
    command = ["sh", "-c", "echo $LD_PRELOAD"]
    libc = next(line.split()[-1] for line in open("/proc/self/maps", encoding="utf-8")
                if "/libc.so.6" in line or "/libc-2" in line)
    done = record(command, fresh(), "-q", env=record_here(LD_PRELOAD=libc))
    parts = done.stdout.decode().strip().split(":")
    check(parts[-1].endswith("libwanrt-preload.so") and parts[-2] == libc, parts)
    off = record(command, fresh(), "-q", "--alloc=off").stdout.decode()
    check("jemalloc" not in off and off.strip().endswith("libwanrt-preload.so"), off)


@test
def memory_of_operations_comes_from_whom_the_option_names():
    need("djpeg")
    for mode, name, known in (("auto", "(counted)", True), ("count", "(counted)", True),
                              ("jemalloc", "jemalloc", True), ("off", "glibc", False)):
        path = fresh()
        done = record(["djpeg", "-outfile", os.devnull, IMAGE], path, f"--alloc={mode}")
        equal(done.returncode, 0, mode)
        if mode == "jemalloc" and b"was not found" in done.stderr:
            continue
        profile = dumped(path)
        allocator = profile["environment"]["allocator"]
        check(name in allocator["name"], allocator)
        equal(allocator["self_test_passed"], known, mode)
        memory = [m["peak_memory_mb"] for m in profile["metrics"]]
        equal([m is not None and m > 0.02 for m in memory], [known], f"{mode}: {memory}")


@test
def children_are_followed_unless_told_otherwise():
    need("djpeg")
    command = ["sh", "-c", f"djpeg '{IMAGE}' >/dev/null; djpeg '{IMAGE}' > /dev/null; exit 3"]
    out = fresh()
    equal(record(command, out).returncode, 3, "status")
    equal(len(operations(out)), 2, "operations")
    out = fresh()
    equal(record(command, out, "--no-follow").returncode, 3, "status")
    equal(len(operations(out)), 0, "operations with --no-follow")
    out = fresh()
    equal(record(["djpeg", "-outfile", "/dev/null", IMAGE], out, "--no-follow").returncode, 0, "")
    equal(len(operations(out)), 1, "operations of the command itself")


@test
def children_that_are_not_followed_write_nothing_anywhere():
    """Nor does a child that outlives the run, and neither does a run inside fare worse for it."""
    need("djpeg")
    folder, out = fresh(), fresh()
    os.mkdir(folder)
    late = f"(sleep 0.3; djpeg -outfile /dev/null '{IMAGE}'; ls -d '{out}.d'; echo $?) > '{folder}/late' 2>&1"
    inner = fresh()
    command = ["sh", "-c", f"djpeg -outfile /dev/null '{IMAGE}'; ls '{out}.d' > '{folder}/during'; "
               f"'{WANPROF}' run -q -o '{inner}' djpeg -outfile /dev/null '{IMAGE}'; "
               f"{late} & exec djpeg -outfile /dev/null '{IMAGE}'"]
    equal(record(command, out, "--no-follow").returncode, 0, "status")
    equal(len(operations(out)), 1, "of the command, after it became djpeg")
    equal(len(operations(inner)), 1, "of the run inside")
    with open(os.path.join(folder, "during"), encoding="utf-8") as file:
        names = file.read().split()
    check(all(name.startswith("wanprof-") for name in names), names)
    wait_for(lambda: os.path.getsize(os.path.join(folder, "late")) > 0, "the late child")
    time.sleep(0.1)
    with open(os.path.join(folder, "late"), encoding="utf-8") as file:
        check("No such file" in file.read(), "the folder came back")


@test
def the_default_place_is_the_state_folder():
    state = fresh()
    done = subprocess.run([WANPROF, "run", "--job", "a job", "--estimate", "1.5min", "true"],
                          env=record_here(XDG_STATE_HOME=state), stderr=subprocess.PIPE)
    equal(done.returncode, 0, done.stderr)
    names = [name for name in os.listdir(os.path.join(state, "wanrt")) if name != "history"]
    check(len(names) == 1 and names[0].startswith("true-") and names[0].endswith(".wprof"), names)
    equal(stat.S_IMODE(os.stat(os.path.join(state, "wanrt")).st_mode), 0o700, "mode")


@test
def without_any_default_place_the_command_runs_unrecorded():
    environment = record_here()
    for name in "HOME", "XDG_STATE_HOME":
        environment.pop(name, None)
    done = subprocess.run([WANPROF, "run", "sh", "-c", "exit 8"], env=environment,
                          stderr=subprocess.PIPE)
    equal(done.returncode, 8, done.stderr)
    check(b"unrecorded" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr)


@test
def a_process_that_stays_behind_goes_on_recording_in_the_folder():
    need("tjbench")
    out = fresh()
    # Many short decodes, each an operation, for longer than the command lasts.
    command = (f"tjbench '{IMAGE}' -nowrite -benchtime 1 -warmup 0 >/dev/null 2>&1 & echo $!;"
               "sleep 0.5")
    done = record(["sh", "-c", command], out)
    check(os.path.isdir(out + ".d") and b"still" in done.stderr, done.stderr)
    os.kill(int(done.stdout), signal.SIGKILL)
    check(operations(out) and operations(out + ".d"), "no operations")


@test
def the_run_is_sampled_from_outside():
    out = fresh()
    began = time.monotonic()
    equal(record(["sleep", "0.8"], out).returncode, 0, "status")
    samples, most = dumped(out)["samples"], (time.monotonic() - began) / 0.25 + 2
    check(2 <= len(samples) <= most, f"{len(samples)} samples")
    check(all(0.1 < sample["rss_mb"] < 100 for sample in samples), samples)


@test
def a_running_command_is_found_by_its_process_wherever_it_records():
    need("djpeg")
    state, out = fresh(), fresh()
    process = start(["sh", "-c", f"djpeg '{IMAGE}' >/dev/null; echo ready; exec sleep 60"], out,
                    env=record_here(XDG_STATE_HOME=state))
    process.stdout.readline()
    try:
        done = subprocess.run([WANPROF, "dump", "-p", str(process.pid)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=record_here(XDG_STATE_HOME=state))
        equal(done.returncode, 0, done.stderr)
        profile = json.loads(done.stdout)
        equal((profile["run"]["state"], profile["summary"]["total_operations"]), ("running", 1))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)
    equal(os.listdir(state + "/wanrt"), [], "what is left in the default folder")


@test
def wanprof_itself_takes_no_cpu_while_it_waits():
    before = os.times()
    equal(record(["sleep", "1.5"], fresh()).returncode, 0, "status")
    after = os.times()
    spent = (after.children_user + after.children_system - before.children_user
             - before.children_system)
    check(spent < 0.3, f"{spent:.2f} s of CPU for 1.5 s of sleep")


main(sys.argv[5:])
