"""Cores of real Stackless Pythons beside what each program wrote about itself just before it aborted.

The cores are VER-SCENARIO.core.zst with VER-SCENARIO.json and symbols-VER/, in $PYSCRY_COREFILES or in
../shared/corefiles/stackless beside the project. No library is at hand, only the symbol maps.
"""
import copy
import glob
import json
import os
import subprocess

import pytest

from tests.support import run

PLACES = [os.environ.get("PYSCRY_COREFILES", ""), os.path.join(run.TOP, "..", "shared", "corefiles")]
SAME = ("alive", "blocked", "scheduled", "paused", "restorable", "atomic", "block_trap", "ignore_nesting",
        "nesting_level", "is_main", "is_current", "thread_id", "balance", "direction")
IDS = ("channel", "next", "prev")


def find_cores():
    for place in PLACES:
        for directory in (place, os.path.join(place, "stackless")):
            found = sorted(glob.glob(os.path.join(directory, "*.core.zst"))) if place else []
            if found:
                return found
    return []


CORES = find_cores()
EACH = [pytest.param(path, id=os.path.basename(path)[:-len(".core.zst")]) for path in CORES] or [
    pytest.param(None, id="none", marks=pytest.mark.skip(reason="no Stackless cores: set PYSCRY_COREFILES"))]


def ask(path, *command):
    name = os.path.basename(path)
    symbols = os.path.join(os.path.dirname(path), "symbols-" + name.split("-")[0])
    done = subprocess.run([run.cli(), "--json", "--symbols", symbols, path, *command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def truth(path):
    with open(path[:-len(".core.zst")] + ".json") as f:
        return json.load(f)


def number(text):
    return None if text is None else int(text, 16)


def differences_of_tasklet(want, got):
    for key in SAME:
        if want[key] != got[key]:
            yield "%s: %r, not %r" % (key, got[key], want[key])
    for key in IDS:
        if want[key] != number(got[key]):
            yield "%s: %s, not %r" % (key, got[key], want[key])
    # os.abort() itself counts in the running tasklet of 3.8
    if abs(want["recursion_depth"] - got["recursion_depth"]) > want.get("recursion_depth_tolerance", 0):
        yield "recursion_depth: %d, not %d" % (got["recursion_depth"], want["recursion_depth"])
    value = got["tempval"] or {}
    if want["tempval"] != {"id": number(value.get("id")), "type": value.get("type"), "repr": value.get("repr")}:
        yield "tempval: %r, not %r" % (value, want["tempval"])
    frames = [[f["file"], f["function"], f["line"]] for f in got["frames"]]
    # of a thread that has ended Python shows no frames, though they are still there
    if frames != want["frames"] and not got["orphaned"]:
        yield "frames: %r, not %r" % (frames, want["frames"])


def differences(want, tasks, channels, schedulers):
    mine = {number(t["id"]): t for t in tasks}
    for tasklet in want["tasklets"]:
        if tasklet["id"] not in mine:
            yield "tasklet 0x%x is missing" % tasklet["id"]
            continue
        for text in differences_of_tasklet(tasklet, mine[tasklet["id"]]):
            yield "tasklet 0x%x: %s" % (tasklet["id"], text)
    for extra in mine.keys() - {t["id"] for t in want["tasklets"]}:
        yield "tasklet 0x%x was never there" % extra
    found = {number(c["id"]): c for c in channels}
    for channel in want["channels"]:
        got = found.get(channel["id"])
        if not got:
            yield "channel 0x%x is missing" % channel["id"]
        elif [number(q) for q in got["queue"]] != channel["queue"] or any(
                got[k] != channel[k] for k in ("balance", "closed", "closing", "preference", "schedule_all", "type")):
            yield "channel: %r, not %r" % (got, channel)
    threads = {s["thread_id"]: s for s in schedulers}
    for thread in want["threads"]:
        got = threads.get(thread["thread_id"])
        if not got or (number(got["main"]), number(got["current"]), got["runcount"]) != (
                thread["main"], thread["current"], thread["runcount"]):
            yield "scheduler: %r, not %r" % (got, thread)
    rings = [[number(t) for t in s["ring"]] for s in schedulers if number(s["current"]) == want["current"]]
    if want["current"] is not None and rings != [want["ring"]]:
        yield "ring: %r, not %r" % (rings, want["ring"])


@pytest.mark.parametrize("path", EACH)
def test_everything_is_as_the_program_said(path):
    told = ask(path, "tasklets")
    channels = ask(path, "channels")["channels"]
    want = truth(path)
    assert list(differences(want, told["tasks"], channels, told["schedulers"])) == []


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
