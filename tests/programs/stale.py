"""Its source, victim.py, is edited after it was imported; the argument says how. What ran is told, line by line."""
from __future__ import print_function

import os
import sys

import truth

RAN = '''import os

SCALE = 3

def dispatch(order):
    total = order * 3
    return settle(total)

class Desk(object):
    def sign(self, total):
        return [self.stop(item) for item in (total,)]

    def stop(self, item):
        end(item, 7)

def settle(total):
    return Desk().sign(total)
'''
ROWS = '\n'.join('value_%d = compute(%d)' % (i, i) for i in range(1, 30)) + '\n'
EDITS = {
    'not': lambda text: text,
    'comment': lambda text: text.replace('return settle(total)', 'return settle(total)  # settled'),
    'above': lambda text: '# Copyright: see LICENSE.\n# All rights reserved.\n' + text,
    'below': lambda text: text.replace('SCALE = 3\n\n', ''),
    'call': lambda text: text.replace('return settle(total)', 'return log(total, settle)'),
    'number': lambda text: text.replace('end(item, 7)', 'end(item, 8)'),
    'argument': lambda text: text.replace('Desk().sign(total)', 'Desk().sign(total, key=None)'),
    'attribute': lambda text: text.replace('self.stop(item)', 'self.halt(item)'),
    'kind': lambda text: text.replace('def settle(total):\n    return', 'class settle(object):\n    x ='),
    'name': lambda text: text.replace('def stop(', 'def halt('),
    'replaced': lambda text: ROWS,
    'gone': lambda text: '',
}


def edit(name):
    with open('victim.py', 'w') as out:
        out.write(EDITS[name](RAN))
    if name in ('not', 'replaced'):
        os.utime('victim.py', (1e9, 1e9))


with open('victim.py', 'w') as out:
    out.write(RAN)
sys.path.insert(0, os.getcwd())
import victim  # noqa: E402


def end(item, number):
    edit(sys.argv[1])
    lines = RAN.split('\n')
    shown = EDITS[sys.argv[1]](RAN).split('\n')
    truth._save(os.environ['PYSCRY_TRUTH'], {
        'ran': lines,
        'same': [i + 1 for i, line in enumerate(lines) if shown[i : i + 1] == [line]],
    })
    function, arguments = truth.ending()
    function(*arguments)


victim.end = end
victim.dispatch(2)
