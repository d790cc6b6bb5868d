"""What CPython's own Lib/test/test_gdb asks of its commands, asked of ours, on every interpreter,
optimized or not.

CPython skips most of its cases where the interpreter is optimized, and all where it has no debug
information. Here each interpreter runs live below GDB (and LLDB). Where it has debug information,
GDB's own print, info locals and bt are asked as well, in the function in which CPython's tests
stop, too: builtin_id().
"""
import json
import re

import pytest

from tests.support import interpreters


def every():
    for interpreter in interpreters.everything():
        marks = [pytest.mark.skip(reason=interpreter.reason)] if interpreter.reason else []
        yield pytest.param(
            interpreter,
            id=interpreter.tag,
            marks=marks + [pytest.mark.xdist_group(interpreter.tag)],
        )


pytestmark = pytest.mark.parametrize("interpreter", list(every()))


@pytest.fixture
def below_gdb(gdb, debugged):
    """say(mode, commands): what each command said once the process had come to its first stop()."""

    def say(mode, commands):
        child = debugged(mode)
        first = ["shell touch " + child.go, "break getppid", "continue"]
        shown = gdb(first + commands, "-p", child.pid)
        assert "Breakpoint 1, " in shown.said[2], shown.out + shown.err
        shown.said, shown.child = shown.said[3:], child
        for word in ("Traceback", "Python Exception", "Error while"):
            assert word not in shown.err.replace(
                "Traceback (most recent call first)", ""
            ), shown.err
        return shown

    return say


def value_of(text):
    """What stands behind the first "= " of a line."""
    return text.rstrip("\n").partition(" = ")[2]


# --- pretty printing ---


def test_values(debugged, gdb):
    child = debugged("values")
    cases = child.truth["values"]
    printed = ["py-print cases[%d]" % i for i in range(len(cases))]
    pointers = ["print (PyObject *)%s" % case["id"] for case in cases] + [
        "print (PyObject *)%s" % child.truth["long_list"]
    ]
    stops = [command for _ in cases for command in ("continue", "bt 1")]
    commands = [
        "shell touch " + child.go,
        "break getppid",
        "continue",
        "set print entry-values no",
        "py-up",
    ]
    commands += printed + pointers + ["break builtin_id"] + stops
    shown = gdb(commands, "-p", child.pid)
    assert "Traceback" not in shown.err and "Python Exception" not in shown.err
    said = iter(shown.said[5:])
    for case, text in zip(cases, [next(said) for _ in cases]):
        assert value_of(text) == case["repr"], case
    in_gdb = [next(said) for _ in cases]
    long_list = next(said)
    if not in_gdb[0]:
        assert (
            "No symbol table is loaded" in shown.err
            or 'No symbol "PyObject" in current context' in shown.err
        ), shown.err
        return
    for case, text in zip(cases, in_gdb):
        assert value_of(text) == case["repr"], case
    assert value_of(long_list) == "[%s, … 968 more]" % ", ".join(map(str, range(32)))
    where = next(said)
    assert where.startswith("Breakpoint 2 at "), where
    for case in cases:
        next(said)
        text = next(said)
        found = re.match(
            r"#0 +(?:0x\w+ in )?builtin_id \(\w+=[^\n]*?, v=(.*?)\) at \S+\n", text, re.S
        )
        assert found, text
        assert found.group(1) == case["repr"], case


def layout_of(cli, child):
    document = json.loads(cli(child.pid, "info", "--layout", "--json").out)
    return {name: field["offset"] for name, field in document["layouts"][0].items()}


def test_damage(debugged, gdb, cli):
    """Memory that the user overwrites in GDB: said in place, with the address, and nothing
    raises."""
    child = debugged("values")
    at = layout_of(cli, child)
    victim, kind = int(child.truth["victim"], 16), int(child.truth["victim_type"], 16)
    type_at, flags, name = (
        victim + at["object.type"],
        kind + at["type.flags"],
        kind + at["type.name"],
    )
    wrecks = [
        ("NULL type", [(type_at, 0)]),
        ("garbage type", [(type_at, 0xDEADBEEF)]),
        ("no flags", [(flags, 0)]),
        ("garbage name", [(name, 0xDEADBEEF)]),
        ("type of garbage type", [(type_at, 0xDEADBEEF), (name, 0xDEADBEEF)]),
    ]
    asked = [
        "py-print victim",
        "py-locals",
        "py-bt-full",
        "print (PyObject *)%#x" % victim,
        "py-print @%#x" % victim,
        "py-obj %#x" % victim,
    ]
    commands = ["shell touch " + child.go, "break getppid", "continue", "py-up", "py-print victim"]
    word = "{unsigned long}%#x"
    for number, (_, places) in enumerate(wrecks):
        commands += ["set $old%d = %s" % (i, word % place) for i, (place, _) in enumerate(places)]
        commands += ["set var %s = %#x" % (word % place, value) for place, value in places]
        commands += ["echo wreck %d\\n" % number] + asked
        commands += [
            "set var %s = $old%d" % (word % place, i) for i, (place, _) in enumerate(places)
        ]
    shown = gdb(commands + ["py-print victim"], "-p", child.pid)
    assert "Traceback" not in shown.err and "Python Exception" not in shown.err
    whole = "local 'victim' = <__main__.Foo object at %#x>\n" % victim
    assert shown.said[4] == shown.said[-1] == whole
    for number, (label, _) in enumerate(wrecks):
        first = shown.said.index("wreck %d\n" % number) + 1
        after = shown.said[first : first + len(asked)]
        for text in (after[0], after[3], after[4]):
            if (
                text
            ):  # @0x... fails where no object is; GDB without debug information knows no PyObject
                assert re.match(
                    r"<(unreadable|\S+( object)?) at %#x(: .*)?>$" % victim, value_of(text)
                ), text
        assert after[0] and after[5]
        if "type" in label:
            assert "unreadable at %#x: " % victim in after[0]
        for text in after[1:3]:
            assert "long_text = 'xxxx" in text and "victim = " in text
        assert "show_values" in after[2] and "<module>" in after[2]


# --- py-bt, py-bt-full, py-list, py-up and py-down, py-print, py-locals ---

SECTIONS = {
    # a write to the process makes all be read anew
    "no source": [
        "shell mv SCRIPT SCRIPT.away",
        "set var {char}$sp = {char}$sp",
        "py-up",
        "py-list",
        "py-list foo",
        "py-list 1,3",
        "py-dis",
        "shell mv SCRIPT.away SCRIPT",
        "set var {char}$sp = {char}$sp",
    ],
    "null": ["print (PyObject *)0", "py-print @0x0", "print (PyObject *)0x1234"],
    "bt": ["py-bt", "py-bt-full"],
    "moving": [
        "py-up",
        "py-up",
        "py-down",
        "py-up 3",
        "py-print c",
        "py-print b",
        "py-print a",
        "py-locals",
        "py-up 99",
        "py-up",
        "py-up",
        "py-frame",
        "py-down 9",
        "py-down 5",
        "py-down",
    ],
    "print": [
        "py-up",
        "py-print args",
        "py-print __name__",
        "py-print len",
        "py-print no_such_thing",
        "py-up 2",
        "py-print a",
    ],
    "list": [
        "py-up",
        "py-list",
        "py-list 9",
        "py-list 1,3",
        "py-list 1 3",
        "py-list foo",
        "py-list Caller.back",
        "py-list 99999",
        "py-list len",
        "py-list wait",
        "py-list SCRIPT:20",
    ],
}
_sections = {}


@pytest.fixture
def section(interpreter, debugged, gdb):
    """said(name): what the commands of a section said, its script and GDB's errors. One process for
    all sections."""

    def said(name):
        if interpreter.tag not in _sections:
            child = debugged("stack")
            commands = ["shell touch " + child.go, "break getppid", "continue"]
            for key, asked in SECTIONS.items():
                commands += ["echo section %s\\n" % key, "py-frame 0"] + [
                    each.replace("SCRIPT", child.script) for each in asked
                ]
            _sections.clear()
            _sections[interpreter.tag] = gdb(commands, "-p", child.pid), child.script
        shown, script = _sections[interpreter.tag]
        assert "Breakpoint 1, " in shown.said[2], shown.out + shown.err
        first = shown.said.index("section %s\n" % name) + 2
        return shown.said[first : first + len(SECTIONS[name])], script, shown.err

    return said


def test_null_pointer(section):
    said, _, err = section("null")
    if said[0]:
        assert said[0] == "$1 = (PyObject *) 0x0\n" and "unreadable at 0x1234" in said[2]
    assert said[1] == "" and "no object at 0x0" in err
    assert "Traceback" not in err and "Python Exception" not in err


def lines_of(path):
    with open(path, encoding="utf-8") as source:
        return [""] + source.read().splitlines()


def number_of(lines, text, behind=0):
    return next(i for i, line in enumerate(lines) if i > behind and line.strip() == text)


def names_in(text):
    return [name.split(".")[-1] for name in re.findall(r"^#\d+ +(\S+) \(", text, re.M)]


def test_backtrace(section):
    (bt, full), script, _ = section("bt")
    lines = lines_of(script)
    assert names_in(bt) == ["stop", "baz", "<lambda>", "bar", "foo", "<module>"]
    for name, text in (
        ("stop", "return os.getppid()"),
        ("baz", "stop()"),
        ("foo", "bar(a=a, b=b, c=c)"),
        ("<module>", "foo(1, 2, 3)"),
    ):
        behind = number_of(lines, "def baz(*args):") if name == "baz" else 0
        place = r"^#\d+ +%s \(%s:%d\)\n    %s$" % (
            re.escape(name),
            re.escape(script),
            number_of(lines, text, behind),
            re.escape(text),
        )
        assert re.search(place, bt, re.M), (place, bt)
    assert re.search(r"^#1 .*\n    stop\(\)\n        args = \(1, 2, 3\)$", full, re.M), full
    for name in ("foo", "bar"):
        assert re.search(
            r"^#\d+ +%s .*\n(    .*\n)+?        a = 1\n        b = 2\n        c = 3$" % name,
            full,
            re.M,
        ), full


def listing(lines, first, last, current=0):
    return "".join(
        "%4s    %s\n" % (">%d" % i if i == current else str(i), lines[i])
        for i in range(first, min(last, len(lines) - 1) + 1)
    )


def test_list(section):
    said, script, err = section("list")
    lines = lines_of(script)
    here = number_of(lines, "stop()", number_of(lines, "def baz(*args):"))
    assert said[1] == listing(lines, here - 5, here + 5, here)
    assert said[2] == listing(lines, 9, 19)
    assert said[3] == said[4] == listing(lines, 1, 3)
    for text, line in zip(said[5:], ("def foo(a, b, c):", "def back(self, *_, **__):")):
        first = number_of(lines, line)
        assert text == listing(lines, first, first + 10)
    assert said[7] == said[8] == ""
    assert "no line 99999 of %s" % script in err and "'len' is not a Python function" in err
    first = number_of(lines, "def wait():")
    assert said[9] == listing(lines, first, first + 10)
    assert said[10] == listing(lines, 15, 25, 20)


def test_list_without_source(section):
    said, script, err = section("no source")
    said = said[3:]
    assert said[0] == "The source of %s is not here. The byte code of baz:\n" % script + said[3]
    assert said[0].count("-->") == 1 and "stop" in said[0]
    assert said[1].startswith("The source of %s is not here. The byte code of foo:\n" % script)
    assert "-->" not in said[1] and "bar" in said[1]
    assert said[2] == "" and "no line 1 of" in err


def test_moving(section):
    said, _, err = section("moving")
    assert [names_in(text) for text in said] == [
        ["baz"],
        ["<lambda>"],
        ["baz"],
        ["foo"],
        [],
        [],
        [],
        [],
        [],
        ["<module>"],
        [],
        ["<module>"],
        [],
        ["stop"],
        [],
    ]
    assert said[4:7] == ["local 'c' = 3\n", "local 'b' = 2\n", "local 'a' = 1\n"]
    assert said[7] == "a = 1\nb = 2\nc = 3\n"
    assert (
        err.count("Unable to find an older python frame\n")
        == err.count("Unable to find a newer python frame\n")
        == 2
    )


def test_print(section):
    said, _, err = section("print")
    assert said[1:4] == [
        "local 'args' = (1, 2, 3)\n",
        "global '__name__' = '__main__'\n",
        "builtin 'len' = <built-in function len>\n",
    ]
    assert said[4] == "" and "no_such_thing" in err
    assert said[6] == "local 'a' = 1\n"


# --- C functions, threads, the collector ---


def test_calls_from_c(debugged, gdb):
    """Through C functions of each calling convention: the caller's line, whatever is between."""
    child = debugged("calls")
    names = child.truth
    commands = ["shell touch " + child.go, "break getppid"] + [
        command for _ in names for command in ("continue", "py-bt")
    ]
    shown = gdb(commands, "-p", child.pid)
    lines = lines_of(child.script)
    for name, text in zip(names, shown.said[3::2]):
        found = names_in(text)
        assert (
            found[0] == "stop"
            and found[1] == "__del__"
            or found[:2] == ["stop", "stop_once"]
            and (found[2] in ("back", "__iter__"))
        ), text
        assert found[-3:] == [name, "call_all", "<module>"] and len(found) < 8, text
        first = number_of(lines, "def %s():" % name)
        line = int(re.search(r"^#\d+ +%s \(.*:(\d+)\)" % name, text, re.M).group(1))
        assert first < line <= first + 2, text


def test_collecting(below_gdb, interpreter):
    # 2.7 has it in a static variable, which a stripped file does not name; free-threaded builds do
    # not say which thread
    told = (
        interpreter.version >= (3,)
        and not interpreter.free_threaded
        or interpreter.tag.startswith("pyenv")
    )
    shown = below_gdb("collecting", ["py-bt", "py-bt-full"])
    for text in shown.said:
        if told:
            assert re.match(r"Thread \d+ .*\[.*collects garbage.*\]", text), text
        assert names_in(text) == ["stop", "forget", "collecting", "<module>"]


def test_threads(below_gdb, interpreter):
    again = ["continue", "thread apply all py-bt"]
    shown = below_gdb(
        "threads",
        ["thread apply all py-bt", "thread apply all py-bt-full", "py-threads"] + 4 * again,
    )
    stops = shown.said[:2] + shown.said[4::2]
    for text in stops:
        assert len(re.findall(r"^#\d+ +\S*spin ", text, re.M)) == 3, text
    if not interpreter.free_threaded and interpreter.version >= (
        3,
    ):  # in 2.7 the GIL is a lock like any other
        assert [text.count("holds the GIL") for text in stops] == len(stops) * [1], stops
        # each of them wakes up every 5 ms to ask for it: on a busy machine it may be found awake;
        # who gave it away last asks for it once the stops leave it time to
        waiting = [text.count("waits for the GIL") for text in stops]
        assert max(waiting) in (2, 3), waiting
    assert shown.said[2].count('"spinner"') == 3


def test_stepping(below_gdb):
    """Each time it stops all is read anew; after the end there is nothing any more."""
    step = ["continue", "py-up 2", "py-print turn"]
    shown = below_gdb(
        "steps",
        ["py-up 2", "py-print turn"]
        + step
        + ["stepi", "py-frame", "finish", "py-frame"]
        + step
        + ["continue", "py-bt"],
    )
    said = shown.said
    assert [said[1], said[4], said[11]] == ["local 'turn' = %d\n" % i for i in range(3)]
    assert said[6].startswith("#0  stop (") and said[8].startswith("#0  stop (")
    assert said[13] == "" and "no process and no core file" in shown.err
