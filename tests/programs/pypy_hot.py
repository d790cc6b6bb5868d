# -*- coding: utf-8 -*-
"""Dies inside code that PyPy's JIT has made: the last of many equal calls is the one that kills. The truth is written before.

The frames are held by the JIT in its own form by then; asking sys._current_frames() for them would force them.
"""
from __future__ import print_function

import json
import os
import signal
import sys
import threading
import time

LAST = 4999
ABORT = signal.SIGABRT
pid = os.getpid()
expected = {}


def end(number, tag):
    triple = number * 3
    half = number * 0.5
    pair = (number, tag)
    name = tag + u'\u00fc'
    os.kill(pid, number // LAST * ABORT)  # signal 0 does nothing
    return triple, half, pair, name


def hot(times, tag):
    total = 0
    kept = [times, tag]
    for i in range(times):
        before = total
        total += end(i, tag)[0]
    return total, kept


def deep(levels, run):
    below = levels * 2
    if not levels:
        return run()
    return deep(levels - 1, run)


def park(times):
    """A loop that is hot and waits: its thread stands in a call made by the JIT."""
    for j in range(times):
        square = j * j
        time.sleep(j // LAST * 1000.0)


def frame(function, line, **variables):
    return {'function': function.__name__, 'line': function.__code__.co_firstlineno + line, 'locals': variables}


def write():
    number, total = LAST, sum(3 * i for i in range(LAST))
    text = 'hot'
    u = '' if sys.version_info[0] > 2 else 'u'
    umlaut = repr(text + u'\u00fc') if u else "'hot\u00fc'"
    main = [frame(end, 5, number=repr(number), tag=repr(text), triple=repr(3 * number), half=repr(number * 0.5),
                  pair=repr((number, text)), name=umlaut),
            frame(hot, 5, times=repr(LAST + 1), tag=repr(text), total=repr(total), kept=repr([LAST + 1, text]), i=repr(number),
                  before=repr(total)),
            frame(work, 1)]
    for level in range(6):
        main.append(frame(deep, 3 if level == 0 else 4, levels=repr(level), below=repr(2 * level)))
    parked = [frame(park, 4, times=repr(LAST + 1), j=repr(LAST), square=repr(LAST * LAST))]
    with open(os.environ.get('PYSCRY_TRUTH', 'truth.json'), 'w') as out:
        json.dump({'main': main, 'parked': parked}, out)


def work():
    return hot(LAST + 1, 'hot')


write()
thread = threading.Thread(target=park, args=(LAST + 1,))
thread.daemon = True
thread.start()
time.sleep(3)
deep(5, work)
