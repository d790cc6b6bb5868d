"""A few damaged cores, the same ones every time; ./dev fuzz does more of it, under sanitizers."""
import pytest

from tests.fuzz import cores
from tests.support import programs, run

from .conftest import every


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag.startswith('pyenv-')))
def test_damaged_cores(dumps, interpreter):
    dump = dumps.core(interpreter, programs.find('flow'))
    places = cores.anchors(dump.core, run.cli())
    assert len(places) > 100
    problems = [cores.attack(dump.core, run.cli(), places, seed) for seed in range(30)]
    assert not any(problems), '\n'.join(filter(None, problems))
