"""The ABI beside the last one (tools/abi.py, ./dev abi), and that the comparison sees what breaks
programs."""
import os
import shutil
import sys

import pytest

from tests.support.story import BUILD, TOP, clean_environment, run

sys.path.insert(0, os.path.join(TOP, 'tools'))

import abi  # noqa: E402


@pytest.fixture(scope='module', autouse=True)
def programs():
    for program in abi.PROGRAMS:
        if not shutil.which(program):
            pytest.skip('no %s' % program)


@pytest.fixture(scope='module')
def last():
    return abi.kept(abi.soname(os.path.join(BUILD, 'libpyscry.so')))


def test_it_is_the_last_one():
    if '.debug_info' not in run(['readelf', '-SW', os.path.join(BUILD, 'libpyscry.so')]).out:
        pytest.skip('a build without debug information')
    tool = os.path.join(TOP, 'tools', 'abi.py')
    said = run([sys.executable, tool], env=clean_environment(PYSCRY_BUILD=BUILD))
    assert said.status == 0, said.out + said.err


# what stands in the header, what it becomes, whether programs break
CHANGES = [
    ('uint64_t count, bytes;', 'uint64_t count, more, bytes;', True),
    ('uint64_t count, bytes;', 'uint64_t bytes, count;', True),
    ('int64_t number;', '', True),
    ('uint64_t scry_thread_tid(', 'uint32_t scry_thread_tid(', True),
    ('scry_session_hold(struct scry_session *s)', 'scry_session_hold(void *s, int n)', True),
    ('scry_session_hold(', 'scry_session_halt(', True),
    ('SCRY_PLAIN_NONE = 1', 'SCRY_PLAIN_NONE = 2', True),
    ('SCRY_THREAD_CRASHED = 4', 'SCRY_THREAD_CRASHED = 64', True),
    ('SCRY_PLAIN_BYTES,', 'SCRY_PLAIN_BYTES, SCRY_PLAIN_SET,', False),
    ('SCRY_API int scry_session_hold(', 'SCRY_API int scry_more(void);\n\\g<0>', False),
]


@pytest.mark.parametrize('old, new, breaks', CHANGES, ids=[str(i) for i in range(len(CHANGES))])
def test_a_change_is_seen(old, new, breaks, last, tmp_path):
    text = abi.read(abi.HEADER)
    assert text.count(old) == 1
    changed = text.replace(old, new.replace('\\g<0>', old))
    name = abi.soname(os.path.join(BUILD, 'libpyscry.so'))
    library = abi.hollow(changed, str(tmp_path / 'changed.so'), name)
    assert bool(abi.broken(last, library)) is breaks
    assert abi.differs(last, library, '--harmless')


def test_the_unchanged_header_is_the_same(last, tmp_path):
    name = abi.soname(os.path.join(BUILD, 'libpyscry.so'))
    library = abi.hollow(abi.read(abi.HEADER), str(tmp_path / 'same.so'), name)
    assert abi.broken(last, library) == abi.differs(last, library, '--harmless') == ''
