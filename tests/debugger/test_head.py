"""The first py-bt of a crash, at a terminal, begins with what happened; what programs read is the
same each time."""
import os
import pty
import shutil
import subprocess

import pytest

from tests.support import lldbs
from tests.support.story import GDBINIT, PYSCRY, clean_environment, run


def at_terminal(command, env=None):
    """What a command writes to a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env=dict(env or clean_environment(), TERM="dumb", NO_COLOR="1"),
    )
    os.close(follower)
    told = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        told += part
    os.close(leader)
    process.wait()
    return told.decode().replace("\r\n", "\n")


def check(told, head, stack):
    first, second = told.split("<<<\n")[1:3]
    assert first.startswith(head + "\n"), first
    assert stack.startswith("Thread ") and stack in first.split(">>>")[0] + "\n"
    assert second.startswith(stack), second


def expected(core):
    """The head and the selected thread's stack, as the command line has them."""
    whole = run([PYSCRY, str(core), "bt", "--summary"]).out
    stack = run([PYSCRY, str(core), "bt"]).out
    assert whole.endswith(stack) and len(whole) > len(stack)
    return whole[: -len(stack)].strip("\n"), stack


def test_gdb(any_core):
    gdb = os.environ.get("PYSCRY_GDB") or shutil.which("gdb")
    if not gdb:
        pytest.skip("no gdb")
    head, stack = expected(any_core)
    line = [gdb, "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-iex"]
    line += ["set width 0", "-iex", "set height 0", "-x", GDBINIT]
    for command in ["echo <<<\\n", "py-bt", "echo <<<\\n", "py-bt", "echo >>>\\n"]:
        line += ["-ex", command]
    check(at_terminal(line + ["-c", str(any_core)]), head, stack)
    assert head not in run(line + ["-c", str(any_core)]).out


def test_lldb(any_core):
    found = lldbs.find()
    if not found:
        pytest.skip("no lldb with Python")
    program, environment = found[0]
    head, stack = expected(any_core)
    line = [program, "--no-lldbinit", "-b", "-o", "command source -s true " + lldbs.LLDBINIT]
    for command in ["script print('<<<')", "py-bt"] * 2:
        line += ["-o", command]
    told = at_terminal(line + ["-c", str(any_core)], environment)
    assert told.count(head) == 1, told
