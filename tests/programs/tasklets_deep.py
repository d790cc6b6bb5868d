"""A stack so deep that Stackless saves it in slices: of a tasklet that runs, of the main one, or of one that is switched
out. Each iterate() calls itself by way of C functions, in turn of two kinds; in some of the others the interpreter's loop is left to
those that they call."""
import json
import os
import sys

import stackless


class Items(object):
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return self

    def __next__(self):
        return soft(self.count - 1) if self.count else end()

    next = __next__


def soft(count):
    return iterate(count)


def iterate(count):
    if count % 2:
        return sorted([1], key=lambda i, count=count: soft(count - 1))[0]
    for item in Items(count):
        return item


def tell():
    found, frame = [], sys._getframe(1)
    while frame is not None:
        found.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    with open(os.environ.get("PYSCRY_TRUTH", "truth.json"), "w") as out:
        json.dump({"frames": found}, out)


def end():
    tell()
    if sys.argv[1] != "parked":
        os.abort()
    stackless.schedule_remove()


def main():
    sys.setrecursionlimit(100000)
    if sys.argv[1] == "main":
        soft(300)
    stackless.tasklet(soft)(300)
    stackless.run()
    os.abort()


main()
