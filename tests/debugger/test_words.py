"""The program's words: arguments as people write them, output that cannot be written, and names
of the target that a terminal must not get as they are."""
import json
import os
import re
import shutil
import subprocess

import pytest

from tests.support.story import PYSCRY, STORY, interpreters, make_core, name_of

ANSWERS = [[], ["--json"]]
ALONE = [["--help"], ["bt", "--help"], ["help"], ["--version"]]


def written(words, **options):
    done = subprocess.run(
        [PYSCRY] + words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, **options
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("words", ANSWERS + ALONE, ids=" ".join)
def test_output_that_cannot_be_written(words, any_core):
    words = words if words in ALONE else words + [any_core]
    with open("/dev/full", "wb") as full:
        status, said = written(words, stdout=full)
        assert status == 2 and "cannot write the answer: No space left" in said
    status, said = written(words, preexec_fn=lambda: os.close(1))
    assert status == 2 and said == "pyscry: cannot write the answer: standard output is closed\n"
    reader, writer = os.pipe()
    os.close(reader)
    status, said = written(words, stdout=writer)
    os.close(writer)
    assert status == 2 and "Broken pipe" in said


def test_closed_descriptors_are_no_files(any_core):
    """A core that is opened while standard error is closed must not get the messages."""
    status, _ = written([any_core, "nonsense"], preexec_fn=lambda: os.close(2))
    assert status == 2
    with open(any_core, "rb") as core:
        assert core.read(4) == b"\x7fELF"


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    directory = tmp_path_factory.mktemp("child")
    script = directory / "story.py"
    script.write_text(STORY, encoding="utf-8")
    process = subprocess.Popen(
        [interpreters()[0], str(script), "wait"], stdout=subprocess.PIPE, cwd=str(directory)
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "words", ["-p PID", "--pid PID", "--pid=PID", "bt PID", "EXE PID", "EXE -p PID", "PID bt"]
)
def test_ways_to_name_a_process(cli, child, words):
    exe = os.path.realpath(interpreters()[0])
    shown = cli(*words.replace("PID", str(child.pid)).replace("EXE", exe).split())
    assert shown.status == 0 and "in plan" not in shown.err
    assert "Thread %d" % child.pid in shown.out and "stop (" in shown.out


@pytest.mark.parametrize(
    "words",
    ["bt CORE", "EXE CORE", "CORE EXE", "EXE -c CORE bt", "--core CORE", "bt --core=CORE"],
)
def test_ways_to_name_a_core(cli, any_core, words):
    exe = os.path.realpath(interpreters()[0])
    shown = cli(*words.replace("CORE", any_core).replace("EXE", exe).split())
    assert shown.status == 0 and "crashed: SIGABRT" in shown.out


def test_search_adds_up(cli, any_core, tmp_path):
    # the program is in the second of two places, and nowhere where the core says
    shutil.copy(os.path.realpath(interpreters()[0]), str(tmp_path))
    words = ["--sysroot", "/nonexistent", "--search", str(tmp_path), "--search", "/nonexistent"]
    shown = cli(*words, any_core, "info")
    assert "read from %s/" % tmp_path in shown.out


def test_a_file_of_digits(cli, any_core, tmp_path):
    shutil.copy(any_core, str(tmp_path / "999999999"))
    shown = cli("999999999", "threads", cwd=str(tmp_path))
    assert shown.status == 2 and "write ./999999999 for the file" in shown.err
    shown = cli("--core", "999999999", "threads", cwd=str(tmp_path))
    assert shown.status == 0 and "crashed" in shown.out


@pytest.mark.parametrize(
    "words, right",
    [
        ("CORE threds", "did you mean threads?"),
        ("CORE --limt 3", "did you mean --limit?"),
        ("CORE bt --limt=3", "did you mean --limit?"),
        ("CORE bt --thread MainThred", "did you mean MainThread?"),
        ("CORE bt MainThred", "did you mean MainThread?"),
        ("thread CORE", "did you mean threads?"),
        ("bt", "pyscry TARGET COMMAND"),
        ("help thrads", "did you mean threads?"),
        ("--pid x", "--pid wants the number of a process"),
        ("CORE --layout dwarfs", "dwarf"),
    ],
)
def test_what_to_write(cli, any_core, words, right):
    shown = cli(*words.replace("CORE", any_core).split())
    assert shown.status == 2 and not shown.out and right in shown.err.split("\n")[0]


def test_help_of_a_command(cli):
    assert cli("help", "bt").out == cli("bt", "--help").out != ""
    assert cli("help").out == cli("--help").out != ""


@pytest.mark.parametrize("line", ["--max-text 9 sys", "sys --max-text 9", "sys --max-text=9"])
def test_options_of_print(cli, any_core, line):
    shown = cli(any_core, "print", *line.split())
    assert shown.status == 0 and shown.out.startswith("global 'sys' = <module '")
    assert "more" in shown.out


# --- what is not to be seen ---

UNSEEN = """# -*- coding: utf-8 -*-
import os, sys, threading, time
BAD = eval("u'a\\\\x1b[31m\\\\x9b31m\\\\u202ev\\\\u2066"
           "\\\\u2028\\\\u200b\\\\ufeff\\\\U000e0041\\\\xad\\\\x07'")
Evil = type("C" + BAD, (), {})
def park():
    time.sleep(1000)
def renamed(f, name, filename):
    c = f.__code__
    more = {"co_qualname": name} if hasattr(c, "co_qualname") else {}
    return type(f)(c.replace(co_name=name, co_filename=filename, **more), globals(), name)
def bottom(x, **options):
    d = {BAD: BAD}
    e = Evil()
    try:
        raise ValueError(BAD)
    except ValueError:
        os.abort()
t = threading.Thread(target=park, name="t" + BAD)
t.daemon = True
t.start()
time.sleep(0.2)
renamed(bottom, "f" + BAD, "/tmp/" + BAD[:-1] + ".py")(1, **{"k" + BAD: 2})
"""
BAD = "a\x1b[31m\x9b31m\u202ev\u2066\u2028\u200b\ufeff\U000e0041\xad\x07"
RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
COMMANDS = ["bt --all", "bt-full --all", "threads", "locals", "exc --all", "list", "dis", "obj e"]
COMMANDS += ["print d", "print e.nothing", "print d['x']", "bt nobody", "info", "bt --native"]


def has_replace(python):
    program = "import sys; sys.exit(sys.version_info < (3, 8))"
    return not subprocess.call([python, "-c", program])


def test_unseen_characters(cli, python, tmp_path):
    if not has_replace(python):
        pytest.skip("code objects have no replace() here")
    core = make_core(python, tmp_path, UNSEEN)
    for command in COMMANDS:
        for more in [], ["--json"]:
            shown = cli(core, *command.split(), *more)
            for text in (shown.out, shown.err):
                found = RAW.search(text)
                assert not found, (name_of(python), command, more, text[found.start() - 40 :][:80])
    threads = json.loads(cli(core, "threads", "--json").out)["threads"]
    names = [thread["name"] for thread in threads]
    # the system's name of a thread, where that is all there is, ends after 15 bytes
    assert "t" + BAD in names
    frames = json.loads(cli(core, "bt", "--json").out)["threads"][0]["frames"]
    assert [frame["function"] for frame in frames] == ["f" + BAD, "<module>"]
    assert frames[0]["file"] == "/tmp/" + BAD[:-1] + ".py"
    assert "f" + "a\\x1b[31m\\x9b31m\\u202ev\\u2066\\u2028\\u200b\\ufeff\\U000e0041\\xad\\x07" in (
        cli(core, "bt").out
    )
