"""verify: what an extension did wrong is found and named; in sound processes nothing is found."""
import os

import pytest

from tests.support import programs, run
from tests.support.corefile import CoreFile

from .conftest import every
from .test_heap import DEBUG, HEAPED, MALLOC, chosen, told
from .test_refs import REFERRED, builds, compiled

BORROWERS = programs.Program('borrowers', 'borrowers.py')
SOUND = (
    HEAPED,
    DEBUG,
    MALLOC,
    REFERRED,
    BORROWERS,
    programs.find('flow'),
    programs.find('threads'),
)
CHECKED = []


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


@pytest.mark.parametrize('interpreter', every(lambda i: chosen(i) or i.tag == 'pyenv-3.7.16'))
def test_sound(dumps, interpreter):
    """Nothing is found where nothing is wrong."""
    for program in SOUND:
        if not program.runs_on(interpreter):
            continue
        if program is MALLOC and interpreter.free_threaded:
            continue  # it has no other allocator
        dump = dumps.core(interpreter, program)
        answer = told(dump, ['verify --leaks'], 'verify')[0]
        assert answer['checked'] > 10000
        assert answer['findings'] == [], (program.name, answer['findings'][:3])
        assert answer['leaks'] == [], (program.name, answer['leaks'][:3])
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


@pytest.mark.parametrize('interpreter', every(builds))
def test_leaks(tmp_path, interpreter):
    """Lists with a float each, and chunks, that nobody let go. A few are still known to a free list
    of the interpreter's, or to a word of the stack, that was left there: those are not told."""
    dump = wrong(interpreter, str(tmp_path / 'leaks'), 'leaks')
    answer = told(dump, ['verify --leaks'], 'verify')[0]
    assert answer['findings'] == [] and 'lacks' not in answer
    leaks = {leak['type']: leak for leak in answer['leaks']}
    assert set(leaks) == {'list', None}
    count = leaks['list']['count']
    assert dump.truth['leaks'] / 2 < count <= dump.truth['leaks']
    floats = (leaks['list']['retained'] - leaks['list']['bytes']) / 24
    assert count - 5 <= floats <= count
    assert all(one['repr'].endswith('.25]') for one in leaks['list']['first'])
    assert 10 < leaks[None]['count'] <= 20
    assert 5000 <= leaks[None]['bytes'] / leaks[None]['count'] < 5032
    status, text, errors = run.pyscry('--exe', dump.exe, dump.core, 'verify', '--leaks')
    assert status == 1 and 'leaked' in text and not errors
    if interpreter.machine == 'x86_64':
        check_cut(dump, leaks)
    dump.remove()


def check_cut(dump, leaks):
    """Without the end of the stack, which is written last: no leak is certain any more."""
    assert all(leak['certain'] for leak in leaks.values())
    with CoreFile(dump.core) as core:
        offset, size = max((h[2], h[4]) for h in core.writable())
    os.truncate(dump.core, offset + size - 4096)
    answer = told(dump, ['verify --leaks'], 'verify')[0]
    assert answer['lacks'] == 4096
    assert {leak['type'] for leak in answer['leaks']} >= {'list'}
    assert not any(leak['certain'] for leak in answer['leaks'])
    _, text, _ = run.pyscry('--exe', dump.exe, dump.core, 'verify', '--leaks')
    assert '4,096 bytes of memory are not in the dump' in text and '(they may be none)' in text


@pytest.mark.parametrize(
    'interpreter', every(lambda i: builds(i) and i.tag in ('pyenv-3.8.18', 'pyenv-3.11.7'))
)
def test_running(interpreter, tmp_path):
    """While a process runs on, what leads somewhere may be seen at no moment."""
    compiled(interpreter, str(tmp_path))
    program = programs.Program('mistakes-leaky', 'mistakes.py', ('leaky',))
    with run.running(interpreter, program, str(tmp_path)) as (pid, _):
        for hold, certain in (('60', True), ('0.001', False)):
            answer, _, errors = run.answer(pid, '--hold', hold, command=('verify', '--leaks'))
            assert ('was let go after' in errors) != certain
            leaks = answer['verify']['leaks']
            assert {'list', None} <= {leak['type'] for leak in leaks}
            assert {leak['certain'] for leak in leaks} == {certain}
