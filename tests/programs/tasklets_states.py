"""Scenarios of Stackless, chosen by name on the command line; each dies having told what there is. 2.7 to 3.8."""
import functools
import sys
import threading
import time

import stackless
from stackless import channel, schedule, schedule_remove, tasklet
from tasklets_shapes import KEEP, deep, forever, handling, handling_two, hard, nothing, start
from tasklets_truth import dump_abort


class Sub(tasklet):
    pass


class SubChannel(channel):
    pass


def runnable(ending):
    """s1: soft ones of many depths, one of a subclass, one that never ran."""
    for depth in (0, 1, 2, 5, 20, 100, 200):
        start(deep, depth, forever)
    KEEP.append(Sub(deep)(3, forever))
    schedule()
    start(deep, 1, forever)
    ending()


def in_tasklet(ending):
    """s1b: another than main is running, main waits in run()."""
    start(forever)
    schedule()
    start(deep, 4, ending)
    stackless.run()


def in_nested_tasklet(ending):
    """s3b: the one that runs has C functions below it."""
    start(hard, 2, forever)
    start(deep, 2, forever)
    schedule()
    start(deep, 2, hard, 3, deep, 1, ending)
    sorted([1], key=lambda i: stackless.run())


def no_soft_switch(ending):
    """s3c: every switch is a hard one."""
    stackless.enable_softswitch(False)
    c = channel()
    start(forever)
    start(deep, 5, forever)
    start(deep, 2, c.receive)
    start(hard, 2, forever)
    schedule()
    start(deep, 3, ending)
    stackless.run()


def channels(ending):
    """s2: senders, receivers, bombs, preferences, a closed one, a value on its way."""
    many, none, bombs, closed, prefers, all_, sub = [channel() for _ in range(6)] + [SubChannel()]
    for i in range(3):
        start(deep, i, many.send, {"payload": [i, "v%d" % i]})
    for i in range(2):
        start(deep, i, none.receive)
    start(deep, 1, bombs.send_exception, ValueError, "a bomb", 7)
    start(sub.send, (1, 2))
    sequence, over, closing = channel(), channel(), channel()
    start(deep, 1, sequence.send_sequence, iter(range(10)))
    start(lambda: [i for i in over])
    start(closing.receive)
    closed.close()
    prefers.preference = 1
    all_.schedule_all = True
    schedule()
    closing.close()
    moving = channel()
    moving.preference = 0
    receiver = start(deep, 2, moving.receive)
    schedule()
    moving.send("IN-TRANSIT-VALUE")
    exploding = channel()
    exploding.preference = 0
    blown = start(deep, 2, exploding.receive)
    blown.run()
    exploding.send_exception(KeyError, "in transit")
    KEEP.extend([many, none, bombs, closed, prefers, all_, sub, sequence, over, closing, moving])
    ending({"tempval": {str(id(receiver)): "'IN-TRANSIT-VALUE'"},
            "bomb": {str(id(blown)): ["KeyError", "'in transit'"]}})


def many_threads(ending):
    """s4: schedulers of threads, channels across them, a blocked thread, one that has ended."""
    shared, ready, handled, stay = channel(), [], [], threading.Event()

    def with_ring():
        start(deep, 2, forever)
        start(hard, 2, forever)
        schedule()
        schedule()
        ready.append(1)
        stay.wait(1000)

    def blocked():
        ready.append(1)
        handled.append(id(stackless.getcurrent()))
        handling(functools.partial(deep, 2, shared.receive))

    def sleeping():
        start(deep, 3, schedule_remove)
        schedule()
        ready.append(1)
        deep(3, stay.wait, 1000)

    def receiving_tasklet():
        start(hard, 1, shared.receive)
        schedule()
        ready.append(1)
        stay.wait(1000)

    def ended():
        start(deep, 3, forever)
        start(deep, 1, shared.receive)
        KEEP.append(tasklet(deep))
        schedule()
        ready.append(1)

    for function in (ended, with_ring, blocked, sleeping, receiving_tasklet):
        thread = threading.Thread(target=function)
        thread.daemon = True
        count = len(ready)
        thread.start()
        while len(ready) == count:
            time.sleep(0.01)
        if function is ended:
            thread.join()
    time.sleep(0.1)
    start(forever)
    KEEP.append(shared)
    ending({"handles": {str(handled[0]): "KeyError('handled')"}})


def bound_elsewhere(ending):
    """A tasklet that another thread made its own, and one whose thread will never run it."""
    ready, stay = [], threading.Event()

    def other():
        start(deep, 1, forever)
        schedule()
        ready.append(1)
        stay.wait(1000)

    thread = threading.Thread(target=other)
    thread.daemon = True
    thread.start()
    while not ready:
        time.sleep(0.01)
    moved = tasklet().bind(deep, (2, forever))
    moved.bind_thread(thread.ident)
    KEEP.append(moved)
    inserted = tasklet().bind(deep, (1, forever))
    inserted.bind_thread(thread.ident)
    inserted.insert()
    KEEP.append(inserted)
    time.sleep(0.1)
    ending()


def ignore(*arguments):
    """A trace or profile function."""


def traced(set_function):
    set_function(ignore)
    forever()


def holding(atomic):
    stackless.getcurrent().set_atomic(atomic)
    forever()


def nested_atomic():
    with stackless.atomic():
        with stackless.atomic():
            forever()


def after_handling():
    try:
        raise KeyError("gone")
    except KeyError:
        pass
    forever()


def finishing():
    try:
        raise ValueError("in try")
    finally:
        forever()


def stubborn():
    while True:
        try:
            schedule()
        except BaseException:
            deep(1, forever)


def states(ending):
    """s5: flags, ends, pending exceptions."""
    KEEP.extend([tasklet(), tasklet(deep), tasklet().bind(deep, (1, forever)), tasklet().bind(forever, (), {})])
    start(forever).remove()
    start(deep, 2, schedule_remove)
    start(hard, 2, schedule_remove)
    start(deep, 1, holding, True)
    start(nested_atomic)
    start(deep, 1, forever).set_ignore_nesting(1)
    start(deep, 2, forever).block_trap = True
    start(traced, sys.settrace)
    start(traced, sys.setprofile)
    start(deep, 1, hard, 1, traced, sys.setprofile)
    start(len, "finishes")
    killed = start(deep, 2, forever)
    kills, throws, plain = [start(deep, 3, forever) for _ in range(3)]
    thrown = start(stubborn)
    start(deep, 2, channel().receive)
    KEEP.append(Sub(deep)(2, forever))
    never = start(forever)
    handles = {"KeyError('handled')": [start(deep, 1, handling, forever), start(hard, 1, deep, 1, handling, forever),
                                       start(handling_two, forever), start(handling, functools.partial(hard, 2, forever)),
                                       start(handling_two, functools.partial(hard, 1, forever))]}
    start(after_handling)
    finishes = [start(finishing)]
    if sys.version_info[0] > 2:  # a finally of Python 2 handles nothing
        handles["ValueError('in try')"] = finishes
    handles["ValueError('caught')"] = [thrown]
    never.remove()
    schedule()
    killed.kill()
    kills.kill(pending=True)
    throws.throw(IndexError, "later", pending=True)
    plain.throw(ZeroDivisionError("an instance"), pending=True)
    thrown.raise_exception(ValueError, "caught")
    unborn = start(forever)
    unborn.throw(IndexError, "before it ran", pending=True)
    ending({"handles": {str(id(t)): text for text, list_ in handles.items() for t in list_},
            "bomb": {str(id(kills)): ["TaskletExit", None], str(id(throws)): ["IndexError", "'later'"],
                     str(id(unborn)): ["IndexError", "'before it ran'"],
                     str(id(plain)): ["ZeroDivisionError", "'an instance'"]}})


def handled_now(ending):
    """The running one handles an exception, others handle others."""
    handled = [start(deep, 2, handling, forever), start(hard, 1, handling, forever)]
    schedule()
    last = start(handling_two, lambda: ending({"handles": {str(id(t)): "KeyError('handled')" for t in handled}}))
    handled.append(last)
    stackless.run()


def spinning():
    while True:
        pass


def watched(ending):
    """s8: nested runs with a watchdog each, a victim that was interrupted."""
    start(spinning)
    KEEP.append(stackless.run(1000))
    start(forever)

    def inner():
        me = stackless.getcurrent()
        start(deep, 2, lambda: ending({"watchdogs": [id(stackless.getmain()), id(stackless.getmain()), id(me)]}))
        stackless.run(1000000)

    start(deep, 1, inner)
    stackless.run(1000000)


def interrupted(ending):
    """s8: the time of one is over, its watchdog is about to run."""
    start(deep, 2, forever)
    other = start(deep, 1, forever)
    main = stackless.getmain()

    def called(previous, following):
        if following is main:
            stackless.set_schedule_callback(None)
            ending({"interrupted": [id(t) for t in KEEP if t is not previous][0]})

    KEEP.append(other)
    stackless.set_schedule_callback(called)
    stackless.run(1000, soft=True, totaltimeout=True)


def watched_nested(ending):
    """A watchdog below a C function, and one that ignores nesting."""
    start(forever)

    def again():
        start(hard, 1, deep, 1, ending)
        hard(1, functools.partial(stackless.run, 500000, ignore_nesting=True, totaltimeout=True))

    start(again)
    deep(2, functools.partial(stackless.run, 0, threadblock=False))


def in_schedule_callback(ending, after=3):
    """s9: in the middle of a switch."""
    calls = []

    def called(previous, following):
        calls.append(1)
        if len(calls) == after:
            stackless.set_schedule_callback(None)
            ending()

    for depth in (1, 3):
        start(deep, depth, forever)
    start(hard, 1, forever)
    stackless.set_schedule_callback(called)
    while True:
        schedule()


def in_end_callback(ending):
    """s9: a tasklet has ended, its successor is being switched to."""
    done = []

    def called(previous, following):
        if done:
            stackless.set_schedule_callback(None)
            ending()

    start(deep, 1, forever)
    schedule()
    start(done.append, 1)
    stackless.set_schedule_callback(called)
    stackless.run()


def in_channel_callback(ending):
    c = channel()

    def called(*arguments):
        stackless.set_channel_callback(None)
        ending()

    KEEP.append(c)
    start(deep, 1, c.receive)
    schedule()
    stackless.set_channel_callback(called)
    start(deep, 2, c.send, "called back")
    stackless.run()


def c_functions(ending):
    """s10: tasklets without a Python frame."""
    c, d, ready = channel(), channel(), []
    entries = {"receive": start(c.receive), "send": start(d.send, "of C"), "schedule": start(schedule),
               "schedule_remove": start(schedule_remove)}
    start(functools.partial(c.receive))
    start(sorted, [2, 1], key=lambda i: schedule())

    def thread():
        start(time.sleep, 1000)
        ready.append(1)
        stackless.run()

    other = threading.Thread(target=thread)
    other.daemon = True
    other.start()
    schedule()
    while not ready:
        time.sleep(0.01)
    time.sleep(0.2)
    never = start(len, "never")
    KEEP.extend([c, d])
    ending({"entry": {str(id(never)): "<built-in function len>"}, "names": {k: id(v) for k, v in entries.items()}})


def ends_in_error(ending):
    """Tasklets that ended by an exception that run() gave to main, and one that raised StopIteration."""
    def fails():
        raise ValueError("from a tasklet")

    failed = start(deep, 2, fails)
    start(deep, 1, forever)
    try:
        stackless.run(100000)
    except ValueError:
        failed = sys.exc_info()[1]
    KEEP.append(failed)
    ending()


def contexts(ending):
    """3.7 and later: tasklets with a context each."""
    import contextvars
    variable = contextvars.ContextVar("variable", default=0)

    def setting(value):
        variable.set(value)
        deep(value, forever)

    for i in range(3):
        start(setting, i)
        start(contextvars.Context().run, setting, i)
    schedule()
    ending()


def in_trace(ending):
    """The end comes in a trace function of a tasklet."""
    def tracer(frame, event, argument):
        if frame.f_code is nothing.__code__:
            sys.settrace(None)
            ending()
        return tracer

    def tracing():
        sys.settrace(tracer)
        deep(1, nothing)

    start(hard, 1, forever)
    schedule()
    start(tracing)
    stackless.run()


def in_del(ending):
    """The end comes in a finaliser, while a tasklet is killed."""
    class Last(object):
        def __del__(self):
            ending()

    def doomed():
        last = Last()
        KEEP.append(len([last]))
        forever()

    start(deep, 1, forever)
    one = tasklet(doomed)()
    schedule()
    one.kill()


def collected(ending):
    """A tasklet without a reference that keeps itself alive: nobody's, blocked on a channel of its own."""
    def alone():
        try:
            channel().receive()
        except BaseException:
            deep(1, forever)

    tasklet(deep)(2, alone)
    tasklet(hard)(2, alone)
    schedule()
    ending()


SCENARIOS = dict((f.__name__, f) for f in (
    runnable, in_tasklet, in_nested_tasklet, no_soft_switch, channels, many_threads, bound_elsewhere, states, handled_now,
    watched, interrupted, watched_nested, in_schedule_callback, in_end_callback, in_channel_callback, c_functions,
    ends_in_error, contexts, in_trace, in_del, collected))


if __name__ == "__main__":
    sys.setrecursionlimit(100000)
    SCENARIOS[sys.argv[1]](dump_abort)
