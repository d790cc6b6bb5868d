"""What breaks the peers: damaged, cut and compressed cores, binaries that are gone or moved,
hostile environments."""
import json
import os
import shutil
import stat
import subprocess
import time

import pytest

from tests.support import compare, interpreters, programs, run
from tests.support.corefile import CoreFile, link

from .conftest import every
from .test_stacks import check, copyable, gdb_answer


def local(interpreter):
    return interpreter.root is None and not interpreter.debug


def one_of_each(interpreter):
    """pyenv's and what was built here: one build of each version."""
    return local(interpreter) and not interpreter.tag.startswith('host')


def patched(dump, name):
    """A copy of the core (holes kept) to damage."""
    path = os.path.join(dump.directory, name)
    subprocess.run(['cp', '--sparse=always', dump.core, path], check=True)
    return path


def own_thread(answer):
    return next(thread for thread in answer['threads'] if thread['crashed'])


def pairs_of_frames(core, frames):
    """(depth, address of the pointer from the frame at that depth to the next older one)"""
    for depth in range(len(frames) - 1):
        at = link(core, int(frames[depth]['address'], 16), int(frames[depth + 1]['address'], 16))
        if at:
            yield depth, at


@pytest.mark.parametrize('interpreter', every(local))
def test_cyclic_chain(dumps, interpreter):
    """A chain of frames that leads back to its begin is shown once, with the reason, and ends."""
    dump = dumps.core(interpreter, programs.find('deep-300'))
    frames = own_thread(run.answer(dump.core)[0])['frames']
    path = patched(dump, 'cyclic')
    with CoreFile(path) as core:
        depth, at = [pair for pair in pairs_of_frames(core, frames) if pair[0] > 100][0]
        core.set_word(at, int(frames[3]['address'], 16))
    begin = time.monotonic()
    answer, status, errors = run.answer(path)
    assert time.monotonic() - begin < 10
    os.remove(path)
    thread = own_thread(answer)
    assert status == 1 and (
        thread['error'] or any(f['kind'] == 'damaged' for f in thread['frames'])
    ), ('the cycle is not told: %s' % errors)
    shown = [f for f in thread['frames'] if f['kind'] == 'python']
    assert depth < len(shown) <= 4 * (depth + 1), 'frames shown: %d, the cycle closes after %d' % (
        len(shown),
        depth,
    )
    assert [f['line'] for f in shown[:depth]] == [f['line'] for f in frames[:depth]]


@pytest.mark.parametrize(
    'value', [0x10, 0x7F0000000001, 0xFFFFFFFFFFFFFFFF, 0xDDDDDDDDDDDDDDDD], ids=hex
)
@pytest.mark.parametrize('interpreter', every(one_of_each))
def test_broken_chain(dumps, interpreter, value):
    """A chain that leads nowhere: what stands before is exact, the reason is told, other threads
    are whole."""
    dump = dumps.core(interpreter, programs.find('threads'))
    whole = run.answer(dump.core)[0]
    victim = max(whole['threads'], key=lambda thread: len(thread['frames']))
    path = patched(dump, 'broken')
    with CoreFile(path) as core:
        depth, at = [pair for pair in pairs_of_frames(core, victim['frames']) if pair[0] > 20][0]
        core.set_word(at, value)
    answer, status, errors = run.answer(path)
    os.remove(path)
    assert status == 1, errors
    for before, after in zip(whole['threads'], answer['threads']):
        if before['tid'] != victim['tid']:
            assert before == after
        else:
            assert after['frames'][:depth] == before['frames'][:depth]
            assert after['error'] or after['frames'][depth + 1]['kind'] == 'damaged'
            found = [f for f in after['frames'] if f['kind'] == 'python']
            assert found == before['frames'], 'the frames behind the break are not found'


@pytest.mark.parametrize('interpreter', every(one_of_each))
def test_damaged_code(dumps, interpreter):
    """One code object is garbage: the frames of all others are exact."""
    dump = dumps.core(interpreter, programs.find('flow'))
    whole = own_thread(run.answer(dump.core)[0])['frames']
    path = patched(dump, 'code')
    victim = int(whole[40]['address'], 16)
    with CoreFile(path) as core:
        # the code object is what the frame points to and whose first words, as it is static, no
        # other frame shares
        words = {at: core.word(at) for at in range(victim, victim + 128, 8)}
        changed = 0
        for at, value in words.items():
            if (
                value
                and core.offset(value, 64)
                and core.offset(core.word(value + 8) or 0, 8) is not None
                and changed < 1
            ):
                core.set_word(at, 0x4141414141414141)
                changed += 1
    answer, status, errors = run.answer(path)
    os.remove(path)
    frames = own_thread(answer)['frames']
    assert [f['line'] for f in frames[:40]] == [f['line'] for f in whole[:40]]
    assert status in (0, 1), errors


@pytest.mark.parametrize('how', ['gzip', 'xz', 'zstd', 'lz4'])
def test_compressed(dumps, how):
    dump = some_core(dumps)
    path = os.path.join(dump.directory, 'core.' + how)
    if not shutil.which(how):
        pytest.skip('no %s here' % how)
    with open(dump.core, 'rb') as source, open(path, 'wb') as target:
        subprocess.run([how, '-1', '-c'], stdin=source, stdout=target, check=True)
    answer, status, errors = run.answer(path)
    os.remove(path)
    check(dump.truth, answer, status, errors=errors)


def some_interpreter(*wanted, choose=local):
    for interpreter in interpreters.everything():
        if (
            not interpreter.reason
            and choose(interpreter)
            and (not wanted or interpreter.version[:2] in wanted)
        ):
            return interpreter
    pytest.skip('no such interpreter here')


def some_core(dumps, *wanted, program='threads'):
    interpreter = some_interpreter(*(wanted or ((3, 11), (3, 12), (3, 13))))
    return dumps.core(interpreter, programs.find(program))


@pytest.mark.parametrize('version', [(2, 7), (3, 9), (3, 13)], ids=str)
def test_truncated(dumps, version):
    """Cut anywhere: never a crash, never silence; the whole stack as long as its memory is
    there."""
    dump = some_core(dumps, version)
    size = os.path.getsize(dump.core)
    lengths = (
        [0, 1, 63, 64, 100, 500, 4095, 4096] + [size * i // 32 for i in range(1, 32)] + [size - 1]
    )
    best = 0
    for length in lengths:
        path = patched(dump, 'cut')
        os.truncate(path, length)
        status, output, errors = run.pyscry('--json', path, 'bt', '--all', timeout=20)
        assert status in (0, 1, 2), 'cut at %d: status %d: %s' % (length, status, errors)
        if status:
            assert errors.strip(), 'cut at %d: no word of explanation' % length
        if status < 2:
            best = max(best, sum(len(t['frames']) for t in json.loads(output)['threads']))
    os.remove(path)
    assert best > 50, 'a core that lacks its last byte gives %d frames only' % best


def test_moved_executable(dumps):
    """The executable is elsewhere now: --exe tells where."""
    interpreter = some_interpreter(
        choose=lambda i: local(i) and copyable(i) and i.version >= (3, 9) and not i.library
    )
    dump = dumps.copied(interpreter, programs.find('flow'), hidden=True)
    check(dump.truth, *run.answer(dump.core, '--exe', interpreter.exe)[:2])


@pytest.mark.parametrize('interpreter', every(lambda i: local(i) and copyable(i)))
def test_deleted_while_running(dumps, interpreter):
    """Executable and libpython were deleted under a running process: both are still behind
    /proc."""
    place = dumps.place(interpreter, 'deleted')
    os.makedirs(place)
    copy = run.Copy(interpreter, place, strip=False)
    with run.running(interpreter, programs.WAITING, place, copy) as (pid, truth):
        copy.remove()
        answer, status, errors = run.answer(pid)
        check(truth, answer, status, errors=errors)


@pytest.mark.parametrize('interpreter', every(lambda i: copyable(i) and i.version >= (3, 13)))
def test_no_file_at_all(dumps, interpreter):
    """Since 3.13 the core alone is enough: not one mapped file of the core exists here."""
    dump = dumps.copied(interpreter, programs.find('threads'), hidden=True)
    path = patched(dump, 'nothing')
    with CoreFile(path) as core:
        core.hide_files()
    answer, status, errors = run.answer(path)
    os.remove(path)
    check(dump.truth, answer, status, errors=errors)


def test_script(dumps):
    """A script with a #! line: the process is called by the script's name, the executable is the
    interpreter."""
    interpreter = some_interpreter((3, 12), (3, 11))
    place = dumps.place(interpreter, 'script')
    run.prepare(programs.find('flow'), place)
    script = os.path.join(place, 'service')
    with open(os.path.join(place, 'shapes_flow.py')) as source, open(script, 'w') as target:
        target.write('#!%s\n' % interpreter.exe + source.read())
    os.chmod(script, stat.S_IRWXU)
    subprocess.run(
        [script],
        cwd=place,
        env=run.environment(place, 'abort'),
        preexec_fn=run.limits,
        stderr=subprocess.DEVNULL,
    )
    core = os.path.join(place, 'core')
    if not os.path.exists(core):
        pytest.skip('no core file here')
    check(run.load(place), *run.answer(core)[:2])


@pytest.mark.parametrize('home', ['/nonexistent', '2.7'])
def test_pythonhome(dumps, home):
    """$PYTHONHOME belongs to another Python. A gdb whose own Python does not start with it ends at
    once, before any script is read, unless it is told to ignore the environment (gdb 12 and newer);
    pyscry never looks at it.
    """
    dump = some_core(dumps)
    env = {'PYTHONHOME': some_interpreter((2, 7)).prefix if home == '2.7' else home}
    status, output, errors = run.pyscry('--json', dump.core, 'bt', '--all', env=env)
    check(dump.truth, json.loads(output), status, errors=errors)
    status, output, errors = run.gdb(
        'py-bt', core=dump.core, exe=dump.exe, env=env, early=['set python ignore-environment on']
    )
    assert 'main' in output and 'threads.py:' in output, output[-2000:] + errors[-2000:]


@pytest.mark.parametrize('interpreter', every(one_of_each))
def test_locals_in_sleep(dumps, interpreter):
    """Stopped deep inside time.sleep: the locals of the Python frame that called it."""
    place = dumps.place(interpreter, 'locals')
    with run.running(interpreter, programs.WAITING, place) as (pid, truth):
        status, output, errors = run.gdb('py-locals', pid=pid)
    assert 'seconds = 600' in output and "part = 'first'" in output, output + errors
    assert 'local_text = ' in output and 'request = ' in output and 'self = ' in output


@pytest.mark.parametrize('interpreter', every(one_of_each))
def test_deep_is_fast_and_folded(dumps, interpreter):
    dump = dumps.core(interpreter, programs.find('deep-20000'))
    begin = time.monotonic()
    status, output, errors = run.pyscry(dump.core, 'bt', '--all')
    assert status == 0 and time.monotonic() - begin < 5
    assert len(output.splitlines()) < 1000 and 'more frames of down' in output


@pytest.mark.parametrize('interpreter', every(one_of_each))
def test_gdb_frame_by_frame(dumps, interpreter):
    """py-up and py-down walk Python frames, also within one C call of the interpreter."""
    dump = dumps.core(interpreter, programs.find('flow'))
    frames = own_thread(run.answer(dump.core)[0])['frames']
    status, output, errors = run.gdb(
        'py-frame 0', 'py-up', 'py-up', 'py-down', 'py-frame 7', core=dump.core, exe=dump.exe
    )
    wanted = [0, 1, 2, 1, 7]
    lines = [
        line for line in output.splitlines() if line.startswith('#') and '.py:%d' % 0 not in line
    ]
    shown = [
        line
        for line in lines
        if line.split()[0] in ('#%d' % n for n in range(10)) and '.py' in line
    ]
    assert len(shown) >= 5, output + errors
    for line, depth in zip(shown[-5:], wanted):
        assert (
            line.startswith('#%d ' % depth) and ':%d' % frames[depth]['line'] in line
        ), '%s\nexpected frame %d: %s' % (output, depth, frames[depth])


def test_answers_agree(dumps):
    """gdb and the command line give the same JSON, apart from what names the target."""
    dump = some_core(dumps)
    ours = run.answer(dump.core)[0]
    theirs = gdb_answer('py-bt --all --json', core=dump.core, exe=dump.exe)
    for answer in (ours, theirs):
        answer.pop('target')
    assert ours['threads'] == theirs['threads']
    assert not compare.differences(dump.truth, dict(theirs, target={}))
