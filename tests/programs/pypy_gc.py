"""What PyPy says of its collector, then the end: between major collections, or in the midst of one ("marking").

gc.hooks tells how many major collections there were, gc.get_stats() what the heap has.
"""
import gc
import json
import os
import sys

counted = []


class Hooks(object):
    def on_gc_minor(self, stats):
        pass

    def on_gc_collect_step(self, stats):
        pass

    def on_gc_collect(self, stats):
        counted.append(stats.num_major_collects)


kept = [[i, str(i)] for i in range(20000)]
large = [bytearray(300000) for i in range(7)]
for i in range(3):
    gc.collect()
phase = "none"
if sys.argv[1:] == ["marking"]:
    gc.disable()
    phase = "none"
    while phase != "marking":
        step = gc.collect_step()
        phase = {1: "marking"}.get(step.newstate, "other")
else:
    gc.hooks.set(Hooks())
    gc.collect()
    for i in range(100000):  # a hook is called at the next occasion
        if counted:
            break
raw = gc.get_stats()._s
stats = {name: getattr(raw, name) for name in dir(raw) if isinstance(getattr(raw, name), int)}
text = json.dumps({"phase": phase, "majors": counted[-1] if counted else None, "enabled": gc.isenabled(), "stats": stats})
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    out.write(text)
os.abort()
