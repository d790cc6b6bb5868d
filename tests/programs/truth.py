# -*- coding: utf-8 -*-
"""What the interpreter itself says of its stacks, written as JSON to $PYSCRY_TRUTH; then the end named by $PYSCRY_END.

Runs on Python 2.7 and 3.3 to 3.15. The truth must hold at the moment of the dump: every frame but the newest stands in
a call that does not return, and the newest one takes the snapshot and ends on one and the same line (its columns
are therefore left out).
"""
from __future__ import print_function

import json
import os
import sys
import threading
import time

_tids = {}      # thread ident: the operating system's id
_names = {}     # thread ident: name that threading knows
_tops = {}      # thread ident: frame to start from, where sys._current_frames() would mislead
_moving = set() # idents of threads that run on: their newest frame keeps its line, not its columns
_parts = []     # stacks of other interpreters, written by themselves


def text(value):
    """Python 2 names are bytes; those that are no UTF-8 are shown as Python 3's surrogateescape does."""
    if not isinstance(value, bytes):
        return value
    decoded = u''
    while value:
        try:
            return decoded + value.decode('utf-8')
        except UnicodeDecodeError as error:
            decoded += value[:error.start].decode('utf-8') + u''.join(map(_escape, value[error.start:error.end]))
            value = value[error.end:]
    return decoded


def _escape(byte):
    return json.loads('"\\udc%02x"' % ord(byte))


def native_id():
    """The calling thread's id; through /proc, since old versions do not tell and not every build has ctypes."""
    try:
        return int(os.readlink('/proc/thread-self').rsplit('/', 1)[1])
    except OSError:
        return None


def here(moving=False, top=False):
    """Called by each thread of a program: note who runs it."""
    ident = threading.current_thread().ident
    _tids[ident] = native_id()
    _names[ident] = threading.current_thread().name
    if moving:
        _moving.add(ident)
    if top:
        _tops[ident] = sys._getframe(1)


here()  # the main thread imports this module


def _position(frame):
    """(end line, column, end column) as pyscry counts them: bytes from 1, the end one past the last; None: unknown."""
    if not hasattr(frame.f_code, 'co_positions') or frame.f_lasti < 0:
        return None, None, None
    index = frame.f_lasti // 2
    for i, (_, end_line, column, end_column) in enumerate(frame.f_code.co_positions()):
        if i == index:
            return (end_line, None if column is None else column + 1,
                    None if end_column is None else end_column + 1)
    return None, None, None


def _same(a, b):
    return all(a[key] == b[key] for key in a if key != 'repeat')


def stack(frame, columns=True):
    """Newest first. Equal neighbours are counted, so that 200,000 frames stay a short file."""
    frames, seen = [], {}
    while frame is not None:
        code = frame.f_code
        key = (code, frame.f_lasti)
        if key not in seen:
            entry = {'function': text(code.co_name), 'file': text(code.co_filename), 'line': frame.f_lineno,
                     'qualname': getattr(code, 'co_qualname', None)}
            entry['end_line'], entry['column'], entry['end_column'] = _position(frame)
            seen[key] = entry
        entry = dict(seen[key], repeat=1, columns=columns)
        if frames and _same(frames[-1], entry):
            frames[-1]['repeat'] += 1
        else:
            frames.append(entry)
        frame, columns = frame.f_back, True
    return frames


def _threads(top):
    me = threading.current_thread().ident
    here()
    for thread in threading.enumerate():
        _names.setdefault(thread.ident, thread.name)
        if getattr(thread, 'native_id', None):
            _tids.setdefault(thread.ident, thread.native_id)
    found = []
    for ident, frame in sys._current_frames().items():
        columns = ident not in _moving
        if ident == me:
            frame, columns = top, False
        frame = _tops.get(ident, frame) if ident != me else frame
        found.append({'ident': ident, 'tid': _tids.get(ident), 'name': text(_names.get(ident)),
                      'self': ident == me, 'moving': ident in _moving, 'frames': stack(frame, columns)})
    return found


def _save(path, value):
    with open(path + '.new', 'w') as out:
        json.dump(value, out)
    os.rename(path + '.new', path)


def save(value):
    """What a program knows of itself, in place of its stacks."""
    _save(os.environ['PYSCRY_TRUTH'], value)


def part(name):
    """In a sub-interpreter: its own stack, for the main interpreter to join()."""
    _save(os.environ['PYSCRY_TRUTH'] + '.' + name, {'tid': native_id(), 'frames': stack(sys._getframe(1), False)})


def join(name):
    path = os.environ['PYSCRY_TRUTH'] + '.' + name
    while not os.path.exists(path):
        time.sleep(0.01)
    with open(path) as source:
        _parts.append(json.load(source))


def write(top=None, extra=()):
    """Write the truth; `extra` are frames (newest first) that the call which ends the program will add."""
    if 'PYSCRY_TRUTH' not in os.environ:
        return
    threads = _threads(top or sys._getframe(1))
    for thread in threads:
        if thread['self']:
            thread['frames'][:0] = extra
    _save(os.environ['PYSCRY_TRUTH'], {
        'pid': os.getpid(), 'version': list(sys.version_info[:3]), 'threads': threads, 'parts': _parts,
        'end': os.environ.get('PYSCRY_END', 'abort'), 'free_threaded': hasattr(sys, '_is_gil_enabled')
        and not sys._is_gil_enabled(), 'base': sys.prefix})


def ending():
    """(C function, its arguments)."""
    how = os.environ.get('PYSCRY_END', 'abort')
    if how == 'sleep':
        return time.sleep, (600,)
    if how == 'segv':
        try:
            import ctypes  # not faulthandler._sigsegv, which forbids the core file
            return ctypes.memset, (16, 0, 8)
        except ImportError:
            return os.kill, (os.getpid(), 11)
    return os.abort, ()


def die():
    end, arguments = ending()
    write(sys._getframe()) or end(*arguments)


def last_line(function, *arguments):
    """The line that a Python function executed last: where it will stand when its C call faults."""
    lines = []

    def trace(frame, event, _):
        if frame.f_code is function.__code__:
            lines.append(frame.f_lineno)
            return trace
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(None)
    return lines[-1]


def frame_of(function, *arguments):
    """A frame for write(extra=...): `function` called with harmless arguments tells the line, harmful ones end there."""
    code = function.__code__
    return {'function': text(code.co_name), 'file': text(code.co_filename), 'qualname': getattr(code, 'co_qualname', None),
            'line': last_line(function, *arguments), 'end_line': None, 'column': None, 'end_column': None,
            'repeat': 1, 'columns': False}


def chain(shapes, index=0):
    """Call each shape with a function that goes on to the next one; the last one dies."""
    if index == len(shapes):
        die()
    shapes[index](lambda *_, **__: chain(shapes, index + 1))


def run(names):
    """chain() over the functions named shape_* of a program, in the order of their lines."""
    found = sorted((f.__code__.co_firstlineno, f) for n, f in names.items() if n.startswith('shape_'))
    chain([f for _, f in found])
