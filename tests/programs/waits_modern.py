"""The ways to hang of waits.py that Python 2 has not: executors, imports, asyncio."""
import asyncio
import concurrent.futures
import os
import sys
import threading
import time

NAMES = {}  # what must not be lost: pools, tasks by their names


def begin(main):
    way, forever = main.way, main.forever

    # --- executors ---
    pool = concurrent.futures.ThreadPoolExecutor(1)
    worker = []

    def busy():
        worker.append(threading.current_thread())
        worker[0].name = 'busy'
        forever()

    running = pool.submit(busy)
    while not worker:
        time.sleep(0.01)
    main.WAITS.append(dict(who='busy', kind='sleep', state='waiting', held_by=[]))

    @way('Future.result', held_by=[('busy', 'frame')], name='running')
    def future_result():
        running.result()

    small = concurrent.futures.ThreadPoolExecutor(1)

    def exhausted():
        threading.current_thread().name = 'exhausted'
        small.submit(forever).result()

    small.submit(exhausted)
    main.WAITS.append(dict(who='exhausted', kind='Future.result', state='waiting',
                           held_by=[['exhausted', 'frame']], function='exhausted'))
    main.DEADLOCKS.append(['exhausted'])

    idle = concurrent.futures.ThreadPoolExecutor(1)

    def name():
        threading.current_thread().name = 'idle'

    idle.submit(name).result()
    NAMES['pools'] = [pool, small, idle]
    main.WAITS.append(dict(who='idle', kind='ThreadPoolExecutor worker', state='idle', held_by=[]))

    # --- a module that is being imported ---
    directory = os.path.dirname(os.environ['PYSCRY_TRUTH'])
    with open(os.path.join(directory, 'slow_module.py'), 'w') as out:
        out.write('import time, waits_modern\nwaits_modern.importing.append(1)\ntime.sleep(3600)\n')
    sys.path.insert(0, directory)

    @way('sleep', function='<module>')
    def imports():
        import slow_module  # noqa

    while not importing:
        time.sleep(0.01)

    @way('import lock', held_by=[('imports', 'owner')], detail='slow_module')
    def imports_too():
        import slow_module  # noqa

    loops(main, running)


importing = []


def task(main, who, kind, held_by=(), **more):
    main.WAITS.append(dict(who=who, kind=kind, state='waiting', task=True, held_by=[list(h) for h in held_by], **more))


def loops(main, running):
    started = []

    def named(loop, coroutine, name):
        made = loop.create_task(coroutine)
        if hasattr(made, 'set_name'):
            made.set_name(name)
        NAMES[name] = made
        return made

    async def all_kinds():
        loop = asyncio.get_event_loop()
        lock, event, condition = asyncio.Lock(), asyncio.Event(), asyncio.Condition()
        semaphore, items = asyncio.Semaphore(0), asyncio.Queue()
        future = loop.create_future()
        pool = concurrent.futures.ThreadPoolExecutor(1)

        async def holds():
            async with lock:
                await event.wait()

        async def wants():
            async with lock:
                pass

        async def waits():
            async with condition:
                await condition.wait()

        async def semaphores():
            await semaphore.acquire()

        async def gets():
            await items.get()

        async def sleeps():
            await asyncio.sleep(3600)

        async def awaits():
            await other

        async def bare():
            await future

        async def executor():
            await loop.run_in_executor(pool, in_executor)

        def in_executor():
            threading.current_thread().name = 'in_executor'
            main.forever()

        mine = asyncio.Lock()

        async def left():
            async with mine:
                await named(loop, right(), 'right')

        async def right():
            async with mine:
                pass

        for function in (holds, wants, waits, semaphores, gets, sleeps, bare, executor, left):
            made = named(loop, function(), function.__name__)
            if function is sleeps:
                other = made
        named(loop, awaits(), 'awaits')
        await asyncio.sleep(0.2)
        started.append(1)
        await asyncio.sleep(3600)

    @main.way('event loop', state='idle')
    def loop():
        asyncio.set_event_loop(asyncio.new_event_loop())
        asyncio.get_event_loop().run_until_complete(all_kinds())

    task(main, 'holds', 'Event', detail='not set', name='event')
    task(main, 'wants', 'Lock', [('holds', 'with')], name='lock')
    task(main, 'waits', 'Condition', name='condition')
    task(main, 'semaphores', 'Semaphore', name='semaphore')
    task(main, 'gets', 'Queue.get', name='items', detail='empty')
    task(main, 'sleeps', 'asyncio.sleep')
    task(main, 'bare', 'Future', name='future')
    task(main, 'executor', 'Future', [('in_executor', 'frame')])
    task(main, 'awaits', 'Task', [('sleeps', 'owner')])
    task(main, 'left', 'Task', [('right', 'owner')])
    task(main, 'right', 'Lock', [('left', 'with')], name='mine')
    main.DEADLOCKS.append(['left', 'right'])
    main.WAITS.append(dict(who='in_executor', kind='sleep', state='waiting', held_by=[]))

    async def own_thread():
        async def other():
            pass

        loop = asyncio.get_event_loop()
        started.append(1)
        asyncio.run_coroutine_threadsafe(other(), loop).result()

    @main.way('Future.result', held_by=[('own_loop', 'owner')], function='own_thread')
    def own_loop():
        asyncio.set_event_loop(asyncio.new_event_loop())
        asyncio.get_event_loop().run_until_complete(own_thread())

    main.DEADLOCKS.append(['own_loop'])

    async def blocks():
        async def starves():
            pass

        named(asyncio.get_event_loop(), starves(), 'starves')
        started.append(1)
        with main.L1:
            pass

    @main.way('Lock', held_by=[('holds_with', 'with')], function='blocks', name='main.L1')
    def blocked_loop():
        asyncio.set_event_loop(asyncio.new_event_loop())
        named(asyncio.get_event_loop(), blocks(), 'blocks')
        asyncio.get_event_loop().run_forever()

    task(main, 'blocks', 'Thread', [('blocked_loop', 'owner')])
    task(main, 'starves', 'loop', [('blocked_loop', 'owner')])
    while len(started) < 3:
        time.sleep(0.01)
