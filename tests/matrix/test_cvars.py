"""cvars: C variables beside what the program wrote of them, and beside gdb."""
import collections
import json
import os
import re
import shutil
import subprocess

import pytest

from tests.support import programs, run
from tests.matrix.conftest import every
from tests.matrix.test_crashes import compiled, died, run_program

FRAMES = ('variables_inner', 'variables_middle')
WANTED = {('pyenv-2.7.18', '-O2'), ('pyenv-3.11.7', '-O2'), ('pyenv-3.11.7', '-O0')}

IN_GDB = '''python
import json
found, frame = {}, gdb.newest_frame()
while frame is not None and frame.is_valid():
    block = frame.block() if frame.name() in %r else None
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            value = symbol.value(frame) if symbol.is_variable or symbol.is_argument else None
            if value is None or value.is_optimized_out:
                continue
            if value.type.strip_typedefs().code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
                found['%%s.%%s' %% (frame.name(), symbol.name)] = int(value)
        block = None if block.function else block.superblock
    frame = frame.older()
print('@' + json.dumps(found))
end
'''


def usual(interpreter):
    return interpreter.tag in {tag for tag, _ in WANTED}


def number(variable):
    """The value as a number: of a pointer to an object its address."""
    if variable['object']:
        return int(variable['object']['address'], 16)
    text = (variable['value'] or '').split(' ')[0]
    if text == 'NULL':
        return 0
    return int(text, 0) if re.match(r'-?(0x)?[0-9a-f]+$', text) else None


def variables(answer):
    return {
        '%s.%s' % (frame['function'], variable['name']): variable
        for frame in answer['threads'][0]['frames']
        if frame['kind'] == 'native' and frame['function'] in FRAMES
        for variable in frame['variables']
    }


@pytest.mark.parametrize('interpreter', every(usual))
def test_variables(interpreter, tmp_path):
    """Each value is the program's; where gdb has one it is gdb's; none recovered is wrong."""
    directory = str(tmp_path)
    run.prepare(run_program(), directory)
    for optimize in [level for tag, level in sorted(WANTED) if tag == interpreter.tag]:
        compiled(interpreter, directory, [optimize, '-g'])
        core, truth = died(interpreter, directory, 'variables')
        answer, status, errors = run.answer(core, command=('bt-full', '--native'))
        assert status == 0, errors
        found = variables(answer)
        true = {key: value for key, value in truth.items() if '.' in key}
        assert len(true) > 5 and set(true) <= set(found) | {'full.in', 'full.out'}
        wrong = {
            key: (found[key], hex(true[key]))
            for key in set(true) & set(found)
            if found[key]['state'] != 'optimized out' and number(found[key]) != true[key]
        }
        assert not wrong
        script = os.path.join(directory, 'variables.gdb')
        with open(script, 'w') as out:
            out.write(IN_GDB % (FRAMES,))
        _, output, _ = run.gdb('source %s' % script, core=core, exe=interpreter.exe)
        theirs = json.loads(re.search(r'^@(.+)$', output, re.M).group(1))
        assert theirs
        for key, value in theirs.items():
            assert found[key]['state'] != 'optimized out', (key, found[key])
            assert number(found[key]) == value, (key, found[key], hex(value))
        lost = [key for key in true if key in found and key not in theirs]
        recovered = [key for key in lost if found[key]['state'] == 'recovered']
        print(optimize, 'gdb has', len(theirs), 'lost', len(lost), 'recovered', len(recovered))
        full = found['variables_middle.full']
        assert "in = {'key': [5, 6]}" in full['value'] and 'struct pair' in full['type']
        os.remove(core)


def test_cvars_text(tmp_path, request):
    """The command's own text: a type, a name, a value, its place."""
    from tests.support import interpreters

    usable = [i for i in interpreters.everything() if i.tag == 'pyenv-3.11.7' and not i.reason]
    if not usable:
        pytest.skip('no pyenv-3.11.7')
    directory = str(tmp_path)
    run.prepare(run_program(), directory)
    compiled(usable[0], directory, ['-O2', '-g'])
    core, _ = died(usable[0], directory, 'variables')
    status, text, errors = run.pyscry(core, 'cvars', '1')
    assert status == 0, errors
    assert "struct pair full = {in = {'key': [5, 6]}, out = <function callback at 0x" in text
    assert re.search(r"PyObject \*object = \{'key': \[5, 6\]\}", text)
    status, text, _ = run.pyscry(core, 'cvars', '9999')
    assert status == 2
    os.remove(core)
    for flags in (
        ['-O0', '-g'],
        ['-O0', '-gdwarf-2'],
        ['-O0', '-gdwarf-4', '-fdebug-types-section'],
    ):
        compiled(usable[0], directory, flags)
        core, _ = died(usable[0], directory, 'variables')
        _, text, _ = run.pyscry(core, 'cvars', '1')
        shown = '{before = 9, grid = {{1, 2, 3}, {4, 5, 6}}, width = LARGE, word = "seven"}'
        assert 'kinds = ' + shown in text, text
        os.remove(core)


CALLED = ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.11.7', 'pyenv-3.13.0')


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.tag in CALLED))
def test_called_by_python(interpreter, tmp_path):
    """Arguments that the compiler dropped are those of the Python frame that called the function;
    without debug information too."""
    directory = str(tmp_path)
    run.prepare(run_program(), directory)
    for options in ['-O2', '-g'], ['-O2']:
        compiled(interpreter, directory, options)
        for way in ['takes_one', 'takes_many'][: 1 + (interpreter.version >= (3, 7))]:
            core, truth = died(interpreter, directory, way)
            answer, status, errors = run.answer(core, command=('bt-full', '--native'))
            assert status == 0, errors
            (found,) = [
                {variable['name']: variable for variable in frame['variables']}
                for frame in answer['threads'][0]['frames']
                if frame['function'] == way
            ]
            for name, value in found.items():
                assert value['state'] in ('here', 'recovered'), (options, name, value)
                assert number(value) == truth['%s.%s' % (way, name)], (options, name, value)
            assert len(found) == (2 if way == 'takes_one' else 4)
            assert '-g' in options or found['self']['how'].startswith('#0 main called it'), found
            os.remove(core)


LOST_CODE = 'import ctypes, sys\ngetattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])(5, 7)'


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_caller_saved(interpreter, tmp_path):
    """Where a register was lost is told by the call itself; what made it may still be there."""
    library = str(tmp_path / 'lost.so')
    source = os.path.join(run.PROGRAMS, 'caller_saved.c')
    flags = '-O2 -g -fPIC -shared -fno-ipa-ra -fcf-protection=none'.split()
    subprocess.check_call(['gcc', *flags, source, '-o', library])
    listing = subprocess.check_output(['objdump', '-d', library], universal_newlines=True)
    symbols = dict(
        (name, int(at, 16)) for at, name in re.findall(r'^([0-9a-f]+) <(\w+)>:', listing, re.M)
    )
    calls = {int(at, 16) for at in re.findall(r'^ *([0-9a-f]+):\t[^\t]+\tcall ', listing, re.M)}
    said = {}
    for function in ('gone', 'found'):
        core, _ = run.core_of(interpreter.command + ['-c', LOST_CODE, library, function], tmp_path)
        answer = run.answer(core, command=('bt-full', '--native'))[0]
        os.remove(core)
        for frame in answer['threads'][0]['frames']:
            if frame['function'] == function:
                said.update((each['name'], each) for each in frame['variables'])
    assert (said['b']['value'], said['b']['state']) == ('7', 'here'), said['b']
    lost = re.match(
        r'lives in caller-saved (\w+) across a call at \+0x(\w+): lost', said['sum']['how']
    )
    assert lost and symbols['gone'] + int(lost.group(2), 16) in calls, said['sum']
    assert said['called']['state'] == 'recovered'
    assert re.search(r'<innermost\+0>', said['called']['value']), said['called']


# what variables of pieces.c are, called with 5 and 7
APART = {
    'ends': {'a': (12, 160, 7, 25), 'b': (7, -17500000, 12)},
    'sum_of': {'times': 7, 'p': {'x': 12, 'y': -2}},
    'taken_apart': {
        'a': 5,
        'b': 7,
        'o': {'first': 15, 'in': {'small': 8, 'shorter': 14, 'letter': 120}, 'last': None},
        'p': {'x': 12, 'y': -2},
    },
    'halved': {'value': 5000015, 'step': -7, 'half': 2500000, 'low': 160, 'wide': -17500000},
    'computed': {'a': 5, 'b': 7, 'start': 5000015, 'step': -7, 'both': {'x': 5, 'y': 5000015}},
    'behind': {'v': 25, 'by': 7},
    'pointed': {'a': 5, 'b': 7, 'v': 25},
    'by_value': {'both': {'x': 5, 'y': 7}, 'a': 12, 'turned': {'x': 7, 'y': 5}},
    'calls_by_value': {'a': 5, 'b': 7},
}
LEVELS = [
    ('gcc', '-O2'),
    ('gcc', '-O2', '-fno-ipa-ra'),
    ('gcc', '-O1', '-gdwarf-4'),
    ('gcc', '-Og'),
    ('clang', '-O2'),
    ('clang', '-O1', '-gdwarf-4'),
]


# of each compiler's code, by the version that was looked at: how many values, how many of them in
# registers that calls may change, how they are kept
SEEN = [
    ('gcc', '12.2.0', 80, 12, {'pieces', 'pointer'}),
    ('clang', '14.0.6', 24, 2, {'part', 'pieces'}),
]


def version_of(compiler):
    return subprocess.check_output([compiler, '--version'], universal_newlines=True)


def members(text):
    """ "{x = 5, y = <optimized out>}" as a dict without what is not known; a number as one."""
    text = text.strip()
    if text == '<optimized out>':
        return None
    if not text.startswith('{'):
        return int(re.match(r"-?(0x)?[0-9a-f]+", text).group(), 0)
    found, depth, start, parts = {}, 0, 1, []
    for at, letter in enumerate(text):
        depth += (letter == '{') - (letter == '}')
        if (letter == ',' and depth == 1) or depth == 0:
            parts.append(text[start:at])
            start = at + 1
    for part in parts:
        name, _, value = part.strip().partition(' = ')
        if members(value) is not None:
            found[name] = members(value)
    return found


def agrees(ours, truth):
    if isinstance(truth, dict):  # or a pointer to it
        return isinstance(ours, int) or all(
            agrees(value, truth[name]) for name, value in ours.items()
        )
    return truth is None or ours in (truth if isinstance(truth, tuple) else (truth,))


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_taken_apart(interpreter, tmp_path):
    """Structs in pieces, pointers to what has no address, computed numbers: what is shown is true,
    and what is not known is said to be optimized out."""
    met, survived, kinds = collections.Counter(), collections.Counter(), {}
    for number_of, (compiler, *flags) in enumerate(LEVELS):
        if not shutil.which(compiler):
            continue
        library = str(tmp_path / ('pieces%d.so' % number_of))
        source = os.path.join(run.PROGRAMS, 'pieces.c')
        flags = flags + ['-g', '-w', '-fPIC', '-shared', source, '-o', library]
        subprocess.check_call([compiler] + flags)
        for function in ('taken_apart', 'computed', 'calls_by_value', 'pointed'):
            core, _ = run.core_of(
                interpreter.command + ['-c', LOST_CODE, library, function], tmp_path
            )
            answer = run.answer(core, command=('bt-full', '--native'))[0]
            os.remove(core)
            for frame in answer['threads'][0]['frames']:
                for variable in frame.get('variables', ()):
                    truth = APART.get(frame['function'], {}).get(variable['name'])
                    value = variable['value']
                    if truth is None or value is None:
                        continue
                    seen = kinds.setdefault(compiler, set())
                    if value.startswith('-> '):
                        seen.add('pointer')
                        value = value[3:]
                    if ' + ' in (variable['location'] or ''):
                        seen.add('part' if '<optimized out>' in value else 'pieces')
                    place = (compiler, flags, function, frame['function'], variable)
                    assert agrees(members(value), truth), place
                    met[compiler] += 1
                    survived[compiler] += 'no instruction since' in (variable['how'] or '')
    # another compiler may keep other values
    for compiler, version, values, in_registers, ways in SEEN:
        if shutil.which(compiler) and version in version_of(compiler):
            what = (compiler, met, survived, kinds)
            assert met[compiler] >= values and survived[compiler] >= in_registers, what
            assert kinds[compiler] >= ways, what


API = ['PyObject_Repr', 'PyObject_GetItem', 'PyObject_SetItem', 'PyObject_RichCompare']
API += ['PyObject_SetAttr', 'PySequence_Contains', 'PyNumber_Add', 'PyObject_Size']
API += ['PyObject_Hash', 'PyObject_GetIter', 'PyDict_SetItem', 'PyObject_CallOneArg']


def without_dwarf(interpreter):
    return interpreter.tag in ('host-3.11', 'sid-3.13', 'bullseye-2.7')


@pytest.mark.parametrize('interpreter', every(without_dwarf))
def test_api(dumps, interpreter):
    """What functions of the C API were given, by the ABI alone: none of it is wrong."""
    right, met, seen = 0, 0, []
    for function in API:
        program = programs.Program('api-' + function, 'api_calls.py', (function,))
        dump = dumps.core(interpreter, program)
        answer, _, _ = run.answer(
            dump.core, *run.where(interpreter), command=('bt-full', '--native')
        )
        frames = answer['threads'][0]['frames']
        # the newest of that name which C code called
        for frame in [f for f in frames if f['function'] == function][:1]:
            found = {each['name']: each for each in frame['variables']}
            assert set(found) == set(dump.truth), (function, found)
            known = [each for each in found.values() if each['state'] == 'recovered']
            wrong = [each for each in known if number(each) != dump.truth[each['name']]]
            assert not wrong, (function, wrong, dump.truth)
            right, met = right + len(known), met + len(found)
            seen.append(function)
    print(interpreter.tag, right, 'of', met, 'are known,', len(seen), 'of', len(API), 'seen')
    assert right >= 3 and len(seen) >= 3
