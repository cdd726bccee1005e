# SPDX-License-Identifier: MIT
"""Threads, exceptions, forks, the end of the interpreter, and nothing left behind."""
import gc
import multiprocessing
import os
import sys
import threading
import time
import traceback

from support import (cache, check, equal, main, numpy, pattern, picture, pillow, raises,
                     run_python, settle, test, wanrt)


def together(count, work):
    """What count threads that begin at once return or raise."""
    barrier = threading.Barrier(count)
    results = [None] * count

    def run(n):
        barrier.wait()
        try:
            results[n] = work(n)
        except BaseException as error:
            results[n] = error
    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    [t.start() for t in threads]
    [t.join(60) for t in threads]
    check(not any(t.is_alive() for t in threads), "a thread hangs")
    return results


@test
def eight_threads_and_one_missing_key_run_the_function_once():
    runs = []

    @wanrt.cached
    def slow(n):
        runs.append(n)
        time.sleep(0.2)
        return [n]
    results = together(8, lambda _: slow(1))
    equal((results, runs), ([[1]] * 8, [1]))
    check(len({id(r) for r in results}) == 8, "each has a copy of its own")


@test
def a_function_slower_than_the_wait_of_the_library_runs_once_too():
    runs = []

    @wanrt.cached
    def slow():
        runs.append(1)
        time.sleep(1.5)
        return 7
    equal((together(4, lambda _: slow()), len(runs)), ([7] * 4, 1))


@test
def an_exception_reaches_every_waiter_unchanged_and_is_not_kept():
    class Trouble(ValueError):
        pass
    trouble = Trouble("as it was", 3)
    runs = []

    @wanrt.cached
    def fails():
        runs.append(1)
        time.sleep(0.1)
        raise trouble
    results = together(8, lambda _: fails())
    check(all(r is trouble for r in results), results)
    equal(len(runs), 1)
    text = "".join(traceback.format_exception(trouble))
    check("in fails" in text and "raise trouble" in text, text)
    raises(Trouble, fails)
    equal(len(runs), 2)
    check(not fails.cache_contains())


@test
def an_interrupt_of_one_thread_is_no_answer_for_the_others():
    runs = []

    @wanrt.cached
    def f():
        runs.append(1)
        time.sleep(0.1)
        if len(runs) == 1:
            raise KeyboardInterrupt
        return 5
    results = together(4, lambda _: f())
    equal(sorted(map(str, results)), ["", "5", "5", "5"])
    equal(len(runs), 2)


@test
def recursion_and_circles_end():
    @wanrt.cached
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)
    equal(fib(30), 832040)
    depth = []

    @wanrt.cached
    def itself():
        depth.append(1)
        return len(depth) if len(depth) > 3 else itself()
    equal(itself(), 4)
    meet = threading.Barrier(2)

    @wanrt.cached
    def left(first):
        if first:
            meet.wait(10)
            return ("left", right(False))
        return "l"

    @wanrt.cached
    def right(first):
        if first:
            meet.wait(10)
            return ("right", left(True) if False else left(False))
        return "r"
    equal(together(2, lambda n: (left if n else right)(True)), [("right", "l"), ("left", "r")])
    crossing = threading.Barrier(2, timeout=10)
    once = []

    @wanrt.cached
    def a(n):
        if len(once) < 2:
            once.append(n)
            crossing.wait()
        return b(n) + 1 if len(once) < 4 and not once.append(n) else 1

    @wanrt.cached
    def b(n):
        if len(once) < 2:
            once.append(n)
            crossing.wait()
        return a(n) + 1 if len(once) < 4 and not once.append(n) else 1
    results = together(2, lambda n: (a if n else b)(1))
    check(all(isinstance(r, int) for r in results), results)


@test
def threads_load_clear_and_drop_at_once():
    pillow()
    paths = [picture(f"many{n}.png", size=(64 + n, 64)) for n in range(6)]
    expected = [pattern(64 + n, 64) for n in range(6)]
    stop = time.monotonic() + 1.5

    def work(n):
        held, turns = [], 0
        while time.monotonic() < stop:
            k = (n + turns) % 6
            image = wanrt.load(paths[k], ("RGB", "RGBX", None)[turns % 3])
            if image.mode == "RGB" and bytes(memoryview(image)) != expected[k]:
                return "wrong pixels"
            held.append(memoryview(image))
            if turns % 7 == 0:
                held.clear()
            if n == 0 and turns % 50 == 0:
                wanrt.clear()
            turns += 1
        return "fine" if turns > 10 else "stuck"
    equal(together(8, work), ["fine"] * 8)
    settle()
    equal(cache()["pinned_bytes"], 0)


@test
def views_are_released_on_any_thread():
    image = [wanrt.load(picture("a.png"))]
    thread = threading.Thread(target=image.clear)
    thread.start()
    thread.join()
    settle()
    equal(cache()["pinned_bytes"], 0)


@test
def destructors_of_results_run_on_the_watcher_without_deadlock():
    """Another thread than any of Python's lets go of a result, while all of Python's are busy."""
    done = run_python("""
import threading, wanrt
wanrt.configure(memory_interval="2ms", cache_entries=4)
class Result:
    count = 0
    def __del__(self):
        Result.count += 1
        wanrt.stats()
f = wanrt.cached(lambda n: Result(), copy=False)
def work(k):
    for n in range(400):
        f((k, n))
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
wanrt.configure(cache_entries=5)   # takes the first runtime apart
f(1)
wanrt.clear()
print(Result.count)
""")
    equal((done.returncode, done.stderr), (0, ""))
    check(int(done.stdout) >= 1595, done.stdout)


def _in_child(path, expected, view, pipe):
    try:
        answer = bytes(view) == expected, bytes(memoryview(wanrt.load(path))) == expected, \
            wanrt.load(path).from_cache, wanrt.stats()["cache"]["entries"] > 0
        del view
        gc.collect()
        pipe.send(answer)
    except BaseException as error:
        pipe.send(error)


@test
def a_forked_child_sees_the_pixels_and_begins_a_cache_of_its_own():
    path = picture("a.png")
    image = wanrt.load(path)
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        ours, theirs = context.Pipe()
        child = context.Process(target=_in_child,
                                args=(path, pattern(96, 64), memoryview(image), theirs))
        child.start()
        check(ours.poll(30), "the child hangs")
        equal(ours.recv(), (True, True, True, True))
        child.join(30)
        equal(child.exitcode, 0)
    equal(bytes(memoryview(image)), pattern(96, 64))


@test
def a_fork_in_the_middle_of_everything_does_not_hang_the_child():
    """Other threads compute and load while this one forks: their locks and flights stay behind."""
    paths = [picture(f"fork{n}.png", size=(70 + n, 64)) for n in range(4)]
    stop = threading.Event()
    slow = wanrt.cached(lambda n: time.sleep(0.05) or n)

    def work(n):
        turn = 0
        while not stop.is_set():
            turn += 1
            wanrt.load(paths[(turn + n) % 4], "RGBX")
            slow(turn)
            if turn % 20 == 0:
                wanrt.clear()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    [t.start() for t in threads]
    try:
        for turn in range(10):
            time.sleep(0.02)
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    fine = all(wanrt.load(p, "RGBX").width == 70 + n for n, p in enumerate(paths))
                    status = 0 if fine and slow(turn + 1) == turn + 1 else 2
                finally:
                    os._exit(status)
            deadline = time.monotonic() + 20
            while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(child, 9)
                    os.waitpid(child, 0)
                    check(False, "the child hangs")
                time.sleep(0.005)
            equal(ended[1], 0)
    finally:
        stop.set()
        [t.join() for t in threads]


@test
def the_interpreter_ends_with_live_views_and_results():
    code = """
import sys, threading, time, wanrt
views = [memoryview(wanrt.load(sys.argv[1])), wanrt.load(sys.argv[1], "RGBX")]
@wanrt.cached(copy=False)
def f(n):
    class Late:
        def __del__(self): wanrt.stats()
    return Late()
keep = [f(n) for n in range(10)]
def busy():
    n = 0
    while True:
        n += 1
        wanrt.load(sys.argv[1]); f(n)
for _ in range(2):
    threading.Thread(target=busy, daemon=True).start()
time.sleep(0.05)
sys.modules["kept"] = views
"""
    for _ in range(5):
        done = run_python(code, picture("a.png"))
        equal((done.returncode, done.stderr), (0, ""))


@test
def importing_again_and_subinterpreters_are_safe():
    done = run_python("""
import sys, wanrt
first = wanrt.load(sys.argv[1])
for name in [n for n in sys.modules if n.startswith("wanrt")]:
    del sys.modules[name]
import wanrt as again
assert again.load(sys.argv[1]).size == first.size
assert type(again.load(sys.argv[1])) is type(first)
try:
    import _xxsubinterpreters as sub
except ImportError:
    sys.exit(0)
other = sub.create()
try:
    sub.run_string(other, "import wanrt")
except Exception as e:
    assert "another interpreter" in str(e), e
else:
    raise SystemExit("imported")
sub.destroy(other)
""", picture("a.png"))
    equal((done.returncode, done.stderr), (0, ""))


def resident_kb():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@test
def thousands_of_loads_leave_nothing_behind():
    np, Image = numpy(), pillow()
    path, other = picture("a.png"), picture("c.png", "L")
    double = wanrt.cached(lambda image, n: image.resize((n, n)))
    source = Image.open(path).convert("RGB")

    def round_trip(times):
        for n in range(times):
            image = wanrt.load(path, ("RGB", "RGBX", "L", None)[n % 4])
            np.asarray(image).sum()
            image.to_pil().getpixel((0, 0))
            memoryview(image)
            verdict = wanrt.validate(other)
            verdict.issues, verdict.metadata
            wanrt.thumbnail(path, 8 + n % 5)
            double(source, 8 + n % 9)
            try:
                wanrt.load("/nowhere")
            except wanrt.Error:
                pass
            if n % 100 == 0:
                wanrt.clear()
    round_trip(500)
    settle()
    blocks, memory = sys.getallocatedblocks(), resident_kb()
    round_trip(3000 if os.environ.get("WAN_TEST_TIER") in (None, "quick") else 30000)
    settle()
    # a block lost in each round would be thousands
    check(sys.getallocatedblocks() - blocks < 1000, sys.getallocatedblocks() - blocks)
    check(resident_kb() - memory < 3000, f"{resident_kb() - memory} kB more")
    equal(cache()["pinned_bytes"], 0)


main(sys.argv[1:])
