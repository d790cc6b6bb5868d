"""py-exc: what each thread has in hand, by which handler, and what is unclean; every interpreter's
own words beside it."""
import json
import os
import shutil
import subprocess

import jsonschema
import pytest

from tests.support import programs, run

from .conftest import every

with open(os.path.join(run.TOP, 'docs', 'schema.json')) as source:
    SCHEMA = jsonschema.Draft7Validator(json.load(source))
ENDLESS = programs.Program('endless', 'endless.py', since=(3, 6))
HANDLED = programs.Program('handled', 'handled.py')


def told(dump, *options):
    answer, status, errors = run.answer(
        dump.core, *run.where(dump.interpreter), *options, command=('exc', '--all')
    )
    assert status == 0, errors
    SCHEMA.validate(answer)
    return answer['exceptions']


def by_thread(entries):
    found = {}
    for entry in entries:
        if entry['state'] == 'handled':
            found.setdefault(entry['tid'], []).append(
                [entry['exception']['id'], entry['handler'] and entry['handler']['function']]
            )
    return found


def differences(truth, entries):
    found = by_thread(entries)
    return [
        '%s: %s, not %s' % (t['name'], found.get(t['tid'], []), t['handled'])
        for t in truth['threads']
        if found.get(t['tid'], []) != t['handled']
    ]


@pytest.mark.parametrize('layout', ['auto', 'rows'])
@pytest.mark.parametrize('interpreter', every())
def test_handlers_within_handlers(dumps, interpreter, layout):
    dump = dumps.core(interpreter, HANDLED)
    assert {t['name'] for t in dump.truth['threads']} == set(dump.truth['names'])
    entries = told(dump, '--layout', layout)
    wrong = differences(dump.truth, entries)
    assert not wrong, '\n'.join(wrong)
    assert [e for e in entries if e['unclean']] == []
    assert [e['exception']['id'] for e in entries if e['state'] == 'last'] == [dump.truth['last']]
    suspended = [
        [e['generator'], e['exception']['id']] for e in entries if e['state'] == 'suspended'
    ]
    assert sorted(suspended) == sorted(dump.truth['suspended'])
    # a changed expectation is seen
    dump.truth['threads'][1]['handled'][0][1] += '?'
    assert len(differences(dump.truth, entries)) == 1
    dump.truth['threads'][1]['handled'][0][1] = dump.truth['threads'][1]['handled'][0][1][:-1]


@pytest.fixture(scope='session')
def careless(tmp_path_factory):
    """tests/programs/unclean.c as a library that any interpreter can load."""
    library = str(tmp_path_factory.mktemp('careless') / 'unclean.so')
    subprocess.run(
        ['cc', '-shared', '-fPIC', '-O1', '-o', library, os.path.join(run.PROGRAMS, 'unclean.c')],
        check=True,
    )
    return library


def unclean_differences(truth, entries):
    wrong = []
    for thread in truth['threads']:
        found = [
            [
                e['state'],
                e['exception']['type'],
                e['exception']['message'],
                e['exception']['id'],
                bool(e['unclean']),
            ]
            for e in entries
            if e['tid'] == thread['tid']
        ]
        for entry, expected in zip(found, thread['entries']):
            if expected[3] == 'any' and (entry[3] or entry[0] == 'raised'):
                entry[3] = 'any'  # made in C: the program does not know
        if found != thread['entries']:
            wrong.append('%s: %s, not %s' % (thread['name'], found, thread['entries']))
    return wrong


@pytest.mark.parametrize(
    'interpreter', every(lambda i: i.ctypes and not i.debug and i.machine == os.uname().machine)
)
def test_what_C_code_leaves_unclean(dumps, careless, interpreter, tmp_path):
    shutil.copy(careless, str(tmp_path / 'unclean.so'))
    dump = run.crash(
        interpreter, programs.Program('unclean', 'unclean.py', ('unclean.so',)), str(tmp_path)
    )
    try:
        assert {t['name'] for t in dump.truth['threads']} == set(dump.truth['names'])
        entries = told(dump)
        wrong = unclean_differences(dump.truth, entries)
        assert not wrong, '\n'.join(wrong)
        # a changed expectation is seen
        dump.truth['threads'][0]['entries'][0][4] = False
        assert len(unclean_differences(dump.truth, entries)) == 1
    finally:
        dump.remove()


@pytest.mark.parametrize('interpreter', every(lambda i: i.version >= (3, 6)))
def test_what_has_no_end_is_cut_and_said(dumps, interpreter):
    """A chain of 10,000, a circle, a traceback of 5,000, 300 handlers, groups that double a hundred
    times."""
    dump = dumps.core(interpreter, ENDLESS)
    status, text, errors = run.pyscry(dump.core, *run.where(interpreter), 'exc', '--all')
    assert status == 0 and len(text) < 1 << 20, errors
    assert '9,950 more exceptions before it' in text and '4,990 more frames of again' in text
    assert '201 more are handled by older frames' in text
    answer, status, errors = run.answer(
        dump.core, *run.where(interpreter), command=('exc', '--all')
    )
    assert status == 0 and answer['omitted'] == 201, errors
    first = {e['tid']: e['exception'] for e in reversed(answer['exceptions'])}
    circle = first[dump.truth['circle']]
    assert (
        circle['cause']['cause']['cause']['repeated']
        and circle['cause']['cause']['cause']['id'] == circle['id']
    )
    assert len(first[dump.truth['deep']]['frames']) == 5003
    depth, link = 0, first[dump.truth['chained']]
    while not link.get('truncated'):
        depth, link = depth + 1, link['cause'] or link['context']
    assert depth == 51
    if 'groups' in dump.truth:
        members = first[dump.truth['groups']]['members']
        assert (
            len(members[0]['members']) == 500
            and members[2]['repeated']
            and members[1]['members'][1]['repeated']
        )
