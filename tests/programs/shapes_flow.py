# -*- coding: utf-8 -*-
"""One stack through statements: blocks, generators, comprehensions, expressions over many lines."""
from __future__ import print_function

import contextlib

import truth


def shape_try_body(go):
    try:
        go()
    finally:
        print('not reached')


def shape_except(go):
    try:
        raise ValueError('a')
    except (KeyError, ValueError) as error:
        go(error)


def shape_except_nested(go):
    try:
        try:
            {}['absent']
        except KeyError:
            raise TypeError('second')
    except TypeError:
        try:
            1 / 0
        except ZeroDivisionError:
            go()


def shape_else(go):
    try:
        pass
    except Exception:
        pass
    else:
        go()


def shape_finally(go):
    try:
        value = 1
    finally:
        go()
    return value


def shape_finally_after_return(go):
    try:
        return 1
    finally:
        go()


def shape_finally_unwinding(go):
    try:
        raise ValueError('on its way')
    finally:
        go()


def shape_finally_tail(go):
    for i in range(3):
        try:
            if i == 1:
                continue
        finally:
            if i == 2:
                go(i)


def shape_finally_break(go):
    while True:
        try:
            break
        finally:
            try:
                pass
            finally:
                go()


class Context(object):
    def __init__(self, enter=None, leave=None):
        self.enter, self.leave = enter, leave

    def __enter__(self):
        if self.enter:
            self.enter()
        return self

    def __exit__(self, *error):
        if self.leave:
            self.leave()


def shape_with_enter(go):
    with Context(), Context(
            enter=go):
        pass


def shape_with_exit(go):
    with Context(leave=go):
        x = 1
    return x


def shape_with_exit_exception(go):
    with Context(leave=go):
        raise ValueError('inside')


def shape_with_exit_return(go):
    with Context(leave=go) as context:
        return context


@contextlib.contextmanager
def managed(before, after):
    before()
    try:
        yield 1
    finally:
        after()


def nothing():
    pass


def shape_contextmanager_enter(go):
    with managed(go, nothing):
        pass


def shape_contextmanager_exit(go):
    with managed(nothing, go):
        pass


def shape_for(go):
    for i in range(5):
        for j in range(5):
            if i * j == 6:
                go(i,
                   j)


def shape_for_else(go):
    for i in ():
        pass
    else:
        go()


def shape_while_else(go):
    i = 3
    while i:
        i -= 1
    else:
        go(i)


def shape_generator(go):
    def generate():
        yield 1
        yield go()
        yield 3
    for _ in generate():
        pass


def shape_generator_send(go):
    def generate():
        got = None
        while True:
            got = yield got
            if got:
                go(got)
    generator = generate()
    next(generator)
    generator.send(0)
    generator.send(5)


def shape_generator_throw(go):
    def generate():
        try:
            yield 1
        except ValueError:
            go()
    generator = generate()
    next(generator)
    generator.throw(ValueError('thrown'))


def shape_generator_close(go):
    def generate():
        try:
            yield 1
        finally:
            go()
    generator = generate()
    next(generator)
    generator.close()


def shape_generator_pipeline(go):
    def first():
        for i in range(3):
            yield go(i) if i == 2 else i

    def second(source):
        for i in source:
            yield i
    return list(x for x in second(y for y in first()))


def shape_genexpr_nested(go):
    return sum(sum(go(i, j) if (i, j) == (1, 1) else 1 for j in range(i + 1)) for i in range(3))


def shape_listcomp(go):
    return [go(x) for x in [1, 2, 3] if x > 1]


def shape_listcomp_lines(go):
    return [
        (
            x,
            go(
                y
            ),
        )
        for x in [1]
        for y in [2]
        if x != y
    ]


def shape_listcomp_condition(go):
    return [x for x in (1, 2)
            if go(x)]


def shape_dictcomp(go):
    return {k: go(v) for k, v in [(1, 2)]}


def shape_setcomp(go):
    return {go(v) for v in (1,)}


def shape_comprehension_closure(go):
    return [(lambda: [go(x + y) for y in (x,)])() for x in (1, 2)]


def shape_lambda(go):
    return (lambda x: lambda y: go(x, y))(1)(2)


def shape_lambda_lines(go):
    table = {
        'a': lambda:
            go(
                1),
        'b': None,
    }
    return table['a']()


def shape_call_lines(go):
    return dict(
        a=1,
        b=len(
            [1,
             2]),
        c=go(
            1,
            2,
            three=[
                4,
            ]),
        d=5)


def shape_binary_lines(go):
    return (1 +
            2 *
            go() +
            3)


def shape_backslash(go):
    return 1 + \
        2 + \
        go(3)


def shape_string_lines(go):
    return """
    %s
    %s
    """ % (1,
           go())


def shape_conditional(go):
    return (1 if not go
            else
            go())


def shape_boolean(go):
    return (go is None or
            0 or
            go() and
            3)


def shape_assert(go):
    assert go is None, \
        go()


def shape_chained_compare(go):
    return 1 < 2 < go() < 3


def shape_semicolons(go):
    a = 1; b = 2; go(a, b); c = 3


def shape_one_line_if(go):
    if go: go()


def shape_augmented(go):
    values = [1]
    values[0] += go()


def shape_subscript(go):
    table = {}
    table[
        go()
    ] = 1


def shape_delete(go):
    class Box(object):
        def __delitem__(self, key):
            go(key)
    del Box()[1]


def shape_slice(go):
    return [1, 2, 3][0:
                     go()]


def shape_unpacking(go):
    (a, (b, c)), d = (1, (2, 3)), go()


def shape_global(go):
    global counter
    counter = 1
    counter = go(counter)


def shape_raise(go):
    raise (ValueError if go is None
           else go())


def shape_return_tuple(go):
    return (1,
            go(),
            2)


def shape_decorator_lines(go):
    def first(function):
        return function

    def second(argument):
        go()
        return first

    @first
    @second(
        1)
    def function():
        pass


def shape_class_with_base(go):
    class Made(
            go() or object):
        pass


def shape_nested_functions(go):
    def a():
        def b():
            class C(object):
                def d(self):
                    return [e() for e in (lambda: go(),)]
            return C().d()
        return b()
    return a()


def shape_long_loop(go):
    total = 0
    for i in range(2000):
        total += i
        if total > 1000000:
            total = 0
        elif i == 1500:
            go(total)
        else:
            total -= 1


truth.run(globals())
