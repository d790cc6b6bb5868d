"""What is said of threads and interpreters: who waits, who is there, who collects, and whose frames
are whose."""
import contextlib
import json
import os
import shutil
import subprocess

import pytest

from tests.support import interpreters, programs, run
from tests.matrix.conftest import every

PASSING = programs.Program('gil-passing', 'gil_passing.py')
BRIEF = programs.Program('threads-brief', 'threads_brief.py')
SAMPLES = 8


def c_functions(thread):
    return [frame['function'] for frame in thread['frames'] if frame['kind'] == 'native']


def with_symbols(interpreter):
    """Builds whose static functions have names, and where a GIL is passed on by a condition."""
    return (
        interpreter.root is None
        and interpreter.library
        and interpreter.version >= (3, 3)
        and not interpreter.free_threaded
    )


@pytest.mark.parametrize('interpreter', every(with_symbols))
def test_who_gives_the_gil_away_does_not_wait(dumps, interpreter):
    """drop_gil() wakes another thread by the same system call by which take_gil() waits."""
    waiting = 0
    with run.running(interpreter, PASSING, dumps.place(interpreter, 'passing')) as (pid, _):
        for _ in range(SAMPLES):
            answer, status, errors = run.answer(pid, command=('bt', '--all', '--native'))
            for thread in answer['threads']:
                if thread['gil'] == 'waiting':
                    waiting += 1
                    assert not any(
                        (name or '').startswith('drop_gil') for name in c_functions(thread)
                    ), thread
    assert waiting


@pytest.mark.parametrize('interpreter', every())
def test_only_threads_of_the_stop(dumps, interpreter):
    """Threads that ended before the stop are not there, and one that is not there yet is no
    error."""
    with run.running(interpreter, BRIEF, dumps.place(interpreter, 'brief')) as (pid, _):
        for _ in range(SAMPLES):
            answer, status, errors = run.answer(
                pid, *run.where(interpreter), command=('bt', '--all', '--native')
            )
            assert status == 0, (errors, answer['errors'])
            for thread in answer['threads']:
                assert thread['error'] is None, thread
                # whatever ran in the stop has registers
                assert c_functions(thread) or thread['presence'] in ('starting', 'missing'), thread


CLONE3 = bytes.fromhex('b8b3010000' '0f05' '4885c0')  # mov $435,%eax; syscall; test %rax,%rax


# bytes behind the call, the result there in the thread that is looked at
INSTANTS = ((0, '=='), (3, '=='), (5, '=='), (0, '!='), (3, '!='), (7, '!='))


def behind_clone3(pid):
    """Where clone3() of the process' C library comes back, in either thread."""
    with open('/proc/%d/maps' % pid) as maps:
        for line in maps:
            fields = line.split()
            if 'x' in fields[1] and len(fields) > 5 and 'libc' in os.path.basename(fields[5]):
                with open('/proc/%d/root%s' % (pid, fields[5]), 'rb') as file:
                    at = file.read().find(CLONE3)
                if at >= 0:
                    start = int(fields[0].split('-')[0], 16)
                    return start + at - int(fields[2], 16) + 7
    pytest.skip('its clone3() is another')


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in ('pyenv-3.9.18', 'host-3.11')))
def test_between_two_threads(dumps, interpreter):
    """clone3() returns twice, and no unwind table covers its next instructions: above the new
    thread is nobody, above the other its caller."""
    with run.running(interpreter, BRIEF, dumps.place(interpreter, 'between')) as (pid, _):
        place, commands = behind_clone3(pid), []
        for offset, relation in INSTANTS:
            commands += [
                'break *%d if $rax %s 0' % (place + offset, relation),
                'continue',
                'py-bt --native --json',
                'delete',
            ]
        _, output, errors = run.gdb(*commands, pid=pid)
    answers = [json.loads(line) for line in output.splitlines() if line.startswith('{')]
    assert len(answers) == len(INSTANTS), (output, errors)
    for (offset, relation), answer in zip(INSTANTS, answers):
        (thread,) = answer['threads']
        assert not answer['errors'] and thread['error'] is None, (offset, relation, answer)
        assert (len(c_functions(thread)) == 1) == (relation == '=='), (offset, relation, thread)
        if relation == '!=':
            assert 'spawner' in [frame['function'] for frame in thread['frames']], thread


# --- who collects garbage ---

SERVED = programs.Program('served', 'served.py')
ASLEEP = programs.Program('collector-asleep', 'collector_asleep.py')


def collecting(target, interpreter):
    """Names of the threads that collect, and the tids that the interpreters name."""
    answer, status, errors = run.answer(target, *run.where(interpreter), command=('threads',))
    assert status == 0, errors
    named = [
        interp['collector']
        for runtime in answer['runtimes']
        for interp in runtime['interpreters']
        if interp['collecting']
    ]
    return [t['name'] for t in answer['threads'] if t['gc']], [
        t['name'] for t in answer['threads'] if t['tid'] in named
    ]


@pytest.mark.parametrize('interpreter', every())
def test_collector_without_the_gil(dumps, interpreter):
    """A core of a thread that took the GIL meanwhile, and a process in which nobody has it."""
    dump = dumps.core(interpreter, ASLEEP)
    assert collecting(dump.core, interpreter) == (['collector'], ['collector'])
    place = dumps.place(interpreter, 'collector-alive')
    with run.running(interpreter, ASLEEP, place) as (pid, _):
        assert collecting(pid, interpreter) == (['collector'], ['collector'])


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.root is None))
def test_collector_in_gdb(dumps, interpreter):
    dump = dumps.core(interpreter, ASLEEP)
    _, output, errors = run.gdb('py-threads', core=dump.core, exe=dump.exe)
    (line,) = [line for line in output.splitlines() if 'collects garbage' in line]
    assert '"collector"' in line, (output, errors)


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.tag in ('bullseye-2.7', 'pyenv-2.7.18', 'pyenv-3.11.7'))
)
def test_nobody_collects(dumps, interpreter):
    """Not said where nothing notes it: before 3.7, in a build without .symtab."""
    noted = interpreter.tag != 'bullseye-2.7'
    core = dumps.core(interpreter, SERVED).core
    answer, _, _ = run.answer(core, *run.where(interpreter), command=('info',))
    (interp,) = answer['runtimes'][0]['interpreters']
    assert interp['collecting'] is (False if noted else None)
    _, text, _ = run.pyscry(core, *run.where(interpreter), 'crash')
    assert 'the GIL' in text and ('GC not running' in text) == noted


# --- several states of one thread, and states of other threads ---


def compile_c(name, path, *options):
    compiler = shutil.which('cc') or shutil.which('gcc')
    if not compiler:
        pytest.skip('no C compiler')
    source = os.path.join(run.PROGRAMS, name)
    subprocess.run([compiler, '-g', '-o', path, source, *options], check=True)
    return path


@pytest.fixture(scope='session')
def newborn(tmp_path_factory):
    path = str(tmp_path_factory.mktemp('newborn') / 'newborn.so')
    return compile_c('newborn.c', path, '-shared', '-fPIC', '-ldl')


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.root is None))
def test_a_thread_that_is_being_started(dumps, interpreter, newborn, monkeypatch):
    """Its state has no name, no id and no marks; those of the thread that made it stay with that
    one."""
    monkeypatch.setenv('LD_PRELOAD', newborn)
    monkeypatch.setenv('NEWBORN_AFTER', '1')
    dump = dumps.core(interpreter, programs.Program('newborn', 'newborn.py'))
    monkeypatch.delenv('LD_PRELOAD')
    answer, status, errors = run.answer(dump.core)
    assert status == 0, errors
    (starting,) = [t for t in answer['threads'] if t['presence'] == 'starting']
    assert (starting['tid'], starting['gil'], starting['crashed']) == (None, None, False)
    assert starting['frames'] == [] and starting['name'] is None
    (parent,) = [t for t in answer['threads'] if t['tid'] == dump.truth['parent']]
    assert (parent['name'], parent['crashed'], parent['selected']) == ('parent', True, True)
    assert parent['gil'] == (None if interpreter.free_threaded else 'held')
    assert parent['frames'][0]['function'] == 'parent'
    assert 'being started]' in run.pyscry(dump.core, 'threads')[1]


def with_headers(interpreter):
    return interpreter.library and interpreter.root is None


def embedded(interpreter, place, mode):
    """A core of states.c with the interpreter's library."""
    ask = 'import sysconfig; print(sysconfig.get_paths()["include"])'
    include = subprocess.check_output(interpreter.command + ['-c', ask]).decode().strip()
    os.makedirs(place)
    library = interpreter.library
    path = compile_c(
        'states.c',
        os.path.join(place, 'states'),
        *('-w', '-I', include, library, '-lpthread'),
        '-Wl,-rpath,' + os.path.dirname(library),
    )
    env = run.environment(place, 'abort', {'PYTHONHOME': interpreter.prefix})
    subprocess.run(
        [path, mode], cwd=place, env=env, preexec_fn=run.limits, stderr=subprocess.DEVNULL
    )
    found = [name for name in os.listdir(place) if name.startswith('core')]
    if not found:
        pytest.skip('no core file here')
    return os.path.join(place, found[0])


@pytest.mark.parametrize('interpreter', every(with_headers))
def test_the_state_with_the_gil_is_selected(dumps, interpreter):
    place = dumps.place(interpreter, 'several')
    core = dumps.make(place, lambda: embedded(interpreter, place, 'several'))
    answer, status, _ = run.answer(core, command=('threads',))
    held = [(t['gil'], t['selected']) for t in answer['threads']]
    assert sorted(held, key=str) == [('held', True), (None, False), (None, False)]
    assert run.pyscry(core, 'locals')[1] == "mark = 'here'\n"
    assert len({t['tid'] for t in answer['threads']}) == 1


@pytest.mark.parametrize('interpreter', every(with_headers))
def test_a_state_made_by_another_thread(dumps, interpreter):
    """The frames stand in the thread that runs them and crashed, behind its own C frames."""
    place = dumps.place(interpreter, 'handed')
    core = dumps.make(place, lambda: embedded(interpreter, place, 'handed'))
    answer, status, errors = run.answer(core, command=('bt', '--all', '--native'))
    assert status == 0, errors
    (runs,) = [
        t
        for t in answer['threads']
        if [f['function'] for f in t['frames'] if f['kind'] == 'python']
        == ['inner', 'outer', '<module>']
    ]
    assert runs['crashed'] and runs['gil'] == 'held' and runs['selected']
    assert runs['tid'] != answer['target']['pid'] and 'run' in c_functions(runs)
    (main,) = [t for t in answer['threads'] if t['tid'] == answer['target']['pid']]
    assert not main['crashed'] and 'handed' in c_functions(main)


# --- Pythons that are not there yet, end, or are gone ---


@pytest.mark.parametrize('interpreter', every(with_headers))
@pytest.mark.parametrize('mode, words', [('before', 'not yet initialised'), ('after', 'finalized')])
def test_without_an_interpreter(dumps, interpreter, mode, words):
    place = dumps.place(interpreter, mode)
    core = dumps.make(place, lambda: embedded(interpreter, place, mode))
    for command in (['threads'], ['bt'], ['bt', '--all'], ['info']):
        status, output, errors = run.pyscry(core, *command)
        assert status == 0 and not errors, errors
        version = '.'.join(map(str, interpreter.version[:2]))
        (line,) = [line for line in output.splitlines() if words in line]
        assert 'CPython ' + version in line and os.path.basename(interpreter.library) in line
        if command[0] != 'info':
            assert 'no Python state' in output
    answer, _, _ = run.answer(core, command=('threads',))
    assert [r['state'] for r in answer['runtimes']] == [words]


ENDING = programs.Program('ending-slowly', 'ending_slowly.py', since=(3, 3))


@pytest.mark.parametrize('interpreter', every(lambda i: i.version >= (3, 3)))
def test_finalizing(dumps, interpreter):
    """Said in threads, bt and info; no other thread is said to run on."""
    with run.running(interpreter, ENDING, dumps.place(interpreter, 'ending')) as (pid, _):
        for command in (['threads'], ['bt', '--all'], ['info']):
            status, output, errors = run.pyscry(pid, *run.where(interpreter), *command)
            assert status == 0 and 'finalizing' in output, (output, errors)
        answer, _, _ = run.answer(pid, *run.where(interpreter), command=('threads',))
    assert [r['state'] for r in answer['runtimes']] == ['finalizing']
    assert [i['state'] for i in answer['runtimes'][0]['interpreters']] == ['finalizing']
    states = [t for t in answer['threads'] if t['interpreter'] is not None]
    assert [t['tid'] == pid for t in states if not t['halted']] == [True]


@pytest.mark.parametrize('interpreter', every())
def test_running(dumps, interpreter):
    """An ordinary process is none of all this."""
    dump = dumps.core(interpreter, programs.find('threads'))
    answer, status, errors = run.answer(dump.core, *run.where(interpreter), command=('threads',))
    assert {r['state'] for r in answer['runtimes']} == {'running'}
    assert not any(t['halted'] or t['gc'] or t['presence'] != 'here' for t in answer['threads'])
    assert all(r['free_threaded'] == interpreter.free_threaded for r in answer['runtimes'])
    shown = run.pyscry(dump.core, *run.where(interpreter), 'threads')[1]
    assert ('free-threaded' in shown) == interpreter.free_threaded
    shown = run.pyscry(dump.core, *run.where(interpreter), 'info')[1]
    assert ('free-threaded' in shown) == interpreter.free_threaded
    if interpreter.free_threaded:
        attached = {t['crashed']: t['attached'] for t in answer['threads']}
        assert attached == {True: 'attached', False: 'detached'}


def test_two_pythons(dumps, tmp_path):
    """Each thread names its Python."""
    usable = [i for i in interpreters.everything() if not i.reason and with_headers(i)]
    if len(usable) < 2:
        pytest.skip('there are no two shared Pythons')
    pair = usable[-1], usable[-3] if len(usable) > 2 else usable[0]
    path = compile_c('two_pythons.c', str(tmp_path / 'two'), '-ldl', '-lpthread')
    command = [path]
    for number, interpreter in enumerate(pair):
        command += [interpreter.library, interpreter.prefix, 'python_%d' % number]
    env = run.environment(str(tmp_path), 'abort')
    subprocess.run(command, cwd=tmp_path, env=env, preexec_fn=run.limits)
    (core,) = [str(path) for path in tmp_path.iterdir() if path.name.startswith('core')]
    answer, status, errors = run.answer(core)
    assert status == 0, errors
    output = run.pyscry(core, 'threads')[1]
    for number, interpreter in enumerate(pair):
        function = 'python_%d' % number
        (thread,) = [
            t for t in answer['threads'] if function in [f['function'] for f in t['frames']]
        ]
        version = '.'.join(map(str, interpreter.version))
        runtime = answer['runtimes'][thread['runtime']]
        assert (runtime['version'], runtime['module']) == (version, interpreter.library)
        (line,) = [line for line in output.splitlines() if function in line]
        assert 'CPython %s of %s' % (version, os.path.basename(interpreter.library)) in line
    with contextlib.suppress(OSError):
        os.remove(core)


GONE = programs.Program('first-gone', 'first_gone.py', ctypes=True)


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.ctypes))
def test_first_thread_has_exited(dumps, interpreter):
    """One thread, not two, and no reason for another status: nobody runs there any more."""
    with run.running(interpreter, GONE, dumps.place(interpreter, 'gone')) as (pid, truth):
        for command in (('threads',), ('bt', '--all', '--native')):
            answer, status, errors = run.answer(pid, *run.where(interpreter), command=command)
            assert status == 0, errors
            assert {t['tid']: (t['presence'], t['name']) for t in answer['threads']} == {
                pid: ('exited', 'MainThread'),
                truth['tid']: ('here', 'remaining'),
            }
            assert len(answer['threads']) == 2
