"""Tasks of asyncio in every shape that its library makes; what the program itself finds out about each goes to $PYSCRY_TRUTH.

Runs on Python 3.5 to 3.15. Arguments: `python` takes the tasks and futures that are written in Python, `alone` has no other ones,
`debug` loops in debug mode, `uvloop` loops of uvloop; a number is how often everything is made. Who awaits a task is what the
interpreter keeps from 3.14 on, and before what each coroutine says in its own argument `by`. Ends as $PYSCRY_END says, inside the
loop, with every task parked.
"""
import concurrent.futures
import functools
import gc
import os
import sys
import threading
import types
import warnings

if 'alone' in sys.argv:
    sys.modules['_asyncio'] = None
import asyncio # noqa: E402

import without_c
from awaits import chain, end, frame_of, frames, native_id

arguments = sys.argv[1:]
if 'python' in arguments:
    without_c.use_python()
if 'uvloop' in arguments:
    import uvloop
    asyncio.new_event_loop = uvloop.new_event_loop
DEBUG = 'debug' in arguments
ROUNDS = int(next((each for each in arguments if each.isdigit()), 1))
warnings.simplefilter('ignore')

named = {}    # task: what the program calls it, which is its name from 3.8 on
keep = []
others = []   # other loops: (loop, its thread's id or 0)
V = sys.version_info


def give_name(task, text):
    if hasattr(task, 'set_name'):
        task.set_name(text)
    named[task] = text
    keep.append(task)
    return task


def make(coroutine, text):
    return give_name(asyncio.ensure_future(coroutine), text)


def forever():
    return asyncio.sleep(3600)


# --- what tasks do; `by`: the names of those that await the task ---

async def leaf(by=(), hours=1):
    await asyncio.sleep(3600 * hours)


async def stack(n, by=()):
    if n:
        return await stack(n - 1)
    await leaf()


async def on(awaitable, by=()):
    return await awaitable


async def result(value, by=()):
    return value


async def failure(error, by=()):
    raise error


async def child(loop_time, by=()):
    try:
        await forever()
    except asyncio.CancelledError:
        await forever()


class ByGenerator:
    def __init__(self, inner):
        self.inner = inner

    def __await__(self):
        return (yield from self.inner.__await__())


class ByWrapper:
    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        return self.coroutine.__await__()


class ByIterator:
    """Its own iterator: an object in the middle that has no frame."""

    def __init__(self, future):
        self.future = future
        self.first = True

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        if self.first:
            self.first = False
            self.future._asyncio_future_blocking = True
            return self.future
        raise StopIteration(self.future.result())


class Future(asyncio.Future):
    label = 'a subclass'


class SlottedTask(asyncio.Task):
    __slots__ = ('extra',) if asyncio.Task.__module__ == '_asyncio' else ()


class WideTask(asyncio.Task):
    def __init__(self, *args, **kwargs):
        self.before = list(range(20))
        super().__init__(*args, **kwargs)
        self.after = 'later'


@types.coroutine
def of_types(awaitable, by=()):
    yield from awaitable.__await__()


@types.coroutine
def bare():
    while True:
        yield


class Manager:
    def __init__(self, enter, leave):
        self.enter, self.leave = enter, leave

    async def __aenter__(self):
        if self.enter:
            await forever()

    async def __aexit__(self, *error):
        if self.leave:
            await forever()


async def managed(enter, leave, by=()):
    async with Manager(enter, leave):
        pass


async def gathers(me, by=()):
    one = make(leaf((me,)), me + '/one')
    two = make(stack(3, (me,)), me + '/two')
    three = make(leaf((me,)), me + '/three')
    inner = asyncio.gather(one, two, return_exceptions=True)
    await asyncio.gather(asyncio.gather(inner, three), leaf((me,)), asyncio.gather())


async def waits(me, when, timeout, by=()):
    tasks = [make(leaf((me,)), '%s/%d' % (me, i)) for i in range(3)]
    await asyncio.wait(tasks, return_when=when, timeout=timeout)


async def waits_for(me, timeout, by=()):
    task = make(leaf((me,)), me + '/task')
    await asyncio.wait_for(asyncio.shield(task), timeout)


async def waits_for_coroutine(me, by=()):
    await asyncio.wait_for(leaf((me,) if V < (3, 12) else ()), 7200)


async def waits_for_event(me, by=()):
    await asyncio.wait_for(on(asyncio.Event().wait(), (me,)), 3600)


async def completes(me, by=()):
    tasks = [make(leaf((me,)), '%s/%d' % (me, i)) for i in range(3)] + [make(result(1), me + '/result')]
    for each in asyncio.as_completed(tasks, timeout=3600):
        await each


async def shields(me, by=()):
    task = make(leaf((me,)), me + '/task')
    await asyncio.shield(asyncio.gather(task, return_exceptions=True))


async def lock_holder(lock, by=()):
    async with lock:
        await forever()


async def lock_wanter(lock, by=()):
    async with lock:
        pass


async def conditional(condition, predicate, by=()):
    async with condition:
        if predicate:
            await condition.wait_for(lambda: False)
        else:
            await condition.wait()


async def forgives(by=()):
    try:
        await forever()
    except asyncio.CancelledError:
        await forever()


async def joins(tasks, by=()):
    for task in tasks:
        await task


async def in_handler(by=()):
    try:
        raise KeyError('first')
    except KeyError:
        try:
            await forever()
        finally:
            keep.append('left')


async def executes(loop, pool, event, by=()):
    await loop.run_in_executor(pool, event.wait)


async def reads(streams, by=()):
    reader, writer = streams
    await reader.readexactly(100)


async def serves(by=()):
    async def handler(reader, writer):
        give_name(current(), 'handler-%d' % len(named))
        await reader.readline()
    server = await asyncio.start_server(handler, '127.0.0.1', 0)
    keep.append(server)
    keep.append(await asyncio.open_connection('127.0.0.1', server.sockets[0].getsockname()[1]))
    reader = keep[-1][0]
    await reader.read(10)


def current():
    return asyncio.current_task() if hasattr(asyncio, 'current_task') else asyncio.Task.current_task()


def source(text):
    exec(text, globals())


if V >= (3, 6):
    source('''
async def numbers(stop=1):
    try:
        for i in range(10):
            if i >= stop:
                await forever()
            yield i
    finally:
        if stop < 0:
            await forever()

async def over(generator, by=()):
    async for each in generator:
        keep.append(each)

async def between(generator):
    async for each in generator:
        yield each

async def comprehends(by=()):
    return {each: [inner async for inner in numbers(2)] async for each in numbers(2) if each}

async def generates(by=()):
    return [each async for each in (await on(result(x)) async for x in numbers(3))]

async def asends(by=()):
    generator = numbers()
    await generator.asend(None)
    await generator.asend(5)

class Stuck:
    async def stays(self):
        try:
            yield 1
        finally:
            await forever()

async def acloses(by=()):
    generator = Stuck().stays()
    await generator.asend(None)
    await generator.aclose()

async def athrows(by=()):
    generator = Stuck().stays()
    await generator.__anext__()
    await generator.athrow(ValueError('thrown'))

def generator_shapes(me):
    yield over(numbers()), 'over'
    yield over(between(between(numbers()))), 'between'
    yield comprehends(), 'comprehends'
    yield generates(), 'generates'
    yield asends(), 'asends'
    yield acloses(), 'acloses'
    yield athrows(), 'athrows'
''')

if V >= (3, 7):
    source('''
import contextlib

@contextlib.asynccontextmanager
async def context(enter):
    if enter:
        await forever()
    try:
        yield 3
    finally:
        await forever()

async def in_context(enter, by=()):
    async with context(enter):
        pass
''')

if V >= (3, 10):
    source('''
async def anexts(default, by=()):
    generator = numbers()
    await anext(generator)
    await (anext(generator, 5) if default else anext(generator))
''')

if V >= (3, 11):
    source('''
async def groups(me, by=()):
    async with asyncio.TaskGroup() as outer:
        give_name(outer.create_task(leaf((me,))), me + '/outer')
        async with asyncio.TaskGroup() as inner:
            give_name(inner.create_task(stack(2, (me,))), me + '/inner')
            give_name(inner.create_task(result(5)), me + '/result')
            if me.endswith('body'):
                await forever()

async def stubborn(by=()):
    try:
        await forever()
    finally:
        await forever()

async def group_fails(me, by=()):
    async with asyncio.TaskGroup() as group:
        give_name(group.create_task(stubborn((me,))), me + '/stubborn')
        give_name(group.create_task(failure(ValueError('in group'))), me + '/fails')

async def times_out(me, by=()):
    async with asyncio.timeout(3600):
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + 7200):
            await make(leaf((me,)), me + '/task')

async def meets(barrier, by=()):
    await barrier.wait()
''')

if V >= (3, 13):
    source('''
async def completes_async(me, by=()):
    tasks = [make(leaf((me,)), '%s/%d' % (me, i)) for i in range(3)] + [make(result(1), me + '/result')]
    async for each in asyncio.as_completed(tasks):
        await each
''')

if V < (3, 11):
    source('''
@asyncio.coroutine
def of_asyncio(depth, by=()):
    if depth:
        yield from of_asyncio(depth - 1)
    else:
        yield from asyncio.sleep(3600)
''')


class OwnCoroutine(__import__('collections').abc.Coroutine):
    """A coroutine by its methods only."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def send(self, value):
        return self.coroutine.send(value)

    def throw(self, *args):
        return self.coroutine.throw(*args)

    def close(self):
        return self.coroutine.close()

    def __await__(self):
        return self.coroutine.__await__()


async def staggers(me, by=()):
    from asyncio.staggered import staggered_race
    # the tasks of the race are of its own coroutine, which says nothing of who awaits it
    await staggered_race([leaf, leaf], 0.001)


NAMES = ['na\u00efve', '\u4efb\u52a1', '\U0001f600', 'a "quoted" one', 'line\nbreak', 'tab\t', '', ' ', 'back\\slash', 'nul\0inside',
         '\udcff surrogate', 'x' * 300]


def shapes(me, loop, pool, event):
    def add(coroutine, text):
        return make(coroutine, me + text)

    def future(cls=None):
        keep.append(cls(loop=loop) if cls else loop.create_future() if hasattr(loop, 'create_future') else asyncio.Future(loop=loop))
        return keep[-1]

    add(gathers(me + 'gathers'), 'gathers')
    for when in (asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION):
        add(waits(me + when, when, None), when)
    add(waits(me + 'waits timeout', asyncio.ALL_COMPLETED, 3600), 'waits timeout')
    add(waits_for(me + 'waits_for', 3600), 'waits_for')
    add(waits_for(me + 'waits_for none', None), 'waits_for none')
    add(waits_for_coroutine(me + 'waits_for_coroutine'), 'waits_for_coroutine')
    add(completes(me + 'completes'), 'completes')
    add(shields(me + 'shields'), 'shields')
    shared = add(leaf((me + 'shares', me + 'shares too', me + 'shields a task')), 'shared')
    add(on(shared), 'shares')
    add(on(shared), 'shares too')
    add(on(asyncio.shield(shared)), 'shields a task')
    keep.append(asyncio.shield(add(leaf(()), 'shielded for nobody')))
    lock, semaphore, condition, queue = asyncio.Lock(), asyncio.Semaphore(2), asyncio.Condition(), asyncio.Queue(1)
    keep.extend([lock, semaphore, condition, queue])
    for i in range(3):
        add(lock_holder(lock), 'lock %d' % i)
        add(lock_wanter(semaphore) if i == 2 else lock_holder(semaphore), 'semaphore %d' % i)
        add(conditional(condition, i % 2), 'condition %d' % i)
    add(queue.put(1), 'puts')
    add(queue.put(2), 'puts too')
    add(queue.join(), 'joins the queue')
    add(on(asyncio.PriorityQueue().get()), 'gets')
    add(on(asyncio.LifoQueue().get()), 'gets last')
    add(waits_for_event(me + 'event'), 'event')
    add(on(future()), 'future')
    add(on(future(Future)), 'future of a subclass')
    add(on(ByGenerator(future())), 'by generator')
    add(on(ByGenerator(ByGenerator(ByWrapper(leaf())))), 'by wrapper')
    add(on(ByIterator(future())), 'by iterator')
    add(on(ByIterator(future(Future))), 'by iterator of a subclass')
    add(on(of_types(future())), 'of types')
    add(of_types(future()), 'a generator of types')
    add(bare(), 'bare yields')
    add(stack(150), 'deep')
    add(managed(True, False), 'enters')
    add(managed(False, True), 'leaves')
    add(in_handler(), 'in handler')
    add(executes(loop, pool, event), 'executes')
    add(on(asyncio.wrap_future(keep_one(concurrent.futures.Future()), loop=loop)), 'wraps')
    wide = WideTask(leaf((me + 'joins wide',)), loop=loop)
    give_name(wide, me + 'wide')
    slotted = SlottedTask(leaf((me + 'joins slotted',)), loop=loop)
    give_name(slotted, me + 'slotted')
    add(joins([wide]), 'joins wide')
    add(joins([slotted]), 'joins slotted')
    a = add(leaf((me + 'joins many',)), 'joined first')
    add(joins([a, add(leaf(), 'joined second')]), 'joins many')
    add(on(asyncio.gather(*[on(future(), (me + 'gathers bare',)) for _ in range(3)])), 'gathers bare')
    add(OwnCoroutine(leaf()), 'own coroutine') if V >= (3, 8) else None
    keep.append(add(result('value'), 'result'))
    add(result(None), 'none')
    add(failure(ValueError('never retrieved')), 'fails')
    retrieved.append(add(failure(KeyError('retrieved')), 'fails and is retrieved'))
    for text, coroutine in (('cancelled', leaf()), ('forgives', forgives()), ('cancelled twice', forgives())):
        cancels[add(coroutine, text)] = 2 if 'twice' in text else 1
    for i, text in enumerate(NAMES):
        make(leaf(), text if i < 10 else me + text)
    if 'generator_shapes' in globals():
        for coroutine, text in generator_shapes(me):
            add(coroutine, text)
    if V < (3, 11):
        add(of_asyncio(0), 'of asyncio')
        add(of_asyncio(3), 'of asyncio, deep')
        add(on(of_asyncio(1)), 'on one of asyncio')
    if V >= (3, 7):
        add(in_context(True), 'in context')
        add(in_context(False), 'leaves context')
    if V >= (3, 8):
        add(staggers(me + 'staggers'), 'staggers')
    if V >= (3, 9):
        add(on(asyncio.to_thread(event.wait)), 'to thread')
    if V >= (3, 10):
        add(anexts(False), 'anexts')
        add(anexts(True), 'anexts with a default')
    if V >= (3, 11):
        for text in ('groups', 'groups in body'):
            add(groups(me + text), text)
        add(group_fails(me + 'group_fails'), 'group_fails')
        add(times_out(me + 'times_out'), 'times_out')
        barrier = keep_one(asyncio.Barrier(3))
        for i in range(2):
            add(meets(barrier), 'meets %d' % i)
    if V >= (3, 12):
        for text, coroutine in (('eager', leaf()), ('eager result', result(3)), ('eager stack', stack(4))):
            kind = functools.partial(asyncio.Task, eager_start=True)
            give_name(kind(coroutine, loop=loop), me + text)
    if V >= (3, 13):
        add(completes_async(me + 'completes_async'), 'completes_async')


def keep_one(thing):
    keep.append(thing)
    return thing


# --- other loops ---

def run_loop(ready):
    loop = keep_one(asyncio.new_event_loop())
    asyncio.set_event_loop(loop)

    async def inside():
        task = make(leaf(('in thread',)), 'awaited in thread')
        give_name(current(), 'in thread')
        ready.set()
        await task
    others.append((loop, native_id(), None))
    loop.run_until_complete(inside())


def run_busy_loop(ready):
    loop = keep_one(asyncio.new_event_loop())
    asyncio.set_event_loop(loop)

    async def inside():
        give_name(current(), 'busy in thread')
        others.append((loop, native_id(), hex(id(current()))))
        ready.set()
        threading.Event().wait()
    loop.run_until_complete(inside())


def threadsafe(loop):
    """A thread that waits for the result of a task in the main loop."""
    future = asyncio.run_coroutine_threadsafe(leaf(), loop)
    future.result()


def stopped_loops():
    for text, close in (('in a loop that stopped', False), ('in a closed loop', True)):
        loop = keep_one(asyncio.new_event_loop())
        task = give_name(asyncio.ensure_future(leaf(), loop=loop), text)
        loop.run_until_complete(asyncio.sleep(0.001) if V >= (3, 10) else asyncio.sleep(0.001, loop=loop))
        keep.append(task)
        if close:
            loop.close()
        others.append((loop, 0, None))
    loop = keep_one(asyncio.new_event_loop())
    give_name(asyncio.ensure_future(leaf(), loop=loop), 'in a loop that never ran')
    others.append((loop, 0, None))
    others.append((keep_one(asyncio.new_event_loop()), 0, None))


# --- the truth ---

def coroutine_of(task):
    if V[:2] == (3, 12) and named.get(task, '').endswith('eager result'):
        return None # get_coro() would crash: nothing is left
    return task.get_coro() if hasattr(task, 'get_coro') else task._coro


def state(task):
    if task.done():
        return 'cancelled' if task.cancelled() else 'done'
    if task in running:
        return 'running'
    return 'must-cancel' if task._must_cancel else 'pending'


def awaiters(task, ids):
    if hasattr(task, '_asyncio_awaited_by'):
        return sorted(hex(id(each)) for each in task._asyncio_awaited_by or ())
    frame = None if task.done() else frame_of(coroutine_of(task))
    if frame is not None and frame.f_code.co_name == 'run_one_coro':
        return [ids[named[each]] for each in named if named[each].endswith('staggers') and task in raced(each)]
    if frame is not None and frame.f_code.co_name == '_read_stream':
        return [ids['communicates']]
    return sorted(ids[each] for each in frame.f_locals.get('by', ())) if frame is not None else []


def raced(task):
    """The tasks that one which races waits for: those that its inner wait() was given, or all of them."""
    race = coroutine_of(task).cr_await
    if getattr(race.cr_await, 'cr_frame', None) is None:
        return race.cr_frame.f_locals['running_tasks']
    return race.cr_await.cr_frame.f_locals['fs']


def callbacks(task):
    found = task._callbacks or ()
    return [hex(id(each[0] if isinstance(each, tuple) else each)) for each in found]


def awaited_object(task):
    return None if task in running or getattr(task, '_fut_waiter', None) is None else hex(id(task._fut_waiter))


def check_call_graph(task, lines):
    """3.14+: the interpreter's own graph has the same frames, down to the first generator, and the same tasks behind it."""
    graph = asyncio.capture_call_graph(task)
    stack = [[entry.frame.f_code.co_name, entry.frame.f_lineno] for entry in graph.call_stack]
    assert stack == lines[len(lines) - len(stack):], (task, stack, lines)
    assert {each.future for each in graph.awaited_by} == set(task._asyncio_awaited_by or ()), task


def parked_in(task, coroutine):
    """Whose method of asyncio's own it is: a lock's, a queue's ..."""
    if awaited_object(task) is None:
        return None
    for frame in chain(coroutine):
        if not frame.f_globals['__name__'].startswith('asyncio'):
            return None
        thing = frame.f_locals.get('self')
        if thing is not None and not isinstance(thing, (asyncio.Future, asyncio.Task)):
            return hex(id(thing))
    return None


def describe(task, ids):
    done, coroutine = task.done(), coroutine_of(task)
    waiting = not done and task not in running
    lines = frames(coroutine) if waiting else []
    stack = [[frame.f_code.co_name, frame.f_lineno] for frame in task.get_stack()] if waiting else []
    assert stack == lines[-1:] or not stack or type(coroutine).__name__ in ('OwnCoroutine', 'CoroWrapper'), (task, stack, lines)
    if waiting and hasattr(asyncio, 'capture_call_graph'):
        check_call_graph(task, lines)
    error = task._exception if done else None
    return {'id': hex(id(task)), 'name': task.get_name() if hasattr(task, 'get_name') else None, 'state': state(task),
            'frames': lines, 'waits_for': awaited_object(task), 'awaited_by': awaiters(task, ids), 'callbacks': callbacks(task),
            'coroutine': None if coroutine is None else hex(id(coroutine)), 'must_cancel': task._must_cancel,
            'loop': hex(id(task._loop)), 'never_retrieved': bool(task._log_traceback) if hasattr(task, '_log_traceback') else None,
            'cancelling': task.cancelling() if hasattr(task, 'cancelling') else 0,
            'parked_in': parked_in(task, coroutine) if waiting else None, 'exception': None if error is None else hex(id(error))}


def everything():
    """All tasks that live, in whatever loop."""
    found = set(named)
    if hasattr(asyncio, 'all_tasks'):
        for loop in [asyncio.get_event_loop()] + [loop for loop, _, _ in others]:
            found |= asyncio.all_tasks(loop)
    else:
        found |= asyncio.Task.all_tasks(asyncio.get_event_loop())
        for loop, _, _ in others:
            found |= asyncio.Task.all_tasks(loop)
    found |= {each for each in gc.get_objects() if isinstance(each, asyncio.Task)}
    return found


def describe_loop(loop, thread, task):
    return {'id': hex(id(loop)), 'running': loop.is_running(), 'closed': None if 'uvloop' in arguments else loop.is_closed(), 'thread': thread or None, 'current': task}


def truth(loop):
    tasks = keep_one(everything())
    ids = {text: hex(id(task)) for task, text in named.items()}
    loops = [(loop, os.getpid(), hex(id(current())))] + others
    found = {'version': sys.version, 'pid': os.getpid(), 'tasks': [describe(task, ids) for task in tasks],
             'loops': [describe_loop(*each) for each in loops]}
    return found


async def main(loop):
    give_name(current(), 'main')
    running.add(current())
    pool, event = concurrent.futures.ThreadPoolExecutor(2), threading.Event()
    for each in range(ROUNDS):
        shapes('%d: ' % each, loop, pool, event)
    if not ROUNDS > 1:
        await more(loop)
    for _ in range(30):
        await asyncio.sleep(0.01 if _ < 5 else 0)
    for task in retrieved:
        task.exception()
    for task, times in cancels.items():
        task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    for task, times in cancels.items():
        if times > 1:
            task.cancel()
    for number, text in enumerate(('must cancel', 'fresh', 'ready', 'cancelling')):
        task = make(leaf(), text)
        if number in (0, 2):
            await asyncio.sleep(0)
        if number == 2:
            asyncio.Future.set_result(task._fut_waiter, None)
        if number == 3:
            task.cancel()
    end(truth, loop)


async def more(loop):
    """What there is once only."""
    make(serves(), 'serves')
    for target in (run_loop, run_busy_loop):
        ready = threading.Event()
        threading.Thread(target=target, args=(ready,), daemon=True).start()
        ready.wait()
    running.update(task for task in named if named[task] == 'busy in thread')
    threading.Thread(target=threadsafe, args=(loop,), daemon=True).start()
    if V >= (3, 8):
        process = await asyncio.create_subprocess_exec(sys.executable, '-c', 'import sys; sys.stdin.read()', stdin=-1, stdout=-1)
        make(process.wait(), 'waits for a process')
        make(on(process.communicate()), 'communicates')
        keep.append(process)


retrieved, cancels, running = [], {}, set()
stopped_loops() if ROUNDS == 1 else None
loop = asyncio.new_event_loop()
loop.set_debug(DEBUG)
asyncio.set_event_loop(loop)
loop.run_until_complete(main(loop))
