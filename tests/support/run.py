"""Runs programs until they die or wait, and pyscry and gdb on what is left of them."""
import contextlib
import ctypes
import dataclasses
import glob
import json
import os
import resource
import shutil
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(TOP, 'tests', 'programs')
# what a user's shell may set and must not matter, and what would change the programs' stacks
CLEAN = (
    'PYTHONHOME',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'PYTHONMALLOC',
    'PYTHONDEVMODE',
    'LD_LIBRARY_PATH',
    'DEBUGINFOD_URLS',
)


class NoCore(Exception):
    """The program died as it should, but this machine left no core file where we look."""


@dataclasses.dataclass
class Dump:
    core: str
    truth: dict
    directory: str
    interpreter: object
    exe: str  # as we see it
    root: str = None  # where the target's files are, if the core does not name them

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def build_directory():
    return os.environ.get('PYSCRY_BUILD') or os.path.join(TOP, 'build')


def cli():
    return os.environ.get('PYSCRY') or os.path.join(build_directory(), 'src', 'cli', 'pyscry')


def environment(directory, end, extra=()):
    env = {k: v for k, v in os.environ.items() if k not in CLEAN}
    env.update(
        PYSCRY_TRUTH=os.path.join(directory, 'truth.json'),
        PYSCRY_END=end,
        PYTHONDONTWRITEBYTECODE='1',
        LC_ALL='C.UTF-8',
        # else as large as the processor's cache: on some machines nothing is ever collected
        PYPY_GC_NURSERY='1M',
    )
    env.update(extra)
    return env


def prepare(program, directory):
    """Copy the programs to `directory` (it is what the process sees) and return the script's
    path."""
    os.makedirs(directory, exist_ok=True)
    for path in glob.glob(os.path.join(PROGRAMS, '*.py')):
        shutil.copy(path, directory)
    script = program.save_as or program.script
    if script != program.script:
        os.rename(os.path.join(directory, program.script), os.path.join(directory, script))
    return script


def limits():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def core_of(command, directory, stderr=subprocess.DEVNULL):
    """Run a command that dies, in a directory that has no core yet: (the core, what it said)."""
    done = subprocess.run(
        command,
        cwd=str(directory),
        preexec_fn=limits,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        timeout=60,
    )
    # qemu-user's have names of its own
    cores = [
        name
        for name in os.listdir(str(directory))
        if name.startswith('core') or (name.startswith('qemu_') and name.endswith('.core'))
    ]
    assert len(cores) == 1, (cores, done.returncode)
    return os.path.join(str(directory), cores[0]), done.stderr


def load(directory):
    with open(os.path.join(directory, 'truth.json')) as source:
        return json.load(source)


def same_addresses():
    """Before a program is run: its addresses are the same each time."""
    limits()
    ctypes.CDLL(None).personality(0x0040000)  # ADDR_NO_RANDOMIZE, linux/personality.h


def crash(interpreter, program, directory, end='abort', copy=None, cores='core*', still=False):
    """Run a program until it dies; `copy` is a Copy of the interpreter to run instead of the
    original; `still`: addresses and hashes are the same each time."""
    script = prepare(program, directory)
    command = copy.command if copy else interpreter.command
    env = environment(directory, end, copy.environment if copy else ())
    if still:
        env['PYTHONHASHSEED'] = '0'
    with open(os.path.join(directory, 'output'), 'wb') as output:
        done = subprocess.run(
            command + [script] + list(program.args),
            cwd=directory,
            env=env,
            preexec_fn=same_addresses if still else limits,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=180,
        )
    if done.returncode not in (-signal.SIGABRT, -signal.SIGSEGV):
        with open(os.path.join(directory, 'output'), errors='replace') as output:
            raise RuntimeError(
                '%s on %s ended with %d: %s'
                % (program.name, interpreter.tag, done.returncode, output.read()[-2000:])
            )
    uses_ctypes = program.ctypes or end == 'segv'
    if (
        uses_ctypes
        and interpreter.version < (3, 6)
        and not os.path.exists(os.path.join(directory, 'truth.json'))
    ):
        raise NoCore(
            'the ctypes of %s crashes by itself: it is older than its libffi' % interpreter.tag
        )
    found = glob.glob(os.path.join(directory, cores))
    if not found:
        with open('/proc/sys/kernel/core_pattern') as pattern:
            raise NoCore(
                'no core file here: core_pattern is %r, limit %r'
                % (pattern.read().strip(), resource.getrlimit(resource.RLIMIT_CORE))
            )
    exe = copy.exe if copy else interpreter.outside(interpreter.exe)
    return Dump(found[0], load(directory), directory, interpreter, exe)


@contextlib.contextmanager
def running(interpreter, program, directory, copy=None):
    """(pid, truth) of a program that waits."""
    script = prepare(program, directory)
    env = environment(directory, 'sleep', copy.environment if copy else ())
    command = copy.command if copy else interpreter.command
    with open(os.path.join(directory, 'output'), 'wb') as output:
        process = subprocess.Popen(
            command + [script] + list(program.args),
            cwd=directory,
            env=env,
            preexec_fn=limits,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        give_up = time.monotonic() + 60
        while not os.path.exists(os.path.join(directory, 'truth.json')):
            if process.poll() is not None or time.monotonic() > give_up:
                with open(os.path.join(directory, 'output'), errors='replace') as output:
                    raise RuntimeError(
                        '%s on %s does not wait: %s'
                        % (program.name, interpreter.tag, output.read()[-2000:])
                    )
            time.sleep(0.02)
        time.sleep(0.1)
        yield process.pid, load(directory)
    finally:
        process.kill()
        process.wait()


def state(pid):
    """The letter that /proc/PID/stat has for the process: S sleeps, T stopped, t traced."""
    with open('/proc/%d/stat' % pid) as stat:
        return stat.read().rsplit(')', 1)[1].split()[0]


class Copy:
    """A private copy of an interpreter's executable and libpython, which can be stripped and
    removed."""

    def __init__(self, interpreter, directory, strip=True):
        self.directory = os.path.join(directory, 'copy')
        os.makedirs(self.directory)
        self.files = [self.add(interpreter.outside(interpreter.exe), strip)]
        self.exe = self.files[0]
        self.environment = {'PYTHONHOME': interpreter.prefix}
        if interpreter.library:
            self.files.append(self.add(interpreter.outside(interpreter.library), strip))
            self.environment['LD_LIBRARY_PATH'] = self.directory
        self.command = interpreter.wrap([self.exe])
        if interpreter.tag.startswith('built-'):
            del self.environment['PYTHONHOME']
            raise NotImplementedError(
                'a build tree finds its library by the place of its executable'
            )

    def add(self, path, strip):
        target = os.path.join(self.directory, os.path.basename(path))
        shutil.copy(path, target)
        if strip:
            subprocess.run(['strip', '--strip-all', target], check=True)
        return target

    def remove(self):
        shutil.rmtree(self.directory)


# on a busy machine a read may take longer than a process is stopped for by default
PATIENT = ('--hold', '30')


def pyscry(*arguments, timeout=120, env=None, text=True):
    """(exit status, standard output, standard error) of the command line."""
    arguments = list(map(str, arguments))
    if '--hold' not in arguments and any(argument.isdigit() for argument in arguments):
        arguments[:0] = PATIENT
    clean = {k: v for k, v in os.environ.items() if k not in CLEAN}
    clean.update(env or {})
    done = subprocess.run(
        [cli()] + arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env=clean,
    )
    if text:
        return (
            done.returncode,
            done.stdout.decode('utf-8', 'surrogateescape'),
            done.stderr.decode('utf-8', 'replace'),
        )
    return done.returncode, done.stdout, done.stderr


def answer(target, *options, command=('bt', '--all'), timeout=120):
    """pyscry's JSON on a target, its exit status and its errors."""
    status, output, errors = pyscry('--json', *options, target, *command, timeout=timeout)
    try:
        return json.loads(output), status, errors
    except ValueError:
        raise AssertionError(
            ascii('no JSON (status %d): %s %s' % (status, output[:500], errors[-2000:]))
        )


def where(interpreter):
    """Options that tell pyscry where an interpreter's files are."""
    return ('--sysroot', interpreter.root) if interpreter.root else ()


def gdb(*commands, core=None, exe=None, pid=None, options=(), early=(), timeout=120, env=None):
    """gdb's standard output after our gdbinit and some commands."""
    command = ['gdb', '-nx', '-batch', '-iex', 'set debuginfod enabled off']
    for option in early:
        command += ['-eiex', option]
    for option in options:
        command += ['-ex', option]
    if exe:
        command += ['-ex', 'file %s' % exe]
    if core:
        command += ['-ex', 'core-file %s' % core]
    if pid:
        command += ['-p', str(pid)]
    command += ['-ex', 'source %s' % os.path.join(TOP, 'gdbinit')]
    for line in commands:
        command += ['-ex', line]
    clean = {k: v for k, v in os.environ.items() if k not in CLEAN}
    clean.update(env or {}, LC_ALL='C.UTF-8', PYSCRY_BUILD=build_directory())
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        env=clean,
    )
    return (
        done.returncode,
        done.stdout.decode('utf-8', 'surrogateescape'),
        done.stderr.decode('utf-8', 'replace'),
    )
