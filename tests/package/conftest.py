"""What `meson install` puts where, of the build that is here."""
import os
import subprocess

import pytest

from tests.support.story import BUILD


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
