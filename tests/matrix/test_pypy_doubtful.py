"""PyPy: damaged memory, and more of it than is usual."""
import collections
import json
import os
import shutil
import struct
import subprocess
import sys

import pytest

from tests.support import programs, run
from tests.support.corefile import CoreFile

from .test_pypy import EVERY, GC, GIL, GREENLETS, made

ARRAYS = programs.Program('pypy-arrays', 'pypy_arrays.py')
LOOP = programs.Program('pypy-loop', 'pypy_loop.py', since=(3, 5))
SHARED = programs.Program('pypy-shared-generator', 'pypy_shared_generator.py', since=(3, 3))


@pytest.mark.parametrize('pypy', EVERY)
def test_gil_that_nobody_known_holds(dumps, pypy, tmp_path):
    """Its word has the id of no thread: then it is not said either that one does not hold it."""
    dump = made(dumps, pypy, GIL)
    answer, _, errors = run.answer(dump.core, *run.where(pypy), command=('waits',))
    places = {
        int(each['for']['address'], 16)
        for each in answer['waits']
        if (each['for'] or {}).get('kind') == 'GIL'
    }
    assert len(places) == 1, (places, errors)
    damaged = str(tmp_path / 'core')
    shutil.copyfile(dump.core, damaged)
    with CoreFile(damaged) as file:
        (place,) = places
        assert file.word(place) == dump.truth['idents']['holder']
        file.set_word(place, 0x7777)
    _, output, _ = run.pyscry(*run.where(pypy), damaged, 'crash')
    assert 'who holds the GIL is not known' in output, output


@pytest.mark.parametrize('pypy', EVERY)
def test_loop_that_waits(dumps, pypy):
    """The loop is an object of PyPy's, though its thread is read by what C shows of it alone."""
    if not LOOP.runs_on(pypy):
        pytest.skip('no coroutines')
    dump = made(dumps, pypy, LOOP)
    answer, _, errors = run.answer(dump.core, *run.where(pypy), command=('waits',))
    (row,) = [row for row in answer['waits'] if row['who']['name'] == 'loop']
    assert (row['state'], row['for']['kind']) == ('idle', 'event loop'), errors
    assert '_UnixSelectorEventLoop' in row['for']['repr']
    assert row['for']['detail'].startswith('1 task')


@pytest.mark.parametrize('pypy', EVERY)
def test_broken_ring_of_a_greenlet(dumps, pypy, tmp_path):
    """A frame that leads back to itself, not to the ring's bottom: its stack ends there."""
    dump = made(dumps, pypy, GREENLETS, '--jit', 'off')
    answer, _, _ = run.answer(dump.core, *run.where(pypy), command=('greenlets',))
    frames = max((task['frames'] for task in answer['tasks']), key=len)
    assert len(frames) >= 4
    newer, older = (int(frame['address'], 16) for frame in frames[1:3])
    damaged = str(tmp_path / 'core')
    shutil.copyfile(dump.core, damaged)
    with CoreFile(damaged) as file:
        links = [at for at in range(newer, newer + 160, 8) if file.word(at) == older]
        assert len(links) == 1
        file.set_word(links[0], newer)
    answer, _, errors = run.answer(damaged, *run.where(pypy), command=('greenlets',))
    broken = [task for task in answer['tasks'] if task['error']]
    assert [task['error'] for task in broken] == ['its chain of frames is broken'], errors
    assert len(broken[0]['frames']) < 8


@pytest.mark.parametrize('pypy', EVERY)
def test_generator_that_many_wait_for(dumps, pypy):
    """Who waits for it is told in as much memory as there are of them, not in its square."""
    if not SHARED.runs_on(pypy):
        pytest.skip('not for %d.%d' % pypy.version[:2])
    dump = made(dumps, pypy, SHARED)
    script = (
        'import resource, subprocess, sys\n'
        'subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "w"))\n'
        'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n'
    )
    told = os.path.join(dump.directory, 'told')
    command = [run.cli(), '--json', *run.where(pypy), dump.core, 'generators']
    megabytes = subprocess.check_output([sys.executable, '-c', script, told] + command, timeout=120)
    with open(told) as answer:
        tasks = json.load(answer)['tasks']
    by_name = collections.Counter(task['name'] for task in tasks)
    assert by_name == {'shared': 1, 'waits': dump.truth['count']}
    (shared,) = [task for task in tasks if task['name'] == 'shared']
    assert set(shared['awaited_by']) == {task['id'] for task in tasks if task is not shared}
    assert all(len(task['frames']) == 2 for task in tasks if task is not shared)
    assert int(megabytes) < 900, int(megabytes)


@pytest.mark.parametrize('pypy', EVERY)
def test_arrays_that_overlap(dumps, pypy, tmp_path):
    """Each is said to be as long as all memory: the search ends, and says so."""
    dump = made(dumps, pypy, ARRAYS)
    damaged = str(tmp_path / 'core')
    shutil.copyfile(dump.core, damaged)
    wanted, count = struct.pack('<Q', dump.truth['length']), 0
    with CoreFile(damaged) as file:
        for _, _, offset, _, size in file.writable():
            at = file.data.find(wanted, offset, offset + size)
            while at >= 0:
                if (at - offset) % 8 == 0:
                    # lists have it, too, beside their array
                    file.data[at : at + 8] = struct.pack('<Q', 1 << 30)
                    count += 1
                at = file.data.find(wanted, at + 8, offset + size)
    assert count >= dump.truth['count']
    answer, _, errors = run.answer(damaged, *run.where(pypy), command=('generators',))
    assert 'overlap' in ' '.join(answer['errors']) + errors, (answer['errors'], errors)
    answer, _, errors = run.answer(dump.core, *run.where(pypy), command=('generators',))
    assert 'overlap' not in ' '.join(answer['errors']) + errors
    assert 'waits' in [task['name'] for task in answer['tasks']]


@pytest.mark.parametrize('pypy', EVERY)
def test_collector_with_numbers_that_cannot_be(dumps, pypy, tmp_path):
    """A count of collections that no process reaches: nothing of the collector is believed."""
    dump = made(dumps, pypy, GC)
    answer, _, _ = run.answer(dump.core, *run.where(pypy), command=('gc',))
    own = answer['gc'][0]['incminimark']
    nursery = int(own['nursery'], 16)
    damaged = str(tmp_path / 'core')
    shutil.copyfile(dump.core, damaged)
    count = 0
    with CoreFile(damaged) as file:
        for _, _, offset, start, size in file.writable():
            at = file.data.find(struct.pack('<Q', nursery), offset, offset + size)
            while at >= 0:
                named = start + at - offset
                if file.word(named + 32) == own['nursery_size'] and (
                    file.word(named - 8) == own['majors']
                ):
                    file.set_word(named - 8, 1 << 63)
                    count += 1
                at = file.data.find(struct.pack('<Q', nursery), at + 8, offset + size)
    assert count == 1
    answer, _, errors = run.answer(damaged, *run.where(pypy), command=('gc',))
    assert 'collector was not found' in json.dumps(answer) + errors, (answer['gc'], errors)


@pytest.mark.parametrize('pypy', EVERY)
def test_generator_that_waits_for_itself(dumps, pypy, tmp_path):
    """One that was damaged so: it has its own frame, and the answer says why no more."""
    if not SHARED.runs_on(pypy):
        pytest.skip('not for %d.%d' % pypy.version[:2])
    dump = made(dumps, pypy, SHARED)
    answer, _, _ = run.answer(dump.core, *run.where(pypy), command=('generators',))
    (shared,) = [task for task in answer['tasks'] if task['name'] == 'shared']
    waits = next(task for task in answer['tasks'] if task['name'] == 'waits')
    frame = int(waits['frames'][-1]['address'], 16)
    damaged = str(tmp_path / 'core')
    shutil.copyfile(dump.core, damaged)
    with CoreFile(damaged) as file:
        places = [
            at for at in range(frame, frame + 160, 8) if file.word(at) == int(shared['id'], 16)
        ]
        assert len(places) == 1
        file.set_word(places[0], int(waits['id'], 16))
    answer, _, _ = run.answer(damaged, *run.where(pypy), command=('generators',))
    told = {task['id']: (task['error'], len(task['frames'])) for task in answer['tasks']}
    assert told[waits['id']] == ('the chain of awaits is a cycle', 1)
    assert sum(error is not None for error, _ in told.values()) == 1


def collecting(dumps, pypy, mode):
    """A core of a process that died in its collector, and where its list has what is no object."""
    program = programs.Program('pypy-collecting-' + mode, 'pypy_collecting.py', (mode,))
    dump = made(dumps, pypy, program, '--jit', 'off')
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('verify',))
    assert status == 1, errors
    found = {int(one['address'], 16): one for one in answer['verify']['findings']}
    one = found.pop(dump.truth['bad'])
    assert one['kind'] == 'no object' and [holder['slot'] for holder in one['holders']] == ['[1]']
    return dump, found


@pytest.mark.parametrize('pypy', EVERY)
def test_death_in_a_minor_collection(dumps, pypy):
    """That it runs, in which thread and why; and what led it astray."""
    dump, found = collecting(dumps, pypy, 'minor')
    # the number of no type, which the program has written over an attribute
    assert set(found) == {0xFFFFFFF8}
    answer, _, _ = run.answer(dump.core, *run.where(pypy), command=('gc',))
    (gc,) = answer['gc']
    own = gc['incminimark']
    assert gc['collecting'] is True and gc['place'].startswith('end ('), gc
    assert own['minor'] and own['nursery_filled'] is None
    answer, _, _ = run.answer(dump.core, *run.where(pypy), command=('threads',))
    assert [thread['gc'] for thread in answer['threads']] == [True]
    assert gc['thread'] == answer['threads'][0]['tid']
    for command, text in (
        ('gc', 'a minor collection runs: an allocation found the nursery full'),
        ('info', 'collecting garbage in thread'),
        ('crash', 'GC running'),
        ('bt', 'collects garbage'),
    ):
        _, output, _ = run.pyscry(*run.where(pypy), dump.core, command)
        assert text in output, (command, output)


@pytest.mark.parametrize('pypy', EVERY)
def test_death_in_a_major_collection(dumps, pypy):
    """In its phase; whether a step runs is not claimed."""
    dump, found = collecting(dumps, pypy, 'major')
    assert not found
    answer, _, _ = run.answer(dump.core, *run.where(pypy), command=('gc',))
    (gc,) = answer['gc']
    assert gc['collecting'] is None and gc['incminimark']['phase'] == 'marking', gc
    assert not gc['incminimark']['minor'] and gc['incminimark']['nursery_filled'] == 0
    _, output, _ = run.pyscry(*run.where(pypy), dump.core, 'gc')
    assert 'marking; ' in output and 'a step of it may run now' in output, output
