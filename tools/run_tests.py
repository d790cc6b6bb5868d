"""Run the unit tests (meson, TAP) and pytest, and end with one line: N passed, N failed, N
skipped."""
import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build")


def count(path):
    """(passed, failed, skipped) of a JUnit file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return [passed, failed, skipped]


def run(command, junit):
    """Run one suite. A suite that died without telling how counts as a failure."""
    if os.path.exists(junit):
        os.remove(junit)
    status = subprocess.call(command, cwd=TOP)
    try:
        counts = count(junit)
    except (OSError, ElementTree.ParseError):
        counts = [0, 0, 0]
    if status not in (0, 5) and not counts[1]:  # 5: pytest collected nothing
        counts[1] = 1
    return counts


def parallel():
    """Options of pytest-xdist, where it is: two workers, each with the interpreters of its own."""
    if importlib.util.find_spec("xdist") is None:
        return []
    return ["-n", str(max(2, os.cpu_count() or 2)), "--dist", "loadgroup"]


def main():
    logs = os.path.join(BUILD, "meson-logs")
    unit = run(
        ["meson", "test", "-C", BUILD, "--suite", "unit", "--no-rebuild", "--print-errorlogs"],
        os.path.join(logs, "testlog.junit.xml"),
    )
    junit = os.path.join(logs, "pytest.junit.xml")
    pytest = run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rfE",
            "-p",
            "no:cacheprovider",
            "--junitxml",
            junit,
        ]
        + parallel()
        + (sys.argv[1:] or ["tests"]),
        junit,
    )
    total = [a + b for a, b in zip(unit, pytest)]
    print("%d passed, %d failed, %d skipped" % tuple(total), flush=True)
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
