# -*- coding: utf-8 -*-
"""Exceptions without end: long chains, circles, wide and deep groups, deep tracebacks. Runs on 3.6 to 3.15."""
import json
import os
import sys
import threading

THREADS, READY = {}, threading.Semaphore(0)
LENGTH = 10000


def park(name):
    THREADS[name] = int(os.readlink("/proc/thread-self").split("/")[-1])
    lock = threading.Lock()
    lock.acquire()
    READY.release()
    lock.acquire()


def chained():
    last = ValueError(0)
    for i in range(1, LENGTH):
        e = ValueError(i)
        e.__context__ = last
        last = e
    last.__cause__ = last.__context__
    try:
        raise last from last.__context__
    except ValueError:
        park("chained")


def circle():
    a, b, c = ValueError("a"), ValueError("b"), ValueError("c")
    a.__cause__, b.__cause__, c.__cause__ = b, c, a
    try:
        raise a
    except ValueError:
        park("circle")


def deep():
    def again(n):
        return again(n + 1) if n < 5000 else deepest()

    def deepest():
        raise RecursionError("deep")
    sys.setrecursionlimit(20000)
    try:
        again(0)
    except RecursionError:
        park("deep")


def handlers():
    def again(n):
        try:
            raise ValueError(n)
        except ValueError:
            if n:
                again(n - 1)
            park("handlers")
    again(300)


def groups():
    wide = ExceptionGroup("wide", [ValueError(i) for i in range(500)])  # noqa: F821
    nested = ValueError("innermost")
    for i in range(100):
        nested = ExceptionGroup("level %d" % i, [nested, nested])  # noqa: F821
    try:
        raise ExceptionGroup("both", [wide, nested, wide])  # noqa: F821
    except ExceptionGroup:  # noqa: F821
        park("groups")


def main():
    threading.stack_size(256 << 20)
    for function in [chained, circle, deep, handlers] + ([groups] if sys.version_info >= (3, 11) else []):
        thread = threading.Thread(target=function, name=function.__name__)
        thread.daemon = True
        thread.start()
        READY.acquire()
    with open(os.environ["PYSCRY_TRUTH"], "w") as f:
        json.dump(THREADS, f)
    os.abort()


main()
