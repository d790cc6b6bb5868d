"""Try packages where nothing else is: each in a root of its own, with a program that crashes there
and one that waits (tests/support/story.py)."""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP)

from tests.support import debian, fresh  # noqa: E402
from tests.support.story import STORY, clean_environment, make_core  # noqa: E402

# what every way of looking at the story shows
EXPECTED = 'Job.weigh (%s:12)'


def fail(what, text):
    sys.exit('%s\npackage: %s' % (text, what))


def expect(where, text, path):
    if EXPECTED % path not in text:
        fail('%s shows no frame of Job.weigh' % where, text)
    print('  %s: good' % where, flush=True)


def suite():
    """Of this machine."""
    with open('/etc/os-release') as source:
        for line in source:
            if line.startswith('VERSION_CODENAME='):
                return line.split('=')[1].strip().strip('"')
    return 'sid'


def bare_root():
    """A root with nothing but Debian's base, kept beside the interpreters of the tests."""
    root = os.path.join(debian.cache(), 'bare', suite())
    if not os.path.exists(root + '/.ready'):
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        done = subprocess.run(
            ['debootstrap', '--variant=minbase', suite(), root, debian.mirrors()[0]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            fail('no bare root', done.stdout.decode(errors='replace'))
        open(root + '/.ready', 'w').close()
    return root


DEB = '''
rm -f /etc/resolv.conf; cp /given/resolv.conf /etc/resolv.conf
rm -f /etc/apt/sources.list
cp -r /given/apt/. /etc/apt/
apt-get update -qq 2>&1
needed="gdb man-db gcc libc6-dev pkgconf"
apt-get install -qq -y --no-install-recommends $needed /given/*.deb >/tmp/apt.log 2>&1 || {
	cat /tmp/apt.log
	exit 9
}
mkdir /tmp/story; cd /tmp/story
ulimit -c unlimited
python3 /given/story.py crash >/dev/null 2>&1 || true
core=$(ls -d *core* | head -n1)
echo "<gdb>"; gdb -q -batch -iex "set debuginfod enabled off" -c "$core" -ex py-bt 2>&1
echo "<cli>"; pyscry "$core" bt
python3 /given/story.py wait >ready &
while ! grep -q ready ready; do sleep 0.05; done
echo "<live>"; pyscry $! bt
kill $!
echo "<c>"
echo '#include <pyscry/pyscry.h>
int main(void) { return !scry_version(); }' >user.c
cc -Wall -Werror -o user user.c $(pkg-config --cflags --libs pyscry) && ./user && echo compiled
echo "<removed>"; apt-get purge -qq -y pyscry libpyscry0 >/tmp/apt.log 2>&1; ls /etc/gdb/gdbinit.d
echo "<end>"
'''


def parts(text):
    found = {}
    for piece in text.split('\n<')[1:]:
        name, _, rest = piece.partition('>')
        found[name] = rest.lstrip('\n')
    return found


def try_deb(paths):
    try_lintian(paths)
    try_bare_root(paths)


def try_lintian(paths):
    done = subprocess.run(
        ['lintian', '--allow-root', '--fail-on', 'error,warning'] + paths,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if done.returncode or done.stdout:
        fail('lintian', done.stdout.decode())
    print('  lintian: good', flush=True)


def try_bare_root(paths):
    with tempfile.TemporaryDirectory() as given:
        for path in paths:
            shutil.copy(path, given)
        os.makedirs(given + '/apt')
        # how this machine reaches the archive
        for name in ('sources.list', 'sources.list.d', 'apt.conf.d', 'auth.conf.d'):
            if os.path.isdir('/etc/apt/' + name):
                shutil.copytree('/etc/apt/' + name, given + '/apt/' + name)
            elif os.path.exists('/etc/apt/' + name):
                shutil.copy('/etc/apt/' + name, given + '/apt/' + name)
        shutil.copy('/etc/resolv.conf', given + '/resolv.conf')
        fresh.story(given)
        text = fresh.run(bare_root(), given, DEB, timeout=1200).stdout.decode(errors='replace')
    said = parts('\n' + text)
    for name in ('gdb', 'cli', 'live'):
        expect('%s, in a bare %s' % (name, suite()), said.get(name, text), '/given/story.py')
    if said.get('c', '').strip() != 'compiled' or 'pyscry' in said.get('removed', 'pyscry'):
        fail('the header, or what is left after removal', text)
    print('  a C program, removal: good', flush=True)


def in_empty_root(program, words, files=(), proc=False):
    """Run a program in a root where it is alone."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(program, root + '/pyscry')
        for path in files:
            shutil.copy(path, root)
        os.mkdir(root + '/proc')
        os.mkdir(root + '/tmp')  # where a compressed core is unpacked
        script = 'mount --make-rprivate /; %s exec chroot "$0" /pyscry "$@"' % (
            'mount -t proc proc "$0/proc";' if proc else ''
        )
        return subprocess.run(
            ['unshare', '--mount', 'sh', '-ec', script, root] + words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        ).stdout.decode(errors='replace')


def try_static(paths):
    for form in ('', '.gz', '.xz', '.zst'):
        with tempfile.TemporaryDirectory() as place:
            core = make_core('/usr/bin/python3', place, STORY, 'crash')
            name = os.path.join(place, 'dump')
            os.rename(core, name)
            pack = {'.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd'}.get(form)
            if pack:
                subprocess.run([pack, '-q', name], check=True)
            said = in_empty_root(paths[0], ['dump' + form, 'bt'], [name + form])
            expect('a core%s in an empty root' % form, said, place + '/story.py')
    with tempfile.TemporaryDirectory() as place:
        fresh.story(place)
        child = subprocess.Popen(
            ['/usr/bin/python3', place + '/story.py', 'wait'],
            stdout=subprocess.PIPE,
            env=clean_environment(),
        )
        child.stdout.readline()
        try:
            said = in_empty_root(paths[0], [str(child.pid), 'bt'], proc=True)
        finally:
            child.kill()
            child.wait()
        expect('a process, from an empty root', said, place + '/story.py')


def try_wheel(paths):
    """In a virtual environment, without a network."""
    with tempfile.TemporaryDirectory() as place:
        core = make_core('/usr/bin/python3', place, STORY, 'crash')
        python = place + '/venv/bin/python3'
        subprocess.run(['/usr/bin/python3', '-m', 'venv', place + '/venv'], check=True)
        pip = [
            python,
            '-m',
            'pip',
            '--quiet',
            '--disable-pip-version-check',
            'install',
            '--no-index',
        ]
        subprocess.run(['unshare', '--net'] + pip + paths, check=True)

        def said(*command):
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=clean_environment(),
                cwd='/',
            )
            return done.stdout.decode(errors='replace')

        expect('python3 -m pyscry', said(python, '-m', 'pyscry', core, 'bt'), place + '/story.py')
        expect(
            'pyscry of the environment',
            said(place + '/venv/bin/pyscry', core, 'bt'),
            place + '/story.py',
        )
        script = (
            'import pyscry; t = pyscry.open(%r)\n'
            'print([f"{f.function} ({f.file}:{f.line})" for th in t.threads for f in th.frames])'
            % core
        )
        text = said(python, '-c', script)
        if 'weigh (%s/story.py:12)' % place not in text:
            fail('import pyscry', text)
        print('  import pyscry: good', flush=True)
        where = said(python, '-c', 'import pyscry; print(pyscry.__path__[0])').strip()
        init = where + '/gdbinit'
        gdb = ['gdb', '-nx', '-q', '-batch', '-iex', 'set debuginfod enabled off']
        text = said(*gdb, '-x', init, '-c', core, '-ex', 'py-bt')
        expect('gdb -x %s' % os.path.relpath(init, place), text, place + '/story.py')


def try_source(paths):
    """It has the files of the tree, and configures."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(['tar', '-xzf', paths[0], '-C', place], check=True)
        (tree,) = os.listdir(place)
        done = subprocess.run(
            ['meson', 'setup', place + '/build', os.path.join(place, tree)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            fail('the source does not configure', done.stdout.decode(errors='replace'))
        print('  it configures: good', flush=True)


TRIES = {'deb': try_deb, 'static': try_static, 'wheel': try_wheel, 'source': try_source}
