"""Values against their own invariants: one changed word is marked in its place, and nothing is read
past a block."""
import json
import os
import struct
import subprocess

import pytest

from tests.support import programs, run
from tests.support.corefile import CoreFile

from .conftest import every

DAMAGED = programs.Program('values-damaged', 'values_damaged.py')
PROBED = programs.Program('values-probed', 'values_probed.py', since=(3, 11))
FORMATS = {1: '<B', 4: '<I', 8: '<Q'}
WIDE = every(lambda i: i.machine == 'x86_64')


def said(dump, name):
    """What print says of a global, and its exit status."""
    status, output, errors = run.pyscry(
        *run.where(dump.interpreter), dump.core, 'print', '__main__:' + name
    )
    return output.strip(), status, errors


@pytest.mark.parametrize('interpreter', WIDE)
def test_whole_values_are_not_marked(dumps, interpreter):
    dump = dumps.core(interpreter, DAMAGED)
    for name, text in dump.truth['values'].items():
        assert said(dump, name)[:2] == ('__main__:%s = %s' % (name, text), 0)


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.tag in ('pyenv-3.11.7', 'pyenv-3.13.0', 'sid-3.14'))
)
def test_keys_of_many_probes(dumps, interpreter):
    """A hash may lead to all slots, and to some of them twice."""
    dump = dumps.core(interpreter, PROBED)
    for i in range(dump.truth['lists']):
        status, output, errors = run.pyscry(
            *run.where(interpreter),
            '--max-items',
            400,
            dump.core,
            'print',
            '__main__:LISTS[%d]' % i
        )
        assert status == 0 and not errors, errors
        assert output.count('None') == 5 * dump.truth['dicts'], output[:500]


@pytest.mark.parametrize('interpreter', WIDE)
def test_one_changed_word_is_marked(dumps, interpreter):
    dump = dumps.core(interpreter, DAMAGED)
    with CoreFile(dump.core) as core:
        for name, address, size, value, says in dump.truth['cases']:
            at = core.offset(address, size)
            old = core.data[at : at + size]
            core.data[at : at + size] = struct.pack(FORMATS[size], value)
            try:
                text, status, errors = said(dump, name)
            finally:
                core.data[at : at + size] = old
            assert status == 1 and 'marked in it' in errors, (name, text)
            assert says in text and ('<unreadable at' in text or '<damaged' in text), (name, text)
            assert len(text) < 200, (name, text)


@pytest.mark.parametrize('interpreter', WIDE)
def test_slot_beside_another_block(dumps, interpreter):
    """An empty slot and the first word of the next block look like a count and a type."""
    dump = dumps.core(interpreter, DAMAGED)
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    root = [interpreter.root] if interpreter.root else []
    done = subprocess.run(
        [tool, dump.core, '' if root else dump.exe, ''] + root,
        input=''.join(':obj --json %s\n' % a for a, _ in dump.truth['slots']).encode(),
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    answers = [json.loads(line)['object'] for line in done.stdout.splitlines()]
    assert [[a['type'], a['inside'], a['nearest'], a['field']] for a in answers] == [
        [None, True, of, 'two'] for _, of in dump.truth['slots']
    ]


@pytest.mark.parametrize('interpreter', WIDE)
def test_names_of_singletons(dumps, interpreter):
    dump = dumps.core(interpreter, DAMAGED)
    for name, kind in (('None', 'NoneType'), ('True', 'bool'), ('False', 'bool'), ('len', None)):
        answer, status, errors = run.answer(
            dump.core, *run.where(interpreter), command=('obj', name)
        )
        assert status == 0, errors
        assert answer['object']['repr'] == (name if kind else '<built-in function len>')
        assert kind in (None, answer['object']['type'])
