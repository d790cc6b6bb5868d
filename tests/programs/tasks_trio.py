"""trio's tasks in many shapes; the truth of each as trio itself tells it, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says.

Argument: `guest` runs trio as a guest of asyncio's loop, `idle` too, and ends in that loop while trio sleeps.
"""
import os
import sys
import threading
import time
import types

import trio

from awaits import end, frames, native_id

lowlevel = trio.lowlevel if hasattr(trio, 'lowlevel') else trio.hazmat # up to 0.14
running, keep, runners, waits = set(), [], [], {}


async def sleeper():
    await trio.sleep_forever()


async def deep(n):
    if n:
        await deep(n - 1)
    else:
        await trio.sleep(3600)


async def numbers():
    for i in range(3):
        if i:
            await trio.sleep_forever()
        yield i


async def over():
    async for each in numbers():
        keep.append(each)


async def parent(depth):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper, name='a named child')
        nursery.start_soon(deep, depth)
        if depth:
            nursery.start_soon(parent, depth - 1)


async def busy_parent():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper)
        await trio.sleep_forever()


async def two_nurseries():
    async with trio.open_nursery() as outer:
        outer.start_soon(sleeper, name='of the outer')
        async with trio.open_nursery() as inner:
            inner.start_soon(sleeper, name='of the inner')


async def starter(task_status=trio.TASK_STATUS_IGNORED):
    task_status.started(5)
    await trio.sleep_forever()


async def never_started(task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep_forever()


async def starts(function):
    async with trio.open_nursery() as nursery:
        keep.append(await nursery.start(function))


async def holds(lock):
    async with lock:
        await trio.sleep_forever()


async def receives(channel):
    async for each in channel:
        keep.append(each)


async def sends(channel):
    while True:
        await channel.send(1)


async def times_out():
    with trio.move_on_after(3600), trio.fail_after(7200):
        await trio.sleep_forever()


async def resists():
    with trio.CancelScope() as scope:
        scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()


async def in_thread(event):
    await trio.to_thread.run_sync(event.wait)


async def accepts():
    listeners = await trio.open_tcp_listeners(0, host='127.0.0.1')
    keep.append(listeners)
    await listeners[0].accept()


@types.coroutine
def by_generator(awaitable):
    return (yield from awaitable.__await__())


async def through_generator():
    await by_generator(sleeper())


def make(nursery, event):
    lock, condition = trio.Lock(), trio.Condition()
    sender, receiver = trio.open_memory_channel(0)
    full, full_receiver = trio.open_memory_channel(1)
    keep.extend([sender, full_receiver, lock, condition, trio.Semaphore(0), trio.CapacityLimiter(1)])
    for function, arguments in ((sleeper, ()), (deep, (0,)), (deep, (50,)), (over, ()), (parent, (2,)), (busy_parent, ()), (two_nurseries, ()),
                                (starts, (starter,)), (starts, (never_started,)), (holds, (lock,)), (holds, (lock,)), (holds, (condition,)),
                                (receives, (receiver,)), (sends, (full,)), (times_out, ()), (resists, ()), (in_thread, (event,)), (accepts, ()),
                                (trio.Event().wait, ()), (through_generator, ()), (keep[-2].acquire, ())):
        nursery.start_soon(function, *arguments)
    nursery.start_soon(sleeper, name='na\u00efve \u4efb\u52a1')


def data_of(task):
    """What it sleeps on by its own word, or the nursery in whose end it stands."""
    if task.custom_sleep_data is not None:
        return hex(id(task.custom_sleep_data))
    return next((hex(id(each)) for each in task.child_nurseries[::-1] if each._parent_waiting_in_aexit), None)


def describe(task):
    nursery = task.parent_nursery
    runs = task in running
    # a task that is about to run waits for nothing
    ready = getattr(task, '_next_send_fn', getattr(task, '_next_send', None)) is not None and not runs
    return {'id': hex(id(task)), 'name': task.name, 'state': 'running' if runs else 'pending', 'ready': ready,
            'parent': hex(id(nursery.parent_task)) if nursery else None, 'nursery': hex(id(nursery)) if nursery else None,
            'coroutine': hex(id(task.coro)), 'frames': [] if runs else frames(task.coro), 'waits_for': None if runs or ready else data_of(task),
            'loop': hex(id(task._runner)), 'cancelled': task._cancel_status.effectively_cancelled}


def family(task):
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from family(child)


def truth():
    tasks = [describe(task) for root, _ in runners for task in family(root)]
    current = lowlevel.current_task() if running else None
    loops = [{'id': hex(id(root._runner)), 'running': True, 'closed': False, 'thread': thread,
              'current': hex(id(current)) if current and current._runner is root._runner else None} for root, thread in runners]
    return {'version': sys.version, 'trio': trio.__version__, 'pid': os.getpid(), 'tasks': tasks, 'loops': loops}


async def elsewhere(ready):
    runners.append((lowlevel.current_root_task(), native_id()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper, name='in another thread')
        await trio.sleep(0.05)
        ready.set()


async def main():
    runners.append((lowlevel.current_root_task(), native_id()))
    ready, event = threading.Event(), threading.Event()
    threading.Thread(target=trio.run, args=(elsewhere, ready), daemon=True).start()
    ready.wait()
    time.sleep(0.1)
    async with trio.open_nursery() as nursery:
        make(nursery, event)
        await trio.sleep(0.2)
        if 'idle' in sys.argv:
            runners[0] = runners[0][0], None # nobody can tell its thread while it sleeps
            await trio.sleep(3600)
        nursery.start_soon(sleeper, name='fresh')
        running.add(lowlevel.current_task())
        end(truth)


def run_as_guest():
    import asyncio

    async def host():
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        lowlevel.start_guest_run(main, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=lambda outcome: done.set())
        if 'idle' in sys.argv:
            await asyncio.sleep(1)
            end(truth)
        await done.wait()
    asyncio.run(host())


if sys.argv[1:] and hasattr(lowlevel, 'start_guest_run'): # 0.16+
    run_as_guest()
else:
    trio.run(main)
