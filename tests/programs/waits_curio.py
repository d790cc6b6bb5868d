"""What curio's tasks wait for, as JSON to $PYSCRY_TRUTH; ends as $PYSCRY_END says. Two of them wait for each other's
lock; two others would, but one of them waits for a limited time."""
import os
import socket
import threading
import time

import curio

from ways import DEADLOCKS, WAITS, write

tasks = []


async def task(who, kind, f, *args, held_by=(), function=None, state='waiting', **more):
    WAITS.append(dict(who=who, kind=kind, state=state, held_by=[list(h) for h in held_by], task=True,
                      function=function or f.__name__, **more))
    tasks.append(await curio.spawn(f, *args))
    tasks[-1].name = who
    return tasks[-1]


async def sleeps():
    await curio.sleep(3600)


async def takes_both(mine, others):
    async with mine:
        await curio.sleep(0.2)
        async with others:
            pass


async def in_time(mine, others):
    async with curio.timeout_after(3600):
        await takes_both(mine, others)


async def holds(what):
    async with what:
        await sleeps()


async def wants(what):
    await curio.sleep(0.2)
    async with what:
        pass


async def waits(what):
    await what.wait()


async def conditions(condition):
    async with condition:
        await condition.wait()


async def enters(condition):
    await curio.sleep(0.2)
    async with condition:
        await sleeps()


async def gets(queue):
    await queue.get()


async def puts(queue):
    await queue.put(1)


async def joins(other):
    await other.join()


async def grouped():
    async with curio.TaskGroup() as group:
        await group.spawn(sleeps)


async def reads(pair):
    await curio.io.Socket(pair).recv(10)


async def in_thread(function):
    await curio.run_in_thread(function)


async def main():
    left, right, one, other = [curio.Lock() for _ in range(4)]
    permits, owned, full, condition = curio.Semaphore(1), curio.RLock(), curio.Queue(1), curio.Condition()
    await full.put(1)
    pair = socket.socketpair()
    sleeper = await task('sleeper', 'curio.sleep', sleeps, until=time.monotonic() + 3600)
    await task('left', 'Lock', takes_both, left, right, name='others', held_by=[('right', 'with')])
    await task('right', 'Lock', takes_both, right, left, name='others', held_by=[('left', 'with')])
    await task('ends', 'Lock', in_time, one, other, name='others', held_by=[('goes on', 'with')], function='takes_both',
               until=time.monotonic() + 3600)
    await task('goes on', 'Lock', takes_both, other, one, name='others', held_by=[('ends', 'with')])
    DEADLOCKS.append(['left', 'right'])
    await task('has permit', 'curio.sleep', holds, permits, function='sleeps')
    await task('has lock', 'curio.sleep', holds, owned, function='sleeps')
    await task('permitted', 'Semaphore', wants, permits, name='what', held_by=[('has permit', 'with')])
    await task('locked', 'RLock', wants, owned, name='what', held_by=[('has lock', 'owner')])
    await task('event', 'Event', waits, curio.Event(), name='what', detail='not set')
    await task('condition', 'Condition', conditions, condition, name='condition')
    await task('enters', 'curio.sleep', enters, condition, function='sleeps')
    await task('gets', 'Queue.get', gets, curio.Queue(), name='queue', detail='empty')
    await task('puts', 'Queue.put', puts, full, name='queue', detail='full, 1 of 1')
    await task('joins', 'Task.join', joins, sleeper, name='other', held_by=[('sleeper', 'owner')])
    await task('reads', 'socket.recv', reads, pair[0], fd=pair[0].fileno())
    await task('in thread', 'run_in_thread', in_thread, threading.Event().wait, name='function')
    await task('group', 'TaskGroup', grouped, name='group')
    WAITS[-1].pop('held_by')  # a task without a name of ours
    await curio.sleep(0.6)
    write()
    if os.environ.get('PYSCRY_END') == 'sleep':
        time.sleep(600)
    os.abort()


curio.run(main)
