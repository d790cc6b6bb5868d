"""waits: what each way to hang waits for, who has it, and the deadlocks, as the program says."""
import json
import os
import time

import pytest

from tests.support import damage, programs, run

from .conftest import every, need
from .test_asyncio import provide, provide_curio, runs

WAITS = programs.Program('waits', 'waits.py')
CHOSEN = ('2.7', '3.8', '3.11', '3.13', '3.14', '3.15')


def chosen(interpreter):
    """One of each kind of frame and lock."""
    version = '%d.%d' % interpreter.version[:2]
    return version in CHOSEN and (
        interpreter.tag.startswith(('pyenv-', 'sid-3')) or interpreter.free_threaded
    )


def ask(where, *arguments):
    status, out, err = run.pyscry(*where, *arguments, '--json')
    assert status in (0, 1), err
    return json.loads(out)


def named(answer, truth):
    """Rows by name. Tasks have names since 3.8: before, by the function that they stand in."""
    rows = {}
    for row in answer['waits']:
        name = row['who']['name']
        if row['who']['kind'] == 'task' and (name is None or name.startswith('Task-')):
            name = row['frame'] and row['frame']['function'].rsplit('.', 1)[-1]
        rows.setdefault(name, row)
    return rows


def compare(answer, truth):
    rows, wrong = named(answer, truth), []
    names = {row['who']['id']: name for name, row in rows.items()}
    for want in truth['waits']:
        row = rows.get(want['who'])
        if not row:
            wrong.append('%s has no row' % want['who'])
            continue
        what = row['for'] or {}
        got = {
            'state': row['state'],
            'kind': what.get('kind'),
            'held_by': sorted([names.get(h['id']), h['how']] for h in row['held_by']),
            'function': row['frame'] and row['frame']['function'].rsplit('.', 1)[-1],
            'type': (what.get('type') or '').rsplit('.', 1)[-1],
        }
        got.update((key, what.get(key)) for key in ('name', 'detail', 'fd', 'pid', 'other_end'))
        # what tries again and again runs in between
        if want.get('tries') and row['state'] == 'running':
            continue
        for key, value in want.items():
            if key in ('who', 'task', 'tries', 'far_end', 'cut'):
                continue
            if key == 'until':
                if abs((what.get('deadline') or 0) - value) > 5:
                    wrong.append('%s: until %r, not %r' % (want['who'], what['deadline'], value))
                continue
            if key == 'kind' and got[key] in value.split('|'):
                continue
            if got[key] != value:
                wrong.append('%s: %s is %r, not %r' % (want['who'], key, got[key], value))
    for key, wanted in (('deadlocks', 'deadlocks'), ('perhaps_deadlocks', 'perhaps')):
        got = sorted(sorted(names.get(i, i) for i in members) for members in answer[key])
        if got != sorted(sorted(members) for members in truth.get(wanted, [])):
            wrong.append('%s: %r, not %r' % (key, got, truth[wanted]))
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('interpreter', every(chosen))
def test_core(interpreter, dumps):
    dump = dumps.core(interpreter, WAITS)
    answer = ask(run.where(interpreter), dump.core, 'waits')
    compare(answer, dump.truth)
    (writes,) = [want for want in dump.truth['waits'] if 'cut' in want]
    # a core does not say whether a file waits
    assert named(answer, dump.truth)['writes']['for']['detail'] == (
        writes['cut'] + '; or it runs, if the file never waits'
    )
    assert named(answer, dump.truth)['MainThread']['call'] == 'posix.abort'


@pytest.mark.parametrize('interpreter', every(chosen))
def test_live(interpreter, tmp_path):
    with run.running(interpreter, WAITS, str(tmp_path / 'live')) as (pid, truth):
        answer = ask(run.where(interpreter), str(pid), 'waits')
        compare(answer, truth)
        rows = named(answer, truth)
        ends = [want for want in truth['waits'] if 'far_end' in want]
        assert len(ends) >= 3  # not where the kernel's list of locks has other devices
        (cut,) = [want['cut'] for want in truth['waits'] if 'cut' in want]
        assert rows['writes']['for']['detail'].endswith(', ' + cut)
        for want in ends:
            assert rows[want['who']]['for']['other_end'].startswith(want['far_end'])


NONE = programs.Program('waits-none', 'waits_none.py')
LIMITED = programs.Program('waits-limited', 'waits_limited.py', since=(3, 8))
IMPORTS = [
    programs.Program('waits-import-' + kind, 'waits_import.py', (kind,))
    for kind in ('slow', 'cycle')
]


@pytest.mark.parametrize('interpreter', every(chosen))
def test_no_deadlocks(interpreter, dumps, tmp_path):
    """What looks like deadlocks: what only a guess closes is called so, what ends in time is
    none."""
    dump = dumps.core(interpreter, NONE)
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)
    with run.running(interpreter, NONE, str(tmp_path / 'live')) as (pid, truth):
        compare(ask(run.where(interpreter), str(pid), 'waits'), truth)


@pytest.mark.parametrize('interpreter,program', runs([LIMITED], lambda i, program: chosen(i)))
def test_tasks_that_end_in_time(interpreter, program, dumps):
    dump = dumps.core(interpreter, program)
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)


@pytest.mark.parametrize('interpreter,program', runs(IMPORTS, lambda i, program: chosen(i)))
def test_imports(interpreter, program, dumps):
    dump = dumps.core(interpreter, program)
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)


GIL = programs.Program('waits-gil', 'waits_gil.py')
NEVER = programs.Program('waits-never', 'waits_never.py')
FREE = [
    programs.Program('waits-free-' + kind, 'waits_free.py', (kind,))
    for kind in ('section', 'stop', 'fork')
]


def has_gil(interpreter):
    return chosen(interpreter) and not interpreter.free_threaded


@pytest.mark.parametrize('interpreter', every(chosen))
def test_what_never_waits(interpreter, dumps, tmp_path):
    """A write that was cut short has waited, but not where a file never does."""

    def check(target, truth):
        # it may sleep for memory, but not because of the file
        row = named(ask(run.where(interpreter), target, 'waits'), truth)['sends']
        detail = (row['for'] or {}).get('detail') or ''
        assert row['state'] in ('running', 'gil') or 'are written' not in detail, row

    dump = dumps.core(interpreter, NEVER)
    check(dump.core, dump.truth)
    with run.running(interpreter, NEVER, str(tmp_path / 'live')) as (pid, truth):
        for _ in range(4):
            check(str(pid), truth)


@pytest.mark.parametrize('interpreter', every(has_gil))
def test_gil(interpreter, dumps):
    dump = dumps.core(interpreter, GIL)
    rows = named(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)
    assert (rows['MainThread']['state'], rows['MainThread']['call']) == ('running', 'sum')
    assert len(rows) == 5
    others = [row for name, row in rows.items() if name != 'MainThread']
    waiting = [row for row in others if row['state'] == 'gil']
    # each wakes up every 5 ms, and waits again: one may be at that just then
    assert len(waiting) >= len(others) - 1, others
    for row in waiting:
        held_by = [(h['name'], h['how']) for h in row['held_by']]
        assert (row['for']['kind'], held_by) == ('GIL', [('MainThread', 'owner')]), row


PASSING = programs.Program('waits-gil-passing', 'waits_gil.py', ('passing',))


def watched(interpreter, pid):
    """[(name, how long it has had the GIL)] of those who hold it, and how long that took."""
    begin = time.monotonic()
    rows = ask(run.where(interpreter), str(pid), 'waits', '--watch', '0.5')['waits']
    kept = [(row['who']['name'], row['gil_kept_ms']) for row in rows if row['gil_kept_ms']]
    return kept, (time.monotonic() - begin) * 1000


@pytest.mark.parametrize('interpreter', every(lambda i: has_gil(i) and i.version >= (3, 7)))
def test_how_long_the_gil_is_held(interpreter, tmp_path):
    with run.running(interpreter, GIL, str(tmp_path / 'held')) as (pid, truth):
        for _ in range(20):  # the first time it may not have begun yet
            kept, took = watched(interpreter, pid)
            if kept:
                break
        assert len(kept) == 1, 'watched 20 times, kept by %r' % kept
        ((name, ms),) = kept
        assert name == 'MainThread' and 500 <= ms <= took
    with run.running(interpreter, PASSING, str(tmp_path / 'passing')) as (pid, truth):
        # on a busy machine one of them may really have had it all the time
        assert not all(watched(interpreter, pid)[0] for _ in range(20))


@pytest.mark.parametrize('interpreter', every(lambda i: chosen(i) and i.version < (3,)))
def test_how_long_an_old_gil_is_held_is_not_known(interpreter, tmp_path):
    with run.running(interpreter, GIL, str(tmp_path)) as (pid, truth):
        assert watched(interpreter, pid)[0] == []


@pytest.mark.parametrize('interpreter', every(lambda i: i.free_threaded))
def test_critical_section(interpreter, dumps):
    dump = dumps.core(interpreter, FREE[0])
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)


@pytest.mark.parametrize('program', FREE[1:], ids=lambda program: program.name)
@pytest.mark.parametrize('interpreter', every(lambda i: i.free_threaded))
def test_stopped_world(interpreter, program, tmp_path):
    with run.running(interpreter, program, str(tmp_path / 'live')) as (pid, truth):
        stopped = len([row for row in truth['waits'] if row.get('kind') == 'stop-the-world'])
        for _ in range(60):  # it takes a second or two until it has come to that
            answer = ask(run.where(interpreter), str(pid), 'waits')
            if str(answer).count("'kind': 'stop-the-world'") >= stopped:
                break
            time.sleep(0.5)
        compare(answer, truth)


TRIO = programs.Program('waits-trio', 'waits_trio.py', since=(3, 7))


def with_trio(interpreter):
    """One without, one with groups of exceptions; Debian's own ones."""
    return interpreter.tag in ('pyenv-3.8.18', 'host-3.11', 'sid-3.14')


@pytest.mark.parametrize('interpreter', every(with_trio))
def test_trio(interpreter, tmp_path):
    provide(interpreter, str(tmp_path))
    dump = run.crash(interpreter, TRIO, str(tmp_path))
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'host-3.11'))
def test_trio_live(interpreter, tmp_path):
    provide(interpreter, str(tmp_path))
    with run.running(interpreter, TRIO, str(tmp_path / 'live')) as (pid, truth):
        compare(ask(run.where(interpreter), str(pid), 'waits'), truth)
        truth['waits'][0]['kind'] = 'Lock'
        with pytest.raises(AssertionError):
            compare(ask(run.where(interpreter), str(pid), 'waits'), truth)


GEVENT = programs.Program('waits-gevent', 'waits_gevent.py')


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in ('host-3.11', 'sid-3.14')))
def test_gevent(interpreter, tmp_path):
    need(interpreter, 'gevent')
    dump = run.crash(interpreter, GEVENT, str(tmp_path))
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)


CURIO = programs.Program('waits-curio', 'waits_curio.py', since=(3, 7))


@pytest.mark.parametrize('interpreter,program', runs([CURIO], lambda i, program: chosen(i)))
def test_curio(interpreter, program, tmp_path):
    provide_curio(interpreter, str(tmp_path))
    dump = run.crash(interpreter, program, str(tmp_path))
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)


BILLIARD = programs.Program('waits-billiard', 'waits_billiard.py')


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'host-3.11'))
def test_workers_of_celery(interpreter, tmp_path):
    """Its processes and the threads that serve them are idle, but for the one that has work."""
    if not os.path.isdir('/usr/lib/python3/dist-packages/billiard'):
        pytest.skip('no python3-billiard')
    with run.running(interpreter, BILLIARD, str(tmp_path / 'live')) as (pid, truth):
        said = ask(run.where(interpreter), str(pid), 'waits')['waits']
        handlers = [
            row['state'] for row in said if (row['for'] or {}).get('kind') == 'Pool handler'
        ]
        assert handlers == ['idle'] * (len(said) - 1) and len(handlers) >= 3
        (worker,) = ask(run.where(interpreter), str(truth['idle'][0]), 'waits')['waits']
        assert (worker['state'], worker['for']['kind']) == ('idle', 'Pool worker')
        (worker,) = ask(run.where(interpreter), str(truth['working']), 'waits')['waits']
        assert (worker['state'], worker['for']['kind']) == ('waiting', 'sleep')
        assert worker['frame']['function'] == 'works'


RANDOM_RUNS = int(os.environ.get('PYSCRY_WAITS_RUNS', '1'))


def closes(answer, members):
    """Every member is held up by a member alone."""
    rows = {row['who']['id']: row for row in answer['waits']}
    return all(
        rows[i]['held_by'] and {h['id'] for h in rows[i]['held_by']} <= set(members)
        for i in members
    )


@pytest.mark.parametrize('order', ('any', 'ordered'))
@pytest.mark.parametrize('interpreter', every(chosen))
def test_random(interpreter, order, dumps):
    """20 threads, 12 locks: the cycle is found in each run that deadlocks, and none in others.
    $PYSCRY_WAITS_RUNS: how many runs."""
    for seed in range(RANDOM_RUNS):
        program = programs.Program(
            'waits-random-%s-%d' % (order, seed), 'waits_random.py', (str(seed), order)
        )
        dump = dumps.core(interpreter, program)
        answer = ask(run.where(interpreter), dump.core, 'waits')
        assert bool(answer['deadlocks']) == dump.truth['deadlock'], (seed, answer['deadlocks'])
        names = {row['who']['id']: row['who']['name'] for row in answer['waits']}
        for members in answer['deadlocks']:
            assert closes(answer, members)
            assert not {names[i] for i in members} & set(dump.truth['done'])
        if RANDOM_RUNS > 1:
            dump.remove()


@pytest.mark.parametrize('interpreter', every(chosen))
def test_namesakes(interpreter, dumps):
    dump = dumps.core(interpreter, programs.Program('namesakes', 'waits_namesakes.py'))
    rows = named(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)
    for name in ('condition', 'rlock', 'module'):
        assert rows[name]['for']['kind'] == 'sleep', rows[name]


def fuzzed(interpreter):
    return interpreter.tag in ('pyenv-2.7.18', 'pyenv-3.11.7', 'sid-3.14')


@pytest.mark.parametrize('interpreter', every(fuzzed))
def test_damage(interpreter, dumps, tmp_path):
    dump = dumps.core(interpreter, WAITS)
    rows = ask(run.where(interpreter), dump.core, 'waits')['waits']
    objects = [row['for']['address'] for row in rows if row['for'] and row['for']['repr']]
    objects += [row['who']['id'] for row in rows if row['who']['kind'] == 'task']
    for seed in range(int(os.environ.get('PYSCRY_FUZZ_RUNS', '4'))):
        damage.answers_when_damaged(
            interpreter,
            dump.core,
            [{'id': address} for address in objects],
            seed,
            str(tmp_path / 'damaged'),
            (('waits', '--json'), ('waits', '--dot')),
        )
