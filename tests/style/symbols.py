# SPDX-License-Identifier: MIT
"""What the shared libraries export and need. Arguments: libwanrt.so and libwanrt-preload.so."""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sources import files, read
from tap import Skip, check, equal, main, test

RUNTIME, PRELOAD = sys.argv[1:3]
PYTHON = "/usr/bin/python3"
NEEDED = {"libjpeg", "libpng16", "liblz4", "libc", "libm"}
LOADER = "ld-linux"


def output(*command, **more):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, **more).stdout


def is_sanitized():
    return any(name.startswith(("libasan", "libtsan", "libubsan")) for name in needed(RUNTIME))


def needed(library):
    dynamic = output("readelf", "-dW", library)
    return re.findall(r"\(NEEDED\).*\[(.*?)\]", dynamic)


def exported(library):
    symbols = set()
    for line in output("nm", "-D", "--defined-only", library).splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":
            symbols.add(name.split("@")[0])
    return symbols


def declared():
    names = set()
    for header in files(r"^include/wan/.*\.h$"):
        names |= set(re.findall(r"^WAN_API\b[^;{]*?\b(wan_\w+)\s*\(", read(header), re.M))
    return names


@test
def libwanrt_exports_exactly_what_the_headers_declare():
    actual, expected = exported(RUNTIME), declared()
    check(actual == expected, f"not declared: {sorted(actual - expected)}\n"
                              f"not exported: {sorted(expected - actual)}")


@test
def libwanrt_exports_only_names_of_its_own():
    check(all(name.startswith("wan_") for name in exported(RUNTIME)), exported(RUNTIME))


@test
def symbols_of_libwanrt_are_versioned():
    names = output("nm", "-D", "--defined-only", RUNTIME)
    check(re.search(r"wan_version@@WANRT_0", names), names[:400])


@test
def libwanrt_has_a_soname():
    check("[libwanrt.so.0]" in output("readelf", "-dW", RUNTIME))


@test
def libwanrt_needs_the_agreed_libraries_only():
    if is_sanitized():
        raise Skip("a sanitizer build needs its runtime too")
    stems = {name.split(".so")[0] for name in needed(RUNTIME)
             if not name.startswith(LOADER)}
    check(stems == NEEDED, f"needed: {sorted(stems)}")


@test
def the_preload_library_needs_libc_only():
    if is_sanitized():
        raise Skip("a sanitizer build needs its runtime too")
    equal([n for n in needed(PRELOAD) if not n.startswith(LOADER)], ["libc.so.6"], "needed")


@test
def the_preload_library_exports_hooks_and_the_anchor_only():
    table = "".join(read(path) for path in files(r"^profiler/preload/.*symbols\.def$"))
    hooked = set(re.findall(r"^\s*WAN_\w+\((?:\w+,\s*)*?((?:jpeg|png|tj|cuda|avcodec|wan)\w+)", table,
                            re.M))
    lines = set(re.findall(r"^CUDA_\w+\((\w+)", read("profiler/preload/cuda.def"), re.M))
    hooked |= lines | {name + variant for name in lines for variant in ("_ptsz", "_ptds")}
    foreign = {name for name in exported(PRELOAD)
               if name not in hooked and name not in ("wan_record_share", "wan_audit_link", "wan_thunks", "dlsym", "fflush", "write", "writev",
                                                "execl", "execle", "execlp", "execv", "execve", "execveat",
                                                "execvp", "execvpe", "fexecve", "posix_spawn", "posix_spawnp",
                                                "InitializeInjectionNvtx2")}
    check(hooked, "no symbol recognised in symbols.def")
    check(not foreign, f"not in symbols.def: {sorted(foreign)}")


@test
def audited_hooks_are_found_by_version_only():
    """A program that looks whether TurboJPEG or CUDA is there must not find our functions."""
    table = read("profiler/preload/symbols.def")
    audited = set(re.findall(r"^WAN_AUDIT\((\w+),", table, re.M))
    check(len(audited) > 30, audited)
    plain = {line.split()[-1] for line in output("nm", "-D", "--defined-only",
                                                 PRELOAD).splitlines()}
    check(not audited & plain, audited & plain)
    check(not any(re.fullmatch("cu(da)?[A-Z]\\w+", name) for name in plain), plain)
    check(any(name.startswith("tj3Decompress8@TURBOJPEG_3") for name in plain), plain)
    check("cudaLaunchKernel@libcudart.so.12" in plain, plain)


def load_in_python(**more):
    code = ("import ctypes, sys; lib = ctypes.CDLL(sys.argv[1]);"
            "lib.wan_version.restype = ctypes.c_char_p; print(lib.wan_version().decode())")
    if not os.path.exists(PYTHON):
        raise Skip(f"{PYTHON} is not installed")
    if is_sanitized():
        raise Skip("a sanitizer runtime must come first in a process")
    answer = subprocess.run([PYTHON, "-c", code, RUNTIME], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **more)
    check(answer.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+\n", answer.stdout),
          answer.stdout)


@test
def python_loads_libwanrt():
    load_in_python()


@test
def python_loads_libwanrt_with_jemalloc_preloaded():
    found = glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib*/libjemalloc.so.2")
    if not found:
        raise Skip("libjemalloc.so.2 is not installed")
    load_in_python(env=dict(os.environ, LD_PRELOAD=found[0]))


@test
def thread_local_storage_fits_what_the_loader_keeps_for_late_comers():
    """glibc reserves 512 bytes of static TLS for libraries loaded by dlopen(); others want some."""
    for library in RUNTIME, PRELOAD:
        for line in output("readelf", "-lW", library).splitlines():
            if line.split()[:1] == ["TLS"]:
                size = int(line.split()[5], 16)
                check(size <= 256, f"{library}: {size} bytes")


main(sys.argv[3:])
