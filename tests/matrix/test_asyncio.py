"""asyncio in every shape, and tasks that nobody should make: all fields of all tasks, on every
interpreter, in cores and live."""
import json
import os
import shutil

import pytest

from tests.support import programs, run
from tests.support.damage import answers_when_damaged

from .conftest import every, has, need
from .test_tasks import ask, compare, frames, report, since

SHAPES = [
    programs.Program('tasks-shapes', 'tasks_shapes.py', since=(3, 5)),
    programs.Program('tasks-1000', 'tasks_shapes.py', ('9',), since=(3, 5)),
    programs.Program('tasks-python', 'tasks_shapes.py', ('python',), since=(3, 6)),
    programs.Program('tasks-alone', 'tasks_shapes.py', ('alone',), since=(3, 6)),
    programs.Program('tasks-debug', 'tasks_shapes.py', ('debug',), since=(3, 5)),
]
ODD = programs.Program('tasks-odd', 'tasks_odd.py', since=(3, 7))
MENTIONED = programs.Program('tasks-mentioned', 'tasks_mentioned.py', since=(3, 7))


# what pyscry says of a task, in the program's words
EVERYTHING = {
    'name': lambda task: task['name'],
    'state': lambda task: task['state'],
    'frames': frames,
    'waits_for': lambda task: None if task['state'] == 'running' else task['waits_for'],
    'awaited_by': lambda task: sorted(task['awaited_by']),
    'callbacks': lambda task: [each['id'] for each in task['callbacks']],
    'coroutine': lambda task: task['coroutine'] and task['coroutine']['id'],
    'must_cancel': lambda task: task['must_cancel'],
    'loop': lambda task: task['loop'],
    'cancelling': lambda task: task['cancelling'],
    'exception': lambda task: task['exception'] and task['exception']['id'],
    'error': lambda task: task['error'],
}


def compare_everything(truth, target, interpreter):
    answer, found, status, errors = ask(target, interpreter, 'tasks', '--all')
    wanted = [
        dict(
            {
                'awaits': sorted(
                    each['id'] for each in truth['tasks'] if task['id'] in each['awaited_by']
                )
            },
            error=None,
            **task,
        )
        for task in truth['tasks']
    ]
    differences = compare(wanted, found, EVERYTHING)
    differences += compare(
        [task for task in wanted if task['never_retrieved'] is not None and task['id'] in found],
        {task['id']: found[task['id']] for task in wanted if task['id'] in found},
        {'never_retrieved': lambda task: task['never_retrieved']},
    )
    loops = [
        {key: loop[key] for key in ('id', 'running', 'closed', 'thread', 'current')}
        for loop in answer['loops']
    ]
    for loop in truth['loops']:
        if loop not in loops:
            differences.append('no loop %s among %s' % (loop, loops))
    if len(loops) != len(truth['loops']):
        differences.append('%d loops, not %d' % (len(loops), len(truth['loops'])))
    if status:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


def runs(listed, choose=lambda interpreter, program: True):
    """Parameters: every program with the interpreters that `choose` takes."""
    for program in listed:
        for each in every(
            lambda interpreter, program=program: interpreter.version >= program.since
            and choose(interpreter, program)
        ):
            yield pytest.param(
                each.values[0], program, id='%s-%s' % (each.id, program.name), marks=each.marks
            )


@pytest.mark.parametrize(
    'interpreter,program',
    runs(
        SHAPES,
        lambda interpreter, program: program.name != 'tasks-alone'
        or interpreter.version[:2] in ((3, 6), (3, 8), (3, 11), (3, 13), (3, 15)),
    ),
)
def test_shapes(dumps, interpreter, program):
    """Whatever asyncio's library makes, a thousand tasks of it, written in C and in Python, and in
    debug mode."""
    need(interpreter, 'asyncio')
    dump = dumps.core(interpreter, program)
    report(compare_everything(dump.truth, dump.core, interpreter))


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.version[:2] in ((3, 6), (3, 11), (3, 15)))
)
def test_count(dumps, interpreter):
    """Every task in one of the lines, and in the line of its place."""
    dump = dumps.core(interpreter, SHAPES[0])
    _, output, _ = run.pyscry(*run.where(interpreter), dump.core, 'tasks', '--all', '--count')
    lines = [line.split(' ', 1) for line in output.split('\n\n', 1)[1].splitlines()]
    assert sum(int(count.replace(',', '')) for count, _ in lines) == len(dump.truth['tasks'])
    lines = [(int(count), rest) for count, rest in lines]
    assert lines == sorted(lines, key=lambda line: -line[0])
    bare = [
        task
        for task in dump.truth['tasks']
        if 'bare' in [function for function, _ in task['frames']]
    ]
    assert any(count == len(bare) and '[pending] in bare (' in rest for count, rest in lines)


def test_shapes_notice(dumps):
    """A truth that is not the core's is found to be so, in each of its fields."""
    interpreter = next(
        (each.values[0] for each in every(since(3, 8)) if not each.values[0].reason), None
    )
    if interpreter is None:
        pytest.skip('no interpreter since 3.8')
    dump = dumps.core(interpreter, SHAPES[0])
    for field in [field for field in EVERYTHING if field not in ('error', 'awaits')] + [
        'never_retrieved'
    ]:
        truth = json.loads(json.dumps(dump.truth))
        task = next(task for task in truth['tasks'] if task['state'] == 'pending')
        task[field] = {'frames': [['another', 1]], 'awaited_by': ['0x10']}.get(field, 'another')
        assert any(
            field in each for each in compare_everything(truth, dump.core, interpreter)
        ), field
    for key in ('id', 'running', 'closed', 'thread', 'current'):
        truth = json.loads(json.dumps(dump.truth))
        truth['loops'][-1][key] = 'another'
        assert compare_everything(truth, dump.core, interpreter), key


@pytest.mark.parametrize('interpreter', every(since(3, 5)))
def test_shapes_live(interpreter, tmp_path):
    need(interpreter, 'asyncio')
    with run.running(interpreter, SHAPES[0], str(tmp_path / 'live')) as (pid, truth):
        report(compare_everything(truth, str(pid), interpreter))


@pytest.mark.parametrize('interpreter', every(since(3, 7)))
def test_odd(dumps, interpreter):
    """Foreign tasks, cycles, ten thousand awaits, a thread that left its tasks, eager ones in each
    other."""
    need(interpreter, 'asyncio')
    dump = dumps.core(interpreter, ODD)
    answer, found, status, errors = ask(dump.core, interpreter, 'tasks', '--all')
    known = {task['id']: found[task['id']] for task in dump.truth['tasks'] if task['id'] in found}
    differences = compare(
        dump.truth['tasks'],
        known,
        {
            'name': lambda task: task['name'],
            'state': lambda task: task['state'],
            'waits_for': lambda task: task['waits_for'],
            'awaited_by': lambda task: sorted(task['awaited_by']),
            'functions': lambda task: [frame['function'] for frame in task['frames']],
        },
    )
    report(differences)
    assert {
        task['id']: [frame['function'] for frame in task['frames']]
        for task in answer['tasks']
        if task['state'] == 'running'
    } == dump.truth['running']
    assert [loop['current'] for loop in answer['loops'] if loop['running']] == [
        dump.truth['current']
    ]
    assert status == 0, errors
    _, tree, _ = run.pyscry(*run.where(interpreter), dump.core, 'tasks', '--tree')
    assert tree.count('... a cycle') == 2


INTERPRETERS = programs.Program('tasks-interpreters', 'tasks_interpreters.py', since=(3, 12))


@pytest.mark.parametrize('interpreter', every(since(3, 12)))
def test_interpreters(dumps, interpreter):
    """One thread runs a loop of one interpreter within a loop of another one."""
    dump = dumps.core(interpreter, INTERPRETERS)
    answer, found, status, errors = ask(dump.core, interpreter, 'tasks')
    report(
        compare(
            dump.truth['tasks'],
            found,
            {
                'name': lambda task: task['name'],
                'state': lambda task: task['state'],
                'functions': lambda task: [frame['function'] for frame in task['frames']],
            },
        )
    )
    loops = [
        {key: loop[key] for key in ('id', 'running', 'closed', 'current', 'thread')}
        for loop in answer['loops']
    ]
    assert sorted(loops, key=str) == sorted(dump.truth['loops'], key=str)
    assert status == 0, errors


# --- uvloop, trio and curio ---

UVLOOP = programs.Program('tasks-uvloop', 'tasks_shapes.py', ('uvloop',), since=(3, 6))
TRIO = [
    programs.Program('tasks-trio', 'tasks_trio.py', since=(3, 7)),
    programs.Program('tasks-guest', 'tasks_trio.py', ('guest',), since=(3, 7)),
    programs.Program('tasks-idle-guest', 'tasks_trio.py', ('idle',), since=(3, 7)),
]
CURIO = programs.Program('tasks-curio', 'tasks_curio.py', since=(3, 7))
# pure Python, of Debian's packages: what an interpreter without them gets beside the program
PACKAGES = (
    'trio',
    'outcome',
    'sniffio',
    'sortedcontainers',
    'attr',
    'attrs',
    'async_generator',
    'idna',
    'exceptiongroup',
)
PLACE = '/usr/lib/python3/dist-packages'


# a module in C: only the default Python of each Debian has it
@pytest.mark.parametrize(
    'interpreter',
    every(lambda interpreter: interpreter.tag in ('bullseye-3.9', 'host-3.11', 'sid-3.14')),
)
def test_uvloop(dumps, interpreter):
    need(interpreter, 'uvloop')
    dump = dumps.core(interpreter, UVLOOP)
    report(compare_everything(dump.truth, dump.core, interpreter))


def compare_library(truth, target, interpreter, kind):
    """The keys that the truth has of each task, and the loops of that kind."""
    answer, found, status, errors = ask(target, interpreter, 'tasks')
    found = {identity: task for identity, task in found.items() if task['kind'] == kind}
    words = {
        'frames': frames,
        'coroutine': EVERYTHING['coroutine'],
        'awaited_by': EVERYTHING['awaited_by'],
    }
    assert truth['tasks']
    differences = compare(
        truth['tasks'],
        found,
        {key: words.get(key, lambda task, key=key: task[key]) for key in truth['tasks'][0]},
    )
    loops = [
        {key: loop[key] for key in ('id', 'running', 'closed', 'thread', 'current')}
        for loop in answer['loops']
        if loop['kind'] == kind
    ]
    if sorted(loops, key=lambda loop: loop['id']) != sorted(
        truth['loops'], key=lambda loop: loop['id']
    ):
        differences.append('loops %s, not %s' % (loops, truth['loops']))
    if status:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


def provide(interpreter, directory):
    """Put trio beside the program where the interpreter has none: 0.22, which does not run on 3.13
    and later."""
    if has(interpreter, 'trio'):
        return
    old = interpreter.version < (3, 11)  # its groups of exceptions are a package's
    if (
        not os.path.exists(PLACE + '/trio')
        or interpreter.version >= (3, 13)
        or (old and not os.path.exists(PLACE + '/exceptiongroup'))
    ):
        pytest.skip('%s has no trio' % interpreter.tag)
    for name in PACKAGES:
        if os.path.exists(os.path.join(PLACE, name)):
            shutil.copytree(
                os.path.join(PLACE, name),
                os.path.join(directory, name),
                ignore=shutil.ignore_patterns('tests', '*.so', '__pycache__'),
            )


@pytest.mark.parametrize(
    'interpreter,program',
    runs(
        TRIO,
        lambda interpreter, program: 'idle' not in program.args
        or interpreter.tag in ('host-3.11', 'sid-3.14'),
    ),
)
def test_trio(interpreter, program, tmp_path):
    provide(interpreter, str(tmp_path))
    dump = run.crash(interpreter, program, str(tmp_path))
    report(compare_library(dump.truth, dump.core, interpreter, 'trio'))
    for key in dump.truth['tasks'][-1]:
        dump.truth['tasks'][-1][key] = [] if key == 'frames' else 'another'
        assert compare_library(dump.truth, dump.core, interpreter, 'trio'), key


@pytest.mark.parametrize(
    'interpreter',
    every(lambda interpreter: interpreter.version >= (3, 7) and interpreter.tag.startswith('host')),
)
def test_trio_live(interpreter, tmp_path):
    provide(interpreter, str(tmp_path))
    with run.running(interpreter, TRIO[0], str(tmp_path)) as (pid, truth):
        report(compare_library(truth, str(pid), interpreter, 'trio'))


def provide_curio(interpreter, directory):
    """Debian has no package of it: who has it may set PYSCRY_CURIO to the directory that holds its
    package."""
    place = os.environ.get('PYSCRY_CURIO')
    if place:
        shutil.copytree(os.path.join(place, 'curio'), os.path.join(directory, 'curio'))
    else:
        need(interpreter, 'curio')


@pytest.mark.parametrize('interpreter', every(since(3, 7)))
def test_curio(interpreter, tmp_path):
    provide_curio(interpreter, str(tmp_path))
    dump = run.crash(interpreter, CURIO, str(tmp_path))
    report(compare_library(dump.truth, dump.core, interpreter, 'curio'))


@pytest.mark.parametrize(
    'interpreter,program',
    runs(
        [SHAPES[0], ODD, TRIO[0]],
        lambda interpreter, program: interpreter.tag in ('host-3.11', 'sid-3.14'),
    ),
)
def test_damaged_shapes(interpreter, program, tmp_path):
    """Words of tasks, loops, coroutines and what they lead to overwritten: an answer comes, in
    time, and it is JSON."""
    if program in TRIO:
        provide(interpreter, str(tmp_path))
    dump = run.crash(interpreter, program, str(tmp_path))
    for seed in range(4):
        answers_when_damaged(
            interpreter,
            dump.core,
            dump.truth['tasks'] + dump.truth.get('loops', []),
            seed,
            str(tmp_path / 'damaged'),
            (['--json', 'tasks'], ['tasks', '--tree'], ['tasks', '--count']),
        )


@pytest.mark.parametrize('interpreter', every(since(3, 7)))
def test_a_callback_that_mentions_a_task_is_no_await(dumps, interpreter):
    """Only asyncio's own callbacks make one: of gather, wait, shield, wait_for, as_completed and
    the task itself."""
    dump = dumps.core(interpreter, MENTIONED)
    _, found, _, _ = ask(dump.core, interpreter, 'tasks', '--all')
    report(
        [
            '%s is awaited by %s, not %s' % (task, found[task]['awaited_by'], awaiters)
            for task, awaiters in dump.truth['tasks']
            if sorted(found[task]['awaited_by']) != sorted(awaiters)
        ]
    )
