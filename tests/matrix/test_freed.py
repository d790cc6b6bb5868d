"""Printing never takes what was freed for an object, whoever has its memory."""
import re

import pytest

from tests.support import programs, run

from .conftest import every
from .test_whatis import told

WAYS = [
    programs.Program(
        'freed-' + way,
        'freed.py',
        (way,),
        ctypes=True,
        since=(2, 7) if way == 'default' else (3, 6),
    )
    for way in ('default', 'malloc')
]


def runs_on(interpreter, program):
    return program.runs_on(interpreter) and (
        not interpreter.free_threaded or program.args == ('default',)
    )


@pytest.mark.parametrize(
    'interpreter, program',
    [
        pytest.param(*one.values, program, id='%s-%s' % (one.id, program.args[0]), marks=one.marks)
        for program in WAYS
        for one in every(lambda interpreter, program=program: runs_on(interpreter, program))
    ],
)
def test_freed(dumps, interpreter, program):
    dump = dumps.core(interpreter, program)
    for name, address in sorted(dump.truth.items()):
        text = run.pyscry(dump.core, 'print', name, *run.where(interpreter))[1].partition(' = ')[2]
        layers = told(dump, [address])[0]['layers']
        if name == 'sound':
            assert re.match(r"\[<__main__\.Wide object at %s>\]" % address, text), text
            assert layers[0]['alive'] is True
            continue
        assert text.startswith('[<unreadable at %s: ' % address), (name, text)
        assert 'free' in text or 'type pointer' in text, (name, text)
        assert not any(layer['what'] == 'object' for layer in layers), (name, layers)
