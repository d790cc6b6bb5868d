"""Tasks that done callbacks mention, and tasks that are awaited: [id, who awaits it]. Runs on 3.7 to 3.15; the end is ends.py's."""
import asyncio
import functools

import ends


async def parked():
    await asyncio.Event().wait()


def cancel_other(other, done):
    other.cancel()


class Keeper:
    def __init__(self, task):
        self._parent_task = self.outer = task
        self._done = asyncio.Queue()

    def on_done(self, done):
        pass

    def _on_task_done(self, done):
        pass

    def _wakeup(self, done):
        pass


def closing(outer, waiter):
    def _done_callback(done):
        return outer, waiter
    return _done_callback


async def gathers(*tasks):
    await asyncio.gather(*tasks)


async def waits(*tasks):
    await asyncio.wait(tasks)


async def shields(task):
    await asyncio.shield(task)


async def waits_for(task):
    await asyncio.wait_for(task, 1000)


async def completes(*tasks):
    for each in asyncio.as_completed(tasks):
        await each


async def awaits(task):
    await task


async def main():
    loop = asyncio.get_event_loop()

    def task(coroutine):
        made = loop.create_task(coroutine)
        keep.append(made)
        return made
    keep, found = [], []

    def awaited(function, count):
        inner = [task(parked()) for _ in range(count)]
        outer = task(function(*inner))
        found.extend([hex(id(each)), [hex(id(outer))]] for each in inner)
        return outer
    first, second = task(parked()), task(parked())
    callbacks = [functools.partial(cancel_other, second), second.cancel, Keeper(second).on_done, Keeper(second)._on_task_done,
                 Keeper(second)._wakeup, closing(second, second), lambda done: second, functools.partial(print, second)]
    for callback in callbacks:
        each = task(parked())
        each.add_done_callback(callback)
        found.append([hex(id(each)), []])
    signal = loop.create_future()
    signal.add_done_callback(functools.partial(cancel_other, first))
    first.add_done_callback(functools.partial(cancel_other, signal))
    found += [[hex(id(first)), []], [hex(id(second)), []]]
    outers = [awaited(gathers, 2), awaited(waits, 2), awaited(shields, 1), awaited(waits_for, 1), awaited(completes, 2), awaited(awaits, 1)]
    for _ in range(5):
        await asyncio.sleep(0)
    found += [[hex(id(outer)), []] for outer in outers]
    ends.write({'tasks': found, 'own': None})


asyncio.new_event_loop().run_until_complete(main())
