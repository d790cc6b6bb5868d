"""Greenlets in many shapes; what greenlet itself says of each, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says, in a greenlet."""
import gc
import json
import os
import sys
import threading
import time

import greenlet

keep = []
threads = {}


def frames(frame):
    found = []
    while frame is not None:
        found.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return found


def deep(n, to):
    if n:
        return deep(n - 1, to)
    return to.switch()


def through_c(to):
    return sorted([2, 1], key=lambda value: to.switch())


def generator(to):
    yield 1
    to.switch()


def in_generator(to):
    return list(generator(to))


def parent_of_two(to):
    for _ in range(2):
        child = greenlet.greenlet(deep)
        keep.append(child)
        child.switch(1, greenlet.getcurrent())
    to.switch()


class Own(greenlet.greenlet):
    def run(self, to):
        deep(2, to)


def native_id():
    return int(os.readlink('/proc/thread-self').rsplit('/', 1)[1])


def build():
    here = greenlet.getcurrent()
    keep.append(here)
    for function, arguments in ((deep, (0, here)), (deep, (10, here)), (through_c, (here,)), (in_generator, (here,)),
                                (parent_of_two, (here,))):
        each = greenlet.greenlet(function)
        keep.append(each)
        each.switch(*arguments)
    own = Own()
    own.switch(here)
    over = greenlet.greenlet(lambda: None)
    over.switch()
    keep.extend([own, over, greenlet.greenlet(deep), Own()])
    threads.update((each, native_id()) for each in keep if each not in threads)


def other_thread(ready):
    here = greenlet.getcurrent()
    each = greenlet.greenlet(deep)
    each.switch(3, here)
    keep.extend([here, each])
    threads[here] = threads[each] = native_id()
    ready.set()
    time.sleep(600)


def state(each):
    if each.dead:
        return 'dead'
    if each.gr_frame is not None:
        return 'suspended'
    return 'active' if each else 'not started'


def truth():
    found = []
    for each in keep:
        found.append({'id': hex(id(each)).rstrip('L'), 'state': state(each), 'parent': each.parent and hex(id(each.parent)).rstrip('L'),
                      'thread': threads[each], 'frames': frames(each.gr_frame)})
    return {'version': sys.version, 'greenlet': greenlet.__version__, 'pid': os.getpid(), 'greenlets': found}


def end():
    found = truth()
    with open(os.environ['PYSCRY_TRUTH'] + '.part', 'w') as out:
        json.dump(found, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.part', os.environ['PYSCRY_TRUTH'])
    if os.environ.get('PYSCRY_END') == 'abort':
        os.abort()
    time.sleep(600)


build()
ready = threading.Event()
thread = threading.Thread(target=other_thread, args=(ready,))
thread.daemon = True
thread.start()
ready.wait()
time.sleep(0.1)
last = greenlet.greenlet(end)
keep.append(last)
threads[last] = native_id()
last.switch()
