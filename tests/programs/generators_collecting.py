"""A crash in the middle of a collection: a type whose tp_traverse is abort(). Generators, written to $PYSCRY_TRUTH before.

Runs on Python 2.7 to 3.15, needs ctypes.
"""
import ctypes
import gc
import json
import os
import sys
import types


def numbers(n):
    for i in range(n):
        yield i


class Fatal(object):
    pass


def main():
    gc.disable()
    keep = [numbers(10) for _ in range(300)]
    for generation in range(3):
        for thing in keep[generation * 100:generation * 100 + 90]:
            next(thing)
        if generation < 2:
            gc.collect(1 - generation)
    fatal = [Fatal() for _ in range(3)]
    more = [numbers(10) for _ in range(50)]
    found = [{'id': hex(id(each)).rstrip('L')} for each in gc.get_objects()
             if type(each) is types.GeneratorType and each.gi_frame and not each.gi_running]
    with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
        json.dump({'version': sys.version, 'pid': os.getpid(), 'generators': found}, out)
    traverse = id(Fatal) + 23 * ctypes.sizeof(ctypes.c_void_p) + object.__basicsize__ - 2 * ctypes.sizeof(ctypes.c_void_p)
    ctypes.c_void_p.from_address(traverse).value = ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value
    gc.collect()
    return fatal, more


main()
