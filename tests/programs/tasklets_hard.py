"""Scenarios of Stackless where C functions are in the way of a switch, chosen by name on the command line. 2.7 to 3.8."""
import atexit
import functools
import re
import sys

import stackless
from stackless import channel, schedule, schedule_remove
from tasklets_shapes import KEEP, deep, forever, hard, nothing, start
from tasklets_truth import dump_abort


class Starts(object):
    def __init__(self, function):
        self.function = function

    def __len__(self):
        self.function()
        return 1

    def __call__(self, *arguments):
        return self.function()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.function()

    def __iter__(self):
        return self

    def next(self):
        return self.function()

    __next__ = next

    def __del__(self):
        if self.function is forever:
            forever()


class Made(object):
    def __init__(self, function):
        function()


def dropped():
    doomed = Starts(forever)
    del doomed
    return 1


def hard_ways(ending):
    """s3: switched out below many C functions."""
    c, d = channel(), channel()
    start(hard, 3, forever)
    start(deep, 2, hard, 1, deep, 3, forever)
    start(re.sub, "a", lambda m: schedule() and "x" or "y", "bab")
    start(lambda: list(map(lambda i: schedule(), [1])))
    start(lambda: functools.reduce(lambda a, b: schedule(), [1, 2]))
    start(lambda: len(Starts(schedule)))
    start(lambda: Starts(schedule)())
    start(lambda: Starts(schedule).attribute)
    start(lambda: [i for i in Starts(schedule)])
    start(lambda: Made(schedule))
    start(lambda: next(Starts(schedule)))
    start(dropped)
    start(functools.partial(deep, 1, forever))
    start(hard, 2, deep, 2, c.receive)
    start(hard, 1, d.send, "hard-payload")
    start(hard, 3, deep, 2, schedule_remove)
    start(lambda: exec_in("schedule()", {"schedule": schedule}))
    schedule()
    KEEP.extend([c, d])
    ending()


def exec_in(text, names):
    exec(compile(text, "<text>", "exec"), names)


def count_down(depth, function):
    """Each level takes a C stack frame of its own."""
    if depth:
        return sorted([1], key=lambda i: count_down(depth - 1, function))[0]
    return function()


def spilled(ending):
    """s6: so deep in C functions that the C stack was cut into several."""
    start(count_down, 200, forever)
    start(deep, 300, forever)
    start(count_down, 400, schedule_remove)
    schedule()
    start(count_down, 300, ending)
    stackless.run()


def spilled_main(ending):
    """s6b: so deep is main, when it is not running."""
    start(forever)
    runs = start(deep, 1, ending)
    count_down(300, lambda: runs.run())


def spilled_here(ending):
    start(forever)
    schedule()
    count_down(300, ending)


def generator(function):
    yield 1
    function()
    yield 2


def outer_generator(function):
    for i in generator(function):
        yield i


def consuming(function):
    for i in outer_generator(function):
        pass


def listing(function):
    return list(outer_generator(function))


class Managed(object):
    def __init__(self, enters, leaves):
        self.enters, self.leaves = enters, leaves

    def __enter__(self):
        self.enters()

    def __exit__(self, *arguments):
        self.leaves()


def managing(enters, leaves):
    with Managed(enters, leaves):
        raise ValueError("in with")


LATER = """
def leaf(function):
    yield from generator(function)
def stem(function):
    return (yield from leaf(function))
def delegating(function):
    for i in stem(function):
        pass
"""
COROUTINES = """
class Ready:
    def __init__(self, function):
        self.function = function
    def __await__(self):
        self.function()
        yield 1
async def bottom(function):
    await Ready(function)
async def middle(function):
    async with Manager(function):
        await bottom(function)
class Manager:
    def __init__(self, function):
        self.function = function
    async def __aenter__(self):
        await bottom(nothing)
    async def __aexit__(self, *arguments):
        await bottom(self.function)
async def counting(function):
    async for i in Counter(function):
        pass
class Counter:
    def __init__(self, function):
        self.function = function
    def __aiter__(self):
        return self
    async def __anext__(self):
        await bottom(self.function)
def driving(make, function):
    coroutine = make(function)
    while True:
        try:
            coroutine.send(None)
        except StopIteration:
            return
"""


def generators(ending):
    """s7: switches inside of generators and coroutines, with statements and loops."""
    names = dict(globals())
    start(consuming, forever)
    start(listing, forever)
    start(managing, forever, nothing)
    leaving = start(managing, nothing, forever)
    start(lambda: next(generator(forever)))
    start(lambda: [x for x in generator(lambda: hard(1, forever))])
    start(lambda: max(i for i in outer_generator(forever)))
    if sys.version_info >= (3, 3):
        exec_in(LATER, names)
        start(names["delegating"], forever)
        start(hard, 1, names["delegating"], lambda: hard(1, forever))
    if sys.version_info >= (3, 5):
        exec_in(COROUTINES, names)
        start(names["driving"], names["bottom"], forever)
        start(names["driving"], names["middle"], forever)
        start(names["driving"], names["counting"], forever)
        start(hard, 1, names["driving"], names["counting"], forever)
    schedule()
    schedule()
    start(consuming, lambda: ending({"handles": {str(id(leaving)): "ValueError('in with')"}}))
    stackless.run()


def old_entries(ending):
    """s11: slices of the program's run, seen from its end: a handler is called from C anew, with another main."""
    start(hard, 1, forever)
    start(deep, 2, hard, 2, forever)
    start(deep, 1, forever)
    schedule()
    atexit.register(deep, 1, ending)


SCENARIOS = dict((f.__name__, f) for f in (
    hard_ways, spilled, spilled_main, spilled_here, generators, old_entries))


if __name__ == "__main__":
    sys.setrecursionlimit(100000)
    SCENARIOS[sys.argv[1]](dump_abort)
