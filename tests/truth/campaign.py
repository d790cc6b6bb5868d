"""Counts what is false in the answers: changed words of cores, programs stopped at random instants.

python3 -m tests.truth.campaign [SECONDS] [INTERPRETER...]: half of the time for either; what is
wrong is printed as it comes, then how much was shown rightly, how much was marked, and how much was
wrong. The exit status is 1 where anything was.
"""
import random
import sys

from tests.support import interpreters

from . import instants, mutations


def chosen_of(tags, usable):
    found = [i for i in interpreters.everything() if usable(i)]
    return [i for i in found if i.tag in tags or not tags]


def say(line):
    print(line, flush=True)


def main():
    arguments = sys.argv[1:]
    seconds = float(arguments.pop(0)) if arguments and arguments[0][0].isdigit() else 600
    seed = random.randrange(1, 1 << 30)
    say('seed %d' % seed)
    outcomes, wrong = instants.campaign(
        chosen_of(arguments, instants.usable), seconds / 2, seed, say
    )
    count = mutations.campaign(chosen_of(arguments, mutations.usable), seconds / 2, seed, say)
    say(str(count))
    say(
        '%-18s %8d %8d %10d %8d'
        % (('stopped',) + tuple(outcomes[outcome] for outcome in mutations.OUTCOMES))
    )
    sys.exit(1 if wrong or count.wrong else 0)


if __name__ == '__main__':
    main()
