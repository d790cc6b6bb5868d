"""Ends that a C stack tells more of than Python's: the first argument is which, the second the library of native.c."""
import ctypes
import os
import sys

import truth

HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
libc = ctypes.PyDLL(None)
library = ctypes.CDLL(sys.argv[2])


def bad_pointer():
    """C code calls what is no function."""
    truth.write(), ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(0x10)(1)


def overflow():
    """C code runs out of stack."""
    truth.write(), library.native_deep(identity, 1 << 30)


class Stack(ctypes.Structure):
    _fields_ = [('address', ctypes.c_void_p), ('flags', ctypes.c_int), ('size', ctypes.c_size_t)]


class Action(ctypes.Structure):
    _fields_ = [('handler', ctypes.c_void_p), ('mask', ctypes.c_ulong * 16), ('flags', ctypes.c_int), ('restorer', ctypes.c_void_p)]


def in_handler(signal):
    truth.die()


def other_stack():
    """A signal handler on a stack of its own calls Python."""
    stack = Stack(ctypes.addressof(memory), 0, ctypes.sizeof(memory))
    libc.sigaltstack(ctypes.byref(stack), None)
    action = Action(ctypes.cast(handler, ctypes.c_void_p), flags=0x08000000)  # SA_ONSTACK
    libc.sigaction(10, ctypes.byref(action), None)
    libc['raise'](10)


identity, handler = CALLBACK(int), HANDLER(in_handler)
memory = ctypes.create_string_buffer(1 << 20)
sorted([1], key=lambda _: {'bad_pointer': bad_pointer, 'overflow': overflow, 'other_stack': other_stack}[sys.argv[1]]())
