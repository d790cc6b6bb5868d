#!/usr/bin/env python3
"""Write src/object/printable.inc: the ranges of code points that str.isprintable() denies.

Run it with the newest Python at hand: python3 tools/gen_printable.py > src/object/printable.inc
"""
import sys
import unicodedata


def ranges():
    start = None
    for code in range(0x80, sys.maxunicode + 2):
        hidden = code <= sys.maxunicode and not chr(code).isprintable()
        if hidden and start is None:
            start = code
        elif not hidden and start is not None:
            yield start, code - 1
            start = None


def main():
    print("/* Made by tools/gen_printable.py from Unicode %s: do not edit. */" % unicodedata.unidata_version)
    line = "\t"
    for first, last in ranges():
        item = "{ 0x%x, 0x%x }, " % (first, last)
        if len(line) + 7 + len(item) > 100:
            print(line.rstrip())
            line = "\t"
        line += item
    print(line.rstrip())


main()
