"""gevent's greenlets, each waiting for something else; what each waits for, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says."""
import json
import os
import sys
import time

if sys.argv[1:] == ['python']:
    os.environ['PURE_PYTHON'] = '1'  # nothing but the loop is compiled then

import gevent
import gevent.event
import gevent.lock
import gevent.pool
import gevent.queue
import gevent.socket
from gevent.hub import Waiter

said = []
keep = []


def identity(thing):
    return hex(id(thing)).rstrip('L')


def start(waits_for, function, *arguments, **more):
    """`waits_for` is the object, or the name of its type where it is gevent's own."""
    greenlet = gevent.spawn(function, *arguments)
    name = more.get('name')
    if name:
        greenlet.name = name
    elif more.get('ident'):
        name = 'Greenlet-%d' % greenlet.minimal_ident
    keep.append((greenlet, waits_for))
    known = isinstance(waits_for, str)
    said.append({'id': identity(greenlet), 'state': 'suspended', 'name': name or 'Greenlet', 'type': waits_for if known else type(waits_for).__name__,
                 'waits_for': None if known else identity(waits_for), 'fd': more.get('fd'), 'events': more.get('events'),
                 'timeout': more.get('timeout', False), 'hub': False, 'scheduled': False})
    return greenlet


def with_timeout(function, *raised):
    with gevent.Timeout(1000, *raised):
        function()


event = gevent.event.Event()
start(event, event.wait, name='the first')
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
start(sleeper, gevent.joinall, [sleeper])
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
keep.append((pooled, event))
said.append({'id': identity(pooled), 'state': 'suspended', 'name': 'Greenlet', 'type': 'Event', 'waits_for': identity(event), 'fd': None, 'events': None,
             'timeout': False, 'hub': False, 'scheduled': False})
start(pool._semaphore, pool.spawn, event.wait)


class Own(gevent.Greenlet):
    def __init__(self, switch):
        gevent.Greenlet.__init__(self)
        self.switches = [switch]  # it does not wait for this one

    def _run(self):
        semaphore.acquire()


own = Own(sleeper.switch)
own.start()
keep.append((own, semaphore))
said.append({'id': identity(own), 'state': 'suspended', 'name': 'Own', 'type': type(semaphore).__name__, 'waits_for': identity(semaphore), 'fd': None,
             'events': None, 'timeout': False, 'hub': False, 'scheduled': False})


def end():
    gevent.sleep(0.1)
    gevent.spawn(gevent.sleep, 1000)  # not started before this one ends
    for truth, (greenlet, waits_for) in zip(said, keep):
        assert not greenlet.dead and greenlet, (truth, greenlet)
    hub = gevent.get_hub()
    truths = said + [{'id': identity(hub), 'state': 'suspended', 'name': 'Hub', 'type': None, 'waits_for': None, 'fd': None, 'events': None,
                      'timeout': False, 'hub': True, 'scheduled': False}]
    with open(os.environ['PYSCRY_TRUTH'] + '.part', 'w') as out:
        json.dump({'version': sys.version, 'gevent': gevent.__version__, 'pid': os.getpid(), 'loop': identity(hub.loop), 'greenlets': truths}, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.part', os.environ['PYSCRY_TRUTH'])
    if os.environ.get('PYSCRY_END') == 'abort':
        os.abort()
    time.sleep(600)


gevent.spawn(end).join()
