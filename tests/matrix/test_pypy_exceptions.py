"""py-exc of PyPy: what each thread has in hand beside what the program says, interpreted and in the
JIT's own form."""
import json
import os

import jsonschema
import pytest

from tests.support import programs, run

from .test_pypy import EVERY, made

HANDLED = programs.Program('pypy-handled', 'pypy_handled.py')

with open(os.path.join(run.TOP, 'docs', 'schema.json')) as source:
    SCHEMA = json.load(source)


def told(entry):
    exception = entry['exception']
    return {
        'type': exception['type'],
        'message': exception['message'],
        'handler': entry['handler'] and entry['handler']['function'],
        'traceback': [[frame['function'], frame['line']] for frame in exception['frames']],
        'attributes': sorted(
            name
            for name in exception['attributes']
            if name not in ('errno', 'strerror', 'filename')
        ),
        'cause': exception['cause']['type'] if exception['cause'] else 'NoneType',
        'context': exception['context']['type'] if exception['context'] else 'NoneType',
    }


def differences(truth, exceptions):
    for thread in truth['threads']:
        found = [told(e) for e in exceptions if e['tid'] == thread['tid']]
        if found != thread['handled']:
            yield '%s: %s, not %s' % (thread['name'], found, thread['handled'])


@pytest.mark.parametrize('options', [(), ('--jit', 'off')], ids=['jit', 'no-jit'])
@pytest.mark.parametrize('pypy', EVERY)
def test_what_handlers_have_in_hand(dumps, pypy, options):
    dump = made(dumps, pypy, HANDLED, *options)
    assert {thread['name'] for thread in dump.truth['threads']} == set(dump.truth['names'])
    answer, status, errors = run.answer(dump.core, *run.where(pypy), command=('exc', '--all'))
    # only suspended generators are not looked for
    assert status == 1 and 'suspended' in errors and len(errors.splitlines()) == 1, errors
    jsonschema.validate(answer, SCHEMA)
    exceptions = answer['exceptions']
    assert all(e['state'] == 'handled' and not e['unclean'] for e in exceptions), exceptions
    wrong = list(differences(dump.truth, exceptions))
    assert not wrong, '\n'.join(wrong)
    # a changed expectation is seen
    for thread in dump.truth['threads']:
        for entry in thread['handled']:
            entry['traceback'][-1][1] += 1
    held = [thread for thread in dump.truth['threads'] if thread['handled']]
    assert len(held) >= 9 and len(list(differences(dump.truth, exceptions))) == len(held)


@pytest.mark.parametrize('pypy', EVERY)
def test_variables_of_tracebacks(dumps, pypy):
    dump = made(dumps, pypy, HANDLED)
    thread = next(t for t in dump.truth['threads'] if t['name'] == 'deep')
    status, output, errors = run.pyscry(*run.where(pypy), dump.core, 'exc', str(thread['tid']))
    assert status == 0, errors
    assert "handling KeyError: 'deep'" in output and 'handled by #' in output, output
    for n in range(4):
        assert 'n = %d\n' % n in output, output
