"""The variables of every frame are what the frame itself says: names, kinds, order, values; unbound
ones are left out."""
import copy
import json

import pytest

from tests.support import programs, run

from .conftest import every

VARIABLES = programs.Program('variables', 'variables.py')
LIMITS = ('--max-items=1000', '--max-depth=20', '--max-string=1000', '--max-text=100000')


def shown(dump, *options):
    """The main thread's frames, newest first."""
    answer, status, errors = run.answer(
        dump.core, *LIMITS + options + run.where(dump.interpreter), command=('bt', '--locals')
    )
    assert status == 0, errors
    return answer['threads'][0]['frames']


def differences(truth, frames):
    """What the frames say, newest first; frames in between that told nothing are passed over."""
    found = []
    rest = iter(frames)
    for wanted in truth:
        frame = next(
            (
                f
                for f in rest
                if f['function'] == wanted['function'] and f['line'] == wanted['line']
            ),
            None,
        )
        if frame is None:
            return found + ['no frame %s, line %d' % (wanted['function'], wanted['line'])]
        got = [[v['name'], v['kind'], v['repr']] for v in frame['locals']]
        if wanted['partial']:
            got = [v for v in got if v in wanted['locals']]
        if got != wanted['locals']:
            found.append(
                '%s: %s, not %s'
                % (
                    wanted['function'],
                    [v for v in got if v not in wanted['locals']] or got,
                    [v for v in wanted['locals'] if v not in got] or wanted['locals'],
                )
            )
    return found


@pytest.mark.parametrize('interpreter', every())
def test_variables(dumps, interpreter):
    dump = dumps.core(interpreter, VARIABLES)
    for layout in ('', 'rows'):
        frames = shown(dump, *(('--layout=' + layout,) if layout else ()))
        found = differences(dump.truth['frames'], frames)
        assert not found, '%s\n%s' % (layout, ascii('\n'.join(found)))


@pytest.mark.parametrize(
    'interpreter', every(lambda interpreter: interpreter.version >= (3, 11))[:1]
)
def test_a_difference_is_found(dumps, interpreter):
    """A changed value, kind or order must not pass."""
    dump = dumps.core(interpreter, VARIABLES)
    frames = shown(dump)
    for change in (
        lambda v: v.__setitem__(0, 'other'),
        lambda v: v.__setitem__(1, 'other'),
        lambda v: v.__setitem__(2, 'other'),
    ):
        truth = json.loads(json.dumps(dump.truth['frames']))
        change(next(f for f in truth if f['function'] == 'plain')['locals'][0])
        assert len(differences(truth, frames)) == 1
    truth = copy.deepcopy(dump.truth['frames'])
    next(f for f in truth if f['function'] == 'plain')['locals'].reverse()
    assert len(differences(truth, frames)) == 1
