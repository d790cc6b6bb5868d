"""The commands in LLDB: what is LLDB's own. That the text is the same everywhere:
test_parity.py."""
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from tests.support.lldbs import LLDBINIT
from tests.support.story import STORY, TOP, interpreters


def test_moving(lldb, any_core):
    said = lldb(["py-up", "py-up 2", "py-down", "py-frame", "py-frame 4"], "-c", any_core)
    heads = [re.match(r"#(\d+) +(\S+)", each.out).groups() for each in said]
    assert heads == [
        ("1", "Job.weigh"),
        ("3", "plan"),
        ("2", "plan.<locals>.key"),
        ("2", "plan.<locals>.key"),
        ("4", "<module>"),
    ]


def test_thread_selection(lldb, cli, any_core):
    tids = [int(tid) for tid in re.findall(r'"tid":(\d+)', cli(any_core, "threads", "--json").out)]
    said = lldb(
        ["thread select 2", "py-bt", "py-up", "py-frame", "thread select 1", "py-frame"],
        "-c",
        any_core,
    )
    assert said[1].out.startswith("Thread %d " % tids[1])
    assert "waiter" in said[1].out and "stop" not in said[1].out
    assert said[3].out.startswith("#1 ") and said[5].out.startswith("#0 ")


def test_frame_selection(lldb, cores):
    """The frame chosen in LLDB takes the Python frame along: to the one that it runs, or the next
    older one."""
    core, python = cores(interpreters()[-1]), os.path.realpath(interpreters()[-1])
    bt = lldb(["bt"], "-c", core, python)[0].out
    if "EvalFrame" not in bt:
        pytest.skip("this LLDB cannot unwind this Python")
    moves = ["py-up 2"]
    for number in re.findall(r"frame #(\d+): ", bt):
        moves += ["frame select " + number, "py-frame"]
    said = lldb(
        moves
        + ["frame select 0", "py-frame", "py-up", "frame select 1", "frame select 0", "py-down"],
        "-c",
        core,
        python,
    )
    heads = [
        each.out.split(" (")[0].split()[-1].split(".")[-1]
        for each in said
        if each.command.startswith("py-")
    ]
    met = [name for name, before in zip(heads[1:-2], [None] + heads[1:]) if name != before]
    assert heads[0] == "key" and heads[-2:] == ["weigh", "stop"]
    assert met in (
        ["key", "stop", "weigh", "key", "plan", "<module>", "stop"],
        ["key", "stop", "plan", "stop"],
    ), (bt, heads)


def test_mistakes(lldb, any_core):
    """What failed is an error of LLDB's, with the library's words."""
    said = lldb(
        [
            "py-bt --nonsense",
            "py-bt 999999",
            "py-print nothing_of_that_name",
            "py-frame 99",
            "py-bt",
        ],
        "-c",
        any_core,
    )
    assert [each.ok for each in said] == [False, False, False, False, True]
    assert said[0].err == "error: py-bt has no option '--nonsense' (try py-bt --help)\n"
    assert "no thread 999999" in said[1].err and "nothing_of_that_name" in said[2].err
    assert not any("Traceback" in each.err for each in said)


def test_no_target(lldb):
    (said,) = lldb(["py-bt"])
    assert not said.ok and said.out == ""
    assert (
        said.err
        == "error: no process and no core file: run, attach, or use target create --core first\n"
    )


def test_help_is_wrapped(lldb):
    """At the terminal's width, with no line of the text's own in between."""
    said = lldb(['settings set term-width 60', 'help py-crash', 'help py-bt'])
    for each in said[1:]:
        lines = each.out.split('Usage: ')[1].split('\n')[2:]
        assert max(map(len, lines)) <= 60
        for line, after in zip(lines, lines[1:]):
            word = after.split(' ')[0]
            assert not word or not line or len(line) + 1 + len(word) > 56, (line, after)


def test_threads_are_completed(lldb, any_core, tmp_path):
    script = (
        "script found = lldb.SBStringList(); "
        "lldb.debugger.GetCommandInterpreter().HandleCompletion('py-bt ', 6, 0, -1, found); "
        "open('%s', 'w').write(repr(list(found)))" % (tmp_path / "found")
    )
    lldb([script], "--core", any_core)
    found = (tmp_path / "found").read_text()
    assert "'1" in found and "'2" in found, found


def test_help(lldb):
    said = lldb(["help py-bt", "help"])
    assert "Show the Python stack of a thread, or of all threads." in said[0].out
    assert "Usage: py-bt [--all|THREAD]" in said[0].out
    assert re.search(r"py-threads +-- ", said[1].out)


def test_other_ways_to_open(lldb, cli, any_core):
    """Not on the command line; beside another core; of a path with a space, by a relative path."""
    expected = cli(any_core, "bt").out
    said = lldb(["target create --core %s" % any_core, "py-bt"])
    assert said[1].out == expected


def test_several_targets(lldb, cli, cores):
    if len(interpreters()) < 2:
        pytest.skip("one interpreter")
    one, two = (cores(python) for python in interpreters()[:2])
    said = lldb(
        [
            "target create --core %s" % two,
            "py-bt",
            "target select 0",
            "py-bt",
            "target select 1",
            "py-bt",
        ],
        "-c",
        one,
    )
    assert [each.out for each in said[1::2]] == [cli(path, "bt").out for path in (two, one, two)]


def test_space_in_path(lldb, cli, any_core, tmp_path):
    directory = tmp_path / "a directory"
    directory.mkdir()
    shutil.copy(any_core, str(directory / "the core"))
    said = lldb(["py-bt"], "-c", directory / "the core")
    assert said[0].out == cli(any_core, "bt").out


COUNTER = '''
import time, sys
def one(): time.sleep(0.01)
def two(): time.sleep(0.01)
def turn():
    step = one
    while True:
        step()
        step = two if step is one else one
def first():
    sys.stdout.write("ready\\n"); sys.stdout.flush()
    turn()
first()
'''


def test_target_that_runs_on(lldb, process, tmp_path):
    """After the target ran, everything is read anew."""
    child = process(interpreters()[0], COUNTER, tmp_path)
    step = ["breakpoint set -o true -n clock_nanosleep", "process continue", "py-bt"] * 2
    said = lldb(step, "-p", child.pid, first=["settings set symbols.enable-external-lookup false"])
    seen = {re.search(r"^#0 +(\w+)", each.out, re.M).group(1) for each in (said[2], said[5])}
    assert seen == {"one", "two"}


def test_process_runs_on_after_detaching(lldb, process, tmp_path):
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    said = lldb(["py-bt", "detach", "script __import__('time').sleep(1)", "py-bt"], "-p", child.pid)
    assert "stop" in said[0].out and not said[3].ok and "no process" in said[3].err
    assert child.poll() is None


@pytest.mark.parametrize("knows_regions", [True, False])
def test_remote(lldb, cli, process, tmp_path, knows_regions):
    """A target behind a stub: LLDB's own, which tells the regions of memory, and gdbserver, which
    does not."""
    server = sorted(
        map(
            shutil.which,
            filter(shutil.which, ["lldb-server"] + ["lldb-server-%d" % i for i in range(14, 30)]),
        )
    )
    server = [server[-1], "gdbserver"] if knows_regions and server else [shutil.which("gdbserver")]
    if not server[0] or knows_regions and len(server) == 1:
        pytest.skip("no stub")
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    expected = cli(child.pid, "bt", "--all").out
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    words = ["localhost:%d" % port, "--attach", str(child.pid)]
    stub = subprocess.Popen(
        server + (words if knows_regions else [words[1], words[0], words[2]]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(2)
    try:
        said = lldb(
            [
                "target create %s" % os.path.realpath(interpreters()[0]),
                "gdb-remote localhost:%d" % port,
                "py-bt --all",
                "detach",
            ]
        )
    finally:
        stub.kill()
        stub.wait()
    assert said[2].out == expected, said[2].err


def test_script_import(lldb, any_core, cli):
    """The other way in: command script import."""
    answers = subprocess.run(
        [
            lldb.program,
            "--no-lldbinit",
            "-b",
            "-c",
            any_core,
            "-o",
            "command script import " + os.path.join(TOP, "plugin", "host_lldb.py"),
            "-o",
            "py-bt",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=120,
        env=lldb.environment,
    )
    assert cli(any_core, "bt").out in answers.stdout.decode("utf-8")


def test_nothing_of_the_current_directory_is_run(lldb, any_core, cli, tmp_path):
    """Of a directory called plugin where LLDB is started, be it a package or as ours is."""
    other = tmp_path / "plugin"
    other.mkdir()
    for name in "host_lldb.py", "__init__.py":
        (other / name).write_text("open(%r, 'w').close()\n" % str(tmp_path / "run"))
        command = [lldb.program, "--no-lldbinit", "-b", "-c", any_core]
        command += ["-o", "command source -s true " + LLDBINIT, "-o", "py-bt"]
        answers = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=120,
            cwd=str(tmp_path),
            env=lldb.environment,
        )
        assert cli(any_core, "bt").out in answers.stdout.decode("utf-8")
        assert not (tmp_path / "run").exists()
