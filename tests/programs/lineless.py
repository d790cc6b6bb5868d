"""Functions whose line table was taken away, and others that need none; 3.8 to 3.15. Writes to $PYSCRY_TRUTH which line
each is in, null where nobody can know."""
import json
import os
import types


def two_lines(n):
    inner = n + 1
    one_line(inner)


def one_line(n): return (lambda m: last(m + n))(n)


def last(n):
    with open(os.environ["PYSCRY_TRUTH"], "w") as out:
        json.dump({"lines": LINES}, out)
    os.abort()


def without(function):
    code = function.__code__
    name = "co_linetable" if hasattr(code, "co_linetable") else "co_lnotab"
    return types.FunctionType(code.replace(**{name: b""}), globals(), function.__name__)


OLD = not hasattr(last.__code__, "co_linetable")
FIRST = one_line.__code__.co_firstlineno
# up to 3.9 an empty table is that of a function of one line: the source tells, where its place is known
KNOWN = OLD and os.path.isabs(last.__code__.co_filename)
LINES = {"last": None, "two_lines": None, "one_line": FIRST if KNOWN else None, "<lambda>": FIRST}
last, two_lines, one_line = without(last), without(two_lines), without(one_line)
two_lines(1)
