"""What others than the interpreter run: generators and coroutines of Cython's, frames of a type of
their own."""
import os
import shutil
import subprocess

import pytest

from tests.support import debian, programs, run

from .conftest import every

GENERATORS = programs.Program('compiled-generators', 'compiled_generators_main.py')
FRAMES = programs.Program('compiled-frames', 'compiled_frames.py')
# each kind of layout with each kind of frames
CYTHONS = {'0.29': ('3.8', '3.11'), '3': ('3.8', '3.11', '3.13')}


def with_headers(*minors):
    return lambda it: (
        it.tag.startswith('pyenv-') and '%d.%d' % it.version[:2] in minors and it.root is None
    )


def compiler():
    found = shutil.which('cc') or shutil.which('gcc')
    if not found:
        pytest.skip('no C compiler')
    return found


def include(interpreter):
    ask = 'import sysconfig; print(sysconfig.get_paths()["include"])'
    return subprocess.check_output(interpreter.command + ['-c', ask]).decode().strip()


def extension(interpreter, source, place, *options):
    os.makedirs(place, exist_ok=True)
    name = os.path.splitext(os.path.basename(source))[0]
    path = os.path.join(place, name + '.so')
    command = [compiler(), '-w', '-O0', '-shared', '-fPIC', '-I', include(interpreter), *options]
    subprocess.run(command + [source, '-o', path], check=True)
    return path


def cythons():
    """The module as each Cython that is here translates it: {'0.29': command}."""
    host = '/usr/lib/python3/dist-packages'
    root = debian.root('sid')
    for path in (host, not isinstance(root, Exception) and root + host):
        version = path and os.path.join(path, 'Cython', 'Shadow.py')
        if version and os.path.exists(version):
            with open(version) as text:
                number = text.read().split('__version__ = "')[1].split('"')[0]
            yield ('0.29' if number.startswith('0.29') else number.split('.')[0]), path


@pytest.fixture(scope='session')
def translated(tmp_path_factory):
    made = {}

    def translate(version):
        path = dict(cythons()).get(version)
        if not path:
            pytest.skip('no Cython %s here' % version)
        if version not in made:
            place = tmp_path_factory.mktemp('cython')
            shutil.copy(os.path.join(run.PROGRAMS, 'compiled_generators.pyx'), str(place))
            subprocess.run(
                ['/usr/bin/python3', '-m', 'cython', 'compiled_generators.pyx'],
                cwd=str(place),
                env=dict(os.environ, PYTHONPATH=path),
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            made[version] = str(place / 'compiled_generators.c')
        return made[version]

    return translate


@pytest.fixture
def generators(dumps, translated, monkeypatch):
    def core(interpreter, version):
        source = translated(version)
        place = dumps.place(interpreter, 'compiled-generators-' + version)
        monkeypatch.setenv('COMPILED', place + '-module')
        extension(interpreter, source, place + '-module')
        return dumps.make(place, lambda: run.crash(interpreter, GENERATORS, place))

    return core


def compare(wanted, found):
    differences = []
    for each in wanted:
        task = found.get(each['id'])
        if not task:
            differences.append('%s is missing' % each)
            continue
        for key in ('kind', 'state', 'name', 'module', 'waits_for'):
            if key in each and task[key] != (each[key] or None):
                differences.append('%s: %s is %s' % (each, key, task[key]))
        own = task['frames'][-1]
        label = 'yield or await %d' % each['label'] if each['label'] else 'defined at line'
        if not own['compiled_place'].endswith(label) and each['label']:
            differences.append('%s stands at %s' % (each, own['compiled_place']))
        if own['line'] is not None or own['compiled'] != 'Cython':
            differences.append('%s: %s' % (each, own))
    return differences


@pytest.mark.parametrize(
    'version, interpreter',
    [
        pytest.param(version, *each.values, id='%s-%s' % (version, each.id), marks=each.marks)
        for version, minors in CYTHONS.items()
        for each in every(with_headers(*minors))
    ],
)
def test_generators_of_cython(generators, version, interpreter):
    """Their states, names, what they wait for; the tasks that run them; their reprs."""
    dump = generators(interpreter, version)
    truth = dump.truth
    answer, status, errors = run.answer(dump.core, command=('generators',))
    assert status == 0, errors
    found = {task['id']: task for task in answer['tasks'] if task.get('compiled')}
    wanted = {each['id']: each for each in truth['generators']}
    assert not compare(truth['generators'], found)
    assert compare([dict(truth['generators'][0], state='suspended')], found)
    # the others: items(), which nothing but the loop has; those that are over are not listed
    assert sorted(task['name'] for task in found.values() if task['id'] not in wanted) == ['items']
    answer, status, errors = run.answer(dump.core, command=('tasks',))
    assert status == 0, errors
    tasks = {task['id']: task for task in answer['tasks']}
    for each in truth['tasks']:
        task = tasks[each['id']]
        assert [frame['function'] for frame in task['frames']] == each['names']
        assert task['waits_for'] == each['waits_for']
        assert run.pyscry(dump.core, 'print', '@' + each['id'])[1].endswith(each['repr'] + '\n')
    for each in truth['generators'][:4]:
        said = run.pyscry(dump.core, 'print', '@' + each['id'])[1]
        assert said.endswith(each['repr'] + '\n')
        said = run.pyscry(dump.core, 'obj', each['id'])[1]
        assert each['name'] in said
        assert {'created': 'not started'}.get(each['state'], each['state']) in said


@pytest.mark.parametrize('interpreter', every(with_headers('3.8', '3.10', '3.11', '3.12', '3.13')))
def test_frames_of_another_type(dumps, interpreter, monkeypatch):
    """Nuitka's compiled_frame: its function and line, and none of what its slots have left over."""
    place = dumps.place(interpreter, 'compiled-frames')
    monkeypatch.setenv('COMPILED', place + '-module')
    source = os.path.join(run.PROGRAMS, 'compiled_frames.c')
    extension(interpreter, source, place + '-module')
    dump = dumps.make(place, lambda: run.crash(interpreter, FRAMES, place))
    answer, status, errors = run.answer(dump.core, '--locals')
    assert status == 0, errors
    frames = answer['threads'][0]['frames']
    found = [[frame['function'], frame['line'], frame.get('compiled')] for frame in frames]
    assert found == dump.truth['frames']
    compiled = [frame for frame in frames if frame.get('compiled')]
    assert len(compiled) == 2
    assert all(frame['locals'] == [] for frame in compiled)
    number = frames.index(compiled[1])
    options = ('--frame', str(number))
    assert run.pyscry(dump.core, *options, 'locals')[1] == '(not known: compiled by Nuitka)\n'
    status, said, errors = run.pyscry(dump.core, *options, 'print', 'a')
    assert (status, said) == (2, '') and "the value of 'a' is not known" in errors
    assert "= ['stale" not in run.pyscry(dump.core, 'bt-full')[1]
