"""Makes the mistakes of unsound.c, writes what is wrong now, and dies. "heap": counts, objects and buffers;
"behind": a write behind what malloc() gave out; "hooks": what PYTHONMALLOC=debug marks; "leaks"; "leaky". 2.7 to 3.15."""
import json
import os
import sys
import time

if len(sys.argv) > 2 and os.environ.get('PYTHONMALLOC') != sys.argv[2]:
    os.environ['PYTHONMALLOC'] = sys.argv[2]
    os.execv(sys.executable, [sys.executable] + sys.argv)
sys.path.insert(0, os.getcwd())
import unsound


class Thing(object):
    pass


def at(o):
    return hex(id(o)).rstrip('L')


def data(holder):
    return hex(unsound.data(holder)).rstrip('L')


truth, keep = {}, []
way = sys.argv[1]


def heap():
    stolen, into = Thing(), [None]
    truth['over-released'] = [at(stolen), 2, at(into)]
    gone, still = [Thing()], [None]
    truth['dangling'] = [at(gone[0]), at(still)]
    small, large = unsound.hold(100, 0), unsound.hold(3000, 1)
    views = [memoryview(small), memoryview(large)]
    # the chunk behind, so that the freed one is joined to nothing
    keep.append([stolen, into, still, small, large, views, unsound.hold(3000, 1)])
    truth['buffers'] = [[data(small), at(views[0])], [data(large), at(views[1])]]
    return [
        (unsound.steal, into, stolen),
        (unsound.steal, still, gone[0]),
        (unsound.drop, small, 0),
        (unsound.drop, large, 1),
    ], gone


def behind():
    # so many that the last ones stand side by side
    holders = [unsound.hold(104, 1) for _ in range(2000)]
    keep.append(holders)
    truth['overrun'] = [data(holders[1950]), at(holders[1950])]
    return [(unsound.overrun, holders[1950], 16)], []


def hooks():
    holders = [unsound.hold(100, 0) for _ in range(8)]
    keep.append(holders)
    truth['overrun'] = [data(holders[3]), at(holders[3])]
    truth['freed memory written to'] = [data(holders[5]), at(holders[5])]
    return [
        (unsound.overrun, holders[3], 1),
        (unsound.drop, holders[4], 0),
        (unsound.drop, holders[5], 0),
        (unsound.scribble, holders[5], 40),
    ], []


def leaks():
    truth['leaks'] = 200
    return [(unsound.leak, 200)], []


def leaky():
    """The same in a process that goes on."""
    unsound.leak(200)
    return None, None


steps, gone = globals()[way]()
with open(os.environ['PYSCRY_TRUTH'] + '.new', 'w') as out:
    json.dump(truth, out)
os.rename(os.environ['PYSCRY_TRUTH'] + '.new', os.environ['PYSCRY_TRUTH'])
keep.append([0] * 100)
if steps is None:
    time.sleep(600)
unsound.run(steps, gone)
