"""py-dis beside what each interpreter's own dis module says of the same functions."""
import json
import os
import subprocess

import jsonschema
import pytest

from tests.matrix.conftest import every
from tests.support import interpreters, programs, run

with open(os.path.join(run.TOP, 'docs', 'schema.json')) as source:
    SCHEMA = jsonschema.Draft7Validator(json.load(source))
PROGRAM = programs.Program('disassembled', 'disassembled.py')
WHOLE = ('--max-string', '1000000', '--max-items', '1000000', '--max-text', '10000000')


def as_dis(told):
    """dis has an instruction behind its prefixes."""
    return [
        [i['offset'] + i['extended'], i['name'], i['argument'], i['text'], i['is_target']]
        for i in told['instructions']
    ]


def table(told):
    return [
        [e['start'], e['end'], e['target'], e['depth'], e['lasti']] for e in told['exception_table']
    ]


def first_difference(found, wanted):
    for a, b in zip(found, wanted):
        if a != b:
            return '%s, not %s' % (a, b)
    return (
        '%d instructions, not %d' % (len(found), len(wanted)) if len(found) != len(wanted) else None
    )


def check_function(dump, *where):
    told, status, errors = run.answer(dump.core, *where, command=('dis', '--all'))
    assert status == 0, errors
    SCHEMA.validate(told)
    assert first_difference(as_dis(told), dump.truth['instructions']) is None
    current = [i for i in told['instructions'] if i['current']]
    assert len(current) == 1 and 'CALL' in current[0]['name'], current
    dump.truth['instructions'][3][2] = 77  # a changed expectation is seen
    assert first_difference(as_dis(told), dump.truth['instructions']) is not None


def check_library(dump, interpreter):
    """What was told of each function, after it was compared."""
    truth = dump.truth['codes']
    exe = '' if interpreter.root else dump.exe
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    lines = ''.join(':dis --json %s %s\n' % (' '.join(WHOLE), code['id']) for code in truth)
    done = subprocess.run(
        [tool, dump.core, exe, ''] + ([interpreter.root] if interpreter.root else []),
        input=lines.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode(errors='replace')[-2000:]
    answers = [
        json.loads(line) for line in done.stdout.decode('utf-8', 'surrogatepass').splitlines()
    ]
    assert len(answers) == len(truth) > 100
    wrong = []
    for code, told in zip(truth, answers):
        difference = first_difference(as_dis(told), code['instructions'])
        if difference:
            wrong.append('%s: %s' % (code['name'], difference))
        elif table(told) != code['table']:
            wrong.append('%s: table %s, not %s' % (code['name'], table(told), code['table']))
    assert not wrong, '%d differ\n%s' % (len(wrong), '\n'.join(wrong[:30]))
    return answers


@pytest.mark.parametrize('interpreter', every())
def test_the_instructions_are_those_of_dis(dumps, interpreter):
    check_function(dumps.core(interpreter, PROGRAM), *run.where(interpreter))


@pytest.mark.parametrize('interpreter', every())
def test_functions_of_the_library(dumps, interpreter):
    """Hundreds of functions: specialised, instrumented, with long jumps, with exception tables."""
    answers = check_library(dumps.core(interpreter, PROGRAM), interpreter)
    adapted = {i['adapted'] for told in answers for i in told['instructions'] if i['adapted']}
    assert interpreter.version < (3, 11) or interpreter.free_threaded or len(adapted) > 10
    if interpreter.version >= (3, 12):
        assert adapted >= {'INSTRUMENTED_LINE', 'INSTRUMENTED_RESUME'}, adapted


def test_tables_are_made_again(tmp_path, monkeypatch):
    """Interpreters that are here make the rows that there are again, and leave the others."""
    monkeypatch.syspath_prepend(os.path.join(run.TOP, 'tools'))
    import gen_opcodes
    import gen_stack_effects
    import opcode_rows

    names = ['opcodes.inc', 'opcode_args.inc', 'stack_effects.inc']
    exes = [i.exe for i in interpreters.everything() if not i.reason and i.root is None]
    if not exes:
        pytest.skip('no interpreter that runs without a root of its own')
    before = {}
    for name in names:
        with open(os.path.join(opcode_rows.OBJECT, name)) as table:
            before[name] = table.read()
        (tmp_path / name).write_text(before[name])
    monkeypatch.setattr(opcode_rows, 'OBJECT', str(tmp_path))
    gen_opcodes.write_numbers(exes)
    gen_opcodes.write_arguments(exes)
    monkeypatch.setattr(
        'sys.argv', ['gen_stack_effects.py'] + [exe for exe in exes if '2.7' not in exe]
    )
    gen_stack_effects.main()
    for name in names:
        assert (tmp_path / name).read_text() == before[name]
