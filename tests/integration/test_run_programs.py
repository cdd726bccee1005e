# SPDX-License-Identifier: MIT
"""wanprof run on commands that cannot be recorded, on broken installations, full disks and Python.

Arguments: wanprof, libwanrt-preload.so, list_operations, an image (JPEG), [TEST NAME PART...]
"""
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run_support import (IMAGE, PRELOAD, PYTHON, WANPROF, bare, fresh, need, need_reach, operations,
                         record, record_here)
from tap import Skip, check, equal, main, test

SOURCE = '#include <stdio.h>\nint main(void) { puts("hello"); return 6; }\n'


def compiled(*options):
    need("gcc")
    program = fresh()
    done = subprocess.run(["gcc", "-x", "c", "-", "-o", program, *options], input=SOURCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Skip(f"gcc cannot build with {' '.join(options)} here")
    return program


def runs_unrecorded(command, because, status=6, **more):
    """Its own output and status, one sentence, no file; with -q not even the sentence."""
    expected = bare(command, **more)
    out = fresh()
    done = record(command, out, **more)
    equal(done.returncode, status, done.stderr)
    equal(done.stdout, expected.stdout, "stdout")
    sentence = done.stderr.replace(expected.stderr, b"")
    check(because in sentence and b"unrecorded" in sentence, done.stderr)
    equal(sentence.count(b"\n"), 1, "lines")
    check(not os.path.exists(out) and not os.path.exists(out + ".d"), "a file is left")
    quiet = record(command, fresh(), "-q", **more)
    equal(quiet.returncode, status, "status with -q")
    equal(quiet.stderr, expected.stderr, "stderr with -q")


@test
def a_static_program_runs_unrecorded():
    runs_unrecorded([compiled("-static")], b"statically")


@test
def a_static_position_independent_program_runs_unrecorded():
    runs_unrecorded([compiled("-static-pie")], b"statically")


@test
def a_32_bit_program_runs_unrecorded():
    if os.uname().machine != "x86_64":
        raise Skip("an x86 program")
    # The smallest one: _exit(6) by int 0x80.
    code = bytes.fromhex("b801000000 bb06000000 cd80")
    start, size = 0x08048000, 84 + len(code)
    header = b"\x7fELF\1\1\1" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 3, 1, start + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, start, start, size, size, 5, 0x1000)
    program = fresh()
    with open(program, "wb") as file:
        file.write(header + segment + code)
    os.chmod(program, 0o755)
    if bare([program]).returncode != 6:
        raise Skip("this kernel runs no 32-bit programs")
    runs_unrecorded([program], b"32-bit")


@test
def a_program_with_address_sanitizer_runs_unrecorded():
    runs_unrecorded([compiled("-fsanitize=address")], b"AddressSanitizer")


def built_by_clang(*options):
    clang = next((c for c in ("clang", "clang-14", "clang-15", "clang-16") if shutil.which(c)), None)
    if not clang:
        raise Skip("clang is not installed")
    program = fresh()
    done = subprocess.run([clang, "-x", "c", "-", "-o", program, *options], input=SOURCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Skip(f"{clang} cannot build with {' '.join(options)} here")
    return program


@test
def a_program_with_memory_sanitizer_runs_unrecorded():
    runs_unrecorded([built_by_clang("-fsanitize=memory")], b"MemorySanitizer")


@test
def a_program_with_another_sanitizer_runs_with_our_hooks_alone():
    tried = 0
    for build in compiled, built_by_clang:
        for sanitizer in "thread", "leak", "undefined", "address":
            if (build, sanitizer) == (compiled, "address"):
                continue  # refuses
            try:
                program = build("-fsanitize=" + sanitizer)
            except Skip:
                continue
            expected = bare([program])
            if expected.returncode != 6:
                continue  # thread sanitizers do not like every kernel
            done = record([program], fresh())
            equal((done.returncode, done.stdout), (6, expected.stdout), sanitizer)
            check(sanitizer == "undefined" or b"without the audit companion" in done.stderr,
                  done.stderr)
            tried += 1
    if not tried:
        raise Skip("no sanitizer can be built with")


@test
def a_set_uid_program_runs_unrecorded():
    if os.getuid() != 0:
        raise Skip("only root can give a program to somebody else")
    program = compiled()
    os.chown(program, 65534, 65534)
    os.chmod(program, 0o4755)
    runs_unrecorded([program], b"set-uid")


@test
def a_set_gid_program_runs_unrecorded():
    if os.getuid() != 0:
        raise Skip("only root can give a program to somebody else")
    program = compiled()
    os.chown(program, 0, 65534)
    os.chmod(program, 0o2755)
    runs_unrecorded([program], b"set-gid")


@test
def a_set_uid_program_of_the_user_itself_is_recorded():
    need("djpeg")
    program = fresh()
    shutil.copy(shutil.which("djpeg"), program)
    os.chmod(program, 0o4755)
    out = fresh()
    equal(record([program, IMAGE], out).returncode, 0, "status")
    equal(len(operations(out)), 1, "operations")


@test
def a_script_of_a_static_interpreter_runs_unrecorded():
    script = fresh()
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!{compiled('-static')}\n")
    os.chmod(script, 0o755)
    runs_unrecorded([script], b"statically")


@test
def a_program_that_may_not_be_read_runs_unrecorded():
    if os.getuid() != 0:
        raise Skip("only root can become somebody else")
    program = compiled()
    os.chmod(program, 0o711)
    need_reach(65534)
    runs_unrecorded([program], b"not read", user=65534)


def broken_library(path, because):
    environment = record_here(WANPROF_PRELOAD=path)
    out = fresh()
    done = record(["sh", "-c", "echo fine; exit 6"], out, env=environment)
    equal(done.returncode, 6, done.stderr)
    equal(done.stdout, b"fine\n", "stdout")
    check(because in done.stderr and done.stderr.count(b"\n") == 1, done.stderr)
    check(not os.path.exists(out) and not os.path.exists(out + ".d"), "a file is left")


@test
def without_our_library_the_command_runs_unrecorded():
    broken_library("/no/such/libwanrt-preload.so", b"not found")


@test
def with_a_broken_library_the_command_runs_unrecorded():
    path = fresh()
    os.mkdir(path)
    path += "/libwanrt-preload.so"
    with open(path, "wb") as file:
        file.write(b"\x7fELF this is no library")
    broken_library(path, b"trial")


@test
def with_a_library_that_kills_its_host_the_command_runs_unrecorded():
    need("gcc")
    path = fresh()
    os.mkdir(path)
    path += "/libwanrt-preload.so"
    source = "#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { abort(); }\n"
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=source, text=True,
                   check=True)
    broken_library(path, b"trial")


class SmallDisk:
    """A tmpfs of some size."""

    def __init__(self, size):
        self.path = fresh()
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.path],
                              stderr=subprocess.PIPE)
        if done.returncode:
            raise Skip("mounting is not permitted")

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=False)


@test
def a_disk_that_is_full_from_the_start_is_said():
    with SmallDisk("64k") as disk:
        with open(disk + "/ran", "wb"):
            pass
        done = record(["rm", disk + "/ran"], disk + "/a.wprof")
        equal(done.returncode, 125, done.stderr)
        check(b"No space left" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr)
        equal(os.listdir(disk), ["ran"], "files")


@test
def a_disk_that_fills_up_costs_the_file_not_the_recordings():
    need("djpeg", "dd")
    with SmallDisk("3m") as disk:
        out = disk + "/a.wprof"
        command = f"djpeg '{IMAGE}' >/dev/null; dd if=/dev/zero of={disk}/fill 2>/dev/null; exit 3"
        done = record(["sh", "-c", command], out)
        equal(done.returncode, 3, done.stderr)
        check(b"No space left" in done.stderr and (out + ".d").encode() in done.stderr, done.stderr)
        equal(sorted(os.listdir(disk)), ["a.wprof.d", "fill"], "files")
        equal(len(operations(out + ".d")), 1, "operations")


def pillow():
    done = bare([PYTHON, "-c", "import PIL"]) if os.path.exists(PYTHON) else None
    if not done or done.returncode:
        raise Skip("Pillow is not installed")
    return ["-c", "import sys; from PIL import Image; print(Image.open(sys.argv[1]).convert('RGB')"
            ".tobytes()[:3000].hex())", IMAGE]


def decodes_once(command, **more):
    expected = bare(command, **more)
    equal(expected.returncode, 0, expected.stderr)
    out = fresh()
    done = record(command, out, **more)
    equal((done.returncode, done.stdout), (0, expected.stdout), done.stderr)
    equal([o["name"] for o in operations(out)], ["jpeg.decode"], "operations")


@test
def python_is_recorded():
    decodes_once([PYTHON, *pillow()])


@test
def python_behind_env_is_recorded():
    decodes_once(["env", "A=b", PYTHON, *pillow()])


@test
def python_behind_a_shell_shim_is_recorded():
    arguments = pillow()
    folder = fresh()
    os.mkdir(folder)
    shim = folder + "/python3"
    with open(shim, "w", encoding="utf-8") as file:
        file.write(f'#!/usr/bin/env bash\nset -e\nls / >/dev/null\nexec "{PYTHON}" "$@"\n')
    os.chmod(shim, 0o755)
    decodes_once([shim, *arguments])


@test
def a_python_script_with_an_env_line_is_recorded():
    arguments = pillow()
    script = fresh()
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/usr/bin/env {PYTHON}\n{arguments[1]}\n")
    os.chmod(script, 0o755)
    decodes_once([script, *arguments[2:]])


@test
def python_of_a_virtual_environment_is_recorded():
    arguments = pillow()
    folder = fresh()
    done = subprocess.run([PYTHON, "-m", "venv", "--system-site-packages", "--without-pip", folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Skip("venv is not installed")
    decodes_once([folder + "/bin/python3", *arguments])


@test
def the_link_folder_of_somebody_else_is_not_trusted():
    if os.getuid() != 0:
        raise Skip("only root can make a folder for somebody else")
    need("djpeg")
    runtime = fresh()
    os.mkdir(runtime)
    os.mkdir(f"{runtime}/wanprof-0")
    os.chown(f"{runtime}/wanprof-0", 65534, 65534)
    library = fresh() + " with blank"
    os.mkdir(library)
    shutil.copy(PRELOAD, library)
    out = fresh()
    environment = record_here(XDG_RUNTIME_DIR=runtime,
                              WANPROF_PRELOAD=f"{library}/{os.path.basename(PRELOAD)}")
    done = record(["djpeg", "-outfile", "/dev/null", IMAGE], out, env=environment)
    equal(done.returncode, 0, done.stderr)
    check(b"unrecorded" in done.stderr, done.stderr)


main(sys.argv[5:])
