# -*- coding: utf-8 -*-
"""What a class has a say in, and odd classes: the truth is repr(), with what the object holds where the class's own code makes that.

Runs on 2.7 to 3.15; the end is ends.py's.
"""
from __future__ import print_function

import collections
import sys

import ends

PY3 = sys.version_info[0] >= 3
VALUES = []
EXPRESSIONS = []


def add(name, value, holding=None):
    """`holding`: where code of the class makes the repr, what its base has."""
    VALUES.append((name, value, holding))
    return value


def cls(name, *bases, **members):
    return type(name, bases or (object,), members)


def one(self, *args):
    return iter(['made', 'up'])


def pairs(self, *args):
    return [('made', 'up')]


def overridden():
    add('list', cls('L', list, __iter__=one, __len__=lambda self: 9)([1, 2]))
    add('tuple', cls('T', tuple, __iter__=one)((1, 2)))
    add('dict', cls('D', dict, __iter__=one, items=pairs, keys=one, __getitem__=lambda self, key: 0)({'a': 1}))
    add('set', cls('S', set, __iter__=one)([1]), '{1}')
    add('frozenset', cls('F', frozenset, __iter__=one)([1]), '{1}')
    add('deque', cls('Q', collections.deque, __iter__=one)([1, 'x']), "[1, 'x']")
    add('set in list', [cls('S', set, __iter__=one)([2])], '{2}')
    add('OrderedDict of own items', cls('O', collections.OrderedDict, items=pairs)([('a', 1)]),
        "{'a': 1}" if sys.version_info < (3, 12) else None)
    add('OrderedDict of own len', cls('O', collections.OrderedDict, __len__=lambda self: 1)([('a', 1)]),
        None if sys.version_info >= (3, 5) else "{'a': 1}")
    add('Counter of own most_common', cls('C', collections.Counter, most_common=pairs)('aab'), "{'a': 2, 'b': 1}")
    add('Counter of own items', cls('C', collections.Counter, items=pairs, iteritems=pairs)('aa'), "{'a': 2}")
    add('Counter with a method', cls('C', collections.Counter, total_of=pairs)('aab'))
    add('defaultdict', cls('DD', collections.defaultdict, __missing__=one, __iter__=one, items=pairs)(int, {1: 2}))
    intercepting = {'__getattribute__': lambda self, name: object.__getattribute__(self, name)}
    add('dict that intercepts', cls('D', dict, **intercepting)({'a': 1}))
    add('Counter that intercepts', cls('C', collections.Counter, **intercepting)('a'), "{'a': 1}")
    add('int', cls('I', int, __str__=lambda self: 'mine', __int__=lambda self: 1)(7))
    add('float', cls('R', float, __str__=lambda self: 'mine')(7.5))
    add('str', cls('St', str, __str__=lambda self: 'mine', __iter__=one)('x'))


def named():
    anonymous = add('no name', cls('')())
    anonymous.job = 'export'
    for name in ('Two\nLines', 'a b', '\t', 'x.y', '<lambda>', '?', 'object at 0x0', '\x7f', '\x1b[31m', 'long' * 400):
        add('named %r' % name[:20], cls(name)())
    add('module named nothing', cls('\r', __module__='')())
    add('class', cls('Cl\nass'))
    if PY3:
        add('accents', cls(u'h\u00e9llo \u4e16 \u200b')())
        add('surrogate', cls(u'a\u2028b')())
    global ANONYMOUS, KEEP
    ANONYMOUS = anonymous
    EXPRESSIONS.append(['ANONYMOUS.job', repr('export')])
    import weakref
    KEEP = [cls('Referent' + 'x' * length)() for length in (3, 41, 43, 300)]
    for kept in KEEP:
        add('weak reference to %d' % len(type(kept).__name__), weakref.ref(kept))


def library():
    import io
    here = __file__.replace('.pyc', '.py')
    for base, arguments in ((io.FileIO, (here,)), (io.TextIOWrapper, (io.open(here, 'rb'),)), (io.BufferedReader, (io.FileIO(here),)),
                            (io.BufferedWriter, (io.FileIO('/dev/null', 'w'),))):
        add(base.__name__, cls('My' + base.__name__, base)(*arguments))
        add('inner ' + base.__name__, cls('My.' + base.__name__, base)(*(
            (here,) if base is io.FileIO else (io.open(here, 'rb'),) if base is io.TextIOWrapper else
            (io.FileIO('/dev/null', 'w'),))) if base is not io.BufferedReader else 1)
    if not PY3:
        return
    import enum
    import os
    import threading
    for name in set(os.environ) - {'PYSCRY_TRUTH', 'PYSCRY_END'}:
        del os.environ[name]
    add('environ', os.environ)
    add('environb', os.environb)
    broken, draining = threading.Barrier(2), threading.Barrier(3)
    broken.abort()
    add('broken barrier', broken)
    add('barrier', draining)
    add('own barrier', cls('B', threading.Barrier)(2))
    if sys.version_info >= (3, 11):
        add('barrier of own parties', cls('B', threading.Barrier, parties=5)(2), '')
    if sys.version_info >= (3, 7):
        dataclassed(enum)
    if sys.version_info >= (3, 5):
        callbacks()


def dataclassed(enum):
    import dataclasses
    Point = dataclasses.make_dataclass('Point', [('x', int), ('y', int)])
    Hidden = dataclasses.make_dataclass('Hidden', [('x', int), ('y', int, dataclasses.field(repr=False))])
    Silent = dataclasses.make_dataclass('Silent', [('x', int)], repr=False)
    space = dict(globals(), Point=Point, Hidden=Hidden, Silent=Silent, enum=enum, dataclasses=dataclasses)
    exec('''
class Named(Point, enum.Enum):
    UNIT = 1, 1
class Partly(Hidden, enum.Enum):
    UNIT = 1, 2
class Mixed(Silent, enum.Enum):
    UNIT = 5
class Whole(int, enum.Enum):
    ONE = 1
class Letter(str, enum.Enum):
    A = 'a'
class Bits(enum.Flag):
    R = 4
    W = 2
class Data:
    def __get__(self, instance, owner=None):
        return 'described'
    def __set__(self, instance, value):
        pass
@dataclasses.dataclass
class Described:
    a: int = 3
    b: Data = Data()
''', space)
    for name in ('Named', 'Partly', 'Whole', 'Letter', 'Bits'):
        for member in space[name]:
            add('%s.%s' % (name, member.name), member)
    add('both bits', space['Bits'](6))
    add('a dataclass with a descriptor', space['Described'](), '')


def callbacks():
    import asyncio
    import functools
    loop = asyncio.new_event_loop()

    def wrapped(future):
        pass

    @functools.wraps(wrapped)
    def wrapper(future):
        pass

    class Board:
        def done(self, future):
            pass

        def __call__(self, future):
            pass
    for name, callback in (('partial', functools.partial(print, 'done', end='')), ('function', wrapped), ('wrapper', wrapper),
                           ('method', Board().done), ('partial of a function', functools.partial(wrapped, 1)), ('builtin', print),
                           ('partial of a partial', functools.partial(functools.partial(wrapped, 'inner'), 'outer', key=None)),
                           ('method of C', [].append), ('class', Board)):
        future = loop.create_future() if hasattr(loop, 'create_future') else asyncio.Future(loop=loop)
        future.add_done_callback(callback)
        add('callback: ' + name, future)
    own = type('Own', (asyncio.Future,), {'_repr_info': lambda self: ['made', 'up']})(loop=loop)
    add('future of own info', own, '')


def asked(value):
    text = repr(value)
    return text if PY3 else text.decode('latin-1')


overridden()
named()
library()
ends.write({
    'values': [{'name': name, 'repr': asked(value), 'type': type(value).__name__, 'id': hex(id(value)).rstrip('L'), 'holding': holding}
               for name, value, holding in VALUES],
    'expressions': EXPRESSIONS})
