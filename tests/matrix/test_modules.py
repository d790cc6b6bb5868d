"""modules: what sys.modules has, from which files, in which versions, what is being imported."""
import os
import shutil

import pytest

from tests.support import programs, run

from .conftest import every

PROGRAM = programs.Program('modules', 'modules.py')
# before, no module says that it is being imported
NO_MARK = (3, 3)


def told(dump, interpreter, *words):
    answer, status, errors = run.answer(
        dump.core, *run.where(interpreter), command=('modules',) + words
    )
    assert not status, errors
    return answer['imported']


@pytest.fixture
def dump(dumps, interpreter):
    found = dumps.core(interpreter, PROGRAM)
    yield found
    shutil.rmtree(found.truth['place'], ignore_errors=True)


@pytest.mark.parametrize('interpreter', every(lambda interpreter: True))
def test_all(dump, interpreter):
    """Each with what it says of itself, in the same order."""
    found = [
        {key: module[key] for key in ('name', 'id', 'version', 'file', 'importing')}
        for module in told(dump, interpreter, '--all')
    ]
    assert found == dump.truth['modules']


@pytest.mark.parametrize('interpreter', every(lambda interpreter: True))
def test_chosen(dump, interpreter):
    """Without --all the program's own."""
    own = {os.path.basename(name)[:-3] for name in ('binary.py', 'number.py', 'accented.py')}
    own |= {'aged', 'made', 'outer', 'inner', '__main__'}
    own |= {'spread'} if interpreter.version >= (3, 3) else set()
    found = {module['name']: module for module in told(dump, interpreter)}
    assert own <= set(found)
    assert not {'aged.below', 'barred', 'sys', 'json', 'os', 'types'} & set(found)
    if interpreter.version >= NO_MARK:
        assert {name for name in found if found[name]['importing']} == {'outer', 'inner'}
    below = [module['name'] for module in told(dump, interpreter, 'aged')]
    assert sorted(below) == ['aged', 'aged.below']
