"""What trio's tasks wait for, as JSON to $PYSCRY_TRUTH; ends as $PYSCRY_END says.

Two of them wait for each other's lock; one waits for a thread, which waits for a lock that "holds" has.
"""
import json
import os
import threading
import time

import trio

WAITS = []
lock = threading.Lock()


def task(nursery, who, kind, f, *args, held_by=(), function=None, state='waiting', **more):
    WAITS.append(dict(who=who, kind=kind, state=state, held_by=[list(h) for h in held_by],
                      function=function or f.__name__, **more))
    nursery.start_soon(f, *args, name=who)


async def events(never):
    await never.wait()


async def sleeps():
    await trio.sleep(1000)


async def forever():
    await trio.sleep_forever()


async def deadlocks(mine, others):
    async with mine:
        await trio.sleep(0.1)
        async with others:
            pass


async def in_time(mine, others):
    with trio.fail_after(1000):
        await deadlocks(mine, others)


async def holds(what):
    async with what:
        await trio.sleep_forever()


async def wants(what):
    await trio.sleep(0.1)
    async with what:
        pass


async def conditions(condition):
    async with condition:
        await condition.wait()


async def sends(channel):
    await channel.send(1)


async def receives(channel):
    await channel.receive()


def blocks():
    WAITS[in_thread.row]['held_by'][0][0] = threading.current_thread().name
    lock.acquire()


async def in_thread():
    await trio.to_thread.run_sync(blocks)


async def accepts(listener):
    await listener.accept()


async def nested():
    async with trio.open_nursery() as inner:
        inner.start_soon(forever, name='inner')


def holder():
    with lock:
        time.sleep(1000)


def finish():
    with open(os.environ['PYSCRY_TRUTH'] + '.new', 'w') as out:
        json.dump({'pid': os.getpid(), 'waits': WAITS, 'deadlocks': [['left', 'right']]}, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.new', os.environ['PYSCRY_TRUTH'])
    if os.environ.get('PYSCRY_END') != 'sleep':
        os.abort()


async def main():
    listener = trio.socket.socket()
    await listener.bind(('127.0.0.1', 0))
    listener.listen()
    threading.Thread(target=holder, name='holder', daemon=True).start()
    left, right, limiter, permits = trio.Lock(), trio.StrictFIFOLock(), trio.CapacityLimiter(1), trio.Semaphore(1)
    one, other = trio.Lock(), trio.Lock()
    full, never_sent = trio.open_memory_channel(0)[0], trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        task(nursery, 'event', 'Event', events, trio.Event(), name='never', detail='not set')
        task(nursery, 'sleep', 'trio.sleep', sleeps)
        task(nursery, 'forever', 'trio.sleep_forever', forever)
        task(nursery, 'left', 'StrictFIFOLock', deadlocks, left, right, name='others', held_by=[('right', 'owner')])
        task(nursery, 'right', 'Lock', deadlocks, right, left, name='others', held_by=[('left', 'owner')])
        task(nursery, 'ends', 'Lock', in_time, one, other, name='others', held_by=[('goes on', 'owner')], function='deadlocks')
        task(nursery, 'goes on', 'Lock', deadlocks, other, one, name='others', held_by=[('ends', 'owner')])
        task(nursery, 'has limiter', 'trio.sleep_forever', holds, limiter)
        task(nursery, 'has permit', 'trio.sleep_forever', holds, permits)
        task(nursery, 'limited', 'CapacityLimiter', wants, limiter, name='what', held_by=[('has limiter', 'owner')])
        task(nursery, 'permitted', 'Semaphore', wants, permits, name='what', held_by=[('has permit', 'with')])
        task(nursery, 'condition', 'Condition', conditions, trio.Condition(), name='condition')
        task(nursery, 'send', 'MemorySendChannel.send', sends, full, name='channel')
        task(nursery, 'receive', 'MemoryReceiveChannel.receive', receives, never_sent[1], name='channel')
        in_thread.row = len(WAITS)
        task(nursery, 'thread', 'to_thread.run_sync', in_thread, held_by=[('', 'frame')])
        task(nursery, 'accept', 'socket.accept', accepts, listener, fd=listener.fileno())
        task(nursery, 'nested', 'Nursery', nested, name='inner', held_by=[('inner', 'owner')])
        await trio.sleep(0.5)
        finish()


trio.run(main)
