# -*- coding: utf-8 -*-
"""Threads that stand in handlers within handlers, and what each has in hand, innermost first. Runs on 2.7 to 3.15."""
from __future__ import print_function

import contextlib
import json
import os
import sys
import threading
import traceback

try:
    import asyncio
except ImportError:  # before 3.4, and built without sockets
    asyncio = None

VERSION = sys.version_info[:2]
THREADS, SUSPENDED, KEPT, SCENARIOS = [], [], [], []
READY = threading.Semaphore(0)
# 2.7: what a function has caught stays until it returns, or yields; "finally" has nothing in hand
LEFT = VERSION < (3, 0)


def scenario(function):
    SCENARIOS.append(function)
    return function


def park(*handled):
    """Handled: pairs of an exception and the name of the function whose handler has it, innermost first."""
    current = sys.exc_info()[1]
    assert current is (handled[0][0] if handled else None), (current, handled)
    THREADS.append({"tid": int(os.readlink("/proc/thread-self").split("/")[-1]), "name": threading.current_thread().name,
                    "handled": [["0x%x" % id(e), name] for e, name in handled]})
    KEPT.append(handled)
    wait()


def wait():
    lock = threading.Lock()
    lock.acquire()
    READY.release()
    lock.acquire()


def suspended(generator, exception):
    KEPT.append(generator)
    SUSPENDED.append(["0x%x" % id(generator), "0x%x" % id(exception)])


@scenario
def nothing():
    park()


@contextlib.contextmanager
def manager():
    yield


@scenario
def with_in_handler():
    a = ValueError("with")
    try:
        raise a
    except ValueError:
        with manager():
            park((a, "with_in_handler"))


@scenario
def one():
    a = ValueError("one")
    try:
        raise a
    except ValueError:
        park((a, "one"))


@scenario
def over():
    a = ValueError("over")
    try:
        raise a
    except ValueError:
        pass
    park(*[(a, "over")] if LEFT else [])


def catches(a, *outer):
    try:
        raise a
    except ValueError:
        park((a, "catches"), *outer)


@scenario
def functions():
    def middle():
        b = KeyError("b")
        try:
            {}[b]
        except KeyError as e:
            catches(ValueError("c"), (e, "middle"), (a, "functions"))
    a = ValueError("a")
    try:
        raise a
    except ValueError:
        middle()


@scenario
def within():
    a, b, c = ValueError("a"), ValueError("b"), ValueError("c")
    for i in range(3):
        try:
            raise a
        except ValueError:
            for k in [1, 2]:
                try:
                    raise b
                except (KeyError, ValueError):
                    try:
                        raise c
                    except ValueError:
                        if LEFT:
                            park((c, "within"))
                        max(i, [k, 2, park((c, "within"), (b, "within"), (a, "within"))])


@scenario
def finals():
    a = ValueError("a")
    try:
        raise a
    finally:
        park(*[] if LEFT else [(a, "finals")])


class Exits(object):
    def __init__(self, outer):
        self.outer = outer

    def __enter__(self):
        return self

    def __exit__(self, *args):
        park(*self.outer)


@scenario
def exits():
    a = ValueError("a")
    with Exits([(a, "exits")]):
        raise a


@scenario
def reraised():
    a = ValueError("a")

    def inner():
        try:
            raise a
        except ValueError:
            raise
    try:
        inner()
    except ValueError:
        park((a, "reraised"))


@scenario
def sorting():
    a, b = ValueError("a"), ValueError("b")

    def key(item):
        try:
            raise b
        except ValueError:
            park((b, "key"), (a, "sorting"))
    try:
        raise a
    except ValueError:
        sorted([1, 2], key=key)


@scenario
def recursion():
    made = []

    def again(n):
        e = ValueError(n)
        made.insert(0, (e, "again"))
        try:
            raise e
        except ValueError:
            if n:
                again(n - 1)
            park(*made)
    again(30)


@scenario
def class_body():
    a = ValueError("a")
    try:
        raise a
    except ValueError:
        class Body(object):
            b = ValueError("b")
            try:
                raise b
            except ValueError:
                park((b, "Body"), (a, "class_body"))


def handling(e):
    try:
        raise e
    except ValueError:
        while True:
            outer = yield
            if outer is not None:
                park(*(outer if LEFT else [(e, "handling")] + outer))


@scenario
def generator_in_handler():
    a, b = ValueError("a"), ValueError("b")
    g = handling(b)
    try:
        raise a
    except ValueError:
        next(g)
        g.send([(a, "generator_in_handler")])


@scenario
def generator_resumed_elsewhere():
    """Up to 3.6 its outermost handler has put the first caller's exception aside: nothing to go by."""
    def first():
        try:
            raise ValueError("first")
        except ValueError:
            next(g)
    b = ValueError("b")
    g = handling(b)
    first()
    second = ValueError("second")
    try:
        raise second
    except ValueError:
        g.send([(second, "generator_resumed_elsewhere")])


@scenario
def generator_resumed_outside():
    def first():
        try:
            raise ValueError("first")
        except ValueError:
            next(g)
    b = ValueError("b")
    g = handling(b)
    first()
    g.send([])


@scenario
def generator_suspended():
    b = ValueError("suspended")
    g = handling(b)
    next(g)
    if not LEFT:
        suspended(g, b)
    park()


@scenario
def generator_suspended_deep():
    def deep():
        try:
            raise a
        except ValueError:
            try:
                raise b
            except ValueError:
                yield 1
    a, b = ValueError("outer of two"), ValueError("inner of two")
    g = deep()
    next(g)
    if not LEFT:
        suspended(g, b)
        suspended(g, a)
    park()


@scenario
def generator_without_handler():
    def plain():
        yield 1
        yield park((a, "generator_without_handler"))
    a = ValueError("a")
    try:
        raise a
    except ValueError:
        list(plain())


@scenario
def generator_has_caught():
    def inner():
        try:
            raise ValueError("caught")
        except ValueError:
            pass
        yield 1
        yield park((a, "generator_has_caught"))
    a = ValueError("a")
    g = inner()
    next(g)
    try:
        raise a
    except ValueError:
        next(g)


@scenario
def generators_within():
    def outer():
        b = ValueError("b")
        try:
            raise b
        except ValueError:
            for each in middle(b):
                yield each

    def middle(b):
        for each in inner(b):
            yield each

    def inner(b):
        c = ValueError("c")
        yield 1
        try:
            raise c
        except ValueError:
            park(*[(c, "inner")] + ([] if LEFT else [(b, "outer")]) + [(a, "generators_within")])
        yield 2
    a = ValueError("a")
    try:
        raise a
    except ValueError:
        list(outer())


@scenario
def context_manager():
    @contextlib.contextmanager
    def manager():
        try:
            yield
        except ValueError:
            park((a, "manager"), (a, "context_manager"))
    a = ValueError("a")
    if LEFT or ("Stackless" in sys.version and VERSION < (3, 7)):  # that loses the caller's, when it throws into a generator
        park()
    with manager():
        raise a


@scenario
def tracing():
    def trace(frame, event, arg):
        if event == "exception" and frame.f_code.co_name == "raises":
            park((a, "tracing"))
        return trace

    def raises():
        raise b
    a, b = ValueError("a"), ValueError("b")
    try:
        raise a
    except ValueError:
        sys.settrace(trace)
        raises()


THREE = '''
@scenario
def delegated():
    def inner():
        c = ValueError("c")
        try:
            raise c
        except ValueError:
            park((c, "inner"), (b, "outer"), (a, "delegated"))
        yield 1
    def outer():
        try:
            raise b
        except ValueError:
            yield from inner()
    a, b = ValueError("a"), ValueError("b")
    try:
        raise a
    except ValueError:
        list(outer())
'''

FIVE = '''
@scenario
def coroutines():
    class Manager:
        async def __aenter__(self):
            await asyncio.sleep(0)
        async def __aexit__(self, *args):
            await inner()
    async def inner():
        c = ValueError("c")
        try:
            raise c
        except ValueError:
            park((c, "inner"), (b, "outer"), (a, "outer"))
    async def outer():
        await asyncio.sleep(0)
        try:
            raise a
        except ValueError:
            await asyncio.sleep(0)
            async with Manager():
                raise b
    a, b = ValueError("a"), ValueError("b")
    loop = asyncio.new_event_loop()
    loop.run_until_complete(outer())

@scenario
def waiting_coroutine():
    async def outer():
        try:
            raise a
        except ValueError:
            await asyncio.sleep(0)
            await pause()
    class pause:
        def __await__(self):
            yield 1
    a = ValueError("a")
    c = outer()
    c.send(None)
    suspended(c, a)
    park()
'''

SIX = '''
@scenario
def async_generators():
    async def source():
        try:
            raise b
        except ValueError:
            yield 1
            park((b, "source"), (a, "outer"))
    async def outer():
        try:
            raise a
        except ValueError:
            async for each in source():
                await asyncio.sleep(0)
    a, b = ValueError("a"), ValueError("b")
    asyncio.new_event_loop().run_until_complete(outer())
'''

ELEVEN = '''
@scenario
def groups():
    a, b = ExceptionGroup("g", [ValueError(1), KeyError(2)]), ValueError("b")
    try:
        try:
            raise a
        except* ValueError as part:
            try:
                raise b
            except ValueError:
                park((b, "groups"), (part, "groups"))
    except ExceptionGroup:
        pass
'''


def run(function):
    try:
        function()
    except BaseException:
        traceback.print_exc()
    os._exit(3)  # none of them returns


def main():
    for since, source in ((3, 3), THREE), ((3, 5), FIVE), ((3, 6), SIX), ((3, 11), ELEVEN):
        if VERSION >= since and (asyncio or "asyncio" not in source):
            exec(source, globals())
    for function in SCENARIOS:
        thread = threading.Thread(target=run, args=(function,), name=function.__name__)
        thread.daemon = True
        thread.start()
        READY.acquire()
    last = ValueError("kept by sys")
    try:
        raise last
    except ValueError:
        sys.last_type, sys.last_value, sys.last_traceback = sys.exc_info()
    if LEFT:
        sys.exc_clear()
    with open(os.environ["PYSCRY_TRUTH"], "w") as f:
        json.dump({"threads": THREADS, "suspended": SUSPENDED, "last": "0x%x" % id(last), "names": [s.__name__ for s in SCENARIOS]}, f)
    os.abort()


main()
