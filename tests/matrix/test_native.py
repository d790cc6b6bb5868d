"""bt --native: C frames beside gdb's, Python frames beside the truth, and each of them where it is
run."""
import json
import os
import re
import shutil
import subprocess

import pytest

from tests.support import compare, interpreters, programs, run
from tests.matrix.conftest import every, having, pairs
from tests.matrix.test_greenlets import GREENLETS, imports
from tests.matrix.test_stackless_live import PROGRAM as TASKLETS

SHAPES = ('calls', 'threads', 'signals', 'callbacks', 'trace-call', 'deep-3000-mixed')
NATIVE = ('native_outer', 'native_inner', 'native_deep', 'hidden')


def merged(target, *options, command=('bt', '--all', '--native')):
    answer, status, errors = run.answer(target, *options, command=command)
    return answer, status, errors


def misplaced(thread):
    """Python frames stand behind the loop that runs them, and each loop runs some."""
    found, before = [], None
    for frame in thread['frames']:
        python = frame['kind'] != 'native'
        if python and before is None:
            found.append('%s is before all C frames' % frame['function'])
        if python and before and before['kind'] == 'native' and not before['runs_python']:
            found.append('%s stands behind %s' % (frame['function'], before['function']))
        if not python and before and before['kind'] == 'native' and before['runs_python']:
            found.append('%s runs nothing' % before['function'])
        before = frame
    return found


def complete(truth, answer, status, errors):
    found = compare.differences(truth, answer)
    for thread in answer['threads']:
        if compare.python_frames(thread):
            found += misplaced(thread)
        if not any(frame['kind'] == 'native' for frame in thread['frames']):
            found.append('thread %s has no C frames' % thread['tid'])
    if status or answer['errors']:
        found.append('status %d: %s %s' % (status, answer['errors'], errors[-500:]))
    return found


def usual(interpreter, program):
    return program.name in SHAPES


@pytest.mark.parametrize('interpreter, program', pairs(usual))
def test_merged(dumps, interpreter, program):
    """Each Python frame of the truth, none more, behind a C frame of the loop."""
    dump = dumps.core(interpreter, program)
    found = complete(dump.truth, *merged(dump.core, *run.where(interpreter)))
    assert not found, found[:10]


def test_a_wrong_place_is_noticed(dumps):
    usable = [
        i
        for i in interpreters.everything()
        if not i.reason and i.root is None and i.version >= (3, 11)
    ]
    if not usable:
        pytest.skip('no interpreter since 3.11')
    dump = dumps.core(usable[0], programs.find('calls'))
    answer, status, errors = merged(dump.core)
    assert not complete(dump.truth, answer, status, errors)
    thread = next(t for t in answer['threads'] if t['crashed'])
    at = next(i for i, f in enumerate(thread['frames']) if f['kind'] == 'python')
    python, native = thread['frames'][at], thread['frames'][at - 1]
    thread['frames'][at - 1 : at + 1] = [python, native]
    assert any('stands behind' in line for line in complete(dump.truth, answer, status, errors))
    thread['frames'][at - 1 : at + 1] = [native]
    assert any('frame 0: ' in line for line in complete(dump.truth, answer, status, errors))


# --- beside gdb ---

IN_GDB = '''python
import json
frame, found = gdb.newest_frame(), []
while frame is not None and frame.is_valid():
    if frame.type() != gdb.TAILCALL_FRAME:  # these are gone from the stack
        found.append((frame.name(), frame.type() == gdb.INLINE_FRAME))
    frame = frame.older()
print('@' + json.dumps(found))
end
'''


def gdb_frames(dump, interpreter, directory):
    script = directory / 'frames.gdb'
    script.write_text(IN_GDB)
    options = ['set sysroot %s' % interpreter.root] if interpreter.root else []
    options += ['set backtrace past-main on', 'set backtrace past-entry on']
    _, output, errors = run.gdb('source %s' % script, core=dump.core, exe=dump.exe, options=options)
    lines = re.findall(r'^@(.+)$', output, re.M)
    assert lines, (output, errors)
    return [(plain(name), inlined) for name, inlined in json.loads(lines[0])]


def plain(name):
    """One of the names that glibc gives a function, without what the compiler added."""
    name = re.sub(r'^__GI_', '', name or '').split('.')[0]
    return {'gsignal': 'raise'}.get(name, name)


def native_frames(thread):
    return [(plain(f['function']), f['inlined']) for f in thread['frames'] if f['kind'] == 'native']


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.library and interpreter.root is None)
)
def test_beside_gdb(dumps, interpreter, tmp_path):
    """The C frames are gdb's: names, inlined functions, order."""
    for name in ('calls', 'callbacks') if interpreter.ctypes else ('calls',):
        dump = dumps.core(interpreter, programs.find(name))
        answer, _, _ = merged(dump.core, command=('bt', '--native'))
        assert native_frames(answer['threads'][0]) == gdb_frames(dump, interpreter, tmp_path)


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: not interpreter.tag.startswith('built-'))
)
def test_beside_gdb_stripped(dumps, interpreter, tmp_path):
    """Without symbols: as many frames, the same names where there are any."""
    dump = dumps.copied(interpreter, programs.find('calls'))
    answer, status, errors = merged(dump.core, *run.where(interpreter), command=('bt', '--native'))
    ours, theirs = native_frames(answer['threads'][0]), gdb_frames(dump, interpreter, tmp_path)
    ours = [frame for frame in ours if not frame[1]]
    theirs = [frame for frame in theirs if not frame[1]]
    assert len(ours) == len(theirs)
    assert [
        name for (name, _), (other, _) in zip(ours, theirs) if name and other and name != other
    ] == []
    assert not complete(dump.truth, *merged(dump.core, *run.where(interpreter)))


def loop_offsets(answer):
    return [
        frame['offset']
        for thread in answer['threads']
        for frame in thread['frames']
        if frame.get('runs_python')
    ]


LOOPS = b'_PyEval_EvalFrameDefault', b'PyEval_EvalFrameEx'


@pytest.mark.parametrize(
    'interpreter',
    every(
        lambda interpreter: not interpreter.library
        and interpreter.root
        and not interpreter.tag.startswith('built-')
    ),
)
def test_loop_without_a_name(dumps, interpreter):
    """No symbol tells which function is the loop: up to 3.10 its words do, later what it keeps on
    the stack."""
    place = dumps.place(interpreter, 'nameless')
    os.makedirs(place)
    copy = run.Copy(interpreter, place)
    with open(copy.exe, 'rb') as source:
        data = source.read()
    for name in LOOPS:
        data = data.replace(b'\0%s\0' % name, b'\0%s\0' % (b'x' * len(name)))
    with open(copy.exe, 'wb') as target:
        target.write(data)
    dump = run.crash(interpreter, programs.find('calls'), place, 'abort', copy)
    answer, status, errors = merged(dump.core, *run.where(interpreter))
    assert not any(
        name.decode() == f['function']
        for name in LOOPS
        for t in answer['threads']
        for f in t['frames']
    )
    found = complete(dump.truth, answer, status, errors)
    assert not found, found[:10]
    if interpreter.version >= (
        3,
        11,
    ):  # before, the function that made a frame may pass for the loop that runs it
        named = merged(
            dumps.copied(interpreter, programs.find('calls')).core, *run.where(interpreter)
        )[0]
        assert loop_offsets(answer) == loop_offsets(named)


# --- a library of known functions ---


@pytest.fixture(scope='session')
def library(tmp_path_factory):
    compiler = shutil.which('cc') or shutil.which('gcc')
    if not compiler:
        pytest.skip('no C compiler')
    path = str(tmp_path_factory.mktemp('library') / 'libnative.so')
    subprocess.run(
        [
            compiler,
            '-g',
            '-O2',
            '-shared',
            '-fPIC',
            '-o',
            path,
            os.path.join(run.PROGRAMS, 'native.c'),
        ],
        check=True,
    )
    return path


def story(thread, functions):
    """The thread's frames that the program knows of, oldest first."""
    return [f['function'] for f in reversed(thread['frames']) if f['function'] in functions]


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.ctypes and not interpreter.root)
)
def test_known_functions(dumps, interpreter, library):
    """Python and C functions in the order in which they called each other, with their lines."""
    program = programs.Program('native', 'native.py', (library,), ctypes=True)
    dump = dumps.core(interpreter, program)
    answer, status, errors = merged(dump.core)
    assert not complete(dump.truth, answer, status, errors)
    crashed = next(t for t in answer['threads'] if t['crashed'])
    other = next(t for t in answer['threads'] if not t['crashed'])
    functions = NATIVE + ('oldest', 'middle', 'numbers', 'newest', '__lt__', 'worker', 'waiting')
    assert story(crashed, functions) == [
        'oldest',
        'native_outer',
        'native_inner',
        'hidden',
        'middle',
        'numbers',
        'native_deep',
        'native_deep',
        'native_deep',
        'native_deep',
        'newest',
    ]
    assert story(other, functions) == ['worker', '__lt__', 'native_inner', 'hidden', 'waiting']
    with open(os.path.join(run.PROGRAMS, 'native.c')) as source:
        lines = source.read().splitlines()
    for frame in crashed['frames']:
        if frame['function'] in NATIVE:
            assert (
                os.path.basename(frame['file']) == 'native.c' and 'call' in lines[frame['line'] - 1]
            ), frame
            assert frame['module'] == 'libnative.so'


def native_names(thread):
    return [frame['function'] for frame in thread['frames'] if frame['kind'] == 'native']


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.ctypes and not interpreter.root)
)
@pytest.mark.parametrize('end', ['bad_pointer', 'other_stack'])
def test_ends(dumps, interpreter, library, end):
    """A call of what is no function; Python in a signal handler on a stack of its own."""
    program = programs.Program(end, 'native_ends.py', (end, library), ctypes=True)
    dump = dumps.core(interpreter, program)
    answer, status, errors = merged(dump.core)
    dump.truth['end'] = 'abort' if end == 'other_stack' else 'sleep'
    assert not complete(dump.truth, answer, status, errors)
    frames = answer['threads'][0]['frames']
    if end == 'bad_pointer':
        assert (frames[0]['function'], frames[0]['module'], frames[0]['address']) == (
            None,
            None,
            '0x10',
        )
        assert frames[1]['module'].startswith('libffi') or 'ctypes' in frames[1]['module']
    else:
        assert [frame.get('signal') for frame in frames].count(True) == 1
        assert native_names(answer['threads'][0])[-1] == '_start'


def test_overflow(dumps, library):
    """Half a million C frames are folded."""
    usable = [
        i
        for i in interpreters.everything()
        if not i.reason and i.root is None and i.ctypes and i.version >= (3, 6)
    ]
    if not usable:
        pytest.skip('no interpreter with ctypes')
    dump = dumps.core(
        usable[0],
        programs.Program('overflow', 'native_ends.py', ('overflow', library), ctypes=True),
    )
    status, output, errors = run.pyscry(dump.core, 'bt', '--native')
    assert status == 0, errors
    assert (
        re.search(r'^… \d+,\d+ more frames of native_deep$', output, re.M)
        and output.count('native_deep') < 20
    )
    assert 'C   _start (' in output and output.count('\n#') >= 3


# --- other ways to a stack ---


@pytest.mark.parametrize('interpreter', every())
def test_live(dumps, interpreter):
    place = dumps.place(interpreter, 'live-native')
    with run.running(interpreter, programs.find('threads'), place) as (pid, truth):
        found = complete(truth, *merged(pid))
        assert run.state(pid) in 'SR'
    assert not found, found[:10]


ASKING = 'import time\nt = time.time\nwhile 1: ' + '; '.join(['t()'] * 20)


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag.startswith(('host-', 'i386-'))))
def test_vdso(interpreter):
    """Code of the vDSO is named, where its own symbols do not cover it too."""
    process = subprocess.Popen(interpreter.command + ['-c', ASKING])
    try:
        for _ in range(200):
            answer = merged(process.pid)[0]
            with open('/proc/%d/maps' % process.pid) as maps:
                line = next((line for line in maps if '[vdso]' in line), None)
            start, end = (int(n, 16) for n in line.split()[0].split('-')) if line else (0, 0)
            frames = [f for t in answer['threads'] for f in t['frames'] if f['kind'] == 'native']
            inside = [f for f in frames if start <= int(f['address'], 16) < end]
            if inside:
                break
    finally:
        process.kill()
        process.wait()
    if not line:
        pytest.skip('this kernel maps no vDSO')
    assert inside, 'a loop of clock readings was never seen in it'
    assert [f['module'] for f in inside] == ['[vdso]'] * len(inside)
    assert inside[0]['offset'] == int(inside[0]['address'], 16) - start


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.root is None))
def test_in_gdb(dumps, interpreter):
    """The same JSON in gdb, whose threads and registers are its own."""
    dump = dumps.core(interpreter, programs.find('calls'))
    _, output, errors = run.gdb('py-bt --native --json', core=dump.core, exe=dump.exe)
    lines = [line for line in output.splitlines() if line.startswith('{"pyscry"')]
    assert lines, (output, errors)
    mine = merged(dump.core, command=('bt', '--native'))[0]
    assert json.loads(lines[0])['threads'][0]['frames'] == mine['threads'][0]['frames']


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version >= (3, 3)))
def test_interpreters(dumps, interpreter):
    """Sub-interpreters that run in one thread: each stack has its own frames at their places."""
    dump = dumps.core(interpreter, programs.find('interpreters'))
    answer, status, errors = merged(dump.core, *run.where(interpreter))
    assert not compare.differences(dump.truth, answer)
    for thread in answer['threads']:
        before = None
        for frame in thread['frames']:
            assert (
                frame['kind'] == 'native' or before['kind'] != 'native' or before['runs_python']
            ), (thread['tid'], frame)
            before = frame


# --- tasks that have a C stack of their own ---


def misplaced_in(tasks):
    found = []
    for task in tasks:
        if any(frame['kind'] == 'native' for frame in task['frames']):
            found += ['%s %s: %s' % (task['kind'], task['id'], line) for line in misplaced(task)]
    return found


@pytest.mark.parametrize('interpreter', every(having('greenlet', 'x86_64')))
def test_greenlets(dumps, interpreter):
    """Suspended greenlets: C frames out of the saved words, and each Python frame behind its
    loop."""
    if not imports(interpreter, 'greenlet'):
        pytest.skip('%s has no greenlet' % interpreter.tag)
    dump = dumps.core(interpreter, GREENLETS)
    plain = run.answer(dump.core, *run.where(interpreter), command=('greenlets',))[0]['tasks']
    tasks = merged(dump.core, *run.where(interpreter), command=('greenlets', '--native'))[0][
        'tasks'
    ]
    assert [compare.python_frames(task) for task in tasks] == [task['frames'] for task in plain]
    suspended = [
        task
        for task in tasks
        if task['state'] == 'suspended' and task['native_frames'] and not task['native_error']
    ]
    assert suspended and all(
        any(frame['kind'] == 'native' for frame in task['frames']) for task in suspended
    )
    assert not misplaced_in(suspended)


@pytest.mark.parametrize(
    'interpreter',
    every(lambda interpreter: interpreter.stackless)
    or [
        pytest.param(
            None,
            id='none',
            marks=pytest.mark.skip(reason='no Stackless Python: set PYSCRY_INTERPRETERS'),
        )
    ],
)
def test_tasklets(dumps, interpreter):
    """Hard-switched tasklets: C frames out of the saved slices, and each Python frame behind its
    loop."""
    dump = dumps.core(interpreter, TASKLETS)
    tasks = merged(dump.core, command=('tasklets', '--native'))[0]['tasks']
    hard = [task for task in tasks if task['hard_switched'] and not task['native_error']]
    assert hard and all(any(frame['kind'] == 'native' for frame in task['frames']) for task in hard)
    assert not misplaced_in(hard)
