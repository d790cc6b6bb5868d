"""The program that needs nothing: alone in an empty root."""
import os
import subprocess
import sys

import pytest

from tests.support import fresh
from tests.support.story import STORY, TOP, clean_environment, make_core, run

sys.path.insert(0, os.path.join(TOP, 'tools'))

import try_package  # noqa: E402

pytestmark = pytest.mark.xdist_group('package')


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    archives = ('dw', 'elf', 'archive', 'capstone', 'zstd', 'lz4', 'acl', 'xml2', 'nettle')
    for name in archives:
        found = run(['cc', '-print-file-name=lib%s.a' % name]).out.strip()
        if not os.path.isabs(found):
            pytest.skip('no lib%s.a' % name)
    if os.geteuid() != 0:
        pytest.skip('another root needs root')
    place = str(tmp_path_factory.mktemp('static'))
    tool = os.path.join(TOP, 'tools', 'package.py')
    made = run([sys.executable, tool, '--quick', '--into', place, 'static'], timeout=600)
    assert made.status == 0, made.out + made.err
    (name,) = os.listdir(place)
    return os.path.join(place, name)


def test_it_needs_no_library(program):
    assert 'NEEDED' not in run(['readelf', '-d', program]).out
    assert 'INTERP' not in run(['readelf', '-lW', program]).out


def test_a_core_in_an_empty_root(program, tmp_path):
    core = make_core('/usr/bin/python3', tmp_path, STORY, 'crash')
    subprocess.run(['zstd', '-q', '-1', core, '-o', str(tmp_path / 'dump.zst')], check=True)
    said = try_package.in_empty_root(program, ['dump.zst', 'bt'], [str(tmp_path / 'dump.zst')])
    assert '#1  Job.weigh (%s/story.py:12)\n' % tmp_path in said
    # the decoder of instructions is linked, too
    said = try_package.in_empty_root(program, ['dump.zst', 'crash'], [str(tmp_path / 'dump.zst')])
    assert 'SIGABRT' in said


def test_a_process_from_an_empty_root(program, tmp_path):
    fresh.story(str(tmp_path))
    child = subprocess.Popen(
        ['/usr/bin/python3', str(tmp_path / 'story.py'), 'wait'],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        child.stdout.readline()
        said = try_package.in_empty_root(program, [str(child.pid), 'bt'], proc=True)
    finally:
        child.kill()
        child.communicate()
    assert '#1  Job.weigh (%s/story.py:12)\n' % tmp_path in said
