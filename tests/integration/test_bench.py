# SPDX-License-Identifier: MIT
"""wanprof bench: real pictures in, tables out, nothing left behind."""
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import check, equal, main, test

WANPROF, PICTURE = sys.argv[1], sys.argv[2]
ROWS = [("validation", [512, 512]), ("validation", [1920, 1080]),
        ("thumbnail_256x256", [512, 512]), ("thumbnail_256x256", [1920, 1080]),
        ("conversion", [2048, 2048])]


def bench(*arguments, **more):
    return subprocess.run([WANPROF, "bench", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **more)


def left_behind():
    return set(glob.glob("/tmp/wanprof-bench-*"))


@test
def json_has_every_row_with_its_figures():
    before = left_behind()
    done = bench("--table", "--json", "--rounds", "2", PICTURE)
    check(done.returncode == 0, done.stderr)
    table = json.loads(done.stdout)
    check(table["schema"] == "wanrt-bench-table" and table["schema_version"] == 1, "schema")
    check(table["photographs"] == [PICTURE], table["photographs"])
    check([(r["operation_name"], r["image_size"]) for r in table["rows"]] == ROWS, table["rows"])
    for row in table["rows"]:
        check(row["cold_ns"] > row["cached_ns"] > 0, row)
        check(row["kept_bytes"] >= row["result_bytes"] > 0, row)
        check(row["working_bytes"] > 0 and row["file_size_bytes"] > 0, row)
    check(left_behind() == before, "temporary files are left")


@test
def a_sweep_of_sizes_has_times_slopes_and_verdicts():
    done = bench("--scaling", PICTURE, "--json", "--rounds", "1")
    check(done.returncode == 0, done.stderr)
    sweep = json.loads(done.stdout)
    check(sweep["schema"] == "wanrt-bench-scaling" and sweep["schema_version"] == 1, "schema")
    sizes = sweep["sizes"]
    check(len(sizes) == 8 and sizes == sorted(sizes), sizes)
    check(35 < sizes[-1][0] * sizes[-1][1] / (sizes[0][0] * sizes[0][1]) < 45, sizes)
    names = [row["operation_name"] for row in sweep["operations"]]
    check(names == ["jpeg.decode", "png.decode", "thumbnail_128x128", "fit_832x480", "resize_half",
                    "normalise", "jpeg.encode", "png.encode"], names)
    for row in sweep["operations"]:
        check(row["samples"] == 8 and row["smallest_ns"] > 0 and row["largest_ns"] > 0, row)
        check(row["scaling"]["verdict"] == "inconclusive" and row["scaling"]["reason"], row)
    pixels = sizes[-1][0] * sizes[-1][1]
    check(sweep["operations"][0]["largest_bytes"] >= 3 * pixels, sweep["operations"][0])


@test
def a_sweep_refuses_what_is_no_picture_and_says_why():
    for path, reason in (("/no/such/photograph.jpg", "no such file"), (__file__, "image"),
                         ("/", "folder")):
        done = bench("--scaling", path)
        check(done.returncode == 66 and path in done.stderr and reason in done.stderr, done.stderr)
        check(done.stdout == "", done.stdout)
    for kind in "--scaling", "--table":
        done = bench(kind, "/no/such\x1b[2J\u202e.jpg")
        equal(done.returncode, 66, done.stderr)
        check("\x1b" not in done.stderr and "\u202e" not in done.stderr, repr(done.stderr))
    for wrong in (["--table", "--scaling", PICTURE], ["--scaling", PICTURE, PICTURE],
                  ["--scaling", PICTURE, "--rounds", "51"], ["--scaling"]):
        done = bench(*wrong)
        check(done.returncode == 64 and done.stderr, done.stderr)


@test
def text_names_the_required_figures_and_what_each_does():
    done = bench("--table", "--rounds", "1", PICTURE)
    check(done.returncode == 0, done.stderr)
    for needed in "18 ms, 25x", "7 ms, 2.5x", "2048x2048", "the reference:", "1 photograph.":
        check(needed in done.stdout, f"{needed!r} is missing:\n{done.stdout}")


@test
def an_output_file_is_whole_and_is_not_replaced_unasked():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table.json")
        check(bench("--table", "--json", "--rounds", "1", "-o", path, PICTURE).returncode == 0, "first")
        text = open(path).read()
        json.loads(text)
        done = bench("--table", "--json", "--rounds", "1", "-o", path, PICTURE)
        check(done.returncode == 73 and "exists" in done.stderr, done.stderr)
        check(open(path).read() == text, "it was changed")
        check(os.listdir(folder) == ["table.json"], os.listdir(folder))


@test
def wrong_arguments_and_pictures_are_named():
    before = left_behind()
    done = bench()
    check(done.returncode == 64 and "--table" in done.stderr, done.stderr)
    done = bench("--tabel")
    check(done.returncode == 64 and "--table" in done.stderr, done.stderr)
    done = bench("--table", "/no/such/photograph.jpg")
    check(done.returncode == 66 and "/no/such/photograph.jpg" in done.stderr, done.stderr)
    done = bench("--table", __file__)
    check(done.returncode == 66 and os.path.basename(__file__) in done.stderr, done.stderr)
    done = bench("--table", *[PICTURE] * 17)
    check(done.returncode == 64 and "16" in done.stderr, done.stderr)
    for wrong in "0", "x", "1001":
        done = bench("--table", "--rounds", wrong, PICTURE)
        check(done.returncode == 64 and "--rounds" in done.stderr, done.stderr)
    check(left_behind() == before, "temporary files are left")


@test
def an_interrupt_leaves_nothing():
    before = left_behind()
    child = subprocess.Popen([WANPROF, "bench", "--table", *[PICTURE] * 16],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)
    for _ in range(200):
        if left_behind() != before:
            break
        time.sleep(0.01)
    time.sleep(0.1)
    os.killpg(child.pid, signal.SIGINT)
    status = child.wait(timeout=60)
    check(status == 130, f"status {status}")
    check(left_behind() == before, "temporary files are left")


main(sys.argv[3:])
