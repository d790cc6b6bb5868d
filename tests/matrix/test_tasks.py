"""asyncio's tasks and suspended generators: all that the program knows of them, on every
interpreter."""
import pytest

from tests.support import programs, run
from tests.support.damage import answers_when_damaged

from .conftest import every

TASKS = programs.Program('tasks', 'tasks.py', since=(3, 5))
GENERATORS = programs.Program('generators', 'generators.py')


def since(*version):
    return lambda interpreter: interpreter.version >= version


def frames(task):
    return [[frame['function'], frame['line']] for frame in task['frames']]


def ask(target, interpreter, *command):
    answer, status, errors = run.answer(target, *run.where(interpreter), command=command)
    return answer, {task['id']: task for task in answer['tasks']}, status, errors


def compare(wanted, found, fields):
    """Every one of `wanted`, with the values that each of `fields` takes from our task; nothing
    else."""
    differences = [
        'nobody knows %s %s' % (task['name'], task['id'])
        for identity, task in found.items()
        if identity not in {each['id'] for each in wanted}
    ]
    for truth in wanted:
        task = found.get(truth['id'])
        if task is None:
            differences.append('%s is missing' % truth)
            continue
        for field, value in fields.items():
            mine = value(task)
            if mine != truth[field] and not (
                field == 'frames' and task['state'] in ('running', 'active')
            ):
                differences.append(
                    '%s: %s %s, not %s'
                    % (truth.get('name') or truth['id'], field, mine, truth[field])
                )
    return differences


def compare_tasks(truth, target, interpreter):
    answer, found, status, errors = ask(target, interpreter, 'tasks', '--all')
    differences = compare(
        truth['tasks'],
        found,
        {
            'name': lambda task: task['name'],
            'state': lambda task: task['state'],
            'frames': frames,
            'awaited_by': lambda task: sorted(task['awaited_by']),
            'lost': lambda task: task['never_retrieved'],
            'waits_for': lambda task: None if task['state'] == 'running' else task['waits_for'],
        },
    )
    loop = next((loop for loop in answer['loops'] if loop['id'] == truth['loop']), None)
    if loop is None or (loop['running'], loop['closed'], loop['thread'], loop['current']) != (
        True,
        False,
        truth['pid'],
        truth['current'],
    ):
        differences.append('the loop: %s' % loop)
    if status != 0:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


def report(differences):
    if differences:
        pytest.fail(
            '%d differ\n%s'
            % (len(differences), '\n'.join(ascii(each)[1:-1] for each in differences[:40])),
            pytrace=False,
        )


@pytest.mark.parametrize('interpreter', every(since(3, 5)))
def test_tasks(dumps, interpreter):
    dump = dumps.core(interpreter, TASKS)
    report(compare_tasks(dump.truth, dump.core, interpreter))


@pytest.mark.parametrize('interpreter', every(since(3, 5)))
def test_tree(dumps, interpreter):
    """Each task stands below everyone that awaits it."""
    dump = dumps.core(interpreter, TASKS)
    _, output, _ = run.pyscry(*run.where(interpreter), dump.core, 'tasks', '--tree')
    stack, edges = [], set()
    for line in output.splitlines():
        words = line.split(' [')[0].rsplit(None, 1)
        if line.startswith('loop ') or len(words) != 2 or not words[1].startswith('0x'):
            continue
        depth = (len(line) - len(line.lstrip())) // 4
        del stack[depth:]
        if stack:
            edges.add((stack[-1], words[1]))
        stack.append(words[1])
    assert edges == {(by, task['id']) for task in dump.truth['tasks'] for by in task['awaited_by']}


@pytest.mark.parametrize('interpreter', every())
def test_generators(dumps, interpreter):
    dump = dumps.core(interpreter, GENERATORS)
    _, found, status, errors = ask(dump.core, interpreter, 'generators')
    report(
        compare(
            dump.truth['generators'],
            found,
            {
                'kind': lambda task: task['kind'],
                'state': lambda task: task['state'],
                'name': lambda task: task['name'],
                'frames': frames,
            },
        )
    )
    assert status == 0, errors


@pytest.mark.parametrize(
    'interpreter',
    every(lambda interpreter: interpreter.version[:2] in ((3, 8), (3, 11), (3, 13), (3, 14))),
)
def test_damaged(dumps, interpreter, tmp_path):
    """Whatever stands in the lists, chains and sets, the answer comes, in time."""
    dump = dumps.core(interpreter, TASKS)
    for seed in range(6):
        answers_when_damaged(
            interpreter,
            dump.core,
            dump.truth['tasks'],
            seed,
            str(tmp_path / 'damaged'),
            (['--json', 'tasks'], ['tasks', '--tree'], ['tasks', '-v'], ['generators']),
        )
