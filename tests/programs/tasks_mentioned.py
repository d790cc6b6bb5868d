"""Tasks that done callbacks mention, and tasks that are awaited: [id, who awaits it]. Runs on 3.7 to 3.15; the end is ends.py's."""
import asyncio
import contextlib
import functools
import operator
import weakref

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


def passing(keeper, done):
    pass


Keeper.later = functools.partialmethod(passing)
Keeper.bound = property(lambda self: self.on_done)


@functools.wraps(asyncio.tasks.wait)
def _on_completion(waiter):
    @functools.wraps(asyncio.tasks._wait)
    def _on_completion(done):
        return waiter
    return _on_completion


@functools.wraps(getattr(asyncio.tasks, '_release_waiter', asyncio.tasks.wait))
def _release_waiter(waiter, *done):
    return waiter


_release_waiter.__module__, _release_waiter.__name__ = 'asyncio.tasks', '_release_waiter'


def named(outer, name):
    """A function of the program's that says it is one of asyncio's."""
    def function(done):
        return outer
    function.__name__ = function.__qualname__ = name
    function.__module__ = 'asyncio.tasks'
    return function


class Group:
    """Another library's, with the members of asyncio's."""
    def __init__(self, task):
        self._parent_task = self.waiter = task

    def __call__(self, done):
        pass


Group._on_task_done = named(None, '_on_task_done')


def others(task):
    """Done callbacks that mention a task in ways of other libraries."""
    stack = contextlib.ExitStack()
    stack.callback(task.cancel)
    stack.push(functools.partial(cancel_other, task))
    keeper = Keeper(task)
    return [functools.partial(functools.partial(cancel_other, task), 1), functools.partial(keeper.on_done), keeper.later, keeper.bound,
            weakref.WeakMethod(keeper.on_done), weakref.ref(task), stack.close, stack.pop_all, contextlib.closing(task).__exit__,
            _on_completion(task), functools.partial(_release_waiter, task), named(task, '_on_completion'), named(task, '_inner_done_callback'),
            functools.partial(named(task, '_done_callback'), 1), Group(task), Group(task)._on_task_done, functools.partial(setattr, task, 'x'),
            operator.methodcaller('cancel', task), task.set_result, task.get_loop().call_soon, task.add_done_callback, [task].append,
            functools.lru_cache(None)(closing(task, task)), functools.partial(asyncio.wait, waiter=task), keeper._done.put_nowait, task.__init__]


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
                 Keeper(second)._wakeup, closing(second, second), lambda done: second, functools.partial(print, second)] + others(second)
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
