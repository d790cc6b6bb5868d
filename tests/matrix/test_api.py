"""The API: what it hands out is what the commands say and what the program wrote of itself; the
recipes of docs/api.md run as they stand there, in the plain interpreter, in GDB and in LLDB."""
import json
import os
import random
import shutil
import subprocess
import sys
import time

import pytest

from tests.support import damage, lldbs, programs, run, served
from tests.support.corefile import CoreFile

from . import test_pypy, test_windows
from .conftest import TOP, every

SERVED = programs.Program('served', 'served.py')
LATER = programs.Program('served-later', 'served.py', ('later',))
DAMAGED = programs.Program('values-damaged', 'values_damaged.py')
TASKS = programs.Program('tasks', 'tasks.py', since=(3, 5))
CHOSEN = ('pyenv-2.7.18', 'pyenv-3.11.7', 'pyenv-3.13.0', 'sid-3.14')
RECIPES = os.path.join(TOP, 'tests', 'support', 'recipes.py')


def chosen(interpreter):
    return interpreter.tag in CHOSEN


def environment(**more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith('PYTHON')}
    return dict(clean, PYTHONPATH=os.path.join(TOP, 'python'), LC_ALL='C.UTF-8', **more)


@pytest.fixture(scope='module')
def pyscry():
    """The package of the source tree, with the library of the build that is tested."""
    os.environ.setdefault('PYSCRY_LIBRARY', os.path.join(run.build_directory(), 'libpyscry.so'))
    sys.path.insert(0, os.path.join(TOP, 'python'))
    try:
        import pyscry

        yield pyscry
    finally:
        sys.path.pop(0)


def opened(pyscry, dump):
    return pyscry.open(dump.core, sysroot=dump.interpreter.root or None)


def crashed(target):
    return next(thread for thread in target.threads if thread.crashed)


def variables(target):
    return crashed(target).frames[1].locals


# --- beside the commands ---


def shown(frame):
    """A frame as bt-full has it."""
    return dict(
        frame.json(),
        locals=[
            dict(
                name=name,
                type=value.type if value.type != '?' else None,  # where it is not known
                repr=repr(value),
                address='0x%x' % value.address,
            )
            for name, value in frame.locals.items()
        ],
    )


def told(frame):
    """The same of bt-full's."""
    frame['locals'] = [{k: v for k, v in each.items() if k != 'kind'} for each in frame['locals']]
    return frame


def check_frames(t):
    """The same threads and frames as bt-full says."""
    bt = t.command('bt-full', '--all')['threads']
    assert bt and len(bt) == len(t.threads)
    for thread, wanted in zip(t.threads, bt):
        frames = wanted.pop('frames')
        assert thread.json() == wanted
        assert [shown(frame) for frame in thread.frames] == [told(f) for f in frames]


@pytest.mark.parametrize('name', test_windows.names(lambda name: name in ('c311', 't38-heap')))
def test_minidumps(name, pyscry):
    with pyscry.open(test_windows.DUMPS[name]) as t:
        check_frames(t)
        assert [f.function for f in t.threads[0].frames][-1] == '<module>'


@pytest.mark.parametrize('pypy', [p for p in test_pypy.EVERY if 'pypy3' in p.id])
def test_pypy_too(dumps, pypy, pyscry):
    dump = test_pypy.made(dumps, pypy, programs.find('threads'))
    with pyscry.open(dump.core, sysroot=pypy.root or None) as t:
        check_frames(t)
        counts = {row['type']: row['count'] for row in t.heap.types()}
        found = list(t.find('threading.Thread'))
        assert len(found) == counts['threading.Thread'] >= 2
        assert {each.type for each in found} == {'Thread'}


@pytest.mark.parametrize('interpreter', every(lambda i: i.free_threaded))
def test_free_threaded(dumps, interpreter, pyscry):
    with opened(pyscry, dumps.core(interpreter, SERVED)) as t:
        check_frames(t)
        assert variables(t)


@pytest.mark.parametrize('interpreter', every(chosen))
def test_stacks(dumps, interpreter, pyscry):
    with opened(pyscry, dumps.core(interpreter, SERVED)) as t:
        bt = t.command('bt-full', '--all')['threads']
        assert len(bt) == len(t.threads) == 5
        for thread, wanted in zip(t.threads, bt):
            frames = wanted.pop('frames')
            assert thread.json() == wanted
            assert [thread.tid, thread.name, thread.crashed, thread.gil, thread.gc] == [
                wanted[key] for key in ('tid', 'name', 'crashed', 'gil', 'gc')
            ]
            assert thread.presence == wanted['presence'] and thread.error is None
            assert [shown(frame) for frame in thread.frames] == [told(f) for f in frames]
            assert [
                [f.kind, f.function, f.qualname, f.file, f.line, f.source, hex(f.address)]
                for f in thread.frames
            ] == [
                [f[k] for k in 'kind function qualname file line source address'.split()]
                for f in frames
            ]
            assert [f.number for f in thread.frames] == list(range(len(frames)))
            assert thread.frames.error is None and thread.frames[0].locals.error is None
        native = t.command('bt', all=True, native=True)['threads']
        for thread, wanted in zip(t.threads, native):
            assert [frame.json() for frame in thread.native] == wanted['frames']
            assert [[f.kind, f.function, f.file, f.line] for f in thread.native] == [
                [f['kind'], f['function'], f['file'], f['line']] for f in wanted['frames']
            ]
        code = crashed(t).frames[1].code
        assert [code.name, code.file, code.first_line < crashed(t).frames[1].line] == [
            'values',
            crashed(t).frames[1].file,
            True,
        ]


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in CHOSEN[1:]))
def test_tasks(dumps, interpreter, pyscry):
    with opened(pyscry, dumps.core(interpreter, TASKS)) as t:
        for name, tasks in (('tasks', t.tasks), ('generators', t.generators)):
            wanted = t.command(name)['tasks']
            assert tasks and len(tasks) == len(wanted)
            for task, each in zip(tasks, wanted):
                frames = each.pop('frames')
                assert task.json() == each
                assert [task.kind, hex(task.id), task.name, task.state] == [
                    each[key] for key in ('kind', 'id', 'name', 'state')
                ]
                assert (task.thread.tid if task.thread else None) == each['thread']
                assert [frame.json() for frame in task.frames] == frames
                assert task.object.address == task.id


# --- beside what the program wrote ---


def plain(value):
    """As the program writes it."""
    if isinstance(value, float):
        return repr(value)
    return value.hex() if isinstance(value, bytes) else value


@pytest.mark.parametrize('interpreter', every(chosen))
def test_plain_values(dumps, interpreter, pyscry):
    dump = dumps.core(interpreter, SERVED)
    with opened(pyscry, dump) as t:
        found = variables(t)['plain']
        wanted = dump.truth['plain']
        assert len(found) == len(wanted) > 20
        for value, (kind, true) in zip(found, wanted):
            got = value.value
            assert value == got
            if kind == 'str' and interpreter.version < (3,):  # bytes; text where it is ASCII
                assert isinstance(got, str) == all(0x80 > b for b in bytes.fromhex(true))
                got = got.encode() if isinstance(got, str) else got
            assert [value.type, plain(got)] == [kind, true]
        assert found[-1][2:5].value == 'xxx' and found[2] == False  # noqa: E712
        assert [int(v) for v in found[3:6]] == [0, -1, 255]
        assert ['%s' % found[15], '%r' % found[15]] == ['text', "'text'"]
        assert not found[0] and not found[14] and found[15] and float(found[11]) == -1.5
        with pytest.raises(pyscry.Error, match='no plain value'):
            found.value


@pytest.mark.parametrize('interpreter', every(chosen))
def test_attributes(dumps, interpreter, pyscry):
    with opened(pyscry, dumps.core(interpreter, SERVED)) as t:
        odd, asks, spelled = (variables(t)[name] for name in ('odd', 'asks', 'spelled'))
        assert odd.slot == 'in a slot' and odd.kind == 'own' and odd.shared == 'of the base'
        assert odd.own[-1].value == 3 and odd.type == 'Odd' and odd.type_.kind == 'odd'
        assert [odd.attr_(n).value for n in ('value', 'type')] == ['theirs', 'theirs']
        assert odd.items['a'] == 1 and odd.method.__self__ == odd
        for name, why in (
            ('told', 'given by Data.__get__(), which is not run'),
            ('computed', 'is a property, whose code is not run'),
            ('unset', "the slot 'unset' is not set"),
            ('missing', "has no attribute 'missing'"),
        ):
            with pytest.raises(AttributeError) as caught:
                odd.attr_(name)
            assert isinstance(caught.value, pyscry.NoAttribute) and why in str(caught.value)
            assert getattr(odd, name, 'default') == 'default'
        own = dict(odd.attrs_())
        assert set(own) == {'kind', 'own', 'told', 'value', 'type', 'items', 'slot'}
        assert own['told'] == 'hidden by the descriptor' and 'own' in dir(odd)
        with pytest.raises(pyscry.NoAttribute, match=r'Asks.__getattr__\(\), which is not run'):
            asks.anything
        with pytest.raises(pyscry.NoItem, match='__getitem__ of its own, which is not run'):
            spelled['a']
        with pytest.raises(pyscry.Error, match='code of its own, which is not run'):
            list(spelled)
        with pytest.raises(TypeError):
            odd.own = 3


@pytest.mark.parametrize('interpreter', every(chosen))
def test_items(dumps, interpreter, pyscry):
    with opened(pyscry, dumps.core(interpreter, SERVED)) as t:
        pairs, several, deep = (variables(t)[name] for name in ('pairs', 'several', 'deep'))
        for key, value in (('one', 1), (2, 'two'), (b'b', 4), (None, 5), (1.5, 6)):
            assert pairs[key] == value and key in pairs
        assert [x.value for x in pairs[(1, 'a')]] == [3] and pairs.get_('no') is None
        assert {repr(k): v for k, v in pairs.items_()}[repr(next(iter(pairs)))] == next(
            pairs.values_()
        )
        assert len(list(pairs.keys_())) == len(pairs) == 6 and 'no' not in pairs
        for wrong, why in (('no', 'no such key'), (7, 'no such key')):
            with pytest.raises(KeyError, match=why):
                pairs[wrong]
        with pytest.raises(IndexError, match='outside its 2 items'):
            several[0][2]
        wanted = [[1, 2], ['k'], ['f'], [97, 98], [3, 5, 7], ['a', '\u00e9'], None, []]
        two = interpreter.version < (3,)
        wanted[6] = ['a', 'b'] if two else [97, 98]
        assert [[x.value for x in each] for each in several] == wanted
        assert [len(each) for each in several] == list(map(len, wanted))
        assert deep['jobs'][1]['name'].value == 'second'
        frame = crashed(t).frames[1]
        assert frame.eval("deep['jobs'][0]['name']") == 'first'
        request = next(f.locals['request'] for f in t.threads[1].frames if 'request' in f.locals)
        assert request.headers['X-\u00e9'][1] == 2.5 and request.headers['Host'] == 'example.org'
        with pytest.raises(pyscry.Error, match="no variable 'nowhere'"):
            frame.eval('nowhere')


@pytest.mark.parametrize('interpreter', every(chosen))
def test_objects(dumps, interpreter, pyscry):
    dump = dumps.core(interpreter, SERVED)
    with opened(pyscry, dump) as t:
        wanted = {token: tuple(s) for token, s in dump.truth['sessions'].items()}
        for name in ('Session', '__main__.Session'):
            found = {s.token.value: (two_text(s.user.name), hex(s.address)) for s in t.find(name)}
            assert found == wanted
        assert list(t.find('NoSuchClass')) == [] and t.heap.count('__main__.Session') == 7
        first = t.object(int(dump.truth['first'], 16))
        refs = t.refs(first)
        slots = [ref.slot for ref in refs if ref.kind == 'object']
        assert "['t00']" in slots and slots == [
            ref['slot']
            for ref in t.command('refs', '@' + dump.truth['first'])['refs']['references']
            if ref['from']['kind'] == 'object'
        ]
        kept = next(ref.object for ref in refs if ref.slot == "['t00']")
        assert kept['t01'].token == 't01' and kept == t.eval('__main__:SESSIONS')
        with pytest.raises(pyscry.Error, match='no object at 0x10'):
            t.object(0x10)


def two_text(value):
    """Text of any version: what Python 2 calls str may be bytes."""
    plain = value.value
    return plain.decode('utf-8') if isinstance(plain, bytes) else plain


# --- its life ---


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.13.0'))
def test_dead_handles(dumps, interpreter, pyscry):
    dump = dumps.core(interpreter, SERVED)
    t = opened(pyscry, dump)
    thread = t.threads[0]
    frame, value, found = thread.frames[1], variables(t)['odd'], t.find('Session')
    next(found)
    t.refresh()
    for use in (
        lambda: thread.tid,
        lambda: thread.frames,
        lambda: frame.function,
        lambda: frame.locals,
        lambda: value.slot,
        lambda: value.value,
        lambda: value.refs_(),
        lambda: next(found),
    ):
        with pytest.raises(pyscry.Error, match='dead'):
            use()
    assert 'dead' in repr(value) and variables(t)['odd'].slot == 'in a slot'
    t.close()
    t.close()
    for use in (lambda: t.threads, lambda: t.command('bt'), lambda: thread.tid, t.refresh):
        with pytest.raises(pyscry.Error, match='closed'):
            use()
    with pytest.raises(pyscry.Error, match='nonexistent'):
        pyscry.open('/nonexistent')
    with pytest.raises(pyscry.Error, match='not in a debugger'):
        pyscry.current()
    with pytest.raises(pyscry.Error, match='no option is called'):
        pyscry.open(dump.core, nonsense=1)
    with opened(pyscry, dump) as t, pytest.raises(pyscry.Error, match='no command'):
        t.command('nonsense')


INTERRUPTED = '''
import os, signal, sys, threading, time
import pyscry

t, ended, ignored = pyscry.open(sys.argv[1]), 0, []
# Python itself drops one that comes while a destructor runs
sys.unraisablehook = lambda what: ignored.append(what) if what.exc_type is KeyboardInterrupt else (
    sys.__unraisablehook__(what))
for number in range(100):
    timer = threading.Timer(0.0005 * number, os.kill, (os.getpid(), signal.SIGINT))
    before, until = len(ignored), time.monotonic() + 20
    try:
        timer.start()
        while time.monotonic() < until and len(ignored) == before:
            t.refresh()
            found = len(list(t.find("Session")))
            assert found == 7, found
    except KeyboardInterrupt:
        ended += 1
    timer.join()
assert len(ignored) < 5, ignored
print(ended + len(ignored), len(list(t.find("Session"))), len(t.refs(next(t.find("Session")))) > 1)
'''


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.13.0'))
def test_interrupted(dumps, interpreter):
    """Ctrl-C at any moment is a KeyboardInterrupt, and what is asked then is answered rightly."""
    library = os.path.join(run.build_directory(), 'libpyscry.so')
    command = [sys.executable, '-c', INTERRUPTED, dumps.core(interpreter, SERVED).core]
    output = output_of(command, environment(PYSCRY_LIBRARY=library))
    assert output == '100 7 True\n'


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in CHOSEN[:2]))
def test_process(interpreter, pyscry, tmp_path):
    with run.running(interpreter, SERVED, str(tmp_path)) as (pid, truth):
        with pyscry.open(pid, hold=60) as t:
            assert {thread.name: thread.tid for thread in t.threads} == truth['threads']
            main = next(thread for thread in t.threads if thread.main)
            assert [f.function for f in main.frames][:3] == ['rest', 'end', 'values']
            assert main.frames[2].locals['odd'].slot == 'in a slot'
            with t.stopped():
                assert run.state(pid) in 'tT'
                again = next(thread for thread in t.threads if thread.main)
                assert again.frames[2].locals['deep']['jobs'][0]['name'] == 'first'
                assert t.command('bt')['threads'] and run.state(pid) in 'tT'
            for _ in range(500):  # its tracer ends a moment later
                if run.state(pid) not in 'tT':
                    break
                time.sleep(0.02)
            assert run.state(pid) not in 'tT'
            assert again.frames[1].function == 'end'
            assert t.target['kind'] == 'live' and t.target['pid'] == pid


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in CHOSEN[:2]))
def test_damage(dumps, interpreter, tmp_path):
    """Whatever stands there, the walks end, and a failure is an exception with words."""
    dump = dumps.core(interpreter, SERVED)
    copy, objects = str(tmp_path / 'damaged'), [int(dump.truth['first'], 16)]
    objects += [int(address, 16) for _, address in dump.truth['sessions'].values()]
    script = os.path.join(TOP, 'tests', 'support', 'api_walk.py')
    for seed in range(3):
        shutil.copyfile(dump.core, copy)
        damage.overwrite(copy, objects, random.Random(seed).random(), 24, 160)
        done = subprocess.run(
            ['/usr/bin/python3', script, copy],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=120,
            env=environment(PYSCRY_LIBRARY=os.path.join(run.build_directory(), 'libpyscry.so')),
        )
        assert done.returncode == 0, (seed, done.stderr.decode()[-2000:])
        assert json.loads(done.stdout)['objects'] > 100


@pytest.mark.parametrize('interpreter', every(chosen))
def test_changed_words(dumps, interpreter, pyscry):
    """One changed word of a value: no value is better than another one."""
    dump, found = dumps.core(interpreter, DAMAGED), []
    plain = ('text', 'data', 'number')

    def look(t, name):
        value = t.eval('__main__:' + name)
        return value.value if name in plain else [each.value for each in value]

    with opened(pyscry, dump) as t:
        assert look(t, 'items') == [11, 22] and look(t, 'number') == 2**90 + 1
        assert look(t, 'text') == 'sound 1' and sorted(look(t, 'members')) == [7, 8]
    for name, address, size, value, _ in dump.truth['cases']:
        with CoreFile(dump.core) as core:
            at = core.offset(address, size)
            old = core.data[at : at + size]
            core.data[at : at + size] = value.to_bytes(size, 'little')
            try:
                with opened(pyscry, dump) as t:
                    found.append((name, value, look(t, name)))
            except pyscry.Error:
                pass
            finally:
                core.data[at : at + size] = old
    assert found == []


# --- recipes and examples ---


def words(dump, later):
    return [dump.core, later.core] + ([dump.interpreter.root] if dump.interpreter.root else [])


def output_of(command, env):
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=120,
        env=env,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode('utf-8')


@pytest.mark.parametrize('interpreter', every(chosen))
def test_recipes(dumps, interpreter):
    dump, later = dumps.core(interpreter, SERVED), dumps.core(interpreter, LATER)
    library = os.path.join(run.build_directory(), 'libpyscry.so')
    command = [sys.executable, RECIPES] + words(dump, later)
    served.check(dump.truth, output_of(command, environment(PYSCRY_LIBRARY=library)))


@pytest.mark.parametrize('interpreter', every(chosen))
def test_recipes_in_gdb(dumps, interpreter):
    dump, later = dumps.core(interpreter, SERVED), dumps.core(interpreter, LATER)
    status, output, errors = run.gdb(
        'source ' + RECIPES,
        core=dump.core,
        exe=dump.exe,
        early=['set sysroot ' + interpreter.root] if interpreter.root else [],
        env={'PYSCRY_RECIPES': ':'.join(words(dump, later))},
    )
    assert status == 0 and 'RECIPES' in output, errors
    served.check(dump.truth, output)


@pytest.fixture(scope='session')
def lldb():
    """The newest LLDB here."""
    found = lldbs.find()
    if not found:
        pytest.skip('no lldb with Python')
    return found[-1]


@pytest.mark.parametrize('interpreter', every(chosen))
def test_recipes_in_lldb(dumps, interpreter, lldb):
    dump, later = dumps.core(interpreter, SERVED), dumps.core(interpreter, LATER)
    program, settings = lldb
    command = [program, '--no-lldbinit', '-b']
    if interpreter.root:
        command += ['-o', 'platform select --sysroot %s remote-linux' % interpreter.root]
    command += ['-o', 'target create --core %s %s' % (dump.core, dump.exe)]
    command += ['-o', 'command source ' + lldbs.LLDBINIT]
    command += ['-o', 'command script import ' + RECIPES]
    library = os.path.join(run.build_directory(), 'libpyscry.so')
    env = dict(settings, PYSCRY_RECIPES=':'.join(words(dump, later)), PYSCRY_LIBRARY=library)
    served.check(dump.truth, output_of(command, env))


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_oldest_python(dumps, interpreter):
    """The package in the oldest Python that it is for."""
    old = os.path.expanduser('~/.pyenv/versions/3.6.15/bin/python3.6')
    if not os.path.exists(old):
        pytest.skip('no Python 3.6')
    dump, later = dumps.core(interpreter, SERVED), dumps.core(interpreter, LATER)
    library = os.path.join(run.build_directory(), 'libpyscry.so')
    env = environment(PYSCRY_LIBRARY=library)
    served.check(dump.truth, output_of([old, RECIPES] + words(dump, later), env))
    assert output_of([old, '-m', 'pyscry', '--version'], env).startswith('pyscry ')


def test_annotations(tmp_path):
    """What the package says of its types is so."""
    if not shutil.which('mypy'):
        pytest.skip('no mypy here')
    done = subprocess.run(
        ['mypy', '--strict', '--cache-dir', str(tmp_path), 'pyscry'],
        cwd=os.path.join(TOP, 'python'),
        stdout=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in CHOSEN[:3]))
def test_examples(dumps, interpreter, tmp_path):
    dump = dumps.core(interpreter, SERVED)
    library = os.path.join(run.build_directory(), 'libpyscry.so')
    script = os.path.join(TOP, 'docs', 'examples', 'requests_by_user.py')
    output = output_of([sys.executable, script, dump.core], environment(PYSCRY_LIBRARY=library))
    assert output.splitlines() == [
        'ada: 2: /b\u00f6rse behind worker-0, /reindex',
        'bj\u00f6rn: 1: /cart behind worker-0',
        'cleo: 1: /cart/pay behind worker-0',
    ]
    # a C program that knows nothing but the header
    program, source = str(tmp_path / 'stacks'), os.path.join(TOP, 'docs', 'examples', 'stacks.c')
    compiler = shutil.which('cc')
    if not compiler:
        pytest.skip('no C compiler')
    subprocess.run(
        [compiler, '-Wall', '-Wextra', '-Werror', '-std=c99', '-I', os.path.join(TOP, 'include')]
        + [source, library, '-Wl,-rpath,' + os.path.dirname(library), '-o', program],
        check=True,
    )
    lines = output_of([program, dump.core], environment()).splitlines()
    heads = [line.split()[1] for line in lines if line[0] != ' ']
    assert heads[0] == 'MainThread' and sorted(heads[1:]) == ['worker-0'] + served.WAITING
    assert [line for line in lines if line.startswith('    #0 end (')]
    urls = [line.split(': ')[1] for line in lines if 'its url has' in line]
    assert sorted(urls) == sorted(2 * ['/reindex', '/cart', '/cart/pay', '/b\u00f6rse'])
    assert [line for line in lines if line.endswith('its url has 7 bytes: /b\u00f6rse')]
