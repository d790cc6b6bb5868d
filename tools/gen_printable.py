#!/usr/bin/env python3
"""Write src/object/printable.inc: the ranges of code points that str.isprintable() denies, or
denied once.

Run it with the newest Python at hand and DerivedAge.txt of its Unicode version (Debian's
unicode-data has it): python3 tools/gen_printable.py /usr/share/unicode/DerivedAge.txt >
src/object/printable.inc

Each range is {first, last, age}: age 0 is never printable, else the Unicode version (times ten)
that assigned it. What Unicode 6.1, that of Python 3.3, knew already is left out.
"""
import re
import sys
import unicodedata

OLDEST = 61


def ages(path):
    """{code point: age} of all that were assigned after the oldest."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            match = re.match(r"([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*(\d+)\.(\d+)", line)
            if match:
                first, last, major, minor = match.groups()
                age = int(major) * 10 + int(minor)
                if age > OLDEST:
                    found.update(
                        dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), age)
                    )
    return found


def ranges(age_of):
    start = kind = None
    for code in range(0x80, sys.maxunicode + 2):
        this = None
        if code <= sys.maxunicode:
            this = age_of.get(code) if chr(code).isprintable() else 0
        if this != kind:
            if kind is not None:
                yield start, code - 1, kind
            start, kind = code, this


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(
        "/* Made by tools/gen_printable.py from Unicode %s: do not edit. */"
        % unicodedata.unidata_version
    )
    line = "\t"
    for item in ranges(ages(sys.argv[1])):
        item = "{ 0x%x, 0x%x, %d }, " % item
        if len(line) + 7 + len(item) > 100:
            print(line.rstrip())
            line = "\t"
        line += item
    print(line.rstrip())


main()
