"""What is on the heap, as the interpreter itself can tell: a child of fork() walks from all that the collector knows
through gc.get_referents(), and writes address and size of each object by type. The parent, whose memory is the same,
dies. 2.7 and 3.3 to 3.15."""
import gc
import json
import os
import sys
import time
import weakref
from collections import deque, defaultdict, namedtuple, OrderedDict

if len(sys.argv) > 1 and os.environ.get("PYTHONMALLOC") != sys.argv[1]:
    os.environ["PYTHONMALLOC"] = sys.argv[1]
    os.execv(sys.executable, [sys.executable] + sys.argv)

TYPES = ('Plain', 'Slotted', 'Old', 'Derived', 'Named', 'dict', 'list', 'tuple', 'Bag', 'frozenset', 'str', 'int', 'float', 'bytes',
         'unicode', 'complex', 'function', 'code', 'cell', 'type', 'module', 'deque', 'defaultdict', 'OrderedDict', 'bytearray',
         'traceback', 'property', 'method', 'instancemethod', 'slice', 'long', 'weakref', 'ReferenceType')


class Plain(object):
    def __init__(self, number):
        self.number = number
        self.values = [number, str(number)]


class Slotted(object):
    __slots__ = ('left', 'right', '__weakref__')


class Old:
    pass


class Derived(dict):
    pass


class Bag(set):
    pass


Named = namedtuple('Named', 'first second')


def made(number):
    one = Slotted()
    one.left = Plain(number)
    one.right = Named(number * 1.5, (number, None))
    return one


def closure(value):
    def inner():
        return value
    return inner


def failing():
    pinned = Plain('traceback')
    raise ValueError(pinned)


keep = [made(i) for i in range(300)]
keep.append([Plain(i) for i in range(100)])
keep[0].left.cycle = keep[0]
keep.append([b'bytes %d' % i if sys.version_info >= (3, 5) else b'b' * i for i in range(50)])
keep.append({i * 7: frozenset([i, 'f%d' % i]) for i in range(200)})
keep.append(set(range(1000, 1100)))
keep.append([Bag(range(i)) for i in range(60)])
keep.append(deque(Plain(i) for i in range(130)))
keep.append(defaultdict(list, {'a': [Plain(0)]}))
keep.append(OrderedDict((i, Plain(i)) for i in range(20)))
keep.append([closure(Plain(i)) for i in range(10)])
keep.append([10 ** i for i in range(200)])
keep.append(['x' * i + u'\u20ac' for i in range(0, 900, 9)])
keep.append('s' * 100000)
keep.append(tuple(range(100000, 100500)))
keep.append(bytearray(5000))
keep.append([complex(i, 1) for i in range(10)])
keep.append([weakref.ref(keep[i]) for i in range(5)])
keep.append([Old() for i in range(7)])
keep.append([Derived(a=Plain(i)) for i in range(7)])
keep.append(Plain.__init__)
keep.append(keep[0].left.__init__)
keep.append((Plain(i) for i in range(3)))
next(keep[-1])
keep.append([slice(i, i + 1) for i in range(10)])
try:
    failing()
except ValueError as error:
    keep.append(error)


# what freeing each of these frees: made so that nothing else knows their parts
alone = {}
ALONE = [[[float(i) + 0.25, 1e300 * (i + 1)] for i in range(n)] for n in (3, 50)]
for one in ALONE:
    alone[hex(id(one)).rstrip('L')] = [1 + 3 * len(one), sum(map(sys.getsizeof, [one] + one + sum(one, [])))]
del one


def write(path):
    """In the child: whatever it makes comes after this list."""
    frame = sys._getframe()
    objects, seen, size = gc.get_objects(), {}, sys.getsizeof
    for o in objects:
        if o is not seen and o is not objects and o is not frame:
            seen[id(o)] = o
    last, o, kind, name = list(seen.values()), None, None, None
    kept = [frame, objects, seen, last]  # what is the child's alone
    while last:
        new = []
        kept.append(new)
        own = tuple(map(id, kept))
        for o in gc.get_referents(*last):
            if id(o) not in seen and o is not kept and id(o) not in own:
                seen[id(o)] = o
                new.append(o)
        last = new
    found = {}
    for address, o in list(seen.items()):
        kind = type(o)
        if kind.__name__ in TYPES:
            name = getattr(kind, '__qualname__', kind.__name__)
            if kind.__module__ not in ('builtins', '__builtin__'):
                name = kind.__module__ + '.' + name
            try:
                found.setdefault(name, []).append([hex(address).rstrip('L'), size(o)])
            except Exception:
                pass
    with open(path + '.new', 'w') as out:
        json.dump({'objects': found, 'goes': alone, 'under': hex(id(ALONE)).rstrip('L')}, out)
    os.rename(path + '.new', path)


gc.collect()
gc.disable()
child = os.fork()
if not child:
    try:
        write(os.environ.get('PYSCRY_TRUTH', 'truth.json'))
    finally:
        os._exit(0)
os.waitpid(child, 0)
if os.environ.get('PYSCRY_END', 'abort') == 'sleep':
    while True:
        time.sleep(3600)
os.abort()
