"""heap: where the memory is, beside what the allocators say of themselves: sys._debugmallocstats()
and glibc's malloc_info(), both written down by the program at its very end; and the sum beside what
the system counts."""
import os
import re

import pytest

from tests.support import programs, run

from .conftest import every
from .test_heap import chosen, told

LIVE = ('pyenv-2.7.18', 'pyenv-3.13.0')
HOOKED = ('pyenv-3.6.15', 'pyenv-3.13.0')
FILLED = programs.Program('filled', 'filled.py')
DEBUG = programs.Program('filled-debug', 'filled.py', ('pymalloc_debug',))
FREED = 'freed objects that stand in used blocks (free lists)'
CLASS = re.compile(r'^ +\d+ +(\d+) +(\d+) +(\d+) +(\d+)$', re.M)
LINE = re.compile(r'^(?:#|\d+) ([a-z][a-z ]+?)(?: \*.*?)? += +([\d,]+)$', re.M)
ARENAS = re.compile(r'^\d+ arenas \* \d+ bytes/arena +=\s+([\d,]+)$', re.M)
KEPT = re.compile(r'^ *(\d+) free (.*?) \* (\d+) bytes', re.M)
HEAP = re.compile(r'<heap nr=.*?</heap>', re.S)
TOTAL = re.compile(r'<(?:total|system) type="(\w+)"(?: count="(\d+)")? size="(\d+)"')


def number(text):
    return int(text.replace(',', ''))


def stats(dump):
    with open(dump.truth['stats']) as source:
        return source.read()


def rows(dump):
    """(The rows that are no part of another, {row: {part: it}}, the whole answer)."""
    answer = told(dump, ['heap'])[0]
    whole, parts, last = {}, {}, None
    for row in answer['memory']:
        if row['part']:
            parts[last][row['what']] = row
        else:
            last = row['what']
            whole[last], parts[last] = row, {}
    return whole, parts, answer


def blocks(dump, parts):
    """What Python says, and what we say: blocks in use and free by size, bytes of the rest."""
    text = stats(dump)
    true = {
        int(size): [int(used) * int(size), int(free) * int(size)]
        for size, pools, used, free in CLASS.findall(text)
        if int(pools)
    }
    lines = {name: number(value) for name, value in LINE.findall(text)}
    true['idle'] = lines['unused pools']
    true['lost'] = sum(
        value
        for name, value in lines.items()
        if name.startswith('bytes lost to') and 'arena map' not in name
    )
    found = {
        int(name.split()[-1]): [part['used'], part['free']]
        for name, part in parts.items()
        if name.startswith('blocks of ')
    }
    found['idle'] = parts.get('nothing in use there, for blocks of any size', {'bytes': 0})['bytes']
    found['lost'] = parts['no blocks: headers, rests']['bytes']
    return true, found


def chunks(text):
    """Free bytes of all heaps, and those with mappings of their own, as malloc_info() has them."""
    free, mapped = {'fast': 0, 'rest': 0}, 0
    system = 0
    for heap in HEAP.findall(text):
        for kind, count, size in TOTAL.findall(heap):
            if kind in free:
                # a free chunk's size has a flag in it; the top's has none
                free[kind] += int(size) - (int(count) - (kind == 'rest'))
            elif kind == 'current':
                system += int(size)
    for kind, count, size in TOTAL.findall(HEAP.sub('', text)):
        if kind == 'mmap':
            mapped = int(size)
    return free, system, mapped


@pytest.mark.parametrize('interpreter', every(chosen))
def test_where_it_is(dumps, interpreter):
    dump = dumps.core(interpreter, FILLED)
    whole, parts, answer = rows(dump)
    if interpreter.version >= (3, 6):
        check_blocks(dump, whole, parts)
    check_chunks(dump, whole, parts)
    check_sum(dump, whole, parts, answer)


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in HOOKED))
def test_with_hooks(dumps, interpreter):
    dump = dumps.core(interpreter, DEBUG)
    whole, parts, _ = rows(dump)
    check_blocks(dump, whole, parts)


def check_blocks(dump, whole, parts):
    interpreter = dump.interpreter
    if interpreter.free_threaded:
        assert whole['mimalloc']['there'] >= whole['mimalloc']['used'] > 4 << 20
        return
    # floats' type pointers lead on to the next one: nothing tells them
    kept = sum(
        int(count) * int(size)
        for count, what, size in KEPT.findall(stats(dump))
        if 'Float' not in what and 'Keys' not in what
    )
    assert kept <= parts['pymalloc'][FREED]['bytes']
    true, found = blocks(dump, parts['pymalloc'])
    assert found == true
    row = whole['pymalloc']
    assert row['bytes'] == number(ARENAS.search(stats(dump)).group(1))
    assert row['used'] == sum(v[0] for k, v in true.items() if isinstance(k, int))
    assert row['free'] == row['bytes'] - row['used'] - true['lost']


def check_chunks(dump, whole, parts):
    free, system, mapped = chunks(stats(dump))
    if not system:
        return  # it has no ctypes
    found = {
        name[6:]: part['bytes'] for name, part in parts['malloc'].items() if name[:6] == 'free: '
    }
    assert found.pop('fastbin', 0) == free['fast']
    found.pop('tcache', 0)  # in use, as malloc_info() has it
    assert sum(found.values()) == free['rest']
    own = parts['malloc'].get('chunks in mappings of their own', {'bytes': 0})['bytes']
    # one that others' mappings touch is not certain, and nobody's
    others = whole.get('other mappings', {'bytes': 0})['bytes']
    assert mapped - own in range(0, min(others, mapped // 4) + 1)
    # an arena of a thread begins with malloc's own words
    assert 0 <= system + own - whole['malloc']['bytes'] <= 4096


def check_sum(dump, whole, parts, answer):
    """Each byte once; what is not Python's is what Python has not."""
    assert sum(row['bytes'] for row in whole.values()) == answer['mapped']
    assert sum(row['there'] for row in whole.values()) == answer['there']
    assert answer['counted'] == 'in the dump' and answer['rss'] is None
    assert answer['there'] <= os.stat(dump.core).st_blocks * 512
    assert 0 < answer['not_python'] < answer['there']
    for row in whole.values():
        assert row['there'] <= row['bytes']
        assert row['used'] is None or row['used'] + row['free'] <= row['bytes']
    # three large buffers: no other part is as large
    own = parts['malloc' if 'malloc' in whole else 'mimalloc']
    assert own.get("Python's objects and their tables", {'bytes': 7 << 20})['bytes'] > 6 << 20


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in LIVE))
def test_live(tmp_path, interpreter):
    """Beside what the system counts; it counts a few pages late, for each thread."""
    with run.running(interpreter, FILLED, str(tmp_path / 'live')) as (pid, _):
        answer, status, errors = run.answer(str(pid), *run.where(interpreter), command=('heap',))
        assert status == 0, errors
    heap = answer['heap']
    assert heap['counted'] == 'resident'
    assert abs(heap['there'] - heap['rss']) < heap['rss'] // 50 + (1 << 20)
    assert sum(row['there'] for row in heap['memory'] if not row['part']) == heap['there']


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in LIVE))
def test_vast(tmp_path, interpreter):
    """Terabytes without pages: they are not counted page by page, and that is said."""
    program = programs.Program('spacious', 'spacious.py')
    with run.running(interpreter, program, str(tmp_path / 'live')) as (pid, _):
        answer, status, errors = run.answer(str(pid), *run.where(interpreter), command=('heap',))
    heap = answer['heap']
    assert 'which memory is resident is not counted' in errors and '4096 GiB' in errors
    assert heap['there'] is None and heap['counted'] is None
    assert heap['mapped'] > 1 << 42 and heap['rss'] < 1 << 30
