"""Classes of the program's own that are called as the interpreter's and the library's are; what repr() says of their instances.

Each name in four ways: a class statement, one executed without a module's name (its __module__ is that of the built-ins), one with slots,
and one derived from list, dict or int. Runs on 2.7 to 3.15; the end is ends.py's.
"""
from __future__ import print_function

import collections
import sys

import ends

PY3 = sys.version_info[0] >= 3
VALUES = []
EXPRESSIONS = []
NAMES = """object type NoneType ellipsis bool int long float complex str unicode bytes bytearray memoryview list tuple dict frozendict set
frozenset range xrange slice mappingproxy dictproxy module code frame traceback cell function method instancemethod property staticmethod
builtin_function_or_method classmethod method_descriptor member_descriptor getset_descriptor wrapper_descriptor generator coroutine
async_generator coroutine_wrapper classobj instance BaseException KeyError OSError deque _tuplegetter ChainMap Counter defaultdict UserDict
array partial itemgetter date time datetime TextIOWrapper Enum Fraction Thread Task Future Lock Timeout greenlet SimpleNamespace weakref
ContextVar Token Decimal UUID Path Popen Queue _empty BuiltinImporter Factory ndarray int8 Task cython_function_or_method""".split()


def add(name, value):
    VALUES.append((name, value))
    return value


def made(name, bases=(object,), **members):
    made = type(name, bases, dict(members, __module__=__name__))
    if hasattr(made, '__qualname__'):
        made.__qualname__ = name
    return made


def fill(value):
    for name in ('a', 'args', 'real', 'func', 'name', '_name_', 'obj', 'data', 'maps', 'year', 'gi_frame', 'cell_contents', '__code__'):
        try:
            setattr(value, name, 7)
        except (AttributeError, TypeError):
            pass
    return value


def build():
    for name in NAMES:
        add('class ' + name, fill(made(name)()))
        space = {}
        exec('class %s(object): pass' % name, space)
        add('builtin ' + name, fill(space[name]()))
        slots = made(name, __slots__=('a', 'b'))
        add('slots ' + name, fill(slots()))
        for base in (list, dict, int, float, tuple, bytearray, collections.deque):
            add('%s from %s' % (name, base.__name__), made(name, (base,))())
        add('set from ' + name, made(name, (set,))([1]))
    for name in ('SystemExit', 'ImportError', 'SyntaxError', 'OSError', 'UnicodeDecodeError'):
        add('exception ' + name, made(name, (Exception,))('a', 'b'))


def use():
    """Where the printers ask what a value is."""
    own = dict((name, made(name)) for name in NAMES)
    add('dict of classes', own)
    add('deque of them', collections.deque([own['float'](), own['int']()]))
    global FLOATS, FLOAT, FUNCTION, METHOD, PROXY, RANGE
    FLOAT = fill(own['float']())
    FLOATS = {1.5: 'one and a half', FLOAT: 'own', 2: 'two'}
    FUNCTION = fill(own['function']())
    METHOD = fill(own['method']())
    PROXY = fill(own['mappingproxy']())
    RANGE = fill(own['range']())
    holder = made('Holder', (object,), d=made('property')(), f=FUNCTION, m=made('method')(), s=own['staticmethod'](),
                  c=own['classmethod'](), g=own['getset_descriptor'](), b=own['member_descriptor']())
    global HOLDER
    HOLDER = holder()
    for text in ('FLOATS[1.5]', 'FLOATS[2.0]', 'FLOAT.real', 'FLOAT.a', 'FUNCTION.__code__', 'FUNCTION.name', 'METHOD.func', 'PROXY.maps',
                 'RANGE.a', 'HOLDER.d', 'HOLDER.f', 'HOLDER.m', 'HOLDER.s', 'HOLDER.c', 'HOLDER.g', 'HOLDER.b'):
        EXPRESSIONS.append([text, repr(eval(text))])


def asked(value):
    text = repr(value)
    return text if PY3 else text.decode('latin-1')


build()
use()
ends.write({
    'values': [{'name': name, 'repr': asked(value), 'type': type(value).__name__, 'id': hex(id(value)).rstrip('L')}
               for name, value in VALUES],
    'expressions': EXPRESSIONS,
})
