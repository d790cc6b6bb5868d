"""gc: the collector's counts, thresholds, lists and switch, beside what the module gc said."""
import json
import subprocess

import pytest

from tests.support import programs, run, session

from .conftest import every
from .test_whatis import SOME

PLAIN = programs.Program('gc-counts', 'gc_counts.py')
DEBUG = programs.Program('gc-debug', 'gc_counts.py', ('debug',))
COLLECTING = programs.Program('gc-collecting', 'gc_counts.py', ('collecting',))
CHOSEN = every(lambda i: i.tag in SOME)


def told(dump, *options):
    interpreter = dump.interpreter
    command = [run.cli()]
    command += ['--sysroot', interpreter.root] if interpreter.root else ['--exe', dump.exe]
    done = subprocess.run(
        command + [dump.core, 'gc', '--json'] + list(options), stdout=subprocess.PIPE, timeout=60
    )
    answer = json.loads(done.stdout)
    session.SCHEMA.validate(answer)
    assert done.returncode == 0, answer['errors']
    return answer['gc'][0]


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_counts(dumps, interpreter):
    dump = dumps.core(interpreter, PLAIN)
    truth, found = dump.truth, told(dump)
    assert [g['threshold'] for g in found['generations']] == truth['threshold']
    assert found['permanent'] == truth['permanent']
    assert (found['callbacks'] or 0) == truth['callbacks']
    assert found['garbage'] == [] and found['collecting'] is False
    counts = [g['count'] for g in found['generations']]
    if interpreter.free_threaded:
        return  # threads keep counts of their own, and there are no lists
    # the tuple of the counts and the like are of the youngest
    assert counts[1:] == truth['count'][1:] and 0 <= counts[0] - truth['count'][0] <= 3
    if truth['lists']:
        objects = [g['objects'] for g in found['generations']]
        assert objects[1:] == truth['lists'][1:] and 0 <= objects[0] - truth['lists'][0] <= 8
    truth['threshold'][1] += 1  # a changed expectation is seen
    assert [g['threshold'] for g in found['generations']] != truth['threshold']


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_switch_and_garbage(dumps, interpreter):
    """What DEBUG_SAVEALL put into gc.garbage, the first items or all of them."""
    dump = dumps.core(interpreter, DEBUG)
    truth, found = dump.truth, told(dump, '--garbage')
    known = found['enabled'] is not None  # up to 3.6 only where there are symbols
    assert known or interpreter.version < (3, 7)
    if known:
        assert (found['enabled'], found['debug']) == (truth['enabled'], truth['debug'])
    garbage = {item['address']: item['type'] for item in found['garbage']}
    assert truth['garbage'] and {garbage.get(a) for a in truth['garbage']} == {'Thing'}


@pytest.mark.parametrize('interpreter', CHOSEN)
def test_collecting(dumps, interpreter):
    dump = dumps.core(interpreter, COLLECTING)
    found = told(dump)
    assert found['collecting'] is True
    assert found['place'].startswith('end ('), found
    if not interpreter.free_threaded:
        assert found['generation'] == 1
