"""Every value of tests/programs/values.py prints exactly as its repr() did, on every interpreter,
by DWARF and by rows."""
import json
import os
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every

VALUES = programs.Program('values', 'values.py')
EXCEPTIONS = programs.Program('values-exceptions', 'values_exceptions.py')
LIBRARY = programs.Program('values-library', 'values_library.py', since=(3, 6))
ALLOCATORS = [
    programs.Program('values-' + allocator, 'values.py', (allocator,), since=(3, 6), ctypes=True)
    for allocator in ('malloc', 'debug')
]
WITHOUT_CTYPES = programs.Program('values', 'values.py', ('no-ctypes',))
# The differences by design, by name of the value. (A connected socket lacks its addresses: they are
# the kernel's.)
BY_DESIGN = {
    'hash': 'the name of a hash is behind OpenSSL\'s structs',
}
# typing of 3.6 has metaclasses of its own
TYPING_3_6 = ('List', 'Dict', 'Optional', 'Any', 'TypeVar', 'plain List')


def reprs(dump, layout, lines):
    """What the tool gives for each address or expression."""
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    root = dump.root or dump.interpreter.root
    exe = dump.exe if dump.root or not root else ''
    done = subprocess.run(
        [tool, dump.core, exe, layout] + ([root] if root else []),
        input=''.join(line + '\n' for line in lines).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode(errors='replace')[-2000:]
    lines = done.stdout.decode('utf-8', 'surrogatepass').split('\n')
    return [json.loads(line) for line in lines if line]


def report(differences):
    if differences:
        pytest.fail(
            '%d differ\n%s'
            % (len(differences), '\n'.join(ascii(d)[1:-1] for d in differences[:40])),
            pytrace=False,
        )


def numpy_array(value):
    """Arrays and dtypes print as type, shape and head of the data."""
    return value['type'] in ('ndarray', 'datetime64') or value['name'].startswith('dtype')


# whose __sizeof__() is not known
OTHER_SIZES = {
    'OrderedDict',
    'code',
    'frame',
    'Decimal',
    'BufferedWriter',
    'BufferedReader',
    'BufferedRandom',
    'BytesIO',
    'PyCSimpleType',
}


def unknown_size(interpreter, value, key, answer):
    if key != 'tracked' and not answer['size']:
        return True
    # 3.11 and 3.12 count the collector's header for static types too, which have none
    return (
        key == 'getsizeof' and value['type'] == 'type' and (3, 11) <= interpreter.version < (3, 13)
    )


def sources(interpreter):
    return [''] + ['rows']


@pytest.mark.parametrize('interpreter', every())
def test_values(dumps, interpreter):
    compare(dumps.core(interpreter, VALUES if interpreter.ctypes else WITHOUT_CTYPES))


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.version >= (3, 6) and interpreter.ctypes)
)
def test_library(dumps, interpreter):
    """Library classes, asyncio's tasks; numpy and attrs where the interpreter has them."""
    compare(dumps.core(interpreter, LIBRARY))


def compare(dump):
    interpreter = dump.interpreter
    differences = []
    for layout in sources(interpreter):
        values = dump.truth['values']
        got = reprs(dump, layout, [value['id'] for value in values])
        assert len(got) == len(values)
        for value, answer in zip(values, got):
            by_design = value['name'] in BY_DESIGN or (
                value['name'] in TYPING_3_6 and interpreter.version < (3, 7)
            )
            if answer['repr'] != value['repr'] and not by_design and not numpy_array(value):
                differences.append(
                    '%s %s: %.300s, not %.300s'
                    % (layout, value['name'], answer['repr'], value['repr'])
                )
            elif (answer['type'] or '').rpartition('.')[2] != value['type']:
                differences.append(
                    '%s %s is a %s, not a %s'
                    % (layout, value['name'], answer['type'], value['type'])
                )
    report(differences)


@pytest.mark.parametrize('interpreter', every())
def test_expressions(dumps, interpreter):
    dump = dumps.core(interpreter, VALUES if interpreter.ctypes else WITHOUT_CTYPES)
    expressions = dump.truth['expressions']
    got = reprs(dump, '', ['__main__:' + expression for expression, _ in expressions])
    report(
        [
            '%s: %s, not %s' % (expression, answer['repr'], wanted)
            for (expression, wanted), answer in zip(expressions, got)
            if answer['repr'] != wanted
        ]
    )


@pytest.mark.parametrize('interpreter', every())
def test_exceptions(dumps, interpreter):
    """Type, message, cause, context, notes, members, and the traceback's functions and lines."""
    dump = dumps.core(interpreter, EXCEPTIONS)
    truth = dump.truth['exceptions']
    got = reprs(dump, '', ['!%s %s' % (e['id'], e['traceback']) for e in truth])
    report(
        [
            '%s: %s is %s, not %s' % (wanted['name'], key, answer.get(key), wanted[key])
            for wanted, answer in zip(truth, got)
            for key in (
                'type',
                'message',
                'cause',
                'context',
                'suppress',
                'notes',
                'members',
                'entries',
            )
            if answer.get(key) != wanted[key]
        ]
    )


@pytest.mark.parametrize('interpreter', every())
def test_whatis(dumps, interpreter):
    """Size as __sizeof__() and as sys.getsizeof(), and the collector's state, of every value."""
    compare_sizes(dumps.core(interpreter, VALUES if interpreter.ctypes else WITHOUT_CTYPES))


@pytest.mark.parametrize('program', ALLOCATORS, ids=lambda program: program.args[0])
@pytest.mark.parametrize(
    'interpreter',
    # free-threaded has mimalloc only
    every(lambda i: i.version >= (3, 6) and i.ctypes and not i.free_threaded),
)
def test_whatis_allocators(dumps, interpreter, program):
    """The same in the C library's chunks, and behind the debug hooks."""
    compare_sizes(dumps.core(interpreter, program))


def compare_sizes(dump):
    interpreter, truth = dump.interpreter, dump.truth['values']
    got = reprs(dump, '', ['?' + value['id'] for value in truth])
    report(
        [
            '%s: %s is %s, not %s' % (value['name'], key, answer.get(key), value[key])
            for value, answer in zip(truth, got)
            for key in ('size', 'getsizeof', 'tracked')
            if value[key] is not None
            and answer.get(key) != value[key]
            and not unknown_size(interpreter, value, key, answer)
        ]
    )
    unknown = [value['type'] for value, answer in zip(truth, got) if not answer['size']]
    assert set(unknown) <= OTHER_SIZES, unknown
