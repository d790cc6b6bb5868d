"""crash: what it says of each way to die, beside what the processor and the kernel said."""
import json
import os
import re
import shutil
import subprocess

import pytest

from tests.support import run
from tests.matrix.conftest import every

ON = ('pyenv-2.7.18', 'pyenv-3.8.18', 'pyenv-3.11.7', 'pyenv-3.13.0')
# of each of them: optimized ones at even places
FLAGS = (
    (['-O2', '-flto'],),
    (['-O0', '-g'],),
    (['-O2'],),
    (['-O0', '-g'], 'clang' if shutil.which('clang') else 'cc'),
)
READ, WRITE, EXECUTE = 'read', 'write', 'execute'
ABORTED = 'call'

# memory of malloc's, and of Python's allocator: what the explanation says, and how it goes on there
FREED = 'in a free %s bytes at '
KINDS = {
    'freed_small': '(pymalloc), which may have been a crashes.Holder',
    'freed_chunk': '(malloc, tcache)',
    'freed_large': '(malloc, unsorted bin)',
    'freed_type': '(malloc, tcache)',
    'freed_since': '(pymalloc), which may have been a crashes.Holder',
    'freed_before': '(pymalloc), which may have been a crashes.Holder',
}

# memory of a Py_buffer that was released: whose
USED = {
    'buffer_used': 'a Py_buffer at %#x',
    'view_used': '<released memory at %#x>',
    'static_used': 'a Py_buffer at %#x',
}
# read before a function was called that may have freed it, as it did in the first alone
PERHAPS = 'freed_since', 'freed_before'
DEBUG = 'freed_debug', 'freed_mark'

# way: (signal, the C function, operand's kinds or objects, words of explanation, origin, message)
WAYS = {
    'null_field': ('SIGSEGV', 'null_field', {'NULL'}, 'is NULL, taken for an object', 'stored'),
    'null_type': ('SIGSEGV', 'null_type', {'NULL'}, 'ob_type is at +8', 'argument 1 of null_type'),
    'bad_type': ('SIGSEGV', 'bad_type', {'wild'}, 'wild pointer', 'loaded from'),
    'hidden': ('SIGSEGV', 'hidden', {'NULL'}, 'taken for an object', 'nothing'),
    'behind_r8': ('SIGSEGV', 'behind_r8', {'NULL'}, 'taken for an object', '(%r8)'),
    'from_call': ('SIGSEGV', 'from_call', {'NULL'}, 'taken for an object', 'PyDict_GetItem'),
    'non_canonical': ('SIGSEGV', 'non_canonical', {'wild'}, 'non-canonical', 'stack'),
    'write_constant': ('SIGSEGV', 'write_constant', {'memory'}, 'read-only memory', 'lea'),
    'truncated': ('SIGBUS', 'truncated', {'memory'}, 'truncated.bin', 'returned by mmap'),
    'released': ('SIGSEGV', 'released', {'wild'}, None, 'returned by mmap'),
    'call_null': ('SIGSEGV', 'call_null', {'NULL'}, 'jump to NULL', None),
    'call_data': ('SIGSEGV', 'call_data', {'memory'}, 'call of data', None),
    'dealloc': ('SIGSEGV', 'dealloc', None, 'call of data', 'tp_dealloc of type'),
    'division': ('SIGFPE', 'division', {'number'}, 'division by zero', None),
    'too_large': ('SIGFPE', 'too_large', {'number'}, 'result does not fit (rcx is -1)', None),
    'trap': ('SIGILL', 'trap', None, 'an instruction there that always fails', None),
    'unloaded': ('SIGSEGV', 'unloaded', {'wild'}, 'a library that was unloaded', 'by mmap'),
    'guarded': ('SIGSEGV', 'guarded', {'memory'}, 'permits no access', 'returned by mmap'),
    'fallen': ('SIGSEGV', 'fallen', {'number'}, '0x2004 is not an address', 'several ways'),
    'freed_small': ('SIGSEGV', 'use_inner', {'NULL'}, FREED % 'block of 128', '(free now)'),
    'freed_chunk': ('SIGSEGV', 'use_inner', {'NULL'}, FREED % 'chunk of 728', '(free now)'),
    'freed_large': ('SIGSEGV', 'use_inner', {'NULL'}, 'in a free chunk of ', '(free now)'),
    'freed_type': ('SIGSEGV', 'use_type', {'wild'}, FREED % 'chunk of 728', '(free now)'),
    'freed_debug': ('SIGSEGV', 'use_type', {'freed'}, '0xdd: a debug', '(free now)'),
    'buffer_used': ('SIGSEGV', 'buffer_used', {'wild'}, 'that has no object: it was', None),
    'view_used': ('SIGSEGV', 'view_used', {'wild'}, 'it was used after release()', None),
    'static_used': ('SIGSEGV', 'static_used', {'wild'}, 'that has no object: it was', None),
    'freed_since': ('SIGSEGV', 'use_later', {'NULL'}, FREED % 'block of 128', '(free now)'),
    'freed_before': ('SIGSEGV', 'use_later', {'NULL'}, FREED % 'block of 128', '(free now)'),
    'freed_mark': ('SIGSEGV', 'use_type_later', {'freed'}, 'use after free', '(free now)'),
    'breakpoint': ('SIGTRAP', 'breakpoint', None, 'int3', None),
    'recursion': ('SIGSEGV', 'recursion', None, 'recursion calls itself', None),
    'thread_recursion': ('SIGSEGV', 'recursion', None, 'recursion calls itself', None),
    'gil': ('SIGSEGV', None, None, None, None),
    'assertion': ('SIGABRT', 'assertion', None, None, None, "Assertion `value == 42' failed"),
    'double_free': ('SIGABRT', 'double_free', None, None, None, 'double free'),
    'fatal': ('SIGABRT', 'fatal', None, None, None, 'the answer is lost'),
    'cxx': ('SIGABRT', 'throw_cxx', None, None, None, 'lost: no such thing'),
}


def usual(interpreter):
    return interpreter.tag in ON


def compiled(interpreter, directory, optimize, compiler='cc'):
    """crashes.c for an interpreter of this machine, by its own headers."""
    include = subprocess.check_output(
        interpreter.command + ['-c', 'import sysconfig; print(sysconfig.get_paths()["include"])'],
        universal_newlines=True,
    ).strip()
    objects = os.path.join(directory, 'cxx.o')
    subprocess.check_call(
        ['c++', '-fPIC', '-c', '-o', objects, os.path.join(run.PROGRAMS, 'crashes_cxx.cpp')]
    )
    subprocess.check_call(
        [compiler, '-shared', '-fPIC', '-fno-optimize-sibling-calls', '-DWITH_CXX', '-w']
        + optimize
        + ['-I' + include, '-o', os.path.join(directory, 'crashes.so')]
        + [os.path.join(run.PROGRAMS, 'crashes.c'), objects, '-lstdc++', '-pthread']
    )


def died(interpreter, directory, way, **environment):
    """(core, what the handler wrote) of one death."""
    core, truth = os.path.join(directory, 'core'), os.path.join(directory, 'truth')
    subprocess.run(
        interpreter.command + ['crashes.py', way],
        cwd=directory,
        env=run.environment(directory, 'none', dict(environment, PYSCRY_TRUTH=truth)),
        preexec_fn=run.limits,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
    )
    found = [name for name in os.listdir(directory) if name.startswith('core')]
    if not found:
        raise run.NoCore('no core file of %s' % way)
    os.rename(os.path.join(directory, found[0]), core)
    with open(truth) as lines:
        return core, {key: int(value, 16) for key, value in map(str.split, lines)}


def access(truth):
    """As the processor's error code has it: Intel SDM, volume 3, 4.7."""
    if truth['address'] == truth['rip'] or truth['error'] & 16:
        return EXECUTE
    return WRITE if truth['error'] & 2 else READ


def differences(way, truth, crash):
    signal, function, operands, explanation, origin, *message = WAYS[way]
    found = []

    def same(what, ours, true):
        if ours != true:
            found.append('%s: %s is %r, not %r' % (way, what, ours, true))

    def says(what, ours, words):
        if words and words not in ours:
            found.append('%s: no %r in %s %r' % (way, words, what, ours))

    same('signal', crash['signal_name'], signal)
    if function:
        same('function', crash['function'], function)
    says('explanation', ' '.join(crash['explanation']), explanation)
    says('origin', ' '.join(crash['origin']), origin)
    says('message', crash['message'] or '', ''.join(message))
    if way in KINDS:
        place = '%#x %s' % (truth['object'], KINDS[way])
        says('explanation', ' '.join(crash['explanation']), place)
    if way in USED:
        of = (truth['buffer'] + 70000, USED[way] % truth['object'])
        expected = '%#x is byte 70000 of the 1048576 of %s' % of
        # nothing before it: no "perhaps"
        if not any(line.startswith(expected) for line in crash['explanation']):
            found.append('%s: no %r in %r' % (way, expected, crash['explanation']))
    if way.startswith('freed'):
        for line in [line for line in crash['explanation'] if 'use after free' in line]:
            same('doubt', line.startswith('perhaps '), way in PERHAPS)
            says('reason', line, 'which may have freed it' if way in PERHAPS else None)
    same('stack_overflow', crash['stack_overflow'], way.endswith('recursion'))
    if operands:
        same('operands', {o['is'] for o in crash['operands']} & operands, operands)
    if 'rip' not in truth:
        says('instruction', crash['instruction'], 'call')
        return found
    for operand in crash['operands']:
        same(operand['register'], int(operand['value'], 16), truth[operand['register']])
    if signal in ('SIGSEGV', 'SIGBUS') and truth['code'] != 128:
        same('address', int(crash['address'], 16), truth['address'])
        same('access', crash['access'], access(truth))
    return found


@pytest.mark.parametrize('interpreter', every(usual))
def test_crashes(interpreter, tmp_path):
    """All ways: signal, access, address, function, operands, explanation, origin, message, line."""
    directory, found, own = str(tmp_path), [], ON.index(interpreter.tag)
    run.prepare(run_program(), directory)
    compiled(interpreter, directory, *FLAGS[own])
    for number, way in enumerate(WAYS):
        chosen = number % 2 == own // 2 or interpreter.tag == 'pyenv-3.11.7'
        if not chosen and not way.startswith('freed') and way not in USED:
            continue
        if way == 'view_used' and interpreter.version < (3, 3):
            continue  # no release()
        if way in DEBUG and interpreter.version < (3, 6):
            continue  # no PYTHONMALLOC
        hooks = {'PYTHONMALLOC': 'debug'} if way in DEBUG else {}
        core, truth = died(interpreter, directory, way, **hooks)
        answer, status, errors = run.answer(core, command=('crash',))
        os.remove(core)
        # partial is what has a mark in it, and nothing else: a copied type is not in its own MRO
        assert status == ('<damaged: ' in json.dumps(answer)), (way, errors)
        assert status == (way == 'dealloc'), (way, errors)
        crash = answer['crash']
        if own % 2 == 0:
            found += differences(way, truth, crash)
        else:  # without optimization values take other ways
            found += [d for d in differences(way, truth, crash) if ' in origin ' not in d]
        if way != 'gil' and (crash['python'] or {}).get('line') != 16:
            found.append('%s: Python is at %r' % (way, crash['python']))
    assert not found


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_fatal_format(interpreter, tmp_path):
    """A format's values as printf() shows them, as far as its directives are known."""
    run.prepare(run_program(), str(tmp_path))
    compiled(interpreter, str(tmp_path), ['-O2'])
    core, _ = died(interpreter, str(tmp_path), 'fatal_format')
    answer, _, errors = run.answer(core, command=('crash',))
    os.remove(core)
    message = 'Fatal Python error: 3000000000 is lost, -7 %c %x'
    assert answer['crash']['message'] == message, errors


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_more(interpreter, tmp_path):
    """What a handler caught before (faulthandler); a recursion in Python; names by DWARF; regs
    --stack."""
    directory = str(tmp_path)
    run.prepare(run_program(), directory)
    compiled(interpreter, directory, ['-O2', '-g'])
    open(os.path.join(directory, 'truth'), 'w').close()
    core, _ = died(interpreter, directory, 'handled')
    crash = run.answer(core, command=('crash',))[0]['crash']
    assert crash['function'] == 'null_type' and crash['address'] == '0x8', crash
    assert crash['access'] == 'read' and 'faulthandler' in ' '.join(crash['explanation'])
    assert 'argument 1 of null_type, object' in ' '.join(crash['origin'])
    os.remove(core)
    core, _ = died(interpreter, directory, 'python_recursion')
    crash = run.answer(core, command=('crash',))[0]['crash']
    assert crash['stack_overflow'] and crash['python']['function'] == 'recurse'
    assert re.search(r'recurse stands on the stack \d{4,} times', str(crash['explanation']))
    os.remove(core)
    core, truth = died(interpreter, directory, 'behind_r8')
    crash = run.answer(core, command=('crash',))[0]['crash']
    assert 'full.in of ' in ' '.join(crash['origin']), crash['origin']
    words = run.answer(core, command=('regs', '--all-frames', '--stack'))[0]['native_frames']
    held = [
        word['object']['address']
        for frame in words
        for word in frame.get('stack', ())
        if word['kind'] == 'object' and word['object']
    ]
    assert hex(truth['object']) in held
    assert any(w['kind'] == 'return address' for frame in words for w in frame.get('stack', ()))


def run_program():
    class program:
        save_as, script = None, 'crashes.py'

    return program


def test_no_crash(interpreter_without_crash):
    answer, status, _ = run.answer(interpreter_without_crash, command=('crash',))
    assert status == 2
    assert 'did not crash' in answer['errors'][-1]


@pytest.fixture
def interpreter_without_crash():
    process = subprocess.Popen(
        ['/usr/bin/python3', '-c', 'print(1, flush=True); input()'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    yield str(process.pid)
    process.communicate(b'\n')


# --- Rust ---

RUST_CODE = 'import ctypes, sys\ngetattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])(ctypes.c_void_p(9))'
PANICS = {
    'bounds': 'index out of bounds: the len is 3',
    'unwraps': 'called `Result::unwrap()` on an `Err` value',
    'expects': 'nothing was there',
    'said': None,  # its text is formatted
    'aborts': None,
}


@pytest.mark.skipif(not shutil.which('rustc'), reason='no rustc')
@pytest.mark.parametrize('flags', ['-g', '-C debuginfo=0'], ids=['DWARF', 'symbols'])
@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_rust(interpreter, flags, tmp_path):
    """Which function panicked, where, and why: as its own message has it."""
    source, library = os.path.join(run.PROGRAMS, 'panics.rs'), str(tmp_path / 'panics.so')
    words = ['rustc', '--crate-type', 'cdylib', '-C', 'opt-level=2', '-C', 'panic=abort']
    subprocess.check_call(words + flags.split() + ['-o', library, source])
    for way, text in PANICS.items():
        command = interpreter.command + ['-c', RUST_CODE, library, way]
        core, said = run.core_of(command, tmp_path, subprocess.PIPE)
        crash = run.answer(core, command=('crash',))[0]['crash']
        os.remove(core)
        assert (crash['signal_name'], crash['function']) == ('SIGABRT', way), crash
        said = said.decode()
        place = re.search(r'[\w/.]+\.rs:\d+:\d+', said)
        message = crash['message'] or ''
        if place:
            assert message.startswith('Rust panic at %s' % place.group()), (message, said)
            rest = message[len('Rust panic at %s: ' % place.group()) :]
            assert rest in said and rest.startswith(text or ''), (message, said)
        else:
            assert way == 'aborts' and not message
