"""Finds the Python interpreters that the tests run on, and says of each that is not there why.

Looked at: pyenv's versions, /usr/bin/python3.*, what $PYSCRY_INTERPRETERS names (executables, or
directories of them, separated by colons), and what debian.py has unpacked or built. An interpreter
that runs in another root (a wrapper around a container, say) is recognised by its own mount table:
what it has as "/" is not what we have there.
"""
import dataclasses
import functools
import glob
import json
import os
import subprocess
import sys

from . import debian

PROBE = r'''
import json, os, sys
maps = [line.split(None, 5)[5].strip() for line in open("/proc/self/maps")
        if line.count("/") and len(line.split(None, 5)) > 5]
library = [path for path in maps if os.path.basename(path).startswith("libpython")]
root = [line.split()[2:4] for line in open("/proc/self/mountinfo") if line.split()[4] == "/"]
child = os.fork()  # ctypes of an old version built with a new libffi crashes
if child == 0:
    import ctypes
    ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)()
    os._exit(0)
has_ctypes = os.waitpid(child, 0)[1] == 0
def importable(name):
    try:
        if sys.version_info >= (3, 4):
            import importlib.util
            return importlib.util.find_spec(name) is not None
        import imp
        imp.find_module(name)
        return True
    except ImportError:
        return False
print(json.dumps({
    "version": list(sys.version_info[:3]), "level": sys.version_info[3], "text": sys.version,
    "exe": os.readlink("/proc/self/exe"),
    "library": library[0] if library else None, "root": root[-1] if root else None,
    "prefix": sys.prefix,
    "flags": getattr(sys, "abiflags", ""),
    "machine": os.uname()[4] if sys.maxsize > 2**32 else "32-bit",
    "debug": hasattr(sys, "gettotalrefcount"), "ctypes": has_ctypes,
    "modules": [name for name in ("greenlet", "gevent", "eventlet") if importable(name)],
    "free_threaded": hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled()}))
'''


@dataclasses.dataclass
class Interpreter:
    tag: str
    version: tuple = ()
    exe: str = None  # as the process sees it
    library: str = None  # libpython, as the process sees it; None: linked into the executable
    root: str = None  # the directory that the process sees as "/"; None: ours
    prefix: str = None
    debug: bool = False
    free_threaded: bool = False
    stackless: bool = False
    machine: str = None  # "x86_64", or "32-bit" whatever the kernel says
    ctypes: bool = True
    modules: tuple = ()  # which of some that only a few have: greenlet, gevent, eventlet
    reason: str = None  # why it cannot be used
    options: tuple = ()  # for every program that it runs

    @property
    def command(self):
        return self.wrap([self.exe, *self.options])

    def wrap(self, command):
        """A command to be run where the interpreter lives."""
        if self.root is None:
            return command
        return [
            sys.executable,
            os.path.join(os.path.dirname(__file__), 'in_root.py'),
            self.root,
        ] + command

    def outside(self, path):
        """A path of the process as we see it."""
        return path if self.root is None else self.root + path


def candidates():
    """(tag, executable) of everything that may be an interpreter."""
    root = os.environ.get('PYENV_ROOT') or os.path.expanduser('~/.pyenv')
    for path in sorted(glob.glob(os.path.join(root, 'versions', '*', 'bin', 'python'))):
        yield 'pyenv-' + path.split('/')[-3], path
    for path in sorted(glob.glob('/usr/bin/python[23].*')):
        if path[-1].isdigit() or path.endswith('d'):
            yield 'host-' + os.path.basename(path)[6:], path
    for entry in filter(None, os.environ.get('PYSCRY_INTERPRETERS', '').split(':')):
        paths = sorted(glob.glob(os.path.join(entry, '*'))) if os.path.isdir(entry) else [entry]
        for path in paths:
            if os.access(path, os.X_OK) and not os.path.isdir(path):
                yield 'given-' + os.path.basename(path), path
    yield from debian.interpreters()


def ask(command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith('PYTHON')}
    done = subprocess.run(
        command + ['-c', PROBE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
        env=environment,
    )
    if done.returncode:
        raise RuntimeError(
            done.stderr.decode(errors='replace').strip().splitlines()[-1:]
            or 'status %d' % done.returncode
        )
    return json.loads(done.stdout)


def our_root():
    """(device, directory of its file system) that is mounted as "/"; None in a plain chroot."""
    with open('/proc/self/mountinfo') as table:
        found = [line.split()[2:4] for line in table if line.split()[4] == '/']
    return found[-1] if found else None


def place_of(root):
    """Where we see what another process has as "/": its mountinfo's words for it, or None for ours.
    Of another device, or outside of our own root, it cannot be told."""
    ours = our_root()
    if root is None or root == ours:
        return None
    top = ours[1].rstrip('/') if ours else None
    if ours is None or root[0] != ours[0] or not root[1].startswith(top + '/'):
        raise RuntimeError('its root, %s of device %s, is not to be seen here' % (root[1], root[0]))
    return root[1][len(top) :]


def probe(tag, path):
    """`path` is an executable, or (root, executable in it), or a reason (an Exception)."""
    if isinstance(path, Exception):
        return Interpreter(tag, reason=str(path))
    found = Interpreter(tag)
    try:
        if isinstance(path, tuple):
            found.root, found.exe = path
        facts = ask(found.command if found.root else [path])
        if found.root is None:
            found.root = place_of(facts['root'])
    except (OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        return Interpreter(tag, reason='%s does not run: %s' % (path, error))
    for name in (
        'exe',
        'library',
        'prefix',
        'debug',
        'ctypes',
        'machine',
        'modules',
        'free_threaded',
    ):
        setattr(found, name, facts[name])
    found.version = tuple(facts['version'])
    found.stackless = 'Stackless' in facts['text']
    if 'PyPy' in facts['text']:
        found.reason = 'PyPy has tests of its own'
    if found.root and os.geteuid() != 0:
        found.reason = 'running in another root needs root'
    return found


@functools.lru_cache(maxsize=None)
def everything():
    """All interpreters, usable or not, each once, oldest first."""
    found = {}
    for tag, path in candidates():
        interpreter = probe(tag, path)
        key = (interpreter.root, interpreter.exe) if interpreter.exe else tag
        found.setdefault(key, interpreter)
    return sorted(found.values(), key=lambda i: (i.version, i.tag))


if __name__ == '__main__':
    for interpreter in everything():
        print(
            '%-24s %-8s %s'
            % (
                interpreter.tag,
                '.'.join(map(str, interpreter.version)),
                interpreter.reason or interpreter.outside(interpreter.library or interpreter.exe),
            )
        )
