"""The wheel, in a virtual environment without a network."""
import importlib.util
import os
import shutil
import sys

import pytest

from tests.support.story import TOP, run

sys.path.insert(0, os.path.join(TOP, 'tools'))

import try_package  # noqa: E402

pytestmark = pytest.mark.xdist_group('package')


def test_a_wheel_is_whole(tmp_path):
    if not os.path.isdir(TOP + '/python/pyscry'):
        pytest.skip('no package in Python')
    for program in ('patchelf', 'unshare', 'gdb'):
        if not shutil.which(program):
            pytest.skip('no ' + program)
    for module in ('wheel', 'ensurepip'):
        if importlib.util.find_spec(module) is None:
            pytest.skip('no module ' + module)
    if os.geteuid() != 0:
        pytest.skip('a namespace without a network needs root')
    for name in ('zstd', 'lz4', 'acl', 'xml2', 'nettle'):
        if not os.path.isabs(run(['cc', '-print-file-name=lib%s.a' % name]).out.strip()):
            pytest.skip('no lib%s.a' % name)
    tool = os.path.join(TOP, 'tools', 'package.py')
    made = run([sys.executable, tool, '--quick', '--into', str(tmp_path), 'wheel'], timeout=600)
    assert made.status == 0, made.out + made.err
    try_package.try_wheel([os.path.join(str(tmp_path), name) for name in os.listdir(tmp_path)])
