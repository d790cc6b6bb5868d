"""Compiles modules of the standard library, keeps all code objects, and tells their addresses. Nothing of them runs."""
import os
import sys
import types

import truth

LIBRARY = os.path.dirname(os.__file__)
MODULES = '''argparse ast bdb calendar cmd collections/__init__ configparser contextlib copy csv datetime decimal difflib
doctest enum functools gettext heapq http/client inspect json/decoder json/encoder logging/__init__ logging/config
mailbox optparse pickle pdb platform shutil socket ssl string subprocess tarfile tempfile textwrap threading traceback
typing unittest/case urllib/parse uuid warnings weakref zipfile asyncio/events asyncio/base_events asyncio/tasks
dataclasses fractions selectors xml/dom/minidom concurrent/futures/thread test/test_grammar test/test_fstring
test/test_patma test/test_generators'''.split()
codes = []


def keep(code):
    codes.append(code)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            keep(const)


for name in MODULES:
    path = os.path.join(LIBRARY, name.replace('/', os.sep) + '.py')
    if os.path.exists(path):
        with open(path, 'rb') as source:
            keep(compile(source.read(), path, 'exec', 0, 1))

truth._save(os.environ['PYSCRY_TRUTH'], {'codes': [hex(id(code)).rstrip('L') for code in codes]})
function, arguments = truth.ending()
function(*arguments)
