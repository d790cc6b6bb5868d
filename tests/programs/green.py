"""What the programs with gevent's greenlets and eventlet's green threads share: what is told of each, and how they end."""
import os
import sys

from ends import write

said = []
keep = []


def identity(thing):
    return hex(id(thing)).rstrip('L')


def tell(greenlet, name, waits_for, state='suspended', **more):
    """`waits_for` is the object, or the name of its type where it is the library's own, or None."""
    known = waits_for is not None and not isinstance(waits_for, str)
    truth = {'id': identity(greenlet), 'state': state, 'name': name, 'thread': int(os.readlink('/proc/thread-self').rsplit('/', 1)[1]),
             'type': type(waits_for).__name__ if known else waits_for, 'waits_for': identity(waits_for) if known else None,
             'fd': None, 'events': None, 'timeout': False, 'hub': False, 'scheduled': False, 'run': None}
    truth.update(more)
    said.append(truth)
    keep.append((greenlet, waits_for))


def check():
    """Nobody has ended, or not begun, who should wait by now."""
    for truth, (greenlet, _) in zip(said, keep):
        assert not greenlet.dead and greenlet, (truth, greenlet)


def finish(library, loop):
    write({'version': sys.version, library.__name__: library.__version__, 'pid': os.getpid(), 'loop': identity(loop), 'greenlets': said})
