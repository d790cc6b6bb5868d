"""Dies inside PyPy's collector: a list has an item that is no object.

"minor": it leads into the nursery, where a minor collection looks at it, which an allocation begins. "major": it leads to where
nothing is; gc.collect() comes across it while it marks.
"""
import ctypes
import gc
import json
import os
import sys

MODE = sys.argv[1]
NOWHERE = 0x1000008


class Plain(object):
    pass


def word(address):
    return ctypes.c_uint64.from_address(address)


def end():
    if MODE == "major":
        gc.collect()
    while True:
        Plain()


LIST = [Plain(), Plain(), Plain()]
word(id(LIST)).value
for i in range(4):
    gc.collect()
# W_ListObject { lstorage }, list { length, items }, GcArray { length, items }
ITEMS = word(word(id(LIST) + 8).value + 16).value
assert word(ITEMS + 8).value >= 3
WRONG = word(ITEMS + 24)
if MODE == "minor":
    FIRST = word(ITEMS + 16)
    LIST[0] = Plain()  # a young object: its list is looked at next time
    YOUNG = FIRST.value
    word(YOUNG + 16).value = 0xFFFFFFF8  # the number of no type
    bad = YOUNG + 16
else:
    bad = NOWHERE
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    out.write(json.dumps({"list": id(LIST), "bad": bad}))
WRONG.value = bad
end()
