"""The same text everywhere: each command in GDB, in LLDB and on the command line, on the same core,
process or minidump."""
import difflib
import glob
import json
import os
import subprocess

import pytest

from tests.support.story import STORY, TOP, interpreters

COMMANDS = [
    "bt",
    "bt --all",
    "bt -v",
    "bt --native",
    "bt --native --all --json",
    "bt --whole --limit 2",
    "bt --all --json",
    "bt-full",
    "threads",
    "threads --json",
    "info",
    "info --layout",
    "locals --frame 3",
    "locals --json",
    "list",
    "list 1,3",
    "list plan",
    "list Job.weigh",
    "list len",
    "list --json stop",
    "frame 2",
    "frame 1 --json",
    "print --frame 1 self.name",
    "print --frame 3 options",
    "print --frame 2 --json job",
    "regs",
    "regs --all-frames",
    "regs --json",
    "regs --all-frames --json",
    "regs --stack",
    "crash",
    "crash --json",
    "cvars",
    "cvars --json",
    "bt-full --native --json",
    "dis --frame 0",
    "dis --frame 2",
    "exc",
    "exc --json",
    "obj ADDRESS",
    "obj --json ADDRESS",
    "heap --by retained",
    "heap --json --limit 20",
    "refs --path ADDRESS",
    "refs --holders --json ADDRESS",
    "whatis --refs --json ADDRESS",
    "gc --unreachable --json",
    "verify --leaks",
    "verify --json",
    "tasks",
    "tasks --json",
    "generators",
    "tasklets",
    "channels",
    "stacks",
    "stacks --json",
    "stacks --signature",
]
# of a process that runs on between two looks at it
LIVE = [
    "bt",
    "bt --all",
    "bt -v",
    "bt --native",
    "bt --native --all",
    "bt-full",
    "threads",
    "locals --frame 3",
    "list",
    "list plan",
    "frame 2",
    "print --frame 1 self.name",
    "regs",
    "regs --all-frames",
    "heap list",
    "gc --unreachable",
    "verify",
]
# "info" names the files that were looked for: unwinding looks for more of them
MINIDUMP = [
    "bt",
    "bt --all",
    "info",
    "bt --native",
    "bt-full",
    "threads",
    "regs",
    "regs --json",
    "locals",
    "frame 1",
    "bt --all --json",
    "heap",
    "heap --by retained --json",
    "gc --unreachable",
    "verify --leaks",
]
MOVES = ["up", "frame", "down", "frame 3", "up", "locals", "bt"]


def same(name, expected, command, text):
    if text != expected:
        lines = difflib.unified_diff(
            expected.splitlines(True), text.splitlines(True), "command line", name
        )
        raise AssertionError("%s: %s\n%s" % (name, command, "".join(lines)))


def unlisted(cli):
    """Commands of the table that stand in none of the lists: as they are, without arguments."""
    table = cli("--help").out.split("Commands")[1].split("Options")[0]
    names = [line.split()[0] for line in table.splitlines()[1:] if line.startswith("  ")]
    assert len(names) > 15
    return [
        name for name in names if name not in {command.split()[0] for command in COMMANDS + MOVES}
    ]


def test_core(gdb, lldb, cli, core, python):
    address = json.loads(cli(core, "print", "--frame", 3, "--json", "options").out)["address"]
    commands = [command.replace("ADDRESS", address) for command in COMMANDS + unlisted(cli)]
    prefixed = ["py-" + command for command in commands]
    in_gdb, in_lldb = gdb(prefixed, os.path.realpath(python), core).said, lldb(
        prefixed, "-c", core, os.path.realpath(python)
    )
    for command, one, two in zip(commands, in_gdb, in_lldb):
        expected = cli("--exe", os.path.realpath(python), core, *command.split())
        assert expected.out or expected.status == 2, command
        same("gdb", expected.out, command, one)
        same("lldb", expected.out, command, two.out)
        assert two.ok == (expected.status != 2), command


def test_moves(gdb, lldb, any_core):
    """The selection lasts in the debuggers."""
    prefixed = ["py-" + command for command in MOVES]
    for one, two in zip(gdb(prefixed, "-c", any_core).said, lldb(prefixed, "-c", any_core)):
        same("lldb", one, two.command, two.out)


def test_process(gdb, lldb, cli, process, tmp_path):
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    prefixed = ["py-" + command for command in LIVE]
    in_gdb, in_lldb = gdb(prefixed, "-p", child.pid).said, lldb(prefixed, "-p", child.pid)
    for command, one, two in zip(LIVE, in_gdb, in_lldb):
        expected = cli(child.pid, *command.split()).out
        same("gdb", expected, command, one)
        same("lldb", expected, command, two.out)
    assert child.poll() is None


def minidumps():
    places = [
        os.environ.get("PYSCRY_COREFILES", ""),
        os.path.join(TOP, "..", "shared", "corefiles"),
    ]
    found = [
        path
        for place in places
        if place
        for sub in ("", "windows")
        for path in sorted(glob.glob(os.path.join(place, sub, "*.dmp.zst")))
    ]
    skip = pytest.mark.skip(
        reason="no Windows dumps: set PYSCRY_COREFILES to the directory that holds them"
    )
    return [pytest.param(path, id=os.path.basename(path)[:-8]) for path in found] or [
        pytest.param(None, marks=skip, id="none")
    ]


@pytest.mark.parametrize("packed", minidumps())
def test_minidump(lldb, cli, packed, tmp_path):
    dump = str(tmp_path / "x.dmp")
    subprocess.check_call(["zstd", "-dqf", packed, "-o", dump])
    for command, said in zip(MINIDUMP, lldb(["py-" + command for command in MINIDUMP], "-c", dump)):
        expected = cli(dump, *command.split())
        same("lldb", expected.out, command, said.out)
        assert said.ok == (expected.status != 2), command
