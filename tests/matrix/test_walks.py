"""Walks over the memory: every block of the allocator, every object that the collector tracks, with
its generation."""
import json
import os
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every

WALKED = programs.Program('blocks-walked', 'blocks_walked.py')


def walked(dump, what, sysroot=None):
    """The lines that the helper gives for each of `what`."""
    interpreter = dump.interpreter
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    root = sysroot or interpreter.root
    command = [tool, dump.core, '' if root else dump.exe, ''] + ([root] if root else [])
    done = subprocess.run(
        command, input='\n'.join(what).encode(), stdout=subprocess.PIPE, timeout=120, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_blocks(dump, blocks, what):
    """Every object of up to 512 bytes starts a block of its own; no block reaches into another."""
    used = {start: size for start, size, free in blocks if not free}
    assert len(used) > 10000
    ordered = sorted((start, size) for start, size, _ in blocks)
    crossing = [
        (hex(a), size, hex(b)) for (a, size), (b, _) in zip(ordered, ordered[1:]) if a + size > b
    ]
    assert crossing == []
    free = {start for start, _, free in blocks if free}
    for address, size in dump.truth['kept'].items():
        at = int(address, 16)
        if size <= 512 or dump.interpreter.free_threaded:
            assert at in used, '%s (%d bytes) is in no used block' % (address, size)
            assert used[at] >= size
        assert at not in free
    for address, answer in zip(what, walked(dump, [':obj --json ' + a for a in what])):
        memory = answer['object']['memory']
        at = int(address, 16)
        assert memory and int(memory['address'], 16) == at and memory['size'] == used[at]
        assert not memory['free']


@pytest.mark.parametrize('interpreter', every())
def test_blocks(dumps, interpreter):
    dump = dumps.core(interpreter, WALKED)
    (blocks,) = walked(dump, ['*blocks'])
    small = sorted(a for a, size in dump.truth['kept'].items() if size <= 512)
    check_blocks(dump, blocks, small[::100])
    if not interpreter.free_threaded:
        owned = sum(size for _, size, _ in blocks)
        large = {int(a, 16) for a in dump.truth['large']}
        assert not large & {start for start, _, _ in blocks}
        assert owned > 1 << 20
    dump.truth['kept']['0x10'] = 20  # a changed expectation is seen
    with pytest.raises(AssertionError):
        check_blocks(dump, blocks, [])
    del dump.truth['kept']['0x10']


@pytest.mark.parametrize('interpreter', every(lambda i: not i.root and not i.free_threaded))
def test_blocks_without_symbols(dumps, interpreter):
    """Where no symbol and no file leads to the arenas, the interpreter's data do."""
    dump = dumps.copied(interpreter, WALKED, strip=True)
    (stripped,) = walked(dump, ['*blocks'])
    check_blocks(dump, stripped, [])


@pytest.mark.parametrize('interpreter', every())
def test_tracked(dumps, interpreter):
    dump = dumps.core(interpreter, WALKED)
    (found,) = walked(dump, ['*tracked'])
    truth = dump.truth['tracked']
    addresses = [address for address, _, _ in found]
    assert len(addresses) == len(set(addresses))
    assert [each for each in found if each[1] != each[2]] == []
    tracked = {address: generation for address, generation, _ in found}
    missing, wrong = [], []
    for name, objects in truth.items():
        for address in objects:
            if address not in tracked:
                missing.append(hex(address))
            elif name != 'None' and not interpreter.free_threaded and tracked[address] != int(name):
                wrong.append((hex(address), name, tracked[address]))
    # what gc.get_objects() returns last is the list that it makes, and what json made is gone
    assert len(missing) <= 40, missing[:50]
    assert wrong == []
    told = {address for objects in truth.values() for address in objects}
    permanent = {address for address, generation in tracked.items() if generation == 3}
    if not interpreter.free_threaded:
        assert len(permanent) == dump.truth['frozen']
    assert len(set(tracked) - told - permanent) <= 60
    if interpreter.free_threaded:
        assert set(tracked.values()) == {-1}
    else:
        old, young = int(dump.truth['old'], 16), int(dump.truth['young'], 16)
        assert tracked[old] > tracked[young] == 0
