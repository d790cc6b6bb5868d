"""Greenlets: all that the program knows of them, and their C stacks, on every interpreter that has the module."""
import copy
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every
from .test_tasks import ask, compare, report

GREENLETS = programs.Program('greenlets', 'greenlets.py')
GEVENT = programs.Program('gevents', 'gevents.py')
PYTHON_GEVENT = programs.Program('python-gevents', 'gevents.py', ('python',))
# where the compiler split the interpreter's loop, and strip took the names of the parts
NAMELESS = ('sid-3.14', 'sid-3.15')


def imports(interpreter, module):
    return subprocess.run(interpreter.command + ['-c', 'import %s' % module], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, timeout=60, env=run.environment('/', 'none')).returncode == 0


def needs(interpreter, module):
    if not imports(interpreter, module):
        pytest.skip('%s has no %s' % (interpreter.tag, module))


def python_frames(task):
    return [[frame['function'].rsplit('.', 1)[-1], frame['line']] for frame in task['frames'] if 'function' in frame]


def loops(task):
    """Frames of the interpreter's loop on the C stack of a suspended greenlet; or why there are none."""
    if task['state'] != 'suspended' or task['orphaned']:
        return None
    return task['native_error'] or sum(frame['runs_python'] for frame in task['native_frames'])


def wanted_loops(task, interpreter):
    if task['loops'] is not None and interpreter.machine != 'x86_64':
        return 'saved C stacks of this machine cannot be unwound'
    if task['orphaned']:
        return None
    return 0 if task['loops'] and interpreter.tag in NAMELESS else task['loops']


def compare_greenlets(truth, target, interpreter):
    _, found, status, errors = ask(target, interpreter, 'greenlets')
    wanted = [dict(task, loops=wanted_loops(task, interpreter)) for task in truth['greenlets']]
    differences = compare(wanted, found, {
        'state': lambda task: task['state'], 'parent': lambda task: task['parent'], 'thread': lambda task: task['thread'],
        'orphaned': lambda task: task['orphaned'], 'frames': python_frames, 'loops': loops,
        'exception': lambda task: task['exception'] and task['exception']['repr']})
    if status:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


@pytest.mark.parametrize('interpreter', every())
def test_greenlets(dumps, interpreter):
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    report(compare_greenlets(dump.truth, dump.core, interpreter))


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version[:2] in ((3, 9), (3, 11)) and interpreter.machine == 'x86_64'))
def test_what_differs_is_reported(dumps, interpreter):
    needs(interpreter, 'greenlet')
    dump = dumps.core(interpreter, GREENLETS)
    for key, other in (('state', 'dead'), ('parent', '0x10'), ('thread', 1), ('orphaned', True), ('frames', []), ('loops', 9),
                       ('exception', "KeyError('other')")):
        truth = copy.deepcopy(dump.truth)
        task = next(task for task in truth['greenlets'] if task['exception'])
        task[key] = other
        assert compare_greenlets(truth, dump.core, interpreter), key
        assert not compare_greenlets(dump.truth, dump.core, interpreter), key


@pytest.mark.parametrize('interpreter', every())
def test_greenlets_live(interpreter, tmp_path):
    needs(interpreter, 'greenlet')
    with run.running(interpreter, GREENLETS, str(tmp_path / 'live')) as (pid, truth):
        report(compare_greenlets(truth, str(pid), interpreter))


def waits(task):
    return task['waits'][0] if task['waits'] else None


def type_of_wait(task):
    return task['waits'][0]['object']['type'] if task['waits'] else None


def compare_waits(truth, target, interpreter):
    answer, found, status, errors = ask(target, interpreter, 'greenlets')
    ids = {each['id'] for each in truth['greenlets']}
    wanted = [dict(each, waits_for=each['waits_for'] or found.get(each['id'], {}).get('waits_for')) for each in truth['greenlets']]
    differences = compare(wanted, {key: task for key, task in found.items() if key in ids}, {
        'name': lambda task: task['name'], 'state': lambda task: task['state'], 'waits_for': lambda task: task['waits_for'],
        'type': type_of_wait, 'fd': lambda task: waits(task) and waits(task)['fd'], 'events': lambda task: waits(task) and waits(task)['events'],
        'timeout': lambda task: task['timeout'] is not None, 'hub': lambda task: task['is_hub'], 'scheduled': lambda task: task['scheduled']})
    hub = next((task for task in found.values() if task['is_hub']), None)
    if hub is None or hub['loop'] is None or hub['loop']['id'] != truth['loop']:
        differences.append('the hub: %s' % hub)
    if status:
        differences.append('exit status %d: %s' % (status, errors[-500:]))
    return differences


@pytest.mark.parametrize('interpreter', every())
@pytest.mark.parametrize('program', [GEVENT, PYTHON_GEVENT], ids=lambda program: program.name)
def test_gevent(dumps, interpreter, program):
    needs(interpreter, 'gevent')
    dump = dumps.core(interpreter, program)
    report(compare_waits(dump.truth, dump.core, interpreter))
