# -*- coding: utf-8 -*-
"""Buffers and their owners, freed objects, chunks of malloc(): what whatis shall say of their addresses. 2.7 to 3.15.

Nothing is allocated between the truth and the end but what malloc() needs to free chunks.
"""
import array
import collections
import ctypes
import gc
import io
import json
import mmap
import os
import sys

WORD = ctypes.sizeof(ctypes.c_void_p)
HEAD = object.__basicsize__
PY2 = sys.version_info[0] == 2
Four = ctypes.c_char * 4


def pointer(value, offset):
    """The pointer in an object's struct."""
    return ctypes.c_void_p.from_address(id(value) + offset).value


def address(buffer, kept):
    """Where a writable buffer begins; what looks at it is kept."""
    view = (ctypes.c_char * 1).from_buffer(buffer)
    kept.append(view)
    return ctypes.addressof(view)


class Thing(object):
    def __init__(self):
        self.first, self.second = 1, 2


def owners(kept):
    """[address, offset into the memory, id of the owner, type, member]"""
    made = []

    def add(value, at, offset, type, member):
        kept.append(value)
        made.append([hex(at + offset).rstrip('L'), offset, hex(id(value)).rstrip('L'), type, member])

    for size in (100, 5000, 300000):
        value = bytearray(size)
        add(value, address(value, kept), size // 2, 'bytearray', 'ob_start')
        value = array.array('i', [7]) * size
        add(value, value.buffer_info()[0], size, 'array.array', 'ob_item')
        value = ctypes.create_string_buffer(size)
        add(value, ctypes.addressof(value), size - 1, 'ctypes.c_char_Array_%d' % size, 'b_ptr')
        value = list(range(size))
        add(value, pointer(value, HEAD + WORD), 8 * WORD, 'list', 'ob_item')
        value = set(range(size))
        add(value, pointer(value, HEAD + 3 * WORD), 3 * WORD, 'set', 'table')
        value = {n: n for n in range(size)}
        at = pointer(value, HEAD + 3 * WORD) if PY2 else pointer(value, dict.__basicsize__ - 2 * WORD)
        add(value, at, 5 * WORD, 'dict', 'ma_table' if PY2 else 'ma_keys')
    for size in (3, 500):
        value = collections.deque(range(size))
        at = pointer(value, HEAD + (WORD if sys.version_info >= (3, 4) else 0) + WORD)  # the last block
        add(value, at, 6 * WORD, 'collections.deque', 'block')
    value = mmap.mmap(-1, 100000)
    add(value, address(value, kept), 70000, 'mmap.mmap', 'data')
    value = io.StringIO(u'text' * 1000)
    value.write(u'x')
    if sys.version_info >= (3,):
        add(value, pointer(value, HEAD), 40, '_io.StringIO', 'buf')
    try:
        import numpy
        value = numpy.zeros(5000)
        add(value, value.ctypes.data, 800, 'numpy.ndarray', 'data')
    except ImportError:
        pass
    return made


def inside(kept):
    """[address, offset, id, type, member]: in the object itself"""
    value = Four()
    small = ctypes.addressof(value)
    kept += [value, (1, 2, 3), b'b' * 50, u'\u2603' * 30, 10 ** 100, Thing()]
    four, items, data, text, number, thing = kept[-6:]
    rows = [[four, small - id(four) + 1, 'b_value', '__main__.c_char_Array_4'], [items, tuple.__basicsize__ + WORD, 'items[1]', 'tuple'],
            [data, bytes.__basicsize__ + 3, 'ob_sval', 'str' if PY2 else 'bytes'],
            [number, int.__basicsize__ + 4 if not PY2 else (10 ** 100).__class__.__basicsize__ + 4, 'ob_digit', 'long' if PY2 else 'int']]
    return [[hex(id(v) + o).rstrip('L'), o, hex(id(v)).rstrip('L'), t, f] for v, o, f, t in rows]


def groups():
    """Objects of three sizes that nobody else uses, of which three will be freed, the last one first on the list then."""
    found = [[bytes(bytearray([65 + i]) * size) for i in range(7)] for size in (301, 333, 420)]
    return found + [[Four() for i in range(7)]]


def libc():
    c = ctypes.CDLL(None)
    for name, result, argument in (('malloc', ctypes.c_void_p, ctypes.c_size_t), ('malloc_usable_size', ctypes.c_size_t, ctypes.c_void_p),
                                   ('free', None, ctypes.c_void_p)):
        getattr(c, name).restype, getattr(c, name).argtypes = result, [argument]
    return c


def chunks(c):
    """([address, size] in use, the same to be freed), with neighbours that stay"""
    used, freed = [], []
    for size in (1032, 2040, 5000, 70000, 300000, 5000000):
        for i in range(30 if size < 100000 else 2):
            at = c.malloc(size)
            keep = c.malloc(size)
            used.append([hex(keep).rstrip('L'), c.malloc_usable_size(keep)])
            (freed if i % 2 and size < 100000 else used).append([hex(at).rstrip('L'), c.malloc_usable_size(at)])
    return used, freed


def main():
    gc.disable()
    kept, c = [], libc()
    buffers, parts = owners(kept), inside(kept)
    shared = bytearray(b'shared' * 200)
    mv = memoryview(shared)
    KEEP['cache'] = [memoryview(shared)]
    sharing = [hex(id(shared)).rstrip('L'), [hex(id(mv)).rstrip('L'), hex(id(KEEP['cache'][0])).rstrip('L')]]
    at_shared = hex(address(shared, kept)).rstrip('L')
    strings = groups()
    used, freed = chunks(c)
    to_free = [ctypes.c_void_p(int(at, 16)) for at, _ in freed]
    types = ['str' if PY2 else 'bytes'] * 3 + ['__main__.c_char_Array_4']
    with open(os.environ['PYSCRY_TRUTH'], 'w') as f:
        json.dump({
            'owners': buffers, 'inside': parts, 'shared': [at_shared] + sharing,
            'freed': [[hex(id(g[i])).rstrip('L'), t] for g, t in zip(strings, types) for i in (1, 3, 5)],
            'kept': [hex(id(g[i])).rstrip('L') for g in strings for i in (0, 2, 4, 6)],
            'used_chunks': used, 'freed_chunks': freed, 'none': hex(id(None)).rstrip('L'),
            'main': hex(id(main)).rstrip('L')}, f)
    for group in strings:
        del group[1]
        del group[2]  # the third
        del group[3]  # the fifth
    for at in to_free:
        c.free(at)
    if os.environ.get('PYSCRY_END') == 'sleep':
        import time
        time.sleep(600)
    os.abort()


KEEP = {}
main()
