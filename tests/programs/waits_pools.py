"""Pools of processes: who waits for a job, and which process works on it. The children wait until they are told to
end, and the truth has their pids."""
from __future__ import print_function

import multiprocessing
import os
import sys
import time

from ways import WAITS, end, start, way

PY3 = sys.version_info[0] == 3
MP = multiprocessing.get_context('fork') if PY3 else multiprocessing
PARENT = os.getpid()


def lives_with_parent():
    while os.getppid() == PARENT:
        time.sleep(1)
    os._exit(0)


def works(argument):
    open('worker-%s-%d' % (argument, os.getpid()), 'w').close()
    time.sleep(240)  # it outlives a parent that is killed, but not for long


def of(argument):
    """The process that works with the argument, as it says itself."""
    for _ in range(3000):
        found = [int(name.rsplit('-', 1)[1]) for name in os.listdir('.') if name.startswith('worker-%s-' % argument)]
        if found:
            return found[0]
        time.sleep(0.01)


def processes(pids):
    return 'the pool has process%s %s' % ('es' if len(pids) > 1 else '', ', '.join(str(pid) for pid in pids))


pool = MP.Pool(2, start, (lives_with_parent,))
pids = [process.pid for process in pool._pool]
one, many = pool.apply_async(works, ('one',)), pool.map_async(works, ['many', 'more', 'most'], 1)
workers = {of('one'): 'job %d of a Pool%s' % (one._job, ', part 0' if PY3 else ''), of('many'): 'job %d of a Pool, part 0' % many._job}


@way('AsyncResult.get', name='one', detail='job %d; %s' % (one._job, processes(pids)))
def waits_for_one():
    one.get()


@way('AsyncResult.get', name='many', detail='job %d, 3 parts left; %s' % (many._job, processes(pids)))
def waits_for_many():
    many.wait()


if PY3:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import process

    executor = ProcessPoolExecutor(1) if sys.version_info < (3, 7) else ProcessPoolExecutor(1, MP)
    futures = [executor.submit(works, 'item-%d' % i) for i in range(9)]
    workers[of('item-0')] = 'item 0 of a ProcessPoolExecutor'
    workers_of = list(executor._processes)

    @way('Future.result', name='first', type='Future', detail='given out: item 0 of a ProcessPoolExecutor; ' + processes(workers_of))
    def waits_for_item():
        first = futures[0]
        first.result()

    @way('Future.result', name='last', type='Future', detail='not begun: item 8 of a ProcessPoolExecutor; ' + processes(workers_of))
    def waits_for_last():
        last = futures[8]
        last.result()


WAITS.append(dict(who='MainThread', workers=workers))
end()
