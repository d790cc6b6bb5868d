"""Threads whose Python frames are in calls of C functions that do not return: of which, with which arguments; written to
$PYSCRY_TRUTH.

Runs on Python 2.7 to 3.15, ends as $PYSCRY_END says.
"""
import functools
import os
import sys
import threading
import time

from ends import write

LOCK = threading.Lock()
LOCK.acquire()
LOCK_NAME = ('thread' if sys.version_info[0] == 2 else '_thread') + '.lock.'
stacks = {} # thread: its frames of this file, newest first
ready = []


def call(function, of=None, *arguments, **keywords):
    return {
        'function': function,
        'object': of,
        'arguments': [[None, repr(value)] for value in arguments] + [list(pair) for pair in keywords.items()],
    }


SLEEP = call('time.sleep', None, 1000)


def says(*frames):
    """Of the calling thread: each frame's function, and what it calls in C."""
    stacks[threading.current_thread().name] = frames
    ready.append(None)


def sleeps():
    says(('sleeps', SLEEP))
    time.sleep(1000)


def waits():
    says(('waits', call(LOCK_NAME + 'acquire', id(LOCK))))
    LOCK.acquire()


def waits_with():
    says(('waits_with', call(LOCK_NAME + '__enter__', id(LOCK))))
    with LOCK:
        pass


def in_an_item():
    says(('in_an_item', call(LOCK_NAME + 'acquire', id(LOCK), True)))
    return (1, [2, LOCK.acquire(True if LOCK else False)])


def key(x):
    time.sleep(1000)


def inner(frames):
    says(('key', SLEEP), *frames)


def sorts():
    numbers = [3, 1, 2]
    inner([('sorts', dict(call('list.sort', id(numbers)), arguments=[['key', repr(key)]]))])
    numbers.sort(key=key)


def two_keywords():
    inner([('two_keywords', call('max', None, 7, 8, key=repr(key)))])
    return [max(7, 8, key=key) if ready else None]


def spread():
    numbers, names = ([4, 5],), {'key': key}
    inner([('spread', call('max', None, [4, 5], key=repr(key)))])
    max(*numbers, **names)


def from_handler():
    try:
        raise ValueError
    except ValueError:
        for number in [1, 2]:
            if number == 2:
                try:
                    inner([('from_handler', call('sorted', None, [9], key=repr(key)))])
                    sorted([9], key=key)
                except KeyError:
                    continue


class Iterator(object):
    def __init__(self, frames):
        self.frames = frames

    def __iter__(self):
        return self

    def __next__(self):
        inner([('__next__', None)] + self.frames)
        return key(1)

    next = __next__


def makes_list():
    thing = Iterator([])
    thing.frames.append(('makes_list', call('list', None, thing)))
    list(thing)


def class_method():
    thing = Iterator([])
    thing.frames.append(('class_method', call('dict.fromkeys', None, thing, 5)))
    dict.fromkeys(thing, 5)


def joins():
    joint, thing = ', ', Iterator([])
    thing.frames.append(('joins', call('str.join', id(joint), thing)))
    str.join(joint, thing)


def partly():
    keyed = functools.partial(key)
    inner([('partly', call('functools.partial.__call__', id(keyed), 5))])
    keyed(5)


def after_a_call():
    """The C function has returned: only the Python one is called."""
    value = len([1, 2])
    inner([('plain', None), ('after_a_call', None)])
    plain(abs(value), time.time())


def plain(number, now):
    return key(number)


def generator():
    made = (key(n) for n in [1])
    inner([('<genexpr>', None), ('generator', call('sum', None, made))])
    sum(made)


THREADS = [
    sleeps, waits, waits_with, in_an_item, sorts, two_keywords, spread, from_handler, makes_list, class_method, joins,
    partly, after_a_call, generator,
]


def asleep():
    for tid in os.listdir('/proc/self/task'):
        with open('/proc/self/task/%s/stat' % tid) as stat:
            if int(tid) != os.getpid() and stat.read().rsplit(')', 1)[1].split()[0] != 'S':
                return False
    return True


def main():
    for function in THREADS:
        thread = threading.Thread(target=function, name=function.__name__)
        thread.daemon = True
        thread.start()
    still = 0
    while still < 10: # until each sleeps in its call
        time.sleep(0.02)
        still = still + 1 if len(ready) == len(THREADS) and asleep() else 0
    write({'stacks': stacks})


main()
