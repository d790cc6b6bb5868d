"""Source lines are the lines that ran, or are left out, or marked: after edits, of other files, of
names that lead nowhere. And of files that nobody touched, nothing is left out."""
import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from tests.support import programs, run

from .conftest import every

EDITS = {
    # how the file is edited: may a line of it be left out?
    'not': False,
    'comment': False,
    'above': True,
    'below': True,
    'call': True,
    'number': True,
    'argument': True,
    'attribute': True,
    'kind': True,
    'name': True,
    'replaced': True,
    'gone': True,
}
PLACES = {'dispatch', 'settle', 'sign', 'stop'}


def frames_of(answer):
    return [
        frame
        for thread in answer['threads']
        for frame in thread['frames']
        if frame['file'] and frame['file'].endswith('victim.py')
    ]


def false_lines(frames, truth):
    """Lines that are shown as sound and did not run there."""
    return [
        (frame['function'], frame['line'], frame['source'])
        for frame in frames
        if frame['source'] is not None
        and 'source_doubt' not in frame
        and frame['source'].split('  #')[0] != truth['ran'][frame['line'] - 1]
    ]


def chosen(interpreter):
    return interpreter.machine == 'x86_64' and not interpreter.root


@pytest.mark.parametrize('interpreter', every(chosen))
def test_edited(dumps, interpreter):
    for edit in sorted(EDITS):
        program = programs.Program('stale-' + edit, 'stale.py', (edit,))
        dump = dumps.core(interpreter, program)
        answer, status, errors = run.answer(dump.core)
        frames = frames_of(answer)
        assert PLACES <= {frame['function'] for frame in frames}, edit
        assert not false_lines(frames, dump.truth), edit
        left_out = [frame['function'] for frame in frames if frame['source'] is None]
        assert bool(left_out) == EDITS[edit], (edit, left_out)
        assert ('does not fit' in errors) == (EDITS[edit] and edit != 'gone'), errors
        assert status == 0, edit
        assert all(frame['line'] for frame in frames), edit
    dump.truth['ran'] = ['other'] * 40
    answer, _, _ = run.answer(
        dumps.core(interpreter, programs.Program('stale-not', 'stale.py', ('not',))).core
    )
    assert false_lines(frames_of(answer), dump.truth), 'the comparison cannot fail'


@pytest.mark.parametrize('interpreter', every(lambda i: chosen(i) and i.version >= (3, 6)))
def test_newer_than_the_process(interpreter, tmp_path):
    """A file that was written after the start is said to be so, live, and no caret points into
    it."""
    program = programs.Program('stale-not', 'stale.py', ('not',))
    with run.running(interpreter, program, str(tmp_path)) as (pid, truth):
        path = tmp_path / 'victim.py'
        answer, _, _ = run.answer(pid)
        assert not [frame for frame in frames_of(answer) if 'source_doubt' in frame]
        os.utime(str(path), (time.time() + 60, time.time() + 60))
        answer, _, _ = run.answer(pid)
        doubts = {frame.get('source_doubt') for frame in frames_of(answer)}
        assert doubts == {'newer than the process'}
        _, text, _ = run.pyscry(pid, 'bt')
        assert 'return settle(total)  [changed since? the file is newer than the process]' in text


@pytest.mark.parametrize('interpreter', every(lambda i: chosen(i) and not i.free_threaded))
def test_untouched(dumps, interpreter):
    """Tens of thousands of lines of the standard library, each instruction's: all of them fit."""
    dump = dumps.core(interpreter, programs.Program('sources', 'sources.py'))
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    said = subprocess.run(
        [tool, dump.core, dump.exe],
        input='\n'.join('@' + code for code in dump.truth['codes']),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=170,
    )
    answers = [json.loads(line) for line in said.stdout.splitlines()]
    assert len(answers) == len(dump.truth['codes'])
    lines = sum(answer['lines'] for answer in answers)
    left_out = [answer['left_out'] for answer in answers if answer['left_out']]
    assert lines > 10000
    # test_grammar has annotations of attributes, dead code and the like: what no program has
    assert len(left_out) <= 4, left_out


NAMES = '''
import os, sys, types
os.mkfifo('fifo.py')
os.symlink('/dev/zero', 'link.py')
here = os.getcwd()
PATHS = [here + '/fifo.py', here + '/link.py', '/dev/zero', '/dev/tty', '/proc/self/status',
         '/etc/passwd', here]
def replaced(code, path):
    if hasattr(code, 'replace'):
        return code.replace(co_filename=path)
    extra = (code.co_kwonlyargcount,) if sys.version_info[0] > 2 else ()
    return types.CodeType(code.co_argcount, *extra + (
        code.co_nlocals, code.co_stacksize, code.co_flags, code.co_code, code.co_consts,
        code.co_names, code.co_varnames, path, code.co_name, code.co_firstlineno, code.co_lnotab,
        code.co_freevars, code.co_cellvars))
def step(f, paths):
    if not paths:
        os.abort()
    types.FunctionType(replaced(f.__code__, paths[0]), globals(), 'step')(f, paths[1:])
step(step, PATHS)
'''


@pytest.mark.parametrize('interpreter', every(chosen))
def test_names_that_lead_elsewhere(interpreter, tmp_path):
    (tmp_path / 'names.py').write_text(NAMES)
    core, _ = run.core_of(interpreter.command + ['names.py'], tmp_path)
    fifo = tmp_path / 'fifo.py'
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    # a writer that is woken by a reader which goes away would die of SIGPIPE
    writer = subprocess.Popen(
        ['sh', '-c', 'exec sh -c "while :; do echo x; sleep 0.05; done" > fifo.py'],
        cwd=str(tmp_path),
    )
    try:
        answer, status, _ = run.answer(core)
        time.sleep(0.3)
        assert writer.poll() is None
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    frames = [frame for thread in answer['threads'] for frame in thread['frames']]
    foreign = [
        frame
        for frame in frames
        if frame['function'] == 'step' and not frame['file'].endswith('names.py')
    ]
    assert len(foreign) == 7
    assert not [frame['source'] for frame in foreign if frame['source']]
    assert [
        frame['source'] for frame in frames if frame['file'] and frame['file'].endswith('names.py')
    ]


RELATIVE = "import os\ndef stop():\n    os.abort()\nstop()\n"
OTHER = "import os\ndef stop():\n    os.remove('everything')\nstop()\n"


@pytest.mark.parametrize('interpreter', every(chosen))
def test_relative_names(interpreter, tmp_path):
    """They count from where the process was started, never from where pyscry is."""
    for name, text in (('one', RELATIVE), ('two', OTHER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'job.py').write_text(text)
    one = str(tmp_path / 'one')
    subprocess.run(
        interpreter.command + ['-c', "exec(compile(open('job.py').read(), 'job.py', 'exec'))"],
        cwd=one,
        env=dict(os.environ, PWD=one),
        preexec_fn=run.limits,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    core = next(str(path) for path in (tmp_path / 'one').iterdir() if path.name.startswith('core'))
    for where in ('one', 'two'):
        done = subprocess.run(
            [run.cli(), core, 'bt'],
            cwd=str(tmp_path / where),
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            universal_newlines=True,
            timeout=60,
        )
        assert '#0  stop (job.py:3)\n    os.abort()\n' in done.stdout
        assert 'everything' not in done.stdout
    os.rename(str(tmp_path / 'one' / 'job.py'), str(tmp_path / 'one' / 'moved.py'))
    assert 'os.abort()' not in run.pyscry(core, 'bt')[1]


@pytest.mark.parametrize('interpreter', every(chosen))
def test_untrusted(dumps, interpreter):
    """Only what the user names is opened: no source, no symbols; both where a directory is
    given."""
    dump = dumps.core(interpreter, programs.PROGRAMS[0])
    trusted = run.pyscry(dump.core, 'bt')[1]
    bare = run.pyscry('--untrusted', dump.core, 'bt')[1]
    mapped = run.pyscry(
        '--untrusted', '--source-map', dump.directory + '=' + dump.directory, dump.core, 'bt'
    )[1]
    # deeper stand the C functions that frames call, which no file tells
    source = re.compile(r'^    \S', re.M)
    assert source.search(trusted) and not source.search(bare)
    assert source.search(mapped)
    assert [line for line in bare.splitlines() if line.startswith('#')]


def some(interpreter):
    wanted = ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.13.0')
    return chosen(interpreter) and interpreter.tag in wanted


@pytest.mark.parametrize('interpreter', every(some))
def test_files_of_another_system(dumps, interpreter):
    """The program is not here: no file of this system is taken for the target's, which is said
    once; --sysroot and --source-map say that they are."""
    program = programs.Program('stale-not', 'stale.py', ('not',))
    dump = dumps.copied(interpreter, program, strip=False, hidden=True)
    answer, status, errors = run.answer(dump.core)
    frames = frames_of(answer)
    assert status == 0 and PLACES <= {frame['function'] for frame in frames}
    assert [frame['source'] for frame in frames if frame['source'] is not None] == []
    assert errors.count('sources are left out') == 1, errors
    for option in (('--sysroot', '/'), ('--source-map', '/=/')):
        answer, status, errors = run.answer(dump.core, *option)
        frames = frames_of(answer)
        assert status == 0 and all(frame['source'] for frame in frames), (option, errors)
        assert not false_lines(frames, dump.truth)
        assert 'left out' not in errors
