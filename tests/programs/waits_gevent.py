"""What gevent's greenlets wait for, as JSON to $PYSCRY_TRUTH; two pairs wait for each other's lock, a third would but
for a timeout around one of them."""
from gevent import monkey

monkey.patch_all()
import os  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402
from gevent.event import Event  # noqa: E402
from gevent.lock import BoundedSemaphore, RLock  # noqa: E402

from ways import DEADLOCKS, WAITS, write  # noqa: E402

kept = []


def row(who, kind, f, *args, held_by=(), function=None, **more):
    WAITS.append(dict(who=who, kind=kind, state='waiting', held_by=[list(h) for h in held_by], function=function or f.__name__,
                      **more))
    kept.append(gevent.spawn(f, *args))
    kept[-1].name = who


def takes(mine, others):
    with mine:
        gevent.sleep(0.1)
        with others:
            pass


def in_time(mine, others):
    with gevent.Timeout(3600):
        takes(mine, others)


def event(never):
    never.wait()


def permit(semaphore):
    with semaphore:
        pass


def joins(other):
    other.join()


A, B, C, D, E, F = RLock(), RLock(), threading.Lock(), threading.Lock(), RLock(), RLock()
row('left', 'RLock', takes, A, B, name='others', held_by=[('right', 'owner')])
row('right', 'RLock', takes, B, A, name='others', held_by=[('left', 'owner')])
row('one', 'Lock', takes, C, D, name='others', held_by=[('other', 'with')])
row('other', 'Lock', takes, D, C, name='others', held_by=[('one', 'with')])
row('ends', 'RLock', in_time, E, F, name='others', held_by=[('goes on', 'owner')], function='takes')
row('goes on', 'RLock', takes, F, E, name='others', held_by=[('ends', 'owner')])
DEADLOCKS.extend([['left', 'right'], ['one', 'other']])
row('event', 'Event', event, Event(), name='never')
none = BoundedSemaphore(1)
getattr(none, 'acq' + 'uire')()  # out of sight
row('permit', 'BoundedSemaphore', permit, none, name='semaphore', held_by=[])
row('joins', 'Greenlet', joins, kept[0], held_by=[('left', 'owner')], name='other')
gevent.sleep(0.5)
write()
os.abort()
