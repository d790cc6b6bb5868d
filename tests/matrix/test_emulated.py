"""Cores of another machine: a 64-bit ARM Python run by qemu-user, which writes cores without the
names of files.

The executable and the root have to be told. No process of the kind can be looked at live: it is
qemu's.
"""
import dataclasses
import glob
import os
import shutil

import pytest

from tests.support import debian, interpreters, programs, run

from . import test_native, test_stacks, test_values

EMULATOR = shutil.which('qemu-aarch64')
PROGRAMS = ['calls', 'flow', 'py311', 'threads', 'lines', 'deep-3000-mixed']


@dataclasses.dataclass
class Emulated(interpreters.Interpreter):
    """An Interpreter whose programs see this machine's directories."""

    place: str = None

    @property
    def command(self):
        return [EMULATOR, '-L', self.place, '-E', 'PYTHONHOME=%s/usr' % self.place, self.exe]


@pytest.fixture(scope='module')
def interpreter():
    place = debian.root('arm64')
    if isinstance(place, Exception):
        pytest.skip('arm64: %s' % place)
    if not EMULATOR:
        pytest.skip('arm64: no qemu-aarch64 here')
    exe = place + '/usr/bin/python3.11'
    found = Emulated('arm64-3.11', place=place, exe=exe, machine='aarch64')
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


@pytest.mark.parametrize('name', PROGRAMS)
def test_stacks_of_arm64(dumps, interpreter, name):
    dump = dump_of(dumps, interpreter, programs.find(name))
    test_stacks.check_core(dump, '--exe', dump.exe, '--sysroot', dump.root)


def test_values_of_arm64(dumps, interpreter):
    test_values.compare(dump_of(dumps, interpreter, test_values.VALUES))


@pytest.mark.parametrize('name', ['calls', 'threads'])
def test_c_frames_of_arm64(dumps, interpreter, name):
    """The link register instead of a word on the stack."""
    dump = dump_of(dumps, interpreter, programs.find(name))
    found = test_native.complete(
        dump.truth, *test_native.merged(dump.core, '--exe', dump.exe, '--sysroot', dump.root)
    )
    assert not found, found[:10]
