"""C frames between Python frames: ctypes callbacks out of qsort and bsearch, and a thread that C started."""
import ctypes
import sys
import threading

import truth

libc = ctypes.CDLL(None)
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
libc.bsearch.restype = ctypes.c_void_p
numbers = (ctypes.c_int * 5)(5, 1, 7, 33, 99)
go = threading.Event()


@COMPARE
def inner(a, b):
    return ending(a[0])


@COMPARE
def outer(a, b):
    key = ctypes.c_int(3)
    libc.bsearch(ctypes.byref(key), numbers, len(numbers), ctypes.sizeof(ctypes.c_int), inner)
    return 0


def ending(value):
    return [truth.die() for _ in (value,)]


ROUTINE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


@ROUTINE
def in_c_thread(argument):
    truth.here()
    go.set()
    threading.Event().wait()
    return 0


def main():
    thread = ctypes.c_ulong()
    pthread_create = ctypes.CDLL('libpthread.so.0').pthread_create
    pthread_create(ctypes.byref(thread), None, in_c_thread, None)
    go.wait()
    threading.Event().wait(0.2)
    libc.qsort(numbers, len(numbers), ctypes.sizeof(ctypes.c_int), outer)


main()
