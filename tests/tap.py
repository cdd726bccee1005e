# SPDX-License-Identifier: MIT
"""Tests in Python that speak TAP version 13.

    from tap import main, test, check, Skip

    @test
    def exit_status_is_passed_on():
        check(run("exit 7") == 7, "detail shown on failure")

    main()

Run with arguments, only the tests whose names contain one of them run.
"""
import sys
import traceback

tests = []


class Skip(Exception):
    pass


class Failed(Exception):
    pass


def test(function):
    tests.append(function)
    return function


def check(condition, detail=""):
    if not condition:
        raise Failed(str(detail))


def equal(actual, expected, what=""):
    check(actual == expected, f"{what}: {actual!r} instead of {expected!r}")


def explain(error):
    if isinstance(error, Failed):
        frame = traceback.extract_tb(error.__traceback__)
        place = [f for f in frame if not f.filename.endswith("tap.py")][-1]
        return f"line {place.lineno}: {place.line}\n{error}"
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def main(arguments=()):
    chosen = [t for t in tests
              if not arguments or any(a in t.__name__ for a in arguments)]
    failed = 0
    print("TAP version 13", flush=True)
    print(f"1..{len(chosen)}", flush=True)
    for number, function in enumerate(chosen, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except BaseException as error:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in explain(error).splitlines()[:60]:
                print("# " + line)
            sys.stdout.flush()
            if isinstance(error, KeyboardInterrupt):
                break
    sys.exit(1 if failed or not chosen else 0)
