# -*- coding: utf-8 -*-
"""All that the collector tracks, by generation, and objects of many sizes: what walks of the memory shall meet.

Runs on 2.7 to 3.15; no objects are made between the lists and the end.
"""
import gc
import json
import os
import sys


def made():
    """Objects of every size of block, each in one of its own; some between them are given back."""
    texts = [b"x" * n for n in range(2, 480, 3) for _ in range(3)]
    numbers = [2 ** (30 * n) for n in range(3, 100)]
    floats = [n / 7.0 for n in range(2000)] if sys.version_info >= (3,) else []  # those of 2.7 share blocks
    unicodes = [u"\u2603" * n for n in range(2, 200)] if sys.version_info >= (3,) else []  # the text of 2.7 is apart
    for group in (texts, numbers, floats, unicodes):
        del group[1::3]
    return texts + numbers + floats + unicodes


def large(kept):
    return [kept, b"y" * 5000, b"z" * 2000000]


def frozen():
    return gc.get_freeze_count() if hasattr(gc, "get_freeze_count") else 0


def main():
    gc.collect()
    gc.disable()
    kept = made()
    kept.append(large(kept))
    old = [[n] for n in range(300)]
    gc.collect(1)
    young = [{n: [n]} for n in range(300)]
    sizes = {"0x%x" % id(value): sys.getsizeof(value) for value in kept[:-1]}
    generations = range(3) if sys.version_info >= (3, 8) and gc.get_objects(generation=2) else [None]
    with open(os.environ["PYSCRY_TRUTH"], "w") as f:
        f.write('{"kept": %s, "large": %s, "old": "0x%x", "young": "0x%x", "frozen": %d, "tracked": {' % (
            json.dumps(sizes), json.dumps(["0x%x" % id(v) for v in kept[-1][1:]]), id(old), id(young), frozen()))
        for generation in generations:
            tracked = gc.get_objects() if generation is None else gc.get_objects(generation=generation)
            f.write("%s\"%s\": [" % (", " if generation else "", generation))
            for i in range(len(tracked)):
                f.write("%s%d" % (", " if i else "", id(tracked[i])))
            f.write("]")
            del tracked
        f.write("}}")
    os.abort()


main()
