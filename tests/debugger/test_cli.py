"""The pyscry command: words, exit status, where text goes."""
import os
import subprocess
import time

import pytest

from tests.support.story import PYSCRY, STORY, clean_environment, interpreters, run


def test_help(cli):
    for words in (["--help"], ["-h"]):
        shown = cli(*words)
        assert shown.status == 0 and not shown.err
        for word in ("TARGET", "pyscry core", "Exit status", "--sysroot", "threads", "--json"):
            assert word in shown.out
    for words in (["bt", "--help"], ["core", "bt", "--help"]):
        shown = cli(*words)
        assert shown.status == 0 and shown.out.startswith("usage: bt [--all|THREAD]"), shown.err


def test_version(cli):
    assert cli("--version").out.startswith("pyscry ")


@pytest.mark.parametrize(
    "words, reason",
    [
        ([], "which core file or process?"),
        (["/nonexistent/core"], "/nonexistent/core"),
        (["99999999"], "99999999"),
        (["/etc/passwd"], "/etc/passwd"),
        (["/"], "/"),
        (["core", "nonsense"], "no such command: nonsense"),
        (["core", "--sysroot"], "a value is missing after --sysroot"),
        (["--layout", "guess", "core"], "layout"),
        (["--source-map", "nonsense", "core"], "FROM=TO"),
    ],
)
def test_bad_usage(cli, words, reason):
    shown = cli(*words)
    assert shown.status == 2 and not shown.out
    assert reason in shown.err and shown.err.startswith("pyscry: ")


@pytest.mark.parametrize(
    "words",
    [
        ["bt", "--nonsense"],
        ["bt", "a", "b"],
        ["bt", "--all", "1"],
        ["threads", "x"],
        ["up", "x"],
        ["up", "99999999999999"],
        ["frame", "-1"],
        ["list", "x"],
        ["list", "5,y"],
        ["list", "999999999"],
        ["bt", "--limit"],
        ["bt", "--color=blue"],
        ["bt", "--thread", "nobody"],
        ["bt", "''"],
        ["list", "/nonexistent:3"],
        ["bt", "--limit", "0x"],
        ["down"],
        ["--frame", "x", "frame"],
    ],
)
def test_bad_arguments(cli, any_core, words):
    shown = cli(any_core, *words)
    assert shown.status == 2 and shown.err.startswith("pyscry: ")


def test_options_stand_anywhere(cli, any_core):
    expected = cli(any_core, "bt", "--limit", "2").out
    assert expected.count("\n#") == 2
    for words in (
        ["--limit", "2", any_core, "bt"],
        ["--limit=2", any_core, "bt"],
        [any_core, "--limit", "2", "bt"],
        [any_core, "py-bt", "--limit=2"],
        [any_core, "bt", "--sysroot", "/", "--limit", "2"],
    ):
        assert cli(*words).out == expected, words


def test_default_command(cli, any_core):
    head, stacks = cli(any_core).out.split("\n\n", 1)
    assert stacks == cli(any_core, "bt", "--all").out
    assert "process " in head and len(head.splitlines()) < 20


def test_thread_and_frame_options(cli, any_core):
    assert cli(any_core, "--frame", "2", "frame").out.startswith("#2 ")
    assert "waiter" in cli(any_core, "--thread", "2", "bt").out
    assert cli(any_core, "bt", "2").out == cli(any_core, "--thread", "2", "bt").out


def test_color(cli, any_core):
    plain = cli(any_core, "bt").out
    assert "\033" not in plain
    colored = cli(any_core, "bt", "--color=always").out
    assert "\033[" in colored
    # $CLICOLOR_FORCE stands for a terminal; $NO_COLOR and --color are stronger
    for force, no, when, expected in (
        ("1", "", "auto", True),
        ("0", "", "auto", False),
        ("1", "1", "auto", False),
        ("1", "", "never", False),
        ("", "1", "always", True),
    ):
        environment = clean_environment(CLICOLOR_FORCE=force, NO_COLOR=no)
        said = run([PYSCRY, any_core, "bt", "--color", when], env=environment)
        assert ("\033[" in said.out) is expected, (force, no, when)
    # at a terminal: colours, unless $NO_COLOR says no
    try:
        os.close(os.openpty()[0])
    except OSError:
        pytest.skip("no pseudo-terminals here")
    command = ["script", "-qec", "%s %s bt" % (PYSCRY, any_core), "/dev/null"]
    assert "\033[" in run(command, env=clean_environment(TERM="xterm")).out
    assert "\033[" not in run(command, env=clean_environment(TERM="xterm", NO_COLOR="1")).out
    assert "\033[" not in run(command, env=clean_environment(TERM="dumb")).out


def test_broken_pipe(any_core):
    done = run(["sh", "-c", "%s %s | head -n1" % (PYSCRY, any_core)])
    assert done.status == 0 and not done.err


def test_digits_are_a_process(cli, any_core, tmp_path):
    os.symlink(any_core, str(tmp_path / "12345678"))
    assert cli("12345678", cwd=str(tmp_path)).status == 2
    assert cli("./12345678", "bt", cwd=str(tmp_path)).out == cli(any_core, "bt").out.replace(
        any_core, "./12345678"
    )


def comes_to(pid, state):
    """Does the process come to a state? One that is let go does, on a busy machine not at once."""
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        with open("/proc/%d/status" % pid) as status:
            if "State:\t" + state in status.read():
                return True
        time.sleep(0.01)
    return False


def test_live_process_goes_on(cli, process, tmp_path):
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    for _ in range(20):
        assert cli(child.pid).status == 0
    assert comes_to(child.pid, "S")


def test_stopped_process_stays_stopped(cli, process, tmp_path):
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    child.send_signal(19)
    assert cli(child.pid, "bt").out.count("\n#") >= 4
    assert comes_to(child.pid, "T")


def test_truncated_core(cli, any_core, tmp_path):
    data = open(any_core, "rb").read()
    cut = tmp_path / "cut"
    for size in (0, 10, 64, 1000, 4096, len(data) // 2):
        cut.write_bytes(data[:size])
        shown = cli(cut, timeout=30)
        assert shown.status in (1, 2) and shown.err.startswith("pyscry: "), size


def test_not_python(cli, tmp_path):
    child = subprocess.Popen(["sleep", "60"])
    try:
        shown = cli(child.pid)
        assert shown.status == 2 and shown.err.startswith("pyscry: ")
        assert cli(child.pid, "info").status == 1
    finally:
        child.kill()
        child.wait()


def test_from_debugger(cli, any_core, process, tmp_path):
    """What the gdbinit pipes into it for a GDB without Python: a core goes before its process."""
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    line = "* 1    process %d     1 (native)    /usr/bin/python3\n" % child.pid
    whole = "Local core dump file:\n\t`%s', file type elf64-x86-64.\n" % any_core
    chosen = "[Current thread is 1 (Thread 0x7f00 (LWP %d))]\nframe 1\n" % child.pid
    asked = [PYSCRY, "--from-debugger", "threads"]
    assert run(asked, input=(whole + line).encode()).out == cli(any_core, "threads").out
    assert str(child.pid) in run(asked, input=line.encode()).out
    up = run([PYSCRY, "--from-debugger", "up"], input=(line + chosen).encode())
    assert up.out.startswith("#2 ")
    for nothing in (b"", b"frame 1", b"Local core dump file:", b"* 1    <null>\n" * 1000):
        refused = run(asked, input=nothing)
        assert refused.status == 2 and "neither a core file nor a process" in refused.err
