"""Programs that crash or wait, and how to run things beside them: what the tests of the front ends
share."""
import glob
import os
import resource
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PYSCRY_BUILD", os.path.join(TOP, "build"))
PYSCRY = os.path.join(BUILD, "src", "cli", "pyscry")
GDBINIT = os.path.join(TOP, "gdbinit")

STORY = '''# -*- coding: utf-8 -*-
import os, sys, threading, time

class Job(object):
    def __init__(self, name, cost):
        self.name = name
        self.cost = cost

    def weigh(self, factor):
        product = self.cost * factor
        if product > 4:
            return stop()
        return product

def stop():
    if sys.argv[1] == "crash":
        os.abort()
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    while True:
        time.sleep(600)

def plan(jobs, *more, **options):
    total = u"caf\\xe9"
    def key(job):
        return job.weigh(2) and total
    return sorted(jobs, key=key)

def waiter(label):
    time.sleep(600)

thread = threading.Thread(target=waiter, args=("one",), name="waiter")
thread.daemon = True
thread.start()
time.sleep(0.2)
plan([Job("a", 1), Job("b", 2), Job("c", 3)], 1, 2, mode="fast")
'''


def interpreters():
    found = ["/usr/bin/python3"]
    for path in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python"))):
        found.append(path)
    return [path for path in found if os.path.exists(path)]


def name_of(path):
    return "debian" if path.startswith("/usr/") else path.split("/")[-3]


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "surrogateescape")
        self.err = done.stderr.decode("utf-8", "surrogateescape")


def clean_environment(**more):
    """Nothing of the user's that could matter; which library is tested stays (./dev coverage)."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key == "PYSCRY_LIBRARY"
        or not key.startswith(("PYTHON", "PYSCRY", "DEBUGINFOD", "NO_COLOR", "CLICOLOR"))
    }
    return dict(environment, LC_ALL="C.UTF-8", **more)


def run(command, timeout=120, env=None, **options):
    return Result(
        subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            env=env or clean_environment(),
            **(options if "input" in options else dict(options, stdin=subprocess.DEVNULL)),
        )
    )


def make_core(python, directory, source, *words):
    """Run a program that aborts, in a directory of its own; the core's path, or a skip."""
    script = os.path.join(str(directory), "story.py")
    with open(script, "wb") as out:
        out.write(source.encode("utf-8"))
    unlimited = resource.RLIM_INFINITY
    subprocess.call(
        [python, script] + list(words),
        cwd=str(directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (unlimited, unlimited)),
    )
    found = glob.glob(os.path.join(str(directory), "*core*"))
    if not found:
        pytest.skip("the kernel writes no core files here (core_pattern)")
    return found[0]
