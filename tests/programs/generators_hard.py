"""Generators in every odd state; what inspect and the objects themselves say of each, written to $PYSCRY_TRUTH.

Runs on Python 2.7 to 3.15, ends as $PYSCRY_END says. Threads that wait and threads that have ended make some of them.
Arguments: "freeze" hides them from the collector, "malloc" runs with the debug allocator.
"""
import functools
import gc
import inspect
import itertools
import os
import sys
import threading
import time
import types

from ends import write
from generators_shapes import * # noqa: F401,F403
from generators_shapes import keep, wide

KINDS = {getattr(types, name): kind for name, kind in (
    ('GeneratorType', 'generator'), ('CoroutineType', 'coroutine'), ('AsyncGeneratorType', 'async_generator')) if hasattr(types, name)}
delegated = {} # before 3.5, which does not tell: what is known to be yielded from
never = threading.Event()


def attribute(thing, suffix, default=None):
    for prefix in ('gi_', 'cr_', 'ag_'):
        if hasattr(thing, prefix + suffix):
            return getattr(thing, prefix + suffix)
    return default


def waits_for(thing):
    if sys.version_info < (3, 5):
        return delegated.get(id(thing))
    found = attribute(thing, 'yieldfrom')
    return attribute(thing, 'await') if found is None else found


def leads_to(thing):
    """The generator that one waits for, directly or through what stands between."""
    between = ('async_generator_asend', 'async_generator_athrow', 'coroutine_wrapper', 'anext_awaitable')
    to = waits_for(thing)
    while to is not None and type(to) not in KINDS:
        to = next((each for each in gc.get_referents(to) if type(each) in KINDS or type(each).__name__ in between), None) \
            if type(to).__name__ in between else None
    return to


def started(thing, n=1):
    for _ in range(n):
        next(thing)
    keep.append(thing)
    return thing


def sent(thing, value=None):
    try:
        thing.send(value)
    except StopIteration:
        pass
    keep.append(thing)
    return thing


def build_all():
    """2.7 and later."""
    keep.append(decorated())
    started(decorated())
    started(decorated(), 2)
    for n in range(1, 5):
        started(handlers(), n)
    started(contexts())
    for n in range(1, 8):
        started(many(n), n) if n < 7 else None
    started(closure()(1, 2, a=3))
    thing = Class()
    started(thing.method())
    started(Class.of_class())
    started(iter(Class()))
    keep.append(iter(Class()))
    me = started(itself())
    me.send(me)
    started(wide['wide_one']())
    started(wide['wide_one'](), 2)
    keep.append(wide['wide_one']())
    started(wide['wide_two']())
    stubborn = started(swallowing())
    stubborn.throw(GeneratorExit())
    # held by iterators written in C
    keep.append(itertools.chain(started(long_code()), (x for x in 'only here')))
    keep.append(map(int, (x for x in '12')))
    keep.append(functools.partial(next, (x for x in 'partial')))
    # over, by each way: none of them is listed
    for end in range(4):
        over = long_code()
        if end == 0:
            over.close()
        elif end == 1:
            list(over)
        elif end == 2:
            next(over), over.close()
        else:
            try:
                over.throw(KeyError())
            except KeyError:
                pass
        keep.append(over)


def delegation(to, n=2):
    outer = started(delegates(to), n)
    if n > 1 and sys.version_info < (3, 5):
        delegated[id(outer)] = to
    return outer


def build_delegations():
    inner = long_code()
    middle = delegation(inner)
    outer = delegates(middle)
    keep.append(outer)
    next(outer), next(outer)
    delegated[id(outer)] = middle
    shared = endless() # two wait for the same one
    delegation(shared)
    delegation(shared)
    delegation(Iterator())
    delegation(iter([1, 2, 3]))
    delegation(iter('abc'))
    delegation(iter({1: 2}))
    delegation(itertools.count())
    delegation(map(str, long_code()))
    delegation(long_code(), 1)
    if sys.version_info >= (3, 5):
        started(finished_delegation(), 2)
        started(finished_delegation(), 1)
        delegation(Leads(long_code()))
        delegation(delegates(delegates(long_code())), 4)
        for n in (1, 2, 3, 150):
            started(chained(n))


def build_coroutines():
    sent(waits(0))
    sent(waits(40))
    keep.append(waits(1))
    for what in (parked(), waits(3), Awaitable([1, 2]), AwaitsByGenerator(), old_style(), Awaitable(Awaitable([1]).to)):
        sent(awaits(what))
    keep.append(parked())
    for at in ('enter', 'exit', 'none'):
        sent(managed(at))
    sent(handling())
    sent(stepping())
    wrapper = waits(2).__await__()
    keep.append(wrapper)
    next(wrapper)
    sent(awaits(waits(1)))
    over = waits(0)
    over.close()
    keep.append(over)


def build_async_generators():
    for n in range(3):
        sent(loops(numbers(n)))
    sent(loops(nested()))
    sent(comprehends())
    sent(collects())
    keep.append(numbers())
    for wrap in (closes, throws):
        what = numbers()
        sent(what.asend(None))
        sent(wrap(what))
    once = numbers()
    keep.append(once)
    sent(once.__anext__())
    keep.append(once.asend(None))
    if sys.version_info >= (3, 10):
        sent(anexts(numbers(0)))
        sent(anexts_or(numbers(0)))


def in_threads(count):
    """Made by threads of which every second one ends; some of the rest are freed by this one."""
    made, ready = [[] for _ in range(count)], []

    def work(index):
        for i in range(2000):
            thing = many(i)
            next(thing)
            made[index].append(thing)
        ready.append(index)
        if index % 2:
            never.wait()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    while len(ready) < count:
        time.sleep(0.01)
    for thread in threads[::2]:
        thread.join()
    for each in made:
        for i in range(len(each)):
            if i % 5:
                each[i] = None
    keep.append(made)


def state_of(thing):
    kind = KINDS[type(thing)]
    if sys.version_info < (3, 11):
        return 'created' if attribute(thing, 'frame').f_lasti < 0 else 'suspended'
    if kind == 'async_generator' and not hasattr(inspect, 'getasyncgenstate'):
        # 3.11: a generator is created where it would have to run RETURN_GENERATOR yet
        code, lasti = thing.ag_code.co_code, attribute(thing, 'frame').f_lasti
        return 'created' if code[lasti] == 75 else 'suspended'
    if kind == 'async_generator' and thing.ag_running:
        return 'suspended' # before 3.15 inspect takes one for running that an asend() waits for; none runs here
    names = {'generator': 'getgeneratorstate', 'coroutine': 'getcoroutinestate', 'async_generator': 'getasyncgenstate'}
    return getattr(inspect, names[kind])(thing).rpartition('_')[2].lower()


def describe(thing):
    frame, to = attribute(thing, 'frame'), waits_for(thing)
    return {'id': hex(id(thing)).rstrip('L'), 'kind': KINDS[type(thing)], 'state': state_of(thing),
            'name': getattr(thing, '__qualname__', None) or getattr(thing, '__name__', None),
            'own': [frame.f_code.co_name, frame.f_lineno], 'waits_for': None if to is None else hex(id(to)).rstrip('L'),
            'leads_to': None if leads_to(thing) is None else hex(id(leads_to(thing))).rstrip('L')}


def truth():
    found = []
    for thing in gc.get_objects():
        if type(thing) in KINDS and attribute(thing, 'frame'):
            found.append(describe(thing))
    return {'version': sys.version, 'pid': os.getpid(), 'generators': found}


def main():
    if 'malloc' in sys.argv and os.environ.get('PYTHONMALLOC') != 'debug':
        os.environ['PYTHONMALLOC'] = 'debug'
        os.execv(sys.executable, [sys.executable] + sys.argv)
    build_all()
    if sys.version_info >= (3, 3):
        build_delegations()
    if sys.version_info >= (3, 5):
        build_coroutines()
    if sys.version_info >= (3, 6):
        build_async_generators()
    in_threads(4)
    gc.collect()
    result = truth()
    if 'freeze' in sys.argv:
        gc.freeze()
    write(result)


main()
