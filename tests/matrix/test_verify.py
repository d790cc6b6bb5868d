"""verify: what an extension did wrong is found and named; in sound processes nothing is found."""
import os
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every
from .test_heap import DEBUG, HEAPED, MALLOC, chosen, told
from .test_refs import REFERRED

SOUND = (HEAPED, DEBUG, MALLOC, REFERRED, programs.find('flow'), programs.find('threads'))
CHECKED = []
BUILDS = ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.11.7', 'pyenv-3.13.0')


def builds(interpreter):
    return interpreter.tag in BUILDS


def compiled(interpreter, directory):
    include = subprocess.check_output(
        interpreter.command + ['-c', 'import sysconfig; print(sysconfig.get_paths()["include"])'],
        universal_newlines=True,
    ).strip()
    subprocess.check_call(
        ['cc', '-shared', '-fPIC', '-w', '-O1', '-I' + include]
        + ['-o', os.path.join(directory, 'unsound.so')]
        + [os.path.join(run.PROGRAMS, 'unsound.c')]
    )


def wrong(interpreter, directory, *args):
    """A core of a process in which the extension has done something wrong."""
    os.makedirs(directory)
    compiled(interpreter, directory)
    program = programs.Program('mistakes-' + args[0], 'mistakes.py', args)
    return run.crash(interpreter, program, directory)


def found(dump, line='verify'):
    """{(kind, address): finding}."""
    return {(f['kind'], f['address']): f for f in told(dump, [line], 'verify')[0]['findings']}


def names(finding):
    return [holder['address'] for holder in finding['holders']]


@pytest.mark.parametrize('interpreter', every(chosen))
def test_sound(dumps, interpreter):
    """Nothing is found where nothing is wrong."""
    for program in SOUND:
        if not program.runs_on(interpreter):
            continue
        if program is MALLOC and interpreter.free_threaded:
            continue  # it has no other allocator
        dump = dumps.core(interpreter, program)
        answer = told(dump, ['verify'], 'verify')[0]
        assert answer['checked'] > 10000
        assert answer['findings'] == [], (program.name, answer['findings'][:3])
        CHECKED.append((interpreter.tag, program.name))
    print('%d sound cores, nothing found' % len(CHECKED))


@pytest.mark.parametrize('interpreter', every(builds))
def test_mistakes(tmp_path, interpreter):
    dump = wrong(interpreter, str(tmp_path / 'heap'), 'heap')
    truth, answer = dump.truth, found(dump)
    address, count, holder = truth['over-released']
    finding = answer.pop(('over-released', address))
    assert [finding['refcount'], finding['found']] == [count - 1, count]
    assert holder in names(finding) and finding['type'] == '__main__.Thing'
    address, holder = truth['dangling']
    finding = answer.pop(('dangling', address))
    assert names(finding) == [holder] and finding['holders'][0]['slot'] == '[0]'
    for address, view in truth['buffers']:
        assert view in names(answer.pop(('dangling', address)))
    assert answer == {}
    dump.remove()


@pytest.mark.parametrize('interpreter', every(builds))
def test_written(tmp_path, interpreter):
    """Behind the end of what malloc() gave out; the debug hooks' marks where there are such."""
    dumps = [wrong(interpreter, str(tmp_path / 'behind'), 'behind')]
    if interpreter.version >= (3, 6):
        dumps.append(wrong(interpreter, str(tmp_path / 'hooks'), 'hooks', 'debug'))
    for dump in dumps:
        answer = found(dump)
        for kind, (address, holder) in dump.truth.items():
            assert holder in names(answer.pop((kind, address)))
        assert answer == {}
        status, text, errors = run.pyscry('--exe', dump.exe, dump.core, 'verify')
        assert status == 1 and 'overrun' in text and 'Traceback' not in errors
        dump.remove()
