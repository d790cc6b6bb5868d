# -*- coding: utf-8 -*-
"""Each name of a class, overridden in a subclass by a method, a property or a text: repr() of an instance, or None where that fails.

Runs on 2.7 to 3.15; the end is ends.py's. With arguments only bases of these names, each name overridden in all three ways.
"""
import collections
import itertools
import os
import sys
import types

import ends

PY3 = sys.version_info[0] >= 3
# what repr() cannot do without, so that overriding it only shows how a class is made
LEFT_OUT = {'__new__', '__init__', '__repr__', '__class__', '__init_subclass__', '__subclasshook__', '__del__', '__slots__', '__weakref__',
            '__dict__', '__abstractmethods__', '__set_name__', '__classcell__', '__setattr__', '__delattr__', '__metaclass__', '__doc__'}
BASES = r'''
list([1, 2]) tuple((1,2)) dict({'a':1}) set([1]) frozenset([1]) int(7) float(7.5) complex(1,2) str('x') bytes(b'x') bytearray(b'x')
collections.deque([1,'x']) collections.OrderedDict([('a',1)]) collections.Counter('aab') collections.defaultdict(int,{1:2})
collections.UserDict({'a':1}) collections.UserList([1]) collections.UserString('x') collections.ChainMap({'a':1},{'b':2})
collections.namedtuple('NT','a,b')(1,2) UserDict.UserDict({'a':1}) UserList.UserList([1]) UserString.UserString('x')
types.SimpleNamespace(a=1,b='x') Exception(1,'x') KeyError('k') OSError(2,'no') UnicodeDecodeError('utf-8',b'x',0,1,'why')
ExceptionGroup('eg',[ValueError(1)]) functools.partial(print_,1,k=2) datetime.date(2020,1,2) datetime.datetime(2020,1,2,3,4,5)
datetime.time(1,2,3) datetime.timedelta(1,2,3) decimal.Decimal('1.50') fractions.Fraction(1,3) pathlib.PurePosixPath('/a/b') pathlib.PosixPath('/a')
uuid.UUID(int=5) threading.Event() threading.Semaphore(2) threading.BoundedSemaphore(2) threading.Condition() threading.Barrier(2) threading.Thread(name='t')
threading.Timer(5,print_) itertools.count(3,2) itertools.repeat(3,2) argparse.Namespace(a=1,b='x') types.ModuleType('mod')
weakref.WeakSet([KEPT]) weakref.WeakValueDictionary({1:KEPT}) weakref.WeakKeyDictionary({KEPT:1}) weakref.ref(KEPT) array.array('i',[1,2]) logging.Logger('log')
logging.Handler() logging.StreamHandler() logging.LogRecord('n',10,'p',1,'m',(),None) logging.LoggerAdapter(LOGGER,{}) io.FileIO('/dev/null') io.BytesIO(b'x') io.StringIO(u'x')
io.TextIOWrapper(io.BytesIO(b'x')) io.BufferedReader(io.FileIO('/dev/null')) ipaddress.IPv4Address('1.2.3.4') ipaddress.IPv4Network('1.2.3.0/24')
ipaddress.IPv4Interface('1.2.3.4/24') subprocess.CompletedProcess(['a'],1) queue.Queue() random.Random(1) string.Formatter() inspect.Parameter('p',inspect.Parameter.KEYWORD_ONLY)
inspect.Signature() contextvars.Context() staticmethod(print_) classmethod(print_) property(print_) super(dict,{}) enumerate('a') zip('a') map(print_,'a') reversed('a')
types.MappingProxyType({}) collections.abc.Mapping.register(dict) asyncio.Lock() asyncio.Event() asyncio.Semaphore(1) asyncio.Queue() asyncio.Condition()
asyncio.Future(loop=LOOP) concurrent.futures.Future() multiprocessing.Process(name='p') urllib.parse.ParseResult('a','b','c','d','e','f') zoneinfo.ZoneInfo('UTC')
datetime.timezone(datetime.timedelta(0,3600)) graphlib.TopologicalSorter({}) shelve.Shelf({})
email.message.Message() http.HTTPStatus zipfile.ZipInfo('a') tarfile.TarInfo('a') optparse.Values({'a':1}) unittest.TestCase('run')
string.Template('x') textwrap.TextWrapper() difflib.Match(1,2,3) ast.Name('x') csv.Dialect types.GenericAlias(list,int) typing.NamedTuple('TN',[('a',int)])(1)
DATACLASS(1,2) DATACLASS_FROZEN(1,2) reprlib.Repr() dis.Instruction fractions.Fraction(2) types.CellType(1) operator.attrgetter('a') operator.itemgetter(1) operator.methodcaller('m',1)
functools.partialmethod(print_,1) functools.singledispatchmethod(print_) functools.cached_property(print_) traceback.FrameSummary('f',1,'n') traceback.StackSummary([1])
codecs.IncrementalDecoder() tempfile.SpooledTemporaryFile() threading.local() importlib.machinery.ModuleSpec('n',None) importlib.machinery.SourceFileLoader('n','/p') struct.Struct('i')
zipimport.zipimporter(ZIP)
'''


def print_(*args, **kw):
    pass


def names():
    space = dict(print_=print_)
    for name in ('collections', 'types', 'functools', 'datetime', 'decimal', 'fractions', 'pathlib', 'uuid', 'threading', 'itertools', 'argparse', 'weakref', 'array',
                 'logging', 'logging.handlers', 'io', 'ipaddress', 'subprocess', 'queue', 'random', 'string', 'inspect', 'contextvars', 'asyncio', 'concurrent.futures', 'multiprocessing',
                 'urllib.parse', 'zoneinfo', 'graphlib', 'shelve', 'email.message', 'socket', 'zipfile', 'tarfile', 'optparse', 'unittest', 'textwrap', 'difflib',
                 'typing', 'dataclasses', 'reprlib', 'operator', 'traceback', 'codecs', 'tempfile', 'importlib.machinery', 'struct', 'zipimport', 'UserDict', 'UserList', 'UserString'):
        try:
            space[name.split('.')[0]] = __import__(name)
        except ImportError:
            pass
    if 'dataclasses' in space:
        for frozen in (False, True):
            space['DATACLASS' + '_FROZEN' * frozen] = space['dataclasses'].make_dataclass('DC', [('x', int), ('y', int)], frozen=frozen)
    if 'asyncio' in space:
        space['LOOP'] = space['asyncio'].new_event_loop()
    space['KEPT'] = KEPT
    space['ZIP'] = os.environ['PYSCRY_TRUTH'] + '.zip'
    with space['zipfile'].ZipFile(space['ZIP'], 'w') as made:
        made.writestr('a.py', '')
    space['LOGGER'] = space['logging'].getLogger('x')
    return space


class Kept(object):
    pass


KEPT = Kept()


def methods(self, *args, **keywords):
    return iter([('made', 'up')])


COUNT = itertools.count()


def ways():
    """All three; as a test one after the other."""
    found = [('method', methods), ('property', property(lambda self: 'made up')), ('value', 'made up')]
    return found if sys.argv[1:] else [found[next(COUNT) % 3]]


def instances(space):
    for line in BASES.split('\n'):
        for text in line.split() if '(' in line else ():
            if sys.argv[1:] and not any(each in text for each in sys.argv[1:]) or text.startswith('io.') and not PY3:  # 2.7's own repr() recurses
                continue
            try:
                value = eval(text, space)
                repr(value)
            except Exception:
                continue
            base = type(value)
            yield text, base, value
            if isinstance(vars(base).get('__init__'), types.FunctionType):
                yield text + ' whose __init__ has not begun', base, base.__new__(base)
            for name in dir(base):
                if name in LEFT_OUT:
                    continue
                for kind, member in ways():
                    try:
                        sub = type('Sub', (base,), {name: member})
                        made = eval(text.replace(text[:text.rindex(base.__name__)] + base.__name__, 'SUB', 1) if base.__name__ in text else 'SUB' + text[text.index('('):],
                                    dict(space, SUB=sub))
                    except BaseException:
                        continue
                    if type(made) is sub:
                        yield '%s.%s %s' % (text, name, kind), base, made


def main():
    found, kept = [], []
    sys.setrecursionlimit(300)
    for name, base, value in instances(names()):
        kept.append(value)
        try:
            text = repr(value)
            text = text if PY3 else text.decode('latin-1')
        except BaseException:
            text = None
        found.append({'name': name, 'repr': text, 'id': hex(id(value)).rstrip('L')})
    ends.write({'values': found})


main()
