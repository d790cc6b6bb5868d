"""Try packages where nothing else is: each in a root of its own, with a program that crashes there
and one that waits (tests/support/story.py)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP)

import suites  # noqa: E402

from tests.support import fresh, served  # noqa: E402
from tests.support.story import STORY, clean_environment, make_core  # noqa: E402

# what every way of looking at the story shows
EXPECTED = 'Job.weigh (%s:12)'
# what is in the root besides the packages, and what is looked for where
GIVEN = ['docs/api.md', 'tests/support/recipes.py']
GIVEN += ['tests/programs/served.py', 'tests/programs/truth.py']
SHOWN = [
    ('moves', "job.name = 'c'"),
    ('moves', 'job = <__main__.Job object at '),
    ('threads', '"waiter"'),
    ('stacks', 'in stop (story.py:21)'),
    ('answers', 'stop (/given/story.py:21)'),
    ('man', 'pyscry-heap - '),
    ('c', '#1 Job.weigh (/given/story.py:12)'),
]


def fail(what, text):
    sys.exit('%s\npackage: %s' % (text, what))


def expect(where, text, path):
    if EXPECTED % path not in text:
        fail('%s shows no frame of Job.weigh' % where, text)
    print('  %s: good' % where, flush=True)


DEB = '''
apt_get install gdb lldb-19 python3-lldb-19 man-db gcc libc6-dev pkgconf /given/*.deb
ulimit -c unlimited
# core PROGRAM WORD...: run what dies, in a directory of its own; the path of its core
core()
{
	rm -rf /tmp/run; mkdir /tmp/run; cd /tmp/run
	python3 "$@" >/dev/null 2>&1 || true
	mv "$(ls -d *core* | head -n1)" "/tmp/$(basename "$1" .py).$#.core"
}
core /given/story.py crash
mv /tmp/story.2.core /tmp/story.core
off="set debuginfod enabled off"
echo "<gdb>"; gdb -q -batch -iex "$off" -c /tmp/story.core -ex py-bt 2>&1
echo "<moves>"; gdb -q -batch -iex "$off" -c /tmp/story.core -ex "py-up 2" -ex py-locals -ex "py-print job.name" 2>&1
lldb="lldb-19 --no-lldbinit -b"
echo "<lldb>"
$lldb -o "target create -c /tmp/story.core" -o "command source /usr/share/pyscry/lldbinit" -o py-bt 2>&1
echo "<cli>"; pyscry /tmp/story.core bt
echo "<threads>"; pyscry /tmp/story.core threads
python3 /given/story.py wait >/tmp/ready &
while ! grep -q ready /tmp/ready; do sleep 0.05; done
echo "<live>"; pyscry $! bt
echo "<stacks>"; pyscry stacks --group-by process --children $$ || true
echo "<answers>"; pyscry $! --json | pyscry stacks -
kill $!
echo "<man>"; MANPAGER=cat man pyscry-heap
echo "<c>"
cc -Wall -Werror -o /tmp/stacks /usr/share/doc/pyscry/examples/stacks.c $(pkg-config --cflags --libs pyscry)
/tmp/stacks /tmp/story.core

# the recipes of the API, on the module that is installed
export PYSCRY_TRUTH=/tmp/truth
core /given/tree/tests/programs/served.py later
cp /tmp/truth /given/later; core /given/tree/tests/programs/served.py
cp /tmp/truth /given/truth; unset PYSCRY_TRUTH
recipes=/given/tree/tests/support/recipes.py cores="/tmp/served.1.core /tmp/served.2.core"
echo "<recipes>"; python3 $recipes $cores 2>&1
export PYSCRY_RECIPES="$(echo $cores | tr " " :)"
echo "<recipes-gdb>"; gdb -q -batch -iex "$off" -c /tmp/served.1.core -ex "source $recipes" 2>&1
echo "<recipes-lldb>"
$lldb -o "target create -c /tmp/served.1.core" -o "command source /usr/share/pyscry/lldbinit" \
	-o "command script import $recipes" 2>&1
echo "<versions>"; gdb --version | head -n1; lldb-19 --version; python3 --version
echo "<removed>"; apt_get purge pyscry libpyscry0; ls /etc/gdb/gdbinit.d
echo "<end>"
'''


def parts(text):
    found = {}
    for piece in text.split('\n<')[1:]:
        name, _, rest = piece.partition('>')
        found[name] = rest.lstrip('\n')
    return found


def try_deb(paths, options):
    suite = options.suite or suites.own()
    with tempfile.TemporaryDirectory() as given:
        for path in paths:
            shutil.copy(path, given)
        try_lintian(suite, given)
        try_bare_root(suite, given)


def try_lintian(suite, given):
    status, text = suites.run(
        suite,
        given,
        'apt_get install lintian\nlintian --allow-root --fail-on error,warning /given/*.deb 2>&1',
    )
    if status or text.strip():
        fail('lintian of ' + suite, text)
    print('  lintian of %s: good' % suite, flush=True)


def try_bare_root(suite, given):
    """What the README tells, and the recipes of the API, from what is installed."""
    fresh.story(given)
    for path in GIVEN:
        os.makedirs(os.path.join(given, 'tree', os.path.dirname(path)), exist_ok=True)
        shutil.copy(os.path.join(TOP, path), os.path.join(given, 'tree', path))
    status, text = suites.run(suite, given, DEB)
    said = parts('\n' + text)
    if status or 'end' not in said:
        fail('status %d in a root of %s' % (status, suite), text)
    for name in ('gdb', 'lldb', 'cli', 'live'):
        expect('%s, in a bare %s' % (name, suite), said[name], '/given/story.py')
    for name, shown in SHOWN:
        if shown not in ' '.join(said[name].split()):
            fail('<%s> does not show %r' % (name, shown), text)
    if 'pyscry' in said['removed']:
        fail('something is left after removal', text)
    with open(given + '/truth') as truth:
        truth = json.load(truth)
    for name in ('recipes', 'recipes-gdb', 'recipes-lldb'):
        try:
            served.check(truth, said[name])
        except (AssertionError, LookupError, ValueError):
            fail('<%s>: not what is expected' % name, said[name])
    print('  %s, removal: good' % ', '.join(name for name, _ in SHOWN), flush=True)
    print('  recipes of the API, also in %s: good' % ', '.join(said['versions'].split('\n')[:2]))


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


def try_static(paths, options):
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


def try_wheel(paths, options=None):
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


def try_source(paths, options):
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
