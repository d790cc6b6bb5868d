"""All objects of PyPy's: how many of each class, who refers to whom, and what lies where, against
what its own collector says, on each PyPy that Debian's suites have."""
import json
import os
import shutil

import jsonschema
import pytest

from tests.support import damage, programs, run
from tests.support.corefile import CoreFile

from .test_pypy import EVERY, made

HEAP = programs.Program('pypy-heap', 'pypy_heap.py')
HELD = programs.Program('pypy-held', 'pypy_held.py')
RAW = programs.Program('pypy-raw', 'pypy_raw.py')

with open(os.path.join(run.TOP, 'docs', 'schema.json')) as source:
    SCHEMA = json.load(source)


def asked(dump, pypy, *command, status=0):
    answer, got, errors = run.answer(dump.core, *run.where(pypy), command=command)
    jsonschema.validate(answer, SCHEMA)
    assert got == status, (command, errors)
    return answer


def count_differences(truth, types):
    """The program goes on after it has counted: it writes the counts as text, opens a file."""
    counts = {row['type']: row['count'] for row in types}
    more = {'str', 'tuple', 'int', 'unicode', 'list', 'dict', 'frame', 'object', 'type'}
    more.add('getset_descriptor')
    for name, wanted in truth['counts'].items():
        got = counts.get(name, 0)
        room = len(truth['counts']) + 20 if name in more else wanted // 50 + 1
        if name.startswith('__main__.'):
            room = 0
        if name == '__main__.Row':
            wanted -= 20  # dropped since
        # its module is not in the class's own dict
        if not wanted - bool(room) <= got <= wanted + room and name != 'types.SimpleNamespace':
            yield '%s: %d, not %d' % (name, got, wanted)


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('pypy', EVERY)
def test_counts_by_class(dumps, pypy, options):
    dump = made(dumps, pypy, HEAP, *options)
    heap = asked(dump, pypy, 'heap')['heap']
    assert not list(count_differences(dump.truth, heap['types']))
    assert len(dump.truth['counts']) > 60
    # every change is seen
    for name in dump.truth['counts']:
        if name != 'types.SimpleNamespace':
            changed = dict(dump.truth['counts'])
            changed[name] += 1000
            assert list(count_differences({'counts': changed}, heap['types'])), name
    assert heap['objects'] == sum(row['count'] for row in heap['types'])
    assert heap['bytes'] == sum(row['bytes'] for row in heap['types'])
    # a structure of RPython's is no class of the program's
    rows = {row['type']: row for row in heap['types']}
    assert rows['RPython rpy_string']['count'] > 10000
    assert rows['__main__.Plain']['bytes'] % rows['__main__.Plain']['count'] == 0


@pytest.mark.parametrize('pypy', EVERY)
def test_instances_and_modules(dumps, pypy):
    dump = made(dumps, pypy, HEAP)
    heap = asked(dump, pypy, 'heap', 'Target', '--limit', '1000')['heap']
    addresses = {int(one['address'], 16) for one in heap['instances']}
    assert addresses == set(dump.truth['targets'].values())
    rows = asked(dump, pypy, 'heap', 'Row', '--limit', '1000')['heap']['instances']
    addresses = {int(one['address'], 16) for one in rows}
    assert len(addresses) == 380 and addresses > set(dump.truth['kept'])
    assert not addresses & set(dump.truth['freed'] + dump.truth['dropped'])
    assert all('Target object at' in one['repr'] for one in heap['instances'])
    modules = asked(dump, pypy, 'heap', '--by', 'module')['heap']['types']
    own = next(row for row in modules if row['type'] == '__main__')
    wanted = sum(n for name, n in dump.truth['counts'].items() if name.startswith('__main__.'))
    assert own['count'] == wanted - 20
    status, _, errors = run.pyscry(*run.where(pypy), dump.core, 'heap', '--strings')
    assert status == 2 and 'does not know the texts of' in errors


@pytest.mark.parametrize('pypy', EVERY)
def test_what_would_go(dumps, pypy):
    """HELD keeps all that make() made, but nothing of what others have."""
    dump = made(dumps, pypy, HEAP)
    heap = asked(dump, pypy, 'heap', '--under', hex(dump.truth['held']))['heap']
    under = {row['type'] for row in heap['retained']}
    assert under, heap['retained']
    rows = {row['type']: row for row in heap['types']}
    plain = rows['__main__.Plain']
    assert plain['retained'] >= plain['bytes']


# what of its holder refers to each target; of those that are not here RPython's name is shown
SLOTS = {
    'list': '[0]',
    'tuple': '[1]',
    'dict': "['key']",  # in every version: it is a str
    'key': 'key',
    'set': 'key',
    'frozenset': 'key',
    'deque': '[0]',
    'attribute': '.held',
    'generator': 'value',
    'thread': 'value',
    'failure': '.args_w[0]',
}


def referrer_differences(dump, answers):
    """Tuples are left out where they are arguments of the calls that asked."""
    for name, wanted in sorted(dump.truth['referrers'].items()):
        refs = [r for r in answers[name]['references'] if r['certain']]
        got = {int(r['from']['address'], 16): r['from']['type'] for r in refs}
        if got.pop(dump.truth['by_name'], None) != 'dict':
            yield '%s: not of the dict by name' % name
        for address, kind in wanted:
            if address not in got and kind != 'tuple':
                yield '%s: no %s at 0x%x' % (name, kind, address)
        for address in set(got) - {address for address, _ in wanted}:
            yield '%s: a %s at 0x%x' % (name, got[address], address)
        slots = {r['slot'] for r in refs}
        # 2.7 keeps an only argument as the message, too
        wanted = {SLOTS.get(name)} | ({'.w_message'} if name == 'failure' else set())
        if SLOTS.get(name) and not slots & wanted:
            yield '%s: as %s' % (name, slots)


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('pypy', EVERY)
def test_referrers(dumps, pypy, options):
    dump = made(dumps, pypy, HEAP, *options)
    answers = {
        name: asked(dump, pypy, 'refs', hex(address))['refs']
        for name, address in dump.truth['targets'].items()
    }
    assert not list(referrer_differences(dump, answers))
    assert len(answers) == 15
    # every referrer counts
    for name, answer in answers.items():
        whole = answer['references']
        for one in whole:
            if one['certain'] and (name != 'twice' or one['from']['type'] != 'list'):
                answer['references'] = [other for other in whole if other is not one]
                wrong = list(referrer_differences(dump, answers))
                assert wrong or one['from']['type'] == 'tuple', (name, one)
        answer['references'] = whole
    # a list that has it twice refers to it twice; a thread's frame is that thread's
    twice = [r['slot'] for r in answers['twice']['references'] if r['from']['type'] == 'list']
    assert twice == ['[0]', '[1]']
    frame = next(r for r in answers['thread']['references'] if r['from']['kind'] == 'frame')
    assert frame['from']['function'] == 'waiting' and frame['from']['thread']
    assert answers['list']['object']['refcount'] is None


@pytest.mark.parametrize('pypy', EVERY)
def test_refs_as_text(dumps, pypy):
    dump = made(dumps, pypy, HEAP)
    address = hex(dump.truth['targets']['attribute'])
    status, output, errors = run.pyscry(*run.where(pypy), dump.core, 'refs', '--path', address)
    assert status == 0, errors
    assert ': references are not counted' in output.splitlines()[0]
    assert '  .held of __main__.Plain ' in output and 'root: module' in output, output


def layers_of(dump, pypy, address):
    return asked(dump, pypy, 'whatis', hex(address))['whatis']['layers']


def told(layers):
    """Whether there is an object, whether it is alive, and whose memory it is in."""
    first = layers[0]
    memory = next((one for one in layers if one['allocator'] and 'PyPy' in one['allocator']), None)
    return (
        first['what'],
        first['type'],
        first['alive'],
        memory and (memory['what'], memory['allocator']),
    )


ARENA = ('block', "PyPy's arenas")
PLACES = {
    'kept': ('object', '__main__.Row', True, ARENA),
    'dropped': ('object', '__main__.Row', None, ARENA),
    'freed': ('free block', None, False, ('free block', "PyPy's arenas")),
}


@pytest.mark.parametrize('pypy', EVERY)
def test_what_stands_there(dumps, pypy):
    dump = made(dumps, pypy, HEAP)
    for kind, wanted in PLACES.items():
        got = [told(layers_of(dump, pypy, address)) for address in dump.truth[kind][:4]]
        # another object may have been made where one was freed
        right = [one for one in got if one == wanted]
        assert len(right) >= (1 if kind == 'freed' else 4), (kind, got)
        assert kind != 'freed' or all(one[0] in ('object', 'free block') for one in got), got
    for address in dump.truth['prebuilt']:
        layers = layers_of(dump, pypy, address)
        assert layers[0]['what'] == 'object' and layers[0]['type'] == 'type', layers
        assert any(one['what'] == 'data' for one in layers), layers
    inside = layers_of(dump, pypy, dump.truth['kept'][0] + 8)[0]
    assert inside['offset'] == 8 and inside['type'] == '__main__.Row'


def words_to(dump, pypy, address):
    return asked(dump, pypy, 'whatis', '--refs', hex(address))['whatis']['references']


@pytest.mark.parametrize('pypy', EVERY)
def test_words_that_lead_there(dumps, pypy):
    """Those of objects have the slot and the holder that the core has there; what is in free
    memory does not count."""
    dump = made(dumps, pypy, HEAP)
    with CoreFile(dump.core) as core:
        for address in dump.truth['kept']:
            words = words_to(dump, pypy, address)
            for one in words:
                if one['from']['kind'] != 'register':
                    assert core.word(int(one['at'], 16)) == int(one['to'], 16) == address, one
            holders = {one['from']['type'] for one in words if one['from']['kind'] == 'object'}
            assert any(name.startswith('RPython GcArray of') for name in holders), words
            slots = [one['slot'] for one in words if one['from']['type'] in holders]
            assert any(slot and slot.startswith('[') for slot in slots), words
        for address in dump.truth['dropped']:  # the truth has numbers like these
            words = [one for one in words_to(dump, pypy, address) if one['from']['type']]
            assert not any((one['slot'] or '').startswith('[') for one in words), words
    # an address in the midst of nothing, and one that is not there
    assert words_to(dump, pypy, 0x1000) == []


def findings(pypy, core, status=0):
    answer, got, errors = run.answer(core, *run.where(pypy), command=('verify',))
    jsonschema.validate(answer, SCHEMA)
    assert got == status, errors
    return answer['verify']


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('pypy', EVERY)
def test_sound_heap(dumps, pypy, options):
    found = findings(pypy, made(dumps, pypy, HEAP, *options).core)
    assert found['checked'] > 100000 and found['findings'] == [], found


@pytest.mark.parametrize('pypy', EVERY)
def test_unsound_heap(dumps, pypy, tmp_path):
    """One word is changed each time; what is wrong is named, and who leads there."""
    dump = made(dumps, pypy, HEAP)
    copy, kept = str(tmp_path / 'core'), dump.truth['kept'][0]
    slot = next(
        int(one['at'], 16)
        for one in words_to(dump, pypy, kept)
        if (one['from']['type'] or '').startswith('RPython GcArray of')
    )
    free = next(
        (
            address
            for address in dump.truth['freed']
            if layers_of(dump, pypy, address)[0]['what'] == 'free block'
        ),
        None,
    )
    assert free, 'other objects were given the places of all'
    with CoreFile(dump.core) as core:
        header = core.word(kept)
    cases = [
        (slot, free, 'dangling', free),
        (slot, 0x123456780, 'no object', 0x123456780),
        (slot, kept + 1, 'no object', kept + 1),
        (kept, header ^ 1 << 60, 'type', kept),
        (kept, header | 0xFFFFFFF0, 'no object', kept),
        # the storage of the list says that it has more items than memory has
        (slot - 8 * 2 - 8, 1 << 40, 'size', None),
    ]
    for at, value, kind, address in cases:
        shutil.copyfile(dump.core, copy)
        with CoreFile(copy) as core:
            core.set_word(at, value)
        found = findings(pypy, copy, status=1)['findings']
        here = [one for one in found if one['kind'] == kind]
        assert here, (kind, found)
        if address is not None:
            one = next(one for one in here if int(one['address'], 16) == address)
            if kind != 'type':
                assert one['holders'] or kind == 'dangling', one


@pytest.mark.parametrize('pypy', EVERY)
def test_held_by_other_memory(dumps, pypy):
    """Constants of machine code and items of object arrays are in no object of RPython's."""
    dump = made(dumps, pypy, HELD)
    rows = {row['type']: row for row in asked(dump, pypy, 'heap')['heap']['types']}
    none = {'count': 0}
    counts = {name: rows.get('__main__.' + name, none)['count'] for name in ('Held', 'Item')}
    assert counts == {'Held': dump.truth['held'], 'Item': dump.truth['items']}
    assert dump.truth['items'] == (2 if pypy.version[0] == 2 else 0)
    for name in sorted(name for name, count in counts.items() if count):
        instances = asked(dump, pypy, 'heap', name)['heap']['instances']
        refs = asked(dump, pypy, 'refs', instances[0]['address'])['refs']['references']
        assert any(one['certain'] for one in refs), (name, refs)


@pytest.mark.parametrize('pypy', EVERY)
def test_memory_of_c(dumps, pypy):
    """Whose it is: of the one who got it, not of those that only have its address."""
    dump = made(dumps, pypy, RAW)
    truth = dump.truth['memory']
    for kind, (memory, owner) in truth.items():
        for offset in (0, 8):
            layers = layers_of(dump, pypy, memory + offset)
            part, whose = layers[0], layers[1]
            assert (part['what'], part['offset'], part['certain']) == ('part', offset, True), layers
            assert int(whose['address'], 16) == owner and whose['certain'], (kind, layers)
            assert any(one['allocator'] == 'malloc' for one in layers)
    # a chunk of which nobody has the first byte: the second one's bytes are in none
    address = truth['large'][0] - 0x100000
    assert all(one['what'] != 'part' for one in layers_of(dump, pypy, address))


@pytest.mark.parametrize('pypy', EVERY)
def test_reprs_of_cffi(dumps, pypy):
    dump = made(dumps, pypy, RAW)
    for number, text in enumerate(dump.truth['reprs']):
        _, output, _ = run.pyscry(*run.where(pypy), dump.core, 'print', 'REPRS[%d]' % number)
        assert output.strip().endswith(' = ' + text), (text, output)


LEAST = 16  # bytes of an object that has an attribute: its header, and that


@pytest.mark.parametrize('pypy', EVERY)
def test_what_is_not_reached(dumps, pypy):
    """What was dropped since the last collection, and not what the program has."""
    dump = made(dumps, pypy, HEAP)
    (gc,) = asked(dump, pypy, 'gc', '--unreachable')['gc']
    own = gc['incminimark']
    assert own['reached_bytes'] + own['unreached_bytes'] == own['old_bytes']
    mine = sum(n for name, n in dump.truth['counts'].items() if name.startswith('__main__.'))
    dropped = len(dump.truth['freed']) + len(dump.truth['dropped'])
    assert own['unreached_bytes'] >= LEAST * len(dump.truth['dropped']), own
    assert own['reached_bytes'] >= LEAST * (mine - dropped), own
    (gc,) = asked(dump, pypy, 'gc')['gc']
    assert 'reached_bytes' not in gc['incminimark'] and gc['error'] is None


@pytest.mark.parametrize('pypy', EVERY)
def test_damaged_objects(dumps, pypy, tmp_path):
    """Every command ends by itself, with an answer or a reason."""
    dump = made(dumps, pypy, HEAP)
    objects = list(dump.truth['targets'].values()) + dump.truth['kept']
    objects += [address for one in dump.truth['referrers'].values() for address, _ in one]
    copy = str(tmp_path / 'core')
    for seed in range(3):
        shutil.copyfile(dump.core, copy)
        damage.overwrite(copy, objects, seed, 24, 160)
        address = hex(objects[seed])
        for command in (['heap', '--by', 'retained'], ['refs', address], ['whatis', address]):
            status, output, errors = run.pyscry(*run.where(pypy), copy, *command, timeout=60)
            assert status in (0, 1, 2) and (output if status < 2 else errors), (command, seed)
