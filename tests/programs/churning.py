"""Makes objects and lets go of them, for ever: the lists of the collector and of the allocator change all the time."""
import truth


class Thing:
    pass


kept = [[] for _ in range(50000)]
truth.save({})
while True:
    things = [Thing() for _ in range(300)]
    for i, thing in enumerate(things):
        thing.other = things[i - 1]
    kept[::7] = [[] for _ in kept[::7]]
