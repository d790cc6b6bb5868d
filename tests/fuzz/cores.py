"""Damages real cores of real interpreters where it hurts, and runs the command line on them.

Random bytes of a core of 10 MB hit nothing that matters, so words are changed at and around what
pyscry itself reads: frames, code objects, locals and what they point to. Same seed, same damage. A
run must end by itself with status 0, 1 or 2, without a word from a sanitizer, in bounded time and
memory.

python3 -m tests.fuzz.cores [--seconds N] [--seed N] [--pyscry PROGRAM] [--core FILE]: until the
time is up; with --core, the one damage of that seed.
"""
import argparse
import functools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from tests.support import interpreters, programs, run
from tests.support.corefile import CoreFile

SECONDS, MEGABYTES = 30, 1500
COMMANDS = [
    ['bt', '--all'],
    ['--json', '--locals', 'bt', '--all'],
    ['bt-full'],
    ['threads'],
    ['info', '--layout'],
    ['regs'],
    ['--json', 'bt', '--all', '--native'],
    ['exc', '--all'],
    ['dis', '--all'],
    ['locals'],
    ['generators'],
    ['tasks'],
    ['greenlets'],
    ['tasklets'],
    ['zombies'],
    ['modules', '--all'],
]
VALUES = [
    0,
    1,
    8,
    -1,
    -8,
    1 << 31,
    (1 << 31) - 1,
    1 << 47,
    (1 << 47) - 8,
    1 << 63,
    0x4141414141414141,
    0xDDDDDDDDDDDDDDDD,
    0xFDFDFDFDFDFDFDFD,
]


def anchors(path, program, limit=4000):
    """Addresses of frames and locals, and of what they point to, that the core file holds."""
    status, output, _ = measured([program, '--json', '--locals', path, 'bt', '--all'])
    found = []
    for thread in json.loads(output)['threads']:
        for frame in thread['frames']:
            found.append(int(frame['address'], 16))
            found += [int(variable['address'], 16) for variable in frame.get('locals', [])]
    with CoreFile(path) as core:
        found = [address for address in dict.fromkeys(found) if core.offset(address, 8) is not None]
        for address in list(found):
            for at in range(address, address + 96, 8):
                value = core.word(at)
                if value and value % 8 == 0 and core.offset(value, 8) is not None:
                    found.append(value)
    return list(dict.fromkeys(found))[:limit]


@functools.lru_cache(maxsize=1)
def stack_words(path, program):
    """Stack pointers of the C frames: where --native reads."""
    status, output, _ = measured([program, '--json', path, 'regs', '--all-frames'])
    return [
        int(register['value'], 16)
        for frame in json.loads(output).get('native_frames', ())
        for register in frame['registers']
        if register['saved'] == 'stack pointer' and register['value']
    ]


def damage(core, places, seed):
    """Change a few words; returns how to undo it."""
    chance = random.Random(seed)
    undo = []
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = (
            chance.choice(places)
            + 8 * chance.choice((0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32))
            & ~7
        )
        old = core.word(at)
        if old is None:
            continue
        kind = chance.randrange(5)
        new = (
            chance.choice(VALUES)
            if kind == 0
            else chance.choice(places)
            if kind == 1
            else old ^ 1 << chance.randrange(64)
            if kind == 2
            else old + chance.choice((-64, -8, -1, 1, 7, 8, 64, 4096))
            if kind == 3
            else chance.getrandbits(64)
        )
        undo.append((at, old))
        core.set_word(at, new)
    return undo


def measured(command):
    """(status, output, what is wrong)"""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=dict(os.environ, UBSAN_OPTIONS='halt_on_error=1:print_stacktrace=1'),
        )
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - begin > SECONDS:
                process.kill()
                os.wait4(process.pid, 0)
                process.returncode = -9
                return None, b'', 'still running after %d s' % SECONDS
            time.sleep(0.002)
        process.returncode = status
        output.seek(0)
        errors.seek(0)
        text, complaint = output.read(), errors.read().decode(errors='replace')
    if (
        os.WIFSIGNALED(status)
        or os.WEXITSTATUS(status) > 2
        or 'Sanitizer' in complaint
        or 'runtime error' in complaint
    ):
        return status, text, 'status %#x: %s' % (status, complaint[-3000:])
    if usage.ru_maxrss > MEGABYTES * 1024:
        return status, text, '%d MB of memory' % (usage.ru_maxrss // 1024)
    return os.WEXITSTATUS(status), text, None


def attack(path, program, places, seed):
    """The damage of one seed, one command: None, or what went wrong."""
    command = COMMANDS[seed % len(COMMANDS)]
    if '--native' in command:
        places = stack_words(path, program) or places
    with CoreFile(path) as core:
        undo = damage(core, places, seed)
        try:
            problem = measured([program, path] + command)[2]
        finally:
            for at, old in reversed(undo):
                core.set_word(at, old)
    return problem and 'seed %d, %s: %s' % (seed, ' '.join(command), problem)


def cores(directory):
    for interpreter in interpreters.everything():
        if not interpreter.reason and interpreter.root is None:
            for name in ('flow', 'threads'):
                place = os.path.join(directory, '%s-%s' % (interpreter.tag, name))
                try:
                    yield run.crash(interpreter, programs.find(name), place).core
                except run.NoCore as error:
                    print(error)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--pyscry', default=run.cli())
    parser.add_argument('--core')
    options = parser.parse_args()
    if options.core:
        problem = attack(
            options.core, options.pyscry, anchors(options.core, options.pyscry), options.seed
        )
        sys.exit(problem)
    directory = tempfile.mkdtemp()
    try:
        paths = list(cores(directory))
        places = {path: anchors(path, options.pyscry) for path in paths}
        end, seed = time.monotonic() + options.seconds, options.seed
        while paths and time.monotonic() < end:
            path = paths[seed % len(paths)]
            problem = attack(path, options.pyscry, places[path], seed)
            if problem:
                kept = os.path.join(os.getcwd(), 'fuzz-failure.core')
                shutil.copy(path, kept)
                sys.exit('%s\n%s\nagain: --core %s --seed %d' % (path, problem, kept, seed))
            seed += 1
        print('cores: %d damaged, none did harm' % (seed - options.seed))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
    main()
