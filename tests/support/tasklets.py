"""What pyscry says of a Stackless process beside what the process wrote about itself."""
import re

SAME = (
    "alive",
    "blocked",
    "scheduled",
    "paused",
    "restorable",
    "atomic",
    "block_trap",
    "ignore_nesting",
    "nesting_level",
    "is_main",
    "is_current",
    "thread_id",
    "balance",
    "direction",
)
IDS = ("channel", "next", "prev")
CSTATE = ("size", "nesting_level", "serial")
CSTATE_IDS = ("id", "startaddr", "task")


def number(text):
    return None if text is None else int(text, 16)


def differences_of_cstate(want, got):
    for key in CSTATE:
        if want.get(key) not in (None, got[key]):  # what a version does not tell
            yield "cstate's %s: %r, not %r" % (key, got[key], want[key])
    for key in CSTATE_IDS:
        if want[key] != number(got[key]):
            yield "cstate's %s: %s, not %r" % (key, got[key], want[key])


def differences_of_cframes(want, got):
    """Where the truth has them, which is as pickling sees them: without those for tracing, and
    under old names."""
    if want.get("cframes") is None:
        return
    found = [c for c in got["cframes"] if c["function"] != "slp_restore_tracing"]
    if [number(c["id"]) for c in found] != [c[0] for c in want["cframes"]]:
        yield "cframes: %r, not %r" % (found, want["cframes"])
        return
    for mine, (_, function, value, after) in zip(found, want["cframes"]):
        if mine["after"] != after or mine["function"] not in (None, function, "slp_" + function):
            yield "cframe: %r, not %s after %d" % (mine, function, after)
        if function == "run_cframe" and (mine["callable"] or {}).get("repr") != value["repr"]:
            yield "callable: %r, not %r" % (mine["callable"], value)
        if function != "run_cframe" and mine["callable"]:
            yield "callable: %r of %s" % (mine["callable"], function)


def differences_of_tasklet(want, got):
    for key in SAME:
        if want[key] != got[key]:
            yield "%s: %r, not %r" % (key, got[key], want[key])
    for key in IDS:
        if want[key] != number(got[key]):
            yield "%s: %s, not %r" % (key, got[key], want[key])
    # os.abort() itself counts in the running tasklet of 3.8
    if abs(want["recursion_depth"] - got["recursion_depth"]) > want.get(
        "recursion_depth_tolerance", 0
    ):
        yield "recursion_depth: %d, not %d" % (got["recursion_depth"], want["recursion_depth"])
    value = got["tempval"] or {}
    if want["tempval"] != {
        "id": number(value.get("id")),
        "type": value.get("type"),
        "repr": value.get("repr"),
    }:
        yield "tempval: %r, not %r" % (value, want["tempval"])
    if want["type"] != got["type"]:
        yield "type: %r, not %r" % (got["type"], want["type"])
    yield from differences_of_cstate(want["cstate"], got["cstate"])
    yield from differences_of_cframes(want, got)
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
            got[k] != channel[k]
            for k in ("balance", "closed", "closing", "preference", "schedule_all", "type")
        ):
            yield "channel: %r, not %r" % (got, channel)
    threads = {s["thread_id"]: s for s in schedulers}
    for thread in want["threads"]:
        got = threads.get(thread["thread_id"])
        if not got or (number(got["main"]), number(got["current"]), got["runcount"]) != (
            thread["main"],
            thread["current"],
            thread["runcount"],
        ):
            yield "scheduler: %r, not %r" % (got, thread)
    rings = [
        [number(t) for t in s["ring"]]
        for s in schedulers
        if number(s["current"]) == want["current"]
    ]
    if want["current"] is not None and rings != [want["ring"]]:
        yield "ring: %r, not %r" % (rings, want["ring"])


def same_exception(found, text):
    """Versions before 3.7 write a comma behind a single argument."""
    return (found or {}).get("repr") in (text, text[:-1] + ",)")


def differences_from_expected(expected, tasks, schedulers):
    """What the program knew beside the attributes."""
    mine = {str(number(t["id"])): t for t in tasks}
    for key, text in expected.get("handles", {}).items():
        if not same_exception(mine[key]["exception"], text):
            yield "handled by %s: %r, not %s" % (mine[key]["id"], mine[key]["exception"], text)
    for key, (kind, text) in expected.get("bomb", {}).items():
        bomb = mine[key]["bomb"]
        if not bomb or bomb["type"] != kind or (text and text not in bomb["value"]["repr"]):
            yield "bomb of %s: %r, not %s of %s" % (mine[key]["id"], bomb, kind, text)
    for key, text in expected.get("entry", {}).items():
        if (mine[key]["entry"] or {}).get("repr") != text:
            yield "entry of %s: %r, not %s" % (mine[key]["id"], mine[key]["entry"], text)
    for key, text in expected.get("tempval", {}).items():
        if mine[key]["tempval"]["repr"] != text:
            yield "value of %s: %r, not %s" % (mine[key]["id"], mine[key]["tempval"], text)
    if "interrupted" in expected and [number(s["interrupted"]) for s in schedulers] != [
        expected["interrupted"]
    ]:
        yield "interrupted: %r, not %d" % (schedulers, expected["interrupted"])
    if "watchdogs" in expected:
        found = re.findall("0x[0-9a-f]+", schedulers[0]["watchdogs"]["repr"])
        if [int(text, 16) for text in found] != expected["watchdogs"]:
            yield "watchdogs: %r, not %r" % (schedulers[0]["watchdogs"], expected["watchdogs"])
