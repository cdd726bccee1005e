# SPDX-License-Identifier: MIT
"""The installed package finds its library below any prefix. Arguments: meson's build folder, the
package's folder and the library's, both as they are configured."""
import os
import subprocess
import sys

BUILD, PACKAGES, LIBRARIES = sys.argv[1:4]
sys.argv[1:] = sys.argv[4:]
from support import check, equal, folder, main, picture, test

CODE = """
import sys, wanrt
image = wanrt.load(sys.argv[1])
print(wanrt.__file__, wanrt._wanrt.__file__, image.size)
"""


def installed():
    root = os.path.join(folder, "root")
    if not os.path.exists(root):
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root,
                               "--tags", "runtime,python-runtime"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        check(done.returncode == 0, done.stdout)
    return root


def python(path, work):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "PYTHON"))}
    env.update(PYTHONPATH=path, WAN_RECORD_PATH="off", PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(["/usr/bin/python3", "-c", CODE, work], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=env)


@test
def the_package_runs_from_a_staged_prefix():
    packages = installed() + PACKAGES
    for name in ("__init__.py", "_wanrt.pyi", "py.typed"):
        check(os.path.exists(os.path.join(packages, "wanrt", name)), name)
    done = python(packages, picture("a.png"))
    equal(done.stderr, "")
    check(done.stdout.startswith(packages) and "(96, 64)" in done.stdout, done.stdout)


@test
def the_library_is_the_one_of_the_prefix():
    root = installed()
    maps = subprocess.run(["/usr/bin/python3", "-c", "import wanrt; print(open('/proc/self/maps')"
                           ".read())"], stdout=subprocess.PIPE, text=True,
                          env={"PYTHONPATH": root + PACKAGES, "WAN_RECORD_PATH": "off"}).stdout
    used = {line.split()[-1] for line in maps.splitlines() if "libwanrt" in line}
    check(used and all(os.path.realpath(path).startswith(os.path.realpath(root + LIBRARIES))
                       for path in used), used)


@test
def a_prefix_of_the_machine_is_one_python_looks_into():
    where = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/python/where.py")
    for prefix in ("/usr/local", "/usr"):
        said = subprocess.run(["/usr/bin/python3", where, prefix, prefix + "/lib"],
                              stdout=subprocess.PIPE, text=True,
                              env={"PATH": "/usr/bin"}).stdout.splitlines()
        looks = subprocess.run(["/usr/bin/python3", "-c", "import sys; print(sys.path)"],
                               stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin"}).stdout
        check(repr(said[1]) in looks and said[1].startswith(prefix + "/"), (said, looks))


main(sys.argv[1:])
