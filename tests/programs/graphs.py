"""Twenty random graphs of objects that only one list each holds, and what really goes when one of their objects goes: tried on
a copy of each graph, whose objects have weak references. 2.7 to 3.15."""
import gc
import json
import os
import sys
import weakref

GRAPHS, NODES = 20, 7


class Node(object):
    __slots__ = ('edges', '__weakref__')


class Chance(object):
    """The same numbers on every version."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (self.state >> 33) % n


def shape(seed):
    """(Which nodes the list holds, the edges of each node)."""
    chance = Chance(seed)
    edges = [[chance.below(NODES) for _ in range(chance.below(4))] for _ in range(NODES)]
    starts = sorted(set(chance.below(NODES) for _ in range(1 + chance.below(2))))
    seen = list(starts)
    for node in seen:
        seen.extend(n for n in edges[node] if n not in seen)
    return starts, edges, seen


def build(starts, edges, seen):
    nodes = [Node() for _ in range(NODES)]
    for number, node in enumerate(nodes):
        node.edges = [nodes[n] for n in edges[number]]
    held = [nodes[n] for n in starts]
    where = {number: nodes[number] for number in seen}
    return held, where


def gone(starts, edges, seen, victim):
    """How many nodes go with one, when everybody lets that go."""
    held, where = build(starts, edges, seen)
    watched = [weakref.ref(node) for node in where.values()]
    out = where[victim]
    for place in [held] + [node.edges for node in where.values()]:
        place[:] = [None if node is out else node for node in place]
    place = node = out = where = None
    gc.collect()
    return sum(ref() is None for ref in watched)


def size_of(numbers, where):
    return sum(sys.getsizeof(where[n]) + sys.getsizeof(where[n].edges) for n in numbers)


def describe(held, shaped, where):
    starts, edges, seen = shaped
    return {
        'held': hex(id(held)).rstrip('L'),
        'starts': starts,
        'edges': edges,
        'nodes': {str(n): hex(id(where[n])).rstrip('L') for n in seen},
        'lists': {hex(id(where[n])).rstrip('L'): hex(id(where[n].edges)).rstrip('L') for n in seen},
        'sizes': {str(n): size_of([n], where) for n in seen},
        'gone': {str(n): gone(starts, edges, seen, n) for n in seen},
    }


def make(seed, graphs, truth):
    shaped = shape(seed)
    held, where = build(*shaped)
    graphs.append(held)
    truth.append(describe(held, shaped, where))


graphs, truth = [], []
gc.disable()
gc.collect()
if hasattr(gc, 'freeze'):
    gc.freeze()  # so that each look takes no time
for number in range(GRAPHS):
    make(number + 1, graphs, truth)
path = os.environ.get('PYSCRY_TRUTH', 'truth.json')
with open(path + '.new', 'w') as out:
    json.dump({'graphs': truth}, out)
os.rename(path + '.new', path)
os.abort()
