#!/usr/bin/env python3
"""Write rows of src/object/stack_effects.inc, by asking interpreters what their instructions do to
the depth of the value stack. A version that no PYTHON has keeps the row that the file has.

    gen_stack_effects.py PYTHON ...

A row is a version and a text of words NAME:A:FORM:B:JUMP, in the order of names: the instruction
changes the depth by A + B * x, where FORM says what x is of its argument (n all of it, a digit that
bit, p how many of its bits are set, x and f the low byte and once or twice what stands above it;
'.' none), and by JUMP more where it jumps. Instructions that change nothing are left out. What
dis.stack_effect() does not say, or says for the compiler's sake alone, is in OVERRIDES; 2.7 has no
such function: TWO.
"""
import subprocess
import sys

import opcode_rows

ASK = r'''
import dis, sys
has_jump = sys.version_info >= (3, 8)
with_arg = getattr(dis, 'hasarg', None)
print('%d %d' % sys.version_info[:2])
def effect(op, arg, jump):
    try:
        return dis.stack_effect(op, arg, **({'jump': jump} if has_jump else {}))
    except ValueError:
        return None
for name in sorted(dis.opmap):
    op = dis.opmap[name]
    if op > 255 or name.startswith('INSTRUMENTED_'):
        continue
    takes = op in with_arg if with_arg is not None else op >= dis.HAVE_ARGUMENT
    args = ARGS if takes else [None]
    print(name, [effect(op, a, False) for a in args], [effect(op, a, True) for a in args], sep='\t')
'''
ARGS = [0, 1, 2, 3, 4, 5, 7, 8, 256, 259]

FORMS = [('n', lambda a: a)] + [(str(bit), lambda a, bit=bit: a >> bit & 1) for bit in range(4)]
FORMS += [('p', lambda a: bin(a & 15).count('1')), ('x', lambda a: (a & 255) + (a >> 8))]

# Up to 3.8 the depth at the end of a finally block depends on how it was entered: the way without
# an exception counts. Python/ceval.c, v3.6 to v3.8
FINALLY = {
    'END_FINALLY': '-1:.:0:0',
    'WITH_CLEANUP_START': '1:.:0:0',
    'WITH_CLEANUP_FINISH': '-2:.:0:0',
}
# what a handler finds: three words of what was handled before, three of the exception
BLOCKS = {
    'SETUP_EXCEPT': '0:.:0:6',
    'SETUP_FINALLY': '0:.:0:6',
    'SETUP_WITH': '1:.:0:5',
    'SETUP_ASYNC_WITH': '0:.:0:5',
    'FOR_ITER': '1:.:0:-2',
    'POP_EXCEPT': '-3:.:0:0',
    'JUMP_IF_TRUE_OR_POP': '-1:.:0:1',
    'JUMP_IF_FALSE_OR_POP': '-1:.:0:1',
    'SETUP_LOOP': '0:.:0:0',
}
OVERRIDES = {
    (3, 6): dict(FINALLY, **BLOCKS),
    (3, 7): dict(FINALLY, **BLOCKS),
    (3, 8): dict(FINALLY, BEGIN_FINALLY='1:.:0:0', POP_FINALLY='-1:.:0:0'),
    # the compiler counts what a generator is sent from its start on, we from where it is there
    (3, 10): {'GEN_START': '0:.:0:0'},
    # the arguments are there until CALL ends
    (3, 12): {'RETURN_GENERATOR': '1:.:0:0'},
    (3, 11): {'RETURN_GENERATOR': '1:.:0:0', 'PRECALL': '0:.:0:0', 'CALL': '-1:n:-1:0'},
}

# Python/ceval.c, v2.7.18
TWO = {
    '-1': 'POP_TOP BINARY_POWER BINARY_MULTIPLY BINARY_DIVIDE BINARY_MODULO BINARY_ADD'
    ' BINARY_SUBTRACT BINARY_SUBSCR BINARY_FLOOR_DIVIDE BINARY_TRUE_DIVIDE'
    ' INPLACE_FLOOR_DIVIDE INPLACE_TRUE_DIVIDE INPLACE_ADD INPLACE_SUBTRACT'
    ' INPLACE_MULTIPLY INPLACE_DIVIDE INPLACE_MODULO BINARY_LSHIFT BINARY_RSHIFT'
    ' BINARY_AND BINARY_XOR BINARY_OR INPLACE_POWER INPLACE_LSHIFT INPLACE_RSHIFT'
    ' INPLACE_AND INPLACE_XOR INPLACE_OR SLICE+1 SLICE+2 DELETE_SLICE+0 PRINT_EXPR'
    ' PRINT_ITEM PRINT_NEWLINE_TO RETURN_VALUE IMPORT_STAR END_FINALLY WITH_CLEANUP'
    ' STORE_NAME LIST_APPEND DELETE_ATTR STORE_GLOBAL COMPARE_OP IMPORT_NAME'
    ' POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE STORE_FAST STORE_DEREF SET_ADD',
    '-2': 'SLICE+3 STORE_SLICE+0 DELETE_SLICE+1 DELETE_SLICE+2 DELETE_SUBSCR STORE_MAP'
    ' PRINT_ITEM_TO BUILD_CLASS STORE_ATTR MAP_ADD',
    '-3': 'STORE_SLICE+1 STORE_SLICE+2 DELETE_SLICE+3 STORE_SUBSCR EXEC_STMT',
    '-4': 'STORE_SLICE+3',
    '1': 'DUP_TOP LOAD_LOCALS LOAD_CONST LOAD_NAME BUILD_MAP IMPORT_FROM LOAD_GLOBAL LOAD_FAST'
    ' LOAD_CLOSURE LOAD_DEREF',
    '-1:n:1': 'UNPACK_SEQUENCE',
    '0:n:1': 'DUP_TOPX',
    '1:n:-1': 'BUILD_TUPLE BUILD_LIST BUILD_SET BUILD_SLICE',
    '0:n:-1': 'RAISE_VARARGS MAKE_FUNCTION',
    '-1:n:-1': 'MAKE_CLOSURE',
    '0:f:-1': 'CALL_FUNCTION',
    '-1:f:-1': 'CALL_FUNCTION_VAR CALL_FUNCTION_KW',
    '-2:f:-1': 'CALL_FUNCTION_VAR_KW',
    '1:.:0:-2': 'FOR_ITER',
    '-1:.:0:1': 'JUMP_IF_TRUE_OR_POP JUMP_IF_FALSE_OR_POP',
    '0:.:0:3': 'SETUP_EXCEPT SETUP_FINALLY',
    '1:.:0:2': 'SETUP_WITH',
}


def fit(name, effects):
    known = [(a, e) for a, e in zip(ARGS, effects) if e is not None]
    if name == 'BUILD_SLICE':  # of two or three
        known = [(a, e) for a, e in known if a in (2, 3)]
    if not known:
        return None
    if len({e for _, e in known}) == 1:
        return known[0][1], '.', 0
    for form, x in FORMS:
        for b in (-1, 1, -2, 2):
            rest = {e - b * x(a) for a, e in known}
            if len(rest) == 1:
                return rest.pop(), form, b
    raise SystemExit('%s: %s' % (name, known))


def ask(python):
    told = subprocess.run(
        [python, '-c', ASK.replace('ARGS', repr(ARGS))], stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    head, *lines = told.splitlines()
    version = tuple(map(int, head.split()))
    words = {}
    for line in lines:
        name, stay, jump = line.split('\t')
        stay, jump = fit(name, eval(stay)), fit(name, eval(jump))
        if stay and stay[1:] != jump[1:]:
            raise SystemExit('%s: its jump' % name)
        if stay and (stay != (0, '.', 0) or jump != stay):
            words[name] = '%d:%s:%d:%d' % (stay + (jump[0] - stay[0],))
    words.update(OVERRIDES.get(version, {}))
    return version, words


def main():
    found = {
        (2, 7): {
            name: effect + ':.:0:0'[2 * effect.count(':') :]
            for effect, names in TWO.items()
            for name in names.split()
        }
    }
    found.update(ask(python) for python in sys.argv[1:])
    rows = {}
    for version, words in found.items():
        changing = [
            '%s:%s' % (name, words[name]) for name in sorted(words) if words[name] != '0:.:0:0'
        ]
        rows[version] = opcode_rows.wrapped(changing, 93).rstrip() + '" },\n'
    opcode_rows.write(
        'stack_effects.inc',
        '/* Made by tools/gen_stack_effects.py: version, NAME:A:FORM:B:JUMP ... */',
        rows,
    )


if __name__ == '__main__':
    main()
