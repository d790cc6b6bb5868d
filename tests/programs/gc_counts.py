# -*- coding: utf-8 -*-
"""What the gc module says of itself just before the end: for the command gc. Runs on 2.7 to 3.15.

Nothing that the collector tracks is made between the truth and the end. With "collecting" as argument the program
ends in the finalizer of an object that a collection of the middle generation frees.
"""
import gc
import json
import os
import sys

open(os.devnull).close()  # it may import a module of its own


class Thing(object):
    pass


def ids(objects):
    return [id(o) for o in objects]


def end():
    if os.environ.get("PYSCRY_END") == "sleep":
        import time
        time.sleep(600)
    os.abort()


def lists():
    """The number of objects in each list: taken by identity, since a new list of them is tracked, too."""
    if sys.version_info < (3, 8):
        return None
    try:
        return [len(gc.get_objects(generation=i)) for i in range(3)]
    except TypeError:
        return None


class Final(object):
    def __del__(self):
        truth = {"enabled": gc.isenabled(), "threshold": gc.get_threshold(), "collecting": True}
        with open(os.environ["PYSCRY_TRUTH"], "w") as f:
            json.dump(truth, f)
        end()


def collecting():
    thing = Final()
    thing.me = thing
    if sys.version_info < (3, 4):
        other = [thing]  # 2.7 frees no cycle of what has a finalizer: a list that leads there goes
        thing.me = None
        other.append(other)
        del other
    del thing
    gc.collect(1)


def frozen():
    if not hasattr(gc, "freeze"):
        return 0
    kept.extend([[n] for n in range(50)])
    gc.freeze()
    return gc.get_freeze_count()


def main():
    gc.disable()
    gc.set_threshold(701, 12, 13)
    if "debug" in sys.argv:
        gc.set_debug(gc.DEBUG_SAVEALL)
    if "collecting" in sys.argv:
        return collecting()
    gc.callbacks.append(print_nothing) if hasattr(gc, "callbacks") else None
    count = frozen()
    things = [Thing() for _ in range(5)]
    for thing in things:
        thing.me = thing
    garbage = ids(things)
    names = [hex(i).rstrip("L") for i in garbage]
    del things, thing
    if "debug" in sys.argv:
        gc.collect()
    kept.extend([[n] for n in range(300)])
    gc.collect(0)
    kept.extend([[n] for n in range(70)])
    numbers = lists()
    out = open(os.environ["PYSCRY_TRUTH"], "w")
    text = ('{"enabled": %s, "debug": %d, "threshold": [%d, %d, %d], "garbage": %s, "callbacks": %d, "permanent": %d, "lists": %s, '
            % ((str(gc.isenabled()).lower(), gc.get_debug()) + gc.get_threshold() + (
                json.dumps([n for n in names if gc.garbage]), len(getattr(gc, "callbacks", ())), count, json.dumps(numbers))))
    a, b, c = gc.get_count()
    out.write(text)
    out.write('"count": [')
    out.write(str(a))
    out.write(', ')
    out.write(str(b))
    out.write(', ')
    out.write(str(c))
    out.write(']}')
    out.close()
    end()


def print_nothing(phase, info):
    pass


kept = []
main()
