# -*- coding: utf-8 -*-
"""Values whose text depends on a state, or on what was set on an instance: processes, barriers, structures of ctypes, callbacks, enums, files,
weak references, the environment. Runs on 2.7 to 3.15; the end is blocks.py's.
"""
from blocks import block, write
import sys
V = sys.version_info[:2]
block(r"""
import multiprocessing, os, time, signal, threading
import multiprocessing.dummy
mp = multiprocessing.get_context('fork') if hasattr(multiprocessing,'get_context') else multiprocessing
def nothing(): pass
class Own(mp.Process):
    def __init__(self, n): mp.Process.__init__(self, name=n); self.mine = 1
class OwnDaemon(mp.Process):
    daemon = True
class OwnCode(mp.Process):
    exitcode = property(lambda self: 42)
pr = mp.Process(target=nothing, name='quo"te\'')
own = Own('o')
started = Own('s'); started.start(); started.join()
u = mp.Process(target=nothing); u._popen = None
ter = mp.Process(target=time.sleep, args=(100,)); ter.start(); os.kill(ter.pid, signal.SIGKILL); ter.join()
polled = mp.Process(target=os._exit, args=(5,)); polled.start(); time.sleep(0.2)
d = multiprocessing.dummy.Process(target=nothing)
lk = mp.Lock(); rl = mp.RLock(); sem = mp.Semaphore(3); bs = mp.BoundedSemaphore(2); ev = mp.Event(); cond = mp.Condition(); val = mp.Value('i', 5); arr = mp.Array('i', [1,2]); q = mp.SimpleQueue() if hasattr(mp,'SimpleQueue') else 0
lk2 = mp.Lock(); lk2.acquire(); rl2 = mp.RLock(); rl2.acquire(); rl2.acquire()
""", r"""
pr
own
started
u
ter
d
OwnDaemon()
OwnCode()
mp.current_process()
mp.parent_process()
mp.current_process().authkey
lk
rl
sem
bs
ev
cond
lk2
rl2
multiprocessing.connection.Pipe if 0 else 1
multiprocessing.TimeoutError('x')
polled
polled.exitcode
polled
multiprocessing.get_context()
multiprocessing.get_logger()
multiprocessing.shared_memory if 0 else 1
""")
block(r"""
import threading, time
b1 = threading.Barrier(2); b2 = threading.Barrier(3); 
def w(b):
    try: b.wait()
    except threading.BrokenBarrierError: pass
ths = [threading.Thread(target=w, args=(b2,), daemon=True) for _ in range(2)]
for t in ths: t.start()
time.sleep(0.1)
b3 = threading.Barrier(1); b3.wait()
b4 = threading.Barrier(2); b4.abort(); b4.reset()
b5 = threading.Barrier(2, timeout=0.01); w(b5)
b6 = threading.Barrier(2, action=print)
class OB(threading.Barrier): pass
b7 = OB(4); b7.abort()
""", r"""
b1
b2
b3
b4
b5
b6
b7
[b2, b5]
""")
block(r"""
import ctypes
class S(ctypes.Structure): _fields_=[('a',ctypes.c_int),('b',ctypes.c_char*4),('c',ctypes.c_void_p)]
class B(ctypes.BigEndianStructure): _fields_=[('a',ctypes.c_int)]
class Bi(ctypes.Structure): _fields_=[('a',ctypes.c_int,3),('b',ctypes.c_int,5)]
class U(ctypes.Union): _fields_=[('a',ctypes.c_int),('d',ctypes.c_double)]
class N(ctypes.Structure): _fields_=[('s',S),('u',U)]
class MyInt(ctypes.c_int): pass
class MyR(ctypes.Structure):
    _fields_=[('a',ctypes.c_int)]
    def __repr__(self): return 'R'
s = S(1,b'ab',3)
pi = ctypes.pointer(ctypes.c_int(7))
""", r"""
s
B(1)
Bi(1,2)
U(1)
N()
MyInt(5)
ctypes.c_char(b'x')
ctypes.c_wchar(u'x')
ctypes.c_wchar_p(u'x')
ctypes.c_char_p(None)
ctypes.c_void_p(None)
ctypes.c_void_p(3)
ctypes.c_bool(True)
ctypes.c_double(1.5)
ctypes.c_float(1.1)
ctypes.c_longdouble(1.5)
ctypes.c_byte(-1)
ctypes.c_ulonglong(1<<63)
ctypes.py_object([1])
ctypes.py_object()
(ctypes.c_int*3)(1,2,3)
ctypes.create_string_buffer(b'abc')
S.a
S.b
Bi.b
U.d
N.s
s.b
pi
ctypes.POINTER(ctypes.c_int)
ctypes.POINTER(S)()
S
ctypes.byref(s)
ctypes.CFUNCTYPE(ctypes.c_int)
ctypes.c_int
ctypes.ArgumentError('x')
ctypes.CDLL(None)
""")
block(r"""
import asyncio, functools
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
def cb(f): pass
def cb2(a, f, k=None): pass
class C:
    def m(self, f): pass
    @staticmethod
    def sm(f): pass
    @classmethod
    def cm(cls, f): pass
    def __call__(self, f): pass
    pm = functools.partialmethod(cb2, 1)
class CR:
    def m(self, f): pass
    def __repr__(self): return 'CR()'
def fut(*cbs, **kw):
    f = loop.create_future()
    for c in cbs: f.add_done_callback(c)
    return f
def outer():
    def inner(f): pass
    return inner
@functools.lru_cache(None)
def cached(f): pass
@functools.singledispatch
def sd(f): pass
done = fut(); done.set_result('r'*10)
exc = fut(); exc.set_exception(ValueError('v')); 
canc = fut(); canc.cancel()
big = fut(); big.set_result(list(range(1000)))
h = loop.call_soon(cb, 1)
h2 = loop.call_later(100, functools.partial(cb2, 1, k='v'), 'arg')
h3 = loop.call_soon(C().m, 1); h4 = loop.call_soon(print, 'x', 5); h5 = loop.call_soon(cb); h5.cancel()
h6 = loop.call_soon(C(), 1); h7 = loop.call_soon(functools.partial(C().m, 1))
""", r"""
fut(cb)
fut(cb, cb)
fut(cb, cb, cb)
fut(C().m)
fut(C.sm)
fut(C.cm)
fut(C())
fut(C().pm)
fut(CR().m)
fut(lambda f: 1)
fut(outer())
fut(cached)
fut(sd)
fut(print)
fut([].append)
fut({}.get, C().m, lambda f: 0, print)
fut(functools.partial(cb2, 1))
fut(functools.partial(cb2, 'a', k=[1]))
fut(functools.partial(C().m))
fut(functools.partial(C(), 1))
fut(functools.partial(functools.partial(cb2, 1), 2))
fut(functools.partial(print, 1))
fut(functools.partial(functools.partial(C().m, 1), k=2))
fut(C)
fut(functools.partial(C))
fut(str)
fut(functools.partial(CR().m, CR()))
fut(loop.stop)
fut(fut().cancel)
fut(functools.partial(setattr, 1, 'x'))
done
exc
canc

h
h2
h3
h4
h5
h6
h7
loop
asyncio.Lock()
asyncio.Queue(3)
asyncio.Event()
asyncio.Condition()
asyncio.Semaphore(3)
asyncio.BoundedSemaphore(3)
asyncio.PriorityQueue()
asyncio.LifoQueue()
asyncio.StreamReader(loop=loop)
asyncio.Barrier(2)
asyncio.TaskGroup()
asyncio.timeout(1)
asyncio.Runner()
asyncio.get_event_loop_policy()
asyncio.iscoroutine
""", since=(3, 5))
block(r"""
import enum, dataclasses
@dataclasses.dataclass
class P:
    x: int
    y: int = 0
@dataclasses.dataclass(frozen=True)
class F:
    x: int
@dataclasses.dataclass
class PR:
    x: int
    def __repr__(self): return 'PR!'
@dataclasses.dataclass(repr=False)
class Base0:
    x: int
@dataclasses.dataclass
class A1:
    x: int
@dataclasses.dataclass(repr=False)
class A2(A1):
    y: int
class A3(A2): pass
@dataclasses.dataclass
class A4(A1):
    x: int = dataclasses.field(repr=False)
    z: int = 5
class E1(P, enum.Enum):
    A = 1, 2
    B = 3
class E2(F, enum.Enum): A = 1
class E3(PR, enum.Enum): A = 1
class E4(Base0, enum.Enum): A = 1
class E5(A2, enum.Enum): A = 1, 2
class E6(P, enum.Enum):
    A = 1, 2
    def __repr__(self): return 'E6'
class E7(enum.Enum):
    A = P(1, 2)
class E8(enum.Enum):
    A = (1, 2); B = A; C = None
class E9(enum.Enum):
    __repr__ = object.__repr__
    A = 1
class E10(int, enum.Enum):
    A = 1
class E11(str, enum.Enum):
    A = 'a'
    def __str__(self): return 'zz'
class E12(enum.IntFlag):
    A = 1; B = 2; AB = 3
class E13(enum.Flag):
    A = 1; B = 2; C = 8
class E14(enum.IntEnum):
    A = 1
class E15(float, enum.Enum):
    A = 1.5
class E16(tuple, enum.Enum):
    A = 1, 2
class Mx:
    def __repr__(self): return 'Mx'
class E17(Mx, enum.Enum):
    A = 1
class MxS:
    def __str__(self): return 'MxS'
    def _x(self): pass
class E18(MxS, enum.Enum):
    A = 1
class E19(bytes, enum.Enum):
    A = b'x'
    def __new__(cls, v): 
        o = bytes.__new__(cls, v); o._value_ = 'other'; return o
class E20(dict, enum.Enum):
    A = {1: 2}
class E21(int, enum.Enum):
    A = 1
    def __int__(self): return 7
    def __str__(self): return 'i'
    def __format__(self, s): return 'f'
""", r"""
A2(1, 2)
A3(1, 2)
A4(1, 2)
E1.A
E1.B
E1
E2.A
E3.A
E4.A
E5.A
E6.A
E7.A
E8.A
E8.B
E8.C
E9.A
E10.A
E11.A
E12.A
E12.AB
E12(0)
E12(5)
E12(64)
E13.A
E13(3)
E13(11)
E13(0)
E14.A
E15.A
E16.A
E17.A
E18.A
E19.A
E20.A
E21.A
[E1.A, {E10.A: E11.A}]
list(E13)
""", since=(3, 7))
block(r"""
import enum
class S1(enum.StrEnum):
    A = 'a'
class R1(int, enum.ReprEnum):
    A = 1
class B1(enum.Flag, boundary=enum.KEEP):
    A = 1
class B2(enum.IntFlag, boundary=enum.EJECT):
    A = 1
class B3(enum.Flag, boundary=enum.CONFORM):
    A = 1; B = 6
class N1(enum.Enum):
    A = 1
    @enum.nonmember
    class X: pass
    b = enum.member(5)
@enum.global_enum
class G1(enum.Enum):
    GA = 1
@enum.global_enum
class G2(enum.IntFlag):
    GA2 = 1; GB2 = 2
""", r"""
S1.A
R1.A
B1(9)
B2(9)
B3(7)
N1.A
N1.b
N1.X
G1.GA
G2.GA2
G2(3)
G2(7)
enum.KEEP
enum.auto()
enum.EnumType
enum.property(len)
""", since=(3, 11))
block(r"""
import io, os, tempfile, gzip, bz2, codecs
f = HERE + '/ff.txt'
open(f, 'w').write('x')
class R(io.RawIOBase): pass
class RN(io.RawIOBase):
    name = 'n'; mode = 'rb'
class BR(io.BufferedReader):
    def __init__(self, p): io.BufferedReader.__init__(self, io.FileIO(p)); self.extra = 1
class TW(io.TextIOWrapper):
    mode = 'zz'
class FI(io.FileIO):
    @property
    def name(self): return 'prop'
class FI2(io.FileIO):
    name = 'cls'
class FI3(io.FileIO): pass
fi3 = FI3(f); fi3.name = 'inst'
br2 = BR(f)
tw = io.TextIOWrapper(io.BytesIO(b'')); tw.mode = 'mm'
twd = io.TextIOWrapper(io.BytesIO(b'')); twd.detach()
brd = io.BufferedReader(io.FileIO(f)); brd.detach()
cl = io.open(f); cl.close()
clb = io.open(f, 'rb'); clb.close()
clf = io.FileIO(f); clf.close()
ufd = io.FileIO(os.open(f, os.O_RDONLY)); 
nc = io.FileIO(os.open(f, os.O_RDONLY), closefd=False)
""", r"""
R()
RN()
io.BufferedReader(R())
io.BufferedReader(RN())
BR(f)
br2
TW(io.BytesIO())
TW(io.FileIO(f))
FI(f)
FI2(f)
fi3
tw
io.open(f, 'r', encoding='latin-1')
io.open(f, 'rb')
io.open(f, 'rb', buffering=0)
io.open(f, 'r+b')
io.open(f, 'w')
io.open(f, 'ab')
io.FileIO(f, 'r+')
io.FileIO(f, 'a')
io.FileIO(f, 'x') if 0 else 0
cl
clb
clf
ufd
nc
io.BytesIO(b'abc')
io.StringIO(u'abc')
io.BufferedRWPair(io.FileIO(f), io.FileIO(f, 'w'))
io.IncrementalNewlineDecoder(None, True)
gzip.open(f, 'rb')
bz2.BZ2File(f)
io.open(f.encode('utf-8'), 'rb')
io.TextIOWrapper(io.BufferedReader(RN()))
io.TextIOWrapper(BR(f))
io.TextIOBase()
io.IOBase()
os.fdopen(os.open(f, os.O_RDONLY))
""")
block(r"""
import weakref, types
class K(object):
    def m(self): pass
class KN(object):
    __name__ = 'ninst'
k = K(); kn = KN(); kn2 = K(); kn2.__name__ = 'inst'*30
def func(): pass
fl = types.FunctionType(func.__code__, {}, 'f' * 300)
class M(type):
    __name__ = 'meta-name'
Lc = type('L' * 500, (object,), {}); lk = Lc()
U = type('U' + 'é' * 60 if PY3 else 'U', (object,), {}); uk = U()
KNp = type('KNp', (object,), {'__name__': property(lambda s: 'prop')}); knp = KNp()
KNn = type('KNn', (object,), {'__name__': 5}); knn = KNn()
dead = weakref.ref(K())
class WR(weakref.ref): pass
class WRs(weakref.ref):
    __slots__ = ('x',)
    def __init__(s, o): super(WRs, s).__init__(o); s.x = 1
""", r"""
weakref.ref(k)
weakref.ref(kn)
weakref.ref(kn2)
weakref.ref(func)
weakref.ref(fl)
weakref.ref(lk)
weakref.ref(Lc)
weakref.ref(uk)
weakref.ref(knp)
weakref.ref(knn)
weakref.ref(K)
weakref.ref(types)
dead
WR(k)
WR(lk)
WRs(k)
weakref.proxy(k)
weakref.proxy(func)
weakref.WeakMethod(k.m)
weakref.WeakSet([k])
weakref.WeakKeyDictionary()
weakref.WeakValueDictionary()
weakref.finalize(k, func)
weakref.ref(set())
""")
block(r"""
import os, collections
for n in list(os.environ):
    if not n.startswith('PYSCRY'): del os.environ[n]
os.environ['E\u00e9'] = 'v\udcff'
class OE(type(os.environ)): pass
""", r"""
os.environ
os.environb
os.environ.copy()
os.environ.items()
os.environ.keys()
os.environb.values()
collections.ChainMap(os.environ, {})
{'e': os.environb}
""", since=(3, 4))
block(r"""
import collections, functools, fractions
def like(base):
    def deco(f): return functools.wraps(base.__repr__, [n for n in functools.WRAPPER_ASSIGNMENTS if hasattr(base.__repr__, n)], ())(f)
    return deco
def made(base, *args, **kw):
    class Sub(base):
        @like(base)
        def __repr__(self): return 'made up'
    class Quoting(base):
        @like(base)
        def other(self): return 'other'
        __repr__ = other
    return Sub(*args, **kw), Quoting(*args, **kw)
Counter2 = type('Counter', (collections.Counter,), {'__repr__': lambda self: 'mine', '__module__': 'collections'})
class Patched(fractions.Fraction): pass
Patched.__repr__ = lambda self: 'patched'
class Borrowing(dict):
    __repr__ = collections.OrderedDict.__repr__
class Borrowed(collections.OrderedDict):
    __repr__ = dict.__repr__
    def items(self): return [('made', 'up')]
class Asking(collections.OrderedDict):
    __repr__ = collections.OrderedDict.__repr__
    def items(self): return [('made', 'up')]
    def keys(self): return ['made']
    def __getitem__(self, key): return 'up'
class Reprless(collections.deque):
    __repr__ = object.__repr__
class Strs(fractions.Fraction):
    __repr__ = fractions.Fraction.__str__
class Calling(object):
    def __call__(self, *args): return 'called'
class ByObject(dict):
    __repr__ = Calling()
class ByPartial(list):
    __repr__ = getattr(functools, 'partialmethod', functools.partial)(lambda *args: 'partial')
class ByStatic(set):
    __repr__ = classmethod(lambda cls: 'of the class')
class ByMethod(dict):
    __repr__ = Calling().__call__
class FromList(list):
    __repr__ = lambda self: list.__repr__(self[:1])
""", r"""
made(collections.OrderedDict, a=1)
made(collections.Counter, 'aab')
made(fractions.Fraction, 3)
made(collections.deque, [1])
made(collections.UserDict, a=1)
made(dict, a=1)
made(list, [1])
made(functools.partial, len)
made(collections.ChainMap, {})
Counter2('aa')
Patched(3)
Borrowed(a=1)
Asking(a=1)
Reprless([1])
Strs(1, 3)
FromList([1, 2])
ByObject(a=1)
ByPartial([1])
ByStatic([1])
ByMethod(a=1)
""")
write()
