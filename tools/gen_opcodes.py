#!/usr/bin/env python3
"""Print the rows of src/object/opcodes.inc, by asking interpreters of each minor version for their
own opcodes.

    gen_opcodes.py PYTHON ... > src/object/opcodes.inc
    gen_opcodes.py --arguments PYTHON ... > src/object/opcode_args.inc

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
import os
import subprocess
import sys

INC = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'src', 'object', 'opcodes.inc'
)

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


def rows(pythons, question):
    found = {}
    for python in pythons:
        told = subprocess.run(
            [python, '-c', question], stdout=subprocess.PIPE, check=True
        ).stdout.decode()
        major, minor, words = told.strip().split(' ', 2)
        found[int(major), int(minor)] = words
    return found


def kept():
    """The rows that the file has."""
    found, version = {}, None
    try:
        with open(INC) as source:
            for line in source:
                if line.startswith('{ SCRY_VERSION_OF('):
                    version = tuple(int(n) for n in line[18 : line.index(')')].split(','))
                elif line.startswith('\t"'):
                    found.setdefault(version, []).append(line.split('"')[1])
    except OSError:
        pass
    return {version: ' '.join(' '.join(lines).split()) for version, lines in found.items()}


def print_numbers(pythons):
    found = kept()
    found.update(rows(pythons, ASK))
    print('/* Made by tools/gen_opcodes.py: version, NUMBER:[BASE/]NAME:KIND:CACHES ... */')
    for (major, minor), words in sorted(found.items()):
        print('{ SCRY_VERSION_OF(%d, %d),' % (major, minor))
        line = '\t"'
        for word in words.split():
            if len(line) + len(word) > 96:
                print(line + '"')
                line = '\t"'
            line += word + ' '
        print(line.rstrip() + '" },')


def print_arguments(pythons):
    last = None
    print(
        '/* Made by tools/gen_opcodes.py --arguments: version, lines of OPCODE, how its number is'
        ' taken, words by value */'
    )
    for (major, minor), lines in sorted(rows(pythons, ARGUMENTS).items()):
        if lines == last:
            continue
        last = lines
        print('{ SCRY_VERSION_OF(%d, %d),' % (major, minor))
        for words in ast.literal_eval(lines):
            line = '\t"'
            for word in words:
                if len(line) + len(word) > 110:
                    print(line + '"')
                    line = '\t"'
                line += word.replace('\\', '\\\\').replace('"', '\\"') + '\\t'
            print(line[:-2] + '\\n"')
        print('},')


def main():
    if sys.argv[1:2] == ['--arguments']:
        print_arguments(sys.argv[2:])
    else:
        print_numbers(sys.argv[1:])


if __name__ == '__main__':
    main()
