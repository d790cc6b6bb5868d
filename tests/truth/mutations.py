"""Counts what is false in the answers on cores of which one word was changed.

tests/programs/mutated.py writes down where the words of its frames, code objects, thread states,
types, dictionaries and strings lie. One of them gets another value, the commands are asked, and
their answers are compared with those on the core as it was, which are true (test_mutations.py
compares them with what the program knows). An answer is

    same     as before the change, or null, "not known", in places
    marked   another one, and said to be so: exit status 1 or 2, a reason on stderr
    wrong    another one that says nothing

The changes follow from the seed. A word that holds nothing but data (the letters of a string, a
number's digits) is left alone: no reader can know what stood there.

python3 -m tests.truth.mutations [--seconds N] [--seed N] [--verbose] [INTERPRETER...]
"""
import argparse
import collections
import json
import os
import random
import shutil
import sys
import tempfile
import time

from tests.support import interpreters, programs, run
from tests.support.corefile import CoreFile

PROGRAM = programs.Program('mutated', 'mutated.py', ctypes=True)
COMMANDS = [
    ['--locals', 'bt', '--all'],
    ['threads'],
    ['print', 'values'],
    ['print', 'Plain'],
    ['exc', '--all'],
    ['generators'],
    ['locals'],
    ['list'],
]
OUTCOMES = ('same', 'marked', 'wrong')
PATTERNS = [0, 1, 2, 3, 50, 4096, -1, -8, 1 << 20, 1 << 31, 1 << 47, 1 << 63]
PATTERNS += [0x4141414141414141, 0xDDDDDDDDDDDDDDDD, 0xFDFDFDFDFDFDFDFD]


def usable(interpreter):
    """What the program's offsets hold for; 64 bits."""
    return (
        not interpreter.reason
        and interpreter.ctypes
        and not interpreter.debug
        and not interpreter.free_threaded
        and not interpreter.stackless
        and interpreter.machine != '32-bit'
        and (interpreter.version[0] == 2 or interpreter.version >= (3, 6))
    )


class Subject:
    """A core of which the truth is known, its places, and the answers on it."""

    def __init__(self, interpreter, directory):
        self.interpreter = interpreter
        self.dump = run.crash(interpreter, PROGRAM, directory)
        self.core = self.dump.core
        self.places = self.dump.truth['places']
        self.others = self.dump.truth['others']
        self.right = {tuple(command): self.ask(command) for command in COMMANDS}
        self.file = CoreFile(self.core)

    def ask(self, command):
        options = [each for each in command if each == '--locals']
        words = [each for each in command if each != '--locals']
        where = run.where(self.interpreter)
        return run.pyscry('--json', *options, *where, self.core, *words, timeout=60)

    def mutate(self, choose, kinds=None):
        """Change one word: (kind, its number in what it is part of, address, old and new value)."""
        while True:
            found = sorted({place[0] for place in self.places})
            kind = choose.choice([each for each in found if not kinds or each in kinds])
            _, address, words = choose.choice([p for p in self.places if p[0] == kind])
            number = choose.randrange(words)
            at = address + 8 * number
            old = self.file.word(at)
            if old is None:
                continue
            new = (
                choose.choice(
                    [
                        choose.choice(PATTERNS),
                        choose.choice(self.others),
                        old ^ 1 << choose.randrange(64),
                        old ^ 1 << choose.randrange(12),
                        old + choose.choice([-16, -8, -1, 1, 8, 16, 64]),
                        choose.getrandbits(64),
                    ]
                )
                & (1 << 64) - 1
            )
            if new != old and not is_data(self, kind, number, old, new):
                self.file.set_word(at, new)
                return kind, number, at, old, new


def is_data(subject, kind, number, old, new):
    """Is the word nothing but a value, so that another one is as good?"""
    version = subject.interpreter.version
    if number == 0 and not (kind == 'frame' and version >= (3, 11)):
        return True  # a count of references
    if kind == 'frame' and version < (3, 11):
        # the function that traces; from 3.7, or 3.10, on at lower offsets: the instruction
        return number == 10 or number >= 12 and abs(low(old) - low(new)) < 4096
    if kind == 'frame':
        return number == 7 and abs(old - new) < 4096  # another instruction of the code
    if kind == 'table' and version < (3, 10) and number == 2:
        return abs(old - new) < 16  # a pair more or less: up to 3.9 the last line has no end
    if kind == 'value float':
        return number == 2
    if kind in ('value int', 'value long'):
        return number == 3
    if kind == 'value str' and version[0] == 2 or kind in ('value bytes', 'table'):
        return number in (3, 4)  # the hash (2.7: and the state), letters
    if kind == 'value str':
        return number == 3
    if kind in ('value list', 'value tuple', 'names'):
        return number == 3 and kind != 'value list'
    return False


def low(word):
    return word & 0xFFFFFFFF


def is_marked(answer):
    status, output, errors = answer
    return status != 0 or bool(errors.strip())


class Count:
    def __init__(self):
        self.by_kind = collections.defaultdict(collections.Counter)
        self.wrong = []

    def add(self, kind, outcome):
        self.by_kind[kind][outcome] += 1

    def total(self, outcome):
        return sum(each[outcome] for each in self.by_kind.values())

    def __str__(self):
        lines = ['%-18s %8s %8s %8s' % (('changed',) + OUTCOMES)]
        for kind in sorted(self.by_kind):
            each = self.by_kind[kind]
            lines.append('%-18s %8d %8d %8d' % (kind, each['same'], each['marked'], each['wrong']))
        totals = tuple(map(self.total, OUTCOMES))
        return '\n'.join(lines + ['%-18s %8d %8d %8d' % (('all',) + totals)])


def difference(right, got, place=''):
    """Where two answers differ, but for what the second one does not know; None nowhere."""
    if got is None or right == got:
        return None
    if isinstance(right, dict) and isinstance(got, dict):
        if got.get('error') and not right.get('error'):
            return None  # marked in its place
        found = (difference(right.get(key), got[key], '%s.%s' % (place, key)) for key in got)
        return next(filter(None, found), None)
    if isinstance(right, list) and isinstance(got, list) and len(right) == len(got):
        pairs = enumerate(zip(right, got))
        found = (difference(a, b, '%s[%d]' % (place, i)) for i, (a, b) in pairs)
        return next(filter(None, found), None)
    return '%s: %.150r -> %.150r' % (place, right, got)


def parsed(output):
    try:
        return json.loads(output)
    except ValueError:
        return output


def try_one(subject, seed, count, kinds=None):
    choose = random.Random(seed)
    kind, number, at, old, new = subject.mutate(choose, kinds)
    outcome = 'same'
    try:
        for command in COMMANDS[:1] + choose.sample(COMMANDS[1:], 2):
            right, got = subject.right[tuple(command)], subject.ask(command)
            if got[:2] == right[:2]:
                continue
            if is_marked(got):
                outcome = 'marked'
                continue
            found = difference(parsed(right[1]), parsed(got[1]))
            if not found:
                continue
            outcome = 'wrong'
            change = 'word %d of a %s at 0x%x, 0x%x -> 0x%x' % (number, kind, at, old, new)
            count.wrong.append(
                '%s --seed %d: %s: %s: %s'
                % (subject.interpreter.tag, seed, change, ' '.join(command), found)
            )
            break
    finally:
        subject.file.set_word(at, old)
    count.add(kind, outcome)


def campaign(chosen, seconds, seed=1, say=None, most=None, kinds=None):
    """Mutate cores of the interpreters in turn until the time is up; a Count."""
    count = Count()
    directory = tempfile.mkdtemp(prefix='pyscry-truth-')
    end = time.monotonic() + seconds
    try:
        subjects = []
        for each in chosen:
            subjects.append(Subject(each, os.path.join(directory, each.tag)))
        while time.monotonic() < end and (most is None or seed <= most):
            before = len(count.wrong)
            try_one(subjects[seed % len(subjects)], seed, count, kinds)
            if say:
                for line in count.wrong[before:]:
                    say(line)
            seed += 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--kind', action='append', help='change words of these kinds only')
    parser.add_argument('interpreters', nargs='*', help='tags; without any, all')
    options = parser.parse_args()
    found = [i for i in interpreters.everything() if usable(i)]
    chosen = [i for i in found if i.tag in options.interpreters or not options.interpreters]
    count = campaign(
        chosen,
        options.seconds,
        options.seed,
        lambda line: print(line, flush=True),
        kinds=options.kind,
    )
    print(count)
    sys.exit(1 if count.wrong else 0)


if __name__ == '__main__':
    main()
