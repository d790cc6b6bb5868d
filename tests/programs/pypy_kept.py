# -*- coding: utf-8 -*-
"""Objects of PyPy's that a C extension (pypy_kept.c, as kept.so beside this file) keeps; the truth are their addresses and repr()."""
from __future__ import print_function

import ctypes
import gc
import imp
import json
import os
import sys

os.rename('kept.so', 'kept' + [suffix for suffix, _, kind in imp.get_suffixes() if kind == imp.C_EXTENSION][0])
import kept


class Plain(object):
    def __init__(self):
        self.name = 'plain'
        self.number = 77


def word(address):
    return ctypes.c_ulong.from_address(address).value


def text(value):
    return value if sys.version_info[0] > 2 else value.decode('ascii')


values = [
    (1, 'two'), Plain(), 1234567, 3.5, 'a text', u'\xfc', b'bytes', None, True, [1, [2]], {'k': (1,)}, {1, 2}, int, Plain, len,
    Plain().__init__,
]
objects = []
for value in values:
    address = kept.keep(value)
    form = '<__main__.Plain object at ' if isinstance(value, Plain) else repr(value)
    objects.append({'address': address, 'repr': text(form), 'type': type(value).__name__})
class Lone(object):
    def __init__(self):
        self.name = 'lone'


lone = [kept.keep(Lone()) for i in range(3)]
packed = kept.pack((1, 'two'), None)
objects.append({'address': packed, 'repr': "((1, 'two'), None)", 'type': 'tuple'})
thing = kept.thing()
objects.append({'address': thing, 'repr': '<kept.Thing object at ', 'type': 'Thing'})
objects.append({'address': kept.type(), 'repr': "<class 'kept.Thing'>", 'type': 'type'})
for i in range(3):
    gc.collect()
for entry in objects:
    entry['count'] = word(entry['address']) & (1 << 60) - 1
    entry['linked'] = word(entry['address'] + 8) != 0
with open(os.environ.get('PYSCRY_TRUTH', 'truth.json'), 'w') as out:
    json.dump({'objects': objects, 'lone': lone}, out)
kept.crash()
