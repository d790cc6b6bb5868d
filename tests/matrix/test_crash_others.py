"""crash: on i386; of what nobody could see: SIGKILL; of exceptions of Python's that end a process
by abort()."""
import re
import struct

import pytest

from tests.support import run

from .conftest import every

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
