"""Every interpreter found, every program, every source of layouts, every kind of target: all frames
are the truth."""
import json
import os
import re
import subprocess

import pytest

from tests.support import compare, programs, run

from .conftest import every, pairs

FEW = ('flow', 'threads', 'lines')


def few(interpreter, program):
    return program.name in FEW


def check(truth, answer, status=0, wanted=0, errors='', gil=True):
    differences = compare.differences(truth, answer, gil)
    if status != wanted:
        differences.append(
            'exit status %d, expected %d: %s' % (status, wanted, ascii(errors[-2000:]))
        )
    if differences:
        pytest.fail('\n'.join(differences[:40]), pytrace=False)


def check_core(dump, *options, **kwargs):
    answer, status, errors = run.answer(dump.core, *options)
    check(dump.truth, answer, status, errors=errors, **kwargs)
    return answer


def not_everywhere(interpreter, program):
    """200,000 frames on a few interpreters only: the truth and the core alone take seconds."""
    return not program.costly or (
        interpreter.root is None and interpreter.version[:2] in ((2, 7), (3, 8), (3, 11), (3, 13))
    )


@pytest.mark.parametrize('interpreter, program', pairs(not_everywhere))
def test_core(dumps, interpreter, program):
    check_core(dumps.core(interpreter, program), *run.where(interpreter))


@pytest.mark.parametrize('interpreter', every())
def test_signal(dumps, interpreter):
    """A real fault: the thread, the signal and the address are told."""
    dump = dumps.core(interpreter, programs.find('calls'), 'segv')
    answer = check_core(dump, *run.where(interpreter))
    assert answer['target']['signal'] == 11
    if interpreter.ctypes:
        assert answer['target']['fault_address'] == '0x10'


def sources(interpreter):
    """The sources of layouts that must do alone."""
    yield 'rows'
    if interpreter.version >= (3, 13):
        yield 'offsets'
    if interpreter.tag.startswith('pyenv-'):
        yield 'dwarf'


@pytest.mark.parametrize('interpreter, program', pairs(few))
def test_layout(dumps, interpreter, program):
    dump = dumps.core(interpreter, program)
    failed = []
    for source in sources(interpreter):
        try:
            check_core(dump, '--layout', source, *run.where(interpreter))
        except (AssertionError, pytest.fail.Exception) as error:
            failed.append('--layout %s:\n%s' % (source, error))
    if failed:
        pytest.fail('\n'.join(failed), pytrace=False)


def copyable(interpreter, program=None):
    return not interpreter.tag.startswith('built-') and (program is None or program.name in FEW)


@pytest.mark.parametrize('interpreter, program', pairs(copyable))
def test_stripped(dumps, interpreter, program):
    dump = dumps.copied(interpreter, program)
    check_core(dump, *run.where(interpreter))


@pytest.mark.parametrize('interpreter, program', pairs(copyable))
def test_core_only(dumps, interpreter, program):
    """Neither executable nor libpython is on disk: 3.13+ exact; 3.7 to 3.12 too, by a scan of the
    memory that is in the core; older ones exact or a message that names what is missing."""
    dump = dumps.copied(interpreter, program, hidden=True)
    status, output, errors = run.pyscry('--json', dump.core, 'bt', '--all')
    if interpreter.version >= (3, 7):
        check_core(dump)
    elif status == 2:
        name = os.path.basename(interpreter.library or interpreter.exe)
        assert name in errors or name in output, 'the missing file is not named: ' + errors
    else:
        answer, status, errors = run.answer(dump.core)
        check(
            dump.truth, answer, status, errors=errors, gil=False
        )  # _PyThreadState_Current cannot be told by scanning


@pytest.mark.parametrize('interpreter', every())
def test_live(dumps, interpreter):
    """A running process: exact, and running on afterwards."""
    place = dumps.place(interpreter, 'live')
    with run.running(interpreter, programs.WAITING, place) as (pid, truth):
        answer, status, errors = run.answer(pid)
        check(truth, answer, status, errors=errors)
        assert answer['target']['kind'] == 'live' and answer['target']['pid'] == pid
        assert run.state(pid) in 'SR', 'the process was left in state %s' % run.state(pid)


def damaged(thread):
    return thread['error'] or any(frame['kind'] == 'damaged' for frame in thread['frames'])


@pytest.mark.parametrize('interpreter', every())
def test_gcore(dumps, interpreter):
    """A core that gdb made of a process that lives on."""
    place = dumps.place(interpreter, 'gcore')
    with run.running(interpreter, programs.find('threads'), place) as (pid, truth):
        done = subprocess.run(
            ['gcore', '-o', os.path.join(place, 'core'), str(pid)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
    core = os.path.join(place, 'core.%d' % pid)
    if not os.path.exists(core):
        pytest.skip('gcore made no core of %s' % interpreter.tag)
    try:
        answer, status, errors = run.answer(core, *run.where(interpreter))
        assert not any(thread['crashed'] for thread in answer['threads'])
        lost = re.findall(
            r'Memory read failed for corefile section, \d+ bytes at 0x[0-7]\w{0,11}\.',
            done.stdout.decode(errors='replace'),
        )
        if lost and compare.differences(truth, answer):
            # guard pages inside a mapping (glibc 2.42 and newer) make older gdbs drop the megabyte
            # around them
            assert status == 1 and any(
                damaged(thread) for thread in answer['threads']
            ), 'memory is missing, and nothing says so'
            pytest.skip('gdb lost memory of the process: ' + lost[0])
        check(truth, answer, status, errors=errors)
    finally:
        os.remove(core)


def gdb_answer(*commands, **kwargs):
    status, output, errors = run.gdb(*commands, **kwargs)
    lines = [line for line in output.splitlines() if line.startswith('{"pyscry"')]
    assert lines, 'no JSON from gdb: %s\n%s' % (output[-2000:], errors[-2000:])
    return json.loads(lines[0])


def in_gdb(interpreter, program):
    return program.name in ('calls', 'threads', 'unicode-name')


@pytest.mark.parametrize('interpreter, program', pairs(in_gdb))
def test_gdb_core(dumps, interpreter, program):
    dump = dumps.core(interpreter, program)
    options = ['set sysroot %s' % interpreter.root] if interpreter.root else []
    check(
        dump.truth, gdb_answer('py-bt --all --json', core=dump.core, exe=dump.exe, options=options)
    )


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.root is None))
def test_gdb_live(dumps, interpreter):
    place = dumps.place(interpreter, 'gdb-live')
    with run.running(interpreter, programs.WAITING, place) as (pid, truth):
        check(truth, gdb_answer('py-bt --all --json', pid=pid))
        assert run.state(pid) in 'SR'


def test_the_comparison_notices(dumps):
    """A changed fact is reported: the truth of a real core, altered in one place each time."""
    import copy
    from tests.support import interpreters

    usable = [
        i
        for i in interpreters.everything()
        if not i.reason and i.root is None and not i.debug and i.version >= (3, 11)
    ]
    if not usable:
        pytest.skip('no interpreter since 3.11')
    dump = dumps.core(usable[0], programs.find('threads'))
    answer = run.answer(dump.core)[0]
    assert not compare.differences(dump.truth, answer)
    alterations = {
        'line': lambda t: t['threads'][-1]['frames'][1].update(
            line=t['threads'][-1]['frames'][1]['line'] + 1
        ),
        'function': lambda t: t['threads'][0]['frames'][0].update(function='other'),
        'qualname': lambda t: t['threads'][0]['frames'][-1].update(qualname='other'),
        'file': lambda t: t['threads'][1]['frames'][0].update(file='other'),
        'column': lambda t: t['threads'][1]['frames'][1].update(column=99, columns=True),
        'missing': lambda t: t['threads'][0]['frames'].append(dict(t['threads'][0]['frames'][0])),
        'too many': lambda t: t['threads'][0]['frames'].pop(),
        'not in the truth': lambda t: t['threads'].pop(0),
        'name': lambda t: t['threads'][0].update(name='other'),
        'crashed': lambda t: [
            t['threads'][0].update(self=not t['threads'][0]['self']),
            t['threads'][1].update(self=True),
        ],
        'version': lambda t: t.update(version=[3, 2, 1]),
    }
    for what, alter in alterations.items():
        altered = copy.deepcopy(dump.truth)
        alter(altered)
        found = compare.differences(altered, answer)
        assert any(what in line for line in found), 'not noticed: %s: %s' % (what, found)
