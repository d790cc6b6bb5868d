"""py-regs beside the truth: a program that loads known words into the registers; outer frames
beside gdb's unwinding."""
import json
import platform
import re

import pytest

from tests.support import programs, run
from tests.matrix.conftest import every

pytestmark = pytest.mark.skipif(
    platform.machine() != 'x86_64', reason='the program has x86-64 code in it'
)
REGS = programs.Program('regs', 'regs.py', ctypes=True)
PRESERVED = {'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'}


def frames(dump, *options, interpreter):
    status, output, errors = run.pyscry(
        '--json', '--exe', dump.exe, *run.where(interpreter), dump.core, 'regs', *options
    )
    assert status in (0, 1), errors
    return json.loads(output)['native_frames']


def check(name, got, value, kind, type_name):
    if kind == 'freed':  # its address came to the register after the truth was written
        assert got['kind'] != 'object' or got['uncertain'], got
        return
    assert int(got['value'], 16) == value, (name, got)
    if kind == 'pattern':
        assert (got['kind'], 'freed' in got['uncertain']) == ('number', True), got
        return
    assert (got['kind'], got['uncertain']) == (kind, None), (name, got)
    if kind == 'objects':
        assert [slot['type'].split('.')[-1] for slot in got['slots']][
            : len(type_name)
        ] == type_name, (name, got)
    elif type_name and kind != 'frame':
        assert got['type'] == type_name, (name, got)
    if kind == 'frame':
        assert got['function' if 'function' in got else 'repr'].count('main'), (name, got)


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.ctypes and interpreter.machine == 'x86_64')
)
def test_known_words(interpreter, dumps):
    dump = dumps.core(interpreter, REGS)
    got = {
        register['name']: register
        for register in frames(dump, interpreter=interpreter)[0]['registers']
    }
    for name, (value, kind, type_name) in dump.truth['registers'].items():
        check(name, got[name], value, kind, type_name)
    assert {name for name, register in got.items() if register['saved'] == 'preserved'} == PRESERVED
    assert (got['rsp']['kind'], got['rip']['kind']) == ('stack', 'code')


IN_GDB = '''python
def value(frame, name):
    try:
        return '%x' % (int(frame.read_register(name)) & (2 ** 64 - 1))
    except gdb.error:
        return '-'
frame, count = gdb.newest_frame(), 0
while frame is not None and frame.is_valid() and count < 60:
    if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):  # no frames of their own
        print('@' + ' '.join(value(frame, name) for name in NAMES))
    frame, count = frame.older(), count + 1
end
'''


def frames_of_gdb(dump, names, directory):
    script = directory / 'frames.gdb'
    script.write_text(IN_GDB.replace('NAMES', repr(names)))
    _, output, errors = run.gdb('source %s' % script, core=dump.core, exe=dump.exe)
    lines = re.findall(r'^@(.+)$', output, re.M)
    assert len(lines) > 5, (output, errors)
    return [dict(zip(names, line.split())) for line in lines]


@pytest.mark.parametrize('interpreter', every(lambda interpreter: not interpreter.root))
def test_outer_frames(interpreter, dumps, tmp_path):
    """What unwinding restored is what gdb restores; the rest is not saved."""
    dump = dumps.core(interpreter, programs.find('calls'))
    ours = frames(dump, '--all-frames', interpreter=interpreter)
    names, compared = ['rip', 'rsp'] + sorted(PRESERVED), 0
    for one, two in zip(ours, frames_of_gdb(dump, names, tmp_path)):
        registers = {register['name']: register for register in one['registers']}
        assert '%x' % int(one['pc'], 16) == two['rip'], one['function']
        for name in names:
            if registers[name]['value'] is not None:
                assert '%x' % int(registers[name]['value'], 16) == two[name], (
                    name,
                    one['function'],
                )
                compared += 1
        assert one is ours[0] or registers['rax']['value'] is None
    assert compared > 10 * len(names)
