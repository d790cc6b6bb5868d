"""Runs fuzz_values on cores of every interpreter and of several programs, the time divided among
them.

python3 -m tests.fuzz.values --fuzzer PROGRAM [--seconds N] [--seed N]
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

from tests.support import interpreters, programs, run

PROGRAMS = [
    programs.Program('values', 'values.py', ctypes=True),
    programs.Program('exceptions', 'values_exceptions.py'),
    programs.Program('handled', 'handled.py'),
    programs.Program('generators', 'generators.py'),
    programs.Program('tasks', 'tasks.py', since=(3, 6)),
    programs.Program('tasklets', 'tasklets.py'),
]


def pairs():
    for interpreter in interpreters.everything():
        for program in PROGRAMS:
            if (
                not interpreter.reason
                and program.runs_on(interpreter)
                and (program.name != 'tasklets' or interpreter.stackless)
            ):
                yield interpreter, program


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--fuzzer', required=True)
    options = parser.parse_args()
    todo = list(pairs())
    end = time.monotonic() + options.seconds
    directory = tempfile.mkdtemp()
    failed = 0
    try:
        for n, (interpreter, program) in enumerate(todo):
            share = (end - time.monotonic()) / (len(todo) - n)
            place = os.path.join(directory, str(n))
            try:
                dump = run.crash(interpreter, program, place)
            except (run.NoCore, RuntimeError) as error:
                print(str(error)[-200:])
                continue
            root = ['--sysroot', interpreter.root] if interpreter.root else ['--exe', dump.exe]
            print(interpreter.tag, program.name, end=': ', flush=True)
            command = (
                [options.fuzzer]
                + root
                + [
                    '--seconds',
                    str(max(share, 1)),
                    '--seed',
                    str(options.seed + n * 1000000),
                    dump.core,
                ]
            )
            if subprocess.call(command):
                print(
                    'again: ' + ' '.join(command[:-1]),
                    '--inputs 1 --seed SEED',
                    os.path.abspath('fuzz-failure.core'),
                )
                failed += 1
            shutil.rmtree(place, ignore_errors=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(min(failed, 1))


if __name__ == '__main__':
    main()
