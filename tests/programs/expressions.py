# -*- coding: utf-8 -*-
"""Objects for py-print: expressions that Python evaluates, too, and what it must say where code would have to run.

Writes [expression, repr, type] of each to $PYSCRY_TRUTH, then aborts. Runs on 2.7 to 3.15.
"""
from __future__ import print_function

import array
import collections
import datetime
import functools
import json
import os
import sys

PY3 = sys.version_info[0] >= 3
V = sys.version_info[:2]


class Base(object):
    base_attr = 'base'
    shadowed = 'class'
    def method(self): pass
    @classmethod
    def cm(cls): pass
    @staticmethod
    def sm(): pass
    @property
    def prop(self): return 1


class Derived(Base):
    __slots__ = ('s1', 's2')
    own = [1, 2]


class Meta(type):
    meta_attr = 'meta'
    @property
    def meta_prop(cls): return 5


WithMeta = Meta('WithMeta', (Base,), {'x': 1})
d = Derived(); d.s1 = 's'; d.inst = {'k': [1, 2]}; d.shadowed = 'inst'
d.__dict__['prop'] = 'hidden by property'


class A(object):
    __slots__ = ('a',)


class B(A):
    __slots__ = ('b',)


class C(B): pass


c = C(); c.a = 1; c.b = 2; c.c = 3


class GetItem(object):
    data = [1, 2, 3]
    def __init__(self): self.data = [1, 2]
    def __getitem__(self, k): return 'code'


gi = GetItem()


class DataOnly(object):
    def __init__(self): self.data = [10, 20]


do = DataOnly()


class MyDict(dict):
    def __getitem__(self, k): return 'code'


md = MyDict(a=1)


class MyList(list):
    def __getitem__(self, k): return 'code'


ml = MyList([1, 2])


class PlainDict(dict): pass


pd = PlainDict(a=[1])


class PlainList(list): pass


pl = PlainList([5, 6])


class Miss(dict):
    def __missing__(self, k): return 'made'


ms = Miss(a=1)
dd = collections.defaultdict(list, a=[1]); od = collections.OrderedDict([('x', 1), ('y', {'z': 2})])
dq = collections.deque(range(200)); dq.rotate(5)
cnt = collections.Counter('aab')
keys = {1: 'int', 1.5: 'float', 'a': 'str', b'b': 'bytes', None: 'none', True: 'true', (1, 'x'): 'tup', (1, (2, b'y')): 'nest', -3: 'neg', 10**30: 'big', frozenset([1]): 'fs', '': 'empty', u'\u2603': 'snow', "it's": 'quote', 'a"b': 'dq', (): 'unit', (5,): 'one', 2.0: 'two'}
CONFIG = {'host': 'h', 'port': 1, 'user': None, 'pass': '', 'path': '/'}
nested = {'l': [{'t': (1, {'s': 'deep'})}]}
seq = list(range(30)); tup = tuple('abcdef'); text = u'h\xe9llo w\u2603rld'; raw = b'bytes\x00\xff'; ba = bytearray(b'bytearray')
rg = range(10, 100, 7) if PY3 else xrange(10, 100, 7)
arr = array.array('d', [1.5, 2.5, 3.5]); arri = array.array('i', [-1, 2])
mv = memoryview(b'memory')
nt = collections.namedtuple('NT', 'x y')(1, [2])
P = functools.partial(int, '5', base=10)


def func(a, b=2, *args, **kw):
    "docstring"
    return a


func.attr = 'fa'


def outer():
    cellv = {'in': 'cell'}
    def inner(): return cellv
    return inner


clo = outer()


def unbound():
    def inner(): return late
    yield inner  # before the variable has a value
    late = 1


hollow = next(unbound())


def gen():
    x = 5
    yield x


g = gen(); next(g)
bm = d.method


try:
    raise ValueError('msg', 42)
except ValueError as e_:
    exc = e_; tb = sys.exc_info()[2]


osexc = OSError(2, 'No such', 'file')
sl = slice(1, 10, 2)
cx = 1 + 2j
dt = datetime.datetime(2020, 1, 2, 3, 4, 5); td = datetime.timedelta(1, 2, 3)
proxy = Base.__dict__
mod = sys.modules['json'] if 'json' in sys.modules else json
idx = 3; kname = 'a'; negi = -2; flag = True
exec("class OldStyle:\n    x = 1\nold = OldStyle(); old.y = [2]")
lst2 = [[1, 2], [3, [4, 5]]]


if PY3:
    chain = collections.ChainMap({'a': 1}, {'a': 2, 'b': 3}); ud = collections.UserDict(a=1); ul = collections.UserList([1, 2]); us = collections.UserString('user')


EXPRESSIONS = r"""
d.s1
d.inst
d.inst['k'][1]
d.own
d.base_attr
d.shadowed
Derived.shadowed
d.__class__
d.__dict__
c.__dict__
c.a
c.b
c.c
Derived.__mro__
Derived.__mro__[1]
Derived.__bases__
Derived.__base__
Derived.__name__
Derived.__module__
Derived.__qualname__
Derived.__dict__
Base.prop
Base.__dict__['prop']
Base.cm
Base.sm
WithMeta.meta_attr
WithMeta.x
WithMeta.base_attr
Derived.s1
keys[1]
keys[1.5]
keys[0x1]
keys[0b10]
keys[0o1]
keys[-0x3]
keys[1000000000000000000000000000000]
keys[0xc9f2c9cd04674edea40000000]
keys['a']
keys[b'b']
keys[None]
keys[True]
keys[(1, 'x')]
keys[1, 'x']
keys[(1, (2, b'y'))]
keys[-3]
keys[1000000000000000000000000000000]
keys['']
keys[u'\u2603']
keys["it's"]
keys['a"b']
keys[()]
keys[(5,)]
keys[5,]
keys[2.0]
keys[2]
keys[kname]
nested['l'][0]['t'][1]['s']
seq[0]
seq[-1]
seq[idx]
seq[negi]
seq[flag]
seq[1:5]
seq[:3]
seq[-3:]
seq[::2]
seq[::-1]
seq[5:1:-2]
seq[100:200]
seq[:]
seq[1:10][2]
seq[idx:idx]
seq[idx:]
seq[ 1 : 4 ]
seq[True:3]
seq[None:2]
seq[:None]
tup[1:3]
tup[-1]
tup[::2]
tup[:1]
text[1]
text[-1]
text[2:5]
text[::-1]
text[::2]
text[0:0]
raw[0]
raw[1:3]
raw[::2]
ba[0]
ba[1:3]
rg[0]
rg[-1]
rg[2:5]
rg[3]
arr[1]
arri[0]
arri[-1]
arr[1:]
nt.x
nt.y[0]
nt[1]
P.func
P.args
P.keywords
P.keywords['base']
func.__name__
func.__defaults__
func.__doc__
Base.method.__doc__
func.__defaults__[0]
func.__dict__
func.attr
func.__code__
func.__code__.co_name
func.__code__.co_argcount
func.__code__.co_varnames
func.__code__.co_filename
func.__code__.co_firstlineno
func.__code__.co_flags
func.__globals__['idx']
func.__module__
func.__closure__
func.__kwdefaults__
func.__qualname__
clo.__closure__
clo.__closure__[0].cell_contents['in']
hollow.__closure__[0].cell_contents
clo.__name__
clo.__code__.co_freevars
bm.__self__
bm.__func__
bm.__name__
bm.__self__.s1
exc.args
exc.args[1]
exc.__class__
osexc.errno
osexc.strerror
osexc.filename
exc.__cause__
exc.__traceback__
tb.tb_lineno
tb.tb_next
sl.start
sl.stop
sl.step
cx.real
cx.imag
dd['a']
od['y']['z']
dq[0]
dq[-1]
dq[150]
cnt['a']
pd['a'][0]
pl[1]
pl[0:1]
ms['a']
proxy['base_attr']
mod.__name__
mod.dumps
mod.decoder.JSONDecoder
sys.version_info.major
sys.flags.optimize
sys.maxsize
sys.modules['os'].sep
os.sep
os.path.sep
collections.deque
lst2[1][1][0]
cx
old
old.x
old.y[0]
old.__class__
OldStyle.x
dt
dt.year
td.days
chain['b']
chain['a']
ud['a']
ul[1]
ul[-1]
ud.data
d.method
d.method.__func__
Base.method
Base.method.__name__
g.gi_code
g.gi_code.co_name
g.gi_frame.f_lineno
g.gi_frame.f_code.co_name
g.__name__
tb.tb_frame.f_code.co_name
Base.__doc__
idx.real
idx.numerator
arr.typecode
arr.itemsize
rg.start
rg.stop
dq.maxlen
dd.default_factory
__name__
d.__module__
d.__doc__
c.__class__.__mro__[1].a
nested.__class__.__name__
seq.__class__
""".strip().splitlines()
# what Python would run code for
OURS = {'d.prop': '<property>', 'WithMeta.meta_prop': '<property>', 'g.gi_frame.f_locals': "{'x': 5}"}


def truth():
    for expression in EXPRESSIONS:
        try:
            value = eval(expression, globals())
        except Exception:  # not in this version: must fail here, too
            yield [expression, None, None]
            continue
        text = repr(value)
        yield [expression, text if PY3 else text.decode('latin-1'), type(value).__name__]
    for expression, text in OURS.items():
        yield [expression, text, None]


with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
    json.dump({'expressions': list(truth())}, out)
os.abort()
