"""Greenlets in many shapes; what greenlet itself says of each, written to $PYSCRY_TRUTH. Ends as $PYSCRY_END says, in a greenlet."""
import os
import sys
import threading
import time

import greenlet

from ends import write

keep = []
threads = {}
known = {}   # what each noted when it was about to switch


def frames(frame):
    found = []
    while frame is not None:
        found.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return found


def note(entries=1):
    """To stand on the line of the switch. `entries`: how often C code called Python code, the first call included."""
    stack = frames(sys._getframe(1))
    known[greenlet.getcurrent()] = {'frames': stack, 'loops': entries if sys.version_info >= (3, 11) else len(stack),
                                    'exception': sys.exc_info()[1] and repr(sys.exc_info()[1])}


def deep(n, to):
    if n:
        return deep(n - 1, to)
    return note() or to.switch()


def through_c(to):
    return sorted([2, 1], key=lambda value: note(2) or to.switch())


def generator(to):
    yield 1
    note(2) or to.switch()


def in_generator(to):
    return list(generator(to))


def parent_of_two(to):
    for _ in range(2):
        child = greenlet.greenlet(deep)
        keep.append(child)
        child.switch(1, greenlet.getcurrent())
    note() or to.switch()


def handling(to):
    try:
        raise KeyError('handled')
    except KeyError:
        note() or to.switch()


def handling_generator(to):
    try:
        raise KeyError('outer')
    except KeyError:
        yield 1
        note(2) or to.switch()


def in_handling_generator(to):
    return list(handling_generator(to))


def lower(n, to):
    """Start a greenlet far down the stack, whose parts are then shared with those above."""
    if n:
        return lower(n - 1, to)
    child = greenlet.greenlet(deep)
    keep.append(child)
    child.switch(2, greenlet.getcurrent())
    return note() or to.switch()


class Own(greenlet.greenlet):
    def run(self, to):
        deep(2, to)


def native_id():
    return int(os.readlink('/proc/thread-self').rsplit('/', 1)[1])


def build():
    here = greenlet.getcurrent()
    keep.append(here)
    for function, arguments in ((deep, (0, here)), (deep, (10, here)), (through_c, (here,)), (in_generator, (here,)),
                                (parent_of_two, (here,)), (handling, (here,)), (in_handling_generator, (here,)),
                                (lower, (20, here))):
        each = greenlet.greenlet(function)
        keep.append(each)
        each.switch(*arguments)
    own = Own()
    own.switch(here)
    over = greenlet.greenlet(lambda: None)
    over.switch()
    without_frames = greenlet.greenlet(here.switch)
    without_frames.switch()
    known[without_frames] = {'frames': [], 'loops': 0, 'exception': None}
    keep.extend([own, over, without_frames, greenlet.greenlet(deep), Own()])
    threads.update((each, native_id()) for each in keep if each not in threads)


def other_thread(ready):
    here = greenlet.getcurrent()
    each = greenlet.greenlet(deep)
    each.switch(3, here)
    keep.extend([here, each])
    threads[here] = threads[each] = native_id()
    ready.set()
    time.sleep(600)


def ending_thread():
    here = greenlet.getcurrent()
    each = greenlet.greenlet(deep)
    each.switch(3, here)
    keep.extend([here, each])
    threads[here] = threads[each] = None


def state(each):
    if each.dead:
        return 'dead'
    if each in known:
        return 'suspended'
    return 'active' if each else 'not started'


def truth():
    found = []
    for number, each in enumerate(keep):
        if number % 2:
            frames(each.gr_frame)  # which changes the chain of frames from 3.12 on
        said = {'id': hex(id(each)).rstrip('L'), 'state': state(each), 'parent': None if each.parent is None else hex(id(each.parent)).rstrip('L'),
                'thread': threads[each], 'orphaned': threads[each] is None, 'frames': [], 'loops': None, 'exception': None}
        if each.gr_frame is not None or not said['orphaned']:  # newer versions clear what belonged to a thread that ends
            said.update(known.get(each, {}))
        found.append(said)
    return {'version': sys.version, 'greenlet': greenlet.__version__, 'version_at': id(greenlet.__version__),
            'pid': os.getpid(), 'greenlets': found}


def end():
    found = truth()
    write(found)


build()
ready = threading.Event()
thread = threading.Thread(target=other_thread, args=(ready,))
thread.daemon = True
thread.start()
ready.wait()
ended = threading.Thread(target=ending_thread)
ended.start()
ended.join()
time.sleep(0.1)
last = greenlet.greenlet(end)
keep.append(last)
threads[last] = native_id()
known[keep[0]] = {'frames': [['<module>', sys._getframe().f_lineno + 1]], 'loops': 1, 'exception': None}
last.switch()
