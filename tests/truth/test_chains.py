"""One word of a chain of frames is changed: what cannot be is said in its place, nothing of another
thread or of another time is shown, and the frames behind it are, wherever the thread's own stack
has them."""
import json
import os
import shutil

import pytest

from tests.matrix.conftest import every
from tests.support import programs, run
from tests.support.corefile import CoreFile

from . import mutations

# offsets of a frame's words: struct _PyInterpreterFrame (3.11+), PyFrameObject; 64 bits
OWNER = {(3, 11): 69, (3, 12): 70, (3, 13): 70, (3, 14): 74, (3, 15): 74}
FAR, PATTERN = 1 << 20, 0xDDDDDDDDDDDDDDDD


def offsets(version):
    if version >= (3, 12):
        return {'code': 0, 'back': 8, 'at': 56, 'owner': OWNER[version[:2]]}
    if version >= (3, 11):
        return {'code': 32, 'back': 48, 'at': 56, 'owner': OWNER[version[:2]]}
    return {
        'back': 24,
        'code': 32,
        'at': 120 if version < (3, 7) else 104 if version < (3, 10) else 96,
    }


class Target:
    """A copy of a core, to be damaged at the first `count` that another one called."""

    def __init__(self, dump, path):
        shutil.copyfile(dump.core, path)
        self.path, self.truth = path, dump.truth
        self.version = dump.interpreter.version
        self.at = offsets(self.version)
        self.mine, self.parked = dump.truth['stacks'][0], dump.truth['stacks'][2]
        names = [frame['function'] for frame in self.mine]
        self.number = names.index('count') + 1

    def frame(self, behind=0):
        return self.mine[self.number + behind]

    def write(self, field, value, size=8):
        with CoreFile(self.path) as file:
            at = file.offset(self.frame()['address'] + self.at[field], size)
            file.data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, 'little')

    def link(self, value):
        self.write('back', value)

    def instruction(self, old, new):
        """`old`: what it is where the instruction is a number of 32 bits."""
        if self.version < (3, 11):
            self.write('at', old, 4)
        else:
            self.write('at', new)

    def table(self, byte):
        address, length, head = self.frame()['table']
        with CoreFile(self.path) as file:
            at = file.offset(address + head, length)
            file.data[at : at + length] = byte * length

    def no_table(self):
        with CoreFile(self.path) as file:
            file.set_word(self.frame()['table'][0] + 16, 0)


def new(target):
    return target.version >= (3, 11)


def tells_executed(target):
    """Before, only the depth of the recursion tells, which counts some calls of C functions too."""
    return target.version >= (3, 4)


# name: what is done, and what stands in the frame's place: 'chain' behind it, 'frame' (damaged),
# 'unknown' (damaged, and not even its function is known), 'line' (of all frames of the function)
DAMAGES = {
    'another thread': (lambda t: t.link(t.parked[1]['address']), 'chain'),
    'another thread, as deep': (lambda t: t.link(t.parked[0]['address']), 'chain'),
    'a suspended generator': (lambda t: t.link(t.truth['generator']), 'chain'),
    'some left out': (lambda t: t.link(t.frame(4)['address']), 'chain', tells_executed),
    'nothing': (lambda t: t.link(0), 'chain'),
    'no memory': (lambda t: t.link(8), 'chain'),
    'no frame': (lambda t: t.link(t.frame()['code']), 'chain'),
    'itself': (lambda t: t.link(t.frame()['address']), 'chain'),
    'newer': (lambda t: t.link(t.frame(-1)['address']), 'chain'),
    'code of another': (lambda t: t.write('code', t.mine[0]['code']), 'unknown'),
    'no code': (lambda t: t.write('code', t.truth['others'][0]), 'unknown'),
    'code is nothing': (lambda t: t.write('code', 0), 'unknown'),
    'before the code': (lambda t: t.instruction(-77, t.frame()['code']), 'frame'),
    'behind the code': (lambda t: t.instruction(FAR, t.frame()['code'] + FAR), 'frame'),
    'a pattern': (lambda t: t.instruction(-0x22222223, PATTERN), 'frame'),
    'an unknown owner': (lambda t: t.write('owner', 0xDD, 1), 'frame', new),
    'a shim': (lambda t: t.write('owner', 3, 1), 'frame', new),
    'a table of zeros': (lambda t: t.table(b'\0'), 'line'),
    'a table of patterns': (lambda t: t.table(b'\xdd'), 'line'),
    'an empty table': (lambda t: t.no_table(), 'line'),
}


def shown(frames):
    """What is said to be true of a stack: (function, line, address)."""
    return [
        (frame['function'], frame['line'], int(frame['address'], 16))
        for frame in frames
        if frame['kind'] != 'damaged'
    ]


def true(frames):
    return [(frame['function'], frame['line'], frame['address']) for frame in frames]


def expected(target, what):
    mine = true(target.mine)
    if what == 'line':
        return [(f, None if f == 'count' else line, at) for f, line, at in mine]
    if what != 'chain':
        del mine[target.number]
    return mine


def complaints(target, what, answer, status):
    stacks = {thread['tid']: thread['frames'] for thread in answer['threads']}
    crashed = next(thread['frames'] for thread in answer['threads'] if thread['crashed'])
    others = [frames for frames in stacks.values() if frames is not crashed and frames]
    if status != 1:
        yield 'exit status %d' % status
    if sorted(map(shown, others)) != sorted(map(true, target.truth['stacks'][1:])):
        yield 'other threads: %s' % list(map(shown, others))
    if shown(crashed) != expected(target, what):
        yield 'shown: %s' % '\n    '.join(map(str, shown(crashed)))
    place = target.number + (what == 'chain')
    frame = crashed[place] if place < len(crashed) else {}
    if what == 'line':
        if not frame.get('no_line') or frame.get('source'):
            yield 'the line is not said to be unknown: %s' % frame
    elif frame.get('kind') != 'damaged' or not frame.get('error'):
        yield 'frame %d is not said to be damaged: %s' % (place, frame)
    elif what != 'frame' and frame.get('function'):
        yield 'a function of a damaged frame: %s' % frame
    elif what == 'frame' and (frame['function'] != 'count' or frame['line']):
        yield 'not the damaged frame: %s' % frame
    for each in crashed:
        if (each['kind'] == 'damaged') != bool(each.get('error')):
            yield 'kind and error do not fit: %s' % each


@pytest.mark.parametrize('interpreter', every(mutations.with_a_gil))
def test_one_changed_word(dumps, interpreter, tmp_path):
    dump = dumps.core(interpreter, mutations.PROGRAM)
    where = run.where(interpreter)
    answer, status, errors = run.answer(dump.core, *where)
    assert status == 0, errors
    found = [shown(thread['frames']) for thread in answer['threads'] if thread['frames']]
    assert sorted(found) == sorted(map(true, dump.truth['stacks']))
    wrong = []
    for name, (damage, what, *when) in DAMAGES.items():
        target = Target(dump, str(tmp_path / 'core'))
        if when and not when[0](target):
            continue
        damage(target)
        answer, status, _ = run.answer(target.path, *where)
        wrong += ['%s: %s' % (name, each) for each in complaints(target, what, answer, status)]
        os.remove(target.path)
    assert not wrong, '\n'.join(wrong)


LINELESS = programs.Program('lineless', 'lineless.py', since=(3, 8))


@pytest.mark.parametrize('interpreter', every(LINELESS.runs_on))
def test_no_line_table(dumps, interpreter):
    """Neither a line nor a source line is invented; functions of one line keep theirs."""
    dump = dumps.core(interpreter, LINELESS)
    where = run.where(interpreter)
    answer, status, _ = run.answer(dump.core, *where, command=('bt',))
    frames = {frame['function']: frame for frame in answer['threads'][0]['frames']}
    assert status == 1
    for name, line in dump.truth['lines'].items():
        frame = frames[name]
        if name == 'one_line' and frame.get('no_line'):
            line = None  # the source is not found from here
        assert (frame['line'], bool(frame.get('no_line'))) == (line, line is None), frame
        assert line or not frame['source'], frame
    status, output, _ = run.pyscry(*where, dump.core, 'threads')
    assert status == 1 and 'no line' in output
    status, output, errors = run.pyscry(*where, dump.core, 'list')
    assert status == 2 and not output and 'no line table' in errors


YIELDS = programs.Program('yielding', 'yielding.py', since=(3, 12), ctypes=True)


@pytest.mark.parametrize(
    'interpreter', every(lambda i: YIELDS.runs_on(i) and mutations.with_a_gil(i))
)
def test_the_window_of_a_yield(dumps, interpreter):
    """A generator that is left has no link to its caller any more, and is current still."""
    dump = dumps.core(interpreter, YIELDS)
    answer, status, _ = run.answer(dump.core, *run.where(interpreter))
    frames = next(t['frames'] for t in answer['threads'] if t['crashed'])
    assert status == 1
    assert [frame['function'] for frame in frames if frame['kind'] == 'python'] == dump.truth[
        'functions'
    ]
    assert frames[1]['kind'] == 'damaged'


LOOP = programs.Program('looping', 'looping.py')


@pytest.mark.parametrize('interpreter', every(lambda i: i.root is None))
def test_samples_of_a_loop(dumps, interpreter, tmp_path):
    """Whatever instant is hit, what is said to be whole is one of the chains that there can be."""
    with run.running(interpreter, LOOP, str(tmp_path / 'loop')) as (pid, truth):
        for _ in range(25):
            answer, status, errors = run.answer(pid, command=('bt',))
            functions = [frame['function'] for frame in answer['threads'][0]['frames']]
            if status == 0:
                assert functions in truth['chains'], functions
            else:
                known = [name for name in functions if name]
                assert known in truth['chains'] and 'damaged' in str(answer), functions


LINKED = programs.Program('linked', 'linked.py')


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version[0] == 2))
def test_links_to_older_frames(interpreter, tmp_path):
    """2.7, where nothing in a frame says whether it runs: one that is left out still has its
    reference to its caller, which then has too few; but for callers with references of others."""
    dump = run.crash(interpreter, LINKED, str(tmp_path))
    frames = [int(address, 16) for address in dump.truth['frames']]

    def ask():
        return run.pyscry('--json', *run.where(interpreter), dump.core, 'bt')

    right = ask()
    assert right[0] == 0 and not right[2], right
    marked = []
    with CoreFile(dump.core) as core:
        for number, frame in enumerate(frames[:-3:3]):
            back, older = frame + 24, frames[3 * number + 2 :: 5]
            old = core.word(back)
            for each in older:
                core.set_word(back, each)
                marked.append(mutations.is_marked(ask(), right))
            core.set_word(back, old)
    assert marked.count(True) > len(marked) / 2, marked


DEEP = programs.Program('deep-2000', 'deep.py', ('2000',))


@pytest.mark.parametrize('interpreter', every(mutations.with_a_gil))
def test_a_run_of_damage_ends(interpreter, tmp_path):
    """A thousand frames whose code is none: the sound ones before them, a few, and the end."""
    dump = run.crash(interpreter, DEEP, str(tmp_path))

    def frames():
        status, output, _ = run.pyscry('--json', *run.where(interpreter), dump.core, 'bt')
        return status, json.loads(output)['threads'][0]['frames']

    _, right = frames()
    at = offsets(interpreter.version)
    with CoreFile(dump.core) as core:
        for number, frame in enumerate(right[3:1003]):
            core.set_word(int(frame['address'], 16) + at['code'], 0x7FFF0000 + 8 * number)
    status, found = frames()
    assert status == 1 and found[:3] == right[:3] and len(found) < 12
    assert {frame['kind'] for frame in found[3:]} == {'damaged'}
    assert all(frame['error'] for frame in found[3:])
    assert 'not followed any further' in found[-1]['error']
