"""Does many different things without end until a signal ends it at a random instant; then faulthandler writes what the
interpreter itself knows of its threads into $PYSCRY_FAULTS, and the core follows in the same stop. 3.6 to 3.15."""
import contextlib
import faulthandler
import functools
import json
import os
import threading


class Node:
    def __init__(self, depth):
        self.left = Node(depth - 1) if depth else None

    def __del__(self):
        finalised(2)

    def __lt__(self, other):
        return compare(id(self), id(other))

    @property
    def depth(self):
        return 1 + self.left.depth if self.left else 0


def finalised(n):
    return finalised(n - 1) if n else None


def compare(a, b):
    return a < b


def count(n):
    if n:
        yield n
        yield from count(n - 1)


async def inner(n):
    return await inner(n - 1) if n else sum(count(3))


def run(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


@contextlib.contextmanager
def around(n):
    try:
        yield n
    finally:
        finalised(1)


@functools.lru_cache(maxsize=4)
def cached(n):
    return n + (cached(n - 1) if n else 0)


def fails(n):
    if not n:
        raise ValueError(n)
    fails(n - 1)


def recover(n):
    try:
        fails(n)
    except ValueError:
        return [each for each in map(lambda x: x * n, range(3)) if each]
    finally:
        cached(n)


def once(i):
    nodes = sorted(Node(i % 4) for _ in range(3))
    with around(i):
        total = sum(count(i % 5)) + run(inner(i % 3)) + nodes[0].depth
    total += len({k: v for k, v in zip("abc", recover(i % 4))})
    return max([i, total], key=lambda n: exec("finalised(1)", {"finalised": finalised}) or -n)


def forever():
    i = 0
    while True:
        once(i)
        i += 1


def wait(lock):
    lock.acquire()


faults = open(os.environ["PYSCRY_FAULTS"], "w")
faulthandler.enable(faults, all_threads=True)
never = threading.Lock()
never.acquire()
threading.Thread(target=wait, args=(never,), daemon=True).start()
if os.environ.get("PYSCRY_TRUTH"):
    with open(os.environ["PYSCRY_TRUTH"], "w") as out:
        json.dump({}, out)
forever()
