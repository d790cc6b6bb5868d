"""Stackless Pythons that run here: the C stack of each switched-out tasklet has one interpreter
loop per Python frame."""
import os

import pytest

from tests.support import corefile, programs, run

from .conftest import every

PROGRAM = programs.Program("tasklets", "tasklets.py")
EACH = every(lambda interpreter: interpreter.stackless) or [
    pytest.param(
        None,
        id="none",
        marks=pytest.mark.skip(reason="no Stackless Python: set PYSCRY_INTERPRETERS"),
    )
]
SORTS = {"sort": "builtin_sorted", "next": "slot_tp_iternext"}
HARD = {"sort", "sub", "reduce", "len", "channel", "nested", "removed", "spilled", "main"}


def by_name(dump, *options):
    told, status, errors = run.answer(dump.core, *options, command=("tasklets",))
    assert status == 0, errors
    found = {int(t["id"], 16): t for t in told["tasks"]}
    return {name: found[t["id"]] for name, t in dump.truth["tasklets"].items()}


def python_frames(task):
    return [[os.path.basename(f["file"]), f["function"], f["line"]] for f in task["frames"]]


@pytest.mark.parametrize("interpreter", EACH)
def test_every_python_frame_has_its_loop(dumps, interpreter):
    dump = dumps.core(interpreter, PROGRAM)
    got = by_name(dump, *run.where(interpreter))
    for name, want in dump.truth["tasklets"].items():
        task = got[name]
        native = [f["function"] for f in task["native_frames"]]
        loops = sum(f["runs_python"] for f in task["native_frames"])
        assert python_frames(task) == want["frames"], name
        assert task["native_error"] is None, name
        assert task["hard_switched"] == (name in HARD), name
        assert loops == (len(want["frames"]) if name in HARD else 0), name
        if name in HARD:
            assert native[0] in ("slp_switch", "slp_transfer"), name
            assert native[-1] in (
                ("_start",) if name == "main" else ("slp_run_tasklet", "slp_eval_frame")
            ), name
            assert all(f["module"] and int(f["pc"], 16) for f in task["native_frames"])
    assert got["spilled"]["slices"] > 1
    for name, part in (
        ("sub", "pattern_sub"),
        ("reduce", "reduce"),
        ("len", "len"),
        ("sort", "sort"),
    ):
        assert any(part in (f["function"] or "") for f in got[name]["native_frames"]), name


@pytest.mark.parametrize("interpreter", EACH)
def test_text_shows_the_c_stack(dumps, interpreter):
    dump = dumps.core(interpreter, PROGRAM)
    status, text, errors = run.pyscry(*run.where(interpreter), dump.core, "tasklets", "-v")
    assert status == 0, errors
    assert text.count("C stack, ") == len(HARD)
    assert "slp_transfer" in text
    status, text, errors = run.pyscry(*run.where(interpreter), dump.core, "tasklets")
    assert "slp_transfer" not in text


@pytest.mark.parametrize("interpreter", EACH)
def test_a_stripped_interpreter_unwinds_too(dumps, interpreter):
    dump = dumps.copied(interpreter, PROGRAM)
    want, got = dump.truth["tasklets"], by_name(dump)
    for name in HARD:
        assert python_frames(got[name]) == want[name]["frames"], name
        assert got[name]["native_error"] is None, name
        assert len(got[name]["native_frames"]) > 2 * len(want[name]["frames"]), name


@pytest.mark.parametrize("interpreter", EACH)
def test_without_the_file_the_reason_is_told(dumps, interpreter):
    dump = dumps.copied(interpreter, PROGRAM, strip=False, hidden=True)
    told, status, errors = run.answer(dump.core, command=("tasklets",))
    if not told.get("tasks"):
        pytest.skip("an executable that is gone took its symbols with it")
    found = {int(t["id"], 16): t for t in told["tasks"]}
    for name in HARD:
        task = found[dump.truth["tasklets"][name]["id"]]
        assert task["native_frames"] == []
        assert "nothing to unwind" in task["native_error"]


def member(dump, task, offset):
    """A member of the tasklet's saved stack; debug builds before 3.8 have two more words before all
    objects."""
    traced = dump.interpreter.debug and dump.interpreter.version < (3, 8)
    return int(task["cstate"]["id"], 16) + offset + (16 if traced else 0)


def spoil(dump, *options):
    """Take a saved C stack from its tasklet, as a switch back does: its words are nobody's then."""
    task = by_name(dump, *options)["sort"]
    with corefile.CoreFile(dump.core) as core:
        at = member(dump, task, 48)  # struct _cstack, `task`
        kept = core.word(at)
        assert kept == int(task["id"], 16)
        core.set_word(at, 0)
    return at, kept


@pytest.mark.parametrize("interpreter", EACH)
def test_a_stale_slice_is_told(dumps, interpreter):
    dump = dumps.core(interpreter, PROGRAM)
    at, kept = spoil(dump, *run.where(interpreter))
    try:
        task = by_name(dump, *run.where(interpreter))["sort"]
    finally:
        with corefile.CoreFile(dump.core) as core:
            core.set_word(at, kept)
    assert task["stale"] and not task["hard_switched"]
    assert task["native_frames"] == [] and "stale" in task["native_error"]


@pytest.mark.parametrize("interpreter", EACH)
def test_a_damaged_slice_is_told(dumps, interpreter):
    dump = dumps.core(interpreter, PROGRAM)
    task = by_name(dump, *run.where(interpreter))["sort"]
    words = [member(dump, task, 80 + 8 * i) for i in range(40)]
    with corefile.CoreFile(dump.core) as core:
        kept = [core.word(at) for at in words]
        for at in words:
            core.set_word(at, 0x4141414141414141)
    try:
        told, status, _ = run.answer(dump.core, *run.where(interpreter), command=("tasklets",))
    finally:
        with corefile.CoreFile(dump.core) as core:
            for at, word in zip(words, kept):
                core.set_word(at, word)
    found = {t["id"]: t for t in told["tasks"]}
    assert found[task["id"]]["native_frames"] == []
    assert "does not begin as a switch leaves it" in found[task["id"]]["native_error"]
    assert len(told["tasks"]) >= len(dump.truth["tasklets"])


@pytest.mark.parametrize("kind", ["running", "main", "parked"])
@pytest.mark.parametrize("interpreter", EACH)
def test_a_stack_in_slices(dumps, interpreter, kind):
    """What was saved to make room stands between what is on the stack, and each loop has its
    frame."""
    program = programs.Program("deep-" + kind, "tasklets_deep.py", (kind,))
    dump = dumps.core(interpreter, program)
    command = ("bt", "--native", "--whole") if kind != "parked" else ("tasklets", "--native")
    told, status, errors = run.answer(
        dump.core, *run.where(interpreter), "--limit", "0", command=command
    )
    assert status == 0, errors
    (frames,) = (
        [each["frames"] for each in told["threads"]]
        if kind != "parked"
        else [task["frames"] for task in told["tasks"] if len(task["frames"]) > 300]
    )
    python = [[f["function"], f["line"]] for f in frames if f["kind"] == "python"]
    want = dump.truth["frames"]
    assert python[0][0] == "end" and python[1:] == want[1:]
    names = [f["function"] for f in frames]
    assert names.count("slp_eval_frame_newstack") >= 2
    # each iterate() has a loop of its own, and the C function that it calls in front of it
    callees, between = [], []
    for before, frame in zip([None] + frames, frames):
        if frame["kind"] == "native":
            between.append(frame["function"])
        elif frame["function"] == "iterate":
            assert before["kind"] == "native" and before["runs_python"]
            callees.append([name for name in SORTS if SORTS[name] in between])
            between = []
    assert callees == [["next"], ["sort"]] * 150 + [["next"]]
    loops = sum(f["kind"] == "native" and f["runs_python"] for f in frames)
    runs = [a for a, b in zip(frames, frames[1:]) if (a["kind"], b["kind"]) == ("native", "python")]
    assert loops == len(runs)
