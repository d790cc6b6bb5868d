"""Generators, coroutines and async generators in every odd state, from cores, stripped Pythons, live processes."""
import pytest

from tests.support import programs, run

from .conftest import every

HARD = programs.Program('generators-hard', 'generators_hard.py')
FROZEN = programs.Program('generators-frozen', 'generators_hard.py', ('freeze',), since=(3, 7))
MALLOC = programs.Program('generators-malloc', 'generators_hard.py', ('malloc',), since=(3, 6))


def own(task):
    frame = task['frames'][-1]
    return [frame['function'], frame['line']]


FIELDS = {'kind': lambda task: task['kind'], 'state': lambda task: task['state'], 'name': lambda task: task['name'],
          'waits_for': lambda task: task['waits_for'], 'own': own}


def compare(truth, tasks):
    """Every generator of the truth and no other; each one's own frame, and a stack that is its own and what it waits for."""
    wanted, found = {each['id']: each for each in truth['generators']}, {task['id']: task for task in tasks}
    differences = ['%s is missing' % wanted[each] for each in wanted.keys() - found.keys()]
    differences += ['nobody knows %s %s %s' % (found[each]['name'], each, found[each]['state']) for each in found.keys() - wanted.keys()]
    awaited_by = {}
    for each in wanted.values():
        awaited_by.setdefault(each['leads_to'], []).append(each['id'])
    for each in wanted.keys() & found.keys():
        if sorted(found[each]['awaited_by']) != sorted(awaited_by.get(each, [])):
            differences.append('%s: awaited by %s, not %s' % (wanted[each]['name'], found[each]['awaited_by'], awaited_by.get(each)))
        for field, value in FIELDS.items():
            mine = value(found[each])
            if mine != wanted[each][field]:
                differences.append('%s: %s is %s, not %s' % (wanted[each]['name'], field, mine, wanted[each][field]))
        inner = found.get(wanted[each]['waits_for'])
        if inner and found[each]['frames'][:-1] != [dict(frame) for frame in inner['frames']]:
            differences.append('%s: its stack is %s, that of what it waits for %s' % (wanted[each]['name'], found[each]['frames'], inner['frames']))
    return differences


def report(differences):
    if differences:
        pytest.fail('%d differ\n%s' % (len(differences), '\n'.join(ascii(each)[1:-1] for each in differences[:40])), pytrace=False)


def ask(target, interpreter, *options):
    answer, status, errors = run.answer(target, *run.where(interpreter), *options, command=('generators',))
    assert status == 0, errors
    return answer['tasks']


@pytest.mark.parametrize('interpreter', every())
def test_core(dumps, interpreter):
    dump = dumps.core(interpreter, HARD)
    tasks = ask(dump.core, interpreter)
    report(compare(dump.truth, tasks))
    # the comparison must be able to fail
    for field, value in (('own', ['nobody', 1]), ('state', 'closed'), ('waits_for', '0x10'), ('id', '0x10'), ('kind', 'frame')):
        wrong = [dict(each) for each in dump.truth['generators']]
        wrong[-1][field] = value
        assert compare({'generators': wrong}, tasks), field


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version >= (3, 7)))
def test_frozen(dumps, interpreter):
    """gc.freeze() takes objects out of the collector's generations, or gc.get_objects() leaves them out."""
    dump = dumps.core(interpreter, FROZEN)
    report(compare(dump.truth, ask(dump.core, interpreter)))


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version >= (3, 6)))
def test_debug_allocator(dumps, interpreter):
    """PYTHONMALLOC=debug puts words before every block."""
    dump = dumps.core(interpreter, MALLOC)
    report(compare(dump.truth, ask(dump.core, interpreter)))


@pytest.mark.parametrize('interpreter', every(lambda interpreter: not interpreter.root and not interpreter.tag.startswith('built-')))
def test_stripped(dumps, interpreter):
    """No symbols, no DWARF, and the file itself is gone."""
    dump = dumps.copied(interpreter, HARD, hidden=True)
    report(compare(dump.truth, ask(dump.core, interpreter)))


@pytest.mark.parametrize('interpreter', every())
def test_live(interpreter, tmp_path):
    with run.running(interpreter, HARD, str(tmp_path / 'live')) as (pid, truth):
        report(compare(truth, ask(str(pid), interpreter)))
