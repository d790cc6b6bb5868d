"""The target of tests/truth/mutations.py: it dies below a stack of many kinds of frames, with other threads, suspended
generators, tasks and a handled exception beside it, and writes to $PYSCRY_TRUTH where the words of its frames, code
objects, thread states, types, dictionaries, strings, exceptions and tasks lie. Runs on 2.7 and 3.6 to 3.15, debug builds
excepted."""
import ctypes
import gc
import json
import os
import sys
import threading
import time

NEW = sys.version_info >= (3, 11)
CODE = type(compile("", "", "exec"))
WORD = ctypes.sizeof(ctypes.c_size_t)
HEAD = object.__basicsize__ // WORD  # words before what a type adds: 2, free-threaded 4
if sys.version_info >= (3, 7):
    import asyncio


def keep(thing):
    """For ever, and where no variable of a frame shows it."""
    keep.things.append(thing)


keep.things = []


def word(address):
    return ctypes.c_size_t.from_address(address).value


def of_frame(frame):
    """PyFrameObject up to 3.10; since 3.11 its third word leads to the frame."""
    keep(frame)
    return word(id(frame) + (HEAD + 1) * WORD) if NEW else id(frame)


def chain(frame):
    while frame:
        yield frame
        frame = frame.f_back


def places(frames):
    """(kind, address, words) of everything in them that may be changed."""
    found = []
    seen = set()

    def add(kind, thing, words):
        if id(thing) not in seen:
            seen.add(id(thing))
            keep(thing)
            found.append((kind, id(thing), words + HEAD - 2))

    for frame in frames:
        code = frame.f_code
        found.append(("frame", of_frame(frame), 9 if NEW else 16))
        add("code", code, 24 if NEW else type(code).__basicsize__ // WORD)
        add("string", code.co_name, 7)
        add("string", code.co_filename, 7)
        add("table", getattr(code, "co_linetable", None) or code.co_lnotab, 5)
        add("names", code.co_varnames, 4)
    return found


def told(frame):
    """The stack of a thread, newest first: what is shown of each frame, and where its words are."""
    found = []
    for each in chain(frame):
        code = each.f_code
        table = getattr(code, "co_linetable", None) or code.co_lnotab
        keep(table)
        found.append({"function": code.co_name, "line": each.f_lineno, "address": of_frame(each), "code": id(code),
                      "table": [id(table), len(table), 36 if sys.version_info[0] == 2 else 32]})
    return found


class Plain(object):
    kind = "plain"

    def __init__(self, n):
        self.n = n
        self.name = "number %d" % n

    def call(self, function):
        return function()


class Other(object):
    pass


def suspended(n):
    for i in range(n):
        yield i


def running(function):
    yield function()


def wait(n, here, forever):
    if n:
        return wait(n - 1, here, forever)
    tops.append(sys._getframe())
    states.append(state())
    here.set()
    forever.acquire()


def state():
    get = ctypes.pythonapi.PyThreadState_Get
    get.restype = ctypes.c_void_p
    return get()


def parts(things):
    """What they refer to; code objects do not tell the collector."""
    found = gc.get_referents(*things)
    for each in things:
        if isinstance(each, CODE):
            for items in each.co_names, each.co_varnames, each.co_freevars, each.co_cellvars, each.co_consts:
                found += items
            found += [each.co_names, each.co_consts, each.co_name, each.co_filename, each.co_varnames, each.co_freevars, each.co_cellvars]
            found += [each.co_code, getattr(each, "co_linetable", None) or each.co_lnotab]
    return found


def names_of_locals():
    """Which word of a code object leads to the tuple of all its variables (3.11+): nobody else shows that tuple."""
    code = names_of_locals.__code__
    near, first = id(code), id(code.co_varnames[0])
    for number in range(HEAD, type(code).__basicsize__ // WORD):
        at = word(near + number * WORD)
        if abs(at - near) < 1 << 20 and at % WORD == 0 and word(at + (HEAD - 1) * WORD) == id(tuple) and word(at + (HEAD + 1) * WORD) == first:
            return number


def objects_alive():
    """Where there are certainly objects: what the collector has, and what that leads to."""
    level = gc.get_objects() + [None, True, False, NotImplemented, Ellipsis] + list(range(-5, 257))
    found = set(map(id, level))
    for _ in range(8):
        level = [each for each in parts(level) if id(each) not in found]
        found.update(map(id, level))
    number = names_of_locals() if NEW else None
    if number:
        found.update([word(id(each) + number * WORD) for each in gc.get_objects() + [f.__code__ for f in gc.get_objects() if hasattr(f, "__code__")]
                      if isinstance(each, CODE)])
    return sorted(found)


def find(thing, words, wanted):
    """The address of the first word of `thing` that is as `wanted` says."""
    return next((at for at in range(id(thing) + HEAD * WORD, id(thing) + words * WORD, WORD) if wanted(word(at))), 0)


def contradictions(error):
    """{name: (address of a word, what it must not be, the command that shows it)}"""
    show, new = ["--locals", "bt", "--all"], sys.version_info
    instance = values["instance"]
    found = {
        "a text of another type": (id(error.args[0]) + (HEAD - 1) * WORD, id(type(iter(range(1)))), show),
        "a class that is static": (find(Plain, 40, lambda w: w == Plain.__flags__), Plain.__flags__ & ~512, show),
        "a set's table": (id(values["many"]) + (HEAD + 3) * WORD, word(id(values["many"]) + (HEAD + 3) * WORD) - 2 * WORD, show),
    }
    keys = id(values) + (HEAD + (2 if new >= (3,) else 3)) * WORD
    found["a dict's table"] = (keys, word(keys) - 2 * WORD, show)
    other = id(gc.get_referents(Other.__dict__)[0])
    if new < (3, 15): # all classes have the same descriptors of __dict__ there
        found["the dict of another class"] = (find(Plain, 50, lambda w: w == id(gc.get_referents(Plain.__dict__)[0])), other, show)
    after = states[-1] + (WORD if new >= (3, 4) else 0)
    found["the list of thread states"] = (after if word(after) in states else 0, 0, ["threads"])
    if new >= (3, 11):
        oldest = list(chain(sys._getframe()))[-1]
        found["a thread whose frames lead to another's"] = (of_frame(tops[0]) + WORD, of_frame(oldest), ["threads"])
    if (3, 6) <= new < (3, 13):
        split = id(instance.__dict__) + (HEAD + 3) * WORD
        found["a split dict's values"] = (split, word(split) - WORD, show)
    if new >= (3, 11):
        found["an empty tuple"] = (id(error.args) + HEAD * WORD, 0, show)
    if len(tasks) > 2:
        state = find(tasks[2], 20, lambda w: w & 0xFFFFFFFF == 2)
        found["a pending task with a result"] = (state, word(state) - 2, ["print", "tasks"])
        found["a task that is over, and waits"] = (state - id(tasks[2]) + id(tasks[1]), word(state) - 1, ["tasks"])
        found["the same among tasks"] = (state, word(state) - 2, ["tasks"])
    if tasks and hasattr(tasks[0], "get_coro") and new >= (3, 8):
        import types
        coroutine = id(tasks[0].get_coro()) + (HEAD - 1) * WORD
        found["a coroutine of no type"] = (coroutine, 0, ["generators"])
        found["a coroutine of another type"] = (coroutine, id(types.AsyncGeneratorType), ["generators"])
    return found


def finish():
    frames = list(chain(sys._getframe()))
    for top in tops:
        frames += list(chain(top))
    found = places(frames)
    found += [("state", each, 24 if sys.version_info >= (3,) else 21) for each in states]
    objects = [("generator", generator, 10), ("type", Plain, 50), ("dict", values, 6), ("dict", values["instance"].__dict__, 6)]
    for value in values.values():
        objects.append(("value %s" % type(value).__name__, value, WORDS.get(type(value).__name__, 4)))
    if sys.version_info < (3,):
        try:
            fail(2)
        except ValueError:
            pass  # this frame's from here on
    error = sys.exc_info()[1]
    objects += [("exception", error, 10), ("exception args", error.args, 5), ("exception text", error.args[0], 7)]
    objects += [("task", task, 25) for task in tasks] + [("coroutine", task.get_coro(), 10) for task in tasks[:2] if hasattr(task, "get_coro")]
    found += [(kind, id(thing), words + HEAD - 2) for kind, thing, words in objects]
    traceback = sys.exc_info()[2]
    while traceback:
        found.append(("traceback", id(traceback), 6 + HEAD - 2))
        traceback = traceback.tb_next
    # what may be written into them: pointers that lead to something else
    others = [id(values), id(keep.things), id(Plain), id(Plain.call), id(generator), states[0], states[-1], id(None), id("finish")]
    others += [of_frame(each) for each in frames[::3]] + [id(each.f_code) for each in frames[::3]]
    stacks = [told(frames[0])] + [told(top) for top in tops]
    stacks[0][0]["line"] = frames[0].f_lineno + 3
    with open(os.environ["PYSCRY_TRUTH"], "w") as out:
        out.write(json.dumps({"head": HEAD, "objects": objects_alive(), "contradictions": contradictions(error), "places": found, "others": others, "stacks": stacks, "generator": of_frame(generator.gi_frame)}))  # json.dump() leaves closures behind
    os.abort()


def fail(n):
    if n:
        return fail(n - 1)
    raise ValueError("the number %d" % n, n)


def handles(function):
    try:
        fail(2)
    except ValueError:
        return function()


def pending():
    """Tasks that wait: one for a future, one for another task, one that has done its work."""
    scope = {"asyncio": asyncio}
    exec("async def inner(future):\n    await future\nasync def outer(task):\n    await task\n"
         "async def done():\n    return 7\n"
         "async def start():\n    future = asyncio.get_running_loop().create_future()\n"
         "    task = asyncio.ensure_future(inner(future))\n    other = asyncio.ensure_future(outer(task))\n"
         "    third = asyncio.ensure_future(done())\n    await asyncio.sleep(0.01)\n    return [task, other, third]\n", scope)
    loop = asyncio.new_event_loop()
    keep(loop)
    return loop.run_until_complete(scope["start"]())


def count(n, function):
    return function() if n == 0 else count(n - 1, function)


def main():
    instance = values["instance"]
    inner = running(lambda: [finish() for _ in range(1)])
    count(6, lambda: instance.call(lambda: handles(lambda: max([1], key=lambda _: next(inner)))))


tops, states = [], [state()]
values = {"instance": Plain(7), "text": "hello", "data": b"abc", "number": 12345678901234567890, "items": [11, 22],
          "pairs": {"k": 1, "m": 2}, "members": set([7, 8]), "many": set(range(20)), "pair": (1, "two"), "ratio": 0.5}
WORDS = {"str": 7, "bytes": 6, "int": 5, "list": 5, "tuple": 5, "set": 8}
tasks = pending() if sys.version_info >= (3, 7) else []
generator = suspended(3)
next(generator)
never = threading.Lock()
never.acquire()
for depth in (2, 5):
    ready = threading.Event()
    thread = threading.Thread(target=wait, args=(depth, ready, never), name="waits-%d" % depth)
    thread.daemon = True
    thread.start()
    ready.wait()
time.sleep(0.1)
if __name__ == "__main__":
    main()
