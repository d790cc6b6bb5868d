"""The newest debuggers of Debian, which run in a root of their own: Python frames and variables in
what clients of the Debug Adapter Protocol see, as VS Code does; LLDB's own views."""
import contextlib
import glob
import os
import re
import shutil
import subprocess

import pytest

from tests.support import dap, debian, run
from tests.support.story import BUILD, TOP, clean_environment

PROGRAM = """
import os, sys
def leaf(a, b="two"):
    kept = [a, b]
    os.abort() if not sys.argv[1:] else os.read(0, os.write(1, b"ready\\n"))
def middle(n):
    return sorted([n], key=lambda x: leaf(n))
def deep(n):
    return deep_too(n - 1) if n else middle(7)
def deep_too(n):
    return max([n], key=lambda x: deep(n))
deep(3)
"""
# one C frame runs several Python frames since 3.11; 3.14 has a frame before each of the loop's
PYTHONS = ['3.13', '3.14']
IN_ROOT = os.path.join(TOP, 'tests', 'support', 'in_root.py')


class Place:
    """A directory that is there in the root, too, with pyscry and a core in it."""

    def __init__(self, root, directory, python):
        self.root, self.directory = root, str(directory)
        for name in ('gdbinit', 'lldbinit'):
            shutil.copy(os.path.join(TOP, name), self.directory)
        for name in ('plugin', 'python'):
            shutil.copytree(os.path.join(TOP, name), os.path.join(self.directory, name))
        self.library = os.path.join(self.directory, 'libpyscry.so.0')
        shutil.copy(os.path.join(BUILD, 'libpyscry.so.0'), self.library)
        self.script = os.path.join(self.directory, 'program.py')
        with open(self.script, 'w') as out:
            out.write(PROGRAM)
        self.python = '/usr/bin/python' + python
        self.core, _ = run.core_of(self.command(self.python, self.script), self.directory)

    def command(self, *words):
        return ['/usr/bin/python3', IN_ROOT, self.root] + list(words)

    def environment(self):
        return clean_environment(PYSCRY_LIBRARY=self.library)

    def run(self, *words):
        done = subprocess.run(
            self.command(*words),
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        return done.stdout.decode()

    @contextlib.contextmanager
    def process(self):
        """One that waits for what nobody will send; on one line, be it at its beginning."""
        words = self.command(self.python, self.script, 'wait')
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert child.stdout.readline() == b'ready\n'
            yield child.pid
        finally:
            child.kill()
            child.communicate()

    def frames(self, target=None):
        """(name, line) of each Python frame, by the command line."""
        where = () if target else ('--sysroot', self.root)
        answer = run.answer(target or self.core, *where, command=('bt',))[0]
        return [
            (frame['qualname'] or frame['function'], frame['line'])
            for frame in answer['threads'][0]['frames']
        ]


@pytest.fixture(scope='module', params=PYTHONS)
def place(request, tmp_path_factory):
    root = debian.root('sid')
    if isinstance(root, Exception):
        pytest.skip('sid: %s' % root)
    return Place(root, tmp_path_factory.mktemp('newest'), request.param)


def program(place, pattern):
    found = sorted(glob.glob(place.root + '/usr/bin/' + pattern))
    if not found:
        pytest.skip('the root of sid has no %s' % pattern)
    return found[-1][len(place.root) :]


def variables(client, frame):
    """{scope: {name: value}}"""
    shown = {}
    for scope in client.ask('scopes', frameId=frame['id'])['scopes']:
        if scope['name'] != 'Registers':
            asked = client.ask('variables', variablesReference=scope['variablesReference'])
            shown[scope['name']] = {each['name']: each['value'] for each in asked['variables']}
    return shown


def stack(client):
    (thread,) = client.ask('threads')['threads']
    return client.ask('stackTrace', threadId=thread['id'], startFrame=0, levels=99)['stackFrames']


def gdb_words(place, *more):
    words = [program(place, 'gdb'), '-nx', '-q', '-iex', 'set debuginfod enabled off']
    words += ['-iex', 'set auto-load python-scripts off', '-x', place.directory + '/gdbinit']
    return words + list(more)


def test_gdb_dap(place, monkeypatch):
    """Each Python frame once, in order, with its source and its variables: of an interpreter of
    which GDB knows no type. Nothing is asked of the configuration but the core."""
    monkeypatch.chdir(place.directory)
    words = place.command(*gdb_words(place, '-i=dap'))
    options = {'program': place.python, 'coreFile': place.core}
    with dap.attached(words, place.environment(), **options) as client:
        frames = stack(client)
        python = [f for f in frames if f.get('source', {}).get('path') == place.script]
        assert [(f['name'], f['line']) for f in python] == place.frames()
        assert 'PyObject_Vectorcall' in [f['name'] for f in frames]
        shown = variables(client, python[0])
        assert shown['Arguments'] == {'a': '7', 'b': "'two'"}
        assert shown['Locals'] == {'kept': "[7, 'two']"}
        inner = next(f for f in python if f['name'].startswith('deep_too.'))
        assert variables(client, inner) == {'Arguments': {'x': '0'}, 'Locals': {'n': '0'}}
        asked = client.ask('evaluate', expression='py-bt', context='repl', frameId=frames[0]['id'])
        assert '#0  leaf (' in asked['result']


def test_gdb_dap_of_a_process(place, monkeypatch):
    """The same of a process that runs, and it runs on."""
    monkeypatch.chdir(place.directory)
    words = place.command(*gdb_words(place, '-i=dap'))
    with place.process() as pid:
        expected = place.frames(str(pid))
        with dap.attached(words, place.environment(), pid=pid) as client:
            client.event('stopped')
            frames = stack(client)
            python = [f for f in frames if f.get('source', {}).get('path') == place.script]
            assert [(f['name'], f['line']) for f in python] == expected
            shown = variables(client, python[0])
            assert shown['Arguments'] == {'a': '7', 'b': "'two'"}
            assert shown['Locals'] == {'kept': "[7, 'two']"}
            client.ask('disconnect')
        assert place.frames(str(pid)) == expected


def test_gdb(place):
    """bt -full of a stripped interpreter has variables; the machine interface has frames."""
    shown = place.run(*gdb_words(place, '-batch', '-ex', 'bt -full', '-c', place.core))
    assert re.search(r"leaf \(a=7, b='two'\) at .*program.py:5\n +kept = \[7, 'two'\]", shown)
    assert 'Python Exception' not in shown
    words = gdb_words(place, '-i=mi', '-c', place.core)
    for command in ('-enable-frame-filters', '-stack-list-frames', '-gdb-exit'):
        words += ['-ex', 'interpreter-exec mi "%s"' % command]
    shown = place.run(*words)
    python = re.findall(
        r'func="([^"]+)",file="[^"]*program.py",(?:fullname="[^"]*",)?line="(\d+)"', shown
    )
    assert [(name, int(line)) for name, line in python] == place.frames()


def test_lldb_dap(place, monkeypatch):
    """The names of C frames have those of the Python frames that they run; their variables are
    those of the newest of them, also after others were asked for."""
    monkeypatch.chdir(place.directory)
    options = {
        'program': place.python,
        'coreFile': place.core,
        'initCommands': ['command source -s true lldbinit'],
        'customFrameFormat': '${function.name}{ ${script.frame:host_lldb.python_names}}',
    }
    words = place.command(program(place, 'lldb-dap-*'))
    with dap.attached(words, place.environment(), **options) as client:
        python = [f for f in stack(client) if f['name'].endswith(')')]
        found = [
            (name, int(line))
            for frame in python
            for name, line in re.findall(r'(\S+) \(program\.py:(\d+)\)', frame['name'])
        ]
        assert found == place.frames()
        shown = [variables(client, frame)['Locals'] for frame in (python[0], python[1])]
        assert re.match(r'0x\w+ 7$', shown[0]['a']) and shown[0]['b'].endswith(" 'two'"), shown
        assert re.match(r'0x\w+ 7$', shown[1]['n']), shown


def test_lldb_dap_of_a_process(place, monkeypatch):
    """The same of a process that runs, and it runs on."""
    monkeypatch.chdir(place.directory)
    options = {
        'program': place.python,
        'initCommands': ['command source -s true lldbinit'],
        'customFrameFormat': '${function.name}{ ${script.frame:host_lldb.python_names}}',
        'stopOnEntry': True,
    }
    words = place.command(program(place, 'lldb-dap-*'))
    with place.process() as pid:
        expected = place.frames(str(pid))
        with dap.attached(words, place.environment(), pid=pid, **options) as client:
            client.event('stopped')
            frames = stack(client)
            found = [
                (name, int(line))
                for frame in frames
                for name, line in re.findall(r'(\S+) \(program\.py:(\d+)\)', frame['name'])
            ]
            assert found == expected, [frame['name'] for frame in frames]
            python = [frame for frame in frames if frame['name'].endswith(')')]
            shown = variables(client, python[0])['Locals']
            assert re.match(r'0x\w+ 7$', shown['a']) and shown['b'].endswith(" 'two'"), shown
            client.ask('disconnect')
        assert place.frames(str(pid)) == expected


def test_lldb(place):
    """Each Python frame once, in order, behind the C frame that runs it."""
    words = [program(place, 'lldb-[0-9]*'), '--no-lldbinit', '-b']
    words += ['-O', 'command source -s true lldbinit', '-c', place.core, '-o', 'bt']
    shown = place.run(*words)
    found = re.findall(r'^  #(\d+) (\S+) \(.*program.py:(\d+)\)$', shown, re.M)
    assert [(name, int(line)) for _, name, line in found] == place.frames(), shown
    assert [int(number) for number, _, _ in found] == list(range(len(found)))


def test_pointers_of_others(place, tmp_path):
    """A C pointer to anything stays as LLDB shows it."""
    source = tmp_path / 'pointers.c'
    source.write_text('void abort(void);\nint main(void)\n{\n\tvoid *own = abort;\n\tabort();\n}\n')
    directory = os.path.join(place.directory, 'other')
    os.makedirs(directory)
    exe = os.path.join(directory, 'pointers')
    subprocess.check_call(['cc', '-g', '-w', '-o', exe, str(source)])
    core, _ = run.core_of(place.command(exe), directory)
    words = [program(place, 'lldb-[0-9]*'), '--no-lldbinit', '-b']
    words += ['-O', 'command source -s true lldbinit', exe, '-c', core]
    words += ['-o', 'up'] * 3 + ['-o', 'frame variable']
    shown = place.run(*words)
    assert re.search(r'\(void \*\) own = 0x\w+$', shown, re.M), shown
