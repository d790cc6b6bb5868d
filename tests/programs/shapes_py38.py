"""Shapes of Python 3.8: positional-only arguments, the walrus, self-documenting f-strings, cached properties."""
import functools
import pickle

import truth


def shape_positional_only(go):
    def function(a, /, b, *, c):
        return go(a, b, c)
    return function(1, b=2, c=3)


def shape_walrus(go):
    if (n := 10) and (m := go(n)) > 5:
        return m


def shape_walrus_comprehension(go):
    return [y for x in range(3) if (y := go(x) if x == 2 else 0)]


def shape_fstring_debug(go):
    return f'{go()=!s:^20}'


def shape_cached_property(go):
    class Owner:
        @functools.cached_property
        def value(self):
            return go()
    return Owner().value


def shape_continue_in_finally(go):
    for i in range(2):
        try:
            1 / (1 - i)
        except ZeroDivisionError:
            continue
        finally:
            if i == 1:
                go()


def shape_reducer_override(go):
    class Pickler(pickle._Pickler):
        def reducer_override(self, obj):
            return go(obj)
    import io
    return Pickler(io.BytesIO()).dump(object())


truth.run(globals())
