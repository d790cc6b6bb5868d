# -*- coding: utf-8 -*-
"""Exceptions as they happen: raise them, write what a traceback would tell of each, dump core. Runs on 2.7 to 3.15."""
from __future__ import print_function

import json
import os
import sys
import traceback

PY3 = sys.version_info[0] >= 3
CAUGHT = []


def keep(name, exception, tb):
    CAUGHT.append((name, exception, tb))


class Coded(Exception):
    def __init__(self, code):
        Exception.__init__(self, code, "text")
        self.code = code


class Deep(LookupError):
    pass


def raiser(what, depth=0):
    if depth:
        return raiser(what, depth - 1)
    raise what


def catch(name, function, *args):
    try:
        function(*args)
    except BaseException as e:
        keep(name, e, sys.exc_info()[2])


def chained():
    try:
        {}["key"]
    except KeyError:
        [][5]


def run(source):
    exec(source, {"__name__": "__main__"})


def simple():
    for what in (ValueError("plain"), ValueError(), ValueError("two", 2), KeyError("k"), KeyError(u"k\u2603"), IndexError(u"h\u00e9"),
                 Coded(7), Deep(u"\u2603"), SystemExit(3), KeyboardInterrupt(), StopIteration(5), OSError(2, "gone", "f.txt"),
                 OSError(13, "denied"), OSError("one"), IOError(5, "io", u"n\u00e9"), SyntaxError("bad"), AssertionError("no")):
        catch("simple %r" % type(what).__name__, raiser, what)
    catch("deep", raiser, RuntimeError("deep"), 20)
    catch("zero", lambda: 1 // 0)
    catch("name", lambda: undefined_name)  # noqa: F821
    catch("attribute", lambda: (1).nothing)
    catch("type", lambda: 1 + "x")
    catch("import", run, "import no_such_module_here")
    catch("import from", run, "from os import no_such_name")
    catch("syntax", run, "def f(:\n  pass")
    catch("indent", run, "if 1:\npass")
    catch("int", int, "zz")
    catch("open", open, "/no/such/file")
    catch("decode", b"a\xffb".decode, "utf-8")
    catch("decode more", b"\xe2\x98".decode, "utf-8")
    catch("encode", u"a\u2603b".encode, "latin-1")
    catch("encode more", u"\u2603\u2603".encode, "ascii")
    catch("encode wide", u"\U0001f600".encode, "ascii")
    catch("encode byte", u"\xe9".encode, "ascii")


def three():
    catch("context", chained)
    catch("cause", run, "try:\n  1/0\nexcept ZeroDivisionError as e:\n  raise ValueError('outer') from e")
    catch("suppressed", run, "try:\n  1/0\nexcept ZeroDivisionError:\n  raise ValueError('outer') from None")
    catch("rename", os.rename, "/no/such/a", "/no/such/b")
    if sys.version_info >= (3, 11):
        noted = ValueError("noted")
        noted.add_note("first note")
        noted.add_note(u"second \u2603\nwith two lines")
        catch("notes", raiser, noted)
        catch("group", raiser, ExceptionGroup("several", [ValueError(1), ExceptionGroup("in", [KeyError("k")])]))  # noqa: F821
        catch("one member", raiser, BaseExceptionGroup("one", [KeyboardInterrupt()]))  # noqa: F821


def message(e):
    try:
        text = str(e) if PY3 else unicode(e)  # noqa: F821
    except Exception:
        text = str(e)
    return text if PY3 or isinstance(text, type(u"")) else text.decode("utf-8", "replace")


def ident(value):
    return "0x%x" % id(value) if value is not None else None


def describe(name, e, tb):
    cls = type(e)
    module = cls.__module__
    entries = [[f.f_code.co_name, line] for f, line in traceback.walk_tb(tb)] if hasattr(traceback, "walk_tb") else \
        [[entry[2], entry[1]] for entry in traceback.extract_tb(tb)]
    return {"name": name, "id": ident(e), "type": getattr(cls, "__qualname__", cls.__name__) if module in
            ("builtins", "exceptions", "__main__") else "%s.%s" % (module, cls.__qualname__),
            "message": message(e), "cause": ident(getattr(e, "__cause__", None)), "traceback": ident(tb), "entries": entries,
            "context": ident(getattr(e, "__context__", None)), "suppress": getattr(e, "__suppress_context__", False),
            "notes": getattr(e, "__notes__", []), "members": [ident(m) for m in getattr(e, "exceptions", [])]}


def main():
    simple()
    if PY3:
        three()
    with open(sys.argv[1] if len(sys.argv) > 1 else os.environ["PYSCRY_TRUTH"], "w") as f:
        json.dump({"exceptions": [describe(*item) for item in CAUGHT]}, f)
    os.abort()


main()
