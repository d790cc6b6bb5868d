"""Writes over a reference count, as a bug in an extension would change it; the next release ends the
process: in debug builds by a check, else for objects that may never die. Runs on 2.7 to 3.15."""
import os
import struct
import sys

memory = os.open('/proc/self/mem', os.O_RDWR)


def set_count(value, count):
    os.lseek(memory, id(value), 0)
    os.write(memory, struct.pack('=q', count))


class Thing(object):
    pass


def negative():
    thing = Thing()
    again = thing
    set_count(thing, 0)
    del again  # it dies here


def none():
    several = [None] * 5
    set_count(None, 3)
    del several  # it dies here


{'negative': negative, 'none': none}[sys.argv[1]]()
