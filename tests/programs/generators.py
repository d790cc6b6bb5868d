"""Suspended generators and coroutines; what the collector and the objects themselves say of each, written to $PYSCRY_TRUTH.

Runs on Python 2.7 to 3.15, ends as $PYSCRY_END says.
"""
import gc
import os
import sys
import types

from ends import write

KINDS = {getattr(types, name): kind for name, kind in (
    ('GeneratorType', 'generator'), ('CoroutineType', 'coroutine'), ('AsyncGeneratorType', 'async_generator')) if hasattr(types, name)}
keep = []


def attribute(thing, suffix, default=None):
    for prefix in ('gi_', 'cr_', 'ag_'):
        if hasattr(thing, prefix + suffix):
            return getattr(thing, prefix + suffix)
    return default


def inner(thing):
    """What a generator, or an object between two of them, leads to."""
    if type(thing) not in KINDS:
        if type(thing).__name__ in ('async_generator_asend', 'async_generator_athrow', 'coroutine_wrapper', 'anext_awaitable'):
            return next((each for each in gc.get_referents(thing) if not isinstance(each, (type, tuple, int))), None)
        return None
    if sys.version_info < (3, 5):
        return thing.gi_frame and running.get(id(thing))
    return attribute(thing, 'yieldfrom') or attribute(thing, 'await')


running = {} # before 3.5, which does not tell: what is known to be yielded from


def chain(thing):
    frames = []
    while thing is not None:
        frame = attribute(thing, 'frame')
        if frame is not None:
            frames.append([frame.f_code.co_name, frame.f_lineno])
        thing = inner(thing)
    return frames[::-1]


def plain(n):
    while True:
        yield n
        n += 1


def both_ways():
    got = None
    while True:
        got = yield got


def lines(name):
    for line in range(3):
        try:
            yield line
        finally:
            keep.append(name)


class Iterable(object):
    def __iter__(self):
        for number in range(10):
            yield number


if sys.version_info >= (3, 3):
    exec('''
def delegates(to):
    yield 'first'
    yield from to

def recursive(n):
    if n:
        yield from recursive(n - 1)
    yield n
''')

if sys.version_info >= (3, 5):
    exec('''
@types.coroutine
def parked():
    yield

async def waits(n):
    if n:
        await waits(n - 1)
    else:
        await parked()

class Manager:
    async def __aenter__(self):
        await parked()
    async def __aexit__(self, *args):
        pass

async def managed():
    async with Manager():
        pass
''')

if sys.version_info >= (3, 6):
    exec('''
async def numbers():
    yield 1
    await parked()
    yield 2

async def loops():
    async for number in numbers():
        keep.append(number)
''')


def build():
    started = plain(5)
    next(started)
    echo = both_ways()
    next(echo)
    echo.send(list(range(3)))
    keep.extend([started, plain(7), echo, iter(Iterable()), (x for x in 'abc')])
    guarded = lines('guard')
    next(guarded)
    keep.append(guarded)
    over = plain(0)
    next(over)
    over.close()
    keep.append(over)
    if sys.version_info >= (3, 3):
        last = plain(1)
        outer = delegates(last)
        next(outer)
        keep.append(outer)
        second = plain(2)
        deeper = delegates(second)
        next(deeper), next(deeper)
        running[id(deeper)] = second
        keep.append(deeper)
        if sys.version_info >= (3, 5):
            deep = recursive(20)
            next(deep)
            keep.append(deep)
        over_list = delegates([1, 2])
        next(over_list), next(over_list)
        keep.append(over_list)
    if sys.version_info >= (3, 5):
        for coroutine in (waits(0), waits(5), managed()):
            coroutine.send(None)
            keep.append(coroutine)
        keep.append(waits(1))
    if sys.version_info >= (3, 6):
        looping = loops()
        looping.send(None)
        keep.append(looping)
        once = numbers()
        try:
            once.asend(None).send(None)
        except StopIteration:
            pass
        keep.append(once)
        keep.append(numbers())


def truth():
    found = []
    for thing in gc.get_objects():
        frame = type(thing) in KINDS and attribute(thing, 'frame')
        if not frame:
            continue
        started = frame.f_lasti >= 0 if sys.version_info < (3, 11) else None
        if started is None:
            import inspect
            state = {'generator': inspect.getgeneratorstate, 'coroutine': inspect.getcoroutinestate,
                     'async_generator': getattr(inspect, 'getasyncgenstate', None)}[KINDS[type(thing)]]
            started = frame.f_lasti > 1 if state is None else not state(thing).endswith('_CREATED')
        if KINDS[type(thing)] == 'async_generator' and sys.version_info[:2] == (3, 11):
            started = thing is not keep[-1]
        found.append({'id': hex(id(thing)).rstrip('L'), 'kind': KINDS[type(thing)], 'state': 'suspended' if started else 'created',
                      'name': getattr(thing, '__qualname__', None) or getattr(thing, '__name__', None), 'frames': chain(thing)})
    return {'version': sys.version, 'pid': os.getpid(), 'generators': found}


build()
if hasattr(sys, 'pypy_version_info'):
    gc.collect()  # id() is the address once an object is old
result = truth()
write(result)
