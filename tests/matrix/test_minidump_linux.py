"""A minidump of a Linux process, as Breakpad and crashpad write them, shows what the process itself
would."""
import glob
import json
import os
import subprocess
import sys
import textwrap

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLI = os.environ.get("PYSCRY") or os.path.join(TOP, "build", "src", "cli", "pyscry")
WRITER = os.path.join(TOP, "tests", "support", "live_minidump.py")
PROGRAM = textwrap.dedent(
    """
    from __future__ import print_function
    import sys, threading, time

    def inner(n):
        kept = [n, "e"]
        time.sleep(600)

    def outer(n):
        inner(n + 1)

    for i in range(3):
        t = threading.Thread(target=outer, args=(i,))
        t.daemon = True
        t.start()
    time.sleep(0.5)
    print("ready")
    sys.stdout.flush()
    outer(41)
"""
)


def interpreters():
    """This Python, and those of pyenv."""
    yield pytest.param(sys.executable, id="this")
    for path in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python"))):
        yield pytest.param(path, id=path.split(os.sep)[-3])


@pytest.fixture
def process(request, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    p = subprocess.Popen([request.param, str(script)], stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"ready\n"
    yield p
    p.kill()
    p.wait()


def write(process, tmp_path, style, signal=0):
    path = str(tmp_path / (style + ".dmp"))
    subprocess.run(
        [sys.executable, "-B", WRITER, str(process.pid), path, style, str(signal)],
        check=True,
        timeout=60,
    )
    return path


def show(path):
    done = subprocess.run(
        [CLI, "--json", "--locals", path, "bt", "--all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    return json.loads(done.stdout), done.returncode, done.stderr.decode()


@pytest.mark.parametrize("process", interpreters(), indirect=True)
def test_full(process, tmp_path):
    for style in "breakpad-full", "crashpad-full":
        shown, status, err = show(write(process, tmp_path, style))
        assert status == 0, err
        assert shown["target"]["kind"] == "minidump" and shown["target"]["pid"] == process.pid
        stacks = {
            t["tid"]: [(f["function"], f["line"]) for f in t["frames"]] for t in shown["threads"]
        }
        assert stacks[process.pid] == [("inner", 7), ("outer", 10), ("<module>", 19)]
        others = [s for tid, s in stacks.items() if tid != process.pid]
        assert len(others) == 3 and all(s[:2] == [("inner", 7), ("outer", 10)] for s in others)
        kept = sorted(
            v["repr"]
            for t in shown["threads"]
            for v in t["frames"][0]["locals"]
            if v["name"] == "kept"
        )
        assert kept == ["[%d, 'e']" % n for n in (1, 2, 3, 42)]
        subprocess.run(
            [CLI, str(process.pid), "threads"], check=True, stdout=subprocess.DEVNULL, timeout=60
        )


@pytest.mark.parametrize("process", [sys.executable], indirect=True)
def test_stacks_only(process, tmp_path):
    for style in "breakpad", "crashpad":
        shown, status, err = show(write(process, tmp_path, style))
        assert status in (1, 2) and "gcore" in err
        assert len(shown["threads"]) == 4


@pytest.mark.parametrize("process", [sys.executable], indirect=True)
def test_crash(process, tmp_path):
    shown, _, _ = show(write(process, tmp_path, "breakpad-full", 11))
    assert (
        shown["target"]["signal_name"] == "SIGSEGV" and shown["target"]["fault_address"] == "0x10"
    )
    first = shown["threads"][0]
    assert (
        first["crashed"]
        and first["tid"] == process.pid
        and first["frames"][0]["function"] == "inner"
    )


@pytest.mark.parametrize("process", [sys.executable], indirect=True)
def test_waits(process, tmp_path):
    """No minidump tells who is in a system call: who sleeps is not said to run."""
    for style in "breakpad-full", "crashpad-full":
        done = subprocess.run(
            [CLI, "--json", write(process, tmp_path, style), "waits"],
            stdout=subprocess.PIPE,
            timeout=60,
        )
        states = [w["state"] for w in json.loads(done.stdout)["waits"]]
        assert len(states) == 4 and "running" not in states


@pytest.mark.parametrize("process", interpreters(), indirect=True)
def test_c_frames(process, tmp_path):
    """C stacks come with any minidump; with the heap, each Python frame stands behind the loop that
    runs it."""
    for style in "breakpad", "breakpad-full":
        done = subprocess.run(
            [CLI, "--json", write(process, tmp_path, style), "bt", "--all", "--native"],
            stdout=subprocess.PIPE,
            timeout=60,
        )
        threads = json.loads(done.stdout)["threads"]
        main = next(t["frames"] for t in threads if t["tid"] == process.pid)
        assert main[-1]["function"] == "_start" and [
            f["module"] for f in main if f["kind"] == "native"
        ][0].startswith("libc")
        python = [i for i, f in enumerate(main) if f["kind"] == "python"]
        assert [main[i]["function"] for i in python] == (
            ["inner", "outer", "<module>"] if style == "breakpad-full" else []
        )
        assert all(main[i - 1]["kind"] == "python" or main[i - 1]["runs_python"] for i in python)
