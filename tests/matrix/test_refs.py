"""refs: who refers to an object is who the collector says it is; as many as sys.getrefcount() says;
the frame, the traceback, the generator and the cycle that pin an object are named."""
import os
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every
from .test_heap import chosen, told

REFERRED = programs.Program('referred', 'referred.py')
KINDS = ('list', 'dict', 'tuple', 'set', '__main__.Slotted', '__main__.Thing')
BUILDS = ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.11.7', 'pyenv-3.13.0')


def builds(interpreter):
    return interpreter.tag in BUILDS


def compiled(interpreter, directory, name='unsound', *options):
    include = subprocess.check_output(
        interpreter.command + ['-c', 'import sysconfig; print(sysconfig.get_paths()["include"])'],
        universal_newlines=True,
    ).strip()
    subprocess.check_call(
        ['cc', '-shared', '-fPIC', '-w', '-O1', '-I' + include]
        + ['-o', os.path.join(directory, name + '.so')]
        + [os.path.join(run.PROGRAMS, name + '.c')]
        + list(options)
    )


@pytest.mark.parametrize('interpreter', every(chosen))
def test_references(dumps, interpreter):
    dump = dumps.core(interpreter, REFERRED)
    truth, names = dump.truth, sorted(dump.truth['referrers'])
    lines = ['refs --path ' + truth['address'][name] for name in names]
    answers = dict(zip(names, told(dump, lines, 'refs')))
    objects = {
        name: sorted(
            r['from']['address']
            for r in answer['references']
            if r['from']['kind'] == 'object' and r['from']['type'] in KINDS
        )
        for name, answer in answers.items()
    }
    assert objects == {name: truth['referrers'][name] for name in names}
    # free-threaded builds count some references elsewhere
    if not interpreter.free_threaded:
        counts = {n: [a['found'], a['object']['refcount']] for n, a in answers.items()}
        # the caller's value stack has the argument too, up to 3.10: marked, and not counted
        found, count = counts.pop('frame')
        assert found in (count, count - 1)
        assert {n: c for n, c in counts.items() if c[0] != c[1]} == {}
    slots = {name: answers[name]['references'][0]['slot'] for name in ('list', 'tuple', 'slot')}
    assert slots == {'list': '[1]', 'tuple': '[1]', 'slot': '.left'}
    ways = [step['slot'] for step in answers['slot']['references'][0]['path']]
    assert ways and ways[0] == "['in_slot']"


@pytest.mark.parametrize('interpreter', every(chosen))
def test_holders(dumps, interpreter):
    dump = dumps.core(interpreter, REFERRED)
    names = ('frame', 'traceback', 'generator', 'cycle')
    lines = ['refs --holders ' + dump.truth['address'][name] for name in names]
    found = {
        name: {
            (r['from']['kind'], r['from']['function'] or r['from']['type'] or '')
            for r in answer['references']
        }
        for name, answer in zip(names, told(dump, lines, 'refs'))
    }
    assert ('frame', 'framed') in found['frame']
    assert ('frame', 'failing') in found['traceback']
    assert ('object', 'traceback') in found['traceback']
    assert ('task', 'generator') in found['generator']
    assert [kind for kind, _ in found['cycle']] == ['object']


@pytest.mark.parametrize('interpreter', every(chosen))
def test_unreachable(dumps, interpreter):
    """What the collector itself found when it was asked."""
    dump = dumps.core(interpreter, REFERRED)
    groups = told(dump, ['gc --unreachable'], 'gc')[0][0]['unreachable']
    assert [group['kept'] for group in groups] == ['the collector is disabled']
    types = {t['type']: t['count'] for t in groups[0]['types'] if t['type'] != 'dict'}
    assert types == {'list': 1, '__main__.Thing': 1}
    assert len(dump.truth['unreachable']) == 2
    assert dump.truth['address']['cycle'] in dump.truth['unreachable']
    assert told(dump, ['gc'], 'gc')[0][0]['unreachable'] == []


@pytest.mark.parametrize('interpreter', every(builds))
def test_inner_bytes(tmp_path, interpreter):
    """Pointers to bytes of an object, wherever C keeps them, by symbol, module and variable."""
    directory = str(tmp_path / 'inner')
    os.makedirs(directory)
    compiled(interpreter, directory, 'inner', '-g', '-O0')
    dump = run.crash(interpreter, programs.Program('inner', 'inner.py'), directory)
    answer = told(dump, ['refs --all ' + dump.truth['address']], 'refs')[0]
    found = {}
    for ref in answer['references']:
        found.setdefault(ref['offset'] - dump.truth['data'], []).append(ref)
    static, chunk = found[10][0], found[20][0]
    assert [static['from']['kind'], static['slot']] == ['static', 'registry+0x8 of inner.so']
    assert [chunk['from']['kind'], chunk['slot']] == ['chunk', '+0x10']
    if interpreter.version >= (3,):
        state = found[30][0]
        assert [state['from']['kind'], state['slot']] == ['object', 'module state+0x8']
        assert state['from']['address'] == dump.truth['module']
    local = [r for r in found[40] if r['slot'] == 'inside']
    assert [[r['from']['kind'], r['from']['function']] for r in local] == [['stack', 'keep']]
    assert local[0]['from']['line'] and local[0]['from']['thread']
    assert not any(r['certain'] for n in (10, 20, 30, 40) for r in found.get(n, []))
    status, text, errors = run.pyscry('--exe', dump.exe, dump.core, 'refs', dump.truth['address'])
    assert status == 0 and 'registry+0x8 of inner.so' in text, errors
    assert 'inside of keep (line ' in text and ', to byte ' in text
    dump.remove()
