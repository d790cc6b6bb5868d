"""The heap of each PyPy in GDB, in LLDB, from Python and beside another dump: the same answers."""
import json
import os

import pytest

from tests.support import lldbs, run

from . import test_api
from .test_pypy import EVERY, made
from .test_pypy_heap import HEAP, RAW, asked

pyscry = test_api.pyscry  # a fixture
COMMANDS = {
    'heap': ['heap', 'Target', '--limit', '1000'],
    'verify': ['verify'],
    'gc': ['gc', '--unreachable'],
    'threads': ['bt', '--all'],
}


def part_of(answer, key):
    """What does not depend on who asks: a debugger has numbers of its own for threads."""
    if key == 'threads':
        return [[frame['function'] for frame in thread['frames']] for thread in answer[key]]
    return answer[key]


def wanted(dump, pypy):
    return {key: part_of(asked(dump, pypy, *words), key) for key, words in COMMANDS.items()}


def typed():
    return ['py-%s --json' % ' '.join(words) for words in COMMANDS.values()]


@pytest.mark.parametrize('pypy', EVERY)
def test_in_gdb(dumps, pypy):
    dump = made(dumps, pypy, HEAP)
    options = ['set sysroot %s' % pypy.root] if pypy.root else []
    _, output, errors = run.gdb(*typed(), core=dump.core, exe=dump.exe, options=options)
    answers = [json.loads(line) for line in output.split('\n') if line.startswith('{"pyscry"')]
    assert len(answers) == len(COMMANDS), (output[-2000:], errors[-2000:])
    got = {key: part_of(answer, key) for key, answer in zip(COMMANDS, answers)}
    assert got == wanted(dump, pypy)


@pytest.mark.parametrize('pypy', EVERY)
def test_in_lldb(dumps, pypy):
    found = lldbs.find()
    if not found:
        pytest.skip('no lldb with Python')
    dump = made(dumps, pypy, HEAP)
    said = lldbs.Lldb(*found[0])(typed(), '-c', dump.core, dump.exe)
    got = {key: part_of(json.loads(one.out), key) for key, one in zip(COMMANDS, said)}
    assert got == wanted(dump, pypy)


@pytest.mark.parametrize('pypy', EVERY)
def test_beside_another_dump(dumps, pypy):
    """What has grown is what the two answers differ by."""
    now, before = made(dumps, pypy, HEAP), made(dumps, pypy, RAW)
    counts = [
        {row['type']: row['count'] for row in asked(dump, pypy, 'heap')['heap']['types']}
        for dump in (now, before)
    ]
    true = {
        name: counts[0].get(name, 0) - counts[1].get(name, 0)
        for name in set(counts[0]) | set(counts[1])
    }
    rows = asked(now, pypy, 'heap', '--diff', before.core)['heap']['types']
    grown = {row['type']: row['count'] for row in rows}
    assert grown['__main__.Row'] == 380 and min(grown.values()) < 0
    # one that has other sizes may be there with no other count
    assert {name: n for name, n in grown.items() if n} == {n: c for n, c in true.items() if c}


@pytest.mark.parametrize('pypy', EVERY)
def test_from_python(dumps, pypy, pyscry):
    dump = made(dumps, pypy, HEAP)
    truth = dump.truth
    with pyscry.open(dump.core, sysroot=pypy.root or None) as target:
        assert target.heap.count('__main__.Row') == 380
        found = {one.address: one for one in target.find('__main__.Target')}
        assert set(found) == set(truth['targets'].values())
        assert {found[address].name.value for address in found} == set(truth['targets'])
        inside = found[truth['targets']['attribute']]
        assert '.held' in {one.slot for one in target.refs(inside)}
        waiting = next(
            frame
            for thread in target.threads
            for frame in thread.frames
            if frame.function == 'waiting'
        )
        assert waiting.locals['value'].address == truth['targets']['thread']
        assert os.path.basename(waiting.file) == HEAP.script
