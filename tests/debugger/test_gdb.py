"""The commands in GDB: the same text as on the command line, on cores and on processes."""
import json
import os
import re
import shutil

import pytest

from tests.support.story import (
    BUILD,
    GDBINIT,
    STORY,
    TOP,
    clean_environment,
    interpreters,
    make_core,
    name_of,
    run,
)

ALL = [
    "bt",
    "bt --all",
    "bt -v",
    "threads",
    "info",
    "list",
    "bt --json",
    "bt --all --limit 2",
    "bt-full",
    "locals --frame 3",
    "print --frame 1 self.name",
    "bt --json --locals --max-string 3",
    "frame 2",
]


def test_core_text(gdb, cli, core, python):
    shown = gdb(["py-" + command for command in ALL], python, core)
    for command, text in zip(ALL, shown.said):
        expected = cli(core, *command.split())
        assert expected.status == 0, expected.err
        assert text == expected.out, command


def test_print(gdb, any_core):
    expressions = [
        "self",
        "self.name",
        "jobs[0].cost",
        'options["mode"]',
        "more[-1]",
        "more[0:1]",
        "os",
        "len",
        "__name__",
        "@0x10",
        "nothing_of_that_name",
    ]
    shown = gdb(
        ["py-frame 1", "py-print self.cost", "py-frame 3"] + ["py-print " + e for e in expressions],
        "-c",
        any_core,
    )
    assert shown.said[1] == "self.cost = 3\n"
    texts = dict(zip(expressions, shown.said[3:]))
    assert texts["jobs[0].cost"] == "jobs[0].cost = 1\n"
    assert texts['options["mode"]'] == 'options["mode"] = \'fast\'\n'
    assert texts["more[-1]"] == "more[-1] = 2\n"
    assert texts["more[0:1]"] == "more[0:1] = (1,)\n"
    assert texts["os"].startswith("global 'os' = <module 'os'")
    assert texts["len"] == "builtin 'len' = <built-in function len>\n"
    assert texts["__name__"] == "global '__name__' = '__main__'\n"
    assert texts["nothing_of_that_name"] == ""
    assert "nothing_of_that_name" in shown.err


def test_locals(gdb, any_core):
    shown = gdb(["py-locals", "py-frame 3", "py-locals", "py-frame 1", "py-locals"], "-c", any_core)
    assert shown.said[0] == "No locals.\n"
    lines = shown.said[2].splitlines()
    assert [line.split(" = ")[0] for line in lines] == ["jobs", "more", "options", "key", "total"]
    assert (
        lines[1:3] == ["more = (1, 2)", "options = {'mode': 'fast'}"]
        and lines[4] == "total = 'café'"
    )
    assert shown.said[4].splitlines()[1:] == ["factor = 2", "product = 6"]


def test_printer(gdb, cli, core, python):
    """GDB's own print and bt show values."""
    document = json.loads(cli(core, "--json", "bt-full").out)
    options = [v for v in document["threads"][0]["frames"][3]["locals"] if v["name"] == "more"][0]
    shown = gdb(
        ["print (PyObject *)%s" % options["address"], "print (PyObject *)0", "bt"], python, core
    )
    if not shown.said[0]:
        pytest.skip("no debug information: GDB knows no PyObject")
    assert shown.said[0] == "$1 = (1, 2)\n"
    assert shown.said[1] == "$2 = (PyObject *) 0x0\n"
    assert "Python Exception" not in shown.err


def test_python_frames(gdb, python, core):
    """Python frames in GDB's own bt, each in front of the C frame that runs it, unless `set pyscry
    frames off`."""
    shown = gdb(
        [
            "bt -no-filters",
            "set pyscry frames on",
            "bt",
            "bt -hide",
            "bt -no-filters",
            "thread 2",
            "bt",
            "thread 1",
            "set pyscry frames off",
            "bt",
            "enable frame-filter global pyscry",
            "bt",
            "show pyscry frames",
        ],
        python,
        core,
    )
    plain, on, hidden = shown.said[0], shown.said[2], shown.said[3]
    assert shown.said[4] == shown.said[9] == plain and shown.said[11] == on
    found = re.findall(r"(\S+) \([^\n]*\) at \S*story\.py:(\d+)$", on, re.M)
    assert [name.split(".")[-1] for name, _ in found] == [
        "stop",
        "weigh",
        "key",
        "plan",
        "<module>",
    ], on
    loops = len(re.findall(r"PyEval_EvalFrame(?:Ex|Default)\b", plain))
    assert len(re.findall(r"^ +(?:0x\w+ in )?_?PyEval_EvalFrame\w+ \(", on, re.M)) == loops
    assert (
        not re.search(r"PyEval_EvalFrame(Ex|Default)\b", hidden)
        and ".py:" in hidden
        and ".py:" not in plain
    )
    assert re.search(r"waiter \(.*\) at \S*story\.py", shown.said[6])
    assert "Python Exception" not in shown.err


def test_core_without_executable(gdb, cli, core):
    shown = gdb(["py-bt"], "-c", core)
    assert shown.said == [cli(core, "bt").out]


def test_story(cli, core):
    """The stack itself, once in full."""
    frames = [
        line.split(" (")[0] for line in cli(core, "bt").out.splitlines() if line.startswith("#")
    ]
    names = [frame.split()[-1].split(".")[-1] for frame in frames]
    assert names == ["stop", "weigh", "key", "plan", "<module>"]
    assert [frame.split()[0] for frame in frames] == ["#%d" % i for i in range(5)]


def test_moving(gdb, any_core):
    shown = gdb(
        ["py-up", "py-up 2", "py-down", "py-frame", "py-list", "py-frame 4"], "-c", any_core
    )
    heads = [re.match(r"#(\d+) +(\S+)", text) for text in shown.said]
    assert [head.groups() for head in heads if head] == [
        ("1", "Job.weigh"),
        ("3", "plan"),
        ("2", "plan.<locals>.key"),
        ("2", "plan.<locals>.key"),
        ("4", "<module>"),
    ]
    assert re.search(r"^ *>\d+ +return job.weigh\(2\) and total$", shown.said[4], re.M)


def test_frame_selection(gdb, python, core):
    """The frame chosen in GDB takes the Python frame along: to the one that it runs, or the next
    older one."""
    bt = gdb(["bt -no-filters"], python, core).said[0]
    loops = re.findall(r"^#(\d+) .*PyEval_EvalFrame(?:Ex|Default)\b", bt, re.M)
    assert loops, bt
    moves = ["py-frame", "py-up 2", "py-frame"]
    for number in loops:
        moves += ["frame %s" % number, "py-frame", "py-up", "py-down", "py-frame"]
    moves += [
        "frame 1",
        "py-frame",
        "frame 0",
        "py-frame",
        "py-locals",
        "frame %s" % loops[-1],
        "py-list",
    ]
    said = gdb(moves, python, core).said
    names = [
        (re.findall(r"^#\d+ +(\S+) \(", text, re.M) or [""])[0].split(".")[-1] for text in said
    ]
    assert names[:3] == ["stop", "key", "key"]
    stack = ["stop", "weigh", "key", "plan", "<module>"]
    at = [names[4 + 5 * i] for i in range(len(loops))]
    assert at == (stack if len(loops) == 5 else ["stop", "plan"]), (at, bt)
    assert [names[7 + 5 * i] for i in range(len(loops))][:-1] == at[
        :-1
    ]  # the oldest has none above it
    rest = said[3 + 5 * len(loops) :]
    assert rest[1].startswith("#0  ") and rest[3].startswith("#0  ") and rest[4] == "No locals.\n"
    assert ">" in rest[6]


def test_ends(gdb, any_core):
    shown = gdb(["py-down", "py-frame 4", "py-up", "py-frame 5", "py-frame"], "-c", any_core)
    assert "Unable to find a newer python frame" in shown.err
    assert "Unable to find an older python frame" in shown.err
    assert "no frame 5: the oldest is 4" in shown.err
    assert shown.said[4].startswith("#4 ")  # what failed selected nothing


def test_thread_selection(gdb, cli, any_core):
    """GDB's thread is ours; the frame chosen here lasts while GDB stays in that thread."""
    threads = cli(any_core, "threads", "--json").out
    tids = [int(tid) for tid in re.findall(r'"tid":(\d+)', threads)]
    shown = gdb(["thread 2", "py-bt", "py-up", "py-frame", "thread 1", "py-frame"], "-c", any_core)
    assert shown.said[1].startswith("Thread %d " % tids[1])
    assert "waiter" in shown.said[1] and "stop" not in shown.said[1]
    assert shown.said[3].startswith("#1 ")
    assert shown.said[5].startswith("#0 ")


FORKS = """
import os, sys, time
def child():
    os.getppid()
    os._exit(5)
def parent(pid):
    os.getppid()
    time.sleep(0.3)
    os.execv(sys.executable, [sys.executable, "-c", "import os; f = lambda: os.getppid(); f()"])
pid = os.fork()
parent(pid) if pid else child()
"""


def test_several_processes(gdb, tmp_path):
    """Each of GDB's inferiors is looked at for itself: after fork, after exec, after its end."""
    script = tmp_path / "story.py"
    script.write_text(FORKS)
    commands = [
        "py-bt",
        "set breakpoint pending on",
        "set detach-on-fork off",
        "break getppid",
        "run",
        "py-bt",
        "inferior 2",
        "py-bt",
        "continue",
        "py-bt",
        "py-print pid",
        "continue",
        "py-bt",
        "inferior 1",
        "py-bt",
        "continue",
        "py-bt",
        "continue",
        "py-bt",
    ]
    said = dict(enumerate(gdb(commands, "--args", interpreters()[0], script).said))
    for index, names in (
        (0, []),
        (5, ["parent", "<module>"]),
        (7, ["<module>"]),
        (9, ["child", "<module>"]),
        (12, []),
        (14, ["parent", "<module>"]),
        (16, ["<lambda>", "<module>"]),
        (18, []),
    ):
        assert re.findall(r"^#\d+ +(\S+) \(", said[index], re.M) == names, (index, said)
    assert said[10] == "global 'pid' = 0\n"


@pytest.mark.parametrize("charset", ["C", "C.UTF-8"])
def test_charset(gdb, cli, any_core, charset):
    """A terminal that has not all characters."""
    address = json.loads(cli(any_core, "print", "--frame", 3, "--json", "total").out)["address"]
    shown = gdb(
        ["print (PyObject *)%s" % address, "set pyscry frames on", "bt", "py-bt"],
        interpreters()[0],
        any_core,
        env=dict(clean_environment(), LC_ALL=charset),
    )
    assert "Python Exception" not in shown.err + shown.out and "<module>" in shown.said[2]
    if shown.said[0]:
        assert shown.said[0] == "$1 = '%s'\n" % ("café" if charset == "C.UTF-8" else r"caf\xe9")


def test_settings(gdb, any_core):
    shown = gdb(
        [
            "show pyscry values",
            "set pyscry values off",
            "show pyscry values",
            "show pyscry max-text",
            "show pyscry frames",
            "help set pyscry",
            "set pyscry nonsense 1",
            "complete set pyscry ",
        ],
        "-c",
        any_core,
    )
    assert shown.said[0] == "pyscry values is on.\n" and shown.said[2] == "pyscry values is off.\n"
    assert (
        shown.said[3] == "pyscry max-text is 1024.\n" and shown.said[4] == "pyscry frames is on.\n"
    )
    assert (
        "Set whether bt shows Python frames" in shown.said[5]
        and len(shown.said[7].splitlines()) == 3
    )


NATIVE = """
import ctypes, os, time
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
pause = ctypes.cast(libc.pause, ctypes.c_void_p)
libc.pthread_create(ctypes.byref(thread), None, pause, None)
time.sleep(0.2)
os.abort()
"""


def test_thread_without_python(gdb, cli, tmp_path):
    core = make_core(interpreters()[0], tmp_path, NATIVE)
    shown = gdb(["thread apply all py-bt", "thread 2", "py-bt", "py-locals"], "-c", core)
    assert shown.said[0].count("(most recent call first):") == 2
    assert shown.said[2].endswith("(most recent call first):\n    no Python state\n")
    assert "has no Python state (see py-threads)" in shown.err
    document = json.loads(cli(core, "--json").out)
    assert [thread["interpreter"] for thread in document["threads"]] == [0, None]
    assert document["threads"][1]["frames"] == []


def test_help_and_completion(gdb):
    shown = gdb(["help py-bt", "complete py-bt --al", "complete py-thr", "py-bt --help", "py-bt"])
    assert shown.said[0].startswith("Show the Python stack of a thread, or of all threads.\n")
    assert shown.said[1] == "py-bt --all\n"
    assert shown.said[2] == "py-threads\n"
    assert shown.said[3].startswith("usage: py-bt [--all|THREAD]")
    assert "no process and no core file" in shown.err


def test_completion_of_names(gdb, any_core):
    shown = gdb(
        [
            "complete py-print o",
            "py-frame 3",
            "complete py-print o",
            "complete py-list p",
            "complete py-print sys",
            "complete py-print no_such",
        ],
        "-c",
        any_core,
    )
    assert "py-print os\n" in shown.said[0] and "options" not in shown.said[0]
    assert "py-print options\n" in shown.said[2] and "py-print os\n" in shown.said[2]
    assert (
        shown.said[3] == "py-list plan\n"
        and shown.said[4] == "py-print sys\n"
        and shown.said[5] == ""
    )


def test_mistakes(gdb, any_core):
    shown = gdb(
        ["py-bt --nonsense", "py-bt one two", "py-bt 999999", "py-bt 'open", "py-bt --limit x"],
        "-c",
        any_core,
    )
    for text in (
        "py-bt has no option '--nonsense' (try py-bt --help)",
        "unexpected argument 'two'",
        "no thread 999999 (see py-threads)",
        "a quote is not closed",
        "--limit wants a number, not 'x'",
    ):
        assert text in shown.err
    assert "Traceback" not in shown.err and "Python Exception" not in shown.err


def test_attached(gdb, cli, process, tmp_path, python):
    child = process(python, STORY, tmp_path, "wait")
    commands = ["bt", "bt --all", "threads", "list", "frame 1"]
    shown = gdb(["py-" + command for command in commands], "-p", child.pid)
    for command, text in zip(commands, shown.said):
        assert text == cli(child.pid, *command.split()).out, command
    assert child.poll() is None


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


CRASH = """
import ctypes, threading
def fall(address):
    ctypes.string_at(address)
thread = threading.Thread(target=fall, args=(0x123,), name="faller")
thread.start()
thread.join()
"""


def test_crash_in_gdb(gdb, tmp_path):
    """A program that crashes while GDB runs it: the thread, the signal and the address."""
    script = tmp_path / "story.py"
    script.write_text(CRASH)
    shown = gdb(
        ["run", "py-bt", "thread 1", "py-threads", "py-bt --json"],
        "--args",
        interpreters()[0],
        script,
    )
    assert re.match(
        r'Thread \d+ "faller" \[crashed: SIGSEGV at 0x123, holds the GIL\]', shown.said[1]
    )
    assert shown.said[3].count("crashed") == 1
    document = json.loads(shown.said[4])
    assert document["target"]["signal"] == 11 and document["target"]["fault_address"] == "0x123"


def test_target_that_runs_on(gdb, process, tmp_path):
    """After the target ran, everything is read anew."""
    child = process(interpreters()[0], COUNTER, tmp_path)
    step = ["tbreak clock_nanosleep", "continue", "py-bt"] * 2
    shown = gdb(step, "-p", child.pid)
    seen = {
        re.search(r"^#0 +(\w+)", text, re.M).group(1) for text in (shown.said[2], shown.said[5])
    }
    assert seen == {"one", "two"}, shown.out + shown.err


def test_run_in_gdb(gdb, tmp_path):
    script = tmp_path / "story.py"
    script.write_text(STORY, encoding="utf-8")
    shown = gdb(
        ["run", "py-bt", "py-threads", "kill", "py-bt"],
        "--args",
        interpreters()[0],
        script,
        "crash",
    )
    assert "#4  <module>" in shown.said[1]
    assert shown.said[2].count("\n") == 2
    assert "no process and no core file" in shown.err


def test_compressed_copy_keeps_working(cli, any_core, tmp_path):
    """The same text from a compressed core."""
    copy = tmp_path / "core.gz"
    run(["sh", "-c", "gzip -c %s >%s" % (any_core, copy)])
    assert cli(copy, "bt").out == cli(any_core, "bt").out


def test_other_pythonhome(gdb, cli, any_core):
    """A $PYTHONHOME with which GDB's own Python starts, though it is another Python's."""
    ours = run(
        ["gdb", "-nx", "-batch", "-ex", "python import sys; print('%d.%d' % sys.version_info[:2])"]
    ).out.strip()
    homes = [
        path[: -len("/bin/python")]
        for path in interpreters()
        if name_of(path).startswith(ours + ".")
    ]
    if not homes:
        pytest.skip("no other Python %s" % ours)
    shown = gdb(["py-bt"], "-c", any_core, env=clean_environment(PYTHONHOME=homes[0]))
    assert shown.said == [cli(any_core, "bt").out]


def test_any_pythonhome(cli, any_core):
    """With most values of $PYTHONHOME gdb does not start; our gdb command clears it."""
    program = os.path.join(TOP, "plugin", "pyscry-gdb")
    env = clean_environment(PYTHONHOME="/nonexistent", PYTHONPATH="/nonexistent")
    start = [program, "-nx", "-q", "-batch"]
    assert cli(any_core, "bt").out in run(start + ["-ex", "py-bt", "-c", any_core], env=env).out
    # without the core: GDB 16 and newer take the environment of the process that dumped it
    shown = run(start + ["-ex", "show environment"], env=env)
    assert "PYTHONHOME=/nonexistent" in shown.out and "PYTHONPATH=/nonexistent" in shown.out


def test_remote(gdb, cli, process, tmp_path):
    """Through gdbserver: memory, mappings and threads all come from GDB."""
    if not shutil.which("gdbserver"):
        pytest.skip("no gdbserver")
    child = process(interpreters()[0], STORY, tmp_path, "wait")
    expected = cli(child.pid, "bt", "--all").out
    server = "target remote | gdbserver --once --attach - %d 2>/dev/null" % child.pid
    shown = gdb([server, "py-bt --all", "thread 2", "py-bt"])
    assert shown.said[1] == expected
    assert shown.said[3] == cli(child.pid, "bt", "2").out


def test_installed(cli, any_core, tmp_path):
    """What `meson install` puts somewhere works from there."""
    done = run(
        ["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", str(tmp_path)]
    )
    assert done.status == 0, done.err
    found = [
        os.path.join(where, name) for where, _, names in os.walk(str(tmp_path)) for name in names
    ]
    by_name = {os.path.basename(path): path for path in found}
    for name in (
        "pyscry",
        "libpyscry.so",
        "pyscry.h",
        "pyscry.pc",
        "gdbinit",
        "binding.py",
        "host_gdb.py",
        "pyscry-gdb",
    ):
        assert name in by_name
    env = clean_environment(PYSCRY_LIBRARY=by_name["libpyscry.so"])
    shown = run(
        [by_name["pyscry-gdb"], "-nx", "-q", "-batch", "-ex", "py-bt", "-c", any_core], env=env
    )
    assert cli(any_core, "bt").out in shown.out, shown.err
    assert run([by_name["pyscry"], any_core, "bt"]).out == cli(any_core, "bt").out


def test_without_python(gdb, cli, any_core, tmp_path):
    """A GDB without Python: the commands run the pyscry program."""
    text = open(GDBINIT).read().replace("if !$_isvoid($_as_string)", "if 0")
    init = tmp_path / "gdbinit"
    init.write_text(text)
    env = clean_environment(PYSCRY=os.path.join(TOP, "build", "src", "cli", "pyscry"))
    shown = gdb(
        [
            "py-bt",
            "py-bt --all",
            "py-up",
            "py-frame 2",
            "py-down",
            "py-up 3",
            "py-up",
            "py-print --json __name__",
            "py-down 9",
            "py-down 4",
            "py-list 1,2",
            "py-list plan",
        ],
        "-c",
        any_core,
        init=str(init),
        env=env,
    )
    assert shown.said[0] == cli(any_core, "bt").out
    assert shown.said[1] == cli(any_core, "bt", "--all").out
    assert [text.split()[0] for text in shown.said[2:6]] == ["#1", "#2", "#1", "#4"]
    assert (
        shown.said[6] == shown.said[8] == ""
        and "global" in shown.said[7]
        and shown.said[9].startswith("#0 ")
    )
    assert (
        "Unable to find an older python frame" in shown.err
        and "Unable to find a newer python frame" in shown.err
    )
    assert shown.said[10].count("\n") == 2 and "def plan(" in shown.said[11]
    # the list there is by hand: it has every command
    for name in re.findall(r"^  ([\w-]+) +[A-Z]", cli("--help").out, re.M):
        assert re.search(r"^  (define|_pyscry-define) py-%s\b" % name, text, re.M), name
