"""Walk all that the API reaches of a core: api_walk.py CORE. Prints as JSON how much there was."""
import json
import sys

import pyscry

counts = dict(frames=0, objects=0, failures=0)


def look(value, depth):
    counts["objects"] += 1
    if counts["objects"] > 1500:
        return
    repr(value), value.type, hash(value), bool(value)
    for walk in (value._walk, value.attrs_):
        try:
            for number, (_, inner) in enumerate(walk()):
                if depth < 3:
                    look(inner, depth + 1)
                if number == 20:
                    break
        except pyscry.Error as error:
            counts["failures"] += 1
            assert str(error)


target = pyscry.open(sys.argv[1])
for thread in target.threads:
    for frame in thread.frames:
        counts["frames"] += 1
        frame.json()
        for value in frame.locals.values() if frame.code else ():
            look(value, 0)
for session in target.find("Session"):
    look(session, 0)
    try:
        session.refs_()
    except pyscry.Error as error:
        assert str(error)
for task in target.generators:
    task.json(), task.frames
print(json.dumps(counts))
