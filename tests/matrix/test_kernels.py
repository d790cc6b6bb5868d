"""C frames of functions that no unwind table describes: no caller of theirs is dropped, and none is
invented; what is uncertain is marked."""
import os
import shutil
import subprocess

import pytest

from tests.support import run

from .conftest import every

BUILDS = {
    'pointers': ('-fno-omit-frame-pointer', '-fno-asynchronous-unwind-tables'),
    'tables': ('-fomit-frame-pointer', '-fasynchronous-unwind-tables'),
    'neither': ('-fomit-frame-pointer', '-fno-asynchronous-unwind-tables'),
    'stripped': ('-fomit-frame-pointer', '-fasynchronous-unwind-tables', '-s'),
}
# how often each stands on the stack
KERNELS = {'bare': 1, 'saves': 1, 'record': 1, 'again': 3}
CODE = '''
import ctypes, sys
def work():
    getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])(ctypes.c_void_p(16), ctypes.c_void_p(32))
work()
'''


def built(directory, build, *more):
    library = os.path.join(str(directory), build + '.so')
    source = os.path.join(run.PROGRAMS, 'kernels.c')
    subprocess.run(
        ['cc', '-O2', '-shared', '-fPIC', *BUILDS[build], *more, source, '-o', library], check=True
    )
    return library


def chosen(interpreter):
    return (
        interpreter.machine == 'x86_64'
        and interpreter.ctypes
        and not interpreter.root
        and interpreter.version[:2] in ((2, 7), (3, 8), (3, 11), (3, 13))
    )


@pytest.mark.skipif(not shutil.which('cc'), reason='no C compiler')
@pytest.mark.parametrize('build', sorted(BUILDS))
@pytest.mark.parametrize('interpreter', every(chosen))
def test_kernels(interpreter, build, tmp_path):
    library = built(tmp_path, build)
    for kernel, times in KERNELS.items():
        where = tmp_path / kernel
        where.mkdir()
        core, _ = run.core_of(interpreter.command + ['-c', CODE, library, kernel + '_outer'], where)
        answer, _, errors = run.answer(core, command=('bt', '--native', '--whole'))
        frames = answer['threads'][0]['frames']
        names = [frame['function'] for frame in frames]
        expected = [kernel] * times + [kernel + '_inner', kernel + '_outer']
        assert names[: len(expected)] == expected, (kernel, names[:6])
        # ctypes' C frames up to the interpreter's loop, and no frame of what was called before
        assert 'stir' not in names
        assert 'work' in names, names
        assert 'unwinding ends' not in errors
        assert not frames[0].get('uncertain')
        os.unlink(core)


@pytest.mark.skipif(not shutil.which('cc'), reason='no C compiler')
@pytest.mark.parametrize('build', sorted(BUILDS))
@pytest.mark.parametrize('interpreter', every(chosen))
def test_a_halt_is_no_end(interpreter, build, tmp_path):
    """Where the stack cannot be followed further because the code goes on nowhere, that is said."""
    library = built(tmp_path, build, '-Wl,-z,now')
    core, _ = run.core_of(interpreter.command + ['-c', CODE, library, 'halts_outer'], tmp_path)
    answer, status, errors = run.answer(core, command=('bt', '--native', '--whole'))
    frames = answer['threads'][0]['frames']
    names = [frame['function'] for frame in frames]
    if names[2:4] == ['halts_inner', 'halts_outer']:
        assert 'work' in names and build != 'stripped'
    else:
        # old frames that lie about may lead back to the stack: those are marked
        marked = any(frame.get('uncertain') for frame in frames[2:])
        assert status == 1 and (marked or 'unwinding ends' in str(answer['errors'])), names


def stack_references(core):
    """(C frames with what is uncertain of them, names of the C frames whose words refer to an
    object that is on the C stack)"""
    answer, _, errors = run.answer(core, command=('regs', '--all-frames', '--stack'))
    frames = answer['native_frames']
    held = [
        word['object']['address']
        for frame in frames[3:]
        for word in frame.get('stack', ())
        if word['kind'] == 'object' and not word['uncertain']
    ]
    assert held, errors
    found = []
    for address in dict.fromkeys(held[:5]):
        answer = run.answer(core, command=('refs', '--all', address))[0]
        found += [
            ref['from']['function']
            for ref in answer['refs']['references']
            if ref['from']['kind'] == 'stack'
        ]
    return frames, found


@pytest.mark.skipif(not shutil.which('cc'), reason='no C compiler')
@pytest.mark.parametrize('bound', [False, True])
@pytest.mark.parametrize('interpreter', every(chosen))
def test_what_rests_on_a_guess(interpreter, bound, tmp_path):
    """A frame that was found by a search is marked, and those behind it; no word of a stack is said
    to be in one of them. A call that names its function is no guess."""
    more = ['-Wl,-z,now'] + bound * ['-Wl,-Bsymbolic']
    library = built(tmp_path, 'tables', *more)
    core, _ = run.core_of(interpreter.command + ['-c', CODE, library, 'saves_outer'], tmp_path)
    frames, names = stack_references(core)
    assert [frame['function'] for frame in frames[:2]] == ['saves', 'saves_inner']
    assert not frames[0]['uncertain']
    if bound:
        assert not any(frame['uncertain'] for frame in frames)
        assert names and any(names)
    else:
        assert all(frame['uncertain'] for frame in frames[1:])
        assert names and not any(names)


TABLELESS = ['innermost', 'checked', 'middle', 'entry', 'with_record', 'outer']
PARTS = {
    'outer': '-fno-omit-frame-pointer -fasynchronous-unwind-tables',
    'inner': '-DINNER -fomit-frame-pointer -fno-asynchronous-unwind-tables',
}


def tableless(directory):
    """The stripped library, and where each function of it is."""
    source = os.path.join(run.PROGRAMS, 'tableless.c')
    for part, flags in PARTS.items():
        subprocess.run(
            ['cc', '-O2', '-fPIC', *flags.split(), '-c', source, '-o', part + '.o'],
            cwd=directory,
            check=True,
        )
    subprocess.run(
        ['cc', '-shared', 'outer.o', 'inner.o', '-o', 'tableless.so'], cwd=directory, check=True
    )
    listed = subprocess.run(
        ['nm', '-S', 'tableless.so'], cwd=directory, check=True, capture_output=True, text=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    places = {
        row[3]: range(int(row[0], 16), int(row[0], 16) + int(row[1], 16) + 1)
        for row in rows
        if len(row) == 4
    }
    subprocess.run(['strip', 'tableless.so'], cwd=directory, check=True)
    return os.path.join(str(directory), 'tableless.so'), places


@pytest.mark.skipif(not shutil.which('cc'), reason='no C compiler')
@pytest.mark.parametrize('interpreter', every(chosen))
def test_neither_table_nor_symbol(interpreter, tmp_path):
    """Called by code with frame pointers, of which none is lost."""
    library, places = tableless(tmp_path)
    core, _ = run.core_of(
        interpreter.command + ['-c', CODE.replace('c_void_p(32)', 'c_long(5)'), library, 'outer'],
        tmp_path,
    )
    answer, status, errors = run.answer(core, command=('bt', '--native', '--whole'))
    frames = answer['threads'][0]['frames'][: len(TABLELESS)]
    found = [
        [name for name in TABLELESS if frame['offset'] in places[name]]
        for frame in frames
        if frame['module'] == 'tableless.so'
    ]
    assert found == [[name] for name in TABLELESS], found
    assert status == 0 and 'unwinding ends' not in errors
