"""The cases of test_gdb_cases.py in LLDB, where they are LLDB's own: summaries, selection,
refreshing."""
import re

import pytest

from tests.debugger.test_gdb_cases import layout_of, names_in, value_of
from tests.support import interpreters

# LLDB looks for the files of a process in another root at their paths here
CHOSEN = [each for each in interpreters.everything() if not each.root and not each.reason]
pytestmark = pytest.mark.parametrize(
    "interpreter",
    [pytest.param(each, id=each.tag, marks=pytest.mark.xdist_group(each.tag)) for each in CHOSEN],
)
FIRST = ["settings set symbols.enable-external-lookup false"]


@pytest.fixture
def started(debugged):
    def start(mode):
        child = debugged(mode)
        child.begin = [
            "script open(%r, 'w').close()" % child.go,
            "breakpoint set -n getppid",
            "process continue",
        ]
        return child

    return start


def test_values(lldb, started, cli):
    child = started("values")
    cases = child.truth["values"]
    victim, offset = child.truth["victim"], layout_of(cli, child)["object.type"]
    commands = child.begin + ["py-up"] + ["py-print cases[%d]" % i for i in range(len(cases))]
    commands += [
        "py-print victim",
        "memory write -s 8 %#x 0xdeadbeef" % (int(victim, 16) + offset),
        "py-print victim",
        "py-frame",
    ]
    commands += ["breakpoint set -n builtin_id"] + ["process continue", "frame variable v"] * len(
        cases
    )
    said = [each.out for each in lldb(commands, "-p", child.pid, first=FIRST)][4:]
    for case, text in zip(cases, said):
        assert value_of(text) == case["repr"], case
    said = said[len(cases) :]
    assert said[0] == "local 'victim' = <__main__.Foo object at %s>\n" % victim and names_in(
        said[3]
    ) == ["show_them"]
    assert said[2].startswith("local 'victim' = <unreadable at %s: " % victim)
    stops = said[5:]
    if "v = " not in stops[1]:
        return  # no debug information
    for case, text in zip(cases, stops[1::2]):
        assert re.match(
            r"\(PyObject \*\) v = 0x0*%s %s\n?$" % (case["id"][2:], re.escape(case["repr"])), text
        ), (case, text)


def test_stack(lldb, started):
    child = started("stack")
    asked = [
        "py-bt",
        "py-up",
        "py-print args",
        "py-up 3",
        "py-locals",
        "py-up 99",
        "py-up",
        "py-up",
        "py-down 9",
        "py-list 1,3",
        "py-list foo",
        "frame select 1",
        "py-frame",
        "p (PyObject *)0",
        "p (PyObject *)0x1234",
    ]
    said = lldb(child.begin + asked, "-p", child.pid, first=FIRST)[3:]
    assert names_in(said[0].out) == ["stop", "baz", "<lambda>", "bar", "foo", "<module>"]
    assert said[2].out == "local 'args' = (1, 2, 3)\n" and said[4].out == "a = 1\nb = 2\nc = 3\n"
    assert said[5].err == "error: Unable to find an older python frame\n" == said[
        7
    ].err and names_in(said[6].out) == ["<module>"]
    assert said[8].err == "error: Unable to find a newer python frame\n"
    assert said[9].out.count("\n") == 3 and said[10].out.lstrip().split("    ")[1].startswith(
        "def foo(a, b, c):"
    )
    assert names_in(said[12].out) in (
        ["stop"],
        ["<module>"],
    )  # where LLDB cannot unwind, there is nothing to follow
    if said[13].ok:
        assert "unreadable at 0x1234" in said[14].out and "unreadable" not in said[13].out


def test_stepping(lldb, started):
    child = started("steps")
    step = ["process continue", "py-up 2", "py-print turn"]
    said = lldb(
        child.begin
        + ["py-up 2", "py-print turn"]
        + step
        + ["thread step-inst", "py-frame", "finish", "py-frame"]
        + step
        + ["process continue", "py-bt"],
        "-p",
        child.pid,
        first=FIRST,
    )[3:]
    assert [said[1].out, said[4].out, said[11].out] == ["local 'turn' = %d\n" % i for i in range(3)]
    assert said[6].out.startswith("#0  stop (") and said[8].out.startswith("#0  stop (")
    assert not said[13].ok and "no process and no core file" in said[13].err
