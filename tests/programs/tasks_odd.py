"""Tasks of asyncio as nobody should make them: the truth goes to $PYSCRY_TRUTH. Python 3.7 to 3.15; ends as $PYSCRY_END says.

Tasks of classes that asyncio does not know, in cycles, behind thousands of awaits, left over by a thread that ended, and from 3.12
on started eagerly, one in the other.
"""
import asyncio
import os
import sys
import threading

from awaits import end

V = sys.version_info
tasks = []   # (task, what the truth says)
running = [] # from the outermost on
keep = []
DEEP = 10000


async def leaf():
    await asyncio.sleep(3600)


async def on(awaitable):
    return await awaitable


async def nested(n):
    if n:
        await nested(n - 1)
    else:
        await leaf()


def say(task, **truth):
    if hasattr(task, 'set_name'):
        task.set_name(truth['name'])
    tasks.append((task, truth))
    return task


class Plain:
    """Has a coroutine, and is no future at all."""

    def __init__(self, coroutine, loop):
        self._coro, self._loop, self._name = coroutine, loop, 'plain'
        self._fut_waiter = coroutine.send(None)
        self._fut_waiter._asyncio_future_blocking = False
        asyncio._register_task(self)

    def get_loop(self):
        return self._loop

    def done(self):
        return False


class OfFuture(asyncio.Future):
    """A future with a coroutine."""

    def __init__(self, coroutine, loop):
        super().__init__(loop=loop)
        self._coro, self._name, self._must_cancel = coroutine, 'of future', False
        self._fut_waiter = coroutine.send(None)
        self._fut_waiter._asyncio_future_blocking = False
        asyncio._register_task(self)


def foreign(loop):
    for kind in (Plain, OfFuture):
        task = kind(nested(1), loop)
        tasks.append((task, {'name': task._name, 'state': 'pending', 'functions': ['sleep', 'leaf', 'nested', 'nested'], 'awaited_by': [],
                             'waits_for': hex(id(task._fut_waiter))}))


def cycles(loop):
    first, second = loop.create_future(), loop.create_future()

    async def through(future):
        await (await future)
    a = say(loop.create_task(through(first)), name='a', state='pending', functions=['through'], awaited_by=['b'])
    b = say(loop.create_task(through(second)), name='b', state='pending', functions=['through'], awaited_by=['a'])
    first.set_result(b)
    second.set_result(a)

    async def itself():
        await asyncio.gather(me, leaf())
    me = say(loop.create_task(itself()), name='itself', state='pending', functions=['itself'], awaited_by=['itself'])


def by_future(loop):
    """3.14+: a future may be said to await a task."""
    future = loop.create_future()
    keep.append(future)
    task = say(loop.create_task(leaf()), name='by future', state='pending', functions=['sleep', 'leaf'], awaited_by=[hex(id(future))])
    asyncio.future_add_to_awaited_by(task, future)


def chain_of_tasks(loop):
    """Each waits for the one before."""
    last = None
    for i in range(200):
        task = loop.create_task(on(last) if last else leaf())
        say(task, name='link %d' % i, state='pending', functions=['on'] if last else ['sleep', 'leaf'],
            awaited_by=['link %d' % (i + 1)] if i < 199 else [])
        last = task


def left_over():
    """A thread ends; its loop and the tasks in it stay."""
    loop = asyncio.new_event_loop()
    keep.append(loop)
    asyncio.set_event_loop(loop)
    say(loop.create_task(leaf()), name='left over', state='pending', functions=['sleep', 'leaf'], awaited_by=[])
    loop.run_until_complete(asyncio.sleep(0.01))
    asyncio.set_event_loop(None)


async def eager(loop, n):
    """n tasks, each started within the one before; the innermost ends the program."""
    running.append(asyncio.current_task())
    if not n:
        end(truth, loop)
    task = asyncio.Task(eager(loop, n - 1), loop=loop, eager_start=True)
    await task


def truth(loop):
    ids = {known['name']: hex(id(task)) for task, known in tasks}
    found = []
    for task, known in tasks:
        known = dict(known, id=hex(id(task)), awaited_by=sorted(ids.get(each, each) for each in known['awaited_by']))
        known.setdefault('waits_for', hex(id(task._fut_waiter)) if task._fut_waiter else None)
        if hasattr(task, '_asyncio_awaited_by'):
            assert known['awaited_by'] == sorted(hex(id(each)) for each in task._asyncio_awaited_by or ()), known
        if not hasattr(task, 'get_name') and not hasattr(task, '_name'):
            known['name'] = None
        found.append(known)
    return {'version': sys.version, 'pid': os.getpid(), 'tasks': found, 'current': hex(id(running[-1])), 'deep': DEEP,
            'running': stacks()}


def stacks():
    """Of the tasks that run, each within the one before: the functions from where the next one begins down to its coroutine."""
    found = {hex(id(task)): ['eager'] for task in running}
    if V >= (3, 12):
        found[hex(id(running[0]))] = ['eager', 'main'] # main awaits it as a coroutine
        found[hex(id(running[-1]))] = ['write', 'end', 'eager']
    else:
        found[hex(id(running[-1]))] = ['write', 'end', 'main']
    return found


async def main(loop):
    running.append(asyncio.current_task())
    foreign(loop)
    cycles(loop)
    chain_of_tasks(loop)
    if V >= (3, 14):
        by_future(loop)
    say(loop.create_task(nested(DEEP)), name='deep', state='pending', functions=['sleep', 'leaf'] + ['nested'] * (DEEP + 1), awaited_by=[])
    for _ in range(250):
        await asyncio.sleep(0)
    await eager(loop, 3) if V >= (3, 12) else end(truth, loop)


def run():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main(loop))


thread = threading.Thread(target=left_over)
thread.start()
thread.join()
sys.setrecursionlimit(DEEP * 10)
threading.stack_size(1 << 29)
thread = threading.Thread(target=run)
thread.start()
thread.join()
