"""Hundreds of lists whose arrays have a length that nothing else has."""
import json
import os

LENGTH = 4321
kept = [[object()] * LENGTH for _ in range(400)]


def waits():
    yield kept


one = waits()
next(one)
with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
    json.dump({'length': LENGTH, 'count': len(kept)}, out)
os.abort()
