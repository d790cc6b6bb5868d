"""Stackless Pythons that run here, in every state that tests/programs/tasklets_*.py know: all as
they say of themselves."""
import copy
import os
import subprocess

import pytest

from tests.support import programs, run
from tests.support.tasklets import IDS, SAME, differences, differences_from_expected

from .conftest import every

STACKLESS = every(lambda interpreter: interpreter.stackless) or [
    pytest.param(
        None,
        id="none",
        marks=pytest.mark.skip(reason="no Stackless Python: set PYSCRY_INTERPRETERS"),
    )
]
SCENARIOS = {
    "tasklets_states.py": (
        "runnable",
        "in_tasklet",
        "in_nested_tasklet",
        "no_soft_switch",
        "channels",
        "many_threads",
        "bound_elsewhere",
        "states",
        "handled_now",
        "watched",
        "interrupted",
        "watched_nested",
        "in_schedule_callback",
        "in_end_callback",
        "in_channel_callback",
        "c_functions",
        "ends_in_error",
        "contexts",
        "in_trace",
        "in_del",
        "collected",
    ),
    "tasklets_hard.py": (
        "hard_ways",
        "spilled",
        "spilled_main",
        "spilled_here",
        "generators",
        "old_entries",
    ),
}
SCRIPT = {name: script for script, names in SCENARIOS.items() for name in names}
SINCE = {"contexts": (3, 7)}


def core_of(dumps, interpreter, name):
    if interpreter.version < SINCE.get(name, (2, 7)):
        pytest.skip("not in %d.%d" % interpreter.version[:2])
    return dumps.core(interpreter, programs.Program(name, SCRIPT[name], (name,)))


def ask(dump, *options, command):
    told, status, errors = run.answer(dump.core, *options, command=command)
    assert status in (0, 1), errors
    return told


def symbols(dump):
    """What `nm -D` says of the interpreter, as options that hide its files."""
    where = os.path.join(dump.directory, "symbols")
    os.makedirs(where, exist_ok=True)
    for path in filter(None, (dump.interpreter.exe, dump.interpreter.library)):
        path = dump.interpreter.outside(path)
        with open(os.path.join(where, os.path.basename(path) + ".nm"), "wb") as out:
            subprocess.run(["nm", "-D", "--defined-only", path], stdout=out, check=True)
    return "--symbols", where, "--sysroot", os.path.join(dump.directory, "nowhere")


def found(want, dump, options):
    told = ask(dump, *options, command=("tasklets",))
    channels = ask(dump, *options, command=("channels",))["channels"]
    yield from differences(want, told["tasks"], channels, told["schedulers"])
    yield from differences_from_expected(want["expected"], told["tasks"], told["schedulers"])


def running(want):
    return [t for t in want["tasklets"] if t["id"] == want["current"]][0]


@pytest.mark.parametrize("way", ("files", "symbols"))
@pytest.mark.parametrize("name", SCRIPT)
@pytest.mark.parametrize("interpreter", STACKLESS)
def test_all_is_as_the_program_said(dumps, interpreter, name, way):
    dump = core_of(dumps, interpreter, name)
    want = copy.deepcopy(dump.truth)
    options = symbols(dump) if way == "symbols" else run.where(interpreter)
    if interpreter.version < (3,) and name in ("spilled", "spilled_here"):
        # 2.7 counts wrong once the stack was cut: it says one level more when asked again
        told = ask(dump, *options, command=("tasklets",))["tasks"]
        running(want)["nesting_level"] = [t for t in told if t["is_current"]][0]["nesting_level"]
    assert list(found(want, dump, options)) == []
    crashed = [t for t in ask(dump, *options, command=("bt", "--all"))["threads"] if t["crashed"]]
    assert [[f["file"], f["function"], f["line"]] for f in crashed[0]["frames"]] == running(want)[
        "frames"
    ]


@pytest.mark.parametrize("name", SCRIPT)
@pytest.mark.parametrize("interpreter", STACKLESS)
def test_c_stacks_have_no_more_loops_than_frames(dumps, interpreter, name):
    """Fewer they may have: a frame that was left softly has no loop until it goes on."""
    dump = core_of(dumps, interpreter, name)
    want = {t["id"]: t for t in dump.truth["tasklets"]}
    for task in ask(dump, *run.where(interpreter), command=("tasklets",))["tasks"]:
        loops = sum(f["runs_python"] for f in task["native_frames"])
        frames = len(want[int(task["id"], 16)]["frames"])
        assert task["orphaned"] or loops <= frames, task["id"]
        if task["hard_switched"] and not task["orphaned"]:
            assert task["native_error"] is None or "earlier run" in task["native_error"], task[
                "native_error"
            ]
            assert loops or not frames


@pytest.mark.parametrize("interpreter", STACKLESS)
def test_slices_of_an_earlier_run_end_where_they_end(dumps, interpreter):
    """What is above them on the stack belongs to the call that runs now."""
    dump = core_of(dumps, interpreter, "old_entries")
    told = ask(dump, *run.where(interpreter), command=("tasklets",))["tasks"]
    found = [t for t in told if t["hard_switched"]]
    assert len(found) >= 2
    for task in found:
        functions = [f["function"] for f in task["native_frames"]]
        assert functions and not {"_start", "main", "Py_Finalize", "Py_FinalizeEx"} & set(
            functions
        ), functions
        assert task["native_error"] is None or "earlier run" in task["native_error"]


@pytest.mark.parametrize("interpreter", STACKLESS)
def test_a_process_that_lives(interpreter, tmp_path):
    program = programs.Program("live", "tasklets_states.py", ("states",))
    with run.running(interpreter, program, str(tmp_path)) as (pid, want):
        told, status, errors = run.answer(pid, *run.where(interpreter), command=("tasklets",))
        channels = run.answer(pid, *run.where(interpreter), command=("channels",))[0]["channels"]
    assert status == 0, errors
    assert list(differences(want, told["tasks"], channels, told["schedulers"])) == []
    assert (
        list(differences_from_expected(want["expected"], told["tasks"], told["schedulers"])) == []
    )


@pytest.mark.parametrize("interpreter", STACKLESS)
def test_changed_facts_are_noticed(dumps, interpreter):
    dump = core_of(dumps, interpreter, "states")
    for key in SAME + IDS + ("recursion_depth", "tempval", "type"):
        wrong = copy.deepcopy(dump.truth)
        wrong["tasklets"][0][key] = "something else" if key != "recursion_depth" else 12345
        assert list(found(wrong, dump, ())), key
    wrong = copy.deepcopy(dump.truth)
    wrong["tasklets"][0]["cstate"]["size"] += 1
    assert list(found(wrong, dump, ()))
    wrong = copy.deepcopy(dump.truth)
    framed = [t for t in wrong["tasklets"] if t["cframes"]][0]
    framed["cframes"][0][3] += 1
    assert list(found(wrong, dump, ()))
    for kind in ("handles", "bomb"):
        wrong = copy.deepcopy(dump.truth)
        key = sorted(wrong["expected"][kind])[0]
        wrong["expected"][kind][key] = (
            "KeyError('another')" if kind == "handles" else ["KeyError", "'another'"]
        )
        assert list(found(wrong, dump, ())), kind
