"""C functions that Python frames are in a call of: which, of what, with which arguments, found
without the C stack."""
import pytest

from tests.support import programs, run

from .conftest import every

C_CALLS = programs.Program('c_calls', 'c_calls.py')


def of_thread(thread):
    """As the program has it: the functions of its own frames, and what they call."""
    frames = []
    for frame in thread['frames']:
        if frame['file'].endswith('c_calls.py'):
            calls = frame.get('calls')
            frames.append(
                [
                    frame['function'],
                    calls
                    and {
                        'function': calls['function'],
                        'object': calls['object'] and int(calls['object']['address'], 16),
                        'arguments': [[a['name'], a['repr']] for a in calls['arguments']],
                    },
                ]
            )
    return frames


@pytest.mark.parametrize('interpreter', every())
def test_c_calls(dumps, interpreter):
    dump = dumps.core(interpreter, C_CALLS)
    answer, status, errors = run.answer(dump.core, *run.where(interpreter), command=('bt', '--all'))
    assert status == 0, errors
    found = {thread['name']: of_thread(thread) for thread in answer['threads']}
    wrong = [
        '%s: %s, not %s' % (name, found.get(name), stack)
        for name, stack in dump.truth['stacks'].items()
        if found.get(name) != stack
    ]
    assert dump.truth['stacks']['waits'][0][1]['object']
    if wrong:
        pytest.fail('\n'.join(wrong), pytrace=False)
    status, text, errors = run.pyscry(dump.core, *run.where(interpreter), 'bt', '--all')
    told = [line for line in text.splitlines() if line.startswith('      in ')]
    asked = [f['calls'] for t in answer['threads'] for f in t['frames'] if 'calls' in f]
    assert [line.split()[1].split('(')[0] for line in told] == [c['function'] for c in asked]
    assert '      in time.sleep(1000)' in told
    # and with C frames between them
    native = run.answer(dump.core, *run.where(interpreter), command=('bt', '--all', '--native'))[0]
    both = [
        [(f['function'], f.get('calls')) for f in t['frames'] if f['kind'] == 'python']
        for answered in (answer, native)
        for t in answered['threads']
    ]
    assert both[: len(both) // 2] == both[len(both) // 2 :]
