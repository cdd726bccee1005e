# SPDX-License-Identifier: MIT
"""Programs built with a sanitizer: its runtime starts inside our hooks, is asked for memory by them,
and may be the program's child where nobody looked at it before. It runs as it would without us."""
import functools
import subprocess

from recorded import (CHOSEN, GUESTS, HEIGHT, JPEG, PRELOAD, WIDTH, Recorded, Skip, audited, check,
                      environment, equal, expect, folder, fresh, guest, main, os, preloaded,
                      read_recordings, run_once, shutil, test)

COUNT = os.path.join(os.path.dirname(PRELOAD), "libwanrt-count.so")
SANITIZERS = "address", "undefined", "thread", "leak"
SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
__attribute__((constructor)) static void early(void) { free(realloc(strdup("early"), 1000)); }
int main(int argc, char **argv)
{
	void *blocks[] = {malloc(10), calloc(3, 7), realloc(NULL, 20), memalign(64, 30),
			  aligned_alloc(32, 64), valloc(50)};
	int sizes = 0;
	for (unsigned i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		sizes += malloc_usable_size(blocks[i]) > 0;
		free(blocks[i]);
	}
	printf("%d %d %d\n", sizes, dlsym(RTLD_NEXT, "no_such_name") != NULL,
	       dlsym(RTLD_DEFAULT, "malloc") != NULL);
	return argc;
}
"""


@functools.lru_cache(maxsize=None)
def built():
    return list(build_all())


def build_all():
    """(name, path, its runtime when that is a library) of all that can be built and run here."""
    source = os.path.join(folder, "sanitized.c")
    with open(source, "w") as file:
        file.write(SOURCE)
    for compiler in "gcc", "clang" if shutil.which("clang") else "clang-14":
        for sanitizer in SANITIZERS:
            program = os.path.join(folder, f"{compiler}-{sanitizer}")
            if not shutil.which(compiler) or subprocess.run(
                    [compiler, "-g", "-fsanitize=" + sanitizer, "-o", program, source, "-ldl"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
                continue
            runtime = None
            if (compiler, sanitizer) == ("gcc", "address"):
                runtime = subprocess.run([compiler, "-print-file-name=libasan.so"], check=True,
                                         stdout=subprocess.PIPE, text=True).stdout.strip()
                runtime = os.path.realpath(runtime)
            yield program, runtime


def run(*command, **extra):
    if shutil.which("setarch"):
        command = ["setarch", os.uname().machine, "-R", *command]
    return run_once(command, environment(WAN_RECORD_PATH="off", **extra), fresh("sanitized"))


def running():
    """Those that run on this kernel."""
    found = [program for program, _ in built() if run(program).status == 1]
    if not found:
        raise Skip("no sanitizer can be built with and run here")
    return found


def around(*libraries):
    """What wanprof run puts around a command."""
    return {"LD_PRELOAD": ":".join([COUNT, *libraries, PRELOAD]), **audited()}


def ways_to_start(program):
    yield "sh", ["sh", "-c", f"{program}; echo $?"]
    yield "exec", ["sh", "-c", f"exec {program}"]
    yield "env", ["env", program]
    if shutil.which("make"):
        makefile = program + ".mk"
        with open(makefile, "w") as file:
            file.write(f"all:\n\t@{program}\n\t@echo not reached\n")
        yield "make", ["make", "-f", makefile]
    call = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], close_fds=%s))"
    for close in True, False:  # by fork and exec, by posix_spawn
        yield f"python {close}", ["/usr/bin/python3", "-c", call % close, program]


@test
def a_sanitizer_starts_inside_our_hooks():
    tried = 0
    for program, runtime in built():
        bare = run(program)
        if bare.status != 1:
            continue  # does not run on this kernel
        tried += 1
        for libraries in [PRELOAD], [COUNT], [COUNT, PRELOAD], [PRELOAD, COUNT]:
            # That one has to be first: the person who runs it puts it there.
            before = [runtime] if runtime else []
            equal(run(program, LD_PRELOAD=":".join(before + libraries)), bare,
                  os.path.basename(program) + " with " + " ".join(libraries))
    if not tried:
        raise Skip("no sanitizer can be built with and run here")


@test
def child_with_a_sanitizer_runs_as_without_us():
    for program in running():
        for name, command in ways_to_start(program):
            equal(run(*command, **around()), run(*command),
                  os.path.basename(program) + " by " + name)


@test
def every_function_that_starts_programs_looks():
    for program in running():
        command = [guest("guest_exec"), program]
        bare = run(*command)
        check(bare.stdout.count(b": 2\n") + bare.stdout.count(b": 3\n") > 10, bare.stdout)
        equal(run(*command, **around()), bare, os.path.basename(program))


@test
def ordinary_child_keeps_its_environment():
    script = os.path.join(fresh("script"), "tell")
    with open(script, "w") as file:
        file.write("#!/bin/sh\necho \"$LD_PRELOAD $LD_AUDIT $#\"\n")
    os.chmod(script, 0o755)
    for more in {}, {f"WITH_{i}": "x" * (i % 50) for i in range(2000)}:
        done = run(guest("guest_exec"), script, **around(), **more)
        told = f"{around()['LD_PRELOAD']} {audited()['LD_AUDIT']} ".encode()
        lines = [line for line in done.stdout.splitlines() if line.startswith(told)]
        equal(len(lines), done.stdout.count(b": 0\n"), done.stdout)
        equal(len(lines), 10, done.stdout)  # a script needs a path, not a descriptor that closes
        bare = run(guest("guest_exec"), script, **more)
        equal(done.stdout.replace(told, b"  "), bare.stdout, "statuses")


@test
def libraries_of_others_stay_with_the_child():
    place = fresh("other")
    other, program = os.path.join(place, "other.so"), os.path.join(place, "program")
    source = ("#include <stdio.h>\n#include <stdlib.h>\nint main(void) { char *a = "
              "getenv(\"LD_AUDIT\"); printf(\"%s %s\\n\", getenv(\"LD_PRELOAD\"), a ? a : \"-\"); }")
    for sanitizer, stays in ("address", [other]), ("thread", [other, PRELOAD]):
        for text, *how in ("int other;", "-shared", "-fPIC", "-o", other), \
                          (source, "-fsanitize=" + sanitizer, "-o", program):
            if not shutil.which("gcc") or subprocess.run(
                    ["gcc", *how, "-x", "c", "-"], input=text, text=True,
                    stderr=subprocess.DEVNULL).returncode:
                raise Skip("gcc cannot build it here")
        # Whoever preloads before this runtime has told it so.
        options = {"ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        if run(program, **options).status:
            continue  # does not run on this kernel
        done = run("sh", "-c", program + "; exit $?", **around(other), **options)
        equal((done.status, done.stdout.decode()), (0, ":".join(stays) + " -\n"), done.stderr)


@test
def sibling_is_recorded_as_ever():
    """The companion is what sees a library opened with RTLD_DEEPBIND."""
    user = "deep:" + os.path.join(GUESTS, "libcodec_user.so")
    for program in [program for program in running() if program.endswith("thread")]:
        place = fresh("sibling-rec")
        os.chmod(place, 0o700)
        command = ["sh", "-c", f"{program}; {guest('guest_open')} {JPEG} {user}"]
        if shutil.which("setarch"):
            command = ["setarch", os.uname().machine, "-R", *command]
        done = run_once(command, {**preloaded(place), **around()}, fresh("sibling"))
        expect(Recorded(read_recordings(place), done),
               ("jpeg.decode", "libjpeg", WIDTH, HEIGHT, "ok"))


if __name__ == "__main__":
    main(CHOSEN)
