"""What PyPy's own collector says of its objects: how many of each class it has, and who refers to some of them.

Runs on 2.7 to 3.11. After some collections all objects are old: id() is an address. What the counting itself makes is
not counted: of built-in types there may be some more or less.
"""
from __future__ import print_function

import collections
import gc
import json
import os
import sys
import threading

MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 5000


class Plain(object):
    def __init__(self, number):
        self.number = number
        self.text = "plain %d" % number
        self.ratio = number / 2.0


class Slotted(object):
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right


class Outer(object):
    class Inner(Plain):
        pass


class Numbers(list):
    pass


class Named(dict):
    pass


class Row(object):
    pass


class Failure(ValueError):
    pass


class Target(object):
    def __init__(self, name):
        self.name = name


def closing(value):
    def inner():
        return value

    return inner


def suspended(value):
    yield value
    yield value


TARGETS = {}


def target(name):
    found = TARGETS[name] = Target(name)
    return found


def make():
    plain = [Plain(i) for i in range(MANY)]
    slotted = [Slotted(one, None) for one in plain[: MANY // 2]]
    inner = [Outer.Inner(i) for i in range(MANY // 4)]
    numbers = [Numbers([1.5, 2.5, i]) for i in range(300)]
    named = [Named(key=i) for i in range(200)]
    failures = [Failure(i) for i in range(40)]
    return [plain, slotted, inner, numbers, named, failures]


HELD = make()
IN_LIST = [target("list"), 1, 2]
IN_TUPLE = (0, target("tuple"))
IN_DICT = {"key": target("dict"), "other": 1}
AS_KEY = {target("key"): 1}
IN_SET = set([target("set")])
IN_FROZENSET = frozenset([target("frozenset")])
IN_DEQUE = collections.deque([target("deque")])
IN_ATTRIBUTE = Plain(1)
IN_ATTRIBUTE.held = target("attribute")
IN_SLOT = Slotted(None, target("slot"))
IN_CLOSURE = closing(target("closure"))
IN_GENERATOR = suspended(target("generator"))
next(IN_GENERATOR)
IN_FAILURE = Failure(target("failure"))
IN_METHOD = target("method").__init__
TWICE = target("twice")
ROW = [Row() for i in range(400)]
AGAIN = [TWICE, TWICE, {"again": TWICE}]
READY, NEVER = threading.Semaphore(0), threading.Semaphore(0)


def waiting(value):
    READY.release()
    NEVER.acquire()
    return value


def name_of(cls):
    name = getattr(cls, "__qualname__", cls.__name__)
    return name if cls.__module__ in ("__builtin__", "builtins") else "%s.%s" % (cls.__module__, name)


def count():
    counts = {}
    for found in gc.get_objects():
        cls = type(found)
        counts[cls] = counts.get(cls, 0) + 1
    return dict((name_of(cls), number) for cls, number in counts.items())


def referrers():
    """Those of each target but what the program itself asks with."""
    own = (TARGETS, sys._getframe())
    told = {}
    for name, found in sorted(TARGETS.items()):
        told[name] = sorted(
            [id(one), type(one).__name__]
            for one in gc.get_referrers(found)
            if not any(one is other for other in own)
        )
    return told


thread = threading.Thread(target=waiting, args=(target("thread"),))
thread.daemon = True
thread.start()
READY.acquire()
for i in range(4):
    gc.collect()
truth = {
    "kept": [id(ROW[i]) for i in range(2, 400, 40)],
    "freed": [id(ROW[i]) for i in range(0, 400, 40)],
    "dropped": [id(ROW[i]) for i in range(1, 400, 40)],
    "prebuilt": [id(int), id(None.__class__)],
    "targets": dict((name, id(one)) for name, one in TARGETS.items()),
    "held": id(HELD),
    "by_name": id(TARGETS),
    "referrers": referrers(),
}
found = one = None
truth["counts"] = count()
text = json.dumps(truth)
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    out.write(text)
# old objects in the midst of others that stay: some freed by a collection, some only dropped after the last one
text = None
for i in range(0, 400, 40):
    ROW[i] = None
for i in range(4):
    gc.collect()
for i in range(1, 400, 40):
    ROW[i] = None
os.abort()
