"""Functions that were called and left a frame behind, and such that were not. 2.7 to 3.9."""
import json
import os
import sys
import time

SIZES = {}


def seen():
    frame = sys._getframe(1)
    SIZES[frame.f_code.co_name] = frame.__sizeof__()


def called(a=1, b=2):
    seen()
    c = [a, b]
    return c


def outer():
    def inner(x):
        seen()
        return [x, x + 1, x + 2]
    seen()
    return inner(1)


class Holder(object):
    def method(self):
        seen()
        return self

    def never_method(self):
        return self.method()


def never():
    def never_inner():
        return 1
    return never_inner()


def running():
    seen()
    finish()


def finish():
    path = os.environ.get("PYSCRY_TRUTH", "truth.json")
    with open(path + ".new", "w") as out:
        json.dump({"sizes": SIZES}, out)
    os.rename(path + ".new", path)
    if os.environ.get("PYSCRY_END", "abort") == "sleep":
        while True:
            time.sleep(3600)
    os.abort()


called()
outer()
Holder().method()
running()
