# -*- coding: utf-8 -*-
"""A write of buffers of which two are gone: it waits for a reader until a child ends it. writev or vmsplice.

The kernel is told addresses; what Python does with the memory meanwhile it does not know.
"""
import ctypes
import fcntl
import json
import os
import signal
import sys
import time


class IOVec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]


Twelve = ctypes.c_char * 12


def main():
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    _, full = os.pipe()
    fcntl.fcntl(full, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while True:
            os.write(full, b'x' * 4096)
    except OSError:
        fcntl.fcntl(full, fcntl.F_SETFL, 0)
    alive = bytearray(b'alive' * 300)
    view = (ctypes.c_char * 1).from_buffer(alive)
    pinned = memoryview(alive)
    dying = [Twelve() for _ in range(9)]
    chunk = libc.malloc(2000)
    libc.malloc(2000)
    iov = (IOVec * 3)((ctypes.addressof(view), len(alive)), (ctypes.addressof(dying[4]), 12), (chunk, 2000))
    truth = {'call': sys.argv[1], 'fd': full, 'iov': hex(ctypes.addressof(iov)).rstrip('L'), 'owner': hex(id(alive)).rstrip('L'),
             'freed': hex(id(dying[4])).rstrip('L'), 'users': [hex(id(pinned)).rstrip('L')],
             'buffers': [[hex(e.base).rstrip('L'), e.len] for e in iov]}
    doomed = ctypes.c_void_p(chunk)
    call = getattr(libc, sys.argv[1])
    arguments = [ctypes.c_int(full), iov, ctypes.c_int(3)] + ([ctypes.c_int(0)] if sys.argv[1] == 'vmsplice' else [])
    with open(os.environ['PYSCRY_TRUTH'], 'w') as f:
        json.dump(truth, f)
    if os.fork() == 0:
        time.sleep(0.5)
        os.kill(os.getppid(), signal.SIGABRT)
        os._exit(0)
    libc.free(doomed)
    del dying[4]
    call(*arguments)


main()
