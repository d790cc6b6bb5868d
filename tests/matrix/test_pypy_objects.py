"""Objects of PyPy's, by their addresses: in C extensions too, in each PyPy that Debian's suites
have."""
import json
import os
import shutil
import struct
import subprocess

import jsonschema
import pytest

from tests.support import programs, run

from .test_pypy import EVERY, VALUES, made

MOVED = struct.pack('<q', -42)
KEPT = programs.Program('pypy-kept', 'pypy_kept.py')

with open(os.path.join(run.TOP, 'docs', 'schema.json')) as source:
    SCHEMA = json.load(source)


@pytest.fixture(scope='session')
def library(tmp_path_factory):
    """The extension: one file for all, it needs no headers."""
    if not shutil.which('cc'):
        pytest.skip('no C compiler')
    path = str(tmp_path_factory.mktemp('extension') / 'kept.so')
    source = os.path.join(run.PROGRAMS, 'pypy_kept.c')
    subprocess.run(['cc', '-g', '-shared', '-fPIC', '-o', path, source], check=True)
    return path


def kept(dumps, pypy, library):
    place = dumps.place(pypy, KEPT.name)
    os.makedirs(place, exist_ok=True)
    shutil.copy(library, place)
    return dumps.make(place, lambda: run.crash(pypy, KEPT, place))


def fits(wanted, text):
    """What is not known before is an address, at the end."""
    return text.startswith(wanted) if wanted.endswith(' at ') else text == wanted


def described(dump, pypy):
    """What obj says of each object, and its exit status."""
    answers = []
    for entry in dump.truth['objects']:
        answer, status, _ = run.answer(
            dump.core, *run.where(pypy), command=('obj', hex(entry['address']))
        )
        jsonschema.validate(answer, SCHEMA)
        answers.append((answer['object'], status))
    return answers


def differences(objects, answers):
    for entry, (got, status) in zip(objects, answers):
        wanted = entry['repr'].split(' at 0x')[0] + ' at ' * (' at 0x' in entry['repr'])
        if status != 0:
            yield '%s: status %d' % (wanted, status)
        elif not fits(wanted, got['repr']):
            yield '%s: %s' % (wanted, got['repr'])
        elif got['type'].rpartition('.')[2] != entry['type']:
            yield '%s: a %s, not a %s' % (wanted, got['type'], entry['type'])
        elif got['refcount'] != entry['count']:
            yield '%s: %d references, not %d' % (wanted, got['refcount'], entry['count'])
        elif (got['object_address'] is not None) != entry['linked']:
            yield '%s: its link is wrong' % wanted


@pytest.mark.parametrize('pypy', EVERY)
def test_kept_by_extensions(dumps, pypy, library):
    """Objects that only C has references to are in the heap, and it is said that C keeps them."""
    dump = kept(dumps, pypy, library)
    where = run.where(pypy)
    found = run.answer(dump.core, *where, command=('heap', 'Lone'))[0]['heap']['instances']
    addresses = {one['address'] for one in found}
    standing = [
        run.answer(dump.core, *where, command=('obj', hex(address)))[0]['object']
        for address in dump.truth['lone']
    ]
    assert addresses == {each['object_address'] for each in standing}
    for address in addresses:
        refs = run.answer(dump.core, *where, command=('refs', address))[0]['refs']['references']
        certain = [one for one in refs if one['certain']]
        assert [one['slot'] for one in certain] == ["C extensions' references"], refs
        assert int(certain[0]['from']['address'], 16) in dump.truth['lone']
    assert run.answer(dump.core, *where, command=('verify',))[0]['verify']['findings'] == []


@pytest.mark.parametrize('pypy', EVERY)
def test_objects_of_extensions(dumps, pypy, library):
    dump = kept(dumps, pypy, library)
    answers = described(dump, pypy)
    assert len(answers) >= 19 and not list(differences(dump.truth['objects'], answers))
    # and the comparison sees a change in any of them
    for entry, answer in zip(dump.truth['objects'], answers):
        for key, other in (('count', -1), ('repr', 'another'), ('linked', not entry['linked'])):
            assert list(differences([dict(entry, **{key: other})], [answer])), (key, entry)


@pytest.mark.parametrize('pypy', EVERY)
def test_print_and_regs_of_extensions(dumps, pypy, library):
    dump = kept(dumps, pypy, library)
    address = hex(dump.truth['objects'][0]['address'])
    status, output, errors = run.pyscry(*run.where(pypy), dump.core, 'print', '@' + address)
    assert (status, output) == (0, "@%s = (1, 'two')\n" % address), errors
    plain = hex(dump.truth['objects'][1]['address'])
    status, output, errors = run.pyscry(*run.where(pypy), dump.core, 'print', '@%s.number' % plain)
    assert (status, output) == (0, '@%s.number = 77\n' % plain), errors
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('regs',))
    registers = {row['name']: row for row in answer['native_frames'][0]['registers']}
    assert (registers['r12']['type'], registers['r12']['repr']) == ('tuple', "(1, 'two')")
    assert all(row['kind'] != 'object' for name, row in registers.items() if row['value'] == '0x0')


@pytest.mark.parametrize('pypy', EVERY)
def test_pypy_behind_the_link(dumps, pypy, library):
    """PyPy's object has the same value, and says where the collector keeps it; what is beside it is
    none."""
    dump = kept(dumps, pypy, library)
    for entry in dump.truth['objects']:
        if not entry['linked']:
            continue
        first, _, _ = run.answer(
            dump.core, *run.where(pypy), command=('obj', hex(entry['address']))
        )
        behind = first['object']['object_address']
        second, status, errors = run.answer(dump.core, *run.where(pypy), command=('obj', behind))
        assert status == 0 and second['object']['repr'] == first['object']['repr'], errors
        assert second['object']['address'] == behind and 'refcount' not in second['object']
        assert second['object']['place'].split(':')[0] in ('young', 'old', 'prebuilt')
        aside = hex(int(behind, 16) + 4)
        third, status, errors = run.answer(dump.core, *run.where(pypy), command=('obj', aside))
        jsonschema.validate(third, SCHEMA)
        assert status == 1 and third['object']['problem'] and not third['object']['type']


@pytest.mark.parametrize('pypy', [p for p in EVERY if p.id == 'host-pypy3'])
def test_extensions_in_gdb(dumps, pypy, library):
    dump = kept(dumps, pypy, library)
    exe = pypy.exe
    _, output, _ = run.gdb('print last', 'print kept[1]', core=dump.core, exe=exe)
    assert "$1 = (1, 'two')" in output and '$2 = <__main__.Plain object at 0x' in output, output


def forwarded(path):
    """Places in a core where a collection has left where it moved an object to: -42, an address."""
    with open(path, 'rb') as source:
        data = source.read()
    offset, count = struct.unpack_from('<Q', data, 32)[0], struct.unpack_from('<H', data, 56)[0]
    for i in range(count):
        kind, _, at, start, _, size = struct.unpack_from('<IIQQQQ', data, offset + 56 * i)
        found = data.find(MOVED, at, at + size) if kind == 1 else -1
        while found >= 0:
            if (found - at) % 8 == 0 and 1 << 40 < int.from_bytes(
                data[found + 8 : found + 16], 'little'
            ) < 1 << 47:
                yield start + found - at
            found = data.find(MOVED, found + 8, at + size)


@pytest.mark.parametrize('pypy', EVERY)
def test_what_a_collection_left_is_no_object(dumps, pypy):
    """No collection runs while the program dies: what is marked as moved lies in free memory."""
    dump = made(dumps, pypy, VALUES)
    places = list(forwarded(dump.core))
    assert len(places) > 20
    said = []
    for place in places[:: len(places) // 10]:
        status, output, errors = run.pyscry(*run.where(pypy), dump.core, 'obj', hex(place))
        said.append('no object' in output)
        # the unused part of an object is not known: there it is marked
        assert said[-1] == (status == 1), (output, errors)
        assert said[-1] or 'or left by an earlier one' in output, output
    assert said.count(True) > len(said) / 2, said
