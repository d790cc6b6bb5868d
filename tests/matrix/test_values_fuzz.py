"""Every command on damaged cores, the same damage every time; ./dev fuzz does more of it, under
sanitizers."""
import os
import re
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every

VALUES = programs.Program('values', 'values.py')
WITHOUT_CTYPES = programs.Program('values', 'values.py', ('no-ctypes',))
HANDLED = programs.Program('handled', 'handled.py')
GENERATORS = programs.Program('generators', 'generators.py')


def fuzz(dump, directory, *options):
    """How many inputs were tried."""
    interpreter = dump.interpreter
    tool = os.path.join(run.build_directory(), 'tests', 'fuzz', 'fuzz_values')
    root = ['--sysroot', interpreter.root] if interpreter.root else ['--exe', dump.exe]
    done = subprocess.run(
        [tool] + root + list(options) + [dump.core],
        cwd=str(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stderr.decode(errors='replace')[-3000:]
    return int(re.match(r'(\d+) inputs', done.stdout.decode()).group(1))


@pytest.mark.parametrize('interpreter', every())
def test_every_command_on_damaged_cores(dumps, interpreter, tmp_path):
    """A second for each interpreter, or a hundred inputs where that is less."""
    values = VALUES if interpreter.ctypes else WITHOUT_CTYPES
    program = (values, HANDLED, GENERATORS)[sum(map(ord, interpreter.tag)) % 3]
    assert (
        fuzz(dumps.core(interpreter, program), tmp_path, '--inputs', '150', '--seconds', '1.5') > 0
    )
