"""waits: pools of processes, as the parent knows them and as each worker does."""
import pytest

from tests.support import programs, run

from .conftest import every
from .test_waits import ask, chosen, compare

POOLS = programs.Program('waits-pools', 'waits_pools.py')


def without_workers(truth):
    (main,) = [row for row in truth['waits'] if 'workers' in row]
    truth['waits'].remove(main)
    return main['workers']


@pytest.mark.parametrize('interpreter', every(chosen))
def test_pools(interpreter, tmp_path):
    """A parent is not told which process has a job: each process says which it has."""
    with run.running(interpreter, POOLS, str(tmp_path / 'live')) as (pid, truth):
        workers = without_workers(truth)
        compare(ask(run.where(interpreter), str(pid), 'waits'), truth)
        assert len(workers) == (3 if interpreter.version >= (3,) else 2)
        for worker, job in workers.items():
            rows = ask(run.where(interpreter), worker, 'waits')['waits']
            assert [row['job'] for row in rows if row['job']] == [job]


@pytest.mark.parametrize('interpreter', every(chosen))
def test_pools_in_a_core(interpreter, tmp_path):
    dump = run.crash(interpreter, POOLS, str(tmp_path))
    without_workers(dump.truth)
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)
