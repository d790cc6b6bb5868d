"""Run the lint, the unit tests (meson, TAP) and pytest; tell what was skipped and why; end with one
line: N passed, N failed, N skipped.

run_tests.py [--unit] [PYTEST-ARGUMENT...]: with --unit the unit tests alone; with arguments neither
the lint nor a table.
"""
import collections
import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("PYSCRY_BUILD") or os.path.join(TOP, "build")


def cases(path):
    """[(name, "passed" or "failed" or "skipped", why it was skipped)] of a JUnit file."""
    found = []
    for case in ElementTree.parse(path).iter("testcase"):
        name, skip = case.get("name") or "", case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            found.append((name, "failed", None))
        elif skip is not None:
            found.append((name, "skipped", skip.get("message") or ""))
        else:
            found.append((name, "passed", None))
    return found


def run(command, junit):
    """Run one suite. A suite that died without telling how counts as a failure."""
    if os.path.exists(junit):
        os.remove(junit)
    status = subprocess.call(command, cwd=TOP)
    try:
        found = cases(junit)
    except (OSError, ElementTree.ParseError):
        found = []
    if status not in (0, 5) and all(state != "failed" for _, state, _ in found):
        found.append((command[0], "failed", None))  # 5: pytest collected nothing
    return found


def parallel():
    """Options of pytest-xdist, where it is: two workers, each with interpreters of its own."""
    if importlib.util.find_spec("xdist") is None:
        return []
    return ["-n", str(max(2, os.cpu_count() or 2)), "--dist", "loadgroup"]


def lint():
    """Each check is a test."""
    import lint as checks

    print("lint, of the whole tree:", flush=True)
    states = []
    for name, found, reason in checks.run(True):
        states.append(("lint " + name, "failed" if found else "passed", None))
        if reason:
            states[-1] = ("lint " + name, "skipped", reason)
    return states


def fetched():
    """Wait for what `./dev test` has begun to fetch; a child of ours, since that became us."""
    child = os.environ.pop("PYSCRY_FETCHING", "")
    if child:
        try:
            os.waitpid(int(child), 0)
        except (ChildProcessError, ValueError):
            pass


def unit():
    print("unit tests:", flush=True)
    return run(
        ["meson", "test", "-C", BUILD, "--suite", "unit", "--no-rebuild", "--print-errorlogs"],
        os.path.join(BUILD, "meson-logs", "testlog.junit.xml"),
    )


def debuggers_and_interpreters(words):
    print("tests with interpreters and debuggers:", flush=True)
    junit = os.path.join(BUILD, "meson-logs", "pytest.junit.xml")
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider"]
    return run(command + ["--junitxml", junit] + parallel() + (words or ["tests"]), junit)


def whose(name, why):
    """(the interpreter or debugger of a skipped test, why it was skipped)."""
    tag = re.match(r"([a-z]+[\w-]*-[\w.]+|[a-z]+-pypy3?): (.*)", why, re.S)
    if tag:
        return tag.group(1), tag.group(2)
    tag = re.search(r"\[((?:pyenv|host|given|built|sid|bookworm|bullseye|i386|arm64)-[\w.]+)", name)
    return tag.group(1) if tag else "any", why


def tell_skipped(results):
    """A table of what was skipped: by interpreter, how often, why."""
    rows = collections.Counter(
        whose(name, why) for name, state, why in results if state == "skipped"
    )
    if rows:
        print("\nskipped:")
    for (tag, why), count in sorted(rows.items()):
        why = " ".join(why.split())
        print("  %-16s %5d  %s" % (tag, count, why if len(why) < 150 else why[:147] + "..."))


def main():
    words = sys.argv[1:]
    if words == ["--unit"]:
        results = unit()
    else:
        results = [] if words else lint()
        fetched()
        results += unit() + debuggers_and_interpreters(words)
        if not words:
            tell_skipped(results)
    total = collections.Counter(state for _, state, _ in results)
    print(
        "%d passed, %d failed, %d skipped" % (total["passed"], total["failed"], total["skipped"]),
        flush=True,
    )
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
