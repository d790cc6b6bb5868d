"""Crash a small Python program, look at its core in gdb, and at the same program alive with the
pyscry command. The core stays in build/demo, for the reader's own questions."""
import glob
import os
import resource
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYSCRY = os.path.join(TOP, "build", "src", "cli", "pyscry")
PLACE = os.path.join(TOP, "build", "demo")
GDB = ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off"]
# what is asked, and what the answer shows
STORY = [
    ("py-threads", "Who died of what, who holds the GIL:"),
    ("py-bt", "The Python stack of the thread that crashed:"),
    ("py-bt --native --limit 12", "Where in C it was, and which C frame runs which Python frame:"),
    ("py-up 2", "Two frames up:"),
    ("py-locals", None),
    ("py-print job.name", "Values, as Python's repr() has them; nothing of it is run:"),
    ("py-exc", "The exception that was being handled:"),
    ("py-tasks", "asyncio's tasks, and what each of them waits for:"),
]


def bold(text):
    return "\033[1m%s\033[0m" % text if sys.stdout.isatty() else text


def say(text):
    print("\n" + bold(text), flush=True)


def core_limit():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def make_core(program):
    """Crash; where the kernel hands cores to somebody else, gdb writes one."""
    command = [sys.executable, program]
    quiet = {"cwd": PLACE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.call(command, preexec_fn=core_limit, **quiet)
    core = os.path.join(PLACE, "core")
    found = glob.glob(core + "*")
    if found:
        os.rename(found[0], core)
        return core
    words = ["-ex", "run", "-ex", "generate-core-file " + core, "-ex", "kill", "--args"]
    subprocess.call(GDB + words + command, **quiet)
    return core


def in_gdb(core):
    """The story in one gdb: its commands, each after a line that says what is to be seen."""
    words = ["-x", os.path.join(TOP, "gdbinit")]
    for command, meaning in STORY:
        told = "\\n%s\\n" % bold(meaning) if meaning else ""
        words += ["-ex", "echo %s(gdb) %s\\n" % (told, command), "-ex", command]
    say("$ gdb -x gdbinit -c build/demo/core")
    # what gdb itself has to say of a core, and that sources are not here, is not the story
    done = subprocess.run(
        GDB + ["-ex", "set print thread-events off", "-ex", "file " + sys.executable] + words[:2]
        # its own words about the core go to a file, which nobody needs
        + ["-ex", "set logging file /dev/null", "-ex", "set logging redirect on"]
        + ["-ex", "set logging enabled on", "-ex", "core-file " + core]
        + ["-ex", "set logging enabled off"]
        + words[2:],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout.decode(errors="replace"), end="", flush=True)
    return done.returncode


def alive(program):
    child = subprocess.Popen([sys.executable, program, "wait"], cwd=PLACE, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        say("The same program alive: it is stopped for an instant, then it goes on.")
        print("$ pyscry %d" % child.pid, flush=True)
        return subprocess.call([PYSCRY, str(child.pid)], stdin=subprocess.DEVNULL)
    finally:
        child.kill()
        child.wait()


def main():
    shutil.rmtree(PLACE, ignore_errors=True)
    os.makedirs(PLACE)
    program = os.path.join(PLACE, "service.py")
    shutil.copy(os.path.join(TOP, "tools", "demo_crash.py"), program)
    print("A small service dies in C, in a sort, in an except clause, in a task of asyncio.")
    status = in_gdb(make_core(program))
    status |= alive(program)
    here = os.path.relpath(TOP)
    say("The core is still there. Try:")
    print("  gdb -x %s -c %s" % (os.path.join(here, "gdbinit"), os.path.relpath(PLACE + "/core")))
    print("  %s %s --help" % (os.path.relpath(PYSCRY), os.path.relpath(PLACE + "/core")))
    return status


if __name__ == "__main__":
    sys.exit(main())
