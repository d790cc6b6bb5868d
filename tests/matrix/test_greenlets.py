"""Greenlets: all that the program knows of them, and their C stacks, on every interpreter that has
the module."""
import copy
import re
import shutil
import subprocess

import pytest

from tests.support import programs, run
from tests.support.corefile import CoreFile
from tests.support.damage import answers_when_damaged

from .conftest import every, having
from .test_tasks import ask, compare, report

GREENLETS = programs.Program('greenlets', 'greenlets.py')
GEVENT = programs.Program('gevents', 'gevents.py')
EVENTLET = programs.Program('eventlets', 'eventlets.py')
PYTHON_GEVENT = programs.Program('python-gevents', 'gevents.py', ('python',))


def some(*versions):
    return every(
        lambda interpreter: interpreter.version[:2] in versions
        and having('greenlet', 'x86_64')(interpreter)
    )


def imports(interpreter, module):
    environment = run.environment(
        '/', 'none', {'EVENTLET_NO_GREENDNS': 'yes'}
    )  # else it wants a resolv.conf
    return (
        subprocess.run(
            interpreter.command + ['-c', 'import %s' % module],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=60,
            env=environment,
        ).returncode
        == 0
    )


def needs(interpreter, module):
    if not imports(interpreter, module):
        pytest.skip('%s has no %s' % (interpreter.tag, module))


def python_frames(task):
    return [
        [frame['function'].rsplit('.', 1)[-1], frame['line']]
        for frame in task['frames']
        if 'function' in frame
    ]


def loops(task):
    """Frames of the interpreter's loop on the C stack of a suspended greenlet; or why there are
    none."""
    if task['state'] != 'suspended' or task['orphaned']:
        return None
    return task['native_error'] or sum(frame['runs_python'] for frame in task['native_frames'])


def wanted_loops(task, interpreter):
    if task['loops'] is not None and interpreter.machine != 'x86_64':
        return 'saved C stacks of this machine cannot be unwound'
    return None if task['orphaned'] else task['loops']


def compare_greenlets(truth, target, interpreter):
    _, found, status, errors = ask(target, interpreter, 'greenlets')
    wanted = [dict(task, loops=wanted_loops(task, interpreter)) for task in truth['greenlets']]
    differences = compare(
        wanted,
        found,
        {
            'state': lambda task: task['state'],
            'parent': lambda task: task['parent'],
            'thread': lambda task: task['thread'],
            'orphaned': lambda task: task['orphaned'],
            'frames': python_frames,
            'loops': loops,
            'exception': lambda task: task['exception'] and task['exception']['repr'],
        },
    )
    if status:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


@pytest.mark.parametrize('interpreter', every(having('greenlet')))
def test_greenlets(dumps, interpreter):
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    report(compare_greenlets(dump.truth, dump.core, interpreter))


@pytest.mark.parametrize('interpreter', some((3, 9), (3, 11)))
def test_what_differs_is_reported(dumps, interpreter):
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    for key, other in (
        ('state', 'dead'),
        ('parent', '0x10'),
        ('thread', 1),
        ('orphaned', True),
        ('frames', []),
        ('loops', 9),
        ('exception', "KeyError('other')"),
    ):
        truth = copy.deepcopy(dump.truth)
        task = next(task for task in truth['greenlets'] if task['exception'])
        task[key] = other
        assert compare_greenlets(truth, dump.core, interpreter), key
        assert not compare_greenlets(dump.truth, dump.core, interpreter), key


@pytest.mark.parametrize('interpreter', every(having('greenlet')))
def test_greenlets_live(interpreter, tmp_path):
    needs(interpreter, 'greenlet')
    with run.running(interpreter, GREENLETS, str(tmp_path / 'live')) as (pid, truth):
        report(compare_greenlets(truth, str(pid), interpreter))


def waits(task):
    return task['waits'][0] if task['waits'] else None


def runs(task):
    return task['run']['repr'] if task and task['run'] else None


def type_of_wait(task):
    return task['waits'][0]['object']['type'] if task['waits'] else None


def compare_waits(truth, target, interpreter):
    answer, found, status, errors = ask(target, interpreter, 'greenlets')
    ids = {each['id'] for each in truth['greenlets']}
    wanted = [
        dict(
            each,
            waits_for=each['waits_for'] or found.get(each['id'], {}).get('waits_for'),
            run=each['run'] or runs(found.get(each['id'])),
        )
        for each in truth['greenlets']
    ]
    differences = compare(
        wanted,
        {key: task for key, task in found.items() if key in ids},
        {
            'name': lambda task: task['name'],
            'state': lambda task: task['state'],
            'waits_for': lambda task: task['waits_for'],
            'thread': lambda task: task['thread'],
            'run': runs,
            'type': type_of_wait,
            'fd': lambda task: waits(task) and waits(task)['fd'],
            'events': lambda task: waits(task) and waits(task)['events'],
            'timeout': lambda task: task['timeout'] is not None,
            'hub': lambda task: task['is_hub'],
            'scheduled': lambda task: task['scheduled'],
        },
    )
    hub = next(
        (task for task in found.values() if task['is_hub'] and task['thread'] == truth['pid']), None
    )
    if hub is None or hub['loop'] is None or hub['loop']['id'] != truth['loop']:
        differences.append('the hub: %s' % hub)
    if status:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


@pytest.mark.parametrize('interpreter', every(having('gevent')))
@pytest.mark.parametrize('program', [GEVENT, PYTHON_GEVENT], ids=lambda program: program.name)
def test_gevent(dumps, interpreter, program):
    needs(interpreter, 'gevent')
    dump = dumps.core(interpreter, program)
    report(compare_waits(dump.truth, dump.core, interpreter))


@pytest.mark.parametrize('interpreter', every(having('eventlet')))
def test_eventlet(dumps, interpreter):
    needs(interpreter, 'eventlet')
    dump = dumps.core(interpreter, EVENTLET)
    report(compare_waits(dump.truth, dump.core, interpreter))


@pytest.mark.parametrize('interpreter', some((3, 9), (3, 11)))
def test_what_waits_differently_is_reported(dumps, interpreter):
    needs(interpreter, 'gevent')
    dump = dumps.core(interpreter, GEVENT)
    for key, other in (
        ('name', 'x'),
        ('state', 'dead'),
        ('waits_for', '0x10'),
        ('type', 'x'),
        ('fd', 99),
        ('events', 'x'),
        ('timeout', True),
        ('hub', True),
        ('scheduled', True),
    ):
        truth = copy.deepcopy(dump.truth)
        task = next(task for task in truth['greenlets'] if task['fd'] is not None)
        task[key] = other
        assert compare_waits(truth, dump.core, interpreter), key
    assert not compare_waits(dump.truth, dump.core, interpreter)


# --- damage ---


def slices(core, interpreter):
    """id: (address of the saved part of its C stack, its size)"""
    _, output, _ = run.pyscry(*run.where(interpreter), core, 'greenlets', '-v')
    found, identity = {}, None
    for line in output.splitlines():
        identity = line.split()[1] if line.startswith('greenlet ') else identity
        match = re.match(
            r' +C stack 0x[0-9a-f]+-0x[0-9a-f]+, (\d+) bytes saved at 0x([0-9a-f]+)', line
        )
        if match and int(match.group(1)):
            found[identity] = int(match.group(2), 16), int(match.group(1))
    return found


@pytest.mark.parametrize('interpreter', every(having('greenlet', 'x86_64')))
def test_a_damaged_slice_is_told(dumps, interpreter, tmp_path):
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    saved = slices(dump.core, interpreter)
    wanted = {task['id']: task for task in ask(dump.core, interpreter, 'greenlets')[1].values()}
    chosen = [task['id'] for task in dump.truth['greenlets'] if task['id'] in saved][1:3]
    core = str(tmp_path / 'core')
    shutil.copyfile(dump.core, core)
    with CoreFile(core) as file:
        for identity, keep in zip(chosen, (0, 24)):
            at, size = saved[identity]
            for offset in range(8 * keep, size, 8):
                file.set_word(at + offset, 0x4141414141414141)
    found = ask(core, interpreter, 'greenlets')[1]
    for identity, task in found.items():
        if identity in chosen:
            assert task['native_error'], identity
            assert len(task['native_frames']) < len(wanted[identity]['native_frames'])
        else:
            assert task['native_frames'] == wanted[identity]['native_frames']
    assert (
        found[chosen[0]]['native_error'] == 'the saved C stack does not begin as a switch leaves it'
    )


@pytest.mark.parametrize('interpreter', some((3, 9), (3, 11), (3, 14), (3, 15)))
@pytest.mark.parametrize('seed', ['1', '2', '3'])
def test_random_switches(dumps, interpreter, seed):
    """Stacks that were saved in parts, and share their addresses with those above and below
    them."""
    needs(interpreter, 'greenlet')
    dump = dumps.core(
        interpreter, programs.Program('greenlets-random-' + seed, 'greenlets_random.py', (seed,))
    )
    _, found, status, errors = ask(dump.core, interpreter, 'greenlets')
    identities = {task['id'] for task in dump.truth['greenlets']}
    assert len(identities) > 5
    report(
        compare(
            dump.truth['greenlets'],
            {key: task for key, task in found.items() if key in identities},
            {'frames': python_frames, 'loops': loops},
        )
    )
    assert status == 0, errors


@pytest.mark.parametrize('interpreter', some((3, 11), (3, 14), (3, 15)))
def test_the_thread_ends_where_its_greenlet_begins(dumps, interpreter):
    """Whatever called the one that runs is another one's stack, or was."""
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    answer, status, errors = run.answer(
        dump.core, *run.where(interpreter), command=('bt', '--native')
    )
    thread = next(thread for thread in answer['threads'] if thread['tid'] == dump.truth['pid'])
    names = [frame['function'] for frame in thread['frames'] if frame['kind'] == 'native']
    assert 'g_initialstub' in names[-1], names
    assert status == 0, errors


def say_another_version(core, truth, version):
    """Overwrite the text of greenlet.__version__."""
    with CoreFile(core) as file:
        at = file.offset(truth['version_at'], 8)
        place = file.data.find(truth['greenlet'].encode() + b'\0', at)
        assert 0 < place - at < 100 and len(version) == len(truth['greenlet'])
        file.data[place : place + len(version)] = version.encode()


@pytest.mark.parametrize('interpreter', every(having('greenlet')))
def test_layouts_without_a_version(dumps, interpreter, tmp_path):
    """What the greenlets look like counts more than what the module says of itself."""
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    core = str(tmp_path / 'core')
    shutil.copyfile(dump.core, core)
    other = {'0': '3.3.17', '2': '3.5.3', '3': '2.0.2'}[dump.truth['greenlet'][0]]
    for version in (other, 'x' * len(other)):
        say_another_version(
            core,
            dict(dump.truth, greenlet=dump.truth['greenlet'] if version == other else other),
            version,
        )
        report(compare_greenlets(dump.truth, core, interpreter))


@pytest.mark.parametrize('interpreter', some((3, 9), (3, 14)))
@pytest.mark.parametrize('program', [GREENLETS, GEVENT, EVENTLET], ids=lambda program: program.name)
def test_damaged(dumps, interpreter, program, tmp_path):
    """Whatever stands in them, the answer comes, in time."""
    needs(interpreter, {'gevents': 'gevent', 'eventlets': 'eventlet'}.get(program.name, 'greenlet'))
    dump = dumps.core(interpreter, program)
    for seed in range(3):
        answers_when_damaged(
            interpreter,
            dump.core,
            dump.truth['greenlets'],
            seed,
            str(tmp_path / 'damaged'),
            (['--json', 'greenlets'], ['greenlets', '--tree'], ['greenlets', '-v']),
            words=12,
            beside=0,
        )
