"""eventlet's green threads, each waiting for something else; what each waits for, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says."""
import os
import warnings

os.environ['EVENTLET_NO_GREENDNS'] = 'yes'
warnings.simplefilter('ignore')

import eventlet  # noqa: E402
import eventlet.event  # noqa: E402
import eventlet.queue  # noqa: E402
import eventlet.semaphore  # noqa: E402
from eventlet import hubs  # noqa: E402
from eventlet.green import socket  # noqa: E402

from green import check, finish, tell  # noqa: E402


def start(waits_for, function, *arguments, **more):
    greenlet = eventlet.spawn(function, *arguments)
    tell(greenlet, 'GreenThread', waits_for, **more)
    return greenlet


def with_timeout(function):
    with eventlet.Timeout(1000):
        function()


event = eventlet.event.Event()
start(event, event.wait)
start(event, with_timeout, event.wait, timeout=True)
semaphore = eventlet.semaphore.Semaphore(0)
start(semaphore, semaphore.acquire)
for kind in (eventlet.queue.LightQueue, eventlet.queue.Queue, eventlet.queue.PriorityQueue, eventlet.queue.LifoQueue):
    queue = kind(1)
    start(queue, queue.get)
    full = kind(1)
    full.put(1)
    start(full, full.put, 2)
joinable = eventlet.queue.Queue()
joinable.put(1)
start(joinable._cond, joinable.join)
sleeper = start('Timer', eventlet.sleep, 1000)
start('Timer', with_timeout, lambda: eventlet.sleep(1000), timeout=True)
start(sleeper._exit_event, sleeper.wait)
left, right = socket.socketpair()
start('FdListener', left.recv, 1, fd=left.fileno(), events='read')
reading, writing = os.pipe()
os.set_blocking(writing, False)
try:
    while True:
        os.write(writing, b'x' * 4096)
except BlockingIOError:
    pass
start('FdListener', hubs.trampoline, writing, False, True, fd=writing, events='write')


def end():
    check()
    hub = hubs.get_hub()
    tell(hub.greenlet, None, None, hub=True)
    finish(eventlet, hub)


eventlet.spawn_after(0.2, end).wait()
