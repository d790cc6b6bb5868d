"""stacks: a tree of processes in known places, live and as cores, folded exactly; the same answers
from standard input; forms for other programs; what cannot be read."""
import collections
import contextlib
import glob
import json
import os
import random
import signal
import subprocess

import pytest

from tests.support import compare, programs, run

from .conftest import every

FORKED = programs.Program('forked', 'forked.py')
CHOSEN = ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.11.7', 'pyenv-3.13.0', 'sid-3.14', 'built-3.13t')
ONE = 'pyenv-3.11.7'  # what does not differ by interpreter is tried with one


def chosen(interpreter):
    return interpreter.tag.startswith(CHOSEN) and not interpreter.tag.startswith('sid-3.14-dbg')


def one(interpreter):
    return interpreter.tag == ONE


def truths(directory):
    """What each process wrote, by its id."""
    found = {}
    for path in glob.glob(os.path.join(directory, 'rank-*', 'truth.json')) + [
        os.path.join(directory, 'truth.json')
    ]:
        with open(path) as source:
            truth = json.load(source)
        found[truth['pid']] = truth
    return found


def wanted_stacks(written):
    """{stack, oldest frame first: {(process, thread)}}."""
    found = collections.defaultdict(set)
    for pid, truth in written.items():
        for thread in truth['threads']:
            stack = [
                (frame['function'], frame['file'], frame['line'])
                for frame in compare.unfold(thread['frames'])
            ]
            found[tuple(reversed(stack))].add((pid, thread['tid']))
    return dict(found)


def leaves(nodes, above=()):
    for node in nodes:
        stack = above + tuple((f['function'], f['file'], f['line']) for f in node['frames'])
        assert node['count'] == len(node['members'])
        if node['children']:
            assert node['count'] == sum(child['count'] for child in node['children'])
            yield from leaves(node['children'], stack)
        else:
            yield stack, node


def found_stacks(answer):
    return {
        stack: {(member['pid'], member['tid']) for member in node['members']}
        for stack, node in leaves(answer['stacks'])
    }


def folded(*words, text=None, status=0):
    """The JSON of `pyscry stacks`."""
    done = subprocess.run(
        [run.cli(), 'stacks', '--json'] + list(map(str, words)),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    allowed = status if isinstance(status, tuple) else (status,)
    assert done.returncode in allowed, done.stderr.decode()
    return json.loads(done.stdout.decode())


@contextlib.contextmanager
def forked(interpreter, directory):
    """(pid of the parent, what each process wrote)."""
    with run.running(interpreter, FORKED, directory) as (pid, _):
        written = truths(directory)
        try:
            yield pid, written
        finally:
            for child in written:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)


@pytest.fixture
def cores(dumps, tmp_path):
    """A directory with the cores of all processes, and what they wrote."""

    def make(interpreter):
        dump = dumps.core(interpreter, FORKED)
        place = tmp_path / 'cores'
        place.mkdir()
        for path in glob.glob(os.path.join(dump.directory, 'rank-*')):
            (core,) = glob.glob(os.path.join(path, 'core*'))
            os.link(core, str(place / os.path.basename(path)))
        os.link(dump.core, str(place / 'parent'))
        return str(place), truths(dump.directory), run.where(interpreter)

    return make


@pytest.mark.parametrize('interpreter', every(chosen))
def test_cores(cores, interpreter):
    place, written, where = cores(interpreter)
    wanted = wanted_stacks(written)
    assert len(written) == 9 and len(wanted) == 6
    answer = folded(place, *where)
    assert found_stacks(answer) == wanted
    counts = [node['count'] for _, node in leaves(answer['stacks'])]
    roots = [node['count'] for node in answer['stacks']]
    assert roots == sorted(roots) and sorted(counts) == [1, 1, 1, 1, 5, 8]
    # what they print one by one, with a label before each line, is the same
    lines = [
        b'%d: ' % i + run.pyscry('--json', *where, os.path.join(place, name), text=False)[1]
        for i, name in enumerate(sorted(os.listdir(place)))
    ]
    assert found_stacks(folded('-', text=b''.join(lines))) == wanted
    assert folded('-', text=b''.join(lines).replace(b'0: ', b'', 1))['stacks'] != []


THOUSAND = 1000


@pytest.mark.parametrize('interpreter', every(one))
def test_a_thousand_cores(dumps, interpreter, tmp_path):
    """Of 21 threads each, all of them counted."""
    made = [
        dumps.core(
            interpreter,
            programs.Program('waits-random-any-%d' % i, 'waits_random.py', (str(i), 'any')),
        )
        for i in range(2)
    ]
    for i in range(THOUSAND):
        os.link(made[i % len(made)].core, str(tmp_path / ('core.%d' % i)))
    answer = folded(tmp_path)
    assert sum(node['count'] for node in answer['stacks']) == 21 * THOUSAND
    assert all(node['count'] % (THOUSAND // len(made)) == 0 for node in answer['stacks'])


@pytest.mark.parametrize('interpreter', every(chosen))
def test_live(interpreter, tmp_path):
    with forked(interpreter, str(tmp_path / 'run')) as (pid, written):
        wanted = wanted_stacks(written)
        assert found_stacks(folded('--children', pid, *run.PATIENT)) == wanted
        some = sorted(written)[2:5]
        assert found_stacks(folded(*some, *run.PATIENT)) == wanted_stacks(
            {p: written[p] for p in some}
        )
        status, lines, _ = run.pyscry('--children', pid, '--json', *run.PATIENT, text=False)
        assert status == 0
        answers = [json.loads(line) for line in lines.splitlines()]
        assert sorted(answer['target']['pid'] for answer in answers) == sorted(written)
        assert found_stacks(folded('-', text=lines)) == wanted
        status, out, _ = run.pyscry(*run.PATIENT, '--children', pid, 'threads')
        heads = [line.split(':')[0] for line in out.splitlines() if line.startswith('== ')]
        assert status == 0 and sorted(heads) == sorted('== %d' % p for p in written)
        assert out.count('"helper"') == 8


@pytest.mark.parametrize('interpreter', every(one))
def test_groups_and_forms(cores, interpreter):
    place, written, where = cores(interpreter)
    wanted = wanted_stacks(written)
    by_process = folded('--group-by', 'process', place, *where)
    for stack, node in ((s, n) for root in by_process['stacks'] for s, n in leaves([root])):
        assert node['count'] == len({pid for pid, _ in wanted[stack]})

    def text(form):
        status, out, err = run.pyscry('stacks', form, *where, place)
        assert (status, err) == (0, '')
        return out

    lines = text('--folded').splitlines()
    assert sorted(int(line.rsplit(' ', 1)[1]) for line in lines) == [1, 1, 1, 1, 5, 8]
    assert {line.count(';') + 1 for line in lines} == {len(stack) for stack in wanted}
    # the required keys of https://www.speedscope.app/file-format-schema.json
    scope = json.loads(text('--speedscope'))
    assert scope['$schema'] == 'https://www.speedscope.app/file-format-schema.json'
    (profile,) = scope['profiles']
    assert profile['type'] == 'sampled' and profile['unit'] == 'none' and profile['name']
    assert profile['endValue'] - profile['startValue'] == sum(profile['weights']) == 17
    frames = [(f['name'], f['file'], f['line']) for f in scope['shared']['frames']]
    assert {tuple(frames[i] for i in sample) for sample in profile['samples']} == {
        tuple((dict_name(stack, i), stack[i][1], stack[i][2]) for i in range(len(stack)))
        for stack in wanted
    }
    dot = text('--dot')
    assert dot.startswith('digraph') and 'all_reduce' in dot and '->' in dot
    shown = text('--group-by=process')
    first = shown.splitlines()[0]
    assert first.startswith('1 of 9 processes in die (truth.py:')
    different = folded('--locals', place, *where)
    ranks = {
        value['repr']
        for _, node in leaves(different['stacks'])
        for frame in node['frames']
        for variable in frame['differing']
        if variable['name'] == 'rank'
        for value in variable['values']
    }
    assert ranks == {'0', '1', '4', '6', '7'}  # of those that stand together


def dict_name(stack, i):
    """The qualified name: only of methods it is another one."""
    name = stack[i][0]
    return 'Thread.' + name if 'threading' in stack[i][1] else name


CRASH = '''
import ctypes, os, sys
{shift}
def parse(depth):
    if depth:
        return parse(depth - 1)
    {parse}
def load():
    {load}
def main():
    os.chdir(sys.argv[1])
    parse(int(sys.argv[2])) if sys.argv[3] == 'parse' else load()
main()
'''


def crash(interpreter, directory, name, *words, shift='', parse='os.abort()', load='os.abort()'):
    place = os.path.join(directory, name)
    os.makedirs(place)
    script = os.path.join(place, 'crash.py')
    with open(script, 'w') as out:
        out.write(CRASH.format(shift=shift, parse=parse, load=load))
    subprocess.run(
        interpreter.command + [script, place] + list(words),
        preexec_fn=run.limits,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    (core,) = glob.glob(os.path.join(place, 'core*'))
    moved = os.path.join(directory, 'cores')
    os.makedirs(moved, exist_ok=True)
    os.rename(core, os.path.join(moved, name))
    return name


@pytest.mark.parametrize('interpreter', every(one))
def test_signatures(interpreter, tmp_path):
    """Stable over lines, addresses and the depth of a recursion; another one for each crash."""
    directory = str(tmp_path)
    segv = 'ctypes.string_at(16)'
    kinds = [
        [
            crash(interpreter, directory, 'a0', '3', 'parse'),
            crash(interpreter, directory, 'a1', '3', 'parse', shift='#\n#\nx = 1'),
            crash(interpreter, directory, 'a2', '90', 'parse', parse='1\n    os.abort()'),
        ],
        [
            crash(interpreter, directory, 'b0', '3', 'parse', parse=segv),
            crash(interpreter, directory, 'b1', '5', 'parse', parse=segv, shift='#\n'),
        ],
        [crash(interpreter, directory, 'c0', '0', 'load')],
        [crash(interpreter, directory, 'd0', '0', 'load', load='os.kill(os.getpid(), 4)')],
    ]
    cores = os.path.join(directory, 'cores')
    answer = folded('--signature', cores)
    found = {
        node['signature']: sorted(os.path.basename(m['target']) for m in node['members'])
        for node in answer['stacks']
    }
    assert sorted(found.values()) == sorted(kinds)
    assert [node['count'] for node in answer['stacks']] == [1, 1, 2, 3]
    lines = [
        run.pyscry('--json', os.path.join(cores, name), text=False)[1]
        for name in sorted(os.listdir(cores))
    ]
    again = folded('--signature', '-', text=b''.join(lines))
    assert {node['signature']: node['count'] for node in again['stacks']} == {
        key: len(value) for key, value in found.items()
    }


@pytest.mark.parametrize('interpreter', every(one))
def test_bad_targets(cores, interpreter, tmp_path):
    place, written, where = cores(interpreter)
    wanted = wanted_stacks(written)
    garbage = os.path.join(place, 'garbage')
    with open(garbage, 'w') as out:
        out.write('no core\n')
    with open(os.path.join(place, 'parent'), 'rb') as core:
        head = core.read(20000)
    with open(os.path.join(place, 'short'), 'wb') as out:
        out.write(head)
    answer = folded(place, '/nonexistent', '999999999', *where, status=1)
    assert found_stacks(answer) == wanted
    for name in (garbage, 'short', '/nonexistent', '999999999'):
        assert any(name in error for error in answer['errors']), name
    alone = folded('/nonexistent', garbage, status=2)
    assert alone['stacks'] == [] and len(alone['errors']) == 2
    # a process that is no Python is such, too
    sleeper = subprocess.Popen(['sleep', '600'])
    try:
        tree = folded('--children', sleeper.pid, status=2)
        assert str(sleeper.pid) in tree['errors'][0]
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize('interpreter', every(one))
def test_hostile_answers(cores, interpreter):
    """Garbage and cut answers on standard input: a reason, never a crash; the good ones count."""
    place, written, where = cores(interpreter)
    good = run.pyscry('--json', *where, os.path.join(place, 'rank-5'), text=False)[1]
    chaos = random.Random(7)
    lines = [b'', b'no json', b'{', b'[]', b'{}', b'{"threads":{}}', b'{"threads":[[{}]]}']
    lines += [b'{"threads":' + b'[' * 3000, b'{"x":' * 2000, b'\xff\xfe{"threads":[]}\0{']
    lines += [b'{"threads":[{"tid":-9e999,"frames":[{"line":1e9,"function":"\\ud800\\u0000"}]}]}']
    for _ in range(300):
        broken = bytearray(good.strip())
        for _ in range(chaos.randrange(1, 5)):
            broken[chaos.randrange(len(broken))] = chaos.choice(b'{}[]",:\\0x\n')
        lines.append(bytes(broken[: chaos.randrange(len(broken))]))
    answer = folded('-', text=b'\n'.join([good.strip()] + lines + [good.strip()]), status=1)
    assert len(answer['errors']) > 100
    assert max(node['count'] for _, node in leaves(answer['stacks'])) >= 2
    nothing = folded('-', text=b'', status=2)
    assert nothing['stacks'] == [] and nothing['errors']


def test_usage():
    for words in (['stacks', '--group-by', 'rank', '-'], ['stacks', '--dot', '--folded', '-']):
        status, out, err = run.pyscry(*words)
        assert (status, out) == (2, '') and len(err.splitlines()) == 1
    for words in (['--children', 'x'], ['--name', '(', 'stacks'], ['--name', 'no such', 'bt']):
        status, out, err = run.pyscry(*words)
        assert (status, out) == (2, '') and err
    assert 'TARGET' in run.pyscry('stacks', '--help')[1]


@pytest.mark.parametrize('interpreter', every(one))
def test_name(interpreter, tmp_path):
    with forked(interpreter, str(tmp_path / 'run')) as (pid, written):
        mark = 'forked\\.py$'
        answer = folded('--name', mark, *run.PATIENT)
        pids = {member['pid'] for node in answer['stacks'] for member in node['members']}
        assert set(written) <= pids


@pytest.mark.parametrize('interpreter', every(one))
def test_time_limit(cores, interpreter):
    """What takes too long is abandoned, and the rest goes on. Hardly any core is read in a
    millisecond; one whose answer is there when we look is used."""
    place, _, where = cores(interpreter)
    answer = folded('--timeout', '0.001', place, *where, status=(1, 2))
    late = [e.split(': ', 1)[1][:35] for e in answer['errors']]
    assert 1 <= len(late) <= 9
    assert set(late) == {'abandoned: it took more than 0.001 s'[:35]}
