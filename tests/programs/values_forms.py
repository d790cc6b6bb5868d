# -*- coding: utf-8 -*-
"""Built-in types in many forms, sizes and histories: dicts, attributes, numbers, text, containers, callables, enums.

Each block is a setup and expressions, one a line; what a version does not have is passed over.
"""
from blocks import block, write

import sys
PY3 = sys.version_info[0] >= 3
V = sys.version_info[:2]

block(r"""
import random
def ins(d, keys):
    for k in keys: d[k] = len(d)
    return d
def dele(d, keys):
    for k in keys: del d[k]
    return d
big = ins({}, range(30000))
def churn():
    d = {}
    for i in range(3000):
        d[i % 50] = i
        if i % 3 == 0: d.pop((i * 7) % 50, None)
    return d
class E(object): pass
class Many(object):
    def __init__(self, n=40, rev=False):
        for i in (reversed(range(n)) if rev else range(n)): setattr(self, 'a%d' % i, i)
def inst(cls, **kw):
    o = cls(); o.__dict__.update(kw); return o
shared = []
class Sh(object):
    def __init__(self, order):
        for c in order: setattr(self, c, ord(c))
for order in ('abc', 'cba', 'bac', 'abcd', 'dcab', 'a', '', 'zyxwvutsrqponmlkjihgfedcbaABCDEFGHIJKLMNOP'):
    shared.append(Sh(order))
s_del = Sh('abcdef'); del s_del.c; s_del.c = 'again'; 
s_del2 = Sh('abcdef'); del s_del2.a; del s_del2.f
s_del3 = Sh('abcdef'); 
for c in 'abcdef': delattr(s_del3, c)
s_nonstr = Sh('abc'); s_nonstr.__dict__[5] = 6
s_clear = Sh('abc'); s_clear.__dict__.clear(); s_clear.q = 1
s_cls = Sh('abc'); s_cls.__class__ = type('Other', (object,), {})
s_rep = Sh('abc'); s_rep.__dict__ = {'x': 1}
dictkw = (lambda **kw: kw)(a=1, b=2, c=3)
S = set()
for i in range(1000): S.add(i * 7919)
for i in range(0, 1000, 2): S.discard(i * 7919)
uk = {}
for i in range(60): uk[u'k\u00e9%d' % i] = i
""", r"""
{}
dict()
ins({}, 'abcdefgh')
ins({}, range(5))
ins({}, range(6))
ins({}, range(11))
ins({}, range(200))
ins({}, range(257))
ins({}, range(70000))
big
dele(ins({}, range(100)), range(0, 100, 2))
dele(ins({}, range(10)), range(10))
dele(ins({}, 'abcdefghij'), 'acegi')
ins(dele(ins({}, 'abcdefghij'), 'acegi'), 'zyxa')
churn()
ins({}, [1, 'a', 2.5, None, (1, 2), True, frozenset([1]), b'x', u'\u2603'])
ins({}, ['x%d' % i for i in range(300)] + [5])
ins({}, [u'\u2603', 'a', u'\U0001f600'])
uk
{'self': {'self': {}}}
dict(ins({}, 'abc'))
ins({}, 'abc').copy()
dictkw
dict.fromkeys('abc')
dict.fromkeys(range(20), [])
E().__dict__
[x.__dict__ for x in shared]
s_del.__dict__
s_del2.__dict__
s_del3.__dict__
s_nonstr.__dict__
s_clear.__dict__
s_cls.__dict__
s_rep.__dict__
Many().__dict__
Many(5).__dict__
Many(29).__dict__
Many(30).__dict__
Many(31).__dict__
Many(64).__dict__
Many(40, True).__dict__
shared[0].__dict__.copy()
dict(shared[1].__dict__, q=1)
S
set(range(4))
set(range(5))
set('abc')
frozenset()
set()
frozenset('a')
frozenset([frozenset([1]), (2,)])
set([1, 1.5, None, 'a', (1,)])
set([-1, -2, 10**30])
set(range(1000)) - set(range(3, 999))
type('SubSet', (set,), {})([1])
type('SubSet', (frozenset,), {})([1])
type('SubDict', (dict,), {})(a=1)
type('SubList', (list,), {})([1])
type('SubTuple', (tuple,), {})([1])
type('SubTuple', (tuple,), {})()
[]
[[]]
[[], ()]
()
(1,)
((1,),)
(None,) * 3
[None] * 1000
list(range(5000))
[1, [2, [3, [4, [5]]]]]
""")
block(r"""
r1 = []; r1.append(r1)
r2 = {}; r2['a'] = r2
r3 = ([],); r3[0].append(r3)
r4 = [{}]; r4[0]['k'] = r4
import collections
r5 = collections.deque(); r5.append(r5)
r6 = collections.OrderedDict(); r6['a'] = r6
r7 = collections.defaultdict(list); r7['a'] = r7
r8 = collections.Counter
class L(list): pass
r9 = L(); r9.append(r9)
class FS(object): pass
r10 = [1, 2]; r10b = [r10, r10, {1: r10}]
r11 = {}; r11['v'] = r11.values() if V >= (3, 0) else None
""", r"""
r1
r2
r3
r4
r5
r6
r7
r9
r10b
r11
[r1, r1]
""")
block(r"""
import enum
class N(int): pass
class F(float): pass
class C(complex): pass
class B(bytes): pass
class U(type(u'')): pass
n = N(10**40); n.x = 1
c = C(1, 2); c.x = 2
b = B(b'abc'); b.y = 3
t = type('T', (tuple,), {})((1, 2, 3)); t.z = 4
""" if V >= (3, 4) else r"""
class N(int): pass
class F(float): pass
class C(complex): pass
class B(bytes): pass
class U(type(u'')): pass
n = N(10**10); n.x = 1
c = C(1, 2); c.x = 2
b = B(b'abc'); b.y = 3
t = type('T', (tuple,), {})((1, 2, 3)); t.z = 4
""", r"""
[s * ((1 << k) + d) for k in (14, 15, 16, 29, 30, 31, 32, 45, 59, 60, 61, 63, 64, 90, 120, 127, 128, 1000) for d in (-1, 0, 1) for s in (1, -1)]
10**4200
-10**4299
3**9000
[0, -0, 1, -1, True, False]
N(0)
N(-5)
n
n.__dict__
F('nan')
F(-0.0)
F('inf')
C(0, 0)
C(-0.0, -0.0)
c
c.__dict__
b
b.__dict__
t
t.__dict__
U(u'\u2603')
float('-nan')
-float('nan')
[1e300*1e10, -1e300*1e10, 5e-324, -5e-324, 2.2250738585072014e-308, 2.2250738585072009e-308, 1.7976931348623157e308, -0.0, 0.1+0.2, 1e-7, 123456789.123456789, 1e15, 1e16, 1e17, 99999999999999990.0, 9999999999999998.0, 0.0001, 0.00001234]
[1/3.0, 2/3.0, 1e21, 1.5e300, 4.9406564584124654e-324, 1e-323, 6.02e23, 1.1, 2.675, 9007199254740993.0]
[complex(a, b) for a in (0.0, -0.0, 1.5, float('inf'), float('-inf'), float('nan')) for b in (0.0, -0.0, 2.0, float('inf'), float('-inf'), float('nan'))]
complex(1e16, 1e-7)
-(0j)
complex(-0.0, 0.0)
True + 0
bool(1)
""")
block(r"""
u = (lambda s: s) if PY3 else (lambda s: s)
def uc(*codes):
    if PY3: return u''.join(map(chr, codes))
    return u''.join(("\\U%08x" % c).decode("unicode-escape") for c in codes)
""", r"""
[uc(c) for c in range(0, 0x250)]
[uc(c) for c in range(0x2000, 0x2100)]
[uc(c) for c in range(0xd7f0, 0xd810)]
[uc(c) for c in range(0xdc00, 0xdc10)]
[uc(c) for c in range(0xfe00, 0xfe10)]
[uc(c) for c in (0xffff, 0xfffe, 0x10000, 0x10ffff, 0xe0001, 0xe0100, 0xf0000, 0x1d173, 0x110bd, 0x600, 0x61c, 0x6dd, 0x70f, 0x180e, 0x200e, 0x202f, 0x205f, 0x3000, 0xfeff, 0xfff9, 0xfffc, 0xfffd)]
uc(0xd83d, 0xde00)
uc(0xd83d) + u'x'
u"a'b"
u'a"b'
u'a\'b"c'
u'\0\0'
u"\u2603'\""
u'\\'
u'\\\u2603\n'
u'x' * 5000
u'\u2603' * 3000
u'\U0001f600' * 1000
u'\xe9' * 10
b'\x00'
b"'\""
b"'"
b'"'
bytes(bytearray(range(256)))
bytearray(b"it's \"x\"")
bytearray(b"'")
bytearray()
bytearray(b'x'*1000)
bytearray(range(256))
bytearray(b'hello')[2:]
u'abc'[1:]
sys.intern('hello') if PY3 else intern('hello')
str(12345)
'a' 'b'
str()
repr(u'\u2603')
""")
block("""
import array
mv = memoryview(b'abcdef')
mvr = memoryview(bytearray(b'x')); 
if PY3: mvr.release()
""", r"""
mv
mv[1:3]
memoryview(mv)
mv[::2]
mv.cast('H')
mv.cast('B', [2, 3])
mvr
memoryview(array.array('i', [1]))
array.array('b', [-128, 127])
array.array('B', [0, 255])
array.array('h', [-32768, 32767])
array.array('H', [65535])
array.array('i', [-2**31, 2**31-1])
array.array('I', [2**32-1])
array.array('l', [-2**63])
array.array('L', [2**64-1])
array.array('q', [-2**63])
array.array('Q', [2**64-1])
array.array('f', [0.1, 1e38, float('nan'), float('inf'), -0.0])
array.array('d', [0.1, 5e-324, float('-inf')])
array.array('u', u'\u2603\U0001f600x')
array.array('w', u'\u2603\U0001f600x')
array.array('u')
array.array('d')
array.array('c', 'abc')
array.array('F', [1+2j])
array.array('D', [1+2j, complex('nan')])
array.array('e', [1.5, 0.1])
array.array('i', range(1000))
type('Arr', (array.array,), {})('i', [1])
range(5)
range(0)
range(1, 5)
range(1, 10, 2)
range(10, 0, -3)
range(10**20)
range(-10**20, 10**20, 10**10)
range(0, 10, 1)
xrange(5)
xrange(1, 10, 3)
xrange(10, 0, -1)
xrange(0)
slice(None)
slice(1)
slice(1, 2, 3)
slice('a', None, [1])
Ellipsis
NotImplemented
None
""")
block(r"""
import collections
dq = collections.deque(range(200)); 
for i in range(150): dq.append(i); dq.popleft()
dq2 = collections.deque(range(100), 50); dq2.rotate(17)
dq3 = collections.deque(range(70)); dq3.rotate(-33)
dq4 = collections.deque()
for i in range(500): dq4.appendleft(i)
for i in range(499): dq4.pop()
dq5 = collections.deque(range(130)); 
for i in range(66): dq5.popleft()
OD = collections.OrderedDict
od = OD((c, i) for i, c in enumerate('abcdefgh'))
del od['c']; 
if PY3: od.move_to_end('a'); od.move_to_end('g', last=False)
od.popitem()
od2 = OD(); 
for i in range(500): od2[i] = -i
for i in range(0, 500, 3): del od2[i]
od2[3] = 'back'
class OD2(OD): pass
od3 = OD2(a=1); od3.x = 5
od4 = OD({u'\u2603': OD(a=OD())})
dd = collections.defaultdict(lambda: collections.defaultdict(int)); dd['a']['b'] += 1
dd2 = collections.defaultdict(list, {'a': [1]}); dd2['x'].append(dd2['a'])
dd3 = collections.defaultdict(None, {1: 2})
dd4 = collections.defaultdict(collections.OrderedDict); dd4['q']['z'] = 1
class DD(collections.defaultdict): pass
cn = collections.Counter('abracadabra'); cn['z'] = 0; cn['neg'] = -5
cn2 = collections.Counter({1: 1, 'a': 1, None: 1})
cn3 = collections.Counter(); 
cn4 = collections.Counter(a=1.5, b=2, c=True)
cn5 = collections.Counter({i: i % 7 for i in range(100)})
cn6 = collections.Counter(a='x', b=3) 
class Cn(collections.Counter): pass
P = collections.namedtuple('P', 'x y')
class P2(P):
    __slots__ = ()
class P3(P):
    def __repr__(self): return 'P3!'
class P4(P): pass
P0 = collections.namedtuple('P0', '')
PR = collections.namedtuple('PR', 'class def x', rename=True)
""", r"""
collections.deque()
dq
dq2
dq3
dq4
dq5
collections.deque([1], 0)
collections.deque('abc', maxlen=2)
collections.deque(maxlen=10**10)
type('DQ', (collections.deque,), {})([1])
type('DQ', (collections.deque,), {})([1], 5)
od
od2
od3
od4
OD()
od.keys()
od.values()
od.items()
dd
dd['a']
dd2
dd3
dd4
DD(int, a=1)
cn
cn2
cn3
cn4
cn5
cn6
Cn('aab')
cn.items()
collections.ChainMap({1: 2}, {3: 4})
collections.ChainMap()
collections.ChainMap({}).new_child({1: 1})
collections.UserDict(a=1)
collections.UserList([1])
collections.UserString('x')
P(1, 2)
P2(1, P(3, 4))
P3(1, 2)
P4(5, 6)
P0()
PR(1, 2, 3)
P
[P(1, 2)] * 3
P(1, 2)._asdict()
P(1, 2)._replace(x=5)
P.x
""")
block("class FD(frozendict): pass", """
frozendict()
frozendict(a=1)
frozendict({1: [frozendict()]})
FD(x=1)
""", since=(3,15))
block(r"""
import functools, types, itertools, operator, weakref, threading, sys
class K(object):
    'doc'
    kind = 1
    def m(self): pass
    @classmethod
    def cm(cls): pass
    @staticmethod
    def sm(): pass
    @property
    def p(self): return 1
    class Inner(object):
        def im(self): pass
        class Deep(object): pass
k = K()
def f(a, b=1, *c, **d):
    def inner():
        return a, b
    return inner
def g(): yield 1
gen = g(); gen2 = g(); next(gen2); gen3 = g(); list(gen3)
lam = lambda x: x
class Meta(type):
    def __repr__(cls): return '<Meta!>'
class Meta2(type): pass
WithMeta = Meta('WithMeta', (object,), {})
WithMeta2 = Meta2('WithMeta2', (object,), {})
class Odd(object):
    __module__ = 'some.mod'
class NoMod(object): pass
NoMod.__module__ = None
class Ren(object): pass
Ren.__name__ = 'Renamed'
if PY3: Ren.__qualname__ = 'A.B.Renamed'
f2 = lambda: 0
f2.__name__ = 'other name'
class Callable(object):
    def __call__(self): pass
cc = Callable()
import collections
class BadRepr(object):
    def __repr__(self): return 'x' 
class StrOnly(object):
    def __str__(self): return 's'
class Sl(object):
    __slots__ = ('a', 'b', '__weakref__', '__dict__')
sl = Sl(); sl.a = 1; sl.z = 2; 
class InstRepr(object): pass
ir = InstRepr(); ir.__repr__ = lambda: 'never'
""", r"""
K
k
K.m
k.m
K.cm
k.cm
k.sm
K.sm
K.p
K.__dict__['cm']
K.__dict__['sm']
K.__dict__['m']
K.Inner
K.Inner.im
K.Inner().im
K.Inner.Deep
K.Inner.Deep()
K.Inner.__init__
K.__init__
k.__init__
k.__str__
K.__str__
k.__eq__
k.__class__
f
f(1)
f(1).__closure__
f.__code__
f(1).__code__
lam
lam.__code__
f2
cc
cc.__call__
gen
gen2
gen3
(i for i in [])
WithMeta
WithMeta()
WithMeta2
WithMeta2()
Odd
Odd()
Odd.__init__
NoMod
NoMod()
Ren
Ren()
BadRepr()
StrOnly()
Sl
sl
Sl.a
Sl.__dict__['__weakref__']
Sl.__dict__['__dict__']
ir
type
object
int
type(None)
type(Ellipsis)
type(NotImplemented)
type(f)
type(gen)
type(k.m)
type(len)
type([].append)
type(sys)
type(K.__dict__)
len
sys.exit
[].append
{}.get
''.join
dict.fromkeys
dict.__dict__['fromkeys']
str.maketrans
str.__dict__['maketrans']
object.__new__
int.__new__
object().__repr__
object.__repr__
object.__dict__['__class__']
(1).__add__
int.__add__
[].__len__
list.append
list.__getitem__
list.__dict__['append']
int.real
int.__dict__['real']
complex.real
type.__dict__['__dict__']
type.__mro__
type.__dict__['__mro__']
types.FunctionType.__code__
types.FrameType.f_locals
property(None)
staticmethod(f)
classmethod(f)
staticmethod(None)
classmethod(K)
staticmethod(staticmethod(f))
super(K, k)
super(K, K)
super(K)
functools.partial(f)
functools.partial(f, 1, 2)
functools.partial(f, 1, x=2, y=[3])
functools.partial(functools.partial(f, 1), 2, z=1)
functools.partial(int, base=2)
type('P', (functools.partial,), {})(f, 1)
type('P', (functools.partial,), {'__repr__': lambda s: 'zz'})(f, 1)
functools.partial(f, functools.Placeholder, 2)
functools.Placeholder
functools.partialmethod(f, 1)
functools.partialmethod(f, 1, x=2)
functools.partialmethod(f)
functools.partialmethod(K.__dict__['cm'], 1)
functools.cached_property(f)
functools.lru_cache()(f)
functools.lru_cache(maxsize=None)(lam)
functools.lru_cache(5)(int)
functools.lru_cache()(K.m)
functools.lru_cache()(f).cache_info()
functools.singledispatch(f)
functools.singledispatch(f).registry
functools.singledispatchmethod(f)
functools.total_ordering
functools.cmp_to_key(f)
functools.cmp_to_key(f)(1)
functools.wraps(f)
functools.wraps(f)(lam)
functools.reduce
K.__dict__
K.__dict__.keys()
type(k).__mro__
sys._getframe()
types.MethodType(len, [])
types.MethodType(f, 5)
types.MethodType(cc, 5)
types.MethodType(K, 5)
types.MethodType(functools.partial(f), 1)
types.SimpleNamespace()
types.SimpleNamespace(a=1, b='x')
type('NS', (types.SimpleNamespace,), {})(q=1)
types.SimpleNamespace(**{'not id': 1, 'b': 2})
types.MappingProxyType({})
types.MappingProxyType(collections.OrderedDict(a=1))
types.MappingProxyType(types.MappingProxyType({1: 2}))
types.DynamicClassAttribute(f)
types.CellType(5)
types.CellType()
types.coroutine(g)
types.new_class('NC')
collections.abc.Mapping
""")
block(r"""
import itertools
it2 = iter([1,2,3]); next(it2)
itd = iter([]); list(itd)
""", r"""
iter([1])
it2
itd
iter(())
iter('abc')
iter(u'\u2603')
iter(u'\xe9')
iter(b'ab')
iter(bytearray(b'a'))
iter({})
iter({1: 2}.keys())
iter({1: 2}.values())
iter({1: 2}.items())
reversed({1: 2})
reversed({}.values())
reversed({}.items())
iter(set())
iter(frozenset([1]))
iter(range(3))
iter(range(10**20))
reversed(range(3))
reversed([1])
reversed('abc')
reversed((1,))
iter(memoryview(b'a'))
iter(int, 1)
iter(collections.deque())
reversed(collections.deque())
iter(collections.OrderedDict())
reversed(collections.OrderedDict())
iter(collections.OrderedDict().items())
collections.OrderedDict(a=1).keys()
collections.OrderedDict(a=1).values()
collections.OrderedDict(a=[1]).items()
{1: 2}.keys()
{}.keys()
{}.values()
{1: {2: 3}}.values()
{1: (2,)}.items()
{}.items()
enumerate([])
enumerate('a', 5)
zip()
zip([1])
map(str, [1])
filter(None, [1])
itertools.chain([1])
itertools.chain.from_iterable([])
itertools.cycle([1])
itertools.islice([], 1)
itertools.tee([])[0]
itertools.product([1])
itertools.permutations([1])
itertools.combinations([1], 1)
itertools.combinations_with_replacement([1], 1)
itertools.groupby([])
itertools.starmap(pow, [])
itertools.takewhile(None, [])
itertools.dropwhile(None, [])
itertools.zip_longest([])
itertools.accumulate([1])
itertools.compress([], [])
itertools.filterfalse(None, [])
itertools.pairwise([1])
itertools.batched('ab', 2)
itertools.count()
itertools.count(-5)
itertools.count(1, -2)
itertools.count(1.5, 2)
itertools.count(2**63)
itertools.count(2**62, 2**62)
itertools.count(10**30, 1)
itertools.count(0, 0)
itertools.count(True)
type('Cnt', (itertools.count,), {})(3)
itertools.repeat(1)
itertools.repeat([1], 0)
itertools.repeat(1, 2**40)
type('Rep', (itertools.repeat,), {})(3)
operator.itemgetter(0)
operator.itemgetter('a', (1, 2))
operator.itemgetter((1,))
operator.itemgetter(slice(1, 2))
operator.attrgetter('a')
operator.attrgetter('a.b', 'c', 'd.e.f')
operator.methodcaller('x')
operator.methodcaller('x', 1, [2])
operator.methodcaller('x', 1, k=2, j='q')
operator.methodcaller('x', k=2)
type(iter([]))
type(iter({}))
""")
block(r"""
import weakref
class W(object):
    def meth(self): pass
    def __len__(self): return 1
w = W(); w2 = W(); dead = weakref.ref(W()); 
class Named(object): pass
Nm = Named(); Nm.__name__ = 'thename'
deadproxy = weakref.proxy(W())
def wf(): pass
wset = weakref.WeakSet([w, w2])
wvd = weakref.WeakValueDictionary(); wvd['a'] = w; wvd['dead'] = W()
wkd = weakref.WeakKeyDictionary(); wkd[w] = 1
class WR(weakref.ref): pass
class WC(object):
    def __call__(self): pass
wc = WC()
""", r"""
weakref.ref(w)
dead
weakref.ref(Nm)
weakref.ref(wf)
weakref.ref(W)
weakref.ref(w, wf)
WR(w)
weakref.proxy(w)
weakref.proxy(wc)
wset
weakref.WeakSet()
wvd
wkd
wvd.data
wkd.data
wset.data
weakref.WeakMethod(w.meth)
weakref.finalize(w, print)
weakref.finalize(w, f, 1)
weakref.KeyedRef(w, None, 'k')
weakref.getweakrefs(w)
""")
block(r"""
import sys, types, os, math, time, json, encodings, zipimport, collections.abc
m1 = types.ModuleType('plain')
m2 = types.ModuleType('withfile'); m2.__file__ = '/x/y.py'
m3 = types.ModuleType('nofile', 'doc')
m4 = types.ModuleType('noname'); del m4.__name__
m5 = types.ModuleType('loader'); m5.__loader__ = 'LLL'
m6 = types.ModuleType(u'\u2603' if PY3 else 'x'); m6.__file__ = None
class Mod(types.ModuleType): pass
class Mod2(types.ModuleType):
    def __repr__(self): return '<lazy>'
""", r"""
sys
os
math
time
json
json.decoder
encodings
__builtins__ if not isinstance(__builtins__, dict) else 0
sys.modules['__main__']
sys.modules.get('importlib._bootstrap')
sys.modules.get('_frozen_importlib')
sys.modules.get('_frozen_importlib_external')
sys.modules.get('zipimport')
sys.modules.get('posix')
sys.modules.get('_io')
sys.modules.get('codecs')
sys.modules.get('encodings.utf_8')
sys.modules.get('site')
sys.modules.get('_collections_abc')
sys.modules.get('os.path')
m1
m2
m3
m4
m5
m6
Mod('sub')
Mod2('sub')
sys.flags
sys.version_info
sys.float_info
sys.int_info
sys.hash_info
sys.thread_info
sys.implementation
sys.__spec__
json.__spec__
json.__loader__
sys.__loader__
math.__spec__
math.__loader__
os.__spec__
os.__loader__
sys.path
sys.path_importer_cache
sys.meta_path
sys.path_hooks
sys.modules.keys()
sys.warnoptions
sys.stdout
sys.stderr
sys.__stdin__
sys.exc_info()
sys.getprofile
os.environ
os.stat('/')
os.stat_result(range(10))
os.times()
os.uname()
os.statvfs('/')
os.terminal_size((80, 24))
os.sched_param(1)
time.localtime(0)
time.gmtime(1.5e9)
time.struct_time(range(9))
time.get_clock_info('monotonic')
__import__('pwd').getpwuid(0)
__import__('grp').getgrgid(0)
__import__('resource').getrusage(0)
__import__('signal').SIGINT
__import__('signal').Handlers.SIG_DFL
__import__('signal').getsignal(2)
__import__('signal').SIG_IGN
sys.asyncgen_hooks if hasattr(sys, 'asyncgen_hooks') else sys.get_asyncgen_hooks()
[next(os.scandir('/'))]
os.scandir('/')
os.popen
os.PathLike
os.DirEntry
""")
block(r"""
import enum
class Color(enum.Enum):
    RED = 1
    GREEN = 'g'
    BLUE = (1, [2])
    CRIMSON = 1
class IE(enum.IntEnum):
    A = 1
    NEG = -5
    BIG = 2**70
class Fl(enum.Flag):
    R = 4
    W = 2
    X = 1
    RW = 6
    NONE = 0
class IF(enum.IntFlag):
    R = 4
    W = 2
    X = 1
class Str(str, enum.Enum):
    A = 'a'
    B = "it's"
class Auto(enum.Enum):
    X = enum.auto()
    Y = enum.auto()
class FloatE(float, enum.Enum):
    P = 3.5
class TupE(tuple, enum.Enum):
    T = (1, 2)
class WithAttr(enum.Enum):
    E = (1, 'mass')
    def __init__(self, a, b):
        self.a = a; self.b = b
class WithRepr(enum.Enum):
    A = 1
    def __repr__(self): return 'wr'
class WithStr(enum.Enum):
    A = 1
    def __str__(self): return 'ws'
class Nested(object):
    class In(enum.Enum):
        Q = object
class NoneE(enum.Enum):
    N = None
    F = 1.5
    L = 3 + 4j
Func = enum.Enum('Func', 'A B C')
FuncI = enum.IntEnum('FuncI', {'a': 1, 'b': 2})
class RM(enum.Enum):
    def __new__(cls, v):
        o = object.__new__(cls); o._value_ = v * 10; return o
    A = 1
class Base(object):
    def __repr__(self): return 'BaseRepr'
class MixE(Base, enum.Enum):
    A = 1
class BytesE(bytes, enum.Enum):
    A = b'x'
""", r"""
Color.RED
Color.GREEN
Color.BLUE
Color.CRIMSON
Color
list(Color)
Color.__members__
IE.A
IE.NEG
IE.BIG
IE
Fl.R
Fl.RW
Fl.R | Fl.X
Fl(0)
Fl.NONE
Fl(7)
~Fl.R
Fl
IF.R
IF.R | IF.W
IF(0)
IF(8)
IF(9)
IF(-1)
~IF.R
IF
Str.A
Str.B
Str
Auto.X
Auto.Y
FloatE.P
TupE.T
WithAttr.E
WithRepr.A
WithStr.A
Nested.In.Q
Nested.In
NoneE.N
NoneE.F
NoneE.L
Func.A
Func
FuncI.b
RM.A
MixE.A
BytesE.A
enum.auto()
enum.Enum
enum.IntEnum
type(Color)
Color.__dict__['RED']
Color._member_map_
""", since=(3, 6))
block(r"""
class SE(enum.StrEnum):
    A = 'x'
    B = enum.auto()
class FB(enum.Flag, boundary=enum.KEEP):
    A = 1
    B = 2
class FC(enum.Flag, boundary=enum.EJECT):
    A = 1
class FS(enum.IntFlag, boundary=enum.CONFORM):
    A = 1
    B = 4
@enum.global_enum
class GE(enum.Enum):
    A = 1
@enum.global_enum
class GF(enum.IntFlag):
    A = 1
    B = 2
class RE(enum.ReprEnum):
    A = 1
class IRE(int, enum.ReprEnum):
    A = 1
class NM(enum.Enum):
    A = 1
    B = enum.nonmember(5)
    C = enum.member(6)
import dataclasses
@dataclasses.dataclass
class DC:
    x: int = 1
class DE(DC, enum.Enum):
    A = 1
""", r"""
SE.A
SE.B
SE
FB.A
FB(1 | 8)
FB(8)
FB(0)
FC(1)
FS.A | FS.B
FS(5)
GE.A
GE
GF.A | GF.B
GF.A
GF(0)
GF(4)
RE.A
IRE.A
NM.A
NM.B
NM.C
DE.A
enum.KEEP
enum.FlagBoundary
enum.EnumCheck.UNIQUE
enum.property(None)
""", since=(3, 11))
block(r"""
import re, signal, socket, ssl
import http
""", r"""
re.I
re.I | re.M | re.S
re.RegexFlag(0)
re.RegexFlag(1024)
re.I | 0x4000
re.A
re.T
re.NOFLAG
socket.AF_INET
socket.SOCK_STREAM
socket.SOCK_STREAM | socket.SOCK_NONBLOCK
socket.AddressFamily(12345) if 0 else socket.AF_UNIX
signal.SIGTERM
signal.Signals(9)
ssl.PROTOCOL_TLS
ssl.OP_ALL
ssl.OP_NO_SSLv3 | ssl.OP_NO_TLSv1
ssl.CERT_NONE
ssl.VERIFY_DEFAULT
http.HTTPStatus.OK
http.HTTPStatus(404)
http.HTTPMethod.GET
[http.HTTPStatus.OK]
__import__('uuid').SafeUUID.unknown
__import__('inspect')._ParameterKind.VAR_KEYWORD
__import__('plistlib').FMT_XML
__import__('select').POLLIN
__import__('selectors').EVENT_READ
__import__('tkinter.constants').constants.END
__import__('pstats').SortKey.TIME
__import__('calendar').JANUARY
__import__('calendar').MONDAY
__import__('mmap').ACCESS_READ
__import__('logging').INFO
""", since=(3, 6))
block(r"""
import collections, functools, types, itertools, operator, array
ns = types.SimpleNamespace(); ns.me = ns; ns.l = [ns]
cm = collections.ChainMap({}); cm['me'] = cm
mp_d = {}; mp = types.MappingProxyType(mp_d); mp_d['me'] = mp
pf = functools.partial(len); pl = []; pf2 = functools.partial(len, pl); pl.append(pf2)
ex = ValueError(); ex.args = (ex,)
exl = []; ex2 = KeyError(exl); exl.append(ex2)
ex3 = ValueError(); ex3.args = (1, [ex3])
NTc = collections.namedtuple('NTc', 'a b'); ntl = []; nt = NTc(ntl, 1); ntl.append(nt)
cn = collections.Counter(); 
dd = collections.defaultdict(lambda: dd); dd['x'] = dd
od = collections.OrderedDict(); od['v'] = od.values(); od['k'] = od.keys()
sl_l = []; sl = slice(sl_l); sl_l.append(sl)
it_l = []; rp = itertools.repeat(it_l); it_l.append(rp)
ud = collections.UserDict(); ud['me'] = ud
ul = collections.UserList(); ul.append(ul)
dq = collections.deque(maxlen=3); dq.append([dq])
class Sub(dict): pass
sd = Sub(); sd['me'] = [sd]
class SubL(list): pass
sll = SubL(); sll.append({1: sll})
st = set(); fz = frozenset([(1, frozenset())])
class Obj(object):
    def m(self): pass
o = Obj(); bm = o.m
bml = []; bml.append(types.MethodType(len, bml))
import argparse
an = argparse.Namespace(); an.me = an
""", """
ns
cm
mp
pf2
pl
ex
ex2
ex3
nt
ntl
dd
sl
rp
ud
ul
dq
sd
sll
fz
bm
bml
[ns, ns]
""", since=(3, 3))
block(r"""
import threading, queue
class BadT(threading.Thread):
    def __init__(self): pass
class WithSlots(object):
    __slots__ = ('a', '__weakref__')
class SlotDict(object):
    __slots__ = ('__dict__',)
sdict = SlotDict(); sdict.q = 1
class TupSlots(tuple):
    __slots__ = ()
class IntD(int): pass
i = IntD(3); i.__dict__['k'] = 1
class Multi(dict, object): pass
class Dotted(object): pass
Dotted.__module__ = 'a.b.c'
class Uni(object): pass
Uni.__name__ = u'\u2603' if PY3 else 'x'
Uni.__qualname__ = u'\u2603'
class LongName(object): pass
LongName.__qualname__ = 'x' * 500
def outer():
    class L(object):
        def meth(self): pass
    return L
Lc = outer()
class Abstract(object):
    import abc
gen = (x for x in [1])
async_src = None
lam = (lambda: (lambda: 0))()
""", """
WithSlots()
sdict
sdict.__dict__
TupSlots((1,))
i
Multi(a=1)
Dotted
Dotted()
Uni
Uni()
LongName()
Lc
Lc()
Lc.meth
Lc().meth
gen
lam
outer.__code__.co_consts
type(gen)
threading.Thread(target=outer, args=(1,), kwargs={'a': 1}, name='n m')
threading.Thread(daemon=True)
queue.Queue().mutex
threading.Timer(1, outer).finished
threading.current_thread()._started
[].__class__.__mro__
type.__call__
object.__init_subclass__
int.from_bytes
dict.fromkeys
'abc'.__len__
(5).__class__
super.__init__
NotImplemented.__class__
sys.getsizeof
sys.stdout.write
sys.__dict__['maxsize']
[int, str, None, Ellipsis, type]
{int: str}
print
open
__import__
eval
type('X', (), {'__slots__': ()})()
type('Y', (type('Z', (), {}),), {})
""", since=(3, 3))


write()
