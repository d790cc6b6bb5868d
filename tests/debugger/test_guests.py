"""In a debugger: its numbers of threads, Ctrl-C, and CPython's own script beside ours."""
import contextlib
import os
import re
import subprocess
import time

import pytest

from tests.support.story import GDBINIT, clean_environment, interpreters, make_core, name_of, run

THREADS = """
import os, threading, time
def crash_or_wait(n):
    if n == 3:
        time.sleep(0.3)
        os.abort()
    time.sleep(1000)
for i in range(5):
    t = threading.Thread(target=crash_or_wait, args=(i,), name="w%d" % i)
    t.daemon = True
    t.start()
time.sleep(1000)
"""


@pytest.fixture(scope="module")
def threads_core(tmp_path_factory):
    made = {}

    def core(python):
        if python not in made:
            directory = tmp_path_factory.mktemp("threads-" + name_of(python))
            made[python] = make_core(python, directory, THREADS)
        return made[python]

    return core


def numbers_of(shown):
    """(number, tid) of each line of `threads`."""
    return {(int(n), int(tid)) for n, tid in re.findall(r"^[* ] (\d+) +Thread (\d+)", shown, re.M)}


def test_numbers_of_gdb(gdb, python, threads_core):
    commands = ["info threads", "py-threads", "py-bt 2", "py-bt --thread 4", "thread 2"]
    said = gdb(commands, "-c", threads_core(python)).said
    theirs = {(int(n), int(t)) for n, t in re.findall(r"^[* ] (\d+) .*LWP (\d+)", said[0], re.M)}
    assert len(theirs) == 6 and numbers_of(said[1]) == theirs
    tids = dict(theirs)
    assert said[2].startswith("Thread %d " % tids[2])
    assert said[3].startswith("Thread %d " % tids[4])


def test_numbers_of_lldb(lldb, threads_core):
    python = interpreters()[0]
    commands = ["thread list", "py-threads", "py-bt 2"]
    said = [each.out for each in lldb(commands, "--core", threads_core(python))]
    theirs = {(int(n), int(t)) for n, t in re.findall(r"thread #(\d+): tid = (\d+)", said[0])}
    assert len(theirs) == 6 and numbers_of(said[1]) == theirs
    assert said[2].startswith("Thread %d " % dict(theirs)[2])


# --- Ctrl-C ---

HEAP = """
import os, sys, threading, time
def one():
    yield 1
kept = [one() for i in range(200000)]
d = {i: {"k%d" % i: [i] * 3} for i in range(300000)}
if sys.argv[1] == "crash":
    os.abort()
sys.stdout.write("ready\\n")
sys.stdout.flush()
time.sleep(1000)
"""
INTERRUPT = (
    "python import os, signal, threading; "
    "threading.Timer(%s, lambda: os.kill(os.getpid(), signal.SIGINT)).start()"
)


@contextlib.contextmanager
def waiting(python, directory):
    """The process id of a program with a large heap."""
    path = directory / "heap.py"
    path.write_text(HEAP)
    child = subprocess.Popen([python, str(path), "wait"], stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        yield child.pid
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("kind", ["core", "live"])
def test_ctrl_c_is_quit(gdb, tmp_path, kind):
    python = [p for p in interpreters() if "3.11" in name_of(p) or "debian" in name_of(p)][0]
    script = [INTERRUPT % 0.4, "py-generators", "py-threads"]
    if kind == "core":
        core = make_core(python, tmp_path, HEAP, "crash")
        began = time.monotonic()
        shown = gdb(script, "-c", core)
    else:
        with waiting(python, tmp_path) as pid:
            began = time.monotonic()
            shown = gdb(script, "-p", str(pid))
    assert time.monotonic() - began < 60
    assert shown.said[1].strip() == "" and "\nQuit\n" in "\n" + shown.err
    # and the next command starts anew, with the truth
    assert "MainThread" in shown.said[2]


@pytest.mark.parametrize("kind", ["core", "live"])
def test_ctrl_c_is_quit_in_lldb(lldb, tmp_path, kind):
    script = [(INTERRUPT % 0.4).replace("python ", "script ", 1), "py-generators", "py-threads"]
    if kind == "core":
        core = make_core(interpreters()[0], tmp_path, HEAP, "crash")
        _, said, after = lldb(script, "--core", core)
    else:
        with waiting(interpreters()[0], tmp_path) as pid:
            _, said, after = lldb(script, "-p", pid)
    assert not said.ok and said.out == "" and said.err.strip() == "error: Quit"
    assert "MainThread" in after.out


# --- what is the debugger's own ---


def test_expressions_of_gdb(gdb, cores):
    """`py-obj $rsp`, variables of C; nothing that runs code or writes."""
    python = interpreters()[0]
    commands = ["py-obj $rsp", "print/x (long)$rsp", "set $mine = (long)0x10", "py-obj $nothing"]
    commands += [
        "py-print sys --max-text 9",
        "py-print abort()",
        "py-obj $rsp=0",
        "print/x (long)$rsp",
    ]
    shown = gdb(commands, "-c", cores(python))
    address = shown.said[1].split("= ")[1].strip()
    assert shown.said[0].startswith(address + ": no object")
    assert shown.said[4].startswith("global 'sys' = <module '")
    assert shown.said[5] == shown.said[6] == shown.said[3] == ""
    assert shown.said[7].split("= ")[1].strip() == address


def test_variables_of_c(gdb, python, cores):
    exe = os.path.realpath(python)
    commands = ["up 6", "py-print (long)&PyDict_Type", "py-obj &PyDict_Type"]
    shown = gdb(commands, exe, "-c", cores(python))
    if "No symbol" in shown.err or "unknown type" in shown.err or not shown.said[1]:
        pytest.skip("no debug information")
    assert re.match(r"@0x[0-9a-f]+ = <(class|type) 'dict'>\n$", shown.said[1])
    assert re.match(r"0x[0-9a-f]+: type \(type at", shown.said[2])


# --- CPython's own script ---


def script_of(python):
    real = os.path.realpath(python)
    return real + "-gdb.py" if os.path.exists(real + "-gdb.py") else None


ORDERS = {
    "before": lambda s, exe, core: ["-iex", "source " + s, "-x", GDBINIT, exe, "-c", core],
    "after": lambda s, exe, core: ["-x", GDBINIT, exe, "-c", core, "-ex", "source " + s],
    "with the file": lambda s, exe, core: ["-x", GDBINIT, exe, "-c", core],
    "with the file, ours last": lambda s, exe, core: [exe, "-c", core, "-x", GDBINIT],
}


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_printers_come_first(python, cores, order):
    script = script_of(python)
    if not script:
        pytest.skip("no script of CPython's for GDB here")
    exe = os.path.realpath(python)
    safe = "set auto-load safe-path " + (os.path.dirname(exe) if "file" in order else "/none")
    words = ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-iex", safe]
    words += ORDERS[order](script, exe, cores(python))
    shown = run(words + ["-ex", "print (PyObject *)&PyDict_Type"], env=clean_environment())
    if "No symbol" in shown.err:
        pytest.skip("no debug information")
    assert re.search(r"\$1 = <(class|type) 'dict'>", shown.out), shown.out[-300:]
