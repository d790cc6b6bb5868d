"""One core per interpreter and program, shared by the tests; interpreters that are not there are
visible skips."""
import os
import shutil
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
if TOP not in sys.path:
    sys.path.insert(0, TOP)

from tests.support import interpreters, programs, run  # noqa: E402


def skipped(interpreter):
    return (
        [pytest.mark.skip(reason='%s: %s' % (interpreter.tag, interpreter.reason))]
        if interpreter.reason
        else []
    )


def grouped(interpreter):
    """With pytest-xdist, one worker runs all tests of an interpreter, so that they share its
    cores."""
    return [pytest.mark.xdist_group(interpreter.tag)]


def pairs(choose=lambda interpreter, program: True):
    """Parameters: every interpreter with every program that `choose` takes; one skip per
    interpreter that is not there."""
    found = []
    for interpreter in interpreters.everything():
        if interpreter.reason:
            found.append(
                pytest.param(interpreter, None, id=interpreter.tag, marks=skipped(interpreter))
            )
            continue
        for program in programs.PROGRAMS:
            if program.runs_on(interpreter) and choose(interpreter, program):
                found.append(
                    pytest.param(
                        interpreter,
                        program,
                        id='%s-%s' % (interpreter.tag, program.name),
                        marks=grouped(interpreter),
                    )
                )
    return found


def every(choose=lambda interpreter: True):
    """Parameters: every interpreter that `choose` takes."""
    return [
        pytest.param(
            interpreter, id=interpreter.tag, marks=skipped(interpreter) + grouped(interpreter)
        )
        for interpreter in interpreters.everything()
        if interpreter.reason or choose(interpreter)
    ]


def having(module, machine=None):
    """For every(): interpreters with a module that only a few have."""
    return lambda interpreter: module in interpreter.modules and machine in (
        None,
        interpreter.machine,
    )


HAS = {}


def has(interpreter, module):
    if (interpreter.tag, module) not in HAS:
        done = subprocess.run(
            interpreter.command + ['-c', 'import ' + module],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        HAS[interpreter.tag, module] = done.returncode == 0
    return HAS[interpreter.tag, module]


def need(interpreter, module):
    """Skip the test where the interpreter cannot import a module: one that was built without, or an
    older Debian's."""
    if not has(interpreter, module):
        pytest.skip('%s has no %s' % (interpreter.tag, module))


class Dumps:
    """Cores by (interpreter, program, flavour); those of the previous interpreter are deleted."""

    def __init__(self, directory):
        self.directory, self.tag, self.made = directory, None, {}

    def place(self, interpreter, name):
        if self.tag != interpreter.tag:
            self.clear()
            self.tag = interpreter.tag
        return os.path.join(self.directory, interpreter.tag, name)

    def clear(self):
        if self.tag:
            shutil.rmtree(os.path.join(self.directory, self.tag), ignore_errors=True)
        self.made = {}

    def make(self, key, function):
        """The value that `function` made for the key; a failure is remembered too."""
        if key not in self.made:
            try:
                self.made[key] = function()
            except Exception as error:
                self.made[key] = error
        if isinstance(self.made[key], run.NoCore):
            pytest.skip(str(self.made[key]))
        if isinstance(self.made[key], Exception):
            raise self.made[key]
        return self.made[key]

    def core(self, interpreter, program, end='abort'):
        place = self.place(interpreter, '%s-%s' % (program.name, end))
        return self.make(place, lambda: run.crash(interpreter, program, place, end))

    def copied(self, interpreter, program, strip=True, hidden=False):
        """A core of a copy of the interpreter, stripped or not; `hidden`: the copy is gone."""
        place = self.place(interpreter, '%s-copy-%d-%d' % (program.name, strip, hidden))

        def make():
            os.makedirs(place)
            copy = run.Copy(interpreter, place, strip)
            dump = run.crash(interpreter, program, place, 'abort', copy)
            if hidden:
                copy.remove()
            return dump

        return self.make(place, make)


@pytest.fixture(scope='session')
def dumps(tmp_path_factory):
    made = Dumps(str(tmp_path_factory.mktemp('dumps')))
    yield made
    made.clear()
    shutil.rmtree(made.directory, ignore_errors=True)
