"""References that count for nothing: what they lead to was freed, and its block, a chunk of malloc's or a list of
freed objects has its memory. Dies before anything else can take it. The argument: an allocator."""
import ctypes
import json
import os
import sys

if sys.argv[1] != os.environ.get('PYTHONMALLOC', 'default'):
    os.environ['PYTHONMALLOC'] = sys.argv[1]
    os.execv(sys.executable, [sys.executable] + sys.argv)


class Wide(object):
    __slots__ = ['s%d' % i for i in range(100)]


class Small(object):
    __slots__ = ('x',)


dec = ctypes.pythonapi.Py_DecRef
dec.argtypes, dec.restype = [ctypes.py_object], None
wide, small, large, listed, sound = [Wide()], [Small()], [tuple([i] for i in range(200))], [[]], [Wide()]
with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
    json.dump({name: hex(id(globals()[name][0])).rstrip('L') for name in ('wide', 'small', 'large', 'listed', 'sound')}, out)
for each in (wide, small, large):
    dec(each[0])
# the last thing of all: a list is soon made again
dec(listed[0])
os.abort()
