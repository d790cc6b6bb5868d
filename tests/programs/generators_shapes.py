"""Generators, coroutines and async generators that can be left in odd states; for generators_hard.py. Python 2.7 to 3.15."""
import sys
import types

keep = [] # what must not die


def decorator(function):
    return function


@decorator
@decorator
def decorated(
        first=1,
        second=2):

    for i in (
            first,
            second):
        yield (i,
               i +
               i)


def handlers():
    try:
        yield 'try'
        raise ValueError('first')
    except ValueError:
        yield 'handling'
        try:
            raise KeyError('second')
        except KeyError:
            yield 'handling two'
        finally:
            yield 'finally'
    else:
        yield 'else'


class Context(object):
    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return True


def contexts():
    with Context() as a, \
            Context() as b:
        for i in range(3):
            with Context():
                yield a, b, i
                raise RuntimeError('swallowed')


def swallowing():
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


def many(n):
    a = b = c = d = e = f = g = h = n
    x = yield (yield a) or (yield b)
    y = [x, (yield c), [d, (yield e)], {f: (yield g)}]
    yield y, h


def closure():
    cell = []

    def inner(*args, **kw):
        cell.append(args)
        yield cell
        yield kw
    return inner


class Class(object):
    def method(self):
        lambdas = (lambda: (yield self))()
        next(lambdas)
        self.kept = lambdas
        yield 1

    @classmethod
    def of_class(cls):
        yield cls

    def __iter__(self):
        return (x for x in
                [1,
                 2])

    def __del__(self):
        pass


def itself():
    me = yield
    yield me


def endless():
    while True:
        yield 1


def long_code():
    yield 0
    yield 1


# a code object whose lines are far apart, and with thousands of variables
wide = {}
exec('def wide_one():\n' + '\n' * 700 + '    yield 0\n' + '\n' * 3000 + '    yield 1\n', wide)
exec('def wide_two():\n' + ''.join('    v%d = 0\n' % i for i in range(3000)) + '    yield 0\n', wide)

if sys.version_info >= (3, 3):
    exec('''
class Iterator:
    def __iter__(self):
        return self
    def __next__(self):
        return 1
    def send(self, value):
        return value

class Leads:
    def __init__(self, to):
        self.to = to
    def __iter__(self):
        return self.to

def delegates(to):
    try:
        yield 'first'
        with Context():
            yield from \\
                to
    finally:
        keep.append('over')

def chained(n):
    """To the end and back: each level is on a line of its own."""
    if n == 0:
        yield 'bottom'
    elif n % 3 == 0:
        yield from chained(n - 1)
    elif n % 3 == 1:
        got = yield from chained(
            n - 1)
    else:
        for each in [1]:
            yield from chained(n - 1)

def finished_delegation():
    yield from (1,)
    yield 2
''')

if sys.version_info >= (3, 5):
    exec('''
@types.coroutine
def parked():
    try:
        yield
    finally:
        pass

@types.coroutine
def old_style():
    yield from waits(2)

class Awaitable:
    def __init__(self, to):
        self.to = to
    def __await__(self):
        return iter(self.to)

class AwaitsByGenerator:
    def __await__(self):
        yield
        yield

class Manager:
    def __init__(self, at):
        self.at = at
    async def __aenter__(self):
        if self.at == 'enter':
            await parked()
    async def __aexit__(self, *args):
        if self.at == 'exit':
            await parked()
        return True

async def waits(n):
    if n:
        await waits(n - 1)
    else:
        await parked()

async def awaits(what):
    try:
        await \\
            what
    finally:
        keep.append('over')

async def managed(at):
    async with Manager('none'), Manager(at):
        if at == 'exit':
            raise ValueError('inside')
        await parked()

async def handling():
    try:
        raise LookupError('here')
    except LookupError:
        await parked()

class Stepping:
    def __init__(self):
        self.left = 3
    def __aiter__(self):
        return self
    async def __anext__(self):
        self.left -= 1
        if self.left:
            return self.left
        await parked()

async def stepping():
    async for i in Stepping():
        keep.append(i)
''')

if sys.version_info >= (3, 6):
    exec('''
async def numbers(n=1):
    try:
        for i in range(n):
            yield i
        await parked()
        yield 2
    finally:
        await parked()

async def loops(over):
    async for number in over:
        keep.append(number)

async def comprehends():
    return [i async for i in numbers()]

async def collects():
    return {i: [await parked() for _ in range(2)] async for i in numbers(1)}

async def closes(what):
    await what.aclose()

async def throws(what):
    await what.athrow(KeyError('thrown'))

async def nested():
    async for i in numbers(2):
        async for j in numbers(1):
            yield i, j
''')

if sys.version_info >= (3, 10):
    exec('''
async def anexts(what):
    await anext(what)

async def anexts_or(what):
    await anext(what, 'default')
''')
