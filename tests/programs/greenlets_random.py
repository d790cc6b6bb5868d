"""Greenlets that switch at random, from any depth: greenlets_random.py SEED. Writes where each stands to $PYSCRY_TRUTH, and aborts."""
import json
import os
import random
import sys

import greenlet

choose = random.Random(int(sys.argv[1]))
alive = [greenlet.getcurrent()]
known = {}   # the stacks of those that have switched away
steps = [2000]


def frames(frame):
    found = []
    while frame is not None:
        found.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return found


def loops(stack):
    """Calls of the interpreter's loop: one for each frame, or since 3.11 one for all that no C code is between."""
    return len(stack) if sys.version_info < (3, 11) else 1 + sum(name == '<lambda>' for name, _ in stack)


def note():
    known[greenlet.getcurrent()] = frames(sys._getframe(1))


def start():
    new = greenlet.greenlet(work)
    alive.append(new)
    note(), new.switch(0)
    known.pop(greenlet.getcurrent(), None)


def switch(to):
    note(), to.switch()
    known.pop(greenlet.getcurrent(), None)


def work(depth):
    for _ in range(choose.randrange(1, 6)):
        steps[0] -= 1
        if steps[0] == 0:
            end()
        what = choose.random()
        others = [each for each in alive if each and each is not greenlet.getcurrent()]
        if what < 0.35 and depth < 60:
            work(depth + 1)
        elif what < 0.45 and depth < 60:
            sorted([1, 2], key=lambda value: work(depth + 1) or value)
        elif what < 0.65 and len(alive) < 60:
            start()
        elif others:
            switch(choose.choice(others))


def end():
    truth = [{'id': hex(id(each)).rstrip('L'), 'frames': known[each], 'loops': loops(known[each])} for each in alive
             if each in known and not each.dead]
    with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
        json.dump({'version': sys.version, 'greenlets': truth}, out)
    os.abort()


while True:
    work(0)
