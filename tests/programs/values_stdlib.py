# -*- coding: utf-8 -*-
"""Library types in many forms: dates, decimals, paths, addresses, typing, dataclasses, threads, files, logging.

Each block is a setup and expressions, one a line; what a version does not have is passed over.
"""
from blocks import block, write

import sys
PY3 = sys.version_info[0] >= 3
V = sys.version_info[:2]

block(r"""
import datetime
from datetime import *
class TZ(tzinfo):
    def utcoffset(self, dt): return timedelta(hours=1)
class D2(date): pass
class DT2(datetime): pass
class TD2(timedelta): pass
class T2(time): pass
""", r"""
date.min
date.max
time.min
time.max
time(0)
time(0, 0, 1)
time(23, 59, 59, 999999)
time(1, tzinfo=TZ())
datetime.min
datetime.max
datetime(2020, 1, 1, tzinfo=TZ())
datetime(2020, 1, 1, 1, 2, 3, 4, TZ())
timedelta.min
timedelta.max
timedelta.resolution
timedelta(0)
timedelta(days=-1)
timedelta(seconds=-1)
timedelta(microseconds=-1)
timedelta(5, 0, 7)
timedelta(weeks=10**5)
D2(2020, 1, 1)
DT2(2020, 1, 1, 5)
TD2(5)
T2(5)
TZ()
""")
block(r"""
import zoneinfo
""", r"""
timezone.utc
timezone.min
timezone.max
timezone(timedelta(0))
timezone(timedelta(0), 'x')
timezone(timedelta(hours=-5, minutes=-30))
timezone(timedelta(seconds=1))
timezone(timedelta(hours=5), u'\u2603')
datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=1), 'N'), fold=1)
time(1, fold=1)
datetime(2020, 1, 1, 1, 0, 0, 5, fold=1)
zoneinfo.ZoneInfo('Europe/Paris')
zoneinfo.ZoneInfo('UTC')
datetime(2020, 5, 1, tzinfo=zoneinfo.ZoneInfo('America/New_York'))
zoneinfo.ZoneInfo.from_file(open('/usr/share/zoneinfo/UTC', 'rb'))
zoneinfo.ZoneInfo.from_file(open('/usr/share/zoneinfo/UTC', 'rb'), key='abc')
datetime.UTC
""", since=(3, 6)) if V >= (3, 9) else block("pass", "timezone.utc\ntimezone.min\ntimezone(timedelta(hours=-5, minutes=-30))\ntime(1, fold=1)\n")
block(r"""
import decimal, fractions
D = decimal.Decimal
class DS(D): pass
c1 = decimal.Context(prec=5, rounding=decimal.ROUND_UP, Emin=-10, Emax=10, capitals=0, clamp=1, flags=[decimal.Inexact], traps=[decimal.Overflow]) if PY3 else decimal.Context(prec=5)
c2 = decimal.getcontext().copy()
c3 = decimal.Context(traps=[], flags=[])
c4 = decimal.Context(prec=decimal.MAX_PREC) if PY3 else None
c5 = decimal.Context(); c5.divide(D(1), D(3))
c6 = decimal.Context(traps=[decimal.FloatOperation, decimal.InvalidOperation, decimal.Rounded, decimal.Clamped, decimal.Subnormal, decimal.Underflow, decimal.DivisionByZero, decimal.Inexact, decimal.Overflow] if PY3 else [])
""", r"""
D('sNaN123')
D('-NaN')
D('-sNaN')
D('NaN000')
D('1E+999999')
D('-1E-999999')
D('9' * 100)
D('0.' + '0' * 50 + '1')
D('-0.00')
D('0E+10')
D('1.0E+2')
D('123.4500')
D((1, (1, 2, 3), -10))
D((0, (0,), 3))
D(2) ** 500
D(1) / D(3)
D(0.1)
D('1e28')
D('12345678901234567890123456789012345678')
D('1' * 1000)
D('1' * 19)
D('1' * 20)
D('1' + '0' * 19)
D('1' + '0' * 38)
D('0.0000012')
D('0.00000012')
D('1E-7')
DS('1.5')
c1
c2
c3
c4
c5
c6
decimal.getcontext()
decimal.BasicContext
decimal.ExtendedContext
decimal.DefaultContext
decimal.getcontext().flags
decimal.getcontext().traps
D(5).as_tuple()
decimal.localcontext()
decimal.Inexact
fractions.Fraction(0)
fractions.Fraction(1, 3)
fractions.Fraction(-10**50, 7)
type('Fr', (fractions.Fraction,), {})(1, 2)
""")
block(r"""
import uuid, pathlib, ipaddress
P, PP, WP = pathlib.Path, pathlib.PurePosixPath, pathlib.PureWindowsPath
class MyP(PP): pass
class MyPath(pathlib.PosixPath if V < (3, 12) else pathlib.Path): pass
ip = ipaddress
q = P('/tmp/x'); q.parts; q.name
""", r"""
uuid.UUID(int=0)
uuid.UUID(int=2**128-1)
uuid.NAMESPACE_DNS
type('U', (uuid.UUID,), {})(int=5)
P()
P('.')
P('..')
P('a')
P('/')
P('//a')
P('///a')
P('a/')
P('a//b')
P('./a/./b')
P('a', 'b', '/c', 'd')
P('a') / 'b' / '../c'
P('/a/b/c').parent
P('/a/b/c').parents
P('/a/b/c').parents[1]
P('/a/b').relative_to('/a')
P('a/b').with_suffix('.txt')
P('a/b').with_name('c')
P('/usr').joinpath('lib', 'x')
P('/usr/lib').resolve()
P.cwd()
list(P('/usr').iterdir())[0]
P(u"it's")
P(u'it"s \'x')
P(u'\u2603/\xe9')
P(b'a\xff'.decode('utf-8', 'surrogateescape'))
P('a\nb')
P('~').expanduser()
q
q / ''
q / '.'
q.parent
PP('a/b')
PP('a\\b')
PP(PP('a'), 'b')
PP('/a', PP('/b'))
PP('')
PP('', '')
PP('', 'a')
MyP('x')
MyPath('x/y')
WP('c:\\a\\b')
WP('c:/a/b')
WP('c:a')
WP('c:')
WP('\\\\server\\share\\x')
WP('//server/share')
WP('/a/b')
WP('\\a')
WP('a/b\\c')
WP('c:/') / 'd'
WP('c:/a') / 'd:/b'
WP('c:/a') / '/b'
WP('c:/a') / 'c:b'
WP('c:/a') / 'd:b'
WP('con')
WP('.')
WP('')
WP('c:\\')
WP('..\\x')
WP('\\\\?\\C:\\a')
WP('\\\\.\\pipe\\x')
WP('C:/a/./b/')
WP('a/./b')
WP('//a')
WP('//a/b/c')
WP('./c:d')
PP('a', WP('b\\c'))
ip.ip_address('0.0.0.0')
ip.ip_address('255.255.255.255')
ip.ip_address('::')
ip.ip_address('::1')
ip.ip_address('::ffff:1.2.3.4')
ip.ip_address('fe80::1%eth0')
ip.ip_address('1:0:0:2:0:0:0:3')
ip.ip_address('1:2:3:4:5:6:7:0')
ip.ip_address('1:2:3:0:0:6:7:8')
ip.ip_address('1:0:3:0:5:0:7:8')
ip.ip_address('64:ff9b::192.0.2.33')
ip.ip_network('10.0.0.0/8')
ip.ip_network('0.0.0.0/0')
ip.ip_network('1.2.3.4/32')
ip.ip_network('192.168.1.0/25')
ip.ip_network('10.1.0.0/255.255.0.0')
ip.ip_network('2001:db8::/32')
ip.ip_network('::/0')
ip.ip_network('::1')
ip.ip_network('fe80::/10')
ip.ip_interface('10.1.2.3/8')
ip.ip_interface('10.1.2.3')
ip.ip_interface('2001:db8::1/64')
ip.ip_interface('::1')
ip.ip_interface('fe80::1%eth0/64')
ip.ip_interface('10.1.2.3/8').network
list(ip.ip_network('10.0.0.0/30').hosts())
ip.ip_network('10.0.0.0/24').netmask
ip.ip_network('10.0.0.0/24').broadcast_address
list(ip.ip_network('10.0.0.0/24').subnets())[1]
ip.ip_network('10.0.0.0/24').supernet()
""", since=(3, 4))
block(r"""
import typing, collections, collections.abc, re, os, queue, functools
from typing import *
T = TypeVar('T'); TB = TypeVar('TB', bound=int); TC = TypeVar('TC', int, str); CO = TypeVar('CO', covariant=True); CN = TypeVar('CN', contravariant=True)
class Gen(Generic[T]): pass
class NT(NamedTuple):
    a: int
    b: str = 'x'
class Proto(Protocol if hasattr(typing, 'Protocol') else object): pass
UserId = NewType('UserId', int)
class TD(TypedDict if V >= (3, 8) else dict): 
    x: int
""", r"""
Any
Union
Optional
List
List[int]
List[List[str]]
List['Fwd']
Dict
Dict[str, int]
Dict[str, List[Optional[int]]]
Optional[int]
Optional['X']
Union[int, str]
Union[int, None]
Union[int, str, None]
Union[List[int], Dict[str, int]]
Tuple
Tuple[int, ...]
Tuple[int, str]
Tuple[()]
Callable
Callable[[int, str], bool]
Callable[..., Any]
Callable[[], None]
Type
Type[int]
Set[int]
FrozenSet[int]
Deque[int]
DefaultDict[str, int]
Counter[str]
ChainMap
OrderedDict[str, int]
Iterable[int]
Iterator[T]
Generator[int, str, None]
AsyncGenerator[int, str]
Awaitable[int]
Coroutine[int, str, bool]
Mapping[str, Any]
Sequence
Sequence[T]
Hashable
Sized
Text
AnyStr
Pattern
Pattern[str]
Match
IO
IO[str]
TextIO
NoReturn
ClassVar
ClassVar[int]
Final
Final[int]
Literal
Literal[1, 'a', None]
Literal['x']
T
TB
TC
CO
CN
Gen
Gen[int]
Gen[T]
Generic
Generic[T]
Gen[int]()
NT(1)
NT
UserId
TD
TD(x=1)
Proto
ForwardRef('int')
ForwardRef('a.b', is_argument=False)
ForwardRef('x', module='m')
Annotated[int, 'meta', 5]
Annotated
TypeAlias
Concatenate
ParamSpec('PS')
ParamSpec('PS').args
ParamSpec('PS').kwargs
TypeGuard[int]
TypeGuard
Self
Never
LiteralString
Unpack
Unpack[Tuple[int, str]]
TypeVarTuple('Ts')
Unpack[TypeVarTuple('Ts')]
Required[int]
NotRequired[int]
ReadOnly[int]
TypeIs[int]
NoDefault
List[T]
List[T][int]
Dict[T, int][str]
Callable[[T], T]
Callable[ParamSpec('PS'), int]
Union[T, int]
SupportsInt
ContextManager[int]
Type['Fwd']
get_type_hints(NT) if V >= (3, 7) else 0
NT.__annotations__
""", since=(3, 6))
block(r"""
P_ = typing.ParamSpec('P_') if V >= (3, 10) else None
class GG(typing.Generic[T]): pass
class ListSub(list): pass
""", r"""
list[int]
list[T]
dict[str, int]
tuple[int, ...]
tuple[()]
tuple[int]
type[int]
list['x']
list[list[int]]
list[None]
list[type(None)]
tuple[type(None), int]
dict[str, None]
list[1]
list[[1]]
collections.deque[int]
collections.defaultdict[str, list[int]]
collections.abc.Mapping[str, int]
collections.abc.Callable[[int], str]
collections.abc.Callable[..., str]
collections.abc.Callable[[], str]
collections.abc.Iterable[T]
collections.abc.Generator[int, None, None]
re.Pattern[str]
os.PathLike[str]
queue.Queue[int]
list[typing.Any]
list[typing.List[int]]
ListSub[int]
dict[str, typing.Optional[int]]
functools.partial[int]
type(list[int])
int | str
int | None
None | int
int | str | list[int]
list[int] | None
int | T
T | int
typing.List[int] | None
type(int | str)
typing.Union[int, str].__args__
list[int].__args__
list[int].__origin__
*tuple[int, str],
iter(tuple[int])
list[int]()
collections.abc.Callable
tuple[*tuple[int, ...]]
int | 'x' if 0 else int | float
""", since=(3, 9))
block(r"""
exec('''
type Al = int | str
type AlG[T] = list[T]
def gf[T, *Ts, **P](x: T): pass
class GC[T: int = bool]: pass
''' if V >= (3, 13) else '''
type Al = int | str
type AlG[T] = list[T]
def gf[T, *Ts, **P](x: T): pass
class GC[T: int]: pass
''')
""", r"""
Al
AlG
AlG[int]
gf
gf.__type_params__
GC
GC[int]
GC.__type_params__
GC.__orig_bases__
list[Al]
Al | None
typing.TypeVar('I', infer_variance=True)
typing.TypeVarTuple('X')
typing.ParamSpec('Q', covariant=True)
""", since=(3, 12))
block(r"""
import dataclasses
from dataclasses import dataclass, field
@dataclass
class A:
    x: int = 1
    y: list = field(default_factory=list, repr=False)
    z: 'str' = 's'
    cv: ClassVar[int] = 5
    iv: dataclasses.InitVar[int] = 3
@dataclass
class B(A):
    w: float = 1.5
    x: str = 'over'
@dataclass(frozen=True)
class Fz:
    a: int = 1
@dataclass(repr=False)
class NoR:
    a: int = 1
@dataclass
class CustomR:
    a: int = 1
    def __repr__(self): return 'cr'
@dataclass
class Empty: pass
@dataclass
class Self_:
    me: object = None
    other: list = field(default_factory=list)
s = Self_(); s.me = s; s.other.append(s)
class Plain(A): pass
class PlainR(A):
    def __repr__(self): return 'pr'
def local():
    @dataclass
    class Loc:
        q: int = 1
    return Loc()
@dataclass
class NoInit:
    a: int = field(init=False)
    b: int = 1
ni = NoInit(); ni.a = 3
@dataclass
class PI:
    a: int
    b: int = field(init=False)
    def __post_init__(self): self.b = self.a * 2
aa = A(); aa.extra = 1
MD = dataclasses.make_dataclass('MD', ['x', ('y', int), ('z', int, field(default=3))])
@dataclass
class PropD:
    a: int = 1
    @property
    def a2(self): return 1
@dataclass
class Defs:
    a: int = 5
    b: int = 6
class DictLike(dict): pass
@dataclass
class DD(dict):
    k: int = 1
""", r"""
A()
B()
Fz()
NoR()
CustomR()
Empty()
s
Plain()
PlainR()
local()
ni
PI(4)
aa
MD(1, 2)
PropD()
Defs()
DD()
A
A.__dataclass_fields__
dataclasses.fields(A)[0]
dataclasses.MISSING
dataclasses.field()
dataclasses.KW_ONLY
A.__dataclass_params__
[A(), B()]
dataclasses.InitVar[int]
dataclasses._FIELD
""", since=(3, 7))
block(r"""
exec('''
@dataclass(slots=True)
class Sd:
    a: int = 1
    b: list = field(default_factory=list)
@dataclass(slots=True, frozen=True, kw_only=True)
class Sk(Sd):
    c: int
@dataclass
class Kw:
    a: int
    _: dataclasses.KW_ONLY
    b: int = 5
''')
""", r"""
Sd()
Sk(c=5)
Kw(1)
Sd
""", since=(3, 10))
block(r"""
import threading, time, functools, collections, os, sys, io, re, logging, argparse, itertools, operator
try:
    import queue
except ImportError:
    import Queue as queue
L = threading.Lock(); L.acquire()
R = threading.RLock(); R.acquire(); R.acquire()
C = threading.Condition(); C2 = threading.Condition(threading.Lock()); C3 = threading.Condition(); C3.acquire()
E = threading.Event(); E2 = threading.Event(); E2.set()
T0 = threading.Thread(target=len, name='n0'); TD = threading.Thread(target=len); TD.daemon = True
stop = threading.Event()
T1 = threading.Thread(target=stop.wait, name='run'); T1.daemon = True; T1.start()
T2 = threading.Thread(target=int); T2.start(); T2.join()
T3 = threading.Timer(1000, len); T3.daemon = True; T3.start()
T4 = threading.Timer(5, len)
class ThS(threading.Thread): pass
def waiter(c):
    with c: c.wait()
T5 = threading.Thread(target=waiter, args=(C2,)); T5.daemon = True; T5.start()
T6 = ThS(name='subbed'); 
rl = []
RL2 = threading.RLock()
def hold():
    RL2.acquire(); rl.append(1); stop.wait()
T7 = threading.Thread(target=hold); T7.daemon = True; T7.start()
while not rl: time.sleep(0.01)
time.sleep(0.05)
loc = threading.local(); loc.x = 1
sem = threading.Semaphore(0)
q = queue.Queue(5); q.put(1)
h = logging.StreamHandler(); h.setLevel(logging.DEBUG)
h2 = logging.StreamHandler(sys.stdout); h2.setLevel(15); h2.name = 'hn'
h3 = logging.NullHandler()
h4 = logging.FileHandler(os.path.join(HERE, 'x.log'))
h5 = logging.StreamHandler(io.StringIO())
lg = logging.getLogger('a.b'); lg.setLevel(logging.ERROR)
lg2 = logging.getLogger('a.b.c.d')
lg3 = logging.getLogger('q'); lg3.setLevel(17)
logging.addLevelName(25, 'NOTICE')
lg4 = logging.getLogger('r'); lg4.setLevel(25)
logging.addLevelName(30, 'WARNY')
lg5 = logging.getLogger('s'); lg5.setLevel(30)
h6 = logging.StreamHandler(); h6.setLevel(25)
""", r"""
L
threading.Lock()
threading.RLock()
R
RL2
C
C2
C3
threading.Semaphore()
sem
threading.Semaphore(3)
threading.BoundedSemaphore(5)
E
E2
threading.Barrier(3)
T0
TD
T1
T2
T3
T4
T5
T6
T7
threading.current_thread()
threading.main_thread()
loc
loc.__dict__
threading.local
threading.Thread
threading.Lock
threading.RLock
type(threading.Lock())
queue.Queue()
q
q.queue
queue.LifoQueue()
queue.PriorityQueue()
queue.SimpleQueue()
queue.Empty
queue.Empty()
h
h2
h3
h4
h5
h6
lg
lg2
lg3
lg4
lg5
logging.getLogger()
logging.root.handlers
logging.root.manager
logging.PlaceHolder(lg)
logging.LoggerAdapter(lg, {})
logging.LoggerAdapter(lg4, {})
logging.Formatter('x')
logging.Filter('x')
logging.LogRecord('n', 20, '/p/x.py', 7, 'msg %s', (1,), None)
logging.LogRecord('n', 25, '/p/x.py', 7, "it's \"q\"", (1,), None)
logging.handlers
logging.lastResort
argparse.Namespace()
argparse.Namespace(a=1, b=None)
argparse.Namespace(**{'not-id': 1, 'z': 2})
argparse.ArgumentParser(prog='pp')
argparse.ArgumentParser(prog='pp', usage='u', description="d'", formatter_class=argparse.RawTextHelpFormatter)
argparse.ArgumentParser(prog='pp').add_argument('--x', type=int, default=3)
argparse.ArgumentParser(prog='pp').add_argument('y', nargs='*')
argparse.ArgumentParser(prog='pp').parse_args([])
""")
block(r"""
import mmap, socket, json, struct, zlib, hashlib, random, subprocess, select
f1 = open(os.path.join(HERE, "f.txt"), "w")
f2 = open(os.path.join(HERE, 'f.txt'), 'rb')
f3 = io.open(os.path.join(HERE, 'f.txt'), 'r', encoding='latin-1'); 
f4 = io.open(os.path.join(HERE, 'f.txt'), 'w+b'); f5 = io.open(os.path.join(HERE, 'f.txt'), 'ab+', 0)
f6 = io.open(os.path.join(HERE, 'f.txt'), 'r+'); f6.close()
f7 = io.open(os.path.join(HERE, 'f.txt'), 'rb'); f7.close()
f8 = io.open(os.path.join(HERE, 'f.txt'), 'rb', 0); f8.close()
f9 = io.open(os.open('/dev/null', os.O_RDONLY), 'rb'); f10 = io.open(os.open('/dev/null', os.O_RDONLY), 'r', encoding='utf-8')
f11 = io.open(os.path.join(HERE, 'f.txt').encode(), 'rb')
f12 = io.open(os.path.join(HERE, 'f2.txt'), 'x') if PY3 else None
f13 = io.open(os.open('/dev/null', os.O_RDONLY), 'rb', 0)
f14 = io.TextIOWrapper(io.BytesIO(), encoding='utf-8')
f15 = io.BufferedReader(io.BytesIO())
f16 = io.BufferedRWPair(io.BytesIO(), io.BytesIO())
f17 = io.TextIOWrapper(f15, encoding='ascii'); f17.mode = 'rr' if PY3 else None
f18 = io.TextIOWrapper(io.BytesIO(), encoding='ascii'); f18.detach()
sio = io.StringIO(); sio.close(); bio = io.BytesIO(b'abc'); bio.close()
class Raw(io.RawIOBase): pass
class SubB(io.BytesIO): pass
import tempfile
tf = tempfile.TemporaryFile(); ntf = tempfile.NamedTemporaryFile(dir=HERE); stf = tempfile.SpooledTemporaryFile(); td = tempfile.TemporaryDirectory() if PY3 else None
mm = mmap.mmap(-1, 4096); mm2 = mmap.mmap(-1, 8192, prot=mmap.PROT_READ); mm2c = mmap.mmap(-1, 4096); mm2c.seek(5); mm3 = mmap.mmap(-1, 100); mm3.close()
mm4 = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE|mmap.MAP_ANONYMOUS)
mm5 = mmap.mmap(-1, 4096, access=mmap.ACCESS_COPY) 
s1 = socket.socket(); s2 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s3, s4 = socket.socketpair(); s5 = socket.socket(); s5.close()
s6 = socket.socket(); s6.bind(('127.0.0.1', 0)); s6.listen(1)
p1 = subprocess.Popen(['true']); p1.wait(); p2 = subprocess.Popen(['sleep', '0.1'], stdout=subprocess.PIPE); p2.wait()
p3 = subprocess.Popen('exit 3', shell=True); p3.wait(); p4 = subprocess.Popen(['echo', 'x' * 100], stdout=subprocess.PIPE); p4.wait()
rng = random.Random(5)
""", r"""
f1
f2
f3
f4
f5
f6
f7
f8
f9
f10
f11
f12
f13
f14
f15
f16
f17
f18
sio
bio
io.StringIO(u'x')
io.BytesIO(b'x')
bio.getbuffer if 0 else io.BytesIO(b'abc').getbuffer()
SubB(b'x')
Raw()
sys.stdin
sys.stdout
sys.stderr
sys.stdout.buffer
sys.stdout.buffer.raw
sys.stdin.buffer
tf
ntf
stf
td
ntf.file
io.IncrementalNewlineDecoder(None, False)
__import__('codecs').getreader('utf-8')
__import__('codecs').lookup('utf-8')
__import__('codecs').getincrementaldecoder('utf-8')()
__import__('codecs').open(HERE + '/f.txt', 'r', 'utf-8')
__import__('zipfile').ZipFile(HERE + '/x.zip', 'w')
__import__('tarfile').open(HERE + '/x.tar', 'w')
__import__('bz2').BZ2File(HERE + '/x.bz2', 'w')
__import__('bz2').BZ2Compressor()
__import__('lzma').LZMAFile(HERE + '/x.xz', 'w')
mm
mm2
mm2c
mm3
mm4
mm5


s3
s5

s1.makefile('rb')
select.poll()
select.epoll()
__import__('selectors').DefaultSelector()
__import__('selectors').DefaultSelector().get_map()
__import__('selectors').SelectorKey(1, 2, 3, 4)
p1
p2
p3
p4
subprocess.run(['true'])
subprocess.run('exit 3', shell=True, stdout=subprocess.PIPE)
subprocess.CompletedProcess(['a'], 0)
subprocess.CompletedProcess(['a'], 0, b'x', '')
subprocess.CalledProcessError(1, 'x')
subprocess.TimeoutExpired('x', 5)
subprocess.PIPE
re.compile('a')
re.compile(u'a')
re.compile('a', re.U)
re.compile('a', re.I | re.A) if PY3 else 0
re.compile('a', re.X | re.S | re.M)
re.compile(b'a', re.L)
re.compile('(?i)a')
re.compile("it's")
re.compile('"\'')
re.compile('x' * 250)
re.compile('x' * 198)
re.compile('x' * 199, re.I)
re.compile(u'\u2603' * 300)
re.compile('\\d+\n')
re.match('a*', 'aab')
re.match('a*', 'b')
re.search('c(d)?', 'abcde')
re.match('(?P<n>a)', 'a')
re.match(b'a', b'a')
re.search(u'\u2603+', u'xx\u2603\u2603')
re.match('x+', 'x' * 60)
re.match("'+", "'" * 60)
re.search('e', array.array('b', b'hello')) if 0 else 0
re.match(b'a', bytearray(b'ab'))
re.match(b'a', memoryview(b'ab'))
re.compile('a').scanner('b')
re.finditer('a', 'a')
re.compile('(a)(?P<x>b)').groupindex
struct.Struct('<I')
struct.Struct('')
zlib.compressobj()
zlib.decompressobj()
__import__('hmac').new(b'k', b'm', 'sha1')
rng
random.random
random.SystemRandom()
json.JSONEncoder()
json.JSONDecoder()
json.JSONDecodeError('m', 'd', 1)
json.decoder.scanstring
json.loads
""")
block(r"""
import xml.etree.ElementTree as ET, sqlite3, string, textwrap, inspect, ast, contextlib, copy, types
el = ET.fromstring('<a x="1"><b/>t</a>')
import concurrent.futures, contextvars
""" if V >= (3, 7) else r"""
import xml.etree.ElementTree as ET, string, textwrap, inspect, ast, contextlib, copy, types
el = ET.fromstring('<a x="1"><b/>t</a>')
""", r"""
el
el[0]
el.attrib
el.iter()
ET.ElementTree(el)
ET.Comment('x')
ET.QName('a', 'b')
ET.XMLParser()
ET.TreeBuilder()
__import__('xml.dom.minidom').dom.minidom.parseString('<a b="c">t</a>')
__import__('xml.dom.minidom').dom.minidom.parseString('<a b="c">t</a>').documentElement
string.Template('$x')
string.Formatter()
textwrap.TextWrapper()
__import__('http.client').client.HTTPConnection('x')
__import__('urllib.parse').parse.urlparse('http://a:1/b;c?d#e')
__import__('urllib.parse').parse.urlsplit('http://a:1/b;c?d#e')
__import__('urllib.parse').parse.urldefrag('http://a#e')
__import__('urllib.parse').parse.urlparse(b'http://a')
__import__('urllib.request').request.Request('http://a')
__import__('urlparse').urlparse('http://a:1/b;c?d#e')
__import__('email.message').message.Message()
__import__('email.message').message.EmailMessage()
__import__('email.headerregistry').headerregistry.Address('N', 'u', 'd')
__import__('email').message_from_string('A: b')
__import__('configparser').ConfigParser()
__import__('configparser').ConfigParser()['DEFAULT']
__import__('csv').reader([])
__import__('csv').DictReader([])
__import__('csv').Dialect
__import__('csv').writer(io.StringIO())
__import__('getpass').getuser
__import__('locale').localeconv
__import__('gettext').NullTranslations()
__import__('fnmatch').translate
__import__('shlex').shlex('a b')
__import__('difflib').SequenceMatcher(None, 'a', 'b')
__import__('difflib').Match(1, 2, 3)
__import__('sched').scheduler()
__import__('timeit').Timer()
__import__('trace').Trace()
__import__('traceback').extract_stack()
__import__('traceback').extract_stack()[0]
__import__('traceback').TracebackException(ValueError, ValueError(1), None)
__import__('traceback').walk_stack(None)
__import__('linecache').cache
__import__('dis').Bytecode('x')
list(__import__('dis').get_instructions('x'))[0]
__import__('statistics').NormalDist(1, 2)
__import__('ftplib').FTP()
__import__('smtplib').SMTP()
__import__('socketserver').TCPServer
__import__('pickle').Pickler(io.BytesIO())
__import__('copyreg').dispatch_table
__import__('secrets').token_hex
__import__('calendar').TextCalendar()
__import__('calendar').month_name
__import__('bisect').bisect
__import__('heapq').heappush
__import__('reprlib').Repr()
__import__('reprlib').aRepr
__import__('pprint').PrettyPrinter()
__import__('fileinput').FileInput([])
__import__('filecmp').dircmp('/', '/')
__import__('tempfile')._RandomNameSequence()
__import__('imaplib').Time2Internaldate
__import__('cmd').Cmd()
__import__('unittest').TestCase
__import__('unittest').TestSuite()
__import__('unittest').TestResult()
__import__('unittest').TestLoader()
__import__('unittest.mock').mock.sentinel.x
__import__('unittest.mock').mock.ANY
__import__('unittest.mock').mock.DEFAULT
__import__('warnings').filters
__import__('gc').garbage
__import__('zipfile').Path
__import__('importlib.metadata').metadata.PathDistribution
__import__('importlib.machinery').machinery.SourceFileLoader('a', 'b')
__import__('importlib.machinery').machinery.FileFinder('/tmp')
__import__('importlib.machinery').machinery.ModuleSpec('a', None)
__import__('importlib.machinery').machinery.ModuleSpec('a', None, origin='o', is_package=True)
__import__('importlib.machinery').machinery.BuiltinImporter
__import__('importlib.machinery').machinery.PathFinder
__import__('zipimport').zipimporter
__import__('pkgutil').iter_modules()
__import__('pkgutil').ModuleInfo(None, 'x', False)
__import__('abc').ABC
collections.abc.Mapping.register
inspect.signature(lambda a, b=1, *c, d, e=2, **f: 0) if PY3 else 0
inspect.signature(lambda: 0)
inspect.Parameter('x', inspect.Parameter.POSITIONAL_ONLY)
inspect.Parameter('x', inspect.Parameter.KEYWORD_ONLY, default=[1], annotation=int)
inspect.Parameter('args', inspect.Parameter.VAR_POSITIONAL)
inspect.Parameter('kw', inspect.Parameter.VAR_KEYWORD, annotation='str')
inspect.Parameter.empty
inspect.Parameter.VAR_KEYWORD
inspect.signature(lambda *a: 0).bind(1, 2)
inspect.currentframe()
inspect.getfullargspec(lambda a: 0)
inspect.Signature.empty
contextlib.closing(f1)
contextlib.ExitStack()
contextlib.suppress(ValueError)
contextlib.nullcontext()
contextlib.redirect_stdout(None)
contextlib.contextmanager(g)
concurrent.futures.Future()
concurrent.futures.ThreadPoolExecutor(1)
contextvars.Context()
contextvars.copy_context()
contextvars.ContextVar('x')
contextvars.ContextVar('x', default=1)
contextvars.ContextVar('y').set(5)
copy.copy
types.GenericAlias(list, (int,))
types.TracebackType
types.BuiltinFunctionType
types.GenericAlias
os.fspath
os.walk('.')
os.listdir
os._wrap_close
""")

write()
