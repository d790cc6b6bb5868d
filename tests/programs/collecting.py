"""Dies in a finalizer that the garbage collector calls."""
import gc

import truth


class Cycle(object):
    def __init__(self):
        self.itself = self


def called(reference):
    truth.die()


import weakref


def make():
    cycle = Cycle()
    return weakref.ref(cycle, called)


def main():
    gc.disable()
    reference = make()
    gc.collect()
    return reference


main()
