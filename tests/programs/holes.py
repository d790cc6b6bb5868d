"""Dies with a page of what it knows itself left out of the core (MADV_DONTDUMP): "names", "code",
"called" (the name of a code object that is there), "objects"; or "nothing"."""
import ctypes
import os
import sys

import truth

DONTDUMP = 16  # asm-generic/mman-common.h


def leave_out(address):
    page = address & ~0xfff
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    if libc.madvise(page, 0x1000, DONTDUMP):
        raise OSError('madvise')


# a name so long that a page holds nothing else
names = {'os': os}
exec('def %s(number):\n    os.abort()' % ('c' * 9000), names)
called = names['c' * 9000]


def last(number, values):
    truth.save({'pid': os.getpid()})
    what = sys.argv[1]
    if what == 'names':
        leave_out(id(last.__code__.co_varnames))
    if what == 'called':
        leave_out(id(called.__code__.co_name) + 0x1000)
        called(17)
    if what == 'code':
        leave_out(id(last.__code__))
    if what == 'objects':
        leave_out(id(values))
    os.abort()


last(17, ['one', 'two'])
