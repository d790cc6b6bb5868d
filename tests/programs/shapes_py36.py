# -*- coding: utf-8 -*-
"""Shapes of Python 3.6: f-strings, coroutines driven by hand, async comprehensions and generators."""
import asyncio
import types

import truth


def drive(coroutine):
    """Run a coroutine that never really suspends."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def shape_fstring(go):
    return f'{1} {go()} {3}'


def shape_fstring_lines(go):
    return f'''
    {1}
    {go(
        2)!r:>{10}}
    '''


def shape_await(go):
    async def leaf():
        return go()

    async def middle():
        return await leaf()

    async def top():
        return 1, await middle()
    return drive(top())


class Awaitable:
    def __init__(self, go):
        self.go = go

    def __await__(self):
        yield
        return self.go()


def shape_dunder_await(go):
    async def top():
        await Awaitable(go)
    return drive(top())


def shape_types_coroutine(go):
    @types.coroutine
    def old():
        yield
        go()

    async def top():
        await old()
    return drive(top())


async def numbers(go=None):
    for i in range(3):
        yield go(i) if go and i == 2 else i


def shape_async_generator(go):
    async def top():
        async for i in numbers(go):
            pass
    return drive(top())


def shape_async_for_body(go):
    async def top():
        async for i in numbers():
            if i == 1:
                go(i)
    return drive(top())


def shape_async_comprehension(go):
    async def top():
        return [go(i) async for i in numbers()]
    return drive(top())


def shape_async_comprehension_source(go):
    async def top():
        return {i: 1 async for i in numbers(go) if i < 9}
    return drive(top())


def shape_async_nested_comprehension(go):
    async def top():
        return [(i, j)
                async for i in numbers()
                for j in [go(i), 2]]
    return drive(top())


def shape_await_in_comprehension(go):
    async def leaf(i):
        return go(i)

    async def top():
        return [await leaf(i) for i in (1, 2)]
    return drive(top())


def shape_async_genexpr(go):
    async def top():
        async for x in (go(i) async for i in numbers()):
            pass
    return drive(top())


class AsyncContext:
    def __init__(self, enter=None, leave=None):
        self.enter, self.leave = enter, leave

    async def __aenter__(self):
        return self.enter() if self.enter else self

    async def __aexit__(self, *error):
        return self.leave() if self.leave else None


def shape_async_with_enter(go):
    async def top():
        async with AsyncContext(enter=go):
            pass
    return drive(top())


def shape_async_with_exit(go):
    async def top():
        async with AsyncContext(leave=go) as context:
            return context
    return drive(top())


def shape_async_generator_close(go):
    async def generate():
        try:
            yield 1
        finally:
            go()

    async def top():
        generator = generate()
        await generator.__anext__()
        await generator.aclose()
    return drive(top())


def shape_variable_annotation(go):
    class Made:
        field: int = go()


def shape_event_loop(go):
    async def leaf(n):
        await asyncio.sleep(0)
        return go(n)

    async def main():
        return await asyncio.gather(leaf(1), asyncio.sleep(1))
    loop = asyncio.new_event_loop()
    return loop.run_until_complete(main())


truth.run(globals())
