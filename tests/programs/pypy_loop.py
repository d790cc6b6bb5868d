"""A thread whose event loop waits: none of its tasks runs."""
import asyncio

from ways import WAITS, end, start


async def waits():
    await asyncio.Event().wait()


def loop():
    its = asyncio.new_event_loop()
    asyncio.set_event_loop(its)
    its.run_until_complete(waits())


WAITS.append(dict(who='loop', kind='event loop', state='idle'))
start(loop)
end()
