"""crash: on i386; of what nobody could see: SIGKILL; of exceptions of Python's that end a process
by abort()."""
import itertools
import os
import re
import struct
import subprocess

import pytest

from tests.support import debian, run

from .conftest import every

RELEASING = '_Py_NegativeRefcount', 'Py_DECREF', '_Py_DECREF', 'Py_XDECREF'
KEYS = 'address', 'refcount', 'type name'
READS = 'import ctypes\ndef work():\n    ctypes.string_at(%s)\nwork()'


@pytest.mark.parametrize('address', [8, 0x7000])
@pytest.mark.parametrize('interpreter', every(lambda i: i.machine == '32-bit' and i.ctypes))
def test_i386(interpreter, address, tmp_path):
    """What the instruction read, by its own operands."""
    core, _ = run.core_of(interpreter.command + ['-c', READS % address], tmp_path)
    crash = run.answer(core, *run.where(interpreter), command=('crash',))[0]['crash']
    assert (crash['signal_name'], crash['access']) == ('SIGSEGV', 'read')
    assert address <= int(crash['address'], 16) < address + 16
    assert crash['module'].startswith('libc') and crash['instruction']
    values = [int(each['value'], 16) for each in crash['operands']]
    assert any(address - 16 <= value <= address + 16 for value in values), crash
    assert 'nothing is mapped below' in ' '.join(crash['explanation'])
    assert crash['python']['function'] == 'string_at'


def killed(path):
    """Make the core one of a process that was killed: NT_PRSTATUS and NT_SIGINFO as
    sys/procfs.h and siginfo.h have them."""
    with open(path, 'r+b') as core:
        data = core.read(1 << 20)
        (phoff,) = struct.unpack_from('<Q', data, 32)
        size, count = struct.unpack_from('<HH', data, 54)
        for i in range(count):
            kind, _, offset, _, _, length = struct.unpack_from('<IIQQQQ', data, phoff + i * size)
            if kind == 4:
                break
        at = offset
        while at < offset + length:
            name, described, note = struct.unpack_from('<3I', data, at)
            start = at + 12 + (name + 3) // 4 * 4
            if note == 1:
                core.seek(start)
                core.write(struct.pack('<3iH', 9, 0, 0, 9))
            elif note == 0x53494749:
                core.seek(start)
                core.write(struct.pack('<3i', 9, 0, 0))
            at = start + (described + 3) // 4 * 4


def native(interpreter):
    return interpreter.tag in ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.11.7', 'pyenv-3.13.0')


@pytest.mark.parametrize('interpreter', every(native))
def test_killed(interpreter, tmp_path):
    """That somebody else ended it is all that can be known; no instruction is to blame."""
    code = 'import os\ndef work():\n    os.abort()\nwork()'
    core, _ = run.core_of(interpreter.command + ['-c', code], tmp_path)
    killed(core)
    answer, status, _ = run.answer(core, command=('crash',))
    assert status == 2 and 'out-of-memory' in answer['errors'][-1], answer
    status, text, _ = run.pyscry(core, 'bt')
    assert status == 0 and 'work (' in text and 'crashed' not in text, text


COUNTS = os.path.join(run.PROGRAMS, 'wrong_counts.py')
# debug builds, and the root whose standard library they take; None: this machine's
DEBUG_BUILDS = {'bookworm-python3.11': None, 'bullseye-python3.9': 'bullseye'}


def mortal(interpreter):
    return interpreter.tag.startswith('pyenv-') and interpreter.version < (3, 12)


@pytest.mark.parametrize('interpreter', every(mortal))
def test_none_deallocated(interpreter, tmp_path):
    """The text is the one that the program printed, also where a function jumped to the one that
    printed it; whose count it was, and what is wrong with it."""
    core, said = run.core_of(interpreter.command + [COUNTS, 'none'], tmp_path, subprocess.PIPE)
    crash = run.answer(core, command=('crash',))[0]['crash']
    printed = re.search('^Fatal Python error: (.*)$', said.decode(), re.M).group(1)
    assert 'deallocating None' in printed
    message = crash['message']
    assert message.startswith('Fatal Python error: ') and message[20:] in printed, crash
    assert message.endswith('deallocating None'), crash
    explained = ' '.join(crash['explanation'])
    assert 'a reference count is corrupted, that of None: it was released more' in explained


@pytest.mark.parametrize('build', DEBUG_BUILDS)
def test_negative_count(build, tmp_path):
    """A check of debug builds: the object, its type, its count, as the program printed them."""
    name = build.split('-')[1]
    program = os.path.join(debian.cache(), 'dwarf', build, 'bin', name + 'd')
    home = DEBUG_BUILDS[build]
    if not os.path.exists(program):
        pytest.skip('no debug build: python3 -m tests.support.debian fetch')
    command = [program, '-S', COUNTS, 'negative']
    if home:
        command[:0] = ['env', 'PYTHONHOME=%s/usr' % debian.root(home)]
    core, said = run.core_of(command, tmp_path, subprocess.PIPE)
    crash = run.answer(core, command=('crash',))[0]['crash']
    said = said.decode()
    assert crash['message'] == 'Fatal Python error: object has negative ref count', crash
    assert crash['message'].split(': ')[1] in said
    truth = {key: re.search(r'^object %s *: (.*)$' % key, said, re.M).group(1) for key in KEYS}
    explained = ' '.join(crash['explanation'])
    expected = 'that of the __main__.%(type name)s at %(address)s is %(refcount)s: ' % truth
    assert 'a reference count is corrupted, ' + expected in explained, (crash, said)
    assert crash['python']['function'] == 'negative'
    # the loop has overwritten its own variable since it loaded the object from it
    frames = run.answer(core, command=('bt-full', '--native'))[0]['threads'][0]['frames']
    (first,) = [n for n, frame in enumerate(frames) if frame['function'] == RELEASING[0]]
    for frame in itertools.takewhile(lambda each: each['function'] in RELEASING, frames[first:]):
        for variable in frame['variables']:
            if variable['name'] == 'op':
                value = variable['value'] or truth['address']
                assert value.startswith(truth['address']), (frame['function'], variable)


ENDS = '''
import ctypes, os, sys
class Broken(Exception):
    pass
def hook(kind, value, traceback):
    os.abort()
sys.excepthook = hook
def work():
    raise Broken('the answer is lost')
work()
'''


@pytest.mark.parametrize('interpreter', every(native))
def test_unhandled_exception(interpreter, tmp_path):
    """A hook ends the process: who called abort(), and the exception that led there."""
    core, _ = run.core_of(interpreter.command + ['-c', ENDS], tmp_path)
    crash = run.answer(core, command=('crash',))[0]['crash']
    assert crash['signal_name'] == 'SIGABRT' and crash['function'].startswith(
        ('os_abort', 'posix_abort')
    )
    assert crash['python']['function'] == 'hook', crash
    last = 'last_exc' if interpreter.version >= (3, 12) else 'last_value'
    expected = r"nothing caught \(sys.%s\): Broken\('the answer is lost',?\)" % last
    assert re.search(expected, ' '.join(crash['explanation'])), crash
    status, text, errors = run.pyscry(core, 'bt', '--summary')
    assert status == 0 and re.search(expected, text), (text, errors)
