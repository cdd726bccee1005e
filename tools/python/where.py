# SPDX-License-Identifier: MIT
"""For meson: where a Python looks for packages below a prefix, where its headers are, and how an
extension is named. Arguments: prefix, library folder. Prints one line each: include folder,
package folder, way from the package to the library folder, suffix, version of the limited API."""
import os
import sys
import sysconfig


def package_folder(prefix):
    """The first folder of the search path below the prefix; else the usual place, which needs
    PYTHONPATH. Debian's Python searches /usr/local and /usr, by names of its own."""
    below = [path for path in sys.path
             if path.startswith(os.path.join(prefix, "lib")) and
             os.path.basename(path) in ("site-packages", "dist-packages")]
    if prefix == "/usr":  # what a distribution installs, not what its user adds
        below = [path for path in below if not path.startswith("/usr/local")]
    name = "python%d.%d" % sys.version_info[:2]
    return below[0] if below else os.path.join(prefix, "lib", name, "site-packages")


def main(prefix, libdir):
    packages = package_folder(prefix)
    # The buffer protocol is in the stable ABI since 3.11: one build for all later versions. Older
    # headers, and builds without the GIL, make an extension for their own version.
    stable = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED")
    print(sysconfig.get_path("include") if sys.version_info >= (3, 9) else "too old")
    print(packages)
    print(os.path.relpath(libdir, os.path.join(packages, "wanrt")))
    print(".abi3.so" if stable else sysconfig.get_config_var("EXT_SUFFIX"))
    print("0x030b0000" if stable else "")


if __name__ == "__main__":
    main(*sys.argv[1:])
