"""What the scenarios of tasklets_states.py and tasklets_hard.py are made of. 2.7 to 3.8, Stackless only."""
from stackless import schedule, tasklet

KEEP = []  # what must live until the end


def start(function, *arguments, **more):
    new = tasklet(function)(*arguments, **more)
    KEEP.append(new)
    return new


def deep(depth, function, *arguments):
    if depth:
        return deep(depth - 1, function, *arguments)
    return function(*arguments)


def hard(depth, function, *arguments):
    """Below a C function, as often as asked for: no soft switch gets out of here."""
    if depth:
        return sorted([1], key=lambda i: hard(depth - 1, function, *arguments))[0]
    return function(*arguments)


def forever():
    while True:
        schedule()


def handling(function):
    try:
        raise KeyError("handled")
    except KeyError:
        function()


def handling_two(function):
    try:
        raise ValueError("outer")
    except ValueError:
        deep(2, handling, function)


def nothing():
    pass
