"""Generators, coroutines and async generators in every odd state, from cores, stripped Pythons,
live processes."""
import os
import random
import subprocess

import pytest

from tests.support import programs, run
from tests.support.corefile import CoreFile

from .conftest import every

HARD = programs.Program('generators-hard', 'generators_hard.py')
FROZEN = programs.Program('generators-frozen', 'generators_hard.py', ('freeze',), since=(3, 7))
MALLOC = programs.Program('generators-malloc', 'generators_hard.py', ('malloc',), since=(3, 6))


def own(task):
    frame = task['frames'][-1]
    return [frame['function'], frame['line']]


FIELDS = {
    'kind': lambda task: task['kind'],
    'state': lambda task: task['state'],
    'name': lambda task: task['name'],
    'waits_for': lambda task: task['waits_for'],
    'own': own,
}


def compare(truth, tasks):
    """Every generator of the truth and no other; each one's own frame, and a stack that is its own
    and what it waits for."""
    wanted, found = {each['id']: each for each in truth['generators']}, {
        task['id']: task for task in tasks
    }
    differences = ['%s is missing' % wanted[each] for each in wanted.keys() - found.keys()]
    differences += [
        'nobody knows %s %s %s' % (found[each]['name'], each, found[each]['state'])
        for each in found.keys() - wanted.keys()
    ]
    awaited_by = {}
    for each in wanted.values():
        awaited_by.setdefault(each['leads_to'], []).append(each['id'])
    for each in wanted.keys() & found.keys():
        if sorted(found[each]['awaited_by']) != sorted(awaited_by.get(each, [])):
            differences.append(
                '%s: awaited by %s, not %s'
                % (wanted[each]['name'], found[each]['awaited_by'], awaited_by.get(each))
            )
        for field, value in FIELDS.items():
            mine = value(found[each])
            if mine != wanted[each][field]:
                differences.append(
                    '%s: %s is %s, not %s'
                    % (wanted[each]['name'], field, mine, wanted[each][field])
                )
        inner = found.get(wanted[each]['waits_for'])
        if inner and found[each]['frames'][:-1] != [dict(frame) for frame in inner['frames']]:
            differences.append(
                '%s: its stack is %s, that of what it waits for %s'
                % (wanted[each]['name'], found[each]['frames'], inner['frames'])
            )
    return differences


def report(differences):
    if differences:
        pytest.fail(
            '%d differ\n%s'
            % (len(differences), '\n'.join(ascii(each)[1:-1] for each in differences[:40])),
            pytrace=False,
        )


def ask(target, interpreter, *options):
    answer, status, errors = run.answer(
        target, *run.where(interpreter), *options, command=('generators',)
    )
    assert status == 0, errors
    return answer['tasks']


@pytest.mark.parametrize('interpreter', every())
def test_core(dumps, interpreter):
    dump = dumps.core(interpreter, HARD)
    tasks = ask(dump.core, interpreter)
    report(compare(dump.truth, tasks))
    # the comparison must be able to fail
    for field, value in (
        ('own', ['nobody', 1]),
        ('state', 'closed'),
        ('waits_for', '0x10'),
        ('id', '0x10'),
        ('kind', 'frame'),
    ):
        wrong = [dict(each) for each in dump.truth['generators']]
        wrong[-1][field] = value
        assert compare({'generators': wrong}, tasks), field


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version >= (3, 7)))
def test_frozen(dumps, interpreter):
    """gc.freeze() takes objects out of the collector's generations, or gc.get_objects() leaves them
    out."""
    dump = dumps.core(interpreter, FROZEN)
    report(compare(dump.truth, ask(dump.core, interpreter)))


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version >= (3, 6)))
def test_debug_allocator(dumps, interpreter):
    """PYTHONMALLOC=debug puts words before every block."""
    dump = dumps.core(interpreter, MALLOC)
    report(compare(dump.truth, ask(dump.core, interpreter)))


@pytest.mark.parametrize(
    'interpreter',
    every(lambda interpreter: not interpreter.root and not interpreter.tag.startswith('built-')),
)
def test_stripped(dumps, interpreter):
    """No symbols, no DWARF, and the file itself is gone."""
    dump = dumps.copied(interpreter, HARD, hidden=True)
    report(compare(dump.truth, ask(dump.core, interpreter)))


@pytest.mark.parametrize('interpreter', every())
def test_live(interpreter, tmp_path):
    with run.running(interpreter, HARD, str(tmp_path / 'live')) as (pid, truth):
        report(compare(truth, ask(str(pid), interpreter)))


SEGMENT = 1 << 25  # mimalloc's, of 64-bit builds


def damage_heap(core, generators, seed):
    """Overwrite words of the segments that the generators stand in, of what they point to, and of
    free blocks near them."""
    choose = random.Random(seed)
    segments = sorted({int(each['id'], 16) // SEGMENT * SEGMENT for each in generators})
    with CoreFile(core) as file:
        for _ in range(30):
            segment = choose.choice(segments)
            at = segment + 8 * choose.choice([choose.randrange(40), choose.randrange(40, 2000)])
            inner = file.word(at)
            if (
                choose.randrange(3) == 0
                and inner
                and inner % 8 == 0
                and file.offset(inner, 2048) is not None
            ):
                at = inner + 8 * choose.randrange(-8, 60)
            value = choose.choice(
                [
                    segment,
                    segment + 64 * choose.randrange(2000),
                    at,
                    0,
                    8,
                    1 << 16,
                    choose.getrandbits(64),
                    choose.getrandbits(16),
                ]
            )
            if file.offset(at, 8) is not None:
                file.set_word(at, value)


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.free_threaded))
def test_damaged_heap(dumps, interpreter, tmp_path):
    """Whatever stands in the heap's own structs, the answer comes, in time, and says that it is not
    whole."""
    dump = dumps.core(interpreter, HARD)
    wanted, lost = {each['id'] for each in dump.truth['generators']}, 0
    for seed in range(8):
        core = str(tmp_path / ('damaged-%d' % seed))
        subprocess.run(['cp', '--sparse=always', dump.core, core], check=True)
        damage_heap(core, dump.truth['generators'], seed)
        answer, status, errors = run.answer(
            core, *run.where(interpreter), command=('generators',), timeout=60
        )
        assert status in (0, 1, 2), 'seed %d: status %d %s' % (seed, status, errors[-500:])
        missing = wanted - {task['id'] for task in answer['tasks']}
        assert not missing or answer['errors'], 'seed %d: %d are missing and nothing is said' % (
            seed,
            len(missing),
        )
        lost += bool(missing)
        os.remove(core)
    assert lost, 'no damage did any harm'


INTERPRETERS = programs.Program(
    'generators-interpreters', 'generators_interpreters.py', since=(3, 3)
)


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version >= (3, 3)))
def test_interpreters(dumps, interpreter):
    """Each interpreter's, once: with a collector in common (to 3.8), one each (3.9), or a heap each
    (free-threaded)."""
    dump = dumps.core(interpreter, INTERPRETERS)
    found = sorted(
        (task['id'], task['name'].rpartition('.')[2].strip('<>'), task['frames'][-1]['line'])
        for task in ask(dump.core, interpreter)
        if task['kind'] == 'generator' and task['state'] != 'running'
    )
    wanted = sorted(
        (each['id'], each['name'].strip('<>'), each['line']) for each in dump.truth['generators']
    )
    assert found == wanted
    assert len(wanted) > 4 or not any(
        os.path.exists(os.path.join(dump.directory, 'generators-%d' % i)) for i in range(4)
    )


COLLECTING = programs.Program('generators-collecting', 'generators_collecting.py', ctypes=True)


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.ctypes))
def test_collecting(dumps, interpreter):
    """While the collector counts, its lists cannot be walked backwards."""
    dump = dumps.core(interpreter, COLLECTING)
    tasks = ask(dump.core, interpreter)
    assert len(tasks) >= 350
    assert {each['id'] for each in dump.truth['generators']} == {
        task['id'] for task in tasks if task['kind'] == 'generator' and task['state'] != 'running'
    }
