"""Tasks of asyncio in pairs that take two locks, one after the other and in two orders. Some pairs are deadlocks; in
the others one of the two is cancelled in time: by a timeout somewhere around it."""
import asyncio
import sys

from ways import DEADLOCKS, WAITS, end

NEW = sys.version_info >= (3, 11)  # asyncio.timeout(), TaskGroup
tasks = []


def begin(coroutine, name):
    task = asyncio.ensure_future(coroutine)
    if hasattr(task, 'set_name'):
        task.set_name(name)
    tasks.append(task)
    return task


async def first(a, b):
    async with a:
        await asyncio.sleep(0.1)
        async with b:
            pass


async def in_wait_for(name, *locks):
    await asyncio.wait_for(first(*locks), 3600)


async def innermost(name, a, b):
    async with a:
        await asyncio.sleep(0.1)
        await asyncio.wait_for(b.acquire(), 3600)


async def by_its_waiter(name, *locks):
    await asyncio.wait_for(begin(first(*locks), name + '-inner'), 3600)


async def by_gather(name, *locks):
    await asyncio.wait_for(asyncio.gather(begin(first(*locks), name + '-inner')), 3600)


async def by_a_timer(name, *locks):
    asyncio.get_event_loop().call_later(3600, tasks[-1].cancel)
    await first(*locks)


async def never_timed(name, *locks):
    await asyncio.wait_for(first(*locks), None)


async def wait_leaves_it(name, *locks):
    await asyncio.wait([begin(first(*locks), name + '-inner')], timeout=3600)


async def shielded(name, *locks):
    await asyncio.wait_for(asyncio.shield(begin(first(*locks), name + '-inner')), 3600)


# asyncio.timeout() is no syntax, but 3.8 has no such function
async def in_timeout(name, *locks):
    async with asyncio.timeout(3600):
        await first(*locks)


async def no_timeout(name, *locks):
    async with asyncio.timeout(None):
        await first(*locks)


async def awaited_in_timeout(name, *locks):
    async with asyncio.timeout(3600):
        await begin(first(*locks), name + '-inner')


async def group_in_timeout(name, *locks):
    async with asyncio.timeout(3600):
        async with asyncio.TaskGroup() as group:
            tasks.append(group.create_task(first(*locks), name=name + '-inner'))


async def group(name, *locks):
    async with asyncio.TaskGroup() as group:
        tasks.append(group.create_task(first(*locks), name=name + '-inner'))


async def plain(name, *locks):
    await first(*locks)


async def main():
    pairs = [(plain, 'itself'), (in_wait_for, None), (innermost, None), (by_its_waiter, None), (by_gather, None), (by_a_timer, None),
             (never_timed, 'itself'), (wait_leaves_it, 'inner')]
    if NEW:
        pairs += [(in_timeout, None), (no_timeout, 'itself'), (awaited_in_timeout, None), (group_in_timeout, None), (group, 'inner')]
    for function, who in pairs:
        name = function.__name__
        one, other = asyncio.Lock(), asyncio.Lock()
        begin(function(name, one, other), name)
        await asyncio.sleep(0)
        begin(first(other, one), name + '-too')
        if who:
            closes = name if who == 'itself' else name + '-inner'
            DEADLOCKS.append([closes, name + '-too'])
            WAITS.append(dict(who=name + '-too', kind='Lock', state='waiting', held_by=[[closes, 'with']]))
    one, other = asyncio.Lock(), asyncio.Lock()
    begin(shielded('shielded', one, other), 'shielded')
    begin(first(other, one), 'shielded-too')  # a deadlock, but a future says not whether it shields
    await asyncio.sleep(0.5)
    end()


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
