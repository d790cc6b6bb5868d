"""Cores with holes: what is missing is said to be missing, and nothing is made up for it."""
import os
import struct
import subprocess

import pytest

from tests.support import programs, run
from tests.matrix.conftest import every

MISSING = 'it is not in the core'


def holed(what):
    return programs.Program('holes-' + what, 'holes.py', (what,), ctypes=True)


def here(interpreter):
    return interpreter.root is None and interpreter.ctypes


def shown(core, interpreter, *command):
    status, output, errors = run.pyscry(core, *run.where(interpreter), *command)
    return status, output + errors


@pytest.mark.parametrize('interpreter', every(here))
def test_code_that_was_not_dumped(dumps, interpreter):
    """Not a frame less, and no variable is said not to be there."""
    dump = dumps.core(interpreter, holed('code'))
    for command in (('bt',), ('threads',)):
        status, text = shown(dump.core, interpreter, *command)
        assert status == 1 and 'no code object at' in text and MISSING in text
    answer, status, _ = run.answer(dump.core, command=('bt', '--all'))
    threads, _, _ = run.answer(dump.core, command=('threads',))
    (thread,) = answer['threads']
    assert status == 1 and MISSING in thread['error']
    assert threads['threads'][0]['error'] == thread['error']
    assert thread['frames'][0]['kind'] == 'damaged'
    status, text = shown(dump.core, interpreter, 'print', 'number')
    assert status == 2 and 'no variable' not in text and MISSING in text


@pytest.mark.parametrize('interpreter', every(here))
def test_code_whose_name_was_not_dumped(dumps, interpreter):
    """There is a code object, then, and what it lacks is said."""
    dump = dumps.core(interpreter, holed('called'))
    answer, status, _ = run.answer(dump.core, *run.where(interpreter), command=('bt', '--all'))
    (thread,) = answer['threads']
    assert status == 1 and MISSING in thread['error']
    assert thread['error'].startswith('the code object at')
    names = [frame['function'] for frame in thread['frames'][:3]]
    assert (thread['frames'][0]['kind'], names) == ('damaged', ['?', 'last', '<module>'])
    assert MISSING in shown(dump.core, interpreter, 'bt')[1]


@pytest.mark.parametrize('interpreter', every(here))
def test_objects_that_were_not_dumped(dumps, interpreter):
    dump = dumps.core(interpreter, holed('objects'))
    status, text = shown(dump.core, interpreter, 'print', 'values')
    assert status == 1 and MISSING in text
    # the page may hold a member of the collector's list: then not all is found, and it is said why
    status, text = shown(dump.core, interpreter, 'generators')
    assert 'damaged' not in text.replace('memory that is damaged or is not there', '')
    assert status == 0 or MISSING in text


@pytest.mark.parametrize('interpreter', every(lambda i: here(i) and i.version < (3, 11)))
def test_names_that_were_not_dumped(dumps, interpreter):
    """Up to 3.10 the names of variables are a tuple: without it nobody knows which there are."""
    dump = dumps.core(interpreter, holed('names'))
    status, text = shown(dump.core, interpreter, 'print', 'number')
    assert 'no variable' not in text
    assert (status, MISSING in text) == (2, True) or text.startswith("local 'number' = 17")


def other_core(interpreter, place, cut=None, coredump_filter=None):
    """A core whose size or contents somebody limited."""
    os.makedirs(place)
    program = holed('nothing')
    script = run.prepare(program, place)

    def limit():
        run.limits()
        if coredump_filter is not None:
            with open('/proc/self/coredump_filter', 'w') as out:
                out.write(coredump_filter)

    subprocess.run(
        interpreter.command + [script, 'nothing'],
        cwd=place,
        env=run.environment(place, 'abort'),
        preexec_fn=limit,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = [name for name in os.listdir(place) if name.startswith('core')]
    if not found:
        pytest.skip('no core file here')
    core = os.path.join(place, found[0])
    if cut:
        os.truncate(core, int(os.path.getsize(core) * cut))
    return core


@pytest.mark.parametrize('interpreter', every(here))
def test_no_private_memory(dumps, interpreter):
    """coredump_filter: which one, and what to set; nobody is said to have no Python state."""
    place = dumps.place(interpreter, 'filtered')
    core = dumps.make(place, lambda: other_core(interpreter, place, coredump_filter='0'))
    for command in (('threads',), ('bt',), ('info',)):
        status, text = shown(core, interpreter, *command)
        assert status and 'coredump_filter' in text and '0x33' in text
        assert 'makes no sense' not in text and 'no Python state' not in text
        assert 'Thread 0' not in text


@pytest.mark.parametrize('interpreter', every(here))
@pytest.mark.parametrize('part', [0.05, 0.4, 0.7, 0.9, 0.99])
def test_cut(dumps, interpreter, part):
    """ulimit -c, or a full disk: as much as is there, and the rest is said to be missing."""
    place = dumps.place(interpreter, 'cut-%d' % (100 * part))
    core = dumps.make(place, lambda: other_core(interpreter, place, cut=part))
    for command in (('threads',), ('bt', '--all')):
        status, text = shown(core, interpreter, *command)
        assert status and 'is cut' in text and 'ulimit -c' in text
        assert 'Thread 0' not in text and 'Thread ?' not in text
        assert 'makes no sense' not in text
        if 'last' not in text:
            assert ': no Python state' not in text and 'no Python frames' not in text, text


PHDR, CHUNK = struct.Struct('<IIQQQQQQ'), struct.Struct('<QQQ')


def without_page(path, choose):
    """The same core without the data of the page that `choose` takes from the segments."""
    with open(path, 'rb') as source:
        core = bytearray(source.read())
    (at,) = struct.unpack_from('<Q', core, 32)  # e_phoff, e_phentsize, e_phnum
    stride, count = struct.unpack_from('<HH', core, 54)
    headers = [PHDR.unpack_from(core, at + i * stride) for i in range(count)]
    hole = choose(core, headers)
    kept = []
    for kind, flags, offset, start, physical, filesz, memsz, align in headers:
        if kind != 1 or not start <= hole < start + filesz:
            kept.append((kind, flags, offset, start, physical, filesz, memsz, align))
            continue
        for low, high, there in (
            (start, hole, True),
            (hole, hole + 4096, False),
            (hole + 4096, start + memsz, True),
        ):
            if low < high:
                size = min(high, start + filesz) - low if there else 0
                kept.append((1, flags, offset + low - start, low, 0, size, high - low, align))
    struct.pack_into('<Q', core, 32, len(core))
    struct.pack_into('<H', core, 56, len(kept))
    for header in kept:
        core += PHDR.pack(*header)
    with open(path, 'wb') as target:
        target.write(core)


def older_chunk(core, headers):
    """Of the data stack: one that another leads to, and that leads to others."""
    found = {}
    for kind, _, offset, start, _, filesz, _, _ in headers:
        for page in range(0, filesz if kind == 1 else 0, 4096):
            previous, size, top = CHUNK.unpack_from(core, offset + page)
            if size == 16384 and top <= 2048 and previous % 4096 == 0:
                found[start + page] = previous
    return next(p for p in found.values() if found.get(p))


@pytest.mark.parametrize('interpreter', every(lambda i: here(i) and i.version >= (3, 11)))
def test_chunk_of_the_data_stack_that_was_not_dumped(dumps, interpreter):
    """Only the frames in the page that is missing are lost, and of no other is said that it is."""
    place = dumps.place(interpreter, 'chunk')
    dump = run.crash(interpreter, programs.find('deep-3000-mixed'), place)
    without_page(dump.core, older_chunk)
    answer, _, _ = run.answer(dump.core)
    frames = max((thread['frames'] for thread in answer['threads']), key=len)
    wrong = [frame['error'] for frame in frames if frame.get('error')]
    assert len(frames) > 20 and wrong, 'nothing is missing'
    assert not [why for why in wrong if 'leads out' in why or 'leaves out' in why], wrong
