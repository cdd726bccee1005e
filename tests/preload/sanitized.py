# SPDX-License-Identifier: MIT
"""Programs built with a sanitizer: its runtime starts inside our hooks, is asked for memory by them,
and may be the program's child where nobody looked at it before. It runs as it would without us."""
import subprocess

from recorded import (CHOSEN, PRELOAD, Skip, environment, equal, folder, fresh, main, os,
                      run_once, shutil, test)

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


def built():
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


def run(program, **extra):
    command = [program]
    if shutil.which("setarch"):
        command = ["setarch", os.uname().machine, "-R", program]
    return run_once(command, environment(WAN_RECORD_PATH="off", **extra), fresh("sanitized"))


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


if __name__ == "__main__":
    main(CHOSEN)
