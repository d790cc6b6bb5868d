"""Debian's packages, made of the build that is here, and installed over this machine's files."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support import fresh
from tests.support.story import TOP, run

pytestmark = pytest.mark.xdist_group('package')


@pytest.fixture(scope='module')
def debs(tmp_path_factory):
    """The directory with the packages."""
    for program in ('dpkg-buildpackage', 'dh', 'dh_python3', 'git'):
        if not shutil.which(program):
            pytest.skip('no %s' % program)
    place = str(tmp_path_factory.mktemp('debs'))
    tool = os.path.join(TOP, 'tools', 'package.py')
    made = run([sys.executable, tool, '--quick', '--into', place, 'deb'], timeout=600)
    assert made.status == 0, made.out + made.err
    return place


# `gdb` alone: nothing says where the commands are
STORY = '''
cd /given
dpkg --no-triggers -i libpyscry0_*.deb python3-pyscry_*.deb pyscry_*.deb >/tmp/dpkg.log 2>&1 || {
	cat /tmp/dpkg.log
	exit 9
}
mkdir /tmp/story
cd /tmp/story
ulimit -c unlimited
/usr/bin/python3 /given/story.py crash >/dev/null 2>&1 || true
core=$(ls -d *core* 2>/dev/null | head -n1)
[ -n "$core" ] || exit 8
echo "<gdb>"
gdb -q -batch -iex "set debuginfod enabled off" -c "$core" -ex py-bt 2>&1
echo "<cli>"
/usr/bin/pyscry "$core" bt --color never
echo "<live>"
/usr/bin/python3 /given/story.py wait >ready &
while ! grep -q ready ready; do sleep 0.05; done
/usr/bin/pyscry $! bt
echo "<end>"
kill $!
'''


def test_installed_it_shows_what_the_readme_shows(debs):
    if os.geteuid() != 0:
        pytest.skip('another root needs root')
    fresh.story(debs)
    done = fresh.run('/', debs, STORY)
    said = done.stdout.decode(errors='replace')
    if done.returncode == 32:
        pytest.skip('no overlays here: ' + said)
    if done.returncode == 8:
        pytest.skip('the kernel writes no core files here (core_pattern)')
    assert done.returncode == 0, said
    parts = dict(re.findall(r'<(\w+)>\n(.*?)(?=<\w+>\n)', said, re.S))
    for name in ('gdb', 'cli'):
        assert '#1  Job.weigh (/given/story.py:12)\n' in parts[name], said
    assert '#0  stop (/given/story.py:21)\n' in parts['live'], said
    # nothing of it is left
    assert (
        not os.path.exists('/etc/gdb/gdbinit.d/pyscry.gdb')
        or subprocess.call(['dpkg', '-s', 'pyscry'], stdout=subprocess.DEVNULL) == 0
    )


def test_one_version():
    with open(os.path.join(TOP, 'meson.build')) as source:
        version = re.search(r"version: '([^']+)'", source.read()).group(1)
    with open(os.path.join(TOP, 'debian', 'changelog')) as source:
        assert source.readline().startswith('pyscry (%s) ' % version)
    with open(os.path.join(TOP, 'CHANGELOG.md')) as source:
        assert '\n## %s' % version in source.read()
