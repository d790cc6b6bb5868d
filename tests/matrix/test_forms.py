"""Thousands of values print as repr() has it, or as unknown where code of the program's own would
have to run: never otherwise."""
import re

import pytest

from tests.support import programs

from .conftest import every
from .test_values import report, reprs

FORMS = programs.Program('values-forms', 'values_forms.py')
EARLY = programs.Program('values-forms-early', 'values_forms.py', ('early',))
STDLIB = programs.Program('values-stdlib', 'values_stdlib.py')
FOREIGN = programs.Program('values-foreign', 'values_foreign.py', ctypes=True)
STDLIB_EARLY = programs.Program('values-stdlib-early', 'values_stdlib.py', ('early',))
UNKNOWN = re.compile(r'<[A-Za-z_][\w.<>]* at 0x[0-9a-f]+>')
# Values that may print as unknown: those with a __repr__ of the program's own, and what
# docs/values.md names.
MAY_BE_UNKNOWN = {
    'P3(1, 2)',
    'WithMeta',
    'BadRepr()',
    "type('P', (functools.partial,), {'__repr__': lambda s: 'zz'})(f, 1)",
    "Mod2('sub')",
    'WithRepr.A',
    'MixE.A',
    'CustomR()',
    'PlainR()',
    'MyE4(1)',
    'A5()',
    'A11()',
}
# 2.7: text and numbers compare; old-style instances ask __getattr__ for a __repr__
UNKNOWN_IN_2 = {
    'cn6',
    'ntf',
    "__import__('codecs').open(HERE + '/f.txt', 'r', 'utf-8')",
    "__import__('filecmp').dircmp('/', '/')",
}
UNKNOWN_IN_3_15 = {'AlG[int]', 'list[Al]', 'Al | None'}
# A child of fork() has no other threads: there they count as stopped, and locks know no owner.
THREADS = re.compile(r'^(T[0-9D]|RL2|threading\.)')


def classify(ours, truth):
    """'equal', 'unknown' (the same but for unknown parts), or 'wrong'."""
    if ours == truth:
        return 'equal'
    parts = UNKNOWN.split(ours)
    same = len(parts) > 1 and re.fullmatch('.*'.join(map(re.escape, parts)), truth, re.S)
    return 'unknown' if same else 'wrong'


def may_be_unknown(value, interpreter):
    name, version = value['name'], interpreter.version
    if version < (3, 7) and value['repr'].startswith(
        ('typing.', '__main__.Gen', '~', '+', '-', '(typing.', "{'a': typing.")
    ):
        return True  # metaclasses of its own
    return (
        name in MAY_BE_UNKNOWN
        or (version < (3,) and name in UNKNOWN_IN_2)
        or (version >= (3, 15) and name in UNKNOWN_IN_3_15)
    )


def compare(dump, early):
    interpreter, differences = dump.interpreter, []
    values = [
        value for value in dump.truth['values'] if not (early and THREADS.match(value['name']))
    ]
    for layout in ('',) if early else ('', 'rows'):
        for value, answer in zip(values, reprs(dump, layout, [value['id'] for value in values])):
            kind = classify(answer['repr'], value['repr'])
            if kind == 'wrong' or (kind == 'unknown' and not may_be_unknown(value, interpreter)):
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


@pytest.mark.parametrize(
    'program', [FORMS, EARLY, STDLIB, STDLIB_EARLY, FOREIGN], ids=lambda program: program.name
)
@pytest.mark.parametrize('interpreter', every())
def test_forms(dumps, interpreter, program):
    # once for each version what no repr() has touched: there the layouts do not differ
    early = program in (EARLY, STDLIB_EARLY) and not interpreter.tag.startswith(
        ('pyenv-', 'sid-', 'built-')
    )
    if program.runs_on(interpreter) and not early:
        compare(dumps.core(interpreter, program), program in (EARLY, STDLIB_EARLY))


def test_classes():
    assert classify('[1]', '[1]') == 'equal'
    assert classify('[<a.B at 0x10>]', '[anything]') == 'unknown'
    assert classify('[<a.B at 0x10>, 1]', '[anything, 2]') == 'wrong'
    assert classify('<a.B object at 0x10>', 'anything') == 'wrong'


PANDAS = programs.Program('pandas', 'values_numpy.py', since=(3, 6))


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.tag.startswith('host-'))
)
def test_pandas(dumps, interpreter):
    """Shapes of what pandas holds, where it is installed."""
    dump = dumps.core(interpreter, PANDAS)
    values = dump.truth['values']
    if not values:
        pytest.skip('no pandas for %s' % interpreter.tag)
    for layout in ('', 'rows'):
        got = [answer['repr'] for answer in reprs(dump, layout, [value[1] for value in values])]
        report(
            [
                '%s: %s, not shape=%s' % (name, text, shape)
                for (name, _, kind, shape), text in zip(values, got)
                if text != '<%s shape=%s>' % (kind, shape)
            ]
        )


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.tag.startswith(('host-', 'sid-', 'bullseye-')))
)
def test_numpy(dumps, interpreter):
    """Shape, dtype and data, however the data lie in memory."""
    dump = dumps.core(interpreter, PANDAS)
    arrays = dump.truth['arrays']
    if not arrays:
        pytest.skip('no numpy for %s' % interpreter.tag)
    for layout in ('', 'rows'):
        got = [answer['repr'] for answer in reprs(dump, layout, [array[1] for array in arrays])]
        report(
            [
                '%s: %s, not %s' % (name, text, wanted)
                for (name, _, wanted), text in zip(arrays, got)
                if text != wanted
            ]
        )
