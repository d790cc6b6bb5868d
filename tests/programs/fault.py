"""A fault inside a C function (ctypes.string_at(0)) in the middle of a comprehension in a generator in a sort key."""
import ctypes

import truth

string = ctypes.create_string_buffer(b'fine')
innermost = truth.frame_of(ctypes.string_at, string)


def read(addresses):
    for address in addresses:
        yield truth.write(extra=[innermost]) or ctypes.string_at(address)


def key(item):
    return [[character for character in text] for text in (t for t in read([0]))]


def main():
    return sorted([1, 2], key=lambda item: key(item))


main()
