"""Fixtures: the pyscry command, GDB, cores of a small program, and processes that wait."""
import json
import os
import shutil
import subprocess
import time

import pytest

from tests.support import lldbs
from tests.support.story import (
    GDBINIT,
    PYSCRY,
    STORY,
    TOP,
    clean_environment,
    interpreters,
    make_core,
    name_of,
    run,
)


def pytest_generate_tests(metafunc):
    if "python" in metafunc.fixturenames:
        metafunc.parametrize("python", interpreters(), ids=name_of, scope="session")
    if "lldb" in metafunc.fixturenames:
        metafunc.parametrize("lldb", lldb_parameters(), indirect=True, scope="session")


@pytest.fixture(scope="session")
def cli():
    assert os.path.exists(PYSCRY), "build first: ./dev build"

    def call(*words, **options):
        return run([PYSCRY] + [str(word) for word in words], **options)

    return call


@pytest.fixture(scope="session")
def gdb():
    program = os.environ.get("PYSCRY_GDB") or shutil.which("gdb")
    if not program:
        pytest.skip("no gdb")

    def call(commands, *words, **options):
        init = options.pop("init", GDBINIT)
        line = [
            program,
            "-nx",
            "-q",
            "-batch",
            "-iex",
            "set debuginfod enabled off",
            "-iex",
            "set auto-load python-scripts off",
            "-x",
            init,
        ]
        for command in commands:
            # between marks stands what the command printed, and nothing of gdb's own
            line += ["-ex", "echo <<<\\n", "-ex", command, "-ex", "echo >>>\\n"]
        result = run(line + [str(word) for word in words], **options)
        result.said = [part.split("<<<\n")[1] for part in result.out.split(">>>\n")[:-1]]
        return result

    return call


def lldb_parameters():
    found = lldbs.find()
    if not found:
        return [pytest.param(None, id="none", marks=pytest.mark.skip(reason="no lldb with Python"))]
    return [pytest.param(pair, id=os.path.basename(os.path.realpath(pair[0]))) for pair in found]


@pytest.fixture(scope="session")
def lldb(request):
    """Each LLDB in turn; see lldbs.Lldb."""
    return lldbs.Lldb(*request.param)


@pytest.fixture(scope="session")
def cores(tmp_path_factory):
    """core(python): the story's core, made once for each interpreter."""
    made = {}

    def core(python):
        if python not in made:
            made[python] = make_core(
                python, tmp_path_factory.mktemp("core-" + name_of(python)), STORY, "crash"
            )
        return made[python]

    return core


@pytest.fixture(scope="session")
def core(python, cores):
    return cores(python)


@pytest.fixture(scope="session")
def any_core(cores):
    """A core where it does not matter of which interpreter."""
    return cores(interpreters()[0])


@pytest.fixture
def process():
    """start(python, source): a process that has said "ready"."""
    started = []

    def start(python, source, directory, *words):
        script = os.path.join(str(directory), "story.py")
        with open(script, "wb") as out:
            out.write(source.encode("utf-8"))
        child = subprocess.Popen(
            [python, script] + list(words),
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            cwd=str(directory),
            env=clean_environment(),
        )
        started.append(child)
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.fixture
def debugged(interpreter, tmp_path):
    """start(mode): tests/programs/debugged.py in `interpreter`. The file child.go lets it go on;
    child.truth is what it told."""
    children = []

    def start(mode):
        script, go, truth = (str(tmp_path / name) for name in ("debugged.py", "go", "truth"))
        shutil.copy(os.path.join(TOP, "tests", "programs", "debugged.py"), script)
        words = interpreter.wrap([interpreter.exe, script, mode, go, truth])
        child = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            cwd=str(tmp_path),
            env=clean_environment(PYTHONHASHSEED="123"),
        )
        children.append(child)
        assert child.stdout.readline() == b"ready\n"
        with open(truth) as source:
            child.truth = json.load(source)
        child.go, child.script = go, script
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()
