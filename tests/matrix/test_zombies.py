"""Frames that Pythons up to 3.9 keep: those of finished functions are there with their size, others
are not."""
import os

import pytest

from tests.support import programs, run

from .conftest import every

PROGRAM = programs.Program("zombies", "zombies.py")
OLD = every(lambda interpreter: interpreter.version < (3, 10))
FINISHED = {
    "called",
    "outer",
    "inner",
    "method",
    "seen",
    "Holder",
}  # a class body is a function, too


def kept(dump, *options):
    told, status, errors = run.answer(dump.core, *options, command=("zombies",))
    assert status == 0, errors
    assert len(told["kept_frames"]) == 1
    return told["kept_frames"][0]


def own(found):
    return {
        f["function"]: f
        for f in found["zombies"]["frames"]
        if os.path.basename(f["file"]) == "zombies.py"
    }


def consistent(frames):
    if frames["count"] is None:  # stripped: the list cannot be reached, and nothing is said of it
        assert frames["frames"] == [] and frames["bytes"] is None and frames["error"]
        return
    assert frames["count"] == len(frames["frames"]) == len({f["id"] for f in frames["frames"]})
    assert frames["bytes"] == sum(f["size"] for f in frames["frames"])


@pytest.mark.parametrize("interpreter", OLD)
def test_finished_functions_left_a_frame(dumps, interpreter):
    dump = dumps.core(interpreter, PROGRAM)
    found = kept(dump, *run.where(interpreter))
    mine = own(found)
    assert set(mine) == FINISHED
    for name, size in dump.truth["sizes"].items():
        # __sizeof__() leaves a slot out (frame_sizeof() in Objects/frameobject.c), and a frame used
        # again may be larger
        assert name == "running" or size <= mine[name]["size"] <= size + 400, name
    assert found["zombies"]["error"] is None
    sizes = [f["size"] for f in found["zombies"]["frames"]]
    assert sizes == sorted(sizes, reverse=True)
    consistent(found["zombies"])
    consistent(found["free_list"])
    assert not {f["id"] for f in found["zombies"]["frames"]} & {
        f["id"] for f in found["free_list"]["frames"]
    }


@pytest.mark.parametrize("interpreter", OLD)
def test_stripped(dumps, interpreter):
    dump = dumps.copied(interpreter, PROGRAM)
    found = kept(dump)
    assert set(own(found)) == FINISHED
    assert "free_list" in found["free_list"]["error"]
    assert (found["free_list"]["count"], found["free_list"]["bytes"]) == (None, None)
    _, output, _ = run.pyscry(dump.core, "zombies")
    assert "Free list: cannot be reached: " in output and "Free list: 0" not in output


@pytest.mark.parametrize(
    "interpreter", every(lambda interpreter: interpreter.version >= (3, 10))[:2]
)
def test_later_versions_say_that_they_keep_none(dumps, interpreter):
    dump = dumps.core(interpreter, programs.find("lines"))
    status, output, errors = run.pyscry(*run.where(interpreter), dump.core, "zombies")
    assert status != 0
    assert "keeps no zombie frames" in errors
