# -*- coding: utf-8 -*-
"""Values whose words a test changes afterwards, and where those words are; slots next to a class. Runs on 2.7 to 3.15, 64-bit.

Offsets: Include/unicodeobject.h, bytesobject.h, longintrepr.h, listobject.h, dictobject.h, setobject.h, bytearrayobject.h.
"""
import gc
import json
import os
import sys

V = sys.version_info[:2]
HEAD = 32 if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled() else 16  # count and type
TEXT = HEAD + (24 if V >= (3, 12) else 32)  # a compact str lost its wchar_t form in 3.12
OLD = V < (3,)

text = u"sound %d" % len(sys.argv)
data = b"abc" + b"d" * len(sys.argv)
number = 2 ** 90 + len(sys.argv)
shorter = 12345678901234567890 - len(sys.argv)
items = [11, 22]
pairs = {"k": 1, "m": 2}
members = set([7, 8])
buffer = bytearray(b"xyz")
whole = (1, u"text", b"bytes", 2 ** 100, [1], {1: 2}, set([3]), bytearray(b"z"), frozenset([4]))

CASES = [  # name, the word that is changed, its bytes, the new value, what the answer says of it
    ("text", HEAD, 8, 50, "text"), ("data", HEAD, 8, 20, "text"), ("number", HEAD + 8, 4, 2 ** 32 - 1, "digit 0"),
    ("shorter", HEAD, 8, 8 if V >= (3, 12) else 1, "has room for 3"),
    ("items", HEAD, 8, 100, "says 100"), ("pairs", HEAD + (8 if OLD else 0), 8, 0, "it says 0"),
    ("members", HEAD + 8, 8, 50, "it says 50"), ("members", HEAD + 16, 8, 1, "damaged"), ("buffer", HEAD, 8, 100, "room for"),
] + ([] if OLD else [("text", TEXT, 1, 0xe9, "character 0")])


class Slotted(object):
    __slots__ = ("one", "two")


class Loud(object):
    pass


def beside():
    """[address of the slot `two`, its object]: empty, and the next block begins with a class's address."""
    made = [(Slotted(), [Loud] * 6) for _ in range(2000)]
    kept.append(made)
    return [["0x%x" % (id(s) + HEAD + 8), "0x%x" % id(s)] for s, _ in made[:40]]


kept = []
gc.disable()
truth = {"slots": beside(), "values": {}, "cases": []}
for name in ("text", "data", "number", "shorter", "items", "pairs", "members", "buffer", "whole"):
    truth["values"][name] = repr(globals()[name])
for name, offset, size, value, says in CASES:
    truth["cases"].append([name, id(globals()[name]) + offset, size, value, says])
with open(os.environ["PYSCRY_TRUTH"], "w") as f:
    json.dump(truth, f)
os.abort()
