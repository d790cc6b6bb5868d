"""Cores with holes: what is missing is said to be missing, and nothing is made up for it."""
import os
import subprocess

import pytest

from tests.support import programs, run
from tests.matrix.conftest import every

MISSING = 'it is not in the core'


def holed(what):
    return programs.Program('holes-' + what, 'holes.py', (what,), ctypes=True)


def here(interpreter):
    return interpreter.root is None and interpreter.ctypes


def shown(core, interpreter, *command):
    status, output, errors = run.pyscry(core, *run.where(interpreter), *command)
    return status, output + errors


@pytest.mark.parametrize('interpreter', every(here))
def test_code_that_was_not_dumped(dumps, interpreter):
    """Not a frame less, and no variable is said not to be there."""
    dump = dumps.core(interpreter, holed('code'))
    for command in (('bt',), ('threads',)):
        status, text = shown(dump.core, interpreter, *command)
        assert status == 1 and 'no code object at' in text and MISSING in text
    answer, status, _ = run.answer(dump.core, command=('bt', '--all'))
    threads, _, _ = run.answer(dump.core, command=('threads',))
    (thread,) = answer['threads']
    assert status == 1 and MISSING in thread['error']
    assert threads['threads'][0]['error'] == thread['error']
    assert thread['frames'][0]['kind'] == 'damaged'
    status, text = shown(dump.core, interpreter, 'print', 'number')
    assert status == 2 and 'no variable' not in text and MISSING in text


@pytest.mark.parametrize('interpreter', every(here))
def test_objects_that_were_not_dumped(dumps, interpreter):
    dump = dumps.core(interpreter, holed('objects'))
    status, text = shown(dump.core, interpreter, 'print', 'values')
    assert status == 1 and MISSING in text
    status, text = shown(dump.core, interpreter, 'generators')
    assert 'damaged' not in text


@pytest.mark.parametrize('interpreter', every(lambda i: here(i) and i.version < (3, 11)))
def test_names_that_were_not_dumped(dumps, interpreter):
    """Up to 3.10 the names of variables are a tuple: without it nobody knows which there are."""
    dump = dumps.core(interpreter, holed('names'))
    status, text = shown(dump.core, interpreter, 'print', 'number')
    assert 'no variable' not in text
    assert (status, MISSING in text) == (2, True) or text.startswith("local 'number' = 17")


def other_core(interpreter, place, cut=None, coredump_filter=None):
    """A core whose size or contents somebody limited."""
    os.makedirs(place)
    program = holed('nothing')
    script = run.prepare(program, place)

    def limit():
        run.limits()
        if coredump_filter is not None:
            with open('/proc/self/coredump_filter', 'w') as out:
                out.write(coredump_filter)

    subprocess.run(
        interpreter.command + [script, 'nothing'],
        cwd=place,
        env=run.environment(place, 'abort'),
        preexec_fn=limit,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = [name for name in os.listdir(place) if name.startswith('core')]
    if not found:
        pytest.skip('no core file here')
    core = os.path.join(place, found[0])
    if cut:
        os.truncate(core, int(os.path.getsize(core) * cut))
    return core


@pytest.mark.parametrize('interpreter', every(here))
def test_no_private_memory(dumps, interpreter):
    """coredump_filter: which one, and what to set; nobody is said to have no Python state."""
    place = dumps.place(interpreter, 'filtered')
    core = dumps.make(place, lambda: other_core(interpreter, place, coredump_filter='0'))
    for command in (('threads',), ('bt',), ('info',)):
        status, text = shown(core, interpreter, *command)
        assert status and 'coredump_filter' in text and '0x33' in text
        assert 'makes no sense' not in text and 'no Python state' not in text
        assert 'Thread 0' not in text


@pytest.mark.parametrize('interpreter', every(here))
@pytest.mark.parametrize('part', [0.05, 0.4, 0.7, 0.9, 0.99])
def test_cut(dumps, interpreter, part):
    """ulimit -c, or a full disk: as much as is there, and the rest is said to be missing."""
    place = dumps.place(interpreter, 'cut-%d' % (100 * part))
    core = dumps.make(place, lambda: other_core(interpreter, place, cut=part))
    for command in (('threads',), ('bt', '--all')):
        status, text = shown(core, interpreter, *command)
        assert status and 'is cut' in text and 'ulimit -c' in text
        assert 'Thread 0' not in text and 'Thread ?' not in text
        assert 'makes no sense' not in text
        if 'last' not in text:
            assert ': no Python state' not in text and 'no Python frames' not in text, text
