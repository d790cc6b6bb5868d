# -*- coding: utf-8 -*-
"""Writes what dis says of a function and of modules of the library, then dies in that function. Runs on 2.7 to 3.15."""
import dis
import gc
import json
import os
import re
import sys
import types

MODULES = ["argparse", "ast", "base64", "calendar", "cgi", "codecs", "collections", "copy", "csv", "datetime", "decimal", "difflib", "doctest",
           "fractions", "functools", "heapq", "inspect", "json.decoder", "json.encoder", "locale", "optparse", "random", "shutil",
           "string", "tarfile", "tempfile", "textwrap", "threading", "tokenize", "types", "asyncio.streams", "asyncio.base_events",
           "contextlib", "dataclasses", "enum", "typing", "subprocess", "pathlib", "statistics"]
PER_MODULE = int(os.environ.get("PYSCRY_DIS", "5"))


def subject(n):
    total = {'k': []}
    for i in range(n):
        try:
            if i > 2 or total is None:
                total['k'].append((lambda z: z + i)(n))
            else:
                total['m'] = "%s" % i
        except KeyError as error:
            print(error)
    os.abort()


def long_one():
    """More constants, names and jumps than one byte can count, and what newer versions compile anew."""
    source = ["def made(a, b=1, *c, **d):", "  e = 0", "  while a:"]
    for i in range(300):
        source.append("    e += a.name%d * %d.5 if a > %d else b.other%d(c, x=d)" % (i, i, i, i))
    source += ["  def inner(z=e):", "    return a, z, e", "  return inner, [inner for k in c], a is not b, a not in c"]
    if sys.version_info >= (3, 6):
        source += ["async def co(a):", "  async with a as b:", "    async for c in b:", "      yield f'{a!r:>{b}} {c}'",
                   "  assert not a, 'x'", "class B(Exception):", "  x: int = 1", "  def __init__(self): super().__init__(*[1], **{})"]
    if sys.version_info >= (3, 10):
        source += ["def m(x):", "  match x:", "    case [1, *r]: return r", "    case {'k': v, **w}: return v", "    case B(x=1): return None"]
    if sys.version_info >= (3, 12):
        source += ["def generic[T: int](x: T) -> T: return x", "type A[T] = list[T]"]
    names = {"__name__": "made"}
    exec("\n".join(source), names)
    return compile("\n".join(source), "made", "exec"), names


def text_of(code, each):
    if each.opname == "KW_NAMES":  # of these dis has no text
        return repr(code.co_consts[each.arg])
    if each.opcode in dis.hasfree and hasattr(sys, "pypy_version_info"):  # PyPy 3.11's dis takes names of locals
        return (code.co_cellvars + code.co_freevars)[each.arg]
    if each.opcode in dis.hasjrel or each.opcode in dis.hasjabs:
        return "%s %d" % ("from" if each.opname == "END_ASYNC_FOR" else "to", each.argval)
    return each.argrepr


def instructions(code):
    if sys.version_info < (3, 4):
        return printed_instructions(code)
    out, handlers, prefixed = [], {entry[2] for entry in table(code)}, False
    for each in dis.get_instructions(code):
        target = prefixed or each.is_jump_target or each.offset in handlers
        prefixed = each.opname == 'EXTENDED_ARG' and target
        if each.opname not in ('EXTENDED_ARG', 'CACHE'):
            out.append([each.offset, each.opname, each.arg, text_of(code, each), target])
    return out


LINE = re.compile(r"^(?: *\d+)?  *(?:-->)? *(>>)? *(\d+) (\S+) *(?:(\d+)(?: \((.*)\))?)?$")


def printed_instructions(code):
    """2.7 and 3.3 only print."""
    class Out(object):
        text = ""

        def write(self, text):
            self.text += text
    old, sys.stdout = sys.stdout, Out()
    try:
        dis.disassemble(code)
        text = sys.stdout.text
    finally:
        sys.stdout = old
    out, prefixed = [], False
    for line in filter(None, text.split("\n")):
        target, offset, name, arg, what = LINE.match(line).groups()
        if dis.opmap[name] in dis.hasjabs:
            what = "to " + arg
        target = bool(target) or prefixed
        prefixed = name == "EXTENDED_ARG" and target
        if name != "EXTENDED_ARG":
            out.append([int(offset), name, int(arg) if arg else None, what or "", target])
    return out


def table(code):
    if not hasattr(dis, "_parse_exception_table"):
        return []
    return [[e.start, e.end, e.target, e.depth, e.lasti] for e in dis._parse_exception_table(code)]


def codes(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            for each in codes(const):
                yield each


def of_namespace(names, seen):
    for name in sorted(names):
        value = names[name]
        value = getattr(value, "__func__", value)
        if isinstance(value, types.FunctionType) and isinstance(value.__code__, types.CodeType) and value.__code__ not in seen:
            for each in codes(value.__code__):
                seen.append(each)
                yield each
        elif isinstance(value, type) and value not in seen:
            seen.append(value)
            for each in of_namespace(dict(value.__dict__), seen):
                yield each


def gather():
    found = list(codes(KEPT[0])) + list(of_namespace(KEPT[1], []))
    for name in MODULES:
        try:
            module = __import__(name, fromlist=["x"])
        except ImportError:
            continue
        all_of_it = list(of_namespace(vars(module), []))
        step = max(1, len(all_of_it) // PER_MODULE)
        found += all_of_it[::step]
    return found


def work():
    """What runs often is specialised, what runs under a tracer or monitor instrumented."""
    for _ in range(60):
        json.loads(json.dumps({"a": [1, 2.5, "x"]}, indent=1))
        re.compile("a[bc]+%d" % _)

    def trace(frame, event, arg):
        frame.f_trace_lines = frame.f_trace_opcodes = True
        return trace
    if sys.version_info >= (3, 7):
        sys.settrace(trace)
    KEPT[1]["made"](0)
    json.loads(json.dumps({"a": [1, 2.5, "x"]}, indent=1))
    re.compile("a[bc]+")
    sys.settrace(None)


KEPT = long_one()

if __name__ == '__main__':
    found = gather()
    work()
    gc.collect()  # PyPy: id() is the address once an object is old
    with open(os.environ['PYSCRY_TRUTH'], 'w') as f:
        json.dump({'instructions': instructions(subject.__code__), 'version': list(sys.version_info[:3]), 'codes': [
            {'id': '0x%x' % id(code), 'name': '%s %d' % (code.co_name, code.co_firstlineno), 'instructions': instructions(code),
             'table': table(code)} for code in found]}, f)
    subject(9)
