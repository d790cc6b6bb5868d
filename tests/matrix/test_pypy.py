"""PyPy: the stacks and values of every PyPy that Debian's suites have, interpreted and in the JIT's
own form."""
import copy
import os

import pytest

from tests.support import debian, interpreters, programs, run

from . import test_dis, test_stacks, test_tasks

STACKS = ['flow', 'py3', 'py36', 'threads', 'lines']
HOT = programs.Program('pypy-hot', 'pypy_hot.py')
PURE = programs.Program('pypy-pure', 'pypy_pure.py')
VALUES = programs.Program('pypy-values', 'pypy_values.py')
GIL = programs.Program('pypy-gil', 'pypy_gil.py')
GENERATORS = programs.Program('pypy-generators', 'generators.py')
GREENLETS = programs.Program('pypy-greenlets', 'pypy_greenlets.py')
INSIDE = programs.Program('pypy-greenlets-inside', 'pypy_greenlets.py', ('inside',))
GC = programs.Program('pypy-gc', 'pypy_gc.py')
MARKING = programs.Program('pypy-marking', 'pypy_gc.py', ('marking',))


def found():
    for tag, root, exe in debian.pypys():
        if isinstance(root, Exception) or not os.path.exists((root or '') + exe):
            reason = root if isinstance(root, Exception) else 'no %s' % exe
            yield pytest.param(
                None, id=tag, marks=[pytest.mark.skip(reason='%s: %s' % (tag, reason))]
            )
            continue
        pypy = interpreters.probe(tag, (root, exe) if root else exe)
        reason = None if pypy.version else pypy.reason
        pypy.reason = None
        marks = (
            [pytest.mark.skip(reason='%s: %s' % (tag, reason))]
            if reason
            else [pytest.mark.xdist_group(tag)]
        )
        yield pytest.param(pypy, id=tag, marks=marks)


EVERY = list(found())


def made(dumps, pypy, program, *options):
    """A core of a program run with options of the interpreter."""
    place = dumps.place(pypy, program.name + '-'.join(options))
    runner = copy.copy(pypy)
    runner.options = list(options)
    return dumps.make(place, lambda: run.crash(runner, program, place))


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('name', STACKS)
@pytest.mark.parametrize('pypy', EVERY)
def test_stacks_of_pypy(dumps, pypy, name, options):
    program = programs.find(name)
    if not program.runs_on(pypy):
        pytest.skip('not for %d.%d' % pypy.version[:2])
    dump = made(dumps, pypy, program, *options)
    test_stacks.check_core(dump, *run.where(pypy), gil=False)


def is_elsewhere(dump, pypy):
    """In another root, by whose names the core knows its files: some systems' cores have ours."""
    told = run.answer(dump.core, command=('info',))[0]
    return pypy.root and not any(str(m['file']).startswith(pypy.root) for m in told['modules'])


def locals_of(dump, pypy, function, *options):
    answer, status, errors = run.answer(
        dump.core,
        '--locals',
        '--max-items',
        '1000000',
        '--max-text',
        '100000000',
        *run.where(pypy),
        command=('bt', '--all') + options,
    )
    assert status == 0, errors
    frames = [frame for thread in answer['threads'] for frame in thread['frames']]
    return next(frame for frame in frames if frame['function'] == function)['locals']


def value_differences(truth, variables):
    got = {variable['name']: variable for variable in variables}
    wrong = ['%s is missing' % name for name in truth['values'] if name not in got]
    for name, variable in got.items():
        if name in truth['values'] and (variable['repr'], variable['type']) != (
            truth['values'][name],
            truth['types'][name],
        ):
            wrong.append(
                '%s: %s %s, not %s %s'
                % (
                    name,
                    variable['type'],
                    variable['repr'][:200],
                    truth['types'][name],
                    truth['values'][name][:200],
                )
            )
    return [ascii(line)[1:-1] for line in wrong]


@pytest.mark.parametrize('pypy', EVERY)
def test_values_of_pypy(dumps, pypy):
    dump = made(dumps, pypy, VALUES)
    variables = locals_of(dump, pypy, 'variables')
    if pypy.version < (3, 9):
        dump.truth['values'].pop('emoji')  # old tables say that it is not printable
    wrong = value_differences(dump.truth, variables)
    assert not wrong, '\n'.join(wrong)
    # and the comparison sees a change in any of them
    for name in dump.truth['values']:
        changed = dict(dump.truth, values=dict(dump.truth['values'], **{name: 'changed'}))
        assert value_differences(changed, variables), name
    names = next(variable for variable in variables if variable['name'] == 'names')
    assert names['repr'] == '<__main__.Named at %s>' % names['address']
    for name, value in (
        ('number', '7'),
        ('text', "'seven'"),
        ('ratio', '0.25'),
        ('many', '[1]'),
        ('six', '6'),
        ('seven', "'last'"),
    ):
        _, output, _ = run.pyscry(
            *run.where(pypy), '--frame', '1', dump.core, 'print', 'names.' + name
        )
        assert output.strip().endswith('names.%s = %s' % (name, value)), (name, output)


ITEMS = [
    ('rest[0]', '2'),
    ('rest[-1]', '3'),
    ('few[1]', "'a'"),
    ('many[150]', '150'),
    ('rotated[0]', '93'),
    ('numbers[1]', '-2'),
    ('reals[0]', '1.5'),
    ('wide[99999]', '99999'),
    ('items[1]', '2'),
    ('recursive[0]', '1'),
    ('recursive[1][1][0]', '1'),
    ("inside['text']", "'seven'"),
    ('inside["ratio"]', '0.25'),
    ('names.many[0]', '1'),
    ("more['key']", "'word'"),
]
NO_ITEMS = [
    ('rest[2]', 'out of range'),
    ("rest['x']", 'takes integers'),
    ("inside['none']", 'no such key'),
    ('names[0]', 'without running code'),
    ('rest[0:1]', 'slices'),
]


@pytest.mark.parametrize('pypy', EVERY)
def test_items_of_pypy(dumps, pypy):
    dump = made(dumps, pypy, VALUES)
    for expression, value in ITEMS:
        status, output, errors = run.pyscry(
            *run.where(pypy), '--frame', '1', dump.core, 'print', expression
        )
        assert (status, output) == (0, '%s = %s\n' % (expression, value)), (expression, errors)
    for expression, why in NO_ITEMS:
        status, output, errors = run.pyscry(
            *run.where(pypy), '--frame', '1', dump.core, 'print', expression
        )
        assert status == 2 and not output and why in errors, (expression, output, errors)


def check_frames(wanted, frames):
    for frame, truth in zip(frames, wanted):
        variables = {variable['name']: variable['repr'] for variable in frame['locals']}
        assert (frame['function'], frame['line']) == (truth['function'], truth['line'])
        assert {name: variables.get(name) for name in truth['locals']} == truth['locals'], truth[
            'function'
        ]
    assert len(frames) >= len(wanted)


@pytest.mark.parametrize('pypy', EVERY)
def test_frames_of_the_jit(dumps, pypy):
    """Frames that only the JIT's resume data describe, of the thread that died and of one that
    waits."""
    dump = made(dumps, pypy, HOT)
    answer, status, errors = run.answer(dump.core, '--locals', *run.where(pypy))
    stacks = [[frame for frame in thread['frames']] for thread in answer['threads']]
    assert status == 0, errors
    main = next(stack for stack in stacks if any(frame['function'] == 'end' for frame in stack))
    parked = next(stack for stack in stacks if any(frame['function'] == 'park' for frame in stack))
    assert any(
        int(frame['address'], 16) >> 48 == 0x5C59 for frame in main
    ), 'the JIT was not at work'
    check_frames(dump.truth['main'], main)
    check_frames(dump.truth['parked'], parked)
    changed = [dict(truth, line=truth['line'] + 1) for truth in dump.truth['main']]
    with pytest.raises(AssertionError):
        check_frames(changed, main)


@pytest.mark.parametrize('pypy', EVERY)
def test_names_of_machine_code(dumps, pypy):
    """A C frame in code that the JIT has made is named by the functions that it was made of."""
    dump = made(dumps, pypy, HOT)
    answer, _, errors = run.answer(dump.core, *run.where(pypy), command=('bt', '--all', '--native'))
    native = {
        thread['tid']: [
            (frame['function'], frame['address'])
            for frame in thread['frames']
            if frame['kind'] == 'native' and 'JIT' in (frame['function'] or '')
        ]
        for thread in answer['threads']
    }
    names = [name for frames in native.values() for name, _ in frames]
    # which of the loops it had made by then, and what went into them, is the JIT's affair
    assert names, (native, errors)
    for name in names:
        start, _, functions = name.partition(' of ')
        functions = set(functions.split(', '))
        assert start == 'JIT code' and (functions <= {'hot', 'end'} or functions == {'park'}), name
    for frames in native.values():
        for name, pc in frames:
            layer = run.answer(dump.core, *run.where(pypy), command=('whatis', pc))[0]['whatis'][
                'layers'
            ][0]
            assert (layer['what'], layer['symbol']) == ('code', name), layer
            assert 0 < layer['offset'] < layer['size'], layer
            _, output, _ = run.pyscry(*run.where(pypy), dump.core, 'whatis', pc)
            assert 'code that no file has, ' + name in output, output
    for tid, frames in native.items():
        _, output, _ = run.pyscry(
            *run.where(pypy), dump.core, 'regs', '--all-frames', *([str(tid)] if tid else [])
        )
        assert all(name in output for name, _ in frames), output


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('pypy', EVERY)
def test_code_of_the_jit_without_a_trace(dumps, pypy, options):
    """What is known of a loop that calls nothing is old: that is said, and only where it is so."""
    dump = made(dumps, pypy, PURE, *options)
    answer, status, errors = run.answer(dump.core, *run.where(pypy))
    thread = answer['threads'][0]
    assert [frame['function'] for frame in thread['frames']] == dump.truth['functions']
    marked = 'code made by the JIT' in (thread['error'] or '')
    assert (marked, status) == ((False, 0) if options else (True, 1)), errors


@pytest.mark.parametrize('pypy', EVERY)
def test_live_pypy(dumps, pypy):
    place = dumps.place(pypy, 'live')
    with run.running(pypy, programs.WAITING, place) as (pid, truth):
        answer, status, errors = run.answer(pid)
        test_stacks.check(truth, answer, status, errors=errors, gil=False)
        if pypy.root is None:
            test_stacks.check(
                truth, test_stacks.gdb_answer('py-bt --all --json', pid=pid), gil=False
            )
        assert run.state(pid) in 'SR'


@pytest.mark.parametrize('pypy', EVERY)
def test_what_pypy_has_not(dumps, pypy):
    """An answer that there is none would be wrong."""
    dump = made(dumps, pypy, VALUES)
    for command in (['verify', '--leaks'], ['zombies']):
        status, output, errors = run.pyscry(*run.where(pypy), '--frame', '1', dump.core, *command)
        assert status == 2 and not output and 'PyPy' in errors, (command, output, errors)


@pytest.mark.parametrize('pypy', EVERY)
def test_dis_of_pypy(dumps, pypy):
    """By PyPy's own names of its byte codes: each instruction as PyPy's dis has it."""
    dump = made(dumps, pypy, test_dis.PROGRAM)
    test_dis.check_function(dump, *run.where(pypy))
    test_dis.check_library(dump, pypy)


@pytest.mark.parametrize('pypy', EVERY)
def test_list_of_pypy(dumps, pypy):
    """The current line of each frame, also of those that only the JIT describes; a function by its
    name; and the byte code where the source is not here."""
    dump = made(dumps, pypy, HOT)
    with open(os.path.join(dump.directory, HOT.script)) as source:
        lines = source.read().split('\n')
    where = run.where(pypy)
    for name in (dump.directory, HOT.script):  # old ones keep the name that they were run by
        where += ('--source-map', '%s=%s' % (name, os.path.join(dump.directory, name)))
    for number, truth in enumerate(dump.truth['main']):
        told, status, errors = run.answer(
            dump.core, '--frame', str(number), *where, command=('list',)
        )
        assert status == 0, errors
        assert [line['line'] for line in told['lines'] if line['current']] == [truth['line']]
        assert all(line['text'] == lines[line['line'] - 1] for line in told['lines'])
    told, status, errors = run.answer(dump.core, *where, command=('list', 'park'))
    assert status == 0, errors
    assert told['lines'][0]['text'].startswith('def park'), told
    status, output, _ = run.pyscry(*run.where(pypy), dump.core, 'list')
    if is_elsewhere(dump, pypy):
        assert status == 1 and 'The byte code of' in output and '-->' in output, output


def roles(dump, answer):
    """(name, gil) of each thread that the program gave a role."""
    by_name = {thread['name']: thread['gil'] for thread in answer['threads']}
    return {role: by_name.get(name, 'not there') for role, name in dump.truth['names'].items()}


@pytest.mark.parametrize('pypy', EVERY)
def test_gil_of_pypy(dumps, pypy):
    """Who holds it and who wants it, by the names that the program gave its threads; unknown where
    the interpreter's code is not at hand."""
    dump = made(dumps, pypy, GIL)
    wanted = {
        'holder': 'held',
        'first': 'waiting',
        'second': 'waiting',
        'sleeper': None,
        'main': None,
    }
    for command in ('threads', 'bt'):
        options = ('--all',) if command == 'bt' else ()
        answer, status, errors = run.answer(
            dump.core, *run.where(pypy), command=(command,) + options
        )
        assert status == 0, errors
        got = roles(dump, answer)
        # the first in the queue wakes up every 0.1 ms to look: it may be found awake
        awake = [name for name in ('first', 'second') if got[name] is None]
        assert len(awake) < 2 and dict(got, **dict.fromkeys(awake, 'waiting')) == wanted, got
        assert {thread['gc'] for thread in answer['threads']} == {None}
    _, output, _ = run.pyscry(*run.where(pypy), dump.core, 'crash')
    assert 'does not hold the GIL' in output and 'GC' not in output, output
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('info',))
    test_dis.SCHEMA.validate(answer)
    (runtime,) = answer['runtimes']
    assert [each['collecting'] for each in runtime['interpreters']] == [None]
    if is_elsewhere(dump, pypy):
        answer, _, _ = run.answer(dump.core, command=('threads',))
        assert roles(dump, answer) == dict.fromkeys(wanted)
        _, output, _ = run.pyscry(dump.core, 'crash')
        assert 'who holds the GIL is not known' in output, output


def wrong_of_collector(found, truth):
    """What a few objects made after the truth was told cannot explain."""
    own, stats = found['incminimark'], truth['stats']
    wrong = [
        (key, own[key], value)
        for key, value in (
            ('phase', truth['phase']),
            ('majors', truth['majors']),
            ('nursery_size', stats['nursery_size']),
            ('raw_bytes', stats['total_rawmalloced_memory']),
            ('raw_peak', stats['peak_rawmalloced_memory']),
            ('milliseconds', stats['total_gc_time']),
        )
        if value is not None and own[key] != value
    ]
    if not 0 <= own['arena_bytes'] - stats['total_arena_memory'] <= 1000:
        wrong.append(('arena_bytes', own['arena_bytes'], stats['total_arena_memory']))
    if own['old_bytes'] != own['arena_bytes'] + own['raw_bytes']:
        wrong.append(('old_bytes', own['old_bytes']))
    if not 0 < own['nursery_filled'] < own['nursery_size']:
        wrong.append(('nursery_filled', own['nursery_filled']))
    if found['enabled'] != truth['enabled']:
        wrong.append(('enabled', found['enabled']))
    return wrong


@pytest.mark.parametrize('program', [GC, MARKING], ids=['idle', 'marking'])
@pytest.mark.parametrize('pypy', EVERY)
def test_collector_of_pypy(dumps, pypy, program):
    """As gc.get_stats(), gc.hooks and gc.collect_step() said just before the end."""
    dump = made(dumps, pypy, program)
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('gc',))
    assert status == 0, errors
    test_dis.SCHEMA.validate(answer)
    (found,) = answer['gc']
    assert found['collecting'] is None and found['generations'] == []
    assert not wrong_of_collector(found, dump.truth)
    for key in ('total_arena_memory', 'total_rawmalloced_memory', 'nursery_size'):
        changed = dict(dump.truth, stats=dict(dump.truth['stats'], **{key: 77}))
        assert wrong_of_collector(found, changed), key
    assert wrong_of_collector(found, dict(dump.truth, enabled=not dump.truth['enabled']))
    status, output, errors = run.pyscry(*run.where(pypy), dump.core, 'gc', '--unreachable')
    assert status == 0 and 'which, only a collection tells' in output, (output, errors)


def generator_differences(truth, tasks):
    found = {
        task['id']: [task['kind'], task['state'], task['name']]
        + [[frame['function'], frame['line']] for frame in task['frames']]
        for task in tasks
    }
    wanted = {
        each['id']: [each['kind'], each['state'], each['name']] + each['frames']
        for each in truth['generators']
    }
    return [
        '%s: %s, not %s' % (key, found.get(key), wanted.get(key))
        for key in sorted(set(found) | set(wanted))
        if found.get(key) != wanted.get(key)
    ]


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('pypy', EVERY)
def test_generators_of_pypy(dumps, pypy, options):
    """All that gc.get_objects() has and no other: kind, state, name, and the stack of what each
    yields from or awaits."""
    dump = made(dumps, pypy, GENERATORS, *options)
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('generators',))
    assert status == 0, errors
    test_dis.SCHEMA.validate(answer)
    if pypy.version < (3,):  # which tells no qualified names, and has no "yield from"
        for each in dump.truth['generators']:
            each['name'] = each['frames'][-1][0]
    assert len(dump.truth['generators']) > 5
    assert not generator_differences(dump.truth, answer['tasks'])
    dump.truth['generators'].pop()
    assert generator_differences(dump.truth, answer['tasks'])


def without_own(frames):
    """anext() is written in Python inside of PyPy 3.11: no frame to a user."""
    return [frame for frame in frames if frame[0] != 'anext_impl']


@pytest.mark.parametrize('pypy', EVERY)
def test_tasks_of_pypy(dumps, pypy):
    """Every task of asyncio with its name, state, stack and what it waits for; who awaits it, where
    that is by await or gather()."""
    if not test_tasks.TASKS.runs_on(pypy):
        pytest.skip('not for %d.%d' % pypy.version[:2])
    dump = made(dumps, pypy, test_tasks.TASKS)
    answer, found, status, errors = test_tasks.ask(dump.core, pypy, 'tasks')
    assert status == 0, errors
    test_dis.SCHEMA.validate(answer)
    fields = {
        'name': lambda task: task['name'],
        'state': lambda task: task['state'],
        'frames': test_tasks.frames,
        'lost': lambda task: task['never_retrieved'],
        'waits_for': lambda task: None if task['state'] == 'running' else task['waits_for'],
    }
    truth = dump.truth['tasks']
    for task in truth:
        task['frames'] = without_own(task['frames'])
    assert not test_tasks.compare(truth, found, fields)
    told = [task for task in truth if found[task['id']]['awaited_by']]
    assert all(sorted(found[task['id']]['awaited_by']) == task['awaited_by'] for task in told)
    assert len(told) > 20 and 'it is not known who awaits' in ' '.join(answer['errors']) + errors
    (loop,) = answer['loops']
    assert (loop['running'], loop['closed'], loop['thread'], loop['current'], loop['id']) == (
        True,
        False,
        dump.truth['pid'],
        dump.truth['current'],
        dump.truth['loop'],
    )
    for field in ('state', 'waits_for', 'id'):
        assert test_tasks.compare([dict(truth[3], **{field: '0x10'})] + truth[4:], found, fields)


@pytest.mark.parametrize('program', [GREENLETS, INSIDE], ids=['main', 'inside'])
@pytest.mark.parametrize('pypy', EVERY)
def test_greenlets_of_pypy(dumps, pypy, program):
    """Greenlets and continulets: states, and the stacks that _get_frame() tells; while one runs,
    the main one's, too."""
    dump = made(dumps, pypy, program)
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('greenlets',))
    assert status == 0, errors
    test_dis.SCHEMA.validate(answer)
    wanted = {
        key: (each['state'], each['type'], each['name'] == 'main', each['frames'])
        for key, each in dump.truth.items()
    }
    found = {
        task['id']: (task['state'], task['type'], task['is_main'], test_tasks.frames(task))
        for task in answer['tasks']
    }
    own = {
        task['id']: [
            frame['function']
            for frame in task['frames']
            if os.path.basename(frame['file']) == program.script
        ]
        for task in answer['tasks']
    }
    assert own == {key: each['own'] for key, each in dump.truth.items()}
    for key, each in wanted.items():
        assert found[key][:3] == each[:3]
        assert each[3] is None or found[key][3] == each[3]
    assert pypy.version < (3,) or sum(len(frames) for *_, frames in wanted.values()) > 8
