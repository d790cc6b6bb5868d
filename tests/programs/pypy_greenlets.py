"""PyPy's greenlets in every state, and a continulet; frames as _get_frame() tells them. The argument `inside` ends in one of them."""
import gc
import json
import os
import sys

import _continuation
import greenlet

keep = {}


def chain(of):
    if not hasattr(of, '_get_frame'):  # 2.7
        return None
    frame = of._get_frame().f_back  # from the bottom one, which is the interpreter's own, to the newest
    frames, seen = [], []
    while frame is not None and frame not in seen:  # a ring
        seen.append(frame)
        frames.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return frames


def parks(depth, back):
    if depth:
        return parks(depth - 1, back)
    back.switch()


def returns():
    return 7


def continues(self):
    self.switch()


def hot(back):
    total = 0
    for i in range(5000):
        total += i
        if i == 4999:
            back.switch()


def write():
    gc.collect()
    states = {'suspended': 'suspended', 'hot': 'suspended', 'new': 'not started', 'over': 'dead', 'plain': 'suspended', 'main': 'running'}
    if inside:
        states.update(main='suspended', inside='running')
    found = {}
    for name, state in states.items():
        of = keep[name]
        frames = chain(of) if state == 'suspended' and name != 'main' else []
        if name == 'main' and inside:
            frames = chain(keep['inside'])
        own = {'suspended': ['parks'] * 4, 'hot': ['hot'], 'plain': ['continues'], 'main': ['<module>'] if inside else []}
        found[hex(id(of)).rstrip('L')] = {'name': name, 'state': state, 'frames': frames, 'own': own.get(name, []), 'type': type(of).__name__}
    with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
        json.dump(found, out)
    os.abort()


inside = sys.argv[1:] == ['inside']
main = keep['main'] = greenlet.getcurrent()
keep['suspended'] = greenlet.greenlet(parks)
keep['suspended'].switch(3, main)
keep['hot'] = greenlet.greenlet(hot)
keep['hot'].switch(main)
keep['new'] = greenlet.greenlet(returns)
keep['over'] = greenlet.greenlet(returns)
keep['over'].switch()
keep['plain'] = _continuation.continulet(continues)
keep['plain'].switch()
if inside:
    keep['inside'] = greenlet.greenlet(write)
    keep['inside'].switch()
write()
