# -*- coding: utf-8 -*-
"""Threads whose state of errors C code has left unclean (unclean.c, given as argument). Runs on 2.7 to 3.15."""
from __future__ import print_function

import ctypes
import json
import os
import sys
import threading
import time
import traceback

VERSION = sys.version_info[:2]
C = ctypes.PyDLL(os.path.abspath(sys.argv[1]))
OBJECT = ctypes.py_object
C.pend_object.argtypes = [OBJECT, OBJECT]
C.pend_none.argtypes = [OBJECT]
C.pend_string.argtypes = [OBJECT, ctypes.c_char_p]
C.leave.argtypes = [OBJECT, OBJECT, OBJECT]
for function in C.pend_object, C.pend_none, C.pend_string, C.leave:
    function.restype = None
PARKED = ctypes.c_int.in_dll(C, "parked")
THREADS, SCENARIOS, KEPT = [], [], []
MADE = VERSION >= (3, 12)  # the error indicator is an instance always


class Custom(Exception):
    def __str__(self):
        return "not to be run"


def scenario(function):
    SCENARIOS.append(function)
    return function


def ident(e):
    return "any" if e is True or e is None and MADE else e and "0x%x" % id(e)


def expect(*entries):
    """Each: state, type, message, instance (None: there is none yet; True: there may be), and whether it is unclean."""
    KEPT.append(entries)
    THREADS.append({"tid": int(os.readlink("/proc/thread-self").split("/")[-1]), "name": threading.current_thread().name, "entries":
                    [[state, name, message, ident(e), unclean] for state, name, message, e, unclean in entries]})


def wait():
    lock = threading.Lock()
    lock.acquire()
    PARKED.value += 1
    lock.acquire()


def pending(name, message, value=None):
    expect(("raised", name, message, value, True))


@scenario
def string():
    pending("ValueError", "from C")
    C.pend_string(ValueError, b"from C")


@scenario
def no_value():
    pending("MemoryError", "")
    C.pend_none(MemoryError)


@scenario
def items():
    pending("ValueError", "(1, 'two')")
    C.pend_object(ValueError, (1, "two"))


@scenario
def one_item():
    pending("RuntimeError", "one")
    C.pend_object(RuntimeError, ("one",))


@scenario
def key():
    pending("KeyError", "'k'")
    C.pend_object(KeyError, "k")


@scenario
def number():
    pending("OSError" if VERSION >= (3, 3) else "IOError", "[Errno 5] gone")
    C.pend_object(IOError, (5, "gone"))


@scenario
def instance():
    e = LookupError("made")
    pending("LookupError", "made", e)
    C.pend_object(LookupError, e)


@scenario
def raised_in_handler():
    e = ValueError("handled")
    try:
        raise e
    except ValueError:
        expect(("raised", "TypeError", "on top", True, True), ("handled", "ValueError", "handled", e, False))
        C.pend_string(TypeError, b"on top")


def gone(message):
    """An exception with its traceback, all of whose frames have returned."""
    def raises():
        raise ValueError(message)
    try:
        raises()
    except ValueError as e:
        return e, sys.exc_info()[2]


def leave(e, tb):
    C.leave(type(e), e, tb)


@scenario
def left():
    e, tb = gone("left")
    leave(e, tb)
    expect(("handled", "ValueError", "left", e, True))
    wait()


@scenario
def left_in_handler():
    e, tb = gone("left")
    try:
        raise KeyError("mine")
    except KeyError:
        leave(e, tb)
        expect(("handled", "ValueError", "left", e, True))
        wait()


@scenario
def left_before_a_handler():
    e, tb = gone("left")
    leave(e, tb)
    mine = KeyError("mine")
    try:
        raise mine
    except KeyError:
        expect(("handled", "KeyError", "'mine'", mine, False), ("handled", "ValueError", "left", e, True))
        wait()


@scenario
def left_without_traceback():
    e = ValueError("bare")
    leave(e, None)
    expect(("handled", "ValueError", "bare", e, True))
    wait()


@scenario
def left_in_generator():
    def generator():
        leave(e, tb)
        expect(*[("handled", "ValueError", "left", e, True)] +
               # up to 3.6 a generator that has caught nothing has its caller's state: C has overwritten that
               ([("handled", "KeyError", "'mine'", mine, False)] if VERSION >= (3, 7) else []))
        wait()
        yield 1
    e, tb = gone("left")
    mine = KeyError("mine")
    try:
        raise mine
    except KeyError:
        next(generator())


@scenario
def own_str():
    e = Custom(7, "x")
    try:
        raise e
    except Custom:
        expect(("handled", "Custom", None, e, False))
        wait()


@scenario
def no_traceback():
    e = ValueError("cut")
    try:
        raise e
    except ValueError:
        e.__traceback__ = None
        expect(("handled", "ValueError", "cut", e, False))
        wait()


if VERSION < (3, 0):
    class Old:
        pass

    @scenario
    def old_class():
        pending("Old", "text")
        C.pend_object(Old, "text")

    @scenario
    def old_instance():
        e = Old()
        e.args = (1, 2)
        try:
            raise e
        except Old:
            expect(("handled", "Old", "(1, 2)", e, False))
            wait()


def run(function):
    try:
        function()
    except BaseException:
        traceback.print_exc()
    os._exit(3)  # none of them returns


def main():
    for n, function in enumerate(SCENARIOS):
        thread = threading.Thread(target=run, args=(function,), name=function.__name__)
        thread.daemon = True
        thread.start()
        while PARKED.value <= n:
            time.sleep(0.001)
    with open(os.environ["PYSCRY_TRUTH"], "w") as f:
        json.dump({"threads": THREADS, "names": [s.__name__ for s in SCENARIOS]}, f)
    os.abort()


main()
