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

from tests.support import fresh, lldbs, served  # noqa: E402
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


DEB = os.path.join(TOP, 'tests', 'support', 'installed.sh')


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
    with open(DEB) as script:
        status, text = suites.run(suite, given, script.read())
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


IN_ROOT = '''
ulimit -c unlimited
mkdir /tmp/run; cd /tmp/run
python3 /given/story.py crash >/dev/null 2>&1 || true
core=$(ls *core*)
echo "<core>"; /given/pyscry "$core" bt
echo "<c>"; /given/pyscry "$core" bt --native || true
echo "<leaks>"; /given/pyscry "$core" verify --leaks || true
python3 /given/story.py wait >/tmp/ready &
while ! grep -q ready /tmp/ready; do sleep 0.1; done
echo "<live>"; /given/pyscry $! bt
kill $!
echo "<end>"
'''


def try_in_roots(program):
    """With an older glibc, and without any, beside a Python of that root."""
    with tempfile.TemporaryDirectory() as given:
        fresh.story(given)
        shutil.copy(program, given + '/pyscry')
        old = suites.run('bullseye', given, 'apt_get install python3-minimal\n' + IN_ROOT)
        done = fresh.run(suites.musl(), given, IN_ROOT)
        other = done.returncode, done.stdout.decode(errors='replace')
    for name, (status, text) in (('bullseye', old), ('a root with musl', other)):
        said = parts('\n' + text)
        if status or 'end' not in said:
            fail('status %d in %s' % (status, name), text)
        for what in ('core', 'live'):
            expect('%s in %s' % (what, name), said[what], '/given/story.py')
        # each C library's own: the function that ends it, and what is known of its malloc
        unknown = "malloc's chunks are not known" in said['leaks']
        if 'C   abort' not in said['c'] or unknown is (name == 'bullseye'):
            fail('C frames or chunks in %s' % name, text)


def try_static(paths, options):
    try_in_roots(paths[0])
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
        for program, settings in lldbs.find()[-1:]:
            lines = ['target create -c ' + core, 'command source %s/lldbinit' % where, 'py-bt']
            words = [word for line in lines for word in ('-o', line)]
            command = [program, '--no-lldbinit', '-b'] + words
            done = subprocess.run(command, stdout=subprocess.PIPE, env=settings, cwd='/')
            expect('lldbinit of the wheel', done.stdout.decode(), place + '/story.py')


def try_source(paths, options):
    """It has the files of the tree: what it builds installs, and shows the story."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(['tar', '-xzf', paths[0], '-C', place], check=True)
        (name,) = os.listdir(place)
        build, installed = place + '/build', place + '/installed'
        setup = ['meson', 'setup', '--prefix=/usr', '--buildtype=plain', '-Dtests=false']
        for command in (
            setup + [build, os.path.join(place, name)],
            ['ninja', '-j', str(os.cpu_count()), '-C', build],
            ['meson', 'install', '-C', build, '--no-rebuild', '--destdir', installed],
        ):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                fail('status of %s' % ' '.join(command), done.stdout.decode(errors='replace'))
        core = make_core('/usr/bin/python3', place, STORY, 'crash')
        command = [installed + '/usr/bin/pyscry', core, 'bt']
        said = subprocess.run(command, stdout=subprocess.PIPE, env=clean_environment())
        expect('what it installs', said.stdout.decode(), place + '/story.py')


TRIES = {'deb': try_deb, 'static': try_static, 'wheel': try_wheel, 'source': try_source}
