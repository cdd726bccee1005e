# SPDX-License-Identifier: MIT
"""How programs are started, and when nothing may be recorded."""
import stat

from recorded import (CHOSEN, GUESTS, HEIGHT, JPEG, PRELOAD, WIDTH, Recorded, Skip, check,
                      environment, equal, expect, folder, fresh, guest, main, need, os, preloaded,
                      read_recordings, record, run_once, shutil, subprocess, test)

DECODED = ("jpeg.decode", "libjpeg", WIDTH, HEIGHT, "ok")
PILLOW = ("import sys; from PIL import Image; "
          "print(Image.open(sys.argv[1]).convert('L').getpixel((3, 3)))")


def need_pillow():
    if subprocess.run(["/usr/bin/python3", "-c", "import PIL"],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("/usr/bin/python3 has no PIL")


def script(name, text):
    path = os.path.join(fresh(name), "python3")
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


@test
def shell_shim_that_execs_thirty_programs_leaves_one_recording():
    need_pillow()
    shim = script("shim", "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do\n"
                  "/bin/true; /bin/cat /dev/null\ndone\nexec /usr/bin/python3 \"$@\"\n")
    seen = record([shim, "-c", PILLOW, JPEG], "shim")
    expect(seen, DECODED)
    equal(len(seen.of("process")), 1, "recordings")


@test
def env_finds_python():
    need_pillow()
    seen = record(["/usr/bin/env", "PATH=/usr/bin:/bin", "python3", "-c", PILLOW, JPEG], "env")
    expect(seen, DECODED)


@test
def virtual_environment():
    need_pillow()
    place = os.path.join(fresh("venv"), "v")
    made = subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip",
                           "--system-site-packages", place], stderr=subprocess.PIPE, text=True)
    if made.returncode:
        raise Skip("no venv module: " + made.stderr.strip().splitlines()[-1])
    expect(record([place + "/bin/python3", "-c", PILLOW, JPEG], "venv"), DECODED)


@test
def program_without_images_leaves_nothing():
    seen = record(["/bin/sh", "-c", "ls / | head -3"], "none")
    equal(seen.lines, [], "recordings")


def runs_unrecorded(env, name, program="guest_jpeg"):
    bare = run_once([guest(program), "decode", JPEG], environment(), fresh(name))
    hooked = run_once([guest(program), "decode", JPEG], env, fresh(name))
    check(hooked == bare, hooked.difference(bare))


@test
def switched_off():
    for extra in ({"WAN_PROFILE": "off"}, {"WAN_PROFILE_ENABLED": "0"}):
        place = fresh("off")
        runs_unrecorded(preloaded(place, **extra), "off-run")
        equal(os.listdir(place), [], "recordings")
    runs_unrecorded(environment(LD_PRELOAD=PRELOAD, WAN_RECORD_PATH="off"), "off-run")


@test
def folder_that_cannot_be_written():
    runs_unrecorded(environment(LD_PRELOAD=PRELOAD, WAN_RECORD_PATH="/proc/nowhere/"), "nowhere")
    home = os.path.join(fresh("home"), "none")
    runs_unrecorded(environment(LD_PRELOAD=PRELOAD, HOME=home, XDG_STATE_HOME=""), "no-home")
    check(not os.path.exists(home), "a home that is not there was made")


@test
def nonsense_in_the_environment():
    place = fresh("nonsense")
    runs_unrecorded(preloaded(place, WAN_RECORD_CAPACITY="many", WAN_NO_SUCH_KEY="1",
                              WAN_RECORD_KEEP_FILES="-1"), "nonsense-run")
    expect(Recorded(read_recordings(place), None), DECODED)


def need_root():
    if os.geteuid() != 0:
        raise Skip("not root: no set-uid program can be made")


@test
def set_uid_program_is_left_alone():
    need_root()
    need("djpeg")
    place = fresh("setuid")
    os.chmod(folder, 0o755)
    os.chmod(place, 0o777)
    copy = os.path.join(place, "djpeg")
    shutil.copy(shutil.which("djpeg"), copy)
    os.chmod(copy, 0o4755)
    if os.statvfs(copy).f_flag & os.ST_NOSUID:
        raise Skip("the temporary folder is mounted nosuid")
    check(os.stat(copy).st_mode & stat.S_ISUID, "no set-uid bit")
    records = os.path.join(place, "rec")
    os.mkdir(records)
    os.chown(records, 65534, 65534)

    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    # By its name alone, so that the loader would take it from a trusted folder, if at all.
    env = environment(LD_PRELOAD=PRELOAD, WAN_RECORD_PATH=records + "/")
    done = subprocess.run([copy, JPEG], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=drop, cwd="/")
    equal(done.returncode, 0, "exit status " + done.stderr.decode(errors="replace"))
    with open(JPEG, "rb"):
        bare = subprocess.run([shutil.which("djpeg"), JPEG], env=environment(),
                              stdout=subprocess.PIPE)
    check(done.stdout == bare.stdout, "output differs")
    equal(os.listdir(records), [], "recordings")


@test
def other_user_records_into_its_own_folder():
    need_root()
    need("djpeg")
    if not os.access(PRELOAD, os.R_OK) or subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-r",
             PRELOAD]).returncode:
        raise Skip("the library's folder is closed to other users")
    place = fresh("other")
    os.chmod(folder, 0o755)
    os.chown(place, 65534, 65534)
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "djpeg", JPEG],
                   env=preloaded(place), stdout=subprocess.DEVNULL, check=True)
    expect(Recorded(read_recordings(place), None), DECODED)


@test
def static_program_is_left_alone():
    source = os.path.join(fresh("static"), "hello.c")
    with open(source, "w") as file:
        file.write('#include <stdio.h>\nint main(void) { puts("hello"); return 4; }\n')
    program = source[:-2]
    if subprocess.run(["cc", "-static", "-o", program, source],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("no static C library, or no compiler")
    seen = record([program], "static-run")
    equal((seen.outcome.status, seen.lines), (4, []), "status and recordings")


@test
def start_needs_no_descriptor():
    program = guest("guest_jpeg")
    place = fresh("limited")
    done = subprocess.run(["/bin/sh", "-c", f"ulimit -n 4; exec {program} decode {JPEG} 3"],
                          env=preloaded(place), stdout=subprocess.PIPE)
    bare = subprocess.run(["/bin/sh", "-c", f"ulimit -n 4; exec {program} decode {JPEG} 3"],
                          env=environment(), stdout=subprocess.PIPE)
    equal(bare.returncode, 0, "status of the bare run")
    equal((done.returncode, done.stdout), (bare.returncode, bare.stdout), "outcome")


@test
def two_libjpegs_are_never_mixed():
    """A copy of libjpeg under another name, as wheels carry it, loaded beside the first."""
    library = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True)
    paths = [line.split()[-1] for line in library.stdout.splitlines() if "libjpeg.so.62" in line]
    if not paths:
        raise Skip("no libjpeg.so.62 to copy")
    place = fresh("two")
    # Same length, so that the names can be changed in place.
    for source, target in ((paths[0], "libjpeX.so.62"),
                           (os.path.join(GUESTS, "libcodec_user.so"), "libother_user.so")):
        with open(source, "rb") as file:
            content = file.read()
        with open(os.path.join(place, target), "wb") as file:
            file.write(content.replace(b"libjpeg.so.62", b"libjpeX.so.62"))
    shutil.copy(os.path.join(GUESTS, "libcodec_user.so"), place)
    seen = record([guest("guest_two"), JPEG, os.path.join(place, "libcodec_user.so"),
                   os.path.join(place, "libother_user.so")], "two-run",
                  env={"LD_LIBRARY_PATH": place})
    equal(seen.outcome.status, 0, seen.outcome.stdout + seen.outcome.stderr)
    expect(seen, *[DECODED] * 4)
    libraries = seen.of("process")[0]["libraries"].split(";")
    equal(len([n for n in libraries if n.startswith("libjpe")]), 2, libraries)


if __name__ == "__main__":
    main(CHOSEN)
