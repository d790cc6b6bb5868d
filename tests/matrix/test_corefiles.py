"""The dumps of corefiles/: made elsewhere, read here as they are."""
import glob
import json
import os

import pytest

from tests.support import compare, run

DUMPS = sorted(glob.glob(os.path.join(run.TOP, 'corefiles', '*.core.zst')))


@pytest.mark.parametrize('core', [pytest.param(path, id=os.path.basename(path)) for path in DUMPS])
@pytest.mark.parametrize('options', [(), ('--layout', 'rows')], ids=['auto', 'rows'])
def test_a_dump_from_elsewhere(core, options):
    with open(core[: -len('.core.zst')] + '.json') as source:
        truth = json.load(source)
    answer, status, errors = run.answer(core, *options)
    assert status == 0, errors
    assert list(compare.differences(truth, answer)) == []


def test_there_are_dumps():
    assert DUMPS
