"""Forty ways to hang, each in a thread of its own, and what waits for what as JSON to $PYSCRY_TRUTH."""
from __future__ import print_function

import fcntl
import functools
import logging
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from ways import DEADLOCKS, WAITS, end, forever, start, way

try:
    import queue
except ImportError:
    import Queue as queue

PY3 = sys.version_info[0] == 3
MP = multiprocessing.get_context('fork') if PY3 else multiprocessing


def lives_with_parent():
    """A child of a process that is killed is not told so."""
    while os.getppid() == PARENT:
        time.sleep(1)
    os._exit(0)


PARENT = os.getpid()
# its threads; the worker ends when they do
POOL = MP.Pool(1, start, (lives_with_parent,))
for handler in (POOL._worker_handler, POOL._task_handler, POOL._result_handler):
    WAITS.append(dict(who=handler.name, kind='Pool handler', state='idle', held_by=[], tries=not PY3))


# --- locks ---
L1, L2, L3, L4, L5 = [threading.Lock() for _ in range(5)]
R1 = threading.RLock()
ready = []


def wait_for(count):
    while len(ready) < count:
        time.sleep(0.01)


@way('sleep')
def holds_with():
    with L1:
        ready.append(1)
        forever()


@way('sleep')
def holds_acquired():
    L2.acquire()
    ready.append(1)
    forever()


@way('sleep')
def holds_finally():
    L3.acquire()
    try:
        ready.append(1)
        forever()
    finally:
        L3.release()


@way('sleep')
def holds_rlock():
    R1.acquire()
    R1.acquire()
    ready.append(1)
    forever()


@way('sleep')
def goes_around():
    if not WAITS:
        L2.acquire()
    elif len(ready) > 1000:
        L2.acquire()
    forever()


@way('sleep')
def gave_back():
    L5.acquire()
    L5.release()
    with L4:
        pass
    ready.append(1)
    forever()


wait_for(5)
L5.acquire()


@way('Lock', held_by=[('holds_with', 'with')], name='L1', type='lock')
def lock_with():
    with L1:
        pass


@way('Lock', held_by=[('holds_with', 'with')], type='lock')
def lock_out_of_sight():
    """No variable or value of a frame is the lock: C code alone has it."""
    functools.partial(L1.acquire)()


@way('Lock', held_by=[('holds_acquired', 'inferred')], name='L2', type='lock')
def lock_acquire():
    L2.acquire()


@way('Lock', held_by=[('holds_finally', 'frame')], name='mine', type='lock')
def lock_finally():
    mine = L3
    mine.acquire()


@way('Lock', held_by=[('MainThread', 'inferred')], name='L5', type='lock')
def lock_of_main():
    L5.acquire()


@way('RLock', held_by=[('holds_rlock', 'owner')], name='R1')
def rlock():
    with R1:
        pass


class Box(object):
    def __init__(self):
        self.lock = threading.Lock()

    def twice(self):
        with self.lock:
            with self.lock:
                pass


@way('Lock', held_by=[('itself', 'with')], name='self.lock', function='twice')
def itself():
    Box().twice()


DEADLOCKS.append(['itself'])


# --- cycles ---
def cycle(names, locks):
    at = []

    def make(i):
        def take():
            with locks[i]:
                at.append(i)
                while len(at) < len(locks):
                    time.sleep(0.01)
                with locks[(i + 1) % len(locks)]:
                    pass
        return take
    for i, name in enumerate(names):
        rlock = 'RLock' in repr(type(locks[(i + 1) % len(locks)]))
        WAITS.append(dict(who=name, kind='RLock' if rlock else 'Lock', state='waiting', function='take',
                          held_by=[[names[(i + 1) % len(names)], 'owner' if rlock else 'with']]))
        start(make(i), name)
    DEADLOCKS.append(list(names))


cycle(['two-a', 'two-b'], [threading.Lock(), threading.Lock()])
cycle(['three-a', 'three-b', 'three-c'], [threading.RLock(), threading.Lock(), threading.RLock()])


threads = []


@way('Thread.join', held_by=[('joiner', 'owner')])
def joined():
    while len(threads) < 1:
        time.sleep(0.01)
    threads[0].join()


@way('Thread.join', held_by=[('joined', 'owner')])
def joiner():
    other = [t for t in threading.enumerate() if t.name == 'joined'][0]
    threads.append(threading.current_thread())
    other.join()


DEADLOCKS.append(['joined', 'joiner'])

# --- conditions, events, semaphores, barriers ---
C1, C2 = threading.Condition(), threading.Condition(threading.Lock())
E1, S1, S2 = threading.Event(), threading.Semaphore(1), threading.BoundedSemaphore(1)


@way('Condition', name='C1')
def condition():
    with C1:
        C1.wait()


@way('sleep')
def holds_condition():
    with C2:
        with S1:
            with S2:
                ready.append(1)
                forever()


wait_for(6)


@way('Lock', held_by=[('holds_condition', 'with')])
def condition_enter():
    with C2:
        pass


@way('Semaphore', held_by=[('holds_condition', 'with')], name='S1')
def semaphore():
    with S1:
        pass


@way('BoundedSemaphore', held_by=[('holds_condition', 'with')], name='S2')
def bounded():
    S2.acquire()


@way('Event', name='E1', detail='not set')
def event():
    E1.wait()


if PY3:
    B1 = threading.Barrier(3)

    @way('Barrier', name='B1', detail='1 of 3 are here')
    def barrier():
        B1.wait()


timer = threading.Timer(3600, forever)
timer.daemon = True
timer.name = 'timer'
timer.start()
WAITS.append(dict(who='timer', kind='Timer', state='waiting', held_by=[]))

# --- queues ---
class Slow(queue.Queue):
    def _get(self):
        forever()


Q1, Q2, Q3, Q5 = queue.Queue(), queue.Queue(1), queue.Queue(), Slow(1)
Q2.put(1)
Q3.put(1)
Q5.put(1)


@way('Queue.get', name='Q1', detail='empty', other_end='nobody is in put()')
def queue_get():
    Q1.get()


@way('Queue.put', name='Q2', detail='full, 1 of 1', other_end='nobody is in get()')
def queue_put():
    Q2.put(2)


@way('Queue.put', name='Q5', detail='full, 1 of 1', other_end='1 is in get()')
def queue_put_beside():
    Q5.put(2)


# it is among them before it gives the queue's lock back
while not getattr(Q5.not_full, '_waiters' if PY3 else '_Condition__waiters'):
    time.sleep(0.01)


@way('sleep')
def takes_for_ever():
    Q5.get()


@way('Queue.join', name='Q3', detail='1 unfinished')
def queue_join():
    Q3.join()


if hasattr(queue, 'SimpleQueue'):
    Q4 = queue.SimpleQueue()

    @way('SimpleQueue.get', name='Q4')
    def simple_queue():
        Q4.get()


# --- files, sockets, time ---
reader, writer = os.pipe()


@way('read', fd=reader)
def pipe():
    os.read(reader, 1)


full, room = os.pipe()
F_GETPIPE_SZ = 1032


@way('write', fd=room, cut='%d of 1000000 bytes are written' % fcntl.fcntl(room, F_GETPIPE_SZ))
def writes():
    os.write(room, b'x' * 1000000)  # more than it has room for: a signal cuts it short


slow, quick = os.pipe()
buffered = os.fdopen(quick, 'wb')


@way('write', fd=quick)
def holds_the_file():
    buffered.write(b'x' * 1000000)
    buffered.flush()


while select.select([], [quick], [], 0)[1]:  # until it is full
    time.sleep(0.01)


@way('stdio lock', held_by=[('holds_the_file', 'owner')], name='buffered')
def wants_the_file():
    buffered.write(b'y')
    buffered.flush()


ours, theirs = socket.socketpair()


@way('recv', fd=ours.fileno(), name='ours', type='socket')
def receives():
    ours.recv(1)


server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen(1)


@way('accept|poll', fd=server.fileno())
def accepts():
    server.accept()


@way('select', fd=reader)
def selects():
    select.select([reader], [], [])


@way('poll', fd=reader)
def polls():
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.poll()


epoll = select.epoll()
epoll.register(reader, select.EPOLLIN)


@way('epoll', fd=epoll.fileno())
def epolls():
    epoll.poll()


locked = tempfile.TemporaryFile()
again = os.open('/proc/self/fd/%d' % locked.fileno(), os.O_RDWR)
fcntl.flock(locked, fcntl.LOCK_EX)


def is_listed():
    """Some filesystems have another device in /proc/locks than in stat()."""
    at = os.fstat(again)
    file = '%02x:%02x:%d' % (os.major(at.st_dev), os.minor(at.st_dev), at.st_ino)
    with open('/proc/locks') as locks:
        return any(file in line.split() for line in locks)


@way('flock', fd=again, **(dict(far_end='this process has it locked') if is_listed() else {}))
def flocks():
    fcntl.flock(again, fcntl.LOCK_EX)


@way('sleep', function='snoozes')
def snoozes():
    time.sleep(3600)


# --- waits that end by themselves; before 3.11 the kernel has the time of day ---
E2 = threading.Event()
LATER = time.monotonic() if PY3 else 0


def limited(kind, **more):
    """In 2.7 it sleeps a little and tries again: threading._Condition.wait()."""
    more['tries'] = not PY3
    return way(kind, **dict(more, until=LATER + 3600) if sys.version_info >= (3, 11) else more)


@limited('Event', name='E2', detail='not set')
def event_limited():
    E2.wait(3600)


@limited('Queue.get', name='Q1', detail='empty')
def queue_limited():
    Q1.get(True, 3600)


@limited('Thread.join', held_by=[('snoozes', 'owner')])
def join_limited():
    [t for t in threading.enumerate() if t.name == 'snoozes'][0].join(3600)


# --- a C function that sleeps a little and tries again ---
try:
    import sqlite3
except ImportError:
    sqlite3 = None
if sqlite3:
    database = os.path.join(tempfile.mkdtemp(), 'taken.db')
    writes = sqlite3.connect(database, timeout=3600, isolation_level=None)
    writes.execute('create table t(x)')
    writes.execute('begin exclusive')

    @way('sqlite3 lock', type='Connection', name='reads', function='asks_the_database',
         detail='the database is locked: it tries again and again', tries=True)
    def asks_the_database():
        reads = sqlite3.connect(database, timeout=3600, isolation_level=None)
        reads.execute('select x from t')


if PY3:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    @way('signal', detail='signal %d' % signal.SIGUSR1)
    def waits_for_signal():
        signal.sigwait([signal.SIGUSR1])


# --- processes: children end when nothing can be read from this process any more ---
def child(stdout=None):
    return subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE, stdout=stdout, close_fds=True)


cat, cat2, cat3 = child(), child(subprocess.PIPE), child()


@way('Popen.wait', pid=cat.pid, name='cat')
def process_wait():
    cat.wait()


@way('waitpid', pid=cat3.pid)
def waits_for_pid():
    os.waitpid(cat3.pid, 0)


forked = MP.Process(target=lives_with_parent)  # it keeps cat2's input open, too
forked.daemon = True
forked.start()


@way('Process.join', pid=forked.pid, name='forked', type='ForkProcess' if PY3 else 'Process')
def joins_process():
    forked.join()


@way('Popen.communicate', pid=cat2.pid, name='cat2', far_end='process %d (' % cat2.pid)
def communicates():
    cat2.communicate()


visits = socket.socket()
visits.bind(('127.0.0.1', 0))
visits.listen(1)
visitor = socket.create_connection(visits.getsockname())
visited = visits.accept()[0]


@way('recv', fd=visitor.fileno(), name='visitor', far_end='only this process has the other end')
def receives_from_here():
    visitor.recv(1)


M5, M6 = MP.RLock(), MP.BoundedSemaphore(1)


@way('BoundedSemaphore', held_by=[('shared_twice', 'inferred')], name='M6', detail='value 0')
def shared_twice():
    M6.acquire()
    M6.acquire()


@way('sleep')
def holds_shared_rlock():
    with M5:
        ready.append(1)
        forever()


wait_for(7)


@way('RLock', held_by=[('holds_shared_rlock', 'owner')], name='M5')
def shared_rlock():
    M5.acquire()


M1, M2, M3, M4 = MP.Lock(), MP.Semaphore(0), MP.Event(), MP.Queue()
near, far = MP.Pipe()


@way('Connection.recv' if PY3 else 'read', far_end='only this process has the other end')
def connection():
    near.recv()


@way('sleep')
def holds_shared():
    with M1:
        ready.append(1)
        forever()


wait_for(8)


@way('Lock', held_by=[('holds_shared', 'owner')], name='M1')
def shared_lock():
    with M1:
        pass


@way('Semaphore', name='M2', detail='value 0')
def shared_semaphore():
    M2.acquire()


@way('Event', name='M3', detail='not set')
def shared_event():
    M3.wait()


@way('multiprocessing.Queue.get', name='M4')
def shared_queue():
    M4.get()


# --- logging, import ---
handler = logging.StreamHandler()


@way('sleep')
def holds_handler():
    handler.acquire()
    ready.append(1)
    forever()


wait_for(9)


@way('RLock', held_by=[('holds_handler', 'owner')])
def logs():
    handler.handle(logging.LogRecord('x', 10, 'x.py', 1, 'x', (), None))


if PY3:
    import waits_modern

    waits_modern.begin(sys.modules[__name__])


end()
