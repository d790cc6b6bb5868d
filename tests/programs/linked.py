"""A stack of plain frames that nobody else refers to, some of them called by C functions, with frames beside it that have returned and live
on in tracebacks: the addresses of the frames, newest first. Runs on 2.7; the end is ends.py's."""
import sys

import ends

KEPT = []


class Caller(object):
    def __init__(self, levels):
        self.found = descend(levels)

    @property
    def asked(self):
        return self.found

    def __getattr__(self, name):
        return through_sort(int(name[1:]))


def fail(levels):
    if levels:
        fail(levels - 1)
    raise ValueError(levels)


def failing():
    try:
        fail(3)
    except ValueError:
        KEPT.append(sys.exc_info()[2])


def through_sort(levels):
    return sorted([levels], key=descend) and FOUND


def descend(levels):
    failing()
    if levels <= 0:
        return finish()
    if levels % 4 == 3:
        return Caller(levels - 1).found
    if levels % 4 == 2:
        return getattr(object.__new__(Caller), '_%d' % (levels - 1))
    if levels % 4 == 1:
        return list(map(descend, [levels - 1]))
    return middle(levels - 1)


def middle(levels):
    return descend(levels)


def finish():
    frame, depth = sys._getframe(), 0
    while frame:
        FOUND.append(hex(id(frame)).rstrip('L'))
        frame = frame.f_back
    sys.exc_clear()
    ends.write({'frames': FOUND})


FOUND = []
descend(12)
