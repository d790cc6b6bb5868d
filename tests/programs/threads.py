# -*- coding: utf-8 -*-
"""Threads that wait in every usual way; names beyond ASCII."""
import sys
import threading
import time

import truth

try:
    import queue
except ImportError:
    import Queue as queue

lock = threading.Lock()
rlock = threading.RLock()
event = threading.Event()
condition = threading.Condition()
semaphore = threading.Semaphore(0)
items = queue.Queue()
ready = threading.Semaphore(0)


def prepare():
    truth.here()
    ready.release()


def in_lock():
    prepare()
    lock.acquire()


def in_rlock():
    prepare()
    with rlock:
        pass


def in_sleep(seconds=600):
    prepare()
    time.sleep(
        seconds)


def in_event():
    prepare()
    event.wait()


def in_event_timeout():
    prepare()
    while not event.wait(600): pass


def in_condition():
    with condition:
        prepare()
        condition.wait()


def in_queue():
    prepare()
    return [items.get() for _ in range(3)]


def in_semaphore():
    prepare()
    semaphore.acquire()


class InJoin(threading.Thread):
    def run(self):
        prepare()
        sleeper.join()


def nested(n, function):
    return function() if n == 0 else nested(n - 1, function)


def in_generator():
    def generate():
        prepare()
        yield time.sleep(600)
    for value in generate():
        pass


def spawn(target, name=None, *args):
    thread = threading.Thread(target=target, name=name, args=args)
    thread.daemon = True
    thread.start()
    return thread


def main():
    global sleeper
    sleeper = spawn(in_sleep, 'sleeper')
    NAMES = [u'caf\xe9', u'\u043f\u043e\u0442\u043e\u043a', u'\u7dda\u7a0b', u'\U0001f9f5 thread', u'with "quotes" and \\', u'new\nline', u'', u'x' * 200]
    if sys.version_info[0] < 3:
        NAMES = [name.encode('utf-8') for name in NAMES]
    targets = [in_lock, in_rlock, in_event, in_event_timeout, in_condition, in_queue, in_semaphore, in_generator]
    lock.acquire()
    rlock.acquire()
    started = [spawn(target, name) for target, name in zip(targets, NAMES)]
    started += [spawn(nested, 'nested %d' % n, n, in_sleep) for n in (0, 1, 50)]
    thread = InJoin()
    thread.daemon = True
    thread.start()
    for _ in range(len(started) + 2):
        ready.acquire()
    time.sleep(0.2)
    truth.die()


main()
