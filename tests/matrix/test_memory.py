"""py-obj: generations, freed memory, addresses inside objects, the debug allocator's marks."""

import pytest

from tests.support import programs, session
from tests.support.corefile import CoreFile

from .conftest import every

MEMORY = programs.Program('memory', 'memory.py')
DEBUG = programs.Program('memory-debug', 'memory.py', ('debug',), since=(3, 6))


def told(dump, addresses):
    """What obj says of each address."""
    return session.told(dump, ['obj %s' % address for address in addresses], 'object')


def pairs(truth, answers, key):
    return [[address, answer[key]] for (address, _), answer in zip(truth, answers)]


@pytest.mark.parametrize('interpreter', every())
def test_generations(dumps, interpreter):
    if interpreter.free_threaded:
        pytest.skip('a free-threaded Python has no generations')
    dump = dumps.core(interpreter, MEMORY)
    truth = dump.truth['generations']
    found = pairs(truth, told(dump, [address for address, _ in truth]), 'generation')
    assert found == truth and len({generation for _, generation in truth}) > 1
    truth[0][1] += 1  # a changed expectation is seen
    assert found != truth


@pytest.mark.parametrize('interpreter', every())
def test_addresses_inside_objects(dumps, interpreter):
    dump = dumps.core(interpreter, MEMORY)
    truth = dump.truth['inside']
    answers = told(dump, [address for address, _ in truth])
    assert pairs(truth, answers, 'nearest') == truth
    assert [[a, a['type']] for a in answers if not a['inside'] or a['type']] == []
    tuples = [a['field'] for (address, of), a in zip(truth, answers) if of == truth[0][1]]
    assert 'items[0]' in tuples and 'items[3]' in tuples, tuples


@pytest.mark.parametrize('interpreter', every(lambda i: not i.free_threaded))
def test_freed_blocks(dumps, interpreter):
    dump = dumps.core(interpreter, MEMORY)
    assert [a['memory'] and a['memory']['free'] for a in told(dump, dump.truth['free'])] == [
        True
    ] * 3
    assert 'no reference is left' in told(dump, [dump.truth['unused']])[0]['pattern']
    kept = told(dump, dump.truth['kept'])
    assert [a['memory'] and a['memory']['free'] for a in kept] == [False] * len(kept)


@pytest.mark.parametrize('interpreter', every(lambda i: i.version >= (3, 6)))
def test_debug_allocator(dumps, interpreter):
    dump = dumps.core(interpreter, DEBUG)
    things = told(dump, dump.truth['things'])
    blocks = [
        a['debug_block'] and [a['debug_block']['intact'], a['debug_block']['domain']]
        for a in things
    ]
    assert blocks == [[True, 'object']] * len(things)
    elsewhere = ('list', 'dict', 'type')  # what they hold is in other blocks
    assert [
        a['type']
        for a in things
        if a['type'] not in elsewhere and a['debug_block']['size'] < (a['getsizeof'] or 0)
    ] == []
    patterns = [a['pattern'] for a in told(dump, dump.truth['free'])]
    assert all('debug allocator' in (pattern or '') for pattern in patterns), patterns
    # one byte behind a block is overwritten
    block = things[0]['debug_block']
    with CoreFile(dump.core) as core:
        at = core.offset(int(block['address'], 16) + block['size'])
        old = core.data[at]
        core.data[at] = 0
        try:
            assert not told(dump, dump.truth['things'][:1])[0]['debug_block']['intact']
        finally:
            core.data[at] = old


@pytest.mark.parametrize('interpreter', every(lambda i: i.machine == 'x86_64'))
def test_damaged_objects(dumps, interpreter):
    """A type pointer with one bit changed is guessed; what damage leaves is dumped with its fields'
    names."""
    dump = dumps.core(interpreter, MEMORY)
    things = dump.truth['things'][2:6]  # a list, a dict, bytes, a str
    whole = told(dump, things)
    assert [a['words'] for a in whole] == [[]] * 4
    with CoreFile(dump.core) as core:
        places = [int(a, 16) + (16 if interpreter.free_threaded else 0) for a in things]
        places = [
            next(
                at
                for at in range(place, place + 40, 8)
                if core.word(at) == int(answer['type_address'], 16)
            )
            for place, answer in zip(places, whole)
        ]
        old = [core.word(at) for at in places]
        for at, value in zip(places, old):
            core.set_word(at, value ^ 1 << 44)
        damaged = told(dump, things)
        for at, value in zip(places, old):
            core.set_word(at, value)
    assert [a['guess'] for a in damaged] == [a['type'] for a in whole]
    assert all(not a['type'] and a['problem'] for a in damaged)
    assert any('  type' in word for word in damaged[0]['words']) and any(
        'size' in word for word in damaged[0]['words']
    )


@pytest.mark.parametrize('interpreter', every(lambda i: not i.free_threaded))
def test_what_stands_before_an_object(dumps, interpreter):
    """The collector's header, and the words that an instance of a class has before it."""
    dump = dumps.core(interpreter, MEMORY)
    things = dump.truth['things'][:1] + dump.truth['things'][2:4]
    word = 4 if interpreter.machine == 'i386' else 8
    answers = told(dump, ['0x%x' % (int(address, 16) - word) for address in things])
    assert [[a['nearest'], a['nearest_offset'], a['inside']] for a in answers] == [
        [address, -word, False] for address in things
    ]
