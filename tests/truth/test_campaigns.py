"""The campaigns of this directory, cut short: ./dev campaign has the long form."""
import pytest

from tests.matrix.conftest import every

from . import instants, mutations

SECONDS = 2


@pytest.mark.parametrize('interpreter', every(mutations.usable))
def test_changed_words(interpreter, tmp_path):
    """One word of every kind, in the same cores each time; ./dev campaign changes many of each."""
    subject, count = mutations.Subject(interpreter, str(tmp_path), still=True), mutations.Count()
    count.wrong += subject.complaints()
    for seed, kind in enumerate(sorted({place[0] for place in subject.places})):
        mutations.try_one(subject, seed, count, [kind])
    assert count.total('marked') > 0
    assert not count.wrong, '\n'.join(count.wrong)


def first_letters(version):
    return 4 if version < (3,) else 5 if version >= (3, 12) else 6


def used(version):
    return 3 if version < (3,) else 2


# kind, which word (behind the head of two), what becomes of it: each contradicts another word
CONTRADICTIONS = [
    ('value str', first_letters, lambda word: word ^ 1 << 33),  # its hash is another one
    ('value set', 3, lambda word: 0),  # it has members
    ('value tuple', 2, lambda word: 0),  # its block is larger
    ('value list', 3, lambda word: word - 8),  # no block begins there
    ('value dict', used, lambda word: word + 1),  # it has fewer entries
    ('exception', 3, lambda word: word + 8),  # no tuple of arguments
    ('type', 33, lambda word: 0x1000),  # nothing is mapped there: no dict
    ('task', 2, lambda word: 0x8D63155C78F58DCB, ['tasks']),  # no loop
    ('code', 13, lambda word: 0x287B3962CBFCD89B, ['dis'], (3, 12)),  # no names of variables
]


@pytest.mark.parametrize('interpreter', every(mutations.usable))
def test_contradictions(interpreter, tmp_path):
    subject = mutations.Subject(interpreter, str(tmp_path), still=True)
    for kind, number, change, *more in CONTRADICTIONS:
        command, since = (more + [['--locals', 'bt', '--all'], (2, 7)][len(more) :])[:2]
        if kind == 'value tuple' and interpreter.free_threaded:
            continue  # mimalloc's classes are too wide for it
        if interpreter.version < since or kind not in {place[0] for place in subject.places}:
            continue
        address = next(place[1] for place in subject.places if place[0] == kind)
        number = number(interpreter.version) if callable(number) else number
        at = address + 8 * (number + subject.head)
        right = subject.right.get(tuple(command)) or subject.ask(command)
        old = subject.file.word(at)
        subject.file.set_word(at, change(old))
        got = subject.ask(command)
        subject.file.set_word(at, old)
        assert mutations.is_marked(got, right) and '<' in got[1], (kind, number, got)


# objects are found by what they look like there, not by a list; no state holds a GIL
NOT_KNOWN_WITHOUT_A_GIL = ('a coroutine of no type', 'the list of thread states')


@pytest.mark.parametrize('interpreter', every(mutations.usable))
def test_what_contradicts_another_word(interpreter, tmp_path):
    """Words that the program itself has looked up."""
    subject = mutations.Subject(interpreter, str(tmp_path), still=True)
    silent = []
    for name, (at, new, command) in subject.dump.truth['contradictions'].items():
        if interpreter.free_threaded and name in NOT_KNOWN_WITHOUT_A_GIL:
            continue
        right = subject.right.get(tuple(command)) or subject.ask(command)
        old = subject.file.word(at)
        subject.file.set_word(at, new)
        got = subject.ask(command)
        subject.file.set_word(at, old)
        assert new != old, name
        answers = [mutations.parsed(answer[1]) for answer in (right, got)]
        if not mutations.is_marked(got, right) and mutations.difference(*answers):
            silent.append(name)
    assert not silent, silent


@pytest.mark.parametrize('interpreter', every(instants.usable))
def test_random_instants(interpreter):
    outcomes, wrong = instants.campaign([interpreter], SECONDS / 2)
    assert sum(outcomes.values()) and not wrong, '\n'.join(wrong)
