"""Reference counts: of one kind, immortal ones, and those of free-threaded builds, with an owner,
shared, deferred; their GIL."""
import pytest

from tests.support import programs, run

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
