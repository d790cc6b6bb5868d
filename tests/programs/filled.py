"""Fills memory in several ways, and lets half of it go; then what the allocators say of themselves at the very last, into a
file: sys._debugmallocstats(), and glibc's malloc_info(). 2.7 to 3.15; before 3.3 Python has no such statistics."""
import json
import os
import sys
import threading
import time

if len(sys.argv) > 1 and os.environ.get('PYTHONMALLOC') != sys.argv[1]:
    os.environ['PYTHONMALLOC'] = sys.argv[1]
    os.execv(sys.executable, [sys.executable] + sys.argv)


class Thing(object):
    def __init__(self, number):
        self.number = number


things = [Thing(i * 1.5) for i in range(6000)]
texts = ['text %d' % i * (i % 40 + 1) for i in range(2000)]
large = [bytearray(700 + i * 64) for i in range(300)]
huge = [bytearray(n << 20) for n in (1, 2, 3)]
for kept in (things, texts, large):
    del kept[::2]
del kept
started = threading.Event()


def other():
    mine = [bytearray(900) for _ in range(100)]
    started.set()
    time.sleep(3600)
    return mine


thread = threading.Thread(target=other)
thread.daemon = True
thread.start()
started.wait()
stats = getattr(sys, '_debugmallocstats', None) or (lambda: None)
try:
    import ctypes

    libc = ctypes.CDLL(None)
    info, stream = libc.malloc_info, ctypes.c_void_p.in_dll(libc, 'stderr')
    info.argtypes = [ctypes.c_int, ctypes.c_void_p]
except (ImportError, AttributeError, ValueError):
    info, stream = (lambda a, b: None), None
path = os.environ.get('PYSCRY_TRUTH', 'truth.json')
with open(path + '.new', 'w') as out:
    json.dump({'stats': path + '.stats'}, out)
os.rename(path + '.new', path)
with open(path + '.stats', 'wb') as out:
    os.dup2(out.fileno(), 2)
ending = os.environ.get('PYSCRY_END', 'abort')
abort, zero = os.abort, 0
info(zero, stream)
stats()
if ending == 'sleep':
    time.sleep(3600)
abort()
