"""gevent's greenlets, each waiting for something else; what each waits for, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says."""
import os
import sys
import threading

if sys.argv[1:] == ['python']:
    os.environ['PURE_PYTHON'] = '1'  # nothing but the loop is compiled then

import gevent
import gevent.event
import gevent.lock
import gevent.pool
import gevent.queue
import gevent.socket
from gevent.hub import Waiter

from green import check, finish, tell


def start(waits_for, function, *arguments, **more):
    greenlet = gevent.spawn(function, *arguments)
    name = more.pop('name', None)
    if name:
        greenlet.name = name
    elif more.pop('ident', False):
        name = 'Greenlet-%d' % greenlet.minimal_ident
    tell(greenlet, name or 'Greenlet', waits_for, **more)
    return greenlet


def with_timeout(function, *raised):
    with gevent.Timeout(1000, *raised):
        function()


event = gevent.event.Event()
start(event, event.wait, name='the first', run=repr(event.wait))
start(event, event.wait, 1000, ident=True, timeout=True)
result = gevent.event.AsyncResult()
start(result, result.get)
semaphore = gevent.lock.Semaphore(0)
start(semaphore, semaphore.acquire)
bounded = gevent.lock.BoundedSemaphore(1)
bounded.acquire()
start(bounded, bounded.acquire)
start(bounded, bounded.acquire, True, 1000, timeout=True)
lock = gevent.lock.RLock()
lock.acquire()
start(getattr(lock, '_block', 'Semaphore'), lock.acquire)
for queue in (gevent.queue.Queue(1), gevent.queue.LifoQueue(1), gevent.queue.PriorityQueue(1)):
    start(queue, queue.get)
    full = type(queue)(1)
    full.put(1)
    start(full, full.put, 2)
joinable = gevent.queue.JoinableQueue()
joinable.put(1)
start('Event', joinable.join)
channel = gevent.queue.Channel()
start(channel, channel.put, 1)
other = gevent.queue.Channel()
start(other, other.get)
start('timer', gevent.sleep, 1000)
sleeper = start('timer', with_timeout, lambda: gevent.sleep(1000), timeout=True)
start('timer', with_timeout, lambda: gevent.sleep(1000), KeyError('late'), timeout=True)
start(sleeper, sleeper.join)
start(sleeper, sleeper.get)
start(event, lambda: gevent.wait([event]))
start(sleeper, gevent.joinall, [sleeper], run=repr(gevent.joinall))
left, right = gevent.socket.socketpair()
start('io', left.recv, 1, fd=left.fileno(), events='read')
reading, writing = os.pipe()
empty, _ = os.pipe()
start('io', gevent.socket.wait_read, empty, fd=empty, events='read')
os.set_blocking(writing, False)
try:
    while True:
        os.write(writing, b'x' * 4096)
except BlockingIOError:
    pass
watcher = gevent.get_hub().loop.io(writing, 2)
start(watcher, gevent.get_hub().wait, watcher, fd=writing, events='write')
waiter = Waiter()
start(waiter, waiter.get)
pool = gevent.pool.Pool(1)
pooled = pool.spawn(event.wait)
tell(pooled, 'Greenlet', event)
start(pool._semaphore, pool.spawn, event.wait)


later = gevent.spawn_later(1000, event.wait)
tell(later, 'Greenlet', 'timer', 'not started')
raw = gevent.spawn_raw(event.wait)
tell(raw, type(raw).__name__, event)


class Own(gevent.Greenlet):
    def __init__(self, switch):
        gevent.Greenlet.__init__(self)
        self.switches = [switch]  # it does not wait for this one

    def _run(self):
        semaphore.acquire()


own = Own(sleeper.switch)
own.start()
tell(own, 'Own', semaphore)


def other_hub(ready):
    """A thread with a hub of its own, which runs."""
    mine = gevent.event.Event()
    start(mine, mine.wait)
    start('timer', gevent.sleep, 1000)
    tell(gevent.get_hub(), 'Hub', None, 'active', hub=True)
    gevent.spawn_later(0.05, ready.set)
    mine.wait()


def end():
    gevent.sleep(0.1)
    gevent.spawn(gevent.sleep, 1000)  # not started before this one ends
    check()
    hub = gevent.get_hub()
    tell(hub, 'Hub', None, hub=True)
    finish(gevent, hub.loop)


ready = threading.Event()
thread = threading.Thread(target=other_hub, args=(ready,))
thread.daemon = True
thread.start()
ready.wait()
gevent.spawn(end).join()
