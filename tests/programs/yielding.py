"""A generator that is just left: the link of its frame is gone, and it is the current one still (3.12+; YIELD_VALUE in
Python/bytecodes.c). The link is taken away by hand."""
import ctypes
import json
import os

WORD = ctypes.sizeof(ctypes.c_size_t)


def word(address):
    return ctypes.c_size_t.from_address(address)


def giving(this):
    yield 1
    code, address = id(giving.__code__), id(this[0])
    executable = next(at for at in range(2 * WORD, 50 * WORD, WORD) if word(address + at).value & ~3 == code)
    with open(os.environ["PYSCRY_TRUTH"], "w") as out:
        json.dump({"functions": ["giving", "taking", "main", "<module>"]}, out)
    word(address + executable + WORD).value = 0
    os.abort()
    yield 2


def taking(this):
    this.append(giving(this))
    for _ in this[0]:
        pass


def main():
    taking([])


main()
