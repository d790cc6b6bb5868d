"""Debian's suites: a root with nothing but the base of each, and what runs in it for a moment."""
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP)

from tests.support import debian, fresh  # noqa: E402

# the files of apt that are given may be a package's, too
PRELUDE = '''
rm -rf /etc/resolv.conf /etc/apt/sources.list /etc/apt/sources.list.d
cp -rT /given/etc /etc
apt-get update -qq 2>&1 || true
# apt_get install|build-dep WHAT...: silent, but where it fails
apt_get()
{
	apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" \\
		>/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 9; }
}
'''


def own():
    """The suite of this machine."""
    with open('/etc/os-release') as source:
        for line in source:
            if line.startswith('VERSION_CODENAME='):
                return line.split('=')[1].strip().strip('"')
    return 'sid'


def root(suite):
    """The directory of its root, kept beside the interpreters of the tests."""
    path = os.path.join(debian.cache(), 'bare', suite)
    if not os.path.exists(path + '/.ready'):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        done = subprocess.run(
            ['debootstrap', '--variant=minbase', suite, path, debian.mirrors()[0]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            sys.exit(done.stdout.decode(errors='replace') + 'package: no root of ' + suite)
        open(path + '/.ready', 'w').close()
    return path


def network(suite, etc):
    """How this machine reaches the archive, as files of /etc."""
    os.makedirs(etc + '/apt')
    for name in ('apt.conf.d', 'auth.conf.d'):
        if os.path.isdir('/etc/apt/' + name):
            shutil.copytree('/etc/apt/' + name, etc + '/apt/' + name)
    shutil.copy('/etc/resolv.conf', etc)
    with open(etc + '/apt/sources.list', 'w') as out:
        for line in debian.sources('deb', suite):
            print(line, file=out)


def run(suite, given, script, timeout=3600):
    """Run a script as root in a fresh root of the suite, with the directory `given` at /given;
    (status, all that it said). It has apt_get()."""
    etc = os.path.join(given, 'etc')
    network(suite, etc)
    try:
        done = fresh.run(root(suite), given, PRELUDE + script, timeout)
    finally:
        shutil.rmtree(etc)
    return done.returncode, done.stdout.decode(errors='replace')
