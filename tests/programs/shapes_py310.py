"""Shapes of Python 3.10: match statements and parenthesised context managers."""
import contextlib

import truth


class Point:
    __match_args__ = ('x', 'y')

    def __init__(self, x, y):
        self.x, self.y = x, y


def shape_match(go):
    match {'a': [1, 2, Point(3, 4)]}:
        case {'b': _}:
            pass
        case {'a': [1, *rest, Point(x=3, y=other)]} if other == 4:
            go(rest, other)


def shape_match_guard(go):
    match 3:
        case 1 | 2:
            pass
        case int(n) if n > 5:
            pass
        case n if go(n):
            pass


def shape_match_property(go):
    class Odd:
        __match_args__ = ('first',)

        @property
        def first(self):
            return go()
    match Odd():
        case Odd(first=1):
            pass


def shape_match_default(go):
    match 'text':
        case 'a':
            pass
        case _:
            go()


@contextlib.contextmanager
def managed(call=None):
    if call:
        call()
    yield


def shape_with_parentheses(go):
    with (
        managed() as a,
        managed(
            go
        ) as b,
    ):
        pass


truth.run(globals())
