# SPDX-License-Identifier: MIT
"""The shape of the tree: what lies where, how long it is, what it may include."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sources import ROOT, files, read, without_comments
from tap import check, main, test

TOP_LEVEL = {"meson.build", "runtime", "cache", "memmgr", "progress", "profiler", "include",
             "tests", "tools", "README.md", "LICENSE", "CHANGELOG.md", "meson_options.txt"}
REQUIRED = TOP_LEVEL | {".ci"}
SIBLINGS = ["cache", "memmgr", "progress", "profiler"]
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 80
README_LINES_MAX = 60
MESON_LINES_MAX = 60
C_FILES = r"\.[ch]$"


@test
def top_level_is_as_agreed():
    found = {path.split("/")[0] for path in files()}
    check({name for name in found if not name.startswith(".")} <= TOP_LEVEL,
          f"not allowed: {sorted(n for n in found - TOP_LEVEL if not n.startswith('.'))}")
    check(REQUIRED <= found, f"missing: {sorted(REQUIRED - found)}")


@test
def no_file_is_too_long():
    long = [f"{path}: {count} lines" for path in files(r"\.(c|h|py|sh|def)$|^tools/(test|demo)$")
            if (count := read(path).count("\n")) > FILE_LINES_MAX]
    check(not long, "\n".join(long))


@test
def no_function_is_too_long():
    long = []
    for path in files(r"\.c$"):
        lines = without_comments(read(path)).split("\n")
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    long.append(f"{path}:{start}: {number - start - 1} lines")
                start = None
    check(not long, "\n".join(long))


@test
def no_include_climbs_up():
    bad = [f"{path}: {line}" for path in files(C_FILES + r"|\.def$") for line in
           re.findall(r'^#\s*include\s+"[^"]*\.\./[^"]*".*', read(path), re.M)]
    check(not bad, "\n".join(bad))


def headers_of(folder):
    """Names of the private headers of a folder, without those of folders below it."""
    return {os.path.basename(p) for p in files(rf"^{folder}/[^/]+\.h$")}


@test
def siblings_do_not_include_one_another():
    bad = []
    for sibling in SIBLINGS:
        own = headers_of(sibling)
        shared = {os.path.basename(p) for p in files(r"^(runtime/(base|record)|include/wan)/")}
        foreign = set().union(*(headers_of(s) for s in SIBLINGS if s != sibling)) - own - shared
        for path in files(rf"^{sibling}/.*{C_FILES}"):
            for name in re.findall(r'^#\s*include\s+"([^"]+)"', read(path), re.M):
                if name in foreign:
                    bad.append(f"{path} includes {name}")
    check(not bad, "\n".join(bad))


@test
def no_include_depends_on_the_order_of_folders():
    """A header name that two folders have may be included inside those folders and their own tests
    only."""
    folders = {}
    for path in files(r"^(runtime|cache|memmgr|progress|profiler)/.*\.h$"):
        folders.setdefault(os.path.basename(path), set()).add(os.path.dirname(path))
    bad = []
    for path in files(r"^(runtime|cache|memmgr|progress|profiler|tools|tests)/.*" + C_FILES):
        for name in re.findall(r'^#\s*include\s+"([^"/]+)"', read(path), re.M):
            homes = folders.get(name, set())
            own = os.path.dirname(path).replace("tests/unit/", "")
            if len(homes) > 1 and not any(own == os.path.basename(h) or own == h for h in homes):
                bad.append(f"{path}: {name} is in {' and '.join(sorted(homes))}")
    check(not bad, "\n".join(bad))


@test
def public_headers_include_only_each_other_and_the_c_library():
    bad = [f"{path}: {name}" for path in files(r"^include/wan/.*\.h$") for name in
           re.findall(r'^#\s*include\s+"([^"]+)"', read(path), re.M)
           if not name.startswith("wan/")]
    check(not bad, "\n".join(bad))


@test
def every_source_names_its_licence():
    bad = []
    for path in files(r"\.(c|h|def|py|sh|map|in|1|3|7)$|^tools/(test|demo)$|^\.ci/run$"):
        if "/corpus/" in path or "/golden/" in path and not path.endswith(".py"):
            continue
        if "SPDX-License-Identifier: MIT" not in "\n".join(read(path).split("\n")[:3]):
            bad.append(path)
    check(not bad, "\n".join(bad))
    check("MIT License" in read("LICENSE"))


@test
def nothing_is_left_to_do():
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    bad = [f"{path}:{number}: {line.strip()}"
           for path in files(r"\.(c|h|def|py|sh|md|1|7|build|txt)$|^tools/(test|demo)$")
           for number, line in enumerate(read(path).split("\n"), 1)
           if words.search(line) and "/corpus/" not in path
           and path not in ("tools/test_summary.py",)]
    check(not bad, "\n".join(bad))


@test
def folder_readmes_and_build_files_are_short():
    bad = [f"{path}: {count} lines" for path in files(r"/README\.md$")
           if (count := read(path).count("\n")) > README_LINES_MAX]
    bad += [f"{path}: {count} lines" for path in files(r"/meson\.build$")
            if (count := read(path).count("\n")) > MESON_LINES_MAX]
    check(not bad, "\n".join(bad))


@test
def every_part_has_a_readme():
    parts = ["cache", "memmgr", "progress", "profiler", "profiler/preload", "runtime",
             "runtime/base", "runtime/record", "runtime/image", "tools", "tests"]
    bad = [p for p in parts if not os.path.exists(os.path.join(ROOT, p, "README.md"))]
    check(not bad, f"without README.md: {', '.join(bad)}")


@test
def c_files_have_tabs_no_trailing_blanks_and_a_last_line_end():
    bad = []
    for path in files(C_FILES):
        text = read(path)
        if text and not text.endswith("\n"):
            bad.append(f"{path}: no line end at the end")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip() or line.startswith("        "):
                bad.append(f"{path}:{number}")
    check(not bad, "\n".join(bad[:40]))


@test
def library_code_never_prints_or_ends_the_process():
    call = re.compile(r"(?<![\w.>])(printf|puts|putchar|perror|abort|exit|_exit|quick_exit)\s*\(")
    bad = []
    for path in files(r"^(runtime|cache|memmgr|progress|profiler)/.*\.c$"):
        for number, line in enumerate(without_comments(read(path)).split("\n"), 1):
            if call.search(line):
                bad.append(f"{path}:{number}: {line.strip()}")
    check(not bad, "\n".join(bad))


main(sys.argv[1:])
