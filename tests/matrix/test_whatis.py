"""whatis: whose the memory at an address is, what is free and what it was, who uses a buffer. The
program knows its buffers' addresses, and what malloc() told it."""
import json
import subprocess

import jsonschema
import pytest

from tests.support import programs, run, session

from .conftest import every

WHOSE = programs.Program('whose', 'whose.py', ctypes=True)
# one of each kind of layout, of allocators and of glibc (2.31, 2.36, 2.43)
SOME = (
    'pyenv-2.7.18',
    'pyenv-3.6.15',
    'pyenv-3.8.18',
    'bullseye-3.9',
    'pyenv-3.11.7',
    'pyenv-3.12.1',
    'pyenv-3.13.0',
    'built-3.13t',
    'sid-3.14',
    'sid-3.15',
)
CHOSEN = every(lambda i: i.tag in SOME and i.ctypes)


def told(dump, addresses, options=''):
    """What whatis says of each address."""
    lines = ['whatis %s %s' % (options, address) for address in addresses]
    return session.told(dump, lines, 'whatis')


def layers(answer, *kinds):
    return [layer for layer in answer['layers'] if layer['what'] in kinds]


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_owners(dumps, interpreter):
    """Every buffer's owner, by a member of it."""
    dump = dumps.core(interpreter, WHOSE)
    truth = dump.truth['owners']
    found = []
    for answer, (address, _, owner, _, _) in zip(told(dump, [row[0] for row in truth]), truth):
        part = layers(answer, 'part')[0] if layers(answer, 'part') else {}
        whose = [o for o in layers(answer, 'object') if o['address'] == owner]
        found.append(
            [address, part.get('offset'), part.get('owner'), part.get('type'), part.get('field')]
        )
        assert whose and whose[0]['alive'] and part['certain'], (answer, owner)
    members = {'ob_bytes': 'ob_start'}  # 2.7 has no other
    for row in found:
        row[4] = members.get(row[4], row[4])
    assert found == truth
    truth[0][4] = 'ob_item'  # a changed expectation is seen
    assert found != truth


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_inside_objects(dumps, interpreter):
    dump = dumps.core(interpreter, WHOSE)
    truth = dump.truth['inside']
    first = [answer['layers'][0] for answer in told(dump, [row[0] for row in truth])]
    assert [
        [row[0], f['offset'], f['address'], f['type'], f['field']] for row, f in zip(truth, first)
    ] == truth
    assert all(f['what'] == 'object' and f['alive'] for f in first)


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_freed(dumps, interpreter):
    """None that was freed is called alive, and what it was is known; of those that live none is
    called free. What was freed last is given out next."""
    dump = dumps.core(interpreter, WHOSE)
    truth = dump.truth['freed']
    answers = told(dump, [address for address, _ in truth])
    assert [[address, a['layers'][0]['type']] for (address, _), a in zip(truth, answers)] == truth
    for answer in answers:
        assert [layer['what'] for layer in answer['layers'][:2]] == ['freed object', 'free block']
        assert {layer['alive'] for layer in answer['layers'][:2]} == {False}
        assert not answer['layers'][0]['certain'] and answer['layers'][1]['order'] >= 1
    if not interpreter.free_threaded:
        assert [a['layers'][1]['order'] for a in answers[2::3]] == [1] * (len(answers) // 3)
    for answer in told(dump, dump.truth['kept'] + [dump.truth['none'], dump.truth['main']]):
        assert answer['layers'][0]['what'] == 'object' and answer['layers'][0]['alive']
        assert not layers(answer, 'free block', 'free chunk', 'freed object')


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_chunks(dumps, interpreter):
    """Each chunk that malloc() gave out with its size, and each that was freed."""
    dump = dumps.core(interpreter, WHOSE)
    used = dump.truth['used_chunks'][::12]
    answers = told(dump, [address for address, _ in used])
    assert [[c['address'], c['size']] for a in answers for c in layers(a, 'chunk')] == used
    answers = told(dump, [address for address, _ in dump.truth['freed_chunks']])
    assert all(layers(a, 'free chunk') and not layers(a, 'chunk') for a in answers)
    chunks = [layers(a, 'free chunk')[0] for a in answers]
    assert all(c['certain'] and c['alive'] is False and c['list'] for c in chunks)
    # of the first size that was freed: the cache has its last ones, the last one first
    cached = [c for c in chunks[:15] if c['list'] == 'tcache']
    assert sorted(c['order'] for c in cached) == list(range(1, len(cached) + 1)) and cached


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_who_uses_a_buffer(dumps, interpreter):
    dump = dumps.core(interpreter, WHOSE)
    buffer, owner, users = dump.truth['shared']
    answer = told(dump, [buffer])[0]
    assert layers(answer, 'part')[0]['owner'] == owner
    held = {user['address']: user['held'] for user in answer['exports']}
    assert set(users) <= set(held)
    assert held[users[0]] == 'mv of #0 main'


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.tag in ('pyenv-2.7.18', 'pyenv-3.11.7', 'sid-3.15'))
)
def test_live(tmp_path, interpreter):
    """The same of a process that runs, by the command line: text and JSON."""
    with run.running(interpreter, WHOSE, str(tmp_path)) as (pid, truth):
        address, offset, owner, kind, _ = truth['owners'][1]
        command = [run.cli()]
        command += ['--sysroot', interpreter.root] if interpreter.root else []
        command += [str(pid), 'whatis']
        done = subprocess.run(command + ['--json', address], stdout=subprocess.PIPE, timeout=60)
        answer = json.loads(done.stdout)
        session.SCHEMA.validate(answer)
        part = layers(answer['whatis'], 'part')[0]
        assert [part['owner'], part['offset'], part['type']] == [owner, offset, kind]
        done = subprocess.run(command + [address], stdout=subprocess.PIPE, timeout=60)
        text = done.stdout.decode()
        assert '%d bytes into memory of %s %s (ob_item, ' % (offset, kind, owner) in text
        assert 'Traceback' not in text and text.count('\n') <= 3
        done = subprocess.run(
            command + ['0x10'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60
        )
        assert (done.returncode, done.stdout.decode()) == (0, '0x10  nothing is mapped there\n')


def test_schema_knows_layers():
    with pytest.raises(jsonschema.ValidationError):
        session.SCHEMA.validate({'whatis': {'address': '0x1', 'layers': [{'what': 'guess'}]}})
