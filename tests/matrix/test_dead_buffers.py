"""A writev and a vmsplice of buffers that are gone before anybody reads them: regs shows the call
with whose each buffer is and whether it is alive, whatis tells the rest."""
import json
import subprocess

import pytest

from tests.support import programs, run, session

from .conftest import every
from .test_whatis import layers, told

SOME = ('pyenv-2.7.18', 'pyenv-3.11.7', 'pyenv-3.13.0')
CALLS = {
    name: programs.Program('dead-' + name, 'dead_buffers.py', (name,), ctypes=True)
    for name in ('writev', 'vmsplice')
}


@pytest.mark.parametrize('name', sorted(CALLS))
@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in SOME))
def test_regs_and_whatis(dumps, interpreter, name):
    dump = dumps.core(interpreter, CALLS[name])
    truth = dump.truth
    command = [run.cli(), '--exe', dump.exe, dump.core, 'regs']
    done = subprocess.run(command + ['--json'], stdout=subprocess.PIPE, timeout=60)
    answer = json.loads(done.stdout)
    session.SCHEMA.validate(answer)
    call = answer['syscall']
    assert [call['name'], call['fd'], call['address']] == [name, truth['fd'], truth['iov']]
    assert [[b['address'], b['size']] for b in call['buffers']] == truth['buffers']
    alive, object_, chunk = call['buffers']
    part = layers(alive, 'part')[0]
    assert [part['owner'], part['field'].replace('ob_bytes', 'ob_start')] == [
        truth['owner'],
        'ob_start',
    ]
    assert part['alive'] is True
    freed = layers(object_, 'freed object')[0]
    assert [freed['address'], freed['type']] == [truth['freed'], '__main__.c_char_Array_12']
    assert freed['alive'] is False and layers(object_, 'free block')
    assert layers(chunk, 'free chunk')[0]['certain']
    # the same in words, and who keeps the first one
    text = subprocess.run(command, stdout=subprocess.PIPE, timeout=60).stdout.decode()
    assert text.startswith('syscall %s(fd %d, iov %s, 3)\n' % (name, truth['fd'], truth['iov']))
    assert text.count(', FREE') >= 3
    users = [user['address'] for user in told(dump, [truth['buffers'][0][0]])[0]['exports']]
    assert set(truth['users']) <= set(users)
