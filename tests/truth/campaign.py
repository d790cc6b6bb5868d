"""Counts what is false in the answers: changed words of cores, programs stopped at random instants.

python3 -m tests.truth.campaign [--seed N] [SECONDS] [INTERPRETER...]: half of the time for either;
what is wrong is printed as it comes, then how much was shown rightly, how much was marked, and how
much was wrong. The exit status is 1 where anything was.
"""
import argparse
import random
import sys

from tests.support import interpreters

from . import instants, mutations


def options():
    parser = argparse.ArgumentParser(
        prog='dev campaign', description=__doc__.partition('\n')[0], add_help=True
    )
    parser.add_argument('seconds', nargs='?', type=float, default=600)
    parser.add_argument('interpreters', nargs='*', metavar='INTERPRETER', help='all')
    parser.add_argument('--seed', type=int, default=random.randrange(1, 1 << 30))
    answer = parser.parse_args()
    everything = interpreters.everything()
    unknown = set(answer.interpreters) - {i.tag for i in everything}
    if unknown:
        parser.error(
            'no interpreter %s here; there are %s'
            % (' '.join(sorted(unknown)), ' '.join(i.tag for i in everything))
        )
    answer.found = [
        i for i in everything if i.tag in answer.interpreters or not answer.interpreters
    ]
    return answer


def say(line):
    print(line, flush=True)


def main():
    asked = options()
    say('seed %d' % asked.seed)
    stopped = [i for i in asked.found if instants.usable(i)]
    changed = [i for i in asked.found if mutations.usable(i)]
    outcomes, wrong = dict.fromkeys(mutations.OUTCOMES, 0), []
    if stopped:
        outcomes, wrong = instants.campaign(stopped, asked.seconds / 2, asked.seed, say)
    if changed:
        count = mutations.campaign(changed, asked.seconds / 2, asked.seed, say)
        wrong += count.wrong
        say(str(count))
    say(
        '%-18s %8d %8d %10d %8d'
        % (('stopped',) + tuple(outcomes[outcome] for outcome in mutations.OUTCOMES))
    )
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
