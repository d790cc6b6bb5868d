"""Counts what is false in the answers on cores of which one word was changed.

tests/programs/mutated.py writes down where the words of its frames, code objects, thread states,
types, dictionaries and strings lie. One of them gets another value, the commands are asked, and
their answers are compared with those on the core as it was, which are true (test_mutations.py
compares them with what the program knows). An answer is

    same        as before the change, or null, "not known", in places
    marked      another one, and said to be so: exit status 1 or 2, a reason on stderr
    unknowable  another one that says nothing, and a rule of UNKNOWABLE says why no reader can
    wrong       another one that says nothing

The changes follow from the seed. The rules are those of docs/reliability.md: they look at the word
and its two values only, never at an answer.

python3 -m tests.truth.mutations [--seconds N] [--seed N] [INTERPRETER...]
"""
import argparse
import collections
import json
import os
import random
import re
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
    ['tasks'],
    ['print', 'tasks'],
    ['generators'],
    ['locals'],
    ['list'],
]
OUTCOMES = ('same', 'marked', 'unknowable', 'wrong')
PATTERNS = [0, 1, 2, 3, 50, 4096, -1, -8, 1 << 20, 1 << 31, 1 << 47, 1 << 63]
PATTERNS += [0x4141414141414141, 0xDDDDDDDDDDDDDDDD, 0xFDFDFDFDFDFDFDFD]


def usable(interpreter):
    """What the program's words are known of; 64 bits."""
    return (
        not interpreter.reason
        and interpreter.ctypes
        and not interpreter.debug
        and not interpreter.stackless
        and interpreter.machine != '32-bit'
        and (interpreter.version[0] == 2 or interpreter.version >= (3, 6))
    )


def with_a_gil(interpreter):
    """Where all offsets of frames in these tests hold."""
    return usable(interpreter) and not interpreter.free_threaded


class Subject:
    """A core of which the truth is known, its places, and the answers on it."""

    def __init__(self, interpreter, directory, still=False):
        self.interpreter = interpreter
        before = os.environ.get('PWD', '')
        os.environ['PWD'] = directory  # as a shell does: relative names of sources count from it
        try:
            self.dump = run.crash(interpreter, PROGRAM, directory, still=still)
        finally:
            os.environ['PWD'] = before
        self.sources = ('--source-map', '%s=%s' % (directory, directory))
        self.core = self.dump.core
        self.places = self.dump.truth['places']
        self.others = self.dump.truth['others']
        self.objects = set(self.dump.truth['objects'])
        self.head = self.dump.truth['head'] - 2  # words more than objects with a GIL have
        self.right = {tuple(command): self.ask(command) for command in COMMANDS}
        self.file = CoreFile(self.core)
        self.types = {self.type_at(address) for address in self.objects} - {None, 0}

    def type_at(self, address):
        """The type pointer of an object there."""
        return self.file.word(address + 8 * (self.head + 1))

    def complaints(self):
        """What is marked although nothing was changed."""
        return [
            '%s unchanged: %s: %d, %s' % (self.interpreter.tag, ' '.join(command), status, errors)
            for command, (status, _, errors) in self.right.items()
            if status or errors
        ]

    def ask(self, command):
        options = [each for each in command if each == '--locals']
        words = [each for each in command if each != '--locals']
        where = run.where(self.interpreter) + self.sources
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
            if new != old:
                self.file.set_word(at, new)
                return kind, number, at, old, new


class Change:
    """A word that was changed, as the rules see it: `number` counts as where there is a GIL."""

    def __init__(self, subject, kind, number, at, old, new):
        self.subject, self.kind, self.old, self.new = subject, kind, old, new
        self.version = subject.interpreter.version
        self.frame = kind == 'frame' and self.version >= (3, 11)  # no object of its own
        self.number = number if self.frame or kind == 'state' else number - subject.head
        self.start = at - 8 * self.number
        self.at = at

    def word(self, number):
        """Another word of the same thing, as it is in the core."""
        return self.subject.file.word(self.start + 8 * number)

    def text(self):
        return self.kind in ('string', 'table', 'exception text', 'value str', 'value bytes')

    def as_before(self):
        """Does the new value lead to an object of the type that the old one leads to?"""
        types = [self.subject.type_at(word) for word in (self.old, self.new)]
        return types[0] is not None and types[0] == types[1]

    def leads_to_object(self):
        """Does the new value point at what certainly is an object? Free-threaded builds do not tell
        the collector all of them; there it has one's type."""
        known = self.subject.objects
        if self.subject.interpreter.free_threaded:
            return self.new in known or self.subject.type_at(self.new) in self.subject.types
        return self.new in known


def another_instruction(change):
    """An instruction of the same code: the line of a frame, or of an entry of a traceback, is then
    another one of its lines."""
    if change.kind == 'traceback':
        return change.number == 4 and abs(low(change.old) - low(change.new)) < 4096
    if change.frame:
        return change.number == 7 and abs(change.old - change.new) < 4096
    return (
        change.kind == 'frame'
        and change.number >= 12
        and abs(low(change.old) - low(change.new)) < 4096
    )


def traced(change):
    """A frame that is being traced has its line apart; up to 3.10 it has a function then."""
    return change.kind == 'frame' and not change.frame and change.number == 10


def first_line(change):
    """Where a definition begins is a number, from which all of its lines are counted."""
    return change.kind == 'code' and change.number in FIRST_LINE.get(change.version[:2], (9, 8))


FIRST_LINE = {(2, 7): (12,), (3, 6): (4, 5), (3, 7): (4, 5), (3, 8): (5,), (3, 9): (5,)}
FIRST_LINE.update({(3, 10): (5,), (3, 11): (9,)})


def arguments(change):
    """How many variables are arguments, and which kinds."""
    return change.kind == 'code' and 2 <= change.number <= 8 and small(change.new)


def digits(change):
    """Digits of a number that are digits still, any bits of a float."""
    if change.kind == 'value float':
        return change.number == 2
    return change.kind in ('value int', 'value long') and change.number >= 3


def letters(change):
    """Letters of a text that keeps no hash, or its end: what Python has hashed is compared."""
    if not change.text() or change.number in (0, 1, 3):
        return False
    if change.number == 2 and abs(change.new - change.old) > 32:
        return False
    return change.word(3) == (1 << 64) - 1


def as_many_digits(change):
    """An int of so many digits that it would be in a block of the same size, whatever its sign; one
    less, whose room may have been asked for one too many."""
    if change.kind not in ('value int', 'value long') or change.number != 2:
        return False
    counts = [number_of_digits(change, word) for word in (change.old, change.new)]
    blocks = [(24 + 4 * count + 15) // 16 for count in counts]
    return counts[1] == counts[0] - 1 or blocks[0] == blocks[1]


def number_of_digits(change, word):
    if change.version >= (3, 12):
        return word >> 3
    return min(word, -word % (1 << 64))


def another_item(change):
    """An item, an attribute or a name that is another object now."""
    items = {'value tuple': 3, 'names': 3, 'exception args': 3, 'value Plain': 2}
    items.update({'task': 2, 'exception': 2, 'generator': 6, 'coroutine': 6})
    return change.kind in items and change.number >= items[change.kind] and change.leads_to_object()


def another_like_it(change):
    """A code object's name or file is another text, a table of it other bytes: another function
    may have as many instructions. A renamed generator; another exception's arguments."""
    kinds = ('code', 'exception', 'generator', 'coroutine')
    return change.kind in kinds and change.number >= 2 and change.as_before()


def last_entry(change):
    """A traceback that ends: each entry may be the last one."""
    return change.kind == 'traceback' and change.number == 2 and not change.new


def woken(change):
    """A task that no longer waits: it is about to run."""
    return change.kind == 'task' and not change.new and change.old in change.subject.objects


def other_items(change):
    """The items of a list, a dict's values (up to 3.12), at another block of the same size."""
    near = change.old >> 12 == change.new >> 12 and not (change.old ^ change.new) & 15
    return (change.kind, change.number) in (('value list', 3), ('dict', 5)) and near


def suppressed(change):
    """Whether the context of an exception is shown."""
    number = 8 if change.version >= (3, 11) else 7
    return change.kind == 'exception' and change.number == number and change.new & 255 < 2


def length(change):
    """A list that is shorter, or as long as it may be; a tuple of one item more or less."""
    if change.kind == 'value list' and change.number == 2:
        return change.new <= change.word(4)
    return (
        change.kind in ('value tuple', 'exception args', 'names')
        and change.number == 2
        and abs(change.new - change.old) == 1
    )


def a_task_s_numbers(change):
    """Flags and counts of a task: cancelled, asked to cancel, how often; two to a word."""
    return change.kind == 'task' and low(change.old) < 256 and change.old >> 32 < 256


def finished(change):
    """A generator that says it is finished: what it leaves behind is not cleared."""
    if change.kind not in ('coroutine', 'generator'):
        return False
    if change.version < (3, 11):
        return change.number == 2 and not change.new
    return 7 <= change.number <= 9 and change.new >> 24 & 255 in (1, 4, 5)


def small(number):
    return number < 1 << 32


UNKNOWABLE = [another_instruction, traced, first_line, arguments, digits, letters, as_many_digits]
UNKNOWABLE += [another_item, another_like_it, last_entry, woken, other_items, suppressed, length]
UNKNOWABLE += [a_task_s_numbers, finished]


def unknowable(change):
    """The rule by which no reader can see the change, or None."""
    return next((rule.__name__ for rule in UNKNOWABLE if rule(change)), None)


def low(word):
    return word & 0xFFFFFFFF


def is_marked(answer, right):
    status, output, errors = answer
    return (status, errors) != (right[0], right[2]) and (status != 0 or bool(errors.strip()))


class Count:
    def __init__(self):
        self.by_kind = collections.defaultdict(collections.Counter)
        self.rules = collections.Counter()
        self.wrong = []

    def add(self, kind, outcome):
        self.by_kind[kind][outcome] += 1

    def total(self, outcome):
        return sum(each[outcome] for each in self.by_kind.values())

    def __str__(self):
        lines = ['%-18s %8s %8s %10s %8s' % (('changed',) + OUTCOMES)]
        for kind in sorted(self.by_kind):
            each = self.by_kind[kind]
            numbers = tuple(each[outcome] for outcome in OUTCOMES)
            lines.append('%-18s %8d %8d %10d %8d' % ((kind,) + numbers))
        totals = tuple(map(self.total, OUTCOMES))
        lines.append('%-18s %8d %8d %10d %8d' % (('all',) + totals))
        rules = ', '.join('%d %s' % (n, rule) for rule, n in sorted(self.rules.items()))
        return '\n'.join(lines + ['unknowable: %s' % (rules or 'none')])


# what stands in a text for what is not there, or not known
UNKNOWN = re.compile('<NULL>')


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
    if isinstance(right, str) and isinstance(got, str):
        common = os.path.commonprefix([right, got])
        if UNKNOWN.search(got[max(0, len(common) - 40) :]):
            return None
        start = max(0, len(common) - 20)
        return '%s: %.100r -> %.100r' % (place, right[start:], got[start:])
    return '%s: %.150r -> %.150r' % (place, right, got)


def parsed(output):
    try:
        return json.loads(output)
    except ValueError:
        return output


def try_one(subject, seed, count, kinds=None):
    choose = random.Random(seed)
    kind, number, at, old, new = subject.mutate(choose, kinds)
    rule = unknowable(Change(subject, kind, number, at, old, new))
    outcome = 'same'
    try:
        for command in COMMANDS[:1] + choose.sample(COMMANDS[1:], 2):
            right, got = subject.right[tuple(command)], subject.ask(command)
            if got[:2] == right[:2]:
                continue
            if is_marked(got, right):
                outcome = 'marked'
                continue
            found = difference(parsed(right[1]), parsed(got[1]))
            if not found:
                continue
            outcome = 'unknowable' if rule else 'wrong'
            if rule:
                count.rules[rule] += 1
                break
            change = 'word %d of a %s at 0x%x, 0x%x -> 0x%x' % (number, kind, at, old, new)
            count.wrong.append(
                '%s --seed %d: %s: %s: %s'
                % (subject.interpreter.tag, seed, change, ' '.join(command), found)
            )
            break
    finally:
        subject.file.set_word(at, old)
    count.add(kind, outcome)


def campaign(chosen, seconds, seed=1, say=None, kinds=None):
    """Mutate cores of the interpreters in turn until the time is up; a Count."""
    count = Count()
    directory = tempfile.mkdtemp(prefix='pyscry-truth-')
    try:
        subjects = []
        for each in chosen:
            subjects.append(Subject(each, os.path.join(directory, each.tag)))
            count.wrong += subjects[-1].complaints()
        end = time.monotonic() + seconds
        while time.monotonic() < end or not count.by_kind:
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
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
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
