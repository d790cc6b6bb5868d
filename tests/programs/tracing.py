"""Trace and profile functions on the stack: argv[1] names the event in which they end the program."""
import sys

import truth

EVENT = sys.argv[1]


def leaf(a,
         b):
    c = a; d = (
        b,
        c)
    return d


def on_event(frame, event, argument):
    if event == EVENT.replace('profile-', '') and frame.f_code.co_name in ('leaf', 'failing', 'middle'):
        [truth.die() for _ in (1,)]
    return on_event


def failing():
    raise ValueError(
        'traced')


def middle():
    total = 0
    for i in range(3):
        total += len(
            str(i))
    try:
        failing()
    except ValueError:
        pass
    return leaf(1,
                2)


def main():
    if EVENT.startswith('profile-'):
        sys.setprofile(on_event)
    else:
        sys.settrace(on_event)
    middle()


main()
