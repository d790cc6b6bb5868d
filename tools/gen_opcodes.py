#!/usr/bin/env python3
"""Print the rows of src/object/opcodes.inc, by asking interpreters of each minor version for their own opcodes.

    gen_opcodes.py PYTHON ... > src/object/opcodes.inc

Each PYTHON is an executable; of several of one minor version the last wins. A row is a version and a text of words
NUMBER:NAME:KIND:CACHES, where KIND tells what the argument indexes (c constants, n names, l locals, f cells and free
variables, r relative jump, a absolute jump, - nothing; '.': it has none), and CACHES how many code units of cache follow. A specialised
opcode has the name of the one it stands for in front: NUMBER:BASE/NAME:KIND:CACHES.
"""
import subprocess
import sys

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
for base, family in (getattr(opcode, '_specializations', None) or getattr(meta, '_specializations', None) or {}).items():
    for name in family:
        deopt[name] = base
numbers = dict(getattr(opcode, '_specialized_opmap', None) or getattr(meta, '_specialized_opmap', None) or {})
if not numbers and hasattr(opcode, '_specialized_instructions'):
    # 3.11 and 3.12 give them the unused numbers in this order (Tools/build/generate_opcode_h.py)
    free = [n for n in range(1, 256) if n not in names]
    numbers = dict(zip(opcode._specialized_instructions, free))
for name, number in numbers.items():
    names[number] = (deopt.get(name, name), name)
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
    for letter, members in (('c', opcode.hasconst), ('n', opcode.hasname), ('l', opcode.haslocal), ('f', opcode.hasfree),
                            ('r', opcode.hasjrel), ('a', opcode.hasjabs)):
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


def rows(pythons):
    found = {}
    for python in pythons:
        told = subprocess.run([python, '-c', ASK], stdout=subprocess.PIPE, check=True).stdout.decode()
        major, minor, words = told.strip().split(' ', 2)
        found[int(major), int(minor)] = words
    return sorted(found.items())


def main():
    print('/* Made by tools/gen_opcodes.py: version, NUMBER:[BASE/]NAME:KIND:CACHES ... */')
    for (major, minor), words in rows(sys.argv[1:]):
        print('{ 0x%02x%02x0000,' % (major, minor))
        line = '\t"'
        for word in words.split():
            if len(line) + len(word) > 96:
                print(line + '"')
                line = '\t"'
            line += word + ' '
        print(line.rstrip() + '" },')


if __name__ == '__main__':
    main()
