"""Measures py-tasks on 100,000 tasks, py-generators on ten times as many generators among a hundred
times as many objects, and py-greenlets on a tenth as many greenlets: seconds and peak memory.

bench/tasks.py [TASKS] [INTERPRETER...]

INTERPRETER is a tag as `python3 -m tests.support.interpreters` lists them; the default is the
newest of this machine's own.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP)

from tests.support import interpreters, programs, run  # noqa: E402


def measure(command):
    """(seconds, megabytes at the peak) of a command, or None where it fails."""
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        os.execv(command[0], command)
    _, status, usage = os.wait4(child, 0)
    return None if status else (time.perf_counter() - begin, usage.ru_maxrss / 1024)


def workload(interpreter, kind, count, directory):
    """A core of bench/workloads.py, or None where there is none (no greenlet)."""
    os.makedirs(directory)
    shutil.copy(os.path.join(TOP, 'bench', 'workloads.py'), directory)
    subprocess.run(
        interpreter.command + ['workloads.py', kind, count],
        cwd=directory,
        preexec_fn=run.limits,
        env=run.environment(directory, 'abort'),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return next(
        (
            os.path.join(directory, name)
            for name in os.listdir(directory)
            if name.startswith('core')
        ),
        None,
    )


def show(interpreter, count, what, core, commands):
    for command in commands:
        found = measure([run.cli(), *run.where(interpreter), core, *command])
        print(
            '%-16s %8s %-9s  %-18s %s'
            % (
                interpreter.tag,
                count,
                what,
                ' '.join(command),
                '%6.2f s %6.0f MB' % found if found else 'failed',
            ),
            flush=True,
        )


def main():
    arguments = sys.argv[1:]
    count = arguments.pop(0) if arguments and arguments[0].isdigit() else '100000'
    known = [
        each for each in interpreters.everything() if not each.reason and each.version >= (3, 7)
    ]
    chosen = [each for each in known if each.tag in arguments] or [
        each for each in known if each.root is None
    ][-1:]
    for interpreter in chosen:
        directory = tempfile.mkdtemp()
        try:
            dump = run.crash(
                interpreter,
                programs.Program('tasks', 'tasks.py', (count,)),
                os.path.join(directory, 'tasks'),
            )
            show(
                interpreter,
                count,
                'tasks',
                dump.core,
                (['tasks', '--tree'], ['--json', 'tasks'], ['tasks'], ['generators']),
            )
            number = str(int(count) * 10)
            core = workload(
                interpreter, 'generators', number, os.path.join(directory, 'generators')
            )
            show(
                interpreter, number, 'generators', core, (['generators'], ['--json', 'generators'])
            )
            number = str(int(count) // 10)
            core = workload(interpreter, 'greenlets', number, os.path.join(directory, 'greenlets'))
            if core:
                show(
                    interpreter,
                    number,
                    'greenlets',
                    core,
                    (
                        ['greenlets', '--tree'],
                        ['--json', 'greenlets'],
                        ['greenlets'],
                        ['greenlets', '-v'],
                    ),
                )
        finally:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
    main()
