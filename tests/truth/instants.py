"""Counts what is false in the stacks of programs that were stopped at a random instant.

tests/programs/busy.py is killed by SIGABRT whenever it pleases. Its faulthandler writes the frames
of the thread that took the signal, which is the one that runs; the core follows in the same stop.
Both must have the same frames, or the answer must say that something is missing.

python3 -m tests.truth.instants [--seconds N] [--seed N] [INTERPRETER...]
"""
import argparse
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tests.support import interpreters, programs, run

PROGRAM = programs.Program('busy', 'busy.py', since=(3, 6))
FRAME = re.compile(r'  File "(.*)", line (\d+) in (.*)')


def usable(interpreter):
    return not interpreter.reason and PROGRAM.runs_on(interpreter) and not interpreter.stackless


def told(path):
    """(function, line, file) of the thread that took the signal, newest first."""
    with open(path) as source:
        text = source.read()
    part = re.search(r'(?m)^Current thread .*\n((?:  .*\n)*)', text)
    found = FRAME.findall(part.group(1)) if part else []
    return [(name, int(line), file) for file, line, name in found]


def stop_at_an_instant(interpreter, directory, choose):
    """The core and faulthandler's frames of a run of the program."""
    script = run.prepare(PROGRAM, directory)
    env = run.environment(directory, 'none', {'PYSCRY_FAULTS': os.path.join(directory, 'faults')})
    process = subprocess.Popen(
        interpreter.command + [script],
        cwd=directory,
        env=env,
        preexec_fn=run.limits,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + 60
    while not os.path.exists(os.path.join(directory, 'truth.json')):
        if process.poll() is not None or time.monotonic() > give_up:
            process.kill()
            raise RuntimeError('%s does not run %s' % (interpreter.tag, PROGRAM.name))
        time.sleep(0.01)
    time.sleep(choose.random() * 0.1)
    process.send_signal(signal.SIGABRT)
    process.wait(60)
    found = [name for name in os.listdir(directory) if name.startswith('core')]
    if not found:
        raise run.NoCore('no core of %s' % interpreter.tag)
    return os.path.join(directory, found[0]), told(os.path.join(directory, 'faults'))


def begins(core, name, line, file):
    """Does a frame in that line still wait for its first instruction, as faulthandler does not?
    It is where its definition begins: at a decorator, where there is one."""
    path = os.path.join(os.path.dirname(core), file)
    if name.startswith('<') or not os.path.exists(path):  # "<string>", "<frozen os>"
        return True
    with open(path, encoding='utf-8') as source:
        text = ([''] + source.read().splitlines() + [''] * line)[line].strip()
    return 'def %s(' % name in text or text.startswith('@')


def judge(interpreter, core, told):
    """('same', 'marked' or 'wrong', why)"""
    answer, status, errors = run.answer(core, *run.where(interpreter))
    crashed = [t for t in answer['threads'] if t['crashed']]
    frames = crashed[0]['frames'] if crashed else []
    got = [(frame['function'], frame['line']) for frame in frames]
    # it calls the line of the instruction before a module's first line 0
    wanted = [(name, line or None) for name, line, _ in told]
    # faulthandler ends at a link that is just being made, and after 100 frames
    if got[: len(wanted)] == wanted and (len(got) == len(wanted) or got[-1][0] == '<module>'):
        return 'same', ''
    if got == wanted[1:] and begins(core, *told[0]):
        return 'same', ''  # sys._current_frames() leaves it out too
    if status or errors or any(frame.get('error') for frame in frames):
        return 'marked', ''
    return 'wrong', '%s is told, %s is shown' % (wanted, got)


def campaign(chosen, seconds, seed=1, say=None):
    """Stop programs on the interpreters in turn until the time is up: (outcomes, what was
    wrong)."""
    outcomes, wrong = collections.Counter(), []
    end = time.monotonic() + seconds
    choose = random.Random(seed)
    for i in range(1 << 30):
        if time.monotonic() > end:
            break
        interpreter = chosen[i % len(chosen)]
        directory = tempfile.mkdtemp(prefix='pyscry-truth-')
        try:
            core, wanted = stop_at_an_instant(interpreter, directory, choose)
            # a signal that comes while the thread has no state of its own tells nothing
            outcome, why = judge(interpreter, core, wanted) if wanted else ('same', '')
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        outcomes[outcome] += 1
        if outcome == 'wrong':
            wrong.append('%s: %s' % (interpreter.tag, why))
            if say:
                say(wrong[-1])
    return outcomes, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('interpreters', nargs='*', help='tags; without any, all')
    options = parser.parse_args()
    found = [i for i in interpreters.everything() if usable(i)]
    chosen = [i for i in found if i.tag in options.interpreters or not options.interpreters]
    outcomes, wrong = campaign(
        chosen, options.seconds, options.seed, lambda line: print(line, flush=True)
    )
    print('stopped at an instant: %s' % ', '.join('%d %s' % (n, o) for o, n in outcomes.items()))
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
