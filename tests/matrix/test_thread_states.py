"""What is said of threads and interpreters: who waits, who is there, who collects, and whose frames are whose."""
import pytest

from tests.support import programs, run
from tests.matrix.conftest import every

PASSING = programs.Program('gil-passing', 'gil_passing.py')
BRIEF = programs.Program('threads-brief', 'threads_brief.py')
SAMPLES = 8


def c_functions(thread):
    return [frame['function'] for frame in thread['frames'] if frame['kind'] == 'native']


def with_symbols(interpreter):
    """Builds whose static functions have names, and where a GIL is passed on by a condition."""
    return (
        interpreter.root is None
        and interpreter.library
        and interpreter.version >= (3, 3)
        and not interpreter.free_threaded
    )


@pytest.mark.parametrize('interpreter', every(with_symbols))
def test_who_gives_the_gil_away_does_not_wait(dumps, interpreter):
    """drop_gil() wakes another thread by the same system call by which take_gil() waits."""
    waiting = 0
    with run.running(interpreter, PASSING, dumps.place(interpreter, 'passing')) as (pid, _):
        for _ in range(SAMPLES):
            answer, status, errors = run.answer(pid, command=('bt', '--all', '--native'))
            for thread in answer['threads']:
                if thread['gil'] == 'waiting':
                    waiting += 1
                    assert not any(
                        (name or '').startswith('drop_gil') for name in c_functions(thread)
                    ), thread
    assert waiting


@pytest.mark.parametrize('interpreter', every())
def test_only_threads_of_the_stop(dumps, interpreter):
    """Threads that ended before the stop are not there, and one that is not there yet is no error."""
    with run.running(interpreter, BRIEF, dumps.place(interpreter, 'brief')) as (pid, _):
        for _ in range(SAMPLES):
            answer, status, errors = run.answer(
                pid, *run.where(interpreter), command=('bt', '--all', '--native')
            )
            assert status == 0, (errors, answer['errors'])
            for thread in answer['threads']:
                assert thread['error'] is None, thread
                # whatever ran in the stop has registers
                assert c_functions(thread) or thread['presence'] in ('starting', 'missing'), thread
