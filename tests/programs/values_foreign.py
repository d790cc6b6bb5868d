# -*- coding: utf-8 -*-
"""ctypes, asyncio, exceptions, attrs and numpy's scalars in many forms; each where the interpreter has it."""
from blocks import block, write

block(r"""
import ctypes
from ctypes import *
class P(Structure): _fields_ = [('x', c_int), ('y', c_double), ('n', c_char * 8)]
class U(Union): _fields_ = [('i', c_int), ('f', c_float)]
class Bits(Structure): _fields_ = [('a', c_int, 3), ('b', c_int, 5)]
class Nest(Structure): _fields_ = [('p', P), ('arr', c_int * 3), ('ptr', POINTER(c_int))]
class Big(BigEndianStructure): _fields_ = [('x', c_int)]
class SubInt(c_int): pass
class SubP(P): pass
FT = CFUNCTYPE(c_int, c_int)
cb = FT(lambda x: x)
buf = create_string_buffer(b'hello', 10); ub = create_unicode_buffer(u'wide', 10)
libc = CDLL(None)
""", r"""
c_int(5)
c_uint(2**32-1)
c_short(-1)
c_ushort(65535)
c_long(-2**63)
c_ulong(2**64-1)
c_longlong(-1)
c_ulonglong(2**64-1)
c_byte(-128)
c_ubyte(255)
c_bool(True)
c_bool(False)
c_float(0.1)
c_float(float('nan'))
c_double(1e300)
c_double(-0.0)
c_char(b'a')
c_char(b'\x00')
c_char(b"'")
c_wchar(u'\u2603')
c_char_p(b'text')
c_char_p(None)
c_char_p(b"it's")
c_wchar_p(u'wide')
c_wchar_p(None)
c_void_p(1)
c_void_p(None)
c_void_p()
c_size_t(5)
c_ssize_t(-5)
c_int8(-5)
c_uint8(5)
c_int16(1)
c_int32(1)
c_int64(1)
py_object([1])
py_object()
py_object('x')
P(1, 2.5, b'nm')
U(5)
Bits(1, 2)
Nest()
Big(5)
SubInt(7)
SubP(1)
pointer(c_int(5))
POINTER(c_int)()
POINTER(c_int)
POINTER(P)
cast(pointer(c_int(5)), c_void_p)
(c_int * 3)(1, 2, 3)
(c_char * 4)(b'a')
(P * 2)()
c_int * 3
FT
cb
FT()
buf
ub
libc
libc.printf
libc.strlen
c_int
P
Nest().p
Nest().arr
P(1, 2, b'x').n
c_int(5).value
ctypes.util
ArgumentError('x')
c_int.from_buffer(bytearray(8))
c_int.from_address(ctypes.addressof(c_int(7))) if 0 else c_int(1)
ctypes.pythonapi
ctypes.c_int.__ctype_be__(5)
ctypes.c_uint16.__ctype_be__(258)
ctypes.c_double.__ctype_be__(1.5)
""")
block(r"""
import asyncio, types
async def coro(): await asyncio.sleep(100)
async def agen(): yield 1
loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop)
fut = loop.create_future(); fut2 = loop.create_future(); fut2.set_result(5); fut3 = loop.create_future(); fut3.set_exception(ValueError('x')); fut3.exception(); fut4 = loop.create_future(); fut4.cancel()
cr = coro(); ag = agen(); asd = ag.asend(None); ath = agen().athrow(ValueError) ; acl = agen().aclose()
def cbk(f): pass
fut5 = loop.create_future(); fut5.add_done_callback(cbk)
async def main():
    return 5
task = loop.create_task(main()); 
task2 = loop.create_task(coro()); 
loop.run_until_complete(task)
ev = asyncio.Event(); lk = asyncio.Lock(); q = asyncio.Queue(3); sm = asyncio.Semaphore(2); cd = asyncio.Condition()
ev.set(); q.put_nowait(1)
""", r"""
loop
fut
fut2
fut3
fut4
fut5
task
task2
ev
lk
q
sm
asyncio.Queue()
asyncio.LifoQueue()
asyncio.PriorityQueue()
asyncio.BoundedSemaphore(1)
cr
ag
asd
ath
acl
coro
cr.__await__()
asyncio.get_event_loop_policy()
asyncio.Task
asyncio.Future
asyncio.CancelledError()
asyncio.TimeoutError()
asyncio.Protocol()
loop._selector
asyncio.Runner()
asyncio.timeout(5)
""", since=(3, 7))
block(r"""
class MyE(Exception): pass
class MyE2(Exception):
    def __init__(self, a, b): self.a = a
class MyE3(Exception):
    def __str__(self): return 's'
class MyE4(Exception):
    def __repr__(self): return 'r'
class KE(KeyError): pass
e1 = ValueError('x'); e1.args = (); e2 = ValueError('x'); e2.args = (1, 2); 
import errno
""", r"""
ValueError()
ValueError('x')
ValueError('x',)
ValueError(1, 2)
ValueError(u'\u2603')
ValueError((1,))
ValueError([1, (2,)])
MyE()
MyE('a')
MyE('a', 1)
MyE2(1, 2)
MyE3(1)
MyE4(1)
KE('k')
KeyError('k')
e1
e2
OSError()
OSError(2)
OSError(2, 'a')
OSError(2, 'a', 'f')
OSError(2, 'a', 'f', None, 'g')
FileNotFoundError(2, 'x')
UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'bad')
UnicodeEncodeError('ascii', u'\xff', 0, 1, 'bad')
SyntaxError('m')
SyntaxError('m', ('f', 1, 2, 't'))
StopIteration(5)
SystemExit(1)
KeyboardInterrupt()
ImportError('x', name='n', path='p')
ModuleNotFoundError('x', name='n')
AttributeError('x', name='n', obj=1)
NameError('x', name='n')
ExceptionGroup('eg', [ValueError(1), TypeError('x')])
BaseExceptionGroup('eg', [ValueError(1), KeyboardInterrupt()])
ExceptionGroup('n', [ExceptionGroup('m', [OSError(2)])])
Warning('x')
DeprecationWarning('d')
RecursionError('x')
MemoryError()
GeneratorExit()
ZeroDivisionError('division by zero')
AssertionError((1, 2))
type('Dyn', (Exception,), {})('q')
""")
block(r"""
import attr
@attr.s
class A1(object):
    x = attr.ib(default=1)
    _y = attr.ib(default=2)
    z = attr.ib(default=3, repr=False)
@attr.s(slots=True)
class A2(A1):
    w = attr.ib(factory=list)
@attr.s(frozen=True)
class A3(object):
    q = attr.ib()
@attr.s(repr=False)
class A4(object):
    q = attr.ib(default=1)
@attr.s
class A5(object):
    q = attr.ib(default=1, repr=lambda v: 'custom')
@attr.s(auto_exc=True)
class A6(Exception):
    q = attr.ib(default=1)
@attr.s(these={'k': attr.ib(default=5)})
class A7(object): pass
@attr.define
class A8:
    m: int = 1
    me: object = None
@attr.s(kw_only=True)
class A9(object):
    kw = attr.ib(default='k')
a8 = A8(); a8.me = a8
class A10(A1): pass
class A11(A1):
    def __repr__(self): return 'own'
@attr.s
class A12(object):
    class Inner(object):
        pass
def mk():
    @attr.s
    class Loc(object):
        v = attr.ib(default=1)
    return Loc()
""", r"""
A1()
A2()
A3(5)
A4()
A5()
A6()
A7()
a8
A9()
A10()
A11()
A12()
mk()
attr.NOTHING
attr.Factory(list)
attr.make_class('MC', ['a', 'b'])(1, 2)
""")
block(r"""
import numpy as np
a = np.arange(12).reshape(3, 4)
st = np.array([(1, 2.5, 'ab')], dtype=[('i', 'i4'), ('f', 'f8'), ('s', 'U5')])
rec = np.rec.array([(1, 2.)], dtype=[('x', 'i4'), ('y', 'f8')])
""", r"""
np.int8(-5)
np.int16(-5)
np.int32(5)
np.int64(2**62)
np.uint8(255)
np.uint16(65535)
np.uint32(5)
np.uint64(2**64-1)
np.float16(1.5)
np.float16(0.1)
np.float32(0.1)
np.float64(0.1)
np.float64('nan')
np.float64('inf')
np.float64(-0.0)
np.float32(1e20)
np.float32(1e16)
np.float32(123456789)
np.float32(1e6)
np.float32(999999.94)
np.float32(1e-4)
np.float16(1000)
np.float16(999.5)
np.float16(65504)
np.complex64(1e7-1e7j)
np.complex64(complex(0, 1e7))
np.float64(1e16)
np.float64(1e-5)
np.complex64(1+2j)
np.complex128(1-2j)
np.complex128(complex('nan'))
np.bool_(True)
np.bool_(False)
np.str_('x')
np.bytes_(b'x')
np.dtype('i4')
np.dtype('f8')
np.dtype(object)
np.dtype('>i4')
np.int64
np.ndarray
np.array
np.random.RandomState
np.nan
np.pi
np.newaxis
np.flatiter
a.flat
np.s_[1:2]
""")

write()
