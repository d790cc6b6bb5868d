"""Objects and how many references each has, as sys.getrefcount() says; written to $PYSCRY_TRUTH.

Runs on Python 2.7 to 3.15, ends as $PYSCRY_END says.
"""
import json
import os
import sys
import threading
import time

from ends import write

DEFERRED = sys.maxsize // 8 # what 3.14+ adds to the count of one whose references are not all counted
held, names = [], []


def function():
    pass


class Class(object):
    def method(self):
        pass


def hold(name, thing):
    names.append(name)
    held.append(thing)


def in_thread():
    hold('of a thread that ended', [1])
    hold('shared with one that ended', {'key': 'value'})


def waits(event, done):
    hold('of another thread', ['other'])
    held.append(held[-1])
    names.append('of another thread, again')
    done.set()
    event.wait()


def main():
    once = ['once']
    hold('list', once)
    del once
    many = {'many': 1}
    for i in range(1000):
        hold('dict', many) if i < 3 else keep.append(many)
    del many
    hold('instance', Class())
    hold('function', function)
    hold('method of a class', Class.__dict__['method'])
    hold('class', Class)
    hold('module', json)
    hold('code', function.__code__)
    hold('closure', (lambda x: lambda: x)(1))
    hold('text', 'not interned: %d' % len(names))
    hold('int', 10 ** 40)
    hold('small int', 251)
    hold('float', len(names) / 7.0)
    hold('bytes', bytearray(b'12'))
    if sys.version_info >= (3, 12): # before, their counts move all the time
        hold('None', None)
        hold('True', True)
    for target in (in_thread,):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    keep.append(held[-1])
    done = threading.Event()
    thread = threading.Thread(target=waits, args=(threading.Event(), done))
    thread.daemon = True
    thread.start()
    done.wait()
    del thread, done
    time.sleep(0.1)
    count = sys.getrefcount
    counts = [None] * len(held)
    for i in range(len(held)):
        counts[i] = count(held[i]) - 1
    found = []
    for i, number in enumerate(counts):
        deferred = sys.version_info >= (3, 14) and number > DEFERRED // 2
        immortal = sys._is_immortal(held[i]) if hasattr(sys, '_is_immortal') else \
            sys.version_info >= (3, 12) and number >= 2 ** 30 and not deferred
        found.append({'id': hex(id(held[i])).rstrip('L'), 'name': names[i], 'count': number - DEFERRED if deferred and not immortal else number,
                      'deferred': deferred and not immortal, 'immortal': immortal})
    result = {'version': sys.version, 'pid': os.getpid(), 'ident': hex(threading.current_thread().ident), 'objects': found}
    write(result)


keep = []
main()
