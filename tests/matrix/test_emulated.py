"""Cores of other machines: their Python run by qemu-user, which writes cores without the names of
files.

The executable and the root have to be told. No process of the kind can be looked at live: it is
qemu's.
"""
import dataclasses
import glob
import os
import shutil
import subprocess

import pytest

from tests.support import debian, interpreters, programs, run

from . import test_kernels as test_kernels_x86
from . import test_native, test_stacks, test_values

# the root, qemu's name of the machine, pyscry's; what runs there beside the short ones: where a
# machine's qemu is slow, nothing
MACHINES = [
    ('arm64', 'aarch64', 'aarch64', ['flow', 'py311', 'lines', 'deep-3000-mixed', 'values']),
    ('riscv64', 'riscv64', 'riscv64', []),
    ('ppc64el', 'ppc64le', 'ppc64', ['values']),
]
SHORT = ['calls', 'threads']
# of these qemu 7.2, that of Debian 12, writes no cores
NEWEST_ONLY = {'riscv64'}


@dataclasses.dataclass
class Emulated(interpreters.Interpreter):
    """An Interpreter whose programs see this machine's directories."""

    place: str = None
    emulator: str = None

    @property
    def command(self):
        return [self.emulator, '-L', self.place, '-E', 'PYTHONHOME=%s/usr' % self.place, self.exe]


def emulator_of(machine):
    """Debian's newest, else the one that is installed where that writes cores of the machine."""
    newest = debian.root('emulators')
    if not isinstance(newest, Exception):
        return '%s/usr/bin/qemu-%s' % (newest, machine)
    return None if machine in NEWEST_ONLY else shutil.which('qemu-' + machine)


@pytest.fixture(scope='module')
def interpreter(request):
    where, emulated, machine = request.param
    place, emulator = debian.root(where), emulator_of(emulated)
    if isinstance(place, Exception):
        pytest.skip('%s: %s' % (where, place))
    if not emulator:
        pytest.skip('%s: no qemu-%s here that writes cores' % (where, emulated))
    (exe,) = glob.glob(place + '/usr/bin/python3.[0-9]*[0-9]')
    found = Emulated(
        where + '-' + exe[-4:], place=place, exe=exe, machine=machine, emulator=emulator
    )
    facts = interpreters.ask(found.command)
    found.version, found.prefix = tuple(facts['version']), facts['prefix']
    return found


def dump_of(dumps, interpreter, program):
    """qemu writes the core of the program, and dies by the same signal: its own core is of no
    use."""

    def make():
        dump = run.crash(
            interpreter, program, dumps.place(interpreter, program.name), cores='qemu_*.core'
        )
        for core in glob.glob(os.path.join(dump.directory, 'core*')):
            os.remove(core)
        dump.root = interpreter.place
        return dump

    return dumps.make(dumps.place(interpreter, program.name), make)


def on(usable):
    """Parameters: each machine, with those of its programs whose names will do."""
    rows = [
        pytest.param((where, emulated, machine), name, id='%s-%s' % (where, name))
        for where, emulated, machine, more in MACHINES
        for name in SHORT + more
        if usable(name)
    ]
    return pytest.mark.parametrize('interpreter, name', rows, indirect=['interpreter'])


@on(lambda name: name != 'values')
def test_stacks_there(dumps, interpreter, name):
    dump = dump_of(dumps, interpreter, programs.find(name))
    test_stacks.check_core(dump, '--exe', dump.exe, '--sysroot', dump.root)


@on(lambda name: name == 'values')
def test_values_there(dumps, interpreter, name):
    test_values.compare(dump_of(dumps, interpreter, test_values.VALUES))


@on(lambda name: name in SHORT)
def test_c_frames(dumps, interpreter, name):
    """The link register instead of a word on the stack."""
    dump = dump_of(dumps, interpreter, programs.find(name))
    found = test_native.complete(
        dump.truth, *test_native.merged(dump.core, '--exe', dump.exe, '--sysroot', dump.root)
    )
    assert not found, found[:10]


@on(lambda name: name == 'calls')
def test_heap(dumps, interpreter, name):
    """A program without a name lies right below the memory of malloc(): code is no chunk."""
    dump = dump_of(dumps, interpreter, programs.find(name))
    answer, status, errors = run.answer(
        dump.core, '--exe', dump.exe, '--sysroot', dump.root, command=['verify']
    )
    assert not status and not answer['verify']['findings'], (answer['verify']['findings'], errors)


@on(lambda name: name == 'threads')
def test_waits(dumps, interpreter, name):
    """Its threads sleep: where the machine does not tell, none is said to run."""
    dump = dump_of(dumps, interpreter, programs.find(name))
    answer, _, _ = run.answer(
        dump.core, '--exe', dump.exe, '--sysroot', dump.root, command=['waits']
    )
    others = [w for w in answer['waits'] if w['who']['name'] != 'MainThread']
    assert len(others) == len(dump.truth['threads']) - 1
    assert not [w for w in others if w['state'] == 'running']


# --- functions without an unwind table, where a link register has the return address ---

KERNELS = {
    'pointers and tables': '-fno-omit-frame-pointer -funwind-tables',
    'tables': '-fomit-frame-pointer -funwind-tables',
    'pointers': '-fno-omit-frame-pointer -fno-unwind-tables -fno-asynchronous-unwind-tables',
}


@pytest.mark.skipif(
    not (shutil.which('clang') and shutil.which('ld.lld')), reason='no clang, or no ld.lld'
)
@pytest.mark.parametrize('build', sorted(KERNELS))
@pytest.mark.parametrize('interpreter', [('arm64', 'aarch64', 'aarch64')], indirect=True, ids=str)
def test_kernels(interpreter, build, tmp_path):
    library = tmp_path / 'kernels.so'
    words = ['clang', '--target=aarch64-linux-gnu', '-O2', '-fPIC', '-shared', '-nostdlib']
    words += ['-fuse-ld=lld', *KERNELS[build].split()]
    subprocess.run(
        [*words, os.path.join(run.PROGRAMS, 'kernels.c'), '-o', str(library)], check=True
    )
    for kernel, times in test_kernels_x86.KERNELS.items():
        where = tmp_path / kernel
        where.mkdir()
        core, _ = run.core_of(
            interpreter.command + ['-c', test_kernels_x86.CODE, str(library), kernel + '_outer'],
            where,
        )
        options = ('--sysroot', interpreter.place, '--exe', interpreter.exe)
        options += ('--search', str(tmp_path))
        answer, _, errors = run.answer(core, *options, command=('bt', '--native', '--whole'))
        frames = [thread['frames'] for thread in answer['threads']][0]
        names = [frame['function'] for frame in frames]
        expected = [kernel] * times + [kernel + '_inner', kernel + '_outer']
        assert names[: len(expected)] == expected, (kernel, names[:8])
        assert 'work' in names and 'stir' not in names, names
        assert 'unwinding ends' not in errors
        shutil.rmtree(str(where))


@pytest.mark.skipif(
    not (shutil.which('clang') and shutil.which('ld.lld')), reason='no clang, or no ld.lld'
)
@pytest.mark.parametrize('interpreter', [('arm64', 'aarch64', 'aarch64')], indirect=True, ids=str)
def test_crash(interpreter, tmp_path):
    """The instruction that failed, its address, though qemu writes no siginfo, and where that came
    from."""
    library = tmp_path / 'kernels.so'
    words = ['clang', '--target=aarch64-linux-gnu', '-O2', '-fPIC', '-shared', '-nostdlib']
    words += ['-fuse-ld=lld', *KERNELS['tables'].split()]
    subprocess.run(
        [*words, os.path.join(run.PROGRAMS, 'kernels.c'), '-o', str(library)], check=True
    )
    command = ['-c', test_kernels_x86.CODE, str(library), 'bare_outer']
    core, _ = run.core_of(interpreter.command + command, tmp_path)
    options = ('--sysroot', interpreter.place, '--exe', interpreter.exe)
    options += ('--search', str(tmp_path))
    crash = run.answer(core, *options, command=('crash',))[0]['crash']
    assert (crash['signal_name'], crash['function']) == ('SIGSEGV', 'bare'), crash
    assert crash['instruction'] == 'ldr x2, [x0]'
    assert (crash['address'], crash['access'], crash['size']) == ('0x10', 'read', 8)
    assert [(o['register'], o['value']) for o in crash['operands']] == [('x0', '0x10')]
    assert 'nothing is mapped below' in ' '.join(crash['explanation'])
    assert 'argument 1 of bare' in ' '.join(crash['origin'])
    assert crash['python']['function'] == 'work'
    os.remove(core)
    # what was called by way of a stub of the linker's
    command[-1] = 'saves_outer'
    core, _ = run.core_of(interpreter.command + command, tmp_path)
    crash = run.answer(core, *options, command=('crash',))[0]['crash']
    assert crash['function'] == 'saves' and 'returned by helper' in ' '.join(crash['origin'])
