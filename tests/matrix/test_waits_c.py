"""waits: locks of C that no object has, and words that only other C libraries write."""
import os
import shutil
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every
from .test_waits import ask, chosen, compare


def compiled(directory):
    library = os.path.join(directory, 'waits_c.so')
    source = os.path.join(run.PROGRAMS, 'waits_c.c')
    subprocess.run(['cc', '-O1', '-shared', '-fPIC', '-pthread', source, '-o', library], check=True)
    return library


def of_this_machine(interpreter):
    return chosen(interpreter) and interpreter.ctypes and not interpreter.root


@pytest.mark.skipif(not shutil.which('cc'), reason='no C compiler')
@pytest.mark.parametrize('interpreter', every(of_this_machine))
def test_locks_of_c(interpreter, tmp_path):
    """The innermost function says what it is, by its whole name."""
    program = programs.Program('waits-c', 'waits_c.py', (compiled(str(tmp_path)),))
    dump = run.crash(interpreter, program, str(tmp_path / 'core'))
    compare(ask(run.where(interpreter), dump.core, 'waits'), dump.truth)
    with run.running(interpreter, program, str(tmp_path / 'live')) as (pid, truth):
        compare(ask(run.where(interpreter), str(pid), 'waits'), truth)
