"""Notes how long it did not run: the longest gap between two looks at the clock, in gap.txt, again and again. A chain of
100,000 exceptions is being handled, and a page of a string never comes where the argument says so."""
from __future__ import print_function

import os
import sys
import threading
import time

import truth

clock = getattr(time, 'perf_counter', time.time)


def watch():
    longest, last, told = 0.0, clock(), 0
    while True:
        now = clock()
        longest, last = max(longest, now - last), now
        if now - told > 0.05:
            told = now
            try:
                os.rename('reset', 'was')  # somebody begins to measure
                longest = 0.0
            except OSError:
                pass
            with open('gap.new', 'w') as out:
                out.write('%f' % longest)
            os.rename('gap.new', 'gap.txt')
            last = clock()
        time.sleep(0.001)


def handle(chain):
    try:
        raise chain
    except ValueError:
        time.sleep(600)


def never_comes():
    """A string, some of whose pages nobody delivers: userfaultfd(2)."""
    import ctypes
    import fcntl
    import struct

    libc = ctypes.CDLL(None, use_errno=True)
    text = 'y' * 3000000
    start = (id(text) & ~4095) + 4096 * 8
    fd = libc.syscall(323, 0)
    if fd < 0:
        return None
    fcntl.ioctl(fd, 0xC018AA3F, bytearray(struct.pack('QQQ', 0xAA, 0, 0)))
    fcntl.ioctl(fd, 0xC020AA00, bytearray(struct.pack('QQQQ', start, 409600, 1, 0)))
    libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(409600), 4)
    return text


error = None
for i in range(100000 if 'chain' in sys.argv else 1):
    following = ValueError(i)
    following.__context__ = error
    error = following
lost = never_comes() if 'lost' in sys.argv else ''
for target, arguments in ((watch, ()), (handle, (error,))):
    thread = threading.Thread(target=target, args=arguments)
    thread.daemon = True
    thread.start()
for i in range(100 if 'threads' in sys.argv else 0):
    thread = threading.Thread(target=time.sleep, args=(600,))
    thread.daemon = True
    thread.start()
truth._save(os.environ['PYSCRY_TRUTH'], {'lost': lost is not None})
while True:
    time.sleep(0.1)
