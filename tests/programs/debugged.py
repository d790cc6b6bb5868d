# -*- coding: utf-8 -*-
"""For a debugger that is attached to it: says "ready", waits for the file argv[2], then does what argv[1] names.

getppid() is where the debugger stops it: a function of the C library that nobody else calls, whatever the build.
What the debugger must show stands in the file argv[3].
"""
from __future__ import print_function

import gc
import json
import os
import sys
import time
import weakref

MODE, GO, TRUTH = sys.argv[1:4]


def wait():
    print("ready")
    sys.stdout.flush()
    while not os.path.exists(GO):
        time.sleep(0.01)


def tell(what):
    with open(TRUTH, "w") as out:
        json.dump(what, out)
    wait()


def stop():
    return os.getppid()


# --- values ---

class Foo(object):
    pass


class Numbers(list):
    pass


class Pair(tuple):
    pass


class Slotted(object):
    __slots__ = ("first", "second")


def caught(function):
    try:
        function()
    except Exception as error:
        return error


def fail():
    raise RuntimeError("I am an error")


def with_dummies(*gone):
    left = set("abcdefgh")
    for each in gone:
        left.remove(each)
    return left


def filled(thing, items=()):
    if items:
        thing += items
    thing.an_int = 42
    return thing


def of_itself():
    one, two = Foo(), Foo()
    one.an_attr, two.an_attr = two, one
    return one


def nested_list():
    a = [3, 4, 5]
    a.append([a])
    return a


def nested_dict():
    a = {}
    a["foo"] = {"bar": a}
    return a


def list_in_itself():
    a = [3, 4, 5]
    a.append(a)
    return a


def frame(a, b, c):
    return sys._getframe(0)


def values():
    yield "int", [42, 0, -7, 10 ** 12, -10 ** 15, 2 ** 200]
    yield "singleton", [True, False, None, Ellipsis, NotImplemented]
    yield "dict", [{}, {"foo": "bar"}, {"foo": "bar", "douglas": 42}, filled(Foo()).__dict__, nested_dict()]
    yield "list", [[], list(range(5)), [[[]]], list_in_itself(), nested_list()]
    yield "bytes", [b"", b"And now for something completely different", b"a NUL \0 and then more", b"\t\n\r'\"\\",
                    b"\xff and \x80", bytes(bytearray(range(255)))]
    yield "str", [u"", u"text", u"a NUL \0 and then more", u"\u2620", u"\u6587\u5b57\u5316\u3051", u"\U0001d121",
                  u"caf\xe9", u"'", u"\"'", u"\x1b[31m"]
    yield "tuple", [(), (1,), ("foo", "bar", "baz")]
    yield "set", [set(), set(["a"]), set(["a", "b"]), set([4, 5, 6]), with_dummies("a"), with_dummies("c", "d", "e", "f")]
    yield "frozenset", [frozenset(), frozenset(["a"]), frozenset(["a", "b"]), frozenset([4, 5, 6])]
    yield "exception", [caught(fail), caught(lambda: 1 / 0), caught(lambda: {}["key"]), caught(lambda: open("/nonexistent/x"))]
    yield "instance", [filled(Foo()), filled(Numbers(), [1, 2, 3]), filled(Pair((1, 2, 3))), Slotted(), of_itself()]
    yield "callable", [len, sys.stdout.readline, [].append, "".join, dict.fromkeys, Foo, Foo().__init__, fail, int.__add__]
    yield "frame", [frame(3, 4, 5)]
    yield "builtin", [sys, __builtins__, __builtins__.help if hasattr(__builtins__, "help") else None]


def address(value):
    return hex(id(value)).rstrip("L")


def show_values():
    cases, table = [], []
    for family, each in values():
        cases += each
        table += [{"family": family, "repr": repr(value), "id": address(value)} for value in each]
    long_list, long_text, victim = list(range(1000)), "x" * 5000, Foo()
    tell({"values": table, "long_list": address(long_list), "victim": address(victim), "victim_type": address(Foo)})
    show_them(cases, long_list, long_text, victim)


def show_them(cases, long_list, long_text, victim):
    stop()
    for value in cases + [long_list, None]:
        id(value)


# --- the way through the stack ---

def foo(a, b, c):
    bar(a=a, b=b, c=c)


def bar(a, b, c):
    list(map(lambda each: baz(*each), [(a, b, c)]))


def baz(*args):
    stop()


# --- C functions of every calling convention, called from one line each and calling back ---

stopped = []


def stop_once():
    if not stopped:
        stopped.append(stop())


class Caller(object):
    def __init__(self, *ignored):
        pass

    def back(self, *_, **__):
        stop_once()
        return True

    __eq__ = __lt__ = __call__ = back
    __hash__ = None

    def __iter__(self):
        stop_once()
        return iter(())


class Leaver(object):
    def __del__(self):
        stop()


class Made(list):
    def __init__(self):
        super(Made, self).__init__(each for each in Caller())


def called_noargs():
    {1: Leaver()}.clear()


def called_o():
    [].extend(Caller())


def called_varargs():
    [1, 2].index(Caller())


def called_keywords():
    [1, 2].sort(key=Caller())


def called_classmethod():
    dict.fromkeys(Caller())


def called_static():
    sorted([2, 1], key=Caller())


def called_type():
    tuple(Caller())


def called_wrapper():
    Made()


def called_slot():
    1 == Caller()


def called_partial():
    import functools
    functools.partial(Caller(), 1, a=2)()


def call_all():
    names = sorted(name for name in globals() if name.startswith("called_"))
    tell(names)
    for name in names:
        del stopped[:]
        globals()[name]()


# --- what a thread does ---

def collecting():
    class Knot(object):
        pass

    def forget(reference):
        stop()
    a, b = Knot(), Knot()
    a.other, b.other = b, a
    kept = weakref.ref(a, forget)
    del a, b
    tell(None)
    gc.collect()
    return kept


def threads():
    import threading

    def spin():
        while True:
            pass
    for i in range(3):
        thread = threading.Thread(target=spin, name="spinner")
        thread.daemon = True
        thread.start()
    tell(None)
    for turn in range(5):
        stop()
    os._exit(0)


def steps():
    tell(None)
    for turn in range(3):
        stop_at(turn)
    sys.exit(3)


def stop_at(turn):
    stop()


if MODE == "values":
    show_values()
elif MODE == "stack":
    tell(None)
    foo(1, 2, 3)
else:
    {"calls": call_all, "collecting": collecting, "threads": threads, "steps": steps}[MODE]()
