#!/usr/bin/env python3
"""Write rows of src/object/opcodes.inc, by asking interpreters for their own opcodes.

    gen_opcodes.py PYTHON ...
    gen_opcodes.py --arguments PYTHON ...    src/object/opcode_args.inc

Each PYTHON is an executable; of several of one minor version the last wins. A row is a version and
a text of words NUMBER:NAME:KIND:CACHES, where KIND tells what the argument indexes (c constants, n
names, l locals, f cells and free variables, r relative jump, a absolute jump, - nothing; '.': it
has none), and CACHES how many code units of cache follow. A specialised or instrumented opcode has
the name of the one it stands for in front: NUMBER:BASE/NAME:KIND:CACHES. A version that no PYTHON
has keeps the row that the file has. The other file tells what numbers mean as arguments: lines of
an opcode, how the number is taken ("5": shifted by five; "flags": its bits), and a word for each
value.
"""
import ast
import subprocess
import sys

import opcode_rows

ASK = r'''
import sys, opcode
try:
    import _opcode_metadata as meta
except ImportError:
    meta = None
names = {}
for number, name in enumerate(opcode.opname):
    if not name.startswith('<'):
        names[number] = (name, name)
deopt = {}
def either(name):
    return getattr(opcode, name, None) or getattr(meta, name, None) or {}
for base, family in either('_specializations').items():
    for name in family:
        deopt[name] = base
numbers = dict(either('_specialized_opmap'))
if not numbers and hasattr(opcode, '_specialized_instructions'):
    # 3.11 and 3.12 give them the unused numbers in this order (Tools/build/generate_opcode_h.py)
    free = [n for n in range(1, 256) if n not in names]
    numbers = dict(zip(opcode._specialized_instructions, free))
for name, number in numbers.items():
    names[number] = (deopt.get(name, name), name)
for number, (base, name) in list(names.items()):
    plain = name[len('INSTRUMENTED_'):]
    if name.startswith('INSTRUMENTED_') and plain in opcode.opmap:
        names[number] = (plain, name)
caches = getattr(opcode, '_inline_cache_entries', {})
def cached(base):
    if hasattr(caches, 'get'):
        return caches.get(base, 0)
    number = opcode.opmap.get(base, 0)
    return caches[number] if number < len(caches) else 0
def kind(base):
    number = opcode.opmap.get(base, -1)
    if number not in members_with_arg if members_with_arg else number < have:
        return '.'
    for letter, members in (('c', opcode.hasconst), ('n', opcode.hasname), ('l', opcode.haslocal),
                            ('f', opcode.hasfree), ('r', opcode.hasjrel), ('a', opcode.hasjabs)):
        if number in members:
            return letter
    return '-'
have = opcode.HAVE_ARGUMENT if hasattr(opcode, 'HAVE_ARGUMENT') else 90
members_with_arg = getattr(opcode, 'hasarg', None)
words = []
for number in sorted(names):
    base, name = names[number]
    if number > 255:
        continue
    text = name if name == base else base + '/' + name
    words.append('%d:%s:%s:%d' % (number, text, kind(base), cached(base)))
print('%d %d %s' % (sys.version_info[0], sys.version_info[1], ' '.join(words)))
'''

ARGUMENTS = r'''
import sys, opcode, dis
version = sys.version_info[:2]
lines = []
def add(name, how, words):
    if name in opcode.opmap and words:
        lines.append([name, how] + list(words))
add('COMPARE_OP', '5' if version >= (3, 13) else '4' if version == (3, 12) else '0', opcode.cmp_op)
add('BINARY_OP', '0', [text for _, text in getattr(opcode, '_nb_ops', [])])
add('CALL_INTRINSIC_1', '0', getattr(opcode, '_intrinsic_1_descs', []))
add('CALL_INTRINSIC_2', '0', getattr(opcode, '_intrinsic_2_descs', []))
add('LOAD_COMMON_CONSTANT', '0', [
    c.__name__ if isinstance(c, type) else repr(c)
    for c in getattr(opcode, '_common_constants', [])])
add('LOAD_SPECIAL', '0', getattr(opcode, '_special_method_names', []))
add('CONVERT_VALUE', '0', ['', 'str', 'repr', 'ascii'])
add('FORMAT_VALUE', 'format', ['', 'str', 'repr', 'ascii'])
add('MAKE_FUNCTION', 'flags', getattr(dis, 'MAKE_FUNCTION_FLAGS', []))
add('SET_FUNCTION_ATTRIBUTE', 'flags', getattr(dis, 'FUNCTION_ATTR_FLAGS', []))
if version >= (3, 14):
    add('IS_OP', '0', ['is', 'is not'])
    add('CONTAINS_OP', '0', ['in', 'not in'])
for number in getattr(opcode, 'hasnargs', []) if version >= (3, 3) else []:
    add(opcode.opname[number], 'nargs', [''])
print('%d %d %s' % (version + (repr(lines),)))
'''


def ask(pythons, question):
    found = {}
    for python in pythons:
        told = subprocess.run(
            [python, '-c', question], stdout=subprocess.PIPE, check=True
        ).stdout.decode()
        major, minor, words = told.strip().split(' ', 2)
        found[int(major), int(minor)] = words
    return found


def write_numbers(pythons):
    rows = {
        version: opcode_rows.wrapped(words.split(), 96).rstrip() + '" },\n'
        for version, words in ask(pythons, ASK).items()
    }
    opcode_rows.write(
        'opcodes.inc',
        '/* Made by tools/gen_opcodes.py: version, NUMBER:[BASE/]NAME:KIND:CACHES ... */',
        rows,
    )


def write_arguments(pythons):
    rows = {}
    for version, lines in ask(pythons, ARGUMENTS).items():
        rows[version] = ''
        for words in ast.literal_eval(lines):
            escaped = [word.replace('\\', '\\\\').replace('"', '\\"') for word in words]
            rows[version] += opcode_rows.wrapped(escaped, 110, '\\t')[:-2] + '\\n"\n'
        rows[version] += '},\n'
    opcode_rows.write(
        'opcode_args.inc',
        '/* Made by tools/gen_opcodes.py --arguments: version, lines of OPCODE, how its number is'
        ' taken, words by value */',
        rows,
        repeat=False,
    )


def main():
    if sys.argv[1:2] == ['--arguments']:
        write_arguments(sys.argv[2:])
    else:
        write_numbers(sys.argv[1:])


if __name__ == '__main__':
    main()
