"""Words of stacks, heaps and registers, judged as obj and regs judge them, beside what the program
knows of its memory.

False: an object, or an inside of one, where there is none or another. That must be 0. Missed: a
true one that is not told; it is printed.
"""
import bisect
import collections
import json
import os
import random
import struct
import subprocess

import pytest

from tests.support import interpreters, programs, run
from tests.support.corefile import CoreFile

WORDS = programs.Program('words', 'words.py', ctypes=True)
NT_PRSTATUS = 1
RSP, REGISTERS = (
    19,
    27,
)  # in the registers of x86-64's struct user_regs_struct, which begins 112 bytes in


class Truth:
    """What a program said: its objects, in order of address, and memory that has none."""

    def __init__(self, dump):
        with open(os.path.join(dump.directory, 'truth.json.words'), 'rb') as told:
            words = sorted(struct.iter_unpack('<QII', told.read()))
        self.starts = [address for address, _, _ in words]
        self.extents = [size for _, size, _ in words]
        self.whole = [whole for _, _, whole in words]
        self.raw = sorted((start, start + size) for start, size in dump.truth['raw'])

    def around(self, address):
        """(the object that certainly has the address, its extent), or None."""
        at = bisect.bisect_right(self.starts, address) - 1
        if at >= 0 and address < self.starts[at] + self.extents[at]:
            return self.starts[at], self.extents[at], self.whole[at]
        return None

    def exactly(self, start):
        at = bisect.bisect_left(self.starts, start)
        if at < len(self.starts) and self.starts[at] == start:
            return self.extents[at], self.whole[at]
        return None

    def nowhere(self, address, stacks):
        """Is it certainly in no object?"""
        return any(start <= address < end for start, end in self.raw + stacks)


def registers_of(core):
    """The registers of each thread."""
    return [
        struct.unpack_from('<%dQ' % REGISTERS, core.data, offset + 112)
        for kind, offset, _ in core.notes()
        if kind == NT_PRSTATUS
    ]


def stack_words(core, registers, each=150):
    """[(address, word)] from the stack pointers on, and where those stacks certainly are."""
    found, spans = [], []
    for values in registers:
        top = values[RSP] & ~7
        words = [(at, core.word(at)) for at in range(top, top + 8 * each, 8)]
        words = [(at, word) for at, word in words if word is not None]
        found += words
        spans.append((top, words[-1][0] + 8) if words else (top, top))
    return found, spans


def choose(core, truth, chance):
    """{word: where it is from}, and the spans of stacks."""
    registers = registers_of(core)
    stack, spans = stack_words(core, registers)
    words = {at: 'stack address' for at, _ in stack}
    words.update((word, 'stack word') for _, word in stack)
    words.update((word, 'register') for values in registers for word in values)
    writable = [h for h in core.writable() if h[4] > 4096]
    for _ in range(400):
        _, _, _, start, size = chance.choice(writable)
        words[start + chance.randrange(size)] = 'memory'
        words[start + chance.randrange(size) // 8 * 8] = 'memory'
    for start, end in truth.raw:
        words[chance.randrange(start, end)] = 'raw'
        for _ in range(4):
            words[chance.randrange(start, end) // 8 * 8] = 'raw'
    for _ in range(300):
        at = chance.randrange(len(truth.starts))
        words[truth.starts[at]] = 'start'
        inside = chance.randrange(truth.extents[at])
        words[truth.starts[at] + inside] = words[truth.starts[at] + inside // 8 * 8] = 'inside'
        if truth.whole[at]:
            words[truth.starts[at] + truth.extents[at]] = 'behind'
    return {word: origin for word, origin in words.items() if word}, spans


def ask(dump, words):
    interpreter = dump.interpreter
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    command = [tool, dump.core, '' if interpreter.root else dump.exe, '']
    done = subprocess.run(
        command + ([interpreter.root] if interpreter.root else []),
        input=''.join('=0x%x\n' % word for word in words).encode(),
        stdout=subprocess.PIPE,
        timeout=300,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrong(truth, spans, word, said, of, alive):
    """Why an answer is false, or None."""
    if said not in ('is', 'inside'):
        return None
    if truth.nowhere(word, spans):
        return 'there is no object'
    known, named = truth.around(word), truth.exactly(of)
    if known and known[0] != of and known[2] and known[0] in alive:
        return 'it lies in the one at 0x%x' % known[0]
    if named and named[1] and word >= of + named[0]:
        return 'that one has %d bytes' % named[0]
    return None


def readings(answer):
    """(what, of which object) as obj says it, and as regs does where that is not marked."""
    yield answer['obj'], int(answer['of'] or '0', 16)
    kind = answer['regs']
    if not answer['uncertain'] and answer['in']:
        of = int(answer['in'], 16)
        if kind in ('object', 'type', 'code object'):
            yield 'is', of
        elif kind == 'interior' and not answer.get('function'):
            yield 'inside', of


def count(dump, seed=7):
    """Counts of what was said about the words of one core, and what of it is false."""
    truth, counts, false = Truth(dump), collections.Counter(), []
    with CoreFile(dump.core) as core:
        words, spans = choose(core, truth, random.Random(seed))
    around = [truth.around(word) for word in words]
    starts = sorted({each[0] for each in around if each})
    # some have gone since the program told of them: the frames of what told, lists that it made
    alive = {at for at, answer in zip(starts, ask(dump, starts)) if answer['obj'] == 'is'}
    for (word, origin), answer in zip(words.items(), ask(dump, words)):
        counts['words'] += 1
        counts[answer['obj'] or 'nothing'] += 1
        known = truth.around(word)
        if known:
            counts['true'] += 1
            counts['missed'] += int(answer['of'] or '0', 16) != known[0]
            if int(answer['of'] or '0', 16) != known[0]:
                counts['missed: ' + (answer['problem'] or '?').split('0x')[0][:50]] += 1
        elif answer['obj'] in ('is', 'inside') and not truth.exactly(int(answer['of'], 16)):
            counts['unknown to the program'] += 1
        for said, of in readings(answer):
            why = wrong(truth, spans, word, said, of, alive)
            if why:
                false.append(
                    '0x%x (%s): "%s" 0x%x (%s): %s' % (word, origin, said, of, answer['type'], why)
                )
        if answer['guess'] and (known is None or origin in ('raw', 'stack address')):
            false.append('0x%x (%s): guessed to be a %s' % (word, origin, answer['guess']))
    return counts, false


def usable():
    return [
        i for i in interpreters.everything() if not i.reason and i.ctypes and i.machine == 'x86_64'
    ]


def test_words(dumps):
    total, false, cores = collections.Counter(), [], 0
    for interpreter in usable():
        counts, found = count(dumps.core(interpreter, WORDS))
        print('%-16s %s' % (interpreter.tag, dict(counts)))
        total += counts
        false += ['%s: %s' % (interpreter.tag, each) for each in found]
        cores += 1
    print('%d cores: %s' % (cores, dict(total)))
    if false:
        pytest.fail(
            '%d of %d are false\n%s' % (len(false), total['words'], '\n'.join(false[:60])),
            pytrace=False,
        )
    if cores >= 10:
        assert total['words'] >= 10000
    assert total['is'] and total['inside'] and total['missed'] * 20 < total['true']
