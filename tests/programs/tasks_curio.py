"""curio's tasks in many shapes; the truth of each, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says."""
import os
import socket as sockets
import sys
import threading
import time

import curio
from curio.traps import _get_kernel

from awaits import awaited, end, frame_of, frames, native_id

keep, kernels, expected = [], [], {}


async def sleeper():
    await curio.sleep(3600)


async def deep(n):
    if n:
        return await deep(n - 1)
    await curio.sleep(3600)


async def numbers():
    for i in range(3):
        if i:
            await curio.sleep(3600)
        yield i


async def over():
    async for each in numbers():
        keep.append(each)


async def parent(depth):
    children = [await curio.spawn(deep, depth), await curio.spawn(sleeper)]
    if depth:
        children.append(await curio.spawn(parent, depth - 1))
    expects(children[0].joining)
    await children[0].join()


async def grouped():
    async with curio.TaskGroup() as group:
        await group.spawn(sleeper)
        await group.spawn(deep, 3)


async def holds(lock):
    async with lock:
        await curio.sleep(3600)


async def wants(lock):
    expects(lock._waiting)
    await lock.acquire()


async def gets(queue):
    await queue.get()


async def waits(event):
    expects(event._waiting)
    await event.wait()


async def reads():
    one, other = sockets.socketpair()
    keep.extend([one, other])
    await curio.socket.from_stdlib(one).recv(10) if hasattr(curio.socket, 'from_stdlib') else await curio.io.Socket(one).recv(10)


async def threaded(event):
    await curio.run_in_thread(event.wait)


async def times_out():
    async with curio.timeout_after(3600):
        await curio.sleep(7200)


async def result():
    return 42


async def fails():
    raise ValueError('lost')


async def resists():
    try:
        await curio.sleep(3600)
    except curio.CancelledError:
        await curio.sleep(3600)


def expects(thing):
    """The current task is about to wait for this."""
    expected[current()] = hex(id(thing))


def current():
    return next(task for kernel, _ in kernels for task in kernel._tasks.values() if task.state == 'RUNNING' and task.coro.cr_running)


def wait_object(coroutine):
    thing = coroutine
    while awaited(thing) is not None:
        thing = awaited(thing)
    request = frame_of(thing).f_locals.get('request', ()) if frame_of(thing) else ()
    return hex(id(request[1])) if len(request) > 1 and not isinstance(request[1], (int, float, type(None))) else None


def describe(kernel, task, running):
    over = task.terminated
    runs = task is running
    parent = None if over else kernel._tasks.get(task.parentid) # one that is over is in no kernel's table
    waiting = None if over or runs else wait_object(task.coro)
    assert task not in expected or expected[task] == waiting, task
    return {'id': hex(id(task)), 'name': task.name, 'state': 'running' if runs else 'cancelled' if over and task.cancelled else 'done' if over
            else 'pending', 'parent': hex(id(parent)) if parent else None, 'coroutine': hex(id(task.coro)),
            'frames': [] if over or runs else frames(task.coro), 'waits_for': waiting, 'number': task.id, 'scheduling': task.state,
            'awaited_by': sorted(hex(id(each)) for each in task.joining._tasks),
            'loop': hex(id(kernel)) if task in kernel._tasks.values() else None}


def truth(running):
    tasks = [describe(kernel, task, running) for kernel, _ in kernels for task in list(kernel._tasks.values())]
    tasks += [describe(kernels[-1][0], task, running) for task in keep if isinstance(task, curio.Task) and task.terminated]
    loops = [{'id': hex(id(kernel)), 'running': True, 'closed': False, 'thread': thread,
              'current': hex(id(running)) if running in kernel._tasks.values() else None} for kernel, thread in kernels]
    return {'version': sys.version, 'pid': os.getpid(), 'tasks': tasks, 'loops': loops}


async def elsewhere(ready):
    kernels.append((await _get_kernel(), native_id()))
    keep.append(await curio.spawn(sleeper))
    await curio.sleep(0.05)
    ready.set()
    await curio.sleep(3600)


async def main():
    ready, event = threading.Event(), threading.Event()
    threading.Thread(target=curio.run, args=(elsewhere, ready), daemon=True).start()
    ready.wait()
    time.sleep(0.1)
    kernels.append((await _get_kernel(), native_id()))
    lock, queue, happens = curio.Lock(), curio.Queue(), curio.Event()
    keep.extend([lock, queue, happens])
    for function, arguments in ((sleeper, ()), (deep, (0,)), (deep, (50,)), (over, ()), (parent, (2,)), (grouped, ()), (holds, (lock,)), (wants, (lock,)),
                                (wants, (lock,)), (gets, (queue,)), (waits, (happens,)), (waits, (happens,)), (reads, ()), (threaded, (event,)),
                                (times_out, ()), (result, ()), (fails, ())):
        keep.append(await curio.spawn(function, *arguments))
    task = await curio.spawn(resists)
    await curio.sleep(0.1)
    await task.cancel(blocking=False)
    await curio.sleep(0.1)
    keep.append(await curio.spawn(sleeper))
    keep[-1].name = 'na\u00efve \u4efb\u52a1'
    end(truth, await curio.current_task())


curio.run(main)
