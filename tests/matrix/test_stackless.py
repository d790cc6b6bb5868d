"""Cores of real Stackless Pythons beside what each program wrote about itself just before it
aborted.

The cores are VER-SCENARIO.core.zst with VER-SCENARIO.json and symbols-VER/, in $PYSCRY_COREFILES or
in ../shared/corefiles/stackless beside the project. No library is at hand, only the symbol maps.
corefiles/make_corefile.py makes more of them where there is a Stackless.
"""
import copy
import glob
import json
import os
import subprocess

import pytest

from tests.support import run
from tests.support.tasklets import IDS, SAME, differences, differences_from_expected

PLACES = [
    os.environ.get("PYSCRY_COREFILES", ""),
    os.path.join(run.TOP, "..", "shared", "corefiles"),
]


def find_cores():
    for place in PLACES:
        for directory in (place, os.path.join(place, "stackless")):
            found = sorted(glob.glob(os.path.join(directory, "*.core.zst"))) if place else []
            if found:
                return found
    return []


EACH = [
    pytest.param(path, id=os.path.basename(path)[: -len(".core.zst")]) for path in find_cores()
] or [
    pytest.param(
        None, id="none", marks=pytest.mark.skip(reason="no Stackless cores: set PYSCRY_COREFILES")
    )
]


def ask(path, *command):
    name = os.path.basename(path)
    symbols = os.path.join(os.path.dirname(path), "symbols-" + name.split("-")[0])
    done = subprocess.run(
        [run.cli(), "--json", "--symbols", symbols, path, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def truth(path):
    with open(path[: -len(".core.zst")] + ".json") as f:
        return json.load(f)


@pytest.mark.parametrize("path", EACH)
def test_everything_is_as_the_program_said(path):
    told = ask(path, "tasklets")
    channels = ask(path, "channels")["channels"]
    want = truth(path)
    assert list(differences(want, told["tasks"], channels, told["schedulers"])) == []
    expected = want.get("expected", {})  # only of our own
    assert list(differences_from_expected(expected, told["tasks"], told["schedulers"])) == []


@pytest.mark.parametrize("path", EACH)
def test_ordinary_stacks_are_right(path):
    want = truth(path)
    told = ask(path, "bt", "--all")
    current = [t for t in want["tasklets"] if t["id"] == want["current"]]
    if not current:
        pytest.skip("no tasklet was running")
    crashed = [t for t in told["threads"] if t["crashed"]]
    frames = [[f["file"], f["function"], f["line"]] for f in crashed[0]["frames"]]
    assert frames == current[0]["frames"]


@pytest.mark.parametrize("path", EACH[:3])
def test_a_changed_fact_is_noticed(path):
    told = ask(path, "tasklets")
    channels = ask(path, "channels")["channels"]
    want = truth(path)
    for key in SAME + IDS + ("recursion_depth", "tempval"):
        wrong = copy.deepcopy(want)
        wrong["tasklets"][0][key] = "something else" if key != "recursion_depth" else 12345
        assert list(differences(wrong, told["tasks"], channels, told["schedulers"])), key
    wrong = copy.deepcopy(want)
    framed = next(t for t in wrong["tasklets"] if t["frames"])
    framed["frames"][0][2] += 1
    assert list(differences(wrong, told["tasks"], channels, told["schedulers"]))
