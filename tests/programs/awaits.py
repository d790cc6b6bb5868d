"""What the programs with tasks share: through what a coroutine is parked, as the interpreter tells it; and how they end."""
import gc
import os
import sys
import traceback

from ends import write

PASSES_ON = ('async_generator_asend', 'async_generator_athrow', 'coroutine_wrapper', 'anext_awaitable')


def frame_of(thing):
    return next((getattr(thing, each) for each in ('cr_frame', 'gi_frame', 'ag_frame') if getattr(thing, each, None) is not None), None)


def awaited(thing):
    if type(thing).__name__ == 'CoroWrapper': # of asyncio's debug mode, up to 3.7
        return thing.gen
    for attribute in ('cr_await', 'gi_yieldfrom', 'ag_await'):
        if hasattr(thing, attribute):
            return getattr(thing, attribute)
    if type(thing).__name__ in PASSES_ON:
        return next((each for each in gc.get_referents(thing) if not isinstance(each, (type, tuple, int))), None)
    return None


def chain(coroutine):
    """Innermost first: every frame through which the coroutine is parked."""
    found, thing = [], coroutine
    while thing is not None:
        frame = frame_of(thing) if type(thing).__name__ != 'CoroWrapper' else None
        if frame is not None:
            found.append(frame)
        thing = awaited(thing)
    return found[::-1]


def frames(coroutine):
    """Name and line of each of them."""
    return [[frame.f_code.co_name, frame.f_lineno] for frame in chain(coroutine)]


def native_id():
    return int(os.readlink('/proc/thread-self').split('/')[-1])


def end(truth, *args):
    """Write what truth() finds to $PYSCRY_TRUTH, and end as $PYSCRY_END says."""
    try:
        if hasattr(sys, 'pypy_version_info'):
            gc.collect()  # id() is the address once an object is old
        write(truth(*args))
    except BaseException:
        traceback.print_exc()
        os._exit(3)
