# SPDX-License-Identifier: MIT
"""wanrt.track as a loop and as a bar: what a program that used tqdm relies on. Runs with the
extension, and again in plain Python (WAN_PYTHON_EXTENSION=off)."""
import asyncio
import gc
import io
import os
import sys
import threading
import tracemalloc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import check, equal, main, test

import wanrt
from wanrt import _core, _meter

EXTENSION = _core._wanrt is not None
check(EXTENSION == (os.environ.get("WAN_PYTHON_EXTENSION") != "off"), _core.reason)


def raises(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def silent(*args, **kwargs):
    return wanrt.track(*args, disable=True, **kwargs)


def lines(stream):
    return [line.rstrip() for line in stream.getvalue().replace("\n", "\r").split("\r")
            if line.strip()]


@test
def a_loop_sees_every_item_once_and_in_order():
    for iterable in (range(1000), [], "abc", {1: 2, 3: 4}, iter([1, 2]), (x for x in (7, 8)),
                     enumerate("xy"), {5}):
        items = list(iterable)
        again = items if not isinstance(iterable, (list, range, str, dict, set)) else iterable
        equal(list(silent(again)), items)


@test
def n_is_what_was_finished_and_ends_at_total():
    bar = silent(range(5))
    equal([(x, bar.n) for x in bar], [(x, x) for x in range(5)])
    equal((bar.n, bar.total, len(bar)), (5, 5, 5))
    check(not bar.recorded, "it has ended")


@test
def an_exception_of_the_body_and_of_the_iterable_passes():
    class Own(Exception):
        pass

    def body():
        for x in silent(range(9)):
            if x == 3:
                raise Own("body")

    def source():
        yield 1
        raise Own("source")
    equal(str(raises(Own, body)), "body")
    equal(str(raises(Own, lambda: list(silent(source())))), "source")

    def interrupted():
        for x in silent(range(9)):
            raise KeyboardInterrupt
    raises(KeyboardInterrupt, interrupted)

    def ended():
        raise Own
        yield
    for given in (ended(), map(lambda x: 1 // 0, [1])):
        raises((Own, ZeroDivisionError), lambda: next(iter(silent(given))))


@test
def leaving_early_ends_the_job():
    bar = silent(range(100))
    for x in bar:
        if x == 10:
            break
    gc.collect()
    equal(bar.n, 10)
    check(not bar.recorded)


@test
def it_is_driven_by_hand_too():
    with silent(total=10, initial=2) as bar:
        equal(bar.n, 2)
        bar.update()
        bar.update(3)
        bar.update(n=2)
        equal(bar.n, 8)
        bar.update(-1)
        bar.update(0.5)
        equal(bar.n, 7.5)
        bar.n = 4
        bar.refresh()
        equal(bar.n, 4)
        bar.total = 20
        equal(bar.total, 20)
    check(not bar.recorded)
    bar.update()
    bar.close()
    raises(TypeError, lambda: bar.update("x"))
    raises(TypeError, lambda: bar.update(1, 2))
    raises(TypeError, lambda: list(silent(total=3)))
    raises(TypeError, lambda: wanrt.track(range(3), no_such_argument=1))


@test
def odd_totals_and_steps_do_no_harm():
    for total in (0, -1, None, float("inf"), 2.5, 1 << 70):
        with silent(total=total) as bar:
            bar.update(1 << 40)
            bar.update(-(1 << 41))
            str(bar)
    for iterable, total in ((range(10), 3), (range(3), 10)):
        equal(list(silent(iterable, total=total)), list(iterable))
        list(wanrt.track(iterable, total=total, file=io.StringIO(), mininterval=0))


@test
def the_bar_looks_as_expected():
    out = io.StringIO()
    for _ in wanrt.track(range(4), desc="load", file=out, mininterval=0, ncols=60, ascii=True):
        pass
    drawn = lines(out)
    check(drawn[0].startswith("load:   0%|  "), drawn[0])
    check("| 0/4 [00:00<?, ?it/s]" in drawn[0], drawn[0])
    check(any(line.startswith("load:  50%|#") and "| 2/4 [00:00<00:00," in line
              for line in drawn), drawn)
    check(drawn[-1].startswith("load: 100%|####") and "| 4/4 [" in drawn[-1], drawn[-1])
    check(all(len(line) <= 60 for line in drawn), drawn)
    check(out.getvalue().endswith("\n"), "it stays")


@test
def meters_of_each_kind():
    equal(_meter.meter(25, 100, 5, ncols=0), " 25% 25/100 [00:05<00:15,  5.00it/s]")
    equal(_meter.meter(25, None, 5), "25it [00:05,  5.00it/s]")
    equal(_meter.meter(3, 6, 30, ncols=0, unit="step", prefix="x"),
          "x:  50% 3/6 [00:30<00:30, 10.00s/step]")
    equal(len(_meter.meter(5, 10, 5, ncols=60, ascii=True)), 60)
    equal(_meter.meter(5, 10, 5, ncols=60, bar_format="{desc}|{bar:4}|{n_fmt}", prefix="d",
                       ascii=True), "d|##  |5")
    equal(_meter.meter(1536, 4096, 2, ncols=0, unit="B", unit_scale=True, unit_divisor=1024),
          " 38% 1.50k/4.00k [00:02<00:03, 768B/s]")
    equal(_meter.meter(30, 10, 1, ncols=0), "30it [00:01, 30.00it/s]")
    equal([_meter.sizeof(x) for x in (0, 999, 1000, 12345, 999999, 1e9)],
          ["0", "999", "1.00k", "12.3k", "1.00M", "1.00G"])
    equal([_meter.interval(s) for s in (0, 59, 61, 3725)], ["00:00", "00:59", "01:01", "1:02:05"])


@test
def texts_at_the_bar_are_changed():
    out = io.StringIO()
    with wanrt.track(total=3, file=out, mininterval=9, ncols=80) as bar:
        bar.set_description("first")
        bar.set_postfix(loss=0.123456, name="x")
        bar.set_postfix_str("as it is")
        bar.set_description_str("second ")
        bar.reset(total=5)
        check("0/5" in str(bar), str(bar))
    text = out.getvalue()
    for wanted in ("first:   0%", ", loss=0.123, name=x]", ", as it is]", "second "):
        check(wanted in text, (wanted, text))


@test
def nothing_is_drawn_where_it_is_not_wanted():
    out = io.StringIO()
    for disable in (True, None):  # a StringIO is no terminal
        list(wanrt.track(range(3), file=out, disable=disable, mininterval=0))
    equal(out.getvalue(), "")
    list(wanrt.track(range(3), file=out, delay=60, mininterval=0))
    check(len(lines(out)) == 1, lines(out))


@test
def bars_are_drawn_seldom():
    out = io.StringIO()
    for _ in wanrt.track(range(200000), file=out, mininterval=0.02):
        pass
    check(len(lines(out)) < 60, len(lines(out)))


@test
def nested_bars_have_rows_of_their_own():
    out = io.StringIO()
    for _ in wanrt.track(range(2), desc="outer", file=out, mininterval=0):
        for _ in wanrt.track(range(2), desc="inner", file=out, mininterval=0, leave=False):
            pass
    text = out.getvalue()
    check("\n\rinner" in text and "\x1b[A" in text, text)
    equal(text.count("\n") - text.count("\x1b[A"), 1)
    for _ in wanrt.track(range(1), desc="next", file=out):
        pass
    check(out.getvalue()[len(text):].startswith("\rnext"), "the row is free again")


@test
def writing_between_bars_keeps_them_whole():
    out = io.StringIO()
    for x in wanrt.track(range(2), file=out, mininterval=0, ncols=40):
        wanrt.track.write(f"line {x}", file=out)
    check("\rline 0\n\r" in out.getvalue(), out.getvalue())


@test
def a_broken_stream_ends_the_bar_and_not_the_job():
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError
    closed = io.StringIO()
    closed.close()
    for file in (Broken(), closed):
        equal(list(wanrt.track(range(3), file=file, mininterval=0)), [0, 1, 2])
    before, sys.stderr = sys.stderr, None
    try:
        equal(list(wanrt.track(range(3))), [0, 1, 2])
    finally:
        sys.stderr = before


@test
def threads_have_bars_of_their_own_and_may_share_one():
    out = io.StringIO()
    sums = []

    def own(n):
        sums.append(sum(wanrt.track(range(1000), desc=str(n), file=out, mininterval=0.001)))
    shared = silent(total=4000)

    def common(n):
        for _ in range(1000):
            shared.update()
    for work in (own, common):
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    equal(sums, [499500] * 4)
    check(shared.n == 4000 or not EXTENSION, shared.n)
    shared.close()


@test
def it_works_in_asyncio():
    async def source():
        for x in range(5):
            await asyncio.sleep(0)
            yield x

    async def run():
        bar = silent(source(), total=5)
        got = [x async for x in bar]
        return got, bar.n
    equal(asyncio.run(run()), ([0, 1, 2, 3, 4], 5))


@test
def subclasses_and_odd_uses_behave():
    class Mine(wanrt.track):
        def update(self, n=1):
            return super().update(2 * n)
    bar = Mine(total=4, disable=True)
    bar.update()
    equal(bar.n, 2)
    bar.close()
    equal(list(reversed(silent([1, 2, 3]))), [3, 2, 1])
    check(2 in silent([1, 2]) and bool(silent([1])) and not silent([]))
    bar = silent([1, 2])
    equal((list(bar), list(bar)), ([1, 2], [1, 2]), "a second time without a job")
    inner = iter(silent(range(3)))
    next(inner)
    del inner
    gc.collect()
    equal(list(wanrt.trange(1, 4, disable=True)), [1, 2, 3])


@test
def a_loop_in_a_cycle_is_collected():
    if not EXTENSION:
        return
    loop = iter(silent(iter([[]])))
    holder = next(loop)
    source = []
    inner = iter(silent(iter(source)))
    source.append(inner)
    holder.append(loop)
    del loop, inner, source, holder
    gc.collect()


@test
def phases_nest_and_pass_exceptions():
    with wanrt.phase("load"):
        with wanrt.phase("generation"):
            for _ in silent(range(3)):
                pass
    raises(ZeroDivisionError, lambda: wanrt.phase("decode")(lambda: 1 // 0)())

    @wanrt.phase("save")
    def function(a, b=2):
        """Doc."""
        return a + b

    @wanrt.phase("save")
    async def coroutine():
        async with wanrt.phase("inner"):
            return 7
    equal((function(1), function.__name__, function.__doc__), (3, "function", "Doc."))
    equal(asyncio.run(coroutine()), 7)
    wanrt.one_off(1.5)
    wanrt.device_done(3)
    wanrt.device_done(None)
    with silent(total=2) as bar:
        bar.one_off(0.1)
        bar.device_done(1)
        bar.expect(0.1)


@test
def profile_leaves_a_function_what_it_was():
    import inspect

    class Thing:
        @wanrt.profile
        def method(self, x, *, y=1):
            """Doc."""
            return x + y

        @staticmethod
        @wanrt.profile("static")
        def static(x):
            return x

        @wanrt.profile
        @classmethod
        def made(cls):
            return cls

        @wanrt.profile
        @property
        def value(self):
            return 5
    equal((Thing().method(1, y=2), Thing.static(4), Thing.made(), Thing().value),
          (3, 4, Thing, 5))
    equal((str(inspect.signature(Thing.method)), Thing.method.__doc__),
          ("(self, x, *, y=1)", "Doc."))

    @wanrt.profile
    def numbers():
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "caught"
        return 9

    def through():
        return (yield from numbers())
    generator = through()
    equal((next(generator), generator.send("sent"), generator.throw(KeyError)),
          (1, "sent", "caught"))
    equal(raises(StopIteration, lambda: next(generator)).value, 9)
    check(inspect.isgeneratorfunction(inspect.unwrap(numbers)))

    @wanrt.profile
    async def later(x):
        await asyncio.sleep(0)
        return x

    @wanrt.profile("each")
    async def each():
        yield 1
        yield 2

    async def run():
        with wanrt.profile("block"):
            async with wanrt.profile("other"):
                return (await asyncio.gather(*(later(x) for x in range(3))),
                        [x async for x in each()])
    equal(asyncio.run(run()), ([0, 1, 2], [1, 2]))
    raises(ZeroDivisionError, wanrt.profile(lambda: 1 // 0))
    raises(TypeError, lambda: wanrt.profile(5))


@test
def nothing_is_left_behind():
    def work(count):
        bar = silent(range(count), name="leak")
        for _ in bar:
            pass
        with silent(total=count, name="leak") as bar:
            for _ in range(count):
                bar.update()
        function = wanrt.profile("leak")(lambda: None)
        for _ in range(count):
            function()

    def jobs(count):
        for _ in range(count):
            for _ in silent((1, 2), name="leak"):
                break
            with wanrt.phase("leak"):
                pass
    work(100), jobs(200)
    gc.collect()
    tracemalloc.start()
    before, objects = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
    work(100000), jobs(300)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    check(grown < 20000, f"{grown} bytes")
    check(len(gc.get_objects()) - objects < 50, len(gc.get_objects()) - objects)


@test
def a_gpu_is_asked_of_a_torch_that_is_there_only():
    check("torch" not in sys.modules)
    equal(wanrt.gpu_reusable(), None)
    check("torch" not in sys.modules)


@test
def every_public_name_has_a_doc_and_a_type():
    for name in wanrt.__all__:
        value = getattr(wanrt, name)
        check(value.__doc__, name)


main(sys.argv[1:])
