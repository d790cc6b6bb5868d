"""Damages the objects of a core that a program wrote down, and asks about them."""
import json
import os
import random
import shutil

from . import run
from .corefile import CoreFile


def overwrite(core, objects, seed, words, beside):
    """Words of the objects, and of what they point to, become pointers to others (or that far
    beside them), garbage and nothing.

    `words`: how many of an object are pointers to follow.
    """
    choose = random.Random(seed)
    with CoreFile(core) as file:
        for _ in range(40):
            at = choose.choice(objects)
            for _ in range(choose.randrange(3)):
                inner = file.word(at + 8 * choose.randrange(2, words))
                at = (
                    inner
                    if inner and inner % 8 == 0 and file.offset(inner, 400) is not None
                    else at
                )
            at += 8 * choose.randrange(-2, 30)
            value = choose.choice(
                [
                    choose.choice(objects),
                    choose.choice(objects) + beside,
                    at,
                    0,
                    8,
                    choose.getrandbits(64),
                ]
            )
            if file.offset(at, 8) is not None:
                file.set_word(at, value)


def answers_when_damaged(interpreter, core, told, seed, copy, commands, words=24, beside=160):
    """Every command ends by itself; the one as JSON has something to say. `told`: the truth of the
    objects to damage."""
    shutil.copyfile(core, copy)
    overwrite(copy, [int(each['id'], 16) for each in told], seed, words, beside)
    for command in commands:
        status, output, errors = run.pyscry(*run.where(interpreter), copy, *command, timeout=60)
        assert status in (0, 1, 2), '%s, seed %d: status %d %s' % (
            command,
            seed,
            status,
            errors[-500:],
        )
        if command[0] == '--json':
            answer = json.loads(output)
            assert answer['tasks'] or answer['errors'], 'seed %d' % seed
    os.remove(copy)
