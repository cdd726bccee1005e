#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a user of the installed library sees: headers, pkg-config, examples in C and C++.

Arguments: meson's build folder, the source folder.
"""
import os
import shutil
import subprocess
import sys
import tempfile

EXAMPLES = ["batch", "cache", "load", "memory", "profile", "progress", "recording"]
count = 0
failed = 0


def result(passed, name, detail=""):
    global count, failed
    count += 1
    failed += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    for line in ("" if passed else detail).splitlines()[:20]:
        print("# " + line)


def skip(name, reason):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {reason}")


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, **more)


def find(root, name):
    for folder, _, files in os.walk(root):
        if name in files:
            return folder
    return None


def build_and_run(source, name, compiler, pc, prefix, work, picture):
    flags = run(["pkg-config", "--cflags", "--libs", "wanrt-jemalloc"], env=pc)
    if flags.returncode:
        return False, flags.stdout
    program = os.path.join(work, name + "-" + compiler)
    made = run([compiler] + (["-x", "c++"] if compiler == "g++" else ["-std=c11"]) +
               ["-Wall", "-Wextra", "-Werror", os.path.join(source, "tests/examples", name + ".c"),
                "-x", "none", "-o", program] + flags.stdout.split())
    if made.returncode:
        return False, made.stdout
    environment = dict(os.environ, LD_LIBRARY_PATH=prefix, WAN_RECORD_PATH="off")
    ran = run([program, picture], env=environment)
    return ran.returncode == 0, ran.stdout


def main(build, source):
    work = tempfile.mkdtemp(prefix="wan-install-")
    try:
        root = os.path.join(work, "root")
        installed = run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", root])
        result(installed.returncode == 0, "meson install succeeds", installed.stdout)
        libraries = find(root, "libwanrt.so.0") or root
        pc_folder = find(root, "wanrt.pc")
        result(pc_folder is not None and find(root, "wanrt-jemalloc.pc") == pc_folder,
               "both pkg-config files are installed together")
        for name in ["libwanrt-preload.so", "wanprof", "wan-startend", "wan.h", "wanprof.1"]:
            result(find(root, name) is not None or find(root, name + ".gz") is not None,
                   f"{name} is installed")
        pc = dict(os.environ, PKG_CONFIG_PATH=pc_folder or "", PKG_CONFIG_SYSROOT_DIR=root)
        picture = os.path.join(source, "tests/golden/pattern.png")
        for compiler in ["gcc", "g++"]:
            for name in EXAMPLES:
                title = f"example {name} builds and runs with {compiler} against the prefix"
                if not shutil.which(compiler):
                    skip(title, f"no {compiler} on this machine")
                    continue
                result(*((lambda r: (r[0], title, r[1]))(
                    build_and_run(source, name, compiler, pc, libraries, work, picture))))
    finally:
        shutil.rmtree(work)
    print(f"1..{count}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
