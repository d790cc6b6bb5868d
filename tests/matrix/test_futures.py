"""A version of Python newer than what is built in, stripped: members stand elsewhere than the rows
have them. What is said is what an up-to-date reader says, or it is said to be unknown."""
import os
import re
import subprocess

import pytest

from tests.support import programs, run

from .conftest import every

FUTURES = programs.Program('futures', 'futures.py')
COMMANDS = ('bt-full', 'tasks', 'exc', 'print --frame 7 slots.a', 'print --frame 7 instance.u')
# 0: the rows are right, and nobody knows it; 124: the dicts of classes are elsewhere
SEEDS = (*range(12), 124)
# a value or a part of one that is marked, or a sentence that something is not known
UNKNOWN = re.compile(
    r'unreadable|<[\w.<>]+ at 0x[0-9a-f]+>|\?|damaged|not known|not all|has no \w+\.\w+'
    r'|0x[0-9a-f]+$'
)
# what only an up-to-date reader may say
FALSE = re.compile(
    r"^no tasks|no exception$|never cleared|has no attribute|: 0 tasks", re.MULTILINE
)


def lines(text):
    """Of every line what it says of a value; a thread's line has marks that may be missing."""
    return [line.strip() for line in text.splitlines() if not line.startswith('Thread')]


def ask(dump, seed):
    return subprocess.run(
        [
            os.path.join(run.build_directory(), 'tests', 'support', 'futures'),
            dump.core,
            dump.interpreter.root,
            str(seed),
            *COMMANDS,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
        timeout=60,
        check=True,
    ).stdout


def has_table(interpreter):
    return (
        interpreter.version >= (3, 13)
        and not interpreter.free_threaded
        and interpreter.tag.startswith('sid-3')
    )


@pytest.mark.parametrize('interpreter', every(has_table))
def test_equal_or_unknown(interpreter, dumps):
    dump = dumps.core(interpreter, FUTURES)
    where = run.where(interpreter)
    truth = set()
    for command in COMMANDS:
        truth.update(lines(run.pyscry(*where, dump.core, *command.split())[1]))
    told, wrong = 0, []
    for seed in SEEDS:
        said = ask(dump, seed)
        for line in lines(said):
            if line in truth and not line.startswith('=='):
                told += 1
            elif (
                not UNKNOWN.search(line)
                and not line.startswith('==')
                and not any(full.startswith(line.rstrip(']')) for full in truth)  # it says less
            ):
                wrong.append('seed %d: %s' % (seed, line))
        wrong += ['seed %d: %s' % (seed, found) for found in FALSE.findall(said)]
    assert not wrong, '\n'.join(wrong)
    # and what the target's own tables confirm is not thrown away: three lines in ten, stacks first
    assert told > 3 * len(truth) * len(SEEDS) / 10
    plain = ask(dump, 0)
    assert 'pair = Pair(x=1, y=2)' in plain and "words = {'k': 'v', 'w': None}" in plain
