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


class Text(type(u"")):
    pass


class Plain(KeyError):
    """A KeyError that does not print as one."""
    __str__ = Exception.__str__


class Own(Exception):
    def __str__(self):
        return "its own words"


class OwnBase(Own, OSError):
    pass


class Slotted(Exception):
    __slots__ = ("where",)


class Renamed(Exception):
    __str__ = Exception.__repr__


def odd():
    """Messages that are easily got wrong. None: only the code of the class could tell."""
    slotted = Slotted("s")
    slotted.where = [1]
    for what in (Plain("k"), Plain(), KeyError(), KeyError("a", "b"), KeyError(None), KeyError((1,)), ValueError(None), ValueError(()), ValueError([]),
                 ValueError(Text(u"sub\u2603")), ValueError(b"bytes"), ValueError(ValueError("inner")), KeyError(KeyError("k")),
                 slotted, SystemExit(), SystemExit(None), SystemExit("bye"), StopIteration(), StopIteration((1, 2)), StopIteration(None),
                 OSError(), OSError(2), OSError(None, None), OSError(2, None), OSError(2, "x", None), OSError(2, "gone", "a\nb"),
                 OSError(2, "gone", b"bytes"), OSError(2, "gone", 7), OSError("a", "b"), OSError(1, 2, 3, 4, 5, 6), IOError(2, u"\u2603"),
                 ImportError(), ImportError("a", "b"), ImportError(7), SyntaxError(), SyntaxError(None), SyntaxError("m", ("f.py", 3, 4, "text")),
                 SyntaxError("m", ("/a/b/f.py", 3, 4, "text")), SyntaxError("m", (None, None, None, None)),
                 SyntaxError("m", (None, 3, 4, "t")), SyntaxError("m", ("f.py", None, 4, "t")), SyntaxError("m", ("f.py", 10 ** 18, 4, "t")),
                 UnicodeDecodeError("utf-8", b"abc", 1, 2, "why"), UnicodeDecodeError("utf-8", b"abc", 1, 3, "why"),
                 UnicodeEncodeError("x", u"a\u2603\U0001f600", 1, 2, "why"), UnicodeTranslateError(u"a\xe9", 1, 2, "why"),
                 UnicodeTranslateError(u"abc", 0, 3, "why"), UnicodeTranslateError(u"a\u2603", 1, 2, u"w\xe9" if PY3 else "w"),
                 Exception("x" * 500), Exception(*range(30)), Exception(u"line\nline"), RuntimeError(10 ** 30), GeneratorExit("g"),
                 Renamed("r", 1), MemoryError(), NotImplementedError("n")):
        catch("odd %r" % (what,), raiser, what)
    cut = UnicodeDecodeError("utf-8", b"abcdef", 1, 3, "why")
    cut.reason, cut.encoding = "new", "latin"
    catch("changed", raiser, cut)
    late = OSError(2, "gone", "f")
    late.errno, late.filename = 5, "other"
    catch("changed os", raiser, late)
    changed = ValueError("before")
    changed.args = ("after", 2)
    catch("changed args", raiser, changed)
    for own in Own("o", 1), OwnBase(1, "two"):
        catch("own", raiser, own)


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
        odd_notes = ValueError("odd notes")
        odd_notes.__notes__ = ["text", 7, None, [1]]
        catch("odd notes", raiser, odd_notes)
        catch("nested", raiser, ExceptionGroup(u"\u2603", [ExceptionGroup("in", [ValueError(i) for i in range(3)])]))  # noqa: F821
        catch("one member", raiser, BaseExceptionGroup("one", [KeyboardInterrupt()]))  # noqa: F821


def message(e):
    if isinstance(e, Own):
        return None
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
            "notes": [str(n) for n in getattr(e, "__notes__", [])], "members": [ident(m) for m in getattr(e, "exceptions", [])]}


def main():
    simple()
    odd()
    if PY3:
        three()
    with open(sys.argv[1] if len(sys.argv) > 1 else os.environ["PYSCRY_TRUTH"], "w") as f:
        json.dump({"exceptions": [describe(*item) for item in CAUGHT]}, f)
    os.abort()


main()
