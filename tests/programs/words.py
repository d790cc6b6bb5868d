# -*- coding: utf-8 -*-
"""A program that knows its objects: where each is and how far it reaches, and memory that is none.

What judges words of its stacks, heap and registers is compared with that. Runs on 2.7 to 3.15.
"""
import collections
import ctypes
import datetime
import functools
import gc
import os
import random
import struct
import sys
import threading
import time
import types

WORD = ctypes.sizeof(ctypes.c_void_p)


class Plain(object):
    def __init__(self, n):
        self.n, self.text = n, "text %d" % n


class Slotted(object):
    __slots__ = ("one", "two", "three")

    def __init__(self, n):
        self.one, self.three = n, Slotted


class Error(Exception):
    pass


def suspended(n):
    for i in range(n):
        yield [i]


def closure(n):
    return lambda x: x + n


def caught(n):
    try:
        raise Error(n, [n])
    except Error as error:
        return error


def made():
    """Objects of many kinds and sizes; every third is given back."""
    kept = []
    for n in range(400):
        kept += [Plain(n), Slotted(n), {n: str(n)}, [Slotted] * (n % 9), (n, None, Plain), set([n, str(n)]), n / 7.0,
                 2 ** (n + 65), b"x" * n, u"\u2603" * n, u"y" * n, closure(n), caught(n), bytearray(n),
                 functools.partial(closure, n), complex(n, 1), frozenset([n]), slice(n, Plain, None), Plain(n).__init__,
                 datetime.time(n % 24), datetime.datetime(2000 + n, 1, 2), time.gmtime(n), os.stat("."), 7 ** (150 * n)]
        generator = suspended(n + 2)
        next(generator)
        kept.append(generator)
    for n in range(60):
        kept += [type("Class%d" % n, (Plain,), {"attribute": n}), collections.deque(range(n)), collections.OrderedDict([(n, n)]),
                 b"z" * 3000 * n, tuple(range(n * 40)), [None, Slotted] * n * 30, dict.fromkeys(range(n * 20), Plain)]
    del kept[::3]
    return kept


def raw_memory(kept):
    """[start, bytes]: memory of malloc() full of counts and types side by side, as stacks have them."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    chance, found = random.Random(1), []
    types_ = [id(t) for t in (Plain, Slotted, int, str, list, dict, tuple, type, float, object, Error)]
    pool = [0, 0, 1, 2, 3, 7, 16, 255, 4096] + types_ + types_ + [id(chance.choice(kept)) for _ in range(30)]
    for n in range(80):
        size = 600 + 97 * n
        place = malloc(size)
        count = size // WORD
        words = (ctypes.c_size_t * count)(*[chance.choice(pool) for _ in range(count)])
        ctypes.memmove(place, words, count * WORD)
        found.append([place, count * WORD])
    return found


def parts(thing):
    """What an object refers to, also where the collector does not ask it."""
    found = gc.get_referents(thing)
    if isinstance(thing, types.CodeType):
        found += [thing.co_code, thing.co_consts, thing.co_names, thing.co_varnames, thing.co_filename, thing.co_name]
    if isinstance(thing, type):
        found += [thing.__name__, thing.__mro__, thing.__bases__]
    return found


EXACT = (int, float, complex, str, bytes, tuple, type(u""))  # all of their own stands behind their head


def extent(thing):
    """Bytes from its start that are certainly its own, and whether that is all of it."""
    kind = type(thing)
    if kind in (datetime.time, datetime.datetime) and not thing.tzinfo:
        return kind.__basicsize__ - WORD, True  # no room for the zone
    if hasattr(kind, "n_unnamed_fields"):
        return kind.__basicsize__ + kind.n_fields * kind.__itemsize__, True  # also those that len() does not count
    if isinstance(thing, type) and not thing.__flags__ & 1 << 9:  # a static one is no class's struct
        return (type.__sizeof__(thing), True) if kind is type and sys.version_info > (3,) else (16 * WORD, False)
    if kind in EXACT and not (kind is type(u"") and sys.version_info < (3,)):
        return kind.__sizeof__(thing), True
    return kind.__basicsize__, kind.__itemsize__ == 0 and not kind.__flags__ & 1 << 2  # 1 << 2: values behind it, 3.13+


def known(given_back):
    """Everything that can be reached: by address, its extent, whether that is all, and it."""
    seen, todo = {}, gc.get_objects() + [None, True, Ellipsis, NotImplemented, object, type]
    held = set([id(seen), id(todo), id(given_back)])
    while todo:
        thing = todo.pop()
        if id(thing) in seen or id(thing) in held:
            continue
        size, whole = extent(thing)
        seen[id(thing)] = (size, whole, thing)  # and it stays: a code object makes its bytes anew each time
        todo += parts(thing)
    return seen


def worker(n, ready):
    if n:
        return worker(n - 1, ready)
    ready.set()
    time.sleep(1000)


class Ordered(object):
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return end(self, other)


def end(a, b):
    if set([a.n, b.n]) == set([4, 5]):
        functools.reduce(lambda x, y: os.abort(), [1, 2, 3])
    return a.n < b.n


def main():
    threads = []
    for n in (3, 9):
        ready = threading.Event()
        thread = threading.Thread(target=worker, args=(n, ready))
        thread.daemon = True
        thread.start()
        ready.wait()
        threads.append(thread)
    kept = made()
    gc.collect()
    raw = raw_memory(kept)
    ordered = [Ordered(n) for n in (1, 2, 3, 4, 5, 6, 5, 4)]
    gc.disable()
    with open(os.environ["PYSCRY_TRUTH"] + ".words", "wb") as f:
        given_back = [b"g" * (n % 600) for n in range(6000)]
        told = known(given_back)
        del given_back
        for address, (size, whole, _) in told.items():
            f.write(struct.pack("<QII", address, min(size, 2 ** 32 - 1), whole))
    with open(os.environ["PYSCRY_TRUTH"], "w") as f:
        f.write('{"raw": %s}' % str(raw).replace("L", ""))
    sorted(ordered)


main()
