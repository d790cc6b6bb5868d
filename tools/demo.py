"""Crash a small Python program, and look at its core in gdb and with the pyscry command."""
import glob
import os
import resource
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYSCRY = os.path.join(TOP, "build", "src", "cli", "pyscry")
PROGRAM = os.path.join(TOP, "tools", "demo_crash.py")


def say(text):
    print("\n\033[1m%s\033[0m" % text if sys.stdout.isatty() else "\n" + text, flush=True)


def make_core(directory):
    """Crash; where the kernel hands cores to somebody else, gdb writes one."""
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    subprocess.call(
        [sys.executable, PROGRAM],
        cwd=directory,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (limit, limit)),
    )
    found = glob.glob(os.path.join(directory, "*core*"))
    if found:
        return found[0]
    path = os.path.join(directory, "core")
    subprocess.call(
        [
            "gdb",
            "-nx",
            "-q",
            "-batch",
            "-ex",
            "run",
            "-ex",
            "generate-core-file " + path,
            "-ex",
            "kill",
            "--args",
            sys.executable,
            PROGRAM,
        ],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return path


def show(command):
    say("$ " + " ".join("'%s'" % word if " " in word else word for word in command))
    return subprocess.call(command, stdin=subprocess.DEVNULL)


def main():
    with tempfile.TemporaryDirectory(prefix="pyscry-demo-") as directory:
        say("Crashing %s ..." % os.path.relpath(PROGRAM))
        core = make_core(directory)
        status = show(
            [
                "gdb",
                "-nx",
                "-q",
                "-batch",
                "-iex",
                "set debuginfod enabled off",
                "-x",
                os.path.join(TOP, "gdbinit"),
                "-ex",
                "echo \\n(gdb) py-bt\\n",
                "-ex",
                "py-bt",
                "-ex",
                "echo \\n(gdb) py-threads\\n",
                "-ex",
                "py-threads",
                sys.executable,
                core,
            ]
        )
        status |= show([PYSCRY, core])
        status |= show([PYSCRY, core, "bt-full"])
        status |= show([PYSCRY, core, "threads"])
    say("Yours: gdb -x %s -c CORE, then py-bt; or %s CORE" % (os.path.join(TOP, "gdbinit"), PYSCRY))
    return status


if __name__ == "__main__":
    sys.exit(main())
