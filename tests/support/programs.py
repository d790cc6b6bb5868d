"""The programs of tests/programs whose stacks are compared, and which interpreter can run which."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    script: str
    args: tuple = ()
    since: tuple = (2, 7)
    save_as: str = None  # the script's name where it runs
    ctypes: bool = False  # needs a working ctypes
    costly: bool = False  # not on every interpreter

    def runs_on(self, interpreter):
        return interpreter.version >= self.since and (interpreter.ctypes or not self.ctypes)


PROGRAMS = [
    Program('calls', 'shapes_calls.py'),
    Program('flow', 'shapes_flow.py'),
    Program('py3', 'shapes_py3.py', since=(3, 3)),
    Program('py36', 'shapes_py36.py', since=(3, 6)),
    Program('py38', 'shapes_py38.py', since=(3, 8)),
    Program('py310', 'shapes_py310.py', since=(3, 10)),
    Program('py311', 'shapes_py311.py', since=(3, 11)),
    Program('files', 'files.py'),
    Program('lines', 'lines.py'),
    Program(
        'unicode-name',
        'signals.py',
        save_as='h\u00e9llo_\u043c\u0438\u0440_\u4e16\u754c_\U0001f600.py',
        since=(3, 3),
    ),
    Program('threads', 'threads.py'),
    Program('spin', 'spin.py'),
    Program('signals', 'signals.py'),
    Program('trace-line', 'tracing.py', ('line',)),
    Program('trace-call', 'tracing.py', ('call',)),
    Program('trace-return', 'tracing.py', ('return',)),
    Program('trace-exception', 'tracing.py', ('exception',)),
    Program('profile-call', 'tracing.py', ('profile-call',)),
    Program('profile-c-call', 'tracing.py', ('profile-c_call',)),
    Program('callbacks', 'callbacks.py', ctypes=True),
    Program('fault', 'fault.py', ctypes=True),
    Program('atexit', 'atexits.py'),
    Program('collecting', 'collecting.py'),
    Program('interpreters', 'interpreters.py', since=(3, 3)),
    Program('deep-300', 'deep.py', ('300',)),
    Program('deep-3000-mixed', 'deep.py', ('3000', 'mixed')),
    Program('deep-20000', 'deep.py', ('20000',)),
    Program('deep-200000', 'deep.py', ('200000',), costly=True),
]
WAITING = Program('waiting', 'waiting.py')


def find(name):
    return next(program for program in PROGRAMS + [WAITING] if program.name == name)
