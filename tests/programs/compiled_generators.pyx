# cython: language_level=3
"""Generators and coroutines that Cython made, in every state. What is true of each, by its id, is written to
$PYSCRY_TRUTH; then the process dies inside the one that runs."""
import asyncio
import json
import os

truth = []
keep = []


def note(kind, state, made, leads_to=0, label=None):
    keep.append(made)
    truth.append({'id': hex(id(made)), 'kind': kind, 'state': state, 'name': made.__qualname__, 'module': __name__,
                  'waits_for': leads_to and hex(id(leads_to)), 'repr': repr(made), 'label': label})
    return made


def numbers(n):
    for i in range(n):
        yield i
    yield 'last'


def passes_on(inner):
    yield from inner


class Maker:
    def counts(self, n):
        yield n


async def waits(future):
    return await future


async def asks(inner):
    return await inner


async def items(future):
    yield 1
    await future
    yield 2


async def loops(future):
    async for _ in items(future):
        pass


def runs():
    yield 1
    note_running()
    with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
        json.dump({'generators': truth, 'tasks': tasks, 'running': hex(id(running[0]))}, out)
    os.abort()


running = []
tasks = []


def note_running():
    note('generator', 'running', running[0], label=1)


def main():
    note('generator', 'created', numbers(3), label=0)
    started = note('generator', 'suspended', numbers(3), label=1)
    next(started)
    last = note('generator', 'suspended', numbers(1), label=2)
    next(last)
    next(last)
    keep.append(numbers(0))
    list(keep[-1])
    inner = note('generator', 'suspended', Maker().counts(2), label=1)
    outer = note('generator', 'suspended', passes_on(inner), inner, label=1)
    next(outer)

    loop = asyncio.new_event_loop()
    future = loop.create_future()
    innermost = waits(future)
    outermost = asks(innermost)
    looping = loops(future)
    for coroutine in (outermost, looping):
        tasks.append({'task': loop.create_task(coroutine), 'names': []})
    loop.call_soon(loop.stop)
    loop.run_forever()
    note('coroutine', 'suspended', innermost, label=1)
    note('coroutine', 'suspended', outermost, innermost, label=1)
    note('coroutine', 'suspended', looping, label=1)
    truth[-3].pop('waits_for')  # a FutureIter, or the future
    truth[-1].pop('waits_for')  # an asend object
    for task, names in zip(tasks, (['waits', 'asks'], ['items', 'loops'])):
        keep.append(task['task'])
        task.update(id=hex(id(task['task'])), names=names, waits_for=hex(id(future)), repr=repr(task.pop('task')))
    running.append(runs())
    for _ in running[0]:
        pass
