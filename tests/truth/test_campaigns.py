"""The campaigns of this directory, cut short: ./dev campaign has the long form."""
import pytest

from tests.matrix.conftest import every

from . import instants, mutations

# the words of a chain of frames: whatever changes there is noticed
KINDS = ['frame', 'table', 'names']
SECONDS = 2


@pytest.mark.parametrize('interpreter', every(mutations.usable))
def test_changed_words(interpreter):
    count = mutations.campaign([interpreter], SECONDS, kinds=KINDS)
    assert count.total('same') + count.total('marked') > 0
    assert not count.wrong, '\n'.join(count.wrong)


@pytest.mark.parametrize('interpreter', every(instants.usable))
def test_random_instants(interpreter):
    outcomes, wrong = instants.campaign([interpreter], SECONDS / 2)
    assert sum(outcomes.values()) and not wrong, '\n'.join(wrong)
