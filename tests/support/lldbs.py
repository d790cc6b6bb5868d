"""LLDBs of this machine, and what commands say in one."""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

from tests.support.story import TOP, clean_environment

LLDBINIT = os.path.join(TOP, "lldbinit")
RUNNER = os.path.join(TOP, "tests", "support", "lldb_said.py")
NAMES = ["lldb"] + ["lldb-%d" % version for version in range(14, 30)]


def has_python(program, environment):
    done = subprocess.run(
        [program, "--no-lldbinit", "-b", "-o", "script print('is', 'there')"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    return b"is there" in done.stdout


def environment_of(program):
    """The environment in which an LLDB's Python starts, or None. Debian's lldb-14 must be told
    where its own is."""
    environment = clean_environment()
    if has_python(program, environment):
        return environment
    version = re.search(r"(\d+)$", os.path.realpath(program))
    for path in glob.glob(
        "/usr/lib/llvm-%s/lib/python3*/*-packages" % (version.group(1) if version else "*")
    ):
        if has_python(program, dict(environment, PYTHONPATH=path)):
            return dict(environment, PYTHONPATH=path)
    return None


def find():
    """(program, environment) of each LLDB; $PYSCRY_LLDB names others, with ":" between them."""
    named = [path for path in os.environ.get("PYSCRY_LLDB", "").split(":") if path]
    found = {
        os.path.realpath(path): path for path in named or filter(None, map(shutil.which, NAMES))
    }
    pairs = [(path, environment_of(path)) for path in found.values()]
    return [(path, environment) for path, environment in pairs if environment]


class Lldb:
    """say(commands, *words): what each command said, with `out`, `err` and `ok`."""

    def __init__(self, program, environment):
        self.program, self.environment = program, environment

    def __call__(self, commands, *words, first=(), **environment):
        with tempfile.TemporaryDirectory() as directory:
            answers = os.path.join(directory, "answers")
            lines = list(first) + [
                "command source -s true " + LLDBINIT,
                "command script import " + RUNNER,
            ]
            lines += ["script lldb_said.say(%d)" % index for index in range(len(commands))] + [
                "script lldb_said.done()"
            ]
            line = [self.program, "--no-lldbinit", "-b"]
            for each in lines:
                line += ["-o", each]
            line += [str(word) for word in words]
            done = subprocess.run(
                line,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=120,
                env=dict(
                    self.environment,
                    LLDB_COMMANDS=json.dumps(list(commands)),
                    LLDB_ANSWERS=answers,
                    **environment,
                ),
            )
            assert os.path.exists(answers), done.stdout + done.stderr
            with open(answers, encoding="utf-8") as source:
                said = [Said(each) for each in json.load(source)]
            assert len(said) == len(commands), done.stdout + done.stderr
            return said


class Said:
    """What one command said."""

    def __init__(self, fields):
        self.command, self.out, self.err, self.ok = (
            fields[key] for key in ("command", "out", "err", "ok")
        )
