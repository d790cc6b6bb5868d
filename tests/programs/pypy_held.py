"""Objects of PyPy's that nothing but machine code of the JIT, or (2.7) an array of numpy's, refers to."""
import gc
import json
import os
import weakref


class Held(object):
    number = 1


class Item(object):
    pass


HELD = Held()


def hot(count):
    total = 0
    for i in range(count):
        total += HELD.number
    return total


hot(50000)
WEAK = weakref.ref(HELD)
del HELD
truth = {"items": 0}
try:
    from _numpypy import multiarray

    ARRAY = multiarray.zeros(5, dtype=object)
    ARRAY[2], ARRAY[4] = Item(), Item()
    truth["items"] = 2
except ImportError:  # of 2.7 alone
    pass
for i in range(2):
    gc.collect()
truth["held"] = int(WEAK() is not None)
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    out.write(json.dumps(truth))
os.abort()
