"""What stands for an int is read from the int, of any size; where that is damaged there is no
value, and never 0."""
import dataclasses
import shutil

import pytest

from tests.support import programs
from tests.support.corefile import CoreFile

from .conftest import every
from .test_values import report, reprs

WITH = programs.Program('values-ints', 'values_ints.py')
WITHOUT = programs.Program('values-ints', 'values_ints.py', ('no-ctypes',))


def dumped(dumps, interpreter):
    return dumps.core(interpreter, WITH if interpreter.ctypes else WITHOUT)


@pytest.mark.parametrize('interpreter', every())
def test_values_and_keys(dumps, interpreter):
    dump = dumped(dumps, interpreter)
    objects = sorted(dump.truth['objects'].items())
    got = reprs(dump, '', [told['id'] for _, told in objects])
    wanted = dump.truth['expressions']
    asked = reprs(dump, '', ['__main__:' + text for text, _ in wanted])
    report(
        [
            '%s: %s, not %s' % (name, answer['repr'], told['repr'])
            for (name, told), answer in zip(objects, got)
            if answer['repr'] != told['repr']
        ]
        + [
            '%s: %s, not %s' % (text, answer['repr'], truth)
            for (text, truth), answer in zip(wanted, asked)
            if (answer['repr'] != truth if truth else 'no such key' not in answer['repr'])
        ]
    )


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.machine != '32-bit' and not i.debug and not i.free_threaded)
)
def test_damaged(dumps, interpreter):
    """One word of the int is enough: its size, a digit with too many bits, its type."""
    dump = dumped(dumps, interpreter)
    copy = dump.core + '.damaged'
    objects = sorted(
        (name, told)
        for name, told in dump.truth['objects'].items()
        if interpreter.version >= (3,) or name != 'CDLL'  # a C long, of which any value is one
    )
    for word, value in ((2, 0x7777777777777777), (3, 0xFFFFFFFFFFFFFFFF), (1, 0x1001)):
        shutil.copyfile(dump.core, copy)
        with CoreFile(copy) as core:
            for _, told in objects:
                core.set_word(int(told['int'], 16) + word * core.size, value)
        answers = reprs(
            dataclasses.replace(dump, core=copy), '', [told['id'] for _, told in objects]
        )
        report(
            [
                'word %d of %s: %s' % (word, name, answer['repr'])
                for (name, _), answer in zip(objects, answers)
                if '<unreadable at 0x' not in answer['repr']
            ]
        )
