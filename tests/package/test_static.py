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


def test_it_needs_no_library(static_program):
    assert 'NEEDED' not in run(['readelf', '-d', static_program]).out
    assert 'INTERP' not in run(['readelf', '-lW', static_program]).out


def test_a_core_in_an_empty_root(static_program, tmp_path):
    core = make_core('/usr/bin/python3', tmp_path, STORY, 'crash')
    subprocess.run(['zstd', '-q', '-1', core, '-o', str(tmp_path / 'dump.zst')], check=True)
    said = try_package.in_empty_root(
        static_program, ['dump.zst', 'bt'], [str(tmp_path / 'dump.zst')]
    )
    assert '#1  Job.weigh (%s/story.py:12)\n' % tmp_path in said
    # the decoder of instructions is linked, too
    said = try_package.in_empty_root(
        static_program, ['dump.zst', 'crash'], [str(tmp_path / 'dump.zst')]
    )
    assert 'SIGABRT' in said


def test_a_process_from_an_empty_root(static_program, tmp_path):
    fresh.story(str(tmp_path))
    child = subprocess.Popen(
        ['/usr/bin/python3', str(tmp_path / 'story.py'), 'wait'],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        child.stdout.readline()
        said = try_package.in_empty_root(static_program, [str(child.pid), 'bt'], proc=True)
    finally:
        child.kill()
        child.communicate()
    assert '#1  Job.weigh (%s/story.py:12)\n' % tmp_path in said
