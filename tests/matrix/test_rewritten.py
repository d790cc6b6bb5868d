"""C frames of programs that a tool changed after the linker: the entries of their unwind table are
where .eh_frame_hdr says, be they in the section .eh_frame or not."""
import glob
import os
import shutil
import struct
import subprocess

import pytest

from tests.support import run

from .conftest import every

CODE = '''
import ctypes, sys
def work():
    ctypes.CDLL(sys.argv[1]).kept_outer(ctypes.c_void_p(16), ctypes.c_long(5))
work()
'''
CHAIN = ['moved_inner', 'kept_inner', 'moved_outer', 'kept_outer']
BOLT = shutil.which('llvm-bolt') or next(iter(glob.glob('/usr/lib/llvm-*/bin/llvm-bolt')), None)
KINDS = [
    'linked',
    'ended early',
    pytest.param('bolt', marks=pytest.mark.skipif(not BOLT, reason='no llvm-bolt')),
]


def end_early(path):
    """The section .eh_frame of a 64-bit library ends behind its first entry, a CIE."""
    with open(path, 'r+b') as file:
        data = bytearray(file.read())
        (table,) = struct.unpack_from('<Q', data, 0x28)
        size, count, names = struct.unpack_from('<HHH', data, 0x3A)
        heads = [struct.unpack_from('<IIQQQQ', data, table + i * size) for i in range(count)]
        (number,) = [
            i
            for i, head in enumerate(heads)
            if data[heads[names][4] + head[0] :].startswith(b'.eh_frame\0')
        ]
        (length,) = struct.unpack_from('<I', data, heads[number][4])
        struct.pack_into('<Q', data, table + number * size + 32, 4 + length)
        file.seek(0)
        file.write(data)


def built(directory, kind):
    library = os.path.join(str(directory), 'rewritten.so')
    source = os.path.join(run.PROGRAMS, 'rewritten.c')
    flags = '-O2 -fPIC -shared -fomit-frame-pointer -Wl,--emit-relocs'.split()
    subprocess.run(['cc', *flags, source, '-o', library], check=True)
    if kind == 'ended early':
        end_early(library)
    if kind == 'bolt':
        moved = library + '.bolt'
        options = ['-lite=1', '-funcs=moved_inner,moved_outer', '-o', moved]
        subprocess.run([BOLT, library, *options], check=True, capture_output=True)
        os.rename(moved, library)
    return library


def chosen(interpreter):
    return (
        interpreter.machine == 'x86_64'
        and interpreter.ctypes
        and not interpreter.root
        and interpreter.version[:2] in ((2, 7), (3, 11))
    )


@pytest.mark.skipif(not shutil.which('cc'), reason='no C compiler')
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('interpreter', every(chosen))
def test_frames(interpreter, kind, tmp_path):
    library = built(tmp_path, kind)
    core, _ = run.core_of(interpreter.command + ['-c', CODE, library], tmp_path)
    answer, status, errors = run.answer(core, command=('bt', '--native', '--whole'))
    frames = answer['threads'][0]['frames']
    assert [frame['function'] for frame in frames][:4] == CHAIN
    assert 'work' in [frame['function'] for frame in frames]
    assert not [frame['function'] for frame in frames if frame.get('uncertain')]
    assert status == 0 and 'unwinding ends' not in errors
