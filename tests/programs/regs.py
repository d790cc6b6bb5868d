"""Loads known words into the registers, and faults. x86-64 Linux. What each is goes to $PYSCRY_TRUTH before."""
import ctypes
import json
import mmap
import os
import sys

ORDER = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rbp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi']
NUMBER = {'rax': 0, 'rcx': 1, 'rdx': 2, 'rbx': 3, 'rbp': 5, 'rsi': 6, 'rdi': 7}


class Thing(object):
    pass


class Slots(object):
    __slots__ = ['slot%d' % i for i in range(20)]


def load(index, name):
    """mov name, [rdi + 8 * index]"""
    number = NUMBER.get(name) if name in NUMBER else int(name[1:])
    return bytearray([0x48 | (4 if number > 7 else 0), 0x8b, 0x47 | (number & 7) << 3, 8 * index])


def machine_code():
    code = bytearray()
    for index, name in enumerate(ORDER):
        code += load(index, name)
    return bytes(code + b'\xf4')  # hlt, which only a kernel may


def raw(*words):
    """Memory of malloc, which Python does not know."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    place = malloc(4096)
    ctypes.memset(place, 0, 4096)
    ctypes.memmove(place, (ctypes.c_uint64 * len(words))(*words), 8 * len(words))
    return place


def pointer(function):
    function.restype, function.argtypes = ctypes.c_void_p, []
    return function()


def freed():
    thing = Slots()
    thing.slot3 = 'x' * 50
    address = id(thing)
    del thing
    return address


def main():
    api = ctypes.pythonapi
    keep = {'text': u'caf\xe9 text', 'list': [1, 2.5, 'x'], 'tuple': (7, 8, 9), 'dict': {'key': (1,)}, 'thing': Thing()}
    keep['interior'] = ('first', 'second', 'third')
    keep['frame'] = sys._getframe()
    state = pointer(api.PyThreadState_Get) or 0
    gap = mmap.mmap(-1, 1 << 20)
    unmapped = ctypes.addressof(ctypes.c_char.from_buffer(gap))
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(machine_code())
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.CDLL(None).munmap(ctypes.c_void_p(unmapped), ctypes.c_size_t(1 << 20))
    # register: (value, kind, type or None)
    words = {
        'rax': (id(keep['text']), 'object', type(keep['text']).__name__),
        'rbx': (id(Thing), 'type', None),
        'rcx': (ctypes.cast(api.PyObject_Repr, ctypes.c_void_p).value + 4, 'code', None),
        'rdx': (raw(id(keep['text']), id(keep['tuple'])), 'objects', [type(keep['text']).__name__, 'tuple']),
        'rsi': (id(None), 'object', 'NoneType'),
        'rbp': (id(main.__code__), 'code object', 'code'),
        'r8': (raw(id(keep['dict']), id(keep['thing'])), 'objects', ['dict', 'Thing']),
        'r9': (id(keep['interior']) + sys.getsizeof(()) - GC_HEAD + 8, 'interior', 'tuple'),
        'r10': (id(keep['frame']), 'frame', 'frame'),
        'r11': (12345, 'number', None),
        'r12': (state, 'thread state', None),
        'r13': (unmapped, 'unmapped', None),
        'r14': (0, 'number', None),
        'r15': (raw(0, 0, 5), 'memory', None),
        'rdi': (0xdddddddddddddddd, 'pattern', None),
    }
    block = (ctypes.c_uint64 * len(ORDER))(*[words[name][0] for name in ORDER])
    place = ctypes.addressof(block)
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(start)
    words['r14'] = (0, 'freed', None)
    text = json.dumps({'registers': words})
    with open(os.environ.get('PYSCRY_TRUTH', 'regs.json'), 'w') as out:
        out.write(text)
    block[ORDER.index('r14')] = freed()  # last: nothing is to take its place
    call(place)


# sys.getsizeof() counts the collector's header, which stands before the object
GC_HEAD = sys.getsizeof(()) - ().__sizeof__()
main()
