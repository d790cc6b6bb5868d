"""Free-threaded builds: a thread sorts a list, which another wants to change; or one collects garbage, and must wait
until another has added up numbers in C, while a third must wait for it; or one forks, for which all interpreters stop."""
import gc
import os
import random
import sys
import threading
import time

from ways import WAITS, start, write

SECTION = sys.argv[1] == 'section'
if SECTION:
    LIST = [random.random() for _ in range(3000000)]
    begun, going = threading.Event(), threading.Event()

    def sorts():
        begun.set()
        LIST.sort()

    def appends():
        begun.wait()
        going.native_id = threading.get_native_id()
        going.set()
        while True:  # the other may not have begun yet
            LIST.append(0)

    WAITS.append(dict(who='sorts', state='running', function='sorts'))
    WAITS.append(dict(who='appends', kind='critical section', state='waiting', held_by=[['sorts', 'owner']], name='LIST',
                      type='list'))
    for function in (sorts, appends):
        start(function)
elif sys.argv[1] == 'fork':
    import _interpreters

    OTHER = '''
import threading, time
def adds():
    sum(range(10 ** 12))
def sleeps():
    time.sleep(4)
for f in (adds, sleeps):
    t = threading.Thread(target=f, name=f.__name__)
    t.start()
t.join()
'''

    def elsewhere():
        _interpreters.exec(_interpreters.create('isolated'), OTHER)

    def forks():
        time.sleep(3)
        if os.fork() == 0:
            os._exit(0)

    def beside():
        time.sleep(4)

    WAITS.append(dict(who='adds', state='running', function='adds'))
    WAITS.append(dict(who='forks', kind='stop-the-world', state='waiting', held_by=[['adds', 'owner']]))
    for name in ('sleeps', 'beside'):
        WAITS.append(dict(who=name, kind='stop-the-world', state='waiting', held_by=[['forks', 'owner']]))
    for function in (elsewhere, forks, beside):
        start(function)
else:
    def adds():
        sum(range(10 ** 12))

    def collects():
        time.sleep(3)
        gc.collect()

    def sleeps():
        time.sleep(4)

    WAITS.append(dict(who='adds', state='running', function='adds'))
    WAITS.append(dict(who='collects', kind='stop-the-world', state='waiting', held_by=[['adds', 'owner']]))
    WAITS.append(dict(who='sleeps', kind='stop-the-world', state='waiting', held_by=[['collects', 'owner']]))
    for function in (adds, collects, sleeps):
        start(function)
if SECTION:
    going.wait()
    state = ''
    while state != 'S':  # it waits for the other
        time.sleep(0.01)
        with open('/proc/self/task/%d/stat' % going.native_id) as stat:
            state = stat.read().rsplit(')', 1)[1].split()[0]
    write()
    os.abort()
write()
time.sleep(600)
