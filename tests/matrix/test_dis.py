"""py-dis beside what each interpreter's own dis module says of the same function."""
import pytest

from tests.matrix.conftest import every
from tests.support import programs, run

PROGRAM = programs.Program('disassembled', 'disassembled.py', since=(3, 4))


@pytest.mark.parametrize('interpreter', every(lambda i: i.version >= PROGRAM.since))
def test_the_instructions_are_those_of_dis(interpreter, tmp_path):
    try:
        dump = run.crash(interpreter, PROGRAM, str(tmp_path))
    except run.NoCore as reason:
        pytest.skip(str(reason))
    told, status, errors = run.answer(dump.core, *run.where(interpreter), command=('dis', '--all'))
    assert status == 0, errors
    # dis gives the place of an instruction, py-dis that of its first prefix: compare what and with what
    assert [[i['name'], i['argument']] for i in told['instructions']] == [i[1:] for i in dump.truth['instructions']]
    current = [i for i in told['instructions'] if i['current']]
    assert len(current) == 1 and 'CALL' in current[0]['name'], current
