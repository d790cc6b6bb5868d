# -*- coding: utf-8 -*-
"""Library classes whose repr is Python code, numpy and attrs where installed: as values.py. Runs on 3.6 to 3.15."""
import asyncio
import collections
import concurrent.futures
import decimal
import functools
import hashlib
import itertools
import json
import logging
import multiprocessing
import multiprocessing.pool
import operator
import os
import queue
import socket
import string
import subprocess
import sys
import tempfile
import threading
import traceback
import typing
import weakref
import xml.etree.ElementTree

VALUES = []


def add(name, value):
    VALUES.append((name, value))
    return value


class Thing:
    def method(self):
        pass


def stdlib():
    od = collections.OrderedDict((i, str(i)) for i in range(4))
    od.move_to_end(1)
    add("odict keys", od.keys())
    add("odict values", od.values())
    add("odict items", od.items())
    add("CompletedProcess", subprocess.CompletedProcess(["a", "b"], 0, b"out"))
    add("CompletedProcess bare", subprocess.CompletedProcess("a", 1))
    if sys.version_info >= (3, 9):
        popen = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
        add("Popen", popen)
        done = subprocess.Popen([sys.executable, "-c", ""])
        done.wait()
        add("done Popen", done)
    add("TemporaryDirectory", tempfile.TemporaryDirectory())
    os.environ.clear()
    os.environ["A"] = "1"
    os.environ["B"] = "x y"
    add("environ", os.environ)
    add("StreamHandler", logging.StreamHandler(sys.stderr))
    add("NullHandler", logging.NullHandler(5))
    add("FileHandler", logging.FileHandler(os.devnull))
    add("LogRecord", logging.LogRecord("n", 20, "/p.py", 3, "msg %s", ("a",), None))
    add("FrameSummary", traceback.FrameSummary("f.py", 3, "name", lookup_line=False))
    add("stack", traceback.extract_stack()[:1])
    add("Process", multiprocessing.Process(name="p"))
    add("Context", decimal.Context(prec=7))
    add("Element", xml.etree.ElementTree.Element("tag"))
    add("ElementTree", xml.etree.ElementTree.ElementTree())
    add("hash", hashlib.sha256(b"x"))
    add("queue", queue.Queue())
    add("future", concurrent.futures.Future())
    done = concurrent.futures.Future()
    done.set_result([1])
    add("done future", done)
    failed = concurrent.futures.Future()
    failed.set_exception(ValueError("x"))
    add("failed future", failed)
    add("executor", concurrent.futures.ThreadPoolExecutor(1))
    add("List", typing.List[int])
    add("Dict", typing.Dict[str, typing.List[int]])
    add("Optional", typing.Optional[int])
    add("Any", typing.Any)
    add("TypeVar", typing.TypeVar("T"))
    add("plain List", typing.List)
    add("methodcaller", operator.methodcaller("name", 1, k="v"))
    add("methodcaller bare", operator.methodcaller("name"))
    thing = add("thing", Thing())
    add("WeakMethod", weakref.WeakMethod(thing.method))
    a, b = socket.socketpair()
    add("loopback", [a.fileno() > 0])
    barrier = threading.Barrier(2)
    add("barrier", barrier)
    add("template", string.Template("$x"))
    add("enumerate", enumerate([]))
    add("chain", itertools.chain([1]))
    add("cycle", itertools.cycle([1]))
    with os.scandir(os.path.dirname(os.__file__)) as entries:
        add("DirEntry", sorted(entries, key=lambda e: e.name)[0])
    add("json decoder", json.JSONDecoder())
    if sys.version_info >= (3, 8):
        import statistics
        add("NormalDist", statistics.NormalDist(1.5, 2.0))
    if sys.version_info >= (3, 9):
        import zoneinfo
        try:
            add("ZoneInfo", zoneinfo.ZoneInfo("UTC"))
        except zoneinfo.ZoneInfoNotFoundError:
            pass
    import inspect
    add("Parameter", inspect.Parameter("p", inspect.Parameter.KEYWORD_ONLY))
    import ipaddress
    add("IPv4Network", ipaddress.ip_network("10.0.0.0/8"))
    add("IPv6Network", ipaddress.ip_network("2001:db8::/32"))
    import urllib.parse
    add("ParseResult", urllib.parse.urlparse("http://h/p?q"))
    import http
    add("HTTPStatus", http.HTTPStatus.OK)
    import configparser
    add("ConfigParser", configparser.ConfigParser())
    import random
    add("Random", random.Random())
    add("ThreadPool", multiprocessing.pool.ThreadPool(2))
    import contextlib
    add("ExitStack", contextlib.ExitStack() if hasattr(contextlib, "ExitStack") else None)
    add("suppress", contextlib.suppress(OSError))


def tasks():
    async def child():
        await asyncio.sleep(1000)

    async def finished():
        return [1, 2]

    async def failing():
        raise ValueError("bad")

    def callback(*args):
        pass

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    debugged = asyncio.new_event_loop()
    debugged.set_debug(True)

    async def main():
        one = asyncio.ensure_future(child())
        two = asyncio.ensure_future(finished())
        three = asyncio.ensure_future(failing())
        four = asyncio.ensure_future(child())
        five = asyncio.ensure_future(child())
        await asyncio.sleep(0.01)
        four.cancel()
        await asyncio.sleep(0)
        five.cancel()
        future = loop.create_future()
        result = loop.create_future()
        result.set_result("r" * 10)
        broken = loop.create_future()
        broken.set_exception(KeyError("k"))
        cancelled = loop.create_future()
        cancelled.cancel()
        waiting = loop.create_future()
        waiting.add_done_callback(print)
        q = asyncio.Queue(5)
        q.put_nowait(1)
        sem = asyncio.Semaphore(2)
        lock = asyncio.Lock()
        await lock.acquire()
        later = loop.call_later(1000, callback, "a", [1])
        partial = loop.call_soon(functools.partial(print, 1, end=""), 2)
        method = loop.call_soon(later.cancel)
        dropped = loop.call_later(1000, callback)
        dropped.cancel()
        handle = debugged.call_soon(callback, "a")
        timer = debugged.call_later(1000, callback, 1, {"k": 2})
        kept = debugged.call_later(1000, callback, 3)
        kept.cancel()
        if sys.version_info >= (3, 11):
            fresh, group = asyncio.TaskGroup(), asyncio.TaskGroup()
            await group.__aenter__()
            group.create_task(child())
            entered = asyncio.TaskGroup()
            await entered.__aenter__()
        for name, value in list(locals().items()):
            add("asyncio " + name, value)
        add("loop", loop)
        finish()

    loop.run_until_complete(main())


def extras():
    try:
        import attr
    except ImportError:
        pass
    else:
        ns = {"attr": attr, "__name__": "__main__"}
        exec("@attr.s(auto_attribs=True)\nclass A:\n    x: int\n    y: str = 'q'\n    z: int = attr.ib(default=1, repr=False)\n"
             "@attr.define\nclass B:\n    a: A\n", ns)
        add("attrs", ns["A"](1))
        add("attrs slots", ns["B"](ns["A"](2)))
    try:
        import numpy
    except ImportError:
        return
    for name in ("int64", "int8", "uint16", "float64", "float32", "bool_", "complex128", "float16", "uint64"):
        add("numpy " + name, getattr(numpy, name)(1.5 if "float" in name else 1))
    add("numpy str", numpy.str_("a"))
    add("numpy bytes", numpy.bytes_(b"a"))
    add("numpy datetime", numpy.datetime64("2020-01-02"))
    for name, array in (("ints", numpy.arange(5)), ("floats", numpy.array([1.5, 2.0])), ("empty", numpy.array([])),
                        ("bools", numpy.array([True, False])), ("small", numpy.arange(3, dtype="int16")),
                        ("2d", numpy.arange(6).reshape(2, 3)), ("0d", numpy.array(5)), ("long", numpy.arange(2000)),
                        ("strings", numpy.array(["a", "bcd"])), ("objects", numpy.array([None, [1]], dtype=object)),
                        ("strided", numpy.arange(10)[::3]), ("float32", numpy.array([0.1, 1], dtype="float32")),
                        ("complex", numpy.array([1 + 2j])), ("negative", numpy.array([-1, 10, 100]))):
        add("array " + name, array)
    for dtype in ("int64", "float32", "U5", "S3", ">i4", "bool", "O", "complex64"):
        add("dtype " + dtype, numpy.dtype(dtype))


def finish():
    target = sys.argv[1] if len(sys.argv) > 1 else os.environ_target
    with open(target, "w") as f:
        json.dump({"version": sys.version, "values": [
            {"name": name, "repr": repr(value), "type": type(value).__name__, "id": hex(id(value))} for name, value in VALUES]}, f)
    os.abort()


os.environ_target = os.environ.get("PYSCRY_TRUTH")
stdlib()
extras()
tasks()
