"""A class of the program's own is what it is, whatever it is called: types are known by themselves,
not by their names."""
import pytest

from tests.support import programs

from .conftest import every
from .test_values import report, reprs

NAMES = programs.Program('values-names', 'values_names.py')


@pytest.mark.parametrize('interpreter', every())
def test_names(dumps, interpreter):
    dump = dumps.core(interpreter, NAMES)
    values = dump.truth['values']
    for layout in ('', 'rows'):
        got = reprs(dump, layout, [value['id'] for value in values])
        report(
            [
                '%s %s: %.300s, not %.300s' % (layout, value['name'], answer['repr'], value['repr'])
                for value, answer in zip(values, got)
                if answer['repr'] != value['repr']
                or (answer['type'] or '').rpartition('.')[2] != value['type']
            ]
        )


@pytest.mark.parametrize('interpreter', every())
def test_items_and_attributes(dumps, interpreter):
    dump = dumps.core(interpreter, NAMES)
    wanted = dump.truth['expressions']
    got = reprs(dump, '', ['__main__:' + text for text, _ in wanted])
    report(
        [
            '%s: %s, not %s' % (text, answer['repr'], truth)
            for (text, truth), answer in zip(wanted, got)
            if answer['repr'] != truth
        ]
    )
