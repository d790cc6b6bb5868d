"""What `meson install` puts where, and the static program, of the build that is here."""
import os
import subprocess
import sys

import pytest

from tests.support.story import BUILD, TOP, run


@pytest.fixture(scope='session')
def tree(tmp_path_factory):
    """The installed files, below a directory that stands for /; usr() gives the prefix."""
    top = str(tmp_path_factory.mktemp('installed'))
    subprocess.run(
        ['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', top],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return Tree(top)


class Tree:
    def __init__(self, top):
        self.top = top
        # a build from before /usr was the prefix has another one
        self.prefix = '/usr' if os.path.exists(top + '/usr/bin/pyscry') else '/usr/local'
        self.program = self.path('bin/pyscry')

    def path(self, *names):
        return os.path.join(self.top + self.prefix, *names)

    def library(self):
        for root, _, names in os.walk(self.path()):
            if 'libpyscry.so' in names:
                return root
        raise LookupError('no library was installed')


@pytest.fixture(scope='session')
def static_program(tmp_path_factory):
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
