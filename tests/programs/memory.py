# -*- coding: utf-8 -*-
"""Objects young and old, freed ones, and addresses inside objects: what py-obj shall say. Runs on 2.7 to 3.15.

With "debug" as argument under PYTHONMALLOC=debug (3.6+).
"""
import gc
import json
import os
import sys

if "debug" in sys.argv and os.environ.get("PYTHONMALLOC") != "debug":
    os.environ["PYTHONMALLOC"] = "debug"
    os.execv(sys.executable, [sys.executable] + sys.argv)


class Thing(object):
    def __init__(self):
        self.a, self.b = 1, [2]


class Slotted(object):
    __slots__ = ("one", "two")


def generations():
    """[id, generation]: known by what has been collected since, and what gc says itself."""
    gc.collect()
    old = [Thing(), {"k": [1]}, [Thing]]
    gc.collect()
    gc.collect(0)
    middle = [Thing(), [[]]]
    gc.collect(0)
    young = [Thing(), [[]], lambda: old]
    found = []
    if sys.version_info >= (3, 8):
        for generation in range(3):
            for value in gc.get_objects(generation=generation):
                if any(value is each for group in (old, middle, young) for each in group):
                    found.append(["0x%x" % id(value), generation])
    else:
        for generation, group in enumerate((young, middle, old)):
            found += [["0x%x" % id(value), generation] for value in group]
    return found, (old, middle, young)


def groups():
    """Strings of three sizes; the middle one of each group will be given back."""
    return [[bytes(bytearray([65 + i]) * size) for i in range(7)] for size in (100, 301, 420)]


def inside():
    """[address, id of the object it lies in]"""
    values = [(1, 2.5, None, "x"), Slotted(), [1, 2], u"text " * 30, b"bytes" * 50, b"bytes" * 50000, {1: 2}, 10 ** 200, inside,
              u"\u2603" * 100000]
    found = []
    for value in values:
        size = type(value).__sizeof__(value)
        size = size if isinstance(value, (tuple, bytes, int)) else min(size, 40, object.__sizeof__(value))
        word = tuple.__itemsize__
        for offset in sorted({word, 2 * word, 3 * word, size // 2, size - 1} | ({size - 4 * word} if value is values[0] else set())):
            if 0 < offset < size:
                found.append(["0x%x" % (id(value) + offset), "0x%x" % id(value)])
    return found, values


def main():
    gc.disable()
    generation, kept = generations()
    addresses, values = inside()
    things = [Thing(), Slotted(), [1], {}, b"b" * 99, u"u" * 99, main, Thing]
    strings, unused = groups(), [main]
    with open(os.environ["PYSCRY_TRUTH"], "w") as f:
        json.dump({"generations": generation, "inside": addresses, "free": ["0x%x" % id(g[3]) for g in strings],
                   "kept": ["0x%x" % id(g[i]) for g in strings for i in (0, 1, 2, 4, 5, 6)],
                   "unused": "0x%x" % id(unused), "things": ["0x%x" % id(t) for t in things]}, f)
    for group in strings:
        del group[3]
    del unused  # Python keeps it for the next list
    os.abort()


main()
