"""Debian's suites: a root with nothing but the base of each, and what runs in it for a moment.

And a root without glibc, as in Alpine Linux: musl's, with a CPython made for it of Debian's source.
"""
import os
import shutil
import subprocess
import sys
import tempfile

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


# Only what a program needs that loads no extension module. musl-gcc would name the directories of
# Debian's own libraries.
MUSL = '''
mkdir /etc/apt/sources.list.d
sed "s/^deb /deb-src /" /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
apt-get update -qq 2>&1 || true
apt_get install gcc make dpkg-dev musl-tools busybox-static linux-libc-dev python3-minimal
cat >/usr/bin/musl-cc <<"END"
#!/bin/sh
case "$*" in *--print-multiarch*) exit 0 ;; esac
exec musl-gcc "$@"
END
chmod +x /usr/bin/musl-cc
mkdir /tmp/source
cd /tmp/source
# Debian's own patches may be gone from the archive: they are not needed
apt-get source -qq --download-only python3.11 >/dev/null 2>&1 || true
tar -xf python3.11_*.orig.tar.?z
cd Python-3.11*
{
	./configure CC=musl-cc --prefix=/usr --disable-test-modules --without-ensurepip CFLAGS=-O1
	make -j2 python
} >/tmp/made.log 2>&1 || { tail -n 30 /tmp/made.log; exit 9; }
mkdir -p /given/root/bin /given/root/lib /given/root/usr/bin /given/root/usr/lib
cp -L /lib/ld-musl-*.so.1 /given/root/lib/
cp python /given/root/usr/bin/python3
cp -r Lib /given/root/usr/lib/python3.11
cp /bin/busybox /given/root/bin/
for name in sh ls grep sleep kill mkdir; do
	ln -s busybox /given/root/bin/$name
done
'''


def musl():
    """The directory of that root; made once, in a few minutes."""
    path = os.path.join(debian.cache(), 'bare', 'musl')
    if not os.path.exists(path + '/usr/bin/python3'):
        with tempfile.TemporaryDirectory() as given:
            status, text = run('bookworm', given, MUSL)
            if status:
                sys.exit(text + 'package: no root with musl')
            shutil.rmtree(path, ignore_errors=True)
            shutil.move(given + '/root', path)
    return path
