"""Python, C, Python, C, Python: every C frame between Python frames is known. The library's path is the argument."""
import ctypes
import sys
import threading

import truth

library = ctypes.CDLL(sys.argv[1])
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
go = threading.Event()


def newest(value):
    truth.die()
    return value


def middle(value):
    return sum(item for item in numbers(value))


def numbers(value):
    yield library.native_deep(call_newest, 3)


def oldest():
    return library.native_outer(call_middle, 1)


class Key(object):
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return library.native_inner(call_waiting, 1) < 0


def waiting(value):
    truth.here()
    go.set()
    threading.Event().wait()
    return value


def worker():
    sorted([Key(1), Key(2)])


call_newest, call_middle, call_waiting = CALLBACK(newest), CALLBACK(middle), CALLBACK(waiting)
threading.Thread(target=worker).start()
go.wait()
threading.Event().wait(0.1)
oldest()
