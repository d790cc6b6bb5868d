"""Reference counts: of one kind, immortal ones, and those of free-threaded builds, with an owner,
shared, deferred; their GIL."""
import os
import struct

import pytest

from tests.support import programs, run
from tests.support.corefile import PF_W, PT_LOAD, CoreFile

from .conftest import every

COUNTS = programs.Program('counts', 'counts.py')


def compare(dump, truth):
    differences = []
    for wanted in truth['objects']:
        answer, status, errors = run.answer(
            dump.core, *run.where(dump.interpreter), command=('obj', wanted['id'])
        )
        found = answer['object']
        assert status == 0, errors
        mine = {
            'immortal': found['immortal'],
            'deferred': found['deferred']
            if dump.interpreter.version >= (3, 14)
            else wanted['deferred'],
            'count': wanted['count']
            if wanted['immortal']
            else (found['refcount'] or 0) + (found['shared_refcount'] or 0),
        }
        for key, value in mine.items():
            if value != wanted[key]:
                differences.append(
                    '%s: %s is %s, not %s' % (wanted['name'], key, value, wanted[key])
                )
        if (
            dump.interpreter.free_threaded
            and wanted['name'] in ('list', 'instance', 'float')
            and found['owner'] != truth['ident']
        ):
            differences.append(
                '%s belongs to thread %s, not %s' % (wanted['name'], found['owner'], truth['ident'])
            )
    return differences


@pytest.mark.parametrize('interpreter', every())
def test_counts(dumps, interpreter):
    dump = dumps.core(interpreter, COUNTS)
    differences = compare(dump, dump.truth)
    if differences:
        pytest.fail('\n'.join(differences), pytrace=False)
    dump.truth['objects'][0]['count'] += 1
    assert compare(dump, dump.truth), 'the comparison cannot fail'


@pytest.mark.parametrize('mode', ['on', 'off'])
@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.free_threaded))
def test_gil(dumps, interpreter, mode):
    """A free-threaded build has one that may be on."""
    dump = dumps.core(interpreter, programs.Program('gil-' + mode, 'gil.py', (mode,)))
    assert dump.truth['enabled'] == (mode == 'on')
    answer, status, errors = run.answer(dump.core, *run.where(interpreter))
    assert status == 0, errors
    assert {thread['tid'] == dump.truth['pid']: thread['gil'] for thread in answer['threads']} == {
        True: 'held' if mode == 'on' else None,
        False: None,
    }


# 3.11: of what is in the interpreter's own data; later: of what is immortal
FIRST_COUNTS = {(3, 11): 999999999, (3, 12): 0xFFFFFFFF, (3, 13): 0xFFFFFFFF, (3, 14): 3 << 30}
FIRST_COUNTS[3, 15] = FIRST_COUNTS[3, 14]


def with_a_gil(interpreter):
    return not interpreter.free_threaded and interpreter.machine == 'x86_64'


def map_page(path, address):
    """Where something of the process lies matters to nobody but to what looks like its address: one
    mapping more, of zeros, unless the process has one there."""
    with open(path, 'r+b') as core:
        file_header = bytearray(core.read(64))
        start, count = (struct.unpack_from(f, file_header, at)[0] for f, at in TABLE)
        core.seek(start)
        table = [list(SEGMENT.unpack(core.read(SEGMENT.size))) for _ in range(count)]
        loads = [(at, size) for kind, _, _, at, _, _, size, _ in table if kind == PT_LOAD]
        if any(at <= address < at + size for at, size in loads):
            return
        # segments are sorted by their addresses
        index = count - sum(at > address for at, _ in loads)
        page = -(-core.seek(0, os.SEEK_END) // PAGE) * PAGE
        table.insert(index, [PT_LOAD, READ | PF_W, page, address, 0, PAGE, PAGE, PAGE])
        core.seek(page)
        core.write(bytes(PAGE) + b''.join(SEGMENT.pack(*row) for row in table))
        for (form, at), value in zip(TABLE, (page + PAGE, count + 1)):
            struct.pack_into(form, file_header, at, value)
        core.seek(0)
        core.write(file_header)


PAGE = 4096
READ = 4  # PF_R
TABLE = (('<Q', 32), ('<H', 56))  # where e_phoff and e_phnum are
SEGMENT = struct.Struct('<IIQQQQQQ')


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.version[:2] in FIRST_COUNTS and with_a_gil(i))
)
def test_counts_that_are_addresses_too(interpreter, tmp_path):
    """Up to 1 GB behind a program at 4 MB its break may begin: the first counts of static objects
    are mapped then."""
    dump = run.crash(interpreter, COUNTS, str(tmp_path))
    map_page(dump.core, FIRST_COUNTS[interpreter.version[:2]] & ~0xFFF)
    differences = compare(dump, dump.truth)
    assert not differences, '\n'.join(differences)


MANY = 10000000  # where a program that is loaded at 4 MB has its data
WITH_EVIDENCE = ('list', 'dict', 'instance', 'class', 'text', 'int')


@pytest.mark.parametrize('interpreter', every(with_a_gil))
def test_as_many_references_as_an_address(interpreter, tmp_path):
    """What follows the count says that an object is there."""
    dump = run.crash(interpreter, COUNTS, str(tmp_path))
    map_page(dump.core, MANY & ~0xFFF)
    dump.truth['objects'] = [o for o in dump.truth['objects'] if o['name'] in WITH_EVIDENCE]
    with CoreFile(dump.core) as core:
        for each in dump.truth['objects']:
            core.set_word(int(each['id'], 16), MANY)
            each['count'] = MANY
    differences = compare(dump, dump.truth)
    assert not differences, '\n'.join(differences)
