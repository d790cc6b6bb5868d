"""A live process is never held longer than it may be, whatever we do meanwhile; and dumps that cost
more than they should are left where they are."""
import os
import random
import signal
import struct
import subprocess
import sys
import time
import zlib

import pytest

from tests.support import programs, run

from .conftest import every


def chosen(interpreter):
    return (
        interpreter.version >= (3, 3) and interpreter.machine == 'x86_64' and not interpreter.root
    )


def program(*arguments):
    return programs.Program('held', 'held.py', arguments)


def gap(directory):
    """Begin to measure, and end: the program writes how long it did not run."""
    reset = os.path.join(directory, 'reset')
    with open(reset, 'w'):
        pass
    while os.path.exists(reset):
        time.sleep(0.01)

    def ended():
        time.sleep(0.2)
        with open(os.path.join(directory, 'gap.txt')) as source:
            return float(source.read())

    return ended


LOOP = programs.Program('looping', 'looping.py')


@pytest.mark.parametrize('interpreter', every(lambda i: i.root is None))
def test_samples_without_stopping(interpreter, tmp_path):
    """Two readings that agree are one of the chains that there can be; else it is said."""
    with run.running(interpreter, LOOP, str(tmp_path / 'loop')) as (pid, truth):
        sound = samples = 0
        while sound < 15 or samples < 40:
            samples += 1
            assert samples < 500
            answer, status, errors = run.answer(pid, '--no-stop', command=('bt',))
            functions = [frame['function'] for frame in answer['threads'][0]['frames']]
            assert 'runs while it is read' in errors
            assert status == 1 or functions in truth['chains'], functions
            sound += status == 0
        status, _, errors = run.pyscry(pid, '--no-stop', 'bt', '--native')
        assert status == 1 and 'only a process that is stopped' in errors, errors


FORBIDDEN = '''
import ctypes, os, struct, sys
# seccomp: ptrace() fails with EPERM. BPF: the call's number; is it ptrace (x86-64)? errno, or allow
code = b''.join(struct.pack('<HBBI', *c) for c in
                [(32, 0, 0, 0), (21, 0, 1, 101), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)])
class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert not libc.prctl(38, 1, 0, 0, 0)
assert not libc.prctl(22, 2, ctypes.byref(Program(4, code)), 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
'''


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_never_stopped(interpreter, tmp_path):
    """Where nobody may trace it nothing is missing from what --no-stop says."""
    still = programs.Program('served', 'served.py')
    with run.running(interpreter, still, str(tmp_path)) as (pid, _):

        def ask(*options):
            words = [sys.executable, '-c', FORBIDDEN, run.cli(), str(pid), 'bt', *options]
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            return done.returncode, done.stdout.decode(), done.stderr.decode()

        status, stack, errors = ask()
        assert status == 1 and 'cannot be stopped (Operation not permitted)' in errors
        status, output, errors = ask('--no-stop')
        assert (status, output) == (0, stack) and 'cannot be stopped' not in errors


CHURN = programs.Program('churning', 'churning.py')


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in ('pyenv-3.11.7', 'built-3.13t')))
def test_lists_that_change_are_not_damaged(interpreter, tmp_path):
    with run.running(interpreter, CHURN, str(tmp_path)) as (pid, _):
        for _ in range(2):
            status, _, errors = run.pyscry('--hold', '0.001', pid, 'heap')
            assert 'damaged' not in errors and 'the dump' not in errors, errors
            assert status == 0 or 'while it was read' in errors or 'while it ran' in errors, errors


@pytest.mark.parametrize(
    'interpreter', every(lambda i: chosen(i) and i.version[:2] in ((3, 8), (3, 11), (3, 13)))
)
def test_bound(interpreter, tmp_path):
    """What takes longer than the bound is read while the process runs, and that is said."""
    with run.running(interpreter, program('chain'), str(tmp_path)) as (pid, _):
        ended = gap(str(tmp_path))
        answer, status, errors = run.answer(pid, '--hold', '0.002', command=('exc', '--all'))
        held = ended()
        assert status == 1
        assert 'was let go after 0.002 s: the rest was read while it ran' in errors
        assert any('was let go after 0.002 s' in error for error in answer['errors'])
        assert answer['exceptions'] if 'exceptions' in answer else answer['threads']
        # the machine may be busy: what must not happen is that it stands still until the answer is
        # there
        assert held < 1.5
        _, status, errors = run.answer(pid, command=('threads',))
        assert status == 0 and not errors


@pytest.mark.parametrize(
    'interpreter', every(lambda i: chosen(i) and i.tag in ('pyenv-3.11.7', 'host-3.11'))
)
def test_suspended(interpreter, tmp_path):
    """Ctrl-Z comes when the process has been let go."""
    with run.running(interpreter, program('threads'), str(tmp_path)) as (pid, _):
        suspended = 0
        for _ in range(30):
            reader = subprocess.Popen(
                [run.cli(), str(pid), 'bt', '--all', '--native'],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=os.setpgrp,
            )
            try:
                time.sleep(random.random() * 0.1)
                reader.send_signal(signal.SIGTSTP)
                time.sleep(0.05)
                if reader.poll() is None and run.state(reader.pid) == 'T':
                    suspended += 1
                    assert run.state(pid) not in 'tT'
            finally:
                reader.kill()
                reader.wait()
        assert suspended


@pytest.mark.skipif(os.geteuid() != 0, reason='userfaultfd for the kernel\'s faults is root\'s')
@pytest.mark.parametrize(
    'interpreter', every(lambda i: chosen(i) and i.ctypes and i.version >= (3, 6))
)
def test_page_that_never_comes(interpreter, tmp_path):
    with run.running(interpreter, program('lost'), str(tmp_path)) as (pid, truth):
        if not truth['lost']:
            pytest.skip('no userfaultfd here')
        ended = gap(str(tmp_path))
        status, output, errors = run.pyscry(
            pid, 'print', '--max-string', '4000000', '__main__:lost', timeout=30
        )
        assert status == 1
        assert '<unreadable at 0x' in output
        assert 'did not come in time' in errors
        assert ended() < 1.5
        _, status, errors = run.answer(pid, command=('bt', '--all'))
        assert status == 0 and not errors


def header(segments):
    return b'\x7fELF\2\1\1'.ljust(16, b'\0') + struct.pack(
        '<HHIQQQIHHHHHH', 4, 62, 1, 0, 64, 0, 0, 64, 56, segments, 0, 0, 0
    )


def segment(kind, flags, offset, address, in_file, in_memory):
    return struct.pack('<IIQQQQQQ', kind, flags, offset, address, 0, in_file, in_memory, 4096)


def small_core(size, addresses):
    """A core of one thread, whose segments are `size` bytes of nothing."""
    status = bytearray(336)
    struct.pack_into('<i', status, 32, 77)
    notes = struct.pack('<III', 5, len(status), 1) + b'CORE\0\0\0\0' + bytes(status)
    head = header(1 + len(addresses)) + segment(4, 4, 4096, 0, len(notes), 0)
    for address in addresses:
        head += segment(1, 6, 8192, address, size, size)
    return head.ljust(4096, b'\0') + notes.ljust(4096, b'\0')


def measured(*arguments):
    """(exit status, standard error, MB of the most memory that it had)."""
    code = (
        'import resource, subprocess, sys\n'
        'done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)\n'
        'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n'
        'sys.exit(done.returncode)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, run.cli()] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        universal_newlines=True,
        timeout=170,
    )
    return done.returncode, done.stderr, int(done.stdout)


def test_holes_are_not_touched(tmp_path):
    """A core of two terabytes, all holes."""
    path = str(tmp_path / 'sparse.core')
    with open(path, 'wb') as out:
        out.write(small_core(1 << 40, (0x10000000, 0x7F0000000000)))
        out.truncate((1 << 40) + 8192)
    status, errors, memory = measured(path, 'threads')
    assert status == 1 and 'no Python interpreter was found' in errors
    assert memory < 100


def test_bomb(tmp_path):
    """Gigabytes of zeros in a few megabytes are given up with the ratio; what came is used."""
    path = str(tmp_path / 'bomb.core.gz')
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = zeros.compress(bytes(1 << 26)) + zeros.flush()
    with open(path, 'wb') as out:
        out.write(pack.compress(small_core(8 << 30, (0x10000000,))) + pack.flush())
        for _ in range(128):
            out.write(piece)
    status, errors, memory = measured(path, 'threads')
    assert status == 1
    assert 'times its size' in errors and 'the rest was left out' in errors
    assert memory < 100
