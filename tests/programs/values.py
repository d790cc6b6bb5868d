# -*- coding: utf-8 -*-
"""Every type a user meets: build it, write repr, type and id of each to a JSON file, dump core.

Runs on 2.7 to 3.15. Usage: values.py [no-ctypes] [TRUTH.json], else the file that PYSCRY_TRUTH names.
"""
from __future__ import print_function

import array
import collections
import datetime
import decimal
import fractions
import functools
import gc
import io
import itertools
import json
import mmap
import operator
import os
import re
import socket
import sys
import threading
import time
import weakref

if "no-ctypes" in sys.argv:  # it crashes some builds, and uuid imports it
    sys.argv.remove("no-ctypes")
    ctypes = uuid = None
else:
    import ctypes
    import uuid

for allocator in set(["malloc", "debug"]) & set(sys.argv):
    if os.environ.get("PYTHONMALLOC") != allocator:  # 3.6+
        os.environ["PYTHONMALLOC"] = allocator
        os.execv(sys.executable, [sys.executable] + sys.argv)
    sys.argv.remove(allocator)

PY3 = sys.version_info[0] >= 3
VALUES = []


def add(name, value):
    VALUES.append((name, value))
    return value


def numbers():
    for i in (0, 1, -1, 2, 255, 256, -5, -6, 257, 2**15 - 1, 2**15, 2**30 - 1, 2**30, -2**30, 2**31, 2**32, 2**60,
              2**62, 2**63 - 1, 2**63, -2**63, 2**64, -2**64, 2**200, -3**300, 10**50, 12345678901234567890, 7**5000):
        add("int %d" % len(VALUES), i)
    for f in (0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308,
              float("nan"), float("inf"), float("-inf"), 1 / 3.0, 2.0**-44, 2.0**-1022, 2.0**-1074 * 3, 9007199254740993.0,
              1e22, 1e23, 100.0, 12.5, 3.141592653589793, 2.0**70, 2.0**-7, 9.5367431640625e-07, 4.35, 2**0.5):
        add("float %r" % f, f)
    for e in range(-1074, 1024, 7):
        add("power of two %d" % e, 2.0**e)
    for c in (0j, 1j, -1j, 1 + 2j, -1.5 - 2.5j, complex(0, -0.0), complex(-0.0, 1), complex(1e100, float("nan")),
              complex(float("inf"), float("-inf"))):
        add("complex %r" % c, c)
    add("True", True)
    add("False", False)
    add("None", None)
    add("Ellipsis", Ellipsis)
    add("NotImplemented", NotImplemented)
    if not PY3:
        add("long 5", eval("5L"))
        add("long -5", eval("-5L"))
        add("long 0", eval("0L"))


def unicode_texts():
    u = (lambda text: text) if PY3 else (lambda text: text.decode("utf-8"))
    yield u("")
    yield u("plain")
    yield u("it's")
    yield u('say "hi"')
    yield u("both ' and \"")
    yield u("tab\tnl\ncr\rbs\\ nul\0 bell\a del\x7f")
    yield u("h\xc3\xa9llo") if not PY3 else "h\u00e9llo"
    for codes in ((0xe9, 0xff), (0x80, 0x9f, 0xa0, 0xad), (0x2603,), (0x6f22, 0x5b57), (0x1d121, 0x61), (0x1f600,),
                  (0xd800,), (0xdfff, 0x41), (0x200b, 0x2028, 0x2029, 0xfeff), (0xe000,), (0x10ffff,), (0xfffe,),
                  (0x300, 0x61), (0x3000,), (0x1680,), (0x27, 0xe9), (0x22, 0x27, 0x2603)):
        if PY3:
            yield "".join(map(chr, codes))
        else:
            yield u"".join(("\\U%08x" % c).decode("unicode-escape") for c in codes)


def texts():
    for text in unicode_texts():
        add("text %r" % text, text)
    for data in (b"", b"plain", b"it's", b'"', b"'\"", b"\0\x01\x7f\x80\xff\t\n\r\\", bytes(bytearray(range(256)))):
        add("bytes %d" % len(data), data)
        add("bytearray %d" % len(data), bytearray(data))
    array_ = bytearray(b"0123456789")
    del array_[:3]
    add("bytearray cut", array_)

    class Text(type(u"")):
        pass

    class Bytes(bytes):
        pass

    class Bytearray(bytearray):
        pass

    class Int(int):
        pass

    class Float(float):
        pass

    add("str subclass", Text(u"a\u2603"))
    add("bytes subclass", Bytes(b"ab"))
    add("bytearray subclass", Bytearray(b"ab"))
    add("int subclass", Int(5))
    add("big int subclass", Int(2**70 if PY3 else 2**40))
    add("float subclass", Float(1.5))
    big = Int(2**100 if PY3 else 2**50)
    big.note = "has a dict"
    add("int subclass with dict", big)
    add("concatenated", u"".join([u"x", u"y", u"\u2603"]) + u"z")


class Plain(object):
    def method(self):
        pass

    @classmethod
    def clsmethod(cls):
        pass

    @staticmethod
    def static():
        pass

    @property
    def prop(self):
        return 1


class Slots(object):
    __slots__ = ("a", "b")


class HasRepr(object):
    def __repr__(self):
        return "custom"


class Alias(HasRepr):
    __repr__ = object.__repr__


class ListWithRepr(list):
    def __repr__(self):
        return "custom list"


class ListBack(ListWithRepr):
    __repr__ = list.__repr__


class MyList(list):
    pass


class MyDict(dict):
    pass


class MyTuple(tuple):
    pass


class MySet(set):
    pass


class MyFrozen(frozenset):
    pass


def containers():
    for value in ((), (1,), (1, 2), ((),), ("a", None), [], [1], [[], [[]]], {}, {"a": 1}, {1: {2: {3: 4}}}, set([1]), set(),
                  frozenset(), frozenset([2]), MyList([1]), MyDict(a=1), MyTuple((1,)), MySet([1]), MySet(), MyFrozen([1]),
                  MyFrozen(), set(["only"]), {(1, 2): [3]}, {None: True, 1.5: "x"}):
        add("container %d" % len(VALUES), value)
    add("list", list(range(30)))
    add("set of many", set(range(25)))
    add("set of strings", set("the quick brown fox jumps over".split()))
    gone = set(range(20))
    for i in range(0, 20, 3):
        gone.discard(i)
    add("set with holes", gone)
    many = dict((i, str(i)) for i in range(30))
    for i in range(0, 30, 4):
        del many[i]
    add("dict with holes", many)
    strings = dict(("key%d" % i, i) for i in range(28))
    del strings["key3"]
    strings["key3"] = "again"
    add("dict of strings", strings)
    mixed = dict(a=1, b=2)
    mixed[3] = 4
    add("dict with mixed keys", mixed)
    cleared = dict.fromkeys(range(10))
    cleared.clear()
    add("cleared dict", cleared)
    recursive = [1]
    recursive.append(recursive)
    add("recursive list", recursive)
    loop = {}
    loop["me"] = loop
    add("recursive dict", loop)
    inner = []
    tup = (inner, 1)
    inner.append(tup)
    add("recursive tuple", tup)
    add("shared", [inner, inner])
    ring = collections.deque([1])
    ring.append(ring)
    add("recursive deque", ring)
    od = collections.OrderedDict()
    od["me"] = od
    add("recursive OrderedDict", od)
    add("null items", (None,) * 3)
    for args in ((5,), (0,), (1, 5), (0, 10, 2), (10, 0, -3)):
        add("range", range(*args) if PY3 else xrange(*args))  # noqa: F821
    add("slice", slice(1, None, "x"))
    if PY3:
        add("big range", range(10**30, 10**31, 7))


def collections_():
    add("deque", collections.deque([1, 2]))
    add("deque maxlen", collections.deque(range(100), 7))
    add("empty deque", collections.deque())
    long_ = collections.deque(range(200))
    for _ in range(190):
        long_.popleft()
    long_.extend("abc")
    add("deque rotated", long_)
    od = collections.OrderedDict((k, k * 2) for k in "zyxwv")
    add("OrderedDict", od)
    add("empty OrderedDict", collections.OrderedDict())
    moved = collections.OrderedDict((i, i) for i in range(6))
    if hasattr(moved, "move_to_end"):
        moved.move_to_end(1)
        moved.move_to_end(4, last=False)
    del moved[3]
    add("OrderedDict moved", moved)
    dd = collections.defaultdict(int)
    dd["x"] += 1
    add("defaultdict", dd)
    add("defaultdict None", collections.defaultdict(None, {1: 2}))
    add("Counter", collections.Counter("mississippi"))
    add("empty Counter", collections.Counter())
    point = collections.namedtuple("Point", "x y")
    add("namedtuple", point(1, "b"))
    add("namedtuple class", point)

    class Sub(point):
        pass

    add("namedtuple subclass", Sub(1, 2))
    add("struct_time", time.gmtime(0))
    add("stat_result", os.stat(sys.executable))
    add("version_info", sys.version_info)
    add("flags", sys.flags)
    add("float_info", sys.float_info)
    add("mappingproxy", Plain.__dict__ if False else type.__dict__["__dict__"].__get__(Slots))
    d = {"a": 1, "b": [2]}
    add("dict keys", d.keys())
    add("dict values", d.values())
    add("dict items", d.items())
    if not PY3:
        add("viewkeys", d.viewkeys())
        add("viewvalues", d.viewvalues())
        add("viewitems", d.viewitems())
    if hasattr(collections, "ChainMap"):
        add("ChainMap", collections.ChainMap({1: 2}, {}))
        add("UserDict", collections.UserDict(a=1))
        add("UserList", collections.UserList([1]))
        add("UserString", collections.UserString("x"))


def outer():
    captured = "seen"

    def inner():
        return captured

    return inner


def gen(n):
    for i in range(n):
        yield i


def callables():
    add("function", outer)
    add("inner function", outer())
    add("lambda", lambda: 0)
    add("builtin", len)
    add("builtin method", [].append)
    add("builtin str method", "".join)
    add("type method", dict.fromkeys)
    add("bound method", Plain().method)
    add("class method", Plain.clsmethod)
    add("unbound method", Plain.method)
    add("static method", Plain.static)
    add("staticmethod object", Plain.__dict__["static"])
    add("classmethod object", Plain.__dict__["clsmethod"])
    add("property", Plain.__dict__["prop"])
    add("slot member", Slots.__dict__["a"])
    add("method descriptor", list.append)
    add("classmethod descriptor", dict.__dict__["fromkeys"])
    add("slot wrapper", list.__repr__)
    add("method-wrapper", [].__repr__)
    add("slot wrapper of object", object.__repr__)
    add("method of object", object.__reduce__)
    add("class dict", Plain.__dict__)
    add("getset", type(outer).__dict__["__code__" if PY3 else "func_code"])
    add("code", outer.__code__)
    add("cell", outer().__closure__[0])
    add("generator", gen(3))
    started = gen(3)
    next(started)
    add("started generator", started)
    add("generator expression", (i for i in ()))
    add("partial", functools.partial(int, "5", base=7) if False else functools.partial(outer, 1, k="v"))
    add("partial without arguments", functools.partial(outer))
    add("super", super(Plain, Plain()))
    add("module", os)
    add("builtin module", sys)
    add("main module", sys.modules["__main__"])
    add("package", json)
    add("C module", sys.modules["_socket"])
    for cls in (int, Plain, Slots, type, dict, collections.OrderedDict, datetime.date, ValueError,
                type(outer), type(None), json.JSONDecodeError if hasattr(json, "JSONDecodeError") else json.JSONEncoder):
        add("class %s" % cls.__name__, cls)

    class Local(object):
        pass

    add("local class", Local)
    add("local instance", Local())
    plain = add("instance", Plain())
    plain.x = 1
    slots = add("slots instance", Slots())
    slots.a = "A"
    add("object", object())
    add("custom repr alias", Alias())
    add("list back", ListBack([1]))
    add("weakref", weakref.ref(plain))
    add("weakref to class", weakref.ref(Plain))
    add("weakref to function", weakref.ref(outer))
    add("dead weakref", weakref.ref(Plain()))
    add("weakproxy object", [weakref.WeakValueDictionary(), weakref.WeakKeyDictionary()])
    add("weakset", weakref.WeakSet())
    add("frame", sys._getframe())
    add("count", itertools.count(5))
    add("count step", itertools.count(5, 3))
    add("count float", itertools.count(0.5))
    add("repeat", itertools.repeat("x"))
    add("repeat n", itertools.repeat("x", 3))
    add("itemgetter", operator.itemgetter(1))
    add("itemgetters", operator.itemgetter(1, "b"))
    add("attrgetter", operator.attrgetter("a.b"))
    add("attrgetters", operator.attrgetter("a", "b"))
    for it in (iter([1]), iter((1,)), iter({}), iter(set()), iter("x"), enumerate([]), reversed([]), zip(), map(str, [])):
        add("iterator %s" % type(it).__name__, it)


def exceptions():
    add("exception", ValueError("bad", 5))
    add("exception empty", KeyError())
    add("exception one", KeyError("k"))
    add("OSError", OSError(2, "No such file", "x.txt"))
    add("SyntaxError", SyntaxError("msg", ("f.py", 3, 4, "text")))

    class Custom(Exception):
        def __init__(self, code):
            Exception.__init__(self, code)
            self.code = code

    add("custom exception", Custom(5))
    try:
        {}["missing"]
    except KeyError as e:
        add("caught", e)
        add("traceback", sys.exc_info()[2])
    if hasattr(__builtins__, "ExceptionGroup"):
        add("group", ExceptionGroup("g", [ValueError(1), TypeError("t")]))  # noqa: F821
    try:
        import no_such_module_of_ours  # noqa: F401
    except ImportError as e:
        add("ImportError", e)


def datetimes():
    add("date", datetime.date(2020, 1, 2))
    add("time", datetime.time(1, 2))
    add("time s", datetime.time(1, 2, 3))
    add("time us", datetime.time(1, 2, 3, 4))
    add("time us only", datetime.time(1, 2, 0, 4))
    add("datetime", datetime.datetime(2020, 1, 2, 3, 4))
    add("datetime s", datetime.datetime(2020, 1, 2, 3, 4, 5))
    add("datetime us", datetime.datetime(2020, 12, 31, 23, 59, 59, 999999))
    add("datetime us only", datetime.datetime(1, 1, 1, 0, 0, 0, 1))
    for delta in (datetime.timedelta(0), datetime.timedelta(1), datetime.timedelta(-1, 5, 6),
                  datetime.timedelta(seconds=5), datetime.timedelta(microseconds=7)):
        add("timedelta %r" % delta, delta)

    class Moment(datetime.datetime):
        pass

    add("datetime subclass", Moment(2020, 1, 1))
    if hasattr(datetime, "timezone"):
        tz = datetime.timezone
        add("utc", tz.utc)
        add("timezone", tz(datetime.timedelta(hours=2)))
        add("named timezone", tz(datetime.timedelta(hours=-3), "X"))
        add("aware datetime", datetime.datetime(2020, 1, 1, tzinfo=tz.utc))
        add("aware time", datetime.time(1, tzinfo=tz(datetime.timedelta(hours=2))))
        if sys.version_info >= (3, 6):
            add("fold", datetime.datetime(2020, 1, 1, fold=1))
            add("fold tz", datetime.datetime(2020, 1, 1, fold=1, tzinfo=tz.utc))
            add("time fold", datetime.time(1, 1, fold=1, tzinfo=tz.utc))


def library():
    for text in ("0", "-0", "1", "-1.50", "1E+5", "1E-10", "0.000001", "0.0000001", "123456789012345678901234567890.5",
                 "Infinity", "-Infinity", "NaN", "sNaN", "NaN123", "1E+1000", "0E-5", "12E3", "10000000000000000000",
                 "100000000000000000000000000000000000000000"):
        add("Decimal %s" % text, decimal.Decimal(text))
    add("Fraction", fractions.Fraction(-3, 7))
    long = 8 * array.array("l").itemsize
    for code, items in (("b", [-1, 2]), ("B", [255]), ("h", [-3]), ("H", [65535]), ("i", [-5, 6]), ("I", [4000000000]),
                        ("l", [-2**(long - 20)]), ("L", [2**(long - 1)]), ("f", [0.5, 0.1]), ("d", [0.1, 1e100]), ("i", [])):
        add("array %s" % code, array.array(code, items))
    if sys.version_info >= (3, 3):
        add("array q", array.array("q", [-2**60]))
        add("array Q", array.array("Q", [2**63]))
    if sys.version_info < (3, 16):
        add("array u", array.array("u", u"a\u2603'"))
    if not PY3:
        add("array c", array.array("c", "a'b"))
    add("memoryview", memoryview(b"abc"))
    if PY3 and ctypes:  # as Boost.Python's instances have it
        below = memoryview(b"abc")
        ctypes.c_ssize_t.from_address(id(below) + object.__basicsize__).value = -2
        add("memoryview whose ob_size is below 0", below)
    released = memoryview(bytearray(b"abc"))
    if hasattr(released, "release"):
        released.release()
        add("released memoryview", released)
    add("pattern", re.compile("a+b"))
    add("pattern flags", re.compile("it's", re.I | re.M))
    add("pattern ascii", re.compile("x", re.ASCII) if PY3 else re.compile("x"))
    add("bytes pattern", re.compile(b"x"))
    add("long pattern", re.compile("x" * 300))
    add("match", re.match("a(b)", "xabc"[1:]))
    add("long match", re.match(".*", "y" * 100))
    if hasattr(__import__("types"), "SimpleNamespace"):
        types = __import__("types")
        add("SimpleNamespace", types.SimpleNamespace(b=1, a=[2]))
        add("mappingproxy of dict", types.MappingProxyType({"a": 1}))
    import argparse
    add("Namespace", argparse.Namespace(x=1, a="b"))
    import logging
    add("logger", logging.getLogger("some.where"))
    add("root logger", logging.getLogger())


def foreign():
    add("UUID", uuid.UUID("12345678-1234-5678-1234-567812345678"))
    add("ctypes class", ctypes.c_int)
    c_char = ctypes.c_char
    for value in (ctypes.c_int(-5), ctypes.c_uint(5), ctypes.c_long(-6), ctypes.c_ulong(2**63), ctypes.c_byte(-1),
                  ctypes.c_ubyte(200), ctypes.c_short(-2), ctypes.c_ushort(65535), ctypes.c_longlong(-7),
                  ctypes.c_float(0.1), ctypes.c_double(0.1), c_char(b"x"), ctypes.c_wchar(u"y"), ctypes.c_bool(True),
                  ctypes.c_char_p(b"it's"), ctypes.c_char_p(None), ctypes.c_wchar_p(u"wide \u2603"),
                  ctypes.c_void_p(None), ctypes.c_void_p(4096), ctypes.py_object([1]), ctypes.c_size_t(9)):
        add("ctypes %s" % type(value).__name__, value)

    class POINT(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]

    class MyInt(ctypes.c_int):
        pass

    add("Structure", POINT(1, 2))
    add("ctypes array", (ctypes.c_int * 3)(1, 2, 3))
    add("ctypes pointer", ctypes.pointer(ctypes.c_int(5)))
    add("c_int subclass", MyInt(5))

def files(directory):
    path = os.path.join(directory, "file\u00e9.txt" if PY3 else "file.txt")
    add("text file", io.open(path, "w", encoding="utf-8"))
    add("read file", io.open(path, "r"))
    add("binary writer", io.open(path, "ab"))
    add("binary reader", io.open(path, "rb"))
    add("random", io.open(path, "r+b"))
    add("raw", io.open(path, "rb", buffering=0))
    add("raw update", io.open(path, "r+b", buffering=0))
    closed = io.open(path, "rb", buffering=0)
    closed.close()
    add("closed raw", closed)
    add("stdin", sys.stdin)
    add("StringIO", io.StringIO(u"x"))
    add("BytesIO", io.BytesIO(b"x"))
    fd = os.open(path, os.O_RDONLY)
    add("raw by fd", io.FileIO(fd, "r", closefd=False))
    add("mmap", mmap.mmap(-1, 4096))
    done = mmap.mmap(-1, 4096)
    done.close()
    add("closed mmap", done)
    if not PY3:
        add("file", open(path, "rb"))
        gone = open(path)
        gone.close()
        add("closed file", gone)


def threads():
    add("lock", threading.Lock())
    locked = threading.Lock()
    locked.acquire()
    add("locked lock", locked)
    add("rlock", threading.RLock())
    held = threading.RLock()
    held.acquire()
    held.acquire()
    add("held rlock", held)
    add("event", threading.Event())
    on = threading.Event()
    on.set()
    add("set event", on)
    add("condition", threading.Condition())
    add("semaphore", threading.Semaphore(3))
    add("bounded semaphore", threading.BoundedSemaphore(2))
    add("main thread", threading.current_thread())
    add("new thread", threading.Thread(name="not started"))
    stop = threading.Event()
    worker = threading.Thread(target=stop.wait, name="worker")
    worker.daemon = True
    worker.start()
    add("running thread", worker)
    short = threading.Thread(target=int)
    short.start()
    short.join()
    add("finished thread", short)
    add("thread local", threading.local())


def newer():
    """What needs the syntax or the library of 3.x; each part only where it exists."""
    try:
        import enum
    except ImportError:
        return
    source = """
import enum, dataclasses, pathlib, types, typing, ipaddress
class Color(enum.Enum):
    RED = 1
    BLUE = "b"
class Number(enum.IntEnum):
    ONE = 1
class Perm(enum.Flag):
    R = 4
    W = 2
    X = 1
class IntPerm(enum.IntFlag):
    R = 4
    W = 2
@dataclasses.dataclass
class Data:
    a: int
    b: str = "x"
    hidden: int = dataclasses.field(default=3, repr=False)
    late: list = dataclasses.field(default_factory=list)
@dataclasses.dataclass
class Outer:
    data: Data
    me: object = None
class Typed(typing.NamedTuple):
    a: int
    b: str = "q"
"""
    if sys.version_info < (3, 7):
        source = source.replace("dataclasses, ", "").split("@dataclasses")[0]
    if sys.version_info < (3, 6):
        source = source.replace(", typing, ipaddress", "").split("class Perm")[0]
    ns = {"__name__": "__main__"}
    exec(source, ns)
    add("enum", ns["Color"].RED)
    add("enum text", ns["Color"].BLUE)
    add("enum class", ns["Color"])
    add("IntEnum", ns["Number"].ONE)
    if "Perm" in ns:
        add("flag", ns["Perm"].R)
        add("flags", ns["Perm"].R | ns["Perm"].X)
        add("no flags", ns["Perm"](0))
        add("flag class", ns["Perm"])
        add("int flags", ns["IntPerm"].R | ns["IntPerm"].W)
        add("int flag unknown", ns["IntPerm"](8) if sys.version_info < (3, 11) else ns["IntPerm"].W)
    add("RegexFlag", re.I | re.M)
    add("RegexFlag one", re.I)
    add("AddressFamily", socket.AF_INET)
    import signal
    add("Signals", signal.SIGINT)
    if "Data" in ns:
        add("dataclass", ns["Data"](1))
        outer_ = ns["Outer"](ns["Data"](2, "y"))
        outer_.me = outer_
        add("recursive dataclass", outer_)
        add("typed namedtuple", ns["Typed"](1))
    pathlib = __import__("pathlib")
    for text in ("/usr/lib/../x", "rel/ative", ".", "/", "//two", "a//b/./c/", ""):
        add("path %s" % text, pathlib.PurePosixPath(text))
    add("joined path", pathlib.Path("/a") / "b" / "c")
    add("absolute join", pathlib.Path("a") / "/b")
    shown = pathlib.Path("a/b")
    str(shown)
    add("shown path", shown)
    add("windows path", pathlib.PureWindowsPath("c:\\a\\b"))
    import ipaddress
    add("IPv4", ipaddress.ip_address("10.1.2.3"))
    add("IPv6", ipaddress.ip_address("2001:db8::1"))
    add("IPv6 zero", ipaddress.ip_address("::"))
    add("IPv6 tail", ipaddress.ip_address("1::"))
    if sys.version_info >= (3, 7):
        import contextvars
        var = contextvars.ContextVar("var", default=[5])
        add("ContextVar", var)
        add("ContextVar without default", contextvars.ContextVar("other"))
        token = var.set(1)
        add("Token", token)
        add("Context", contextvars.copy_context())
        used = var.set(2)
        var.reset(used)
        add("used Token", used)
    if sys.version_info >= (3, 9):
        add("GenericAlias", list[int])
        add("nested alias", dict[str, list[int]])
        add("tuple alias", tuple[int, ...])
    if sys.version_info >= (3, 10):
        add("Union", int | str)
        add("optional", int | None)
    add("spec", json.__spec__)
    add("builtin spec", sys.__spec__)
    if sys.version_info >= (3, 5):
        ns2 = {"__name__": "__main__"}
        exec("async def coro():\n    pass\n", ns2)
        coro = ns2["coro"]()
        add("coroutine", coro)
        add("coroutine wrapper", coro.__await__())
    if sys.version_info >= (3, 6):
        exec("async def agen():\n    yield 1\n", ns2)
        add("async generator", ns2["agen"]())
        add("asend", ns2["agen"]().asend(None))
        import asyncio
        add("asyncio.Event", asyncio.Event()) if sys.version_info >= (3, 10) else None
        add("asyncio.Lock", asyncio.Lock()) if sys.version_info >= (3, 10) else None
    if sys.version_info >= (3, 4):
        sock = socket.socket()
        add("closed socket", sock)
        sock.close()


class Node(object):
    kind = "node"

    def __init__(self, name, items):
        self.name = name
        self.items = items

    @property
    def computed(self):
        return 1


CONFIG = {"db": {"host": "localhost", u"port\u2603": 5432}, 1: "one", (1, "a"): "pair", None: "nothing", True: "yes",
          -7: "minus", (2, (3, None)): "nested"}
NODE = Node("root", [Node("leaf %d" % n, [n, (n, n + 1)]) for n in range(5)])
SLOTTED = Slots()
SLOTTED.a = [1, 2, 3]
SEQUENCE = list(range(20))
KEY = "db"
NAMES = collections.deque("abcdefg")
THREAD = threading.current_thread()
FRACTION = fractions.Fraction(3, 4)
OUTER_CELL = outer()
SPACE = type(str("Namespace"), (object,), {"a": [5]})
PROXY = SPACE.__dict__
TEXT = u"na\u00efve \u2603"
BIG = (2**80, -1)
ORDERED = collections.OrderedDict(k=[1])
COUNTER = collections.Counter("mississippi")
EXPRESSIONS = [
    "CONFIG['db']['host']", 'CONFIG["db"]["host"][0]', "CONFIG['db'][u'port\\u2603']", "CONFIG[(1, 'a')]", "CONFIG[1, 'a']",
    "CONFIG[None]", "CONFIG[-7]", "CONFIG[(2, (3, None))]", "CONFIG[ 'db' ]", "NODE.items[3].name", "NODE.items[-1].items[1]",
    "NODE.items[0].items[1][-1]", "NODE.kind", "NODE.items[1].kind", "SLOTTED.a", "SLOTTED.a[1]", "SEQUENCE[2:5]",
    "SEQUENCE[::-1]", "SEQUENCE[-3:]", "SEQUENCE[:2]", "SEQUENCE[1:15:4]", "SEQUENCE[10:2:-3]", "SEQUENCE[5:5]",
    "SEQUENCE[100:]", "SEQUENCE[2:10][3]", "SEQUENCE[2:10][1:5]", "SEQUENCE[::2][::-1]", "NAMES[3]", "NAMES[-1]",
    "KEY[1:]", "KEY[0]", "CONFIG[KEY]['host']", "NODE.items[SLOTTED.a[0]].name", "outer.__name__", "Node.kind", "sys.maxsize",
    "sys.flags.optimize", "collections.OrderedDict", "SEQUENCE", "os.path.sep", "NODE.__class__", "NODE", "SEQUENCE[True]",
    "THREAD.name", "THREAD.daemon", "FRACTION.numerator", "OUTER_CELL.__closure__[0].cell_contents", "PROXY['a']",
    "TEXT[2:]", "TEXT[-1]", "BIG[0]", "ORDERED['k']", "COUNTER['i']", "CONFIG['db'].__class__",
]


def expressions():
    return [[e, repr(eval(e))] for e in EXPRESSIONS]


def asked(question, value):
    try:
        return question(value)
    except Exception:
        return None


def truth():
    out = []
    for name, value in VALUES:
        text = repr(value)
        if not PY3:
            text = text.decode("latin-1")
        out.append({"name": name, "repr": text, "type": type(value).__name__, "id": hex(id(value)).rstrip("L"),
                    "tracked": gc.is_tracked(value), "size": asked(lambda v: type(v).__sizeof__(v), value),
                    "getsizeof": asked(sys.getsizeof, value)})
    return out


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else os.environ["PYSCRY_TRUTH"]
    numbers()
    texts()
    containers()
    collections_()
    callables()
    exceptions()
    datetimes()
    library()
    if ctypes:
        foreign()
    files(os.path.dirname(os.path.abspath(target)))
    threads()
    newer()
    with open(target, "w") as f:
        json.dump({"version": sys.version, "values": truth(), "expressions": expressions()}, f)
        f.flush()
    os.abort()


main()
