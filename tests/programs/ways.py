"""What programs that hang on purpose share: ways to hang, each in a thread of its own, and the truth of what waits
for what, as JSON to $PYSCRY_TRUTH."""
from __future__ import print_function

import json
import os
import threading
import time

WAITS, DEADLOCKS, PERHAPS = [], [], []


def start(function, name=None):
    thread = threading.Thread(target=function, name=name or function.__name__)
    thread.daemon = True
    thread.start()
    return thread


def way(kind, state='waiting', held_by=(), function=None, **more):
    """The decorated function hangs: its thread has its name. held_by: [(name, how)]."""

    def decorate(f):
        WAITS.append(dict(who=f.__name__, kind=kind, state=state, held_by=[list(h) for h in held_by],
                          function=function or ('forever' if kind == 'sleep' else f.__name__), **more))
        start(f)
        return f
    return decorate


def forever():
    time.sleep(3600)


def settle():
    """Until everybody sleeps: nobody has used the processor for a while."""
    def used():
        times = []
        for tid in os.listdir('/proc/self/task'):
            try:
                with open('/proc/self/task/%s/stat' % tid) as stat:
                    times.append((tid, stat.read().rsplit(')', 1)[1].split()[0]))
            except (IOError, OSError):  # it has ended
                pass
        return [tid for tid, state in times if state != 'S' and int(tid) != os.getpid()]
    calm, looks = 0, 0
    while calm < 10:
        looks += 1
        if looks > 2000:
            raise RuntimeError('somebody never sleeps')
        calm = 0 if used() else calm + 1
        time.sleep(0.05)


def write():
    with open(os.environ['PYSCRY_TRUTH'] + '.new', 'w') as out:
        json.dump({'pid': os.getpid(), 'waits': WAITS, 'deadlocks': DEADLOCKS, 'perhaps': PERHAPS}, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.new', os.environ['PYSCRY_TRUTH'])


def end():
    settle()
    write()
    if os.environ.get('PYSCRY_END') == 'sleep':
        time.sleep(600)
    os.abort()
