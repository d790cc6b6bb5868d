"""asyncio in many shapes; the truth of every task as the program itself finds it, written to $PYSCRY_TRUTH.

Runs on Python 3.5 to 3.15. Arguments: `python` replaces the C module's tasks by those written in Python; a number is how many
tasks the crowd has. Ends as $PYSCRY_END says, inside the loop, with every task parked.
"""
import asyncio
import os
import sys
import types

import without_c
from awaits import end, frames

named = {}    # task: what the program calls it
awaiters = {} # task: the names of those that await it
keep = []


def name(task, text, *by):
    if hasattr(task, 'set_name'):
        task.set_name(text)
    named[task] = text
    awaiters[task] = sorted(by)
    return task


def make(coroutine):
    return asyncio.ensure_future(coroutine)


async def sleeper():
    await asyncio.sleep(3600)


async def deep(n):
    if n:
        await deep(n - 1)
    else:
        await sleeper()


async def on(awaitable):
    return await awaitable


async def returns():
    return 42


async def raises():
    raise ValueError('lost')


class Awaitable:
    def __init__(self, inner):
        self.inner = inner

    def __await__(self):
        return (yield from self.inner.__await__())


@types.coroutine
def old_style(awaitable):
    yield from awaitable.__await__()


async def gatherer():
    tasks = [name(make(deep(i)), 'gathered-%d' % i, 'gatherer') for i in range(3)]
    await asyncio.gather(*tasks)


async def waiter():
    tasks = [name(make(sleeper()), 'waited-%d' % i, 'waiter') for i in range(2)]
    await asyncio.wait(tasks)


async def timed():
    await asyncio.wait_for(name(make(sleeper()), 'in wait_for', 'timed'), 3600)


async def shielder():
    await asyncio.shield(name(make(sleeper()), 'shielded', 'shielder'))


async def locked(lock):
    async with lock:
        await sleeper()


async def getter(queue):
    await queue.get()


async def crowd(n):
    await asyncio.gather(*[name(make(sleeper()), 'crowd-%d' % i, 'crowd') for i in range(n)])


if sys.version_info >= (3, 6):
    exec('''
async def numbers():
    for i in range(10):
        await asyncio.sleep(3600 if i else 0)
        yield i

async def over_generator():
    async for number in numbers():
        keep.append(number)

async def nested_generator():
    async for number in numbers():
        yield number

async def over_nested():
    async for number in nested_generator():
        keep.append(number)

async def comprehension():
    keep.append([number async for number in numbers()])

async def sends():
    generator = numbers()
    await generator.asend(None)
    await generator.__anext__()
''')
    if sys.version_info >= (3, 10):
        exec('''
async def anexts():
    generator = numbers()
    await anext(generator)
    await anext(generator, None)
''')

if sys.version_info >= (3, 11):
    exec('''
async def grouped():
    async with asyncio.TaskGroup() as group:
        for i in range(2):
            name(group.create_task(deep(1)), 'in group %d' % i, 'grouped')
''')


def shapes(count):
    lock, queue, event, future = asyncio.Lock(), asyncio.Queue(), asyncio.Event(), asyncio.get_event_loop().create_future()
    keep.extend([lock, queue, event, future])
    name(make(gatherer()), 'gatherer')
    name(make(waiter()), 'waiter')
    name(make(timed()), 'timed')
    name(make(shielder()), 'shielder')
    name(make(locked(lock)), 'holds the lock')
    name(make(locked(lock)), 'wants the lock')
    name(make(getter(queue)), 'getter')
    name(make(on(event.wait())), 'event')
    name(make(on(future)), 'future')
    name(make(on(Awaitable(future))), 'awaitable')
    name(make(on(old_style(future))), 'old style')
    inner = name(make(deep(5)), 'joined', 'joins', 'joins too')
    name(make(on(inner)), 'joins')
    name(make(on(inner)), 'joins too')
    name(make(crowd(count)), 'crowd')
    keep.append(name(make(returns()), 'returned'))
    keep.append(name(make(raises()), 'raised'))
    keep.append(name(make(sleeper()), 'cancelled'))
    for function in ('over_generator', 'over_nested', 'comprehension', 'sends', 'anexts', 'grouped'):
        if function in globals():
            name(make(globals()[function]()), function)


def state(task, main):
    if task is main:
        return 'running'
    return 'cancelled' if task.cancelled() else 'done' if task.done() else 'pending'


def waits_for(task):
    waited = getattr(task, '_fut_waiter', None)
    return None if waited is None else hex(id(waited))


def truth(main, fresh):
    ids = {text: hex(id(task)) for task, text in named.items()}
    tasks = []
    for task, text in named.items():
        coroutine = None if task.done() else task.get_coro() if hasattr(task, 'get_coro') else task._coro
        tasks.append({
            'id': hex(id(task)), 'name': text if hasattr(task, 'set_name') else None, 'state': state(task, main),
            'frames': [] if task.done() or task is main else frames(coroutine), 'waits_for': waits_for(task),
            'awaited_by': [] if task.done() else sorted(ids[by] for by in awaiters[task]),
            'lost': task.done() and not task.cancelled() and text == 'raised',
        })
        if hasattr(task, '_asyncio_awaited_by') and not task.done():
            assert sorted(hex(id(each)) for each in task._asyncio_awaited_by or ()) == tasks[-1]['awaited_by'], text
    return {'version': sys.version, 'pid': os.getpid(), 'tasks': tasks, 'loop': hex(id(asyncio.get_event_loop())),
            'current': hex(id(main)), 'class': type(main).__module__}


async def main(count):
    task = asyncio.current_task() if hasattr(asyncio, 'current_task') else asyncio.Task.current_task()
    name(task, 'main')
    shapes(count)
    for _ in range(10):
        await asyncio.sleep(0)
    next(each for each in named if named[each] == 'cancelled').cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    fresh = name(make(sleeper()), 'fresh')
    end(truth, task, fresh)


arguments = sys.argv[1:]
if 'python' in arguments:
    arguments.remove('python')
    without_c.use_python()
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main(int((arguments or ['20'])[0])))
