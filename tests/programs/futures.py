"""Values of many kinds, in the frame of `make`, where a process ends that may be of any version."""
import asyncio
import collections
import enum
import os

D = collections.defaultdict(int, {1: 2})
Pair = collections.namedtuple('Pair', 'x y')


class Flag(enum.Flag):
    A = 1
    B = 2


class Slots(object):
    __slots__ = ('a', 'b')

    def __init__(self):
        self.a, self.b = 5, 'six'


class Instance(object):
    def __init__(self):
        self.u, self.v, self.w = 7, [8], 'nine'


def make():
    default, pair, flag, slots, instance = D, Pair(1, 2), Flag.A, Slots(), Instance()
    items, found, words = [3, 4.5, (1, 'two')], {6}, {'k': 'v', 'w': None}
    queue = collections.deque([1, 2])
    try:
        raise ValueError('held')
    except ValueError as error:

        async def main():
            async def sleeper():
                await asyncio.sleep(1000)

            task = asyncio.create_task(sleeper(), name='sleepy')
            await asyncio.sleep(0)
            os.abort()

        asyncio.run(main())


with open('truth.json', 'w') as out:
    out.write('{"pid": %d}' % os.getpid())
make()
