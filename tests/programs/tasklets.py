"""Tasklets that were switched out below C functions, and what each says of its stack. 2.7 to 3.8, Stackless only."""
import json
import os
import re
import sys
import time
from functools import reduce

import stackless

PATTERN = re.compile("a")


def park(*values):
    stackless.schedule()
    return len(values)


def in_sort():
    sorted([3, 1, 2], key=park)


def in_sub():
    PATTERN.sub(lambda match: park() and "b" or "c", "xaxax")


def in_reduce(depth=3):
    if depth:
        return reduce(lambda a, b: in_reduce(depth - 1), [1, 2])
    return park()


class Sized(object):
    def __len__(self):
        return park()


def in_len():
    for i in [1]:
        len(Sized())


def in_sort_on_channel(channel):
    sorted([1, 2], key=lambda i: channel.receive())


def nested(depth):
    if depth:
        return nested(depth - 1)
    in_sort()


def soft():
    park()


def removed():
    sorted([1, 2], key=lambda i: stackless.schedule_remove())


def deep(count):
    """So deep in C that the stack is spilled: a slice of its own for each part."""
    if count:
        return sorted([1], key=lambda i: deep(count - 1))[0]
    stackless.schedule()
    return 1


def frames_of(tasklet):
    found = []
    frame = tasklet.frame
    while frame is not None:
        found.append([os.path.basename(frame.f_code.co_filename), frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return found


def tell(tasklets):
    truth = {"tasklets": {}}
    for name, tasklet in tasklets.items():
        truth["tasklets"][name] = {"id": id(tasklet), "frames": frames_of(tasklet),
                                   "nesting_level": tasklet.nesting_level}
    path = os.environ.get("PYSCRY_TRUTH", "truth.json")
    with open(path + ".new", "w") as out:
        json.dump(truth, out)
    os.rename(path + ".new", path)


def finish():
    if os.environ.get("PYSCRY_END", "abort") == "sleep":
        while True:
            time.sleep(3600)
    os.abort()


def tell_and_finish(tasklets):
    tell(tasklets)
    finish()


def main():
    sys.setrecursionlimit(100000)
    channel = stackless.channel()
    tasklets = {
        "sort": stackless.tasklet(in_sort)(), "sub": stackless.tasklet(in_sub)(),
        "reduce": stackless.tasklet(in_reduce)(), "len": stackless.tasklet(in_len)(),
        "channel": stackless.tasklet(in_sort_on_channel)(channel), "nested": stackless.tasklet(nested)(40),
        "soft": stackless.tasklet(soft)(), "removed": stackless.tasklet(removed)(),
        "spilled": stackless.tasklet(deep)(int(sys.argv[1]) if len(sys.argv) > 1 else 300),
        "new": stackless.tasklet(soft)(),
    }
    tasklets["new"].remove()
    # all of main's switches are below a C function, too: it keeps its C frames
    sorted([1], key=lambda i: stackless.schedule())
    tasklets["main"] = stackless.getcurrent()
    teller = stackless.tasklet(tell_and_finish)(tasklets)
    sorted([1], key=lambda i: teller.run())


main()
