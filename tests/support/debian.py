"""More interpreters from Debian's archive, each suite unpacked into a root of its own under the
cache directory.

Nothing is installed: packages are downloaded by apt (which checks their hashes) with a private
state directory, and unpacked. Debian has no free-threaded build, so that one is built from Debian's
own source package. Everything that does not work in the time given becomes a reason, which the
tests show as a skip.

`python3 -m tests.support.debian fetch [SECONDS]` fetches what is missing; the tests only look at
what is there.
"""
import contextlib
import fcntl
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

# name, suite, architecture (None: this machine's), packages, interpreters in it
ROOTS = [
    (
        'bullseye',
        'bullseye',
        None,
        ['python2.7', 'python3.9', 'libc-bin'],
        ['python2.7', 'python3.9'],
    ),
    (
        'sid',
        'sid',
        None,
        ['python3.13', 'python3.14', 'python3.15', 'libc-bin'],
        ['python3.13', 'python3.14', 'python3.15'],
    ),
    ('bookworm', 'bookworm', None, ['python3.11', 'libc-bin'], ['python3.11']),
    ('pypy', 'bookworm', None, ['pypy3', 'libc-bin'], []),
    ('i386', 'bookworm', 'i386', ['python3.11', 'libc-bin'], ['python3.11']),
    # only for an emulator, as are those below; qemu of Debian 12 writes no cores of all machines
    ('arm64', 'bookworm', 'arm64', ['python3.11', 'libc-bin'], []),
    ('emulators', 'sid', None, ['qemu-user'], []),
    ('riscv64', 'stable', 'riscv64', ['python3', 'libc-bin'], []),
    ('ppc64el', 'stable', 'ppc64el', ['python3', 'libc-bin'], []),
]
# Of them, those that only one test asks for: fetched last, where the others left half of the time.
RARE = ('emulators', 'riscv64', 'ppc64el')
# What some of the tests want in a root, what most of them want first. Without one that cannot be
# had the root is of use all the same.
EXTRAS = [
    ('sid', 'python3-greenlet'),
    ('sid', 'pypy3'),
    ('bullseye', 'python3-greenlet'),
    ('bullseye', 'pypy'),
    ('bullseye', 'pypy3'),
    ('i386', 'python3-greenlet'),
    ('sid', 'python3-gevent'),
    ('sid', 'python3-eventlet'),
    ('sid', 'python3-trio'),
    ('sid', 'python3-uvloop'),
    ('sid', 'cython3'),
    ('sid', 'python3-numpy'),
    ('bullseye', 'python3-gevent'),
    ('bullseye', 'python3-eventlet'),
    ('bullseye', 'python3-trio'),
    ('bullseye', 'python3-uvloop'),
    ('bullseye', 'python3-numpy'),
    # the newest debuggers
    ('sid', 'gdb'),
    ('sid', 'lldb-23'),
    ('sid', 'python3-lldb-23'),
]
# what is laid beside the built-in rows: DWARF of Debian's interpreters, debug builds and ordinary
# ones
DWARF = [
    ('sid', 'python3.15'),
    ('sid', 'python3.14'),
    ('sid', 'python3.13'),
    ('bookworm', 'python3.11'),
    ('bullseye', 'python3.9'),
    ('bullseye', 'python2.7'),
]
FREE_THREADED = ('forky', 'python3.13')
# packaging's own needs, of no use in a root that is never upgraded
UNWANTED = re.compile(
    r'^(dpkg|debconf|tar|tzdata|perl-base|ucf|sensible-utils|mailcap|media-types)$'
)


def cache():
    return os.path.join(
        os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'pyscry'
    )


def reasons():
    try:
        with open(os.path.join(cache(), 'reasons.json')) as source:
            return json.load(source)
    except (OSError, ValueError):
        return {}


def root(where):
    """The directory of a root, or the exception that says why there is none."""
    path = os.path.join(cache(), 'roots', where)
    if os.path.exists(path + '/.ready'):
        return path
    return LookupError(
        reasons().get(where, 'not fetched: run python3 -m tests.support.debian fetch')
    )


def wanted_roots():
    """ROOTS, but none whose interpreters this machine has by itself."""
    for row in ROOTS:
        _, _, architecture, packages, names = row
        programs = names or packages[:1]
        if architecture or not all(os.path.exists('/usr/bin/' + name) for name in programs):
            yield row


def interpreters():
    """(tag, (root, executable)), (tag, executable), or (tag, the exception that says why there is
    none)."""
    for where, _, _, _, names in wanted_roots():
        place = root(where)
        for name in names:
            tag = '%s-%s' % (where, name[6:])
            if isinstance(place, Exception):
                yield tag, place
            elif os.path.exists('%s/usr/bin/%s' % (place, name)):
                yield tag, (place, '/usr/bin/' + name)
            else:
                yield tag, LookupError('the root has no %s' % name)
    built = os.path.join(cache(), 'free-threaded', 'python')
    if os.access(built, os.X_OK) and os.path.exists(
        os.path.join(cache(), 'free-threaded', '.ready')
    ):
        yield 'built-3.13t', built
    else:
        yield 'built-3.13t', LookupError(
            reasons().get('free-threaded', 'not built: run python3 -m tests.support.debian fetch')
        )


def pypys():
    """(tag, root or None, executable) of every PyPy that may be there."""
    if os.path.exists('/usr/bin/pypy3'):
        yield 'host-pypy3', None, '/usr/bin/pypy3'
    else:
        yield 'bookworm-pypy3', root('pypy'), '/usr/bin/pypy3'
    for where, name in (('bullseye', 'pypy'), ('bullseye', 'pypy3'), ('sid', 'pypy3')):
        yield '%s-%s' % (where, name), root(where), '/usr/bin/' + name


class Archive:
    """apt with a state of its own for one suite, and one architecture."""

    def __init__(self, suite, deadline, source=False, architecture=None):
        self.suite, self.deadline, self.architecture = suite, deadline, architecture
        self.state = os.path.join(
            cache(), 'apt', '-'.join(filter(None, [suite, source and 'source', architecture]))
        )
        for directory in ('lists/partial', 'empty/partial', 'debs/partial'):
            os.makedirs(os.path.join(self.state, directory), exist_ok=True)
        open(os.path.join(self.state, 'status'), 'w').close()
        self.list = 'sources.list'
        lines = list(sources('deb-src' if source else 'deb', suite))
        for name, some in (('sources.list', lines), ('main.list', lines[:1])):
            with open(os.path.join(self.state, name), 'w') as out:
                print('\n'.join(some), file=out)
        # the host's hooks after an update are not ours to run
        with open(os.path.join(self.state, 'apt.conf'), 'w') as out:
            out.write(
                '#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n'
            )

    def apt(self, *arguments, cwd=None, check=True, archives='debs'):
        options = {
            'Dir::State': self.state,
            'Dir::State::status': self.state + '/status',
            'Dir::State::lists': self.state + '/lists',
            'Dir::Etc::sourcelist': self.state + '/' + self.list,
            'Dir::Etc::sourceparts': self.state + '/empty',
            'Dir::Etc::preferences': '/dev/null',
            'Dir::Etc::preferencesparts': self.state + '/empty',
            'Dir::Cache': self.state,
            'Dir::Cache::archives': '%s/%s' % (self.state, archives),
            'Dir::Cache::pkgcache': '',
            'Dir::Cache::srcpkgcache': '',
            'Debug::NoLocking': 'true',
            'Acquire::Languages': 'none',
            'Acquire::Retries': '3',
            'APT::Install-Recommends': 'false',
            'APT::Sandbox::User': 'root',
            'Acquire::Check-Valid-Until': 'false',
        }  # a mirror may lag behind: old packages will do
        if self.architecture:
            options.update(
                {'APT::Architecture': self.architecture, 'APT::Architectures::': self.architecture}
            )
        command = (
            ['apt-get', '-qq'] + ['-o%s=%s' % pair for pair in options.items()] + list(arguments)
        )
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError('no time left to fetch %s' % self.suite)
        return subprocess.run(
            command,
            cwd=cwd,
            check=check,
            timeout=left,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL='C', APT_CONFIG=self.state + '/apt.conf'),
        ).stdout.decode()

    def update(self):
        # one index in the middle of a mirror's update must not stop us: what matters is whether
        # packages are found
        self.apt('update', check=False)

    def closure(self, packages):
        """File names of the packages and of all they depend on."""
        listing = self.apt('-y', '--print-uris', 'install', *packages, archives='empty')
        names = [line.split()[1] for line in listing.splitlines() if line.startswith("'")]
        return [name for name in names if not UNWANTED.match(name.split('_')[0])]

    def download(self, names):
        debs = os.path.join(self.state, 'debs')
        wanted = []
        for name in names:
            if not os.path.exists(os.path.join(debs, name)):
                package, version = name.split('_')[:2]
                wanted.append('%s=%s' % (package, version.replace('%3a', ':')))
        if wanted:
            self.apt('download', *wanted, cwd=debs)
        return [os.path.join(debs, name) for name in names]


def mirrors():
    """(archive, security archive or None) as this machine's apt has them."""
    text = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(SITE)'], stdout=subprocess.PIPE
    ).stdout.decode()
    for path in ['/etc/apt/sources.list'] + glob.glob('/etc/apt/sources.list.d/*'):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            with open(path) as source:
                text += (
                    '\n'.join(re.findall(r'\b(?:https?|file|mirror\+\w+)://?\S+', source.read()))
                    + '\n'
                )
    sites = [site.rstrip('/') for site in text.split() if 'debian' in site]
    main = [site for site in sites if 'security' not in site]
    security = [site for site in sites if 'security' in site]
    if not main:
        raise LookupError('apt is not configured with a Debian archive')
    return main[0], security[0] if security else None


def sources(kind, suite):
    """Lines of apt's sources.list for a suite."""
    main, security = mirrors()
    key = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    yield '%s %s %s %s main' % (kind, key, main, suite)
    if security and suite not in ('sid', 'forky', 'experimental'):
        yield '%s %s %s %s-security main' % (kind, key, security, suite)


def unpack(deb, root):
    data = subprocess.Popen(['dpkg-deb', '--fsys-tarfile', deb], stdout=subprocess.PIPE)
    subprocess.run(
        [
            'tar',
            '-x',
            '-C',
            root,
            '--keep-directory-symlink',
            '--no-same-owner',
            '--exclude=./usr/share/doc/*',
            '--exclude=./usr/share/man/*',
            '--exclude=./usr/share/locale/*',
            '--exclude=./usr/bin/qemu-[!apr]*',  # of 40 machines
        ],
        stdin=data.stdout,
        check=True,
    )
    if data.wait():
        raise RuntimeError('cannot unpack ' + deb)


def unpacked(where):
    """Names of the packages that were unpacked in a root; empty: it is not there."""
    try:
        with open(os.path.join(cache(), 'roots', where, '.ready')) as ready:
            return set(ready.read().split())
    except OSError:
        return set()


def finish(archive, where, there):
    root = os.path.join(cache(), 'roots', where)
    for name in ('blas', 'lapack'):  # as their packages' scripts do, for numpy
        for path in glob.glob('%s/usr/lib/*/%s/lib%s.so.?' % (root, name, name)):
            link = os.path.join(os.path.dirname(os.path.dirname(path)), os.path.basename(path))
            if not os.path.lexists(link):
                os.symlink('%s/%s' % (name, os.path.basename(path)), link)
    subprocess.run(['ldconfig', '-r', root], stderr=subprocess.DEVNULL)
    shutil.rmtree(os.path.join(archive.state, 'debs'))
    with open(root + '/.ready', 'w') as ready:
        print('\n'.join(sorted(there)), file=ready)


def make_root(where, suite, architecture, packages, deadline):
    root, there = os.path.join(cache(), 'roots', where), unpacked(where)
    if there:
        return
    archive = Archive(suite, deadline, architecture=architecture)
    archive.update()
    if not os.path.exists(root + '/usr'):
        for directory in ('bin', 'sbin', 'lib', 'lib64'):
            os.makedirs('%s/usr/%s' % (root, directory))
            os.symlink('usr/' + directory, '%s/%s' % (root, directory))
        for directory in ('tmp', 'proc', 'dev', 'root', 'etc'):
            os.makedirs('%s/%s' % (root, directory))
    add(archive, packages, root, there)
    finish(archive, where, there)


def add_extra(where, package, deadline):
    root, there = os.path.join(cache(), 'roots', where), unpacked(where)
    if not there or package in there:
        return
    ((suite, architecture),) = [row[1:3] for row in ROOTS if row[0] == where]
    archive = Archive(suite, deadline, architecture=architecture)
    archive.list = 'main.list'  # an old suite's security archive lists packages that it has no more
    try:
        add(archive, [package], root, there)
    except subprocess.CalledProcessError as error:
        why = (error.stderr or b'').decode(errors='replace').strip() or error
        say('%s: no %s: %s' % (where, package, why))
        there.add(package)  # not again
    finish(archive, where, there)


def add(archive, packages, root, there):
    """Unpack packages and what they depend on, but not what is there."""
    names = [name for name in archive.closure(packages) if name.split('_')[0] not in there]
    for deb in archive.download(names):
        unpack(deb, root)
    there.update(name.split('_')[0] for name in names)


def make_dwarf(suite, name, deadline):
    """A prefix with what a -dbg package has of DWARF: bin/pythonX.Yd with its modules, and the
    debug file of the ordinary interpreter as bin/pythonX.Y, for the test that lays rows beside
    them."""
    target = os.path.join(cache(), 'dwarf', suite + '-' + name)
    if os.path.exists(target + '/.ready'):
        return
    archive = Archive(suite, deadline)
    archive.update()
    (deb,) = archive.download(
        [n for n in archive.closure([name + '-dbg']) if n.split('_')[0] == name + '-dbg']
    )
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target + '/all')
    unpack(deb, target + '/all')
    os.makedirs(target + '/bin')
    usr = target + '/all/usr'
    # python3.11d, to which python3.11-dbg is a link; 2.7 has the second name only
    debug_build = [usr + '/bin/' + name + end for end in ('d', '-dbg')]
    os.rename(next(filter(os.path.exists, debug_build)), '%s/bin/%sd' % (target, name))
    # the largest of the debug files that come without a name is the interpreter's
    debug = glob.glob(usr + '/lib/debug/.build-id/*/*.debug')
    os.rename(max(debug, key=os.path.getsize), '%s/bin/%s' % (target, name))
    modules = glob.glob(usr + '/lib/python*/lib-dynload')
    for path in modules:
        os.makedirs(os.path.join(target, os.path.dirname(os.path.relpath(path, usr))))
        os.rename(path, os.path.join(target, os.path.relpath(path, usr)))
    micro = re.search(r'_\d+\.\d+\.(\d+)', os.path.basename(deb)).group(1)
    os.makedirs('%s/include/%s' % (target, name))
    with open('%s/include/%s/patchlevel.h' % (target, name), 'w') as out:
        print('#define PY_MICRO_VERSION ' + micro, file=out)
    shutil.rmtree(target + '/all')
    os.remove(deb)
    open(target + '/.ready', 'w').close()


def build_free_threaded(deadline):
    """Build in place: `python` in a build tree finds its library by itself."""
    suite, package = FREE_THREADED
    target = os.path.join(cache(), 'free-threaded')
    if os.path.exists(target + '/.ready'):
        return
    archive = Archive(suite, deadline, source=True)
    archive.update()
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    archive.apt('--tar-only', '--download-only', 'source', package, cwd=target)
    (tarball,) = glob.glob(target + '/*.orig.tar.*[!c]')
    subprocess.run(['tar', '-x', '-C', target, '--strip-components=1', '-f', tarball], check=True)

    def run(*command):
        left = deadline - time.monotonic()
        subprocess.run(
            command,
            cwd=target,
            check=True,
            timeout=max(1, left),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    run(
        './configure',
        '-q',
        '--disable-gil',
        '--disable-test-modules',
        '--without-ensurepip',
        '--without-doc-strings',
        'CFLAGS=-O1 -g -pipe -w',
    )
    run('make', '-s', '-j2', 'python')
    run('make', '-s', '-j2', 'sharedmods')
    open(target + '/.ready', 'w').close()


def say(text):
    print('fetch: ' + text, flush=True)


def told(error):
    """An exception in one line, with what the program that failed said."""
    text = '%s: %s' % (type(error).__name__, error)
    if isinstance(error, subprocess.TimeoutExpired):
        text = 'no time left'
    more = (getattr(error, 'stderr', None) or b'').decode(errors='replace').strip()
    return ' '.join((text + ' ' + more).split())[:300]


def attempt(name, failed, job, *arguments):
    """Do a job; a failure becomes the reason of `name`. Was it done?"""
    begin = time.monotonic()
    try:
        if os.geteuid() != 0 and name != 'free-threaded':
            raise PermissionError('running in another root needs root')
        job(*arguments)
        if time.monotonic() - begin > 1:
            say('%s: ready (%.0f s)' % (name, time.monotonic() - begin))
        return True
    except (OSError, RuntimeError, LookupError, ValueError, subprocess.SubprocessError) as error:
        failed[name] = told(error)
        say('%s: %s' % (name, failed[name]))
        return False


def fetch(seconds):
    """Fetch and build what is missing; failures become reasons. Each kind of interpreter comes
    before what only some tests want; the build needs the processor while the rest needs the
    network."""
    deadline = time.monotonic() + seconds
    os.makedirs(cache(), exist_ok=True)
    with open(os.path.join(cache(), 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed = {}
        roots = list(wanted_roots())
        missing = [row[0] for row in roots if not unpacked(row[0])]
        extras = [(where, package) for where, package in EXTRAS if package not in unpacked(where)]
        built = os.path.exists(os.path.join(cache(), 'free-threaded', '.ready'))
        if missing or extras or not built:
            say(
                'roots with other Pythons from Debian\'s archive (%s), %d packages for them,%s'
                ' into %s; it may take %.0f minutes, what is not here by then is skipped'
                % (
                    ' '.join(missing) or 'all here',
                    len(extras),
                    '' if built else ' a free-threaded build,',
                    cache(),
                    seconds / 60,
                )
            )
        build = threading.Thread(
            target=attempt, args=('free-threaded', failed, build_free_threaded, deadline)
        )
        build.start()
        rare = [row for row in roots if row[0] in RARE]
        for where, suite, architecture, packages, _ in [row for row in roots if row not in rare]:
            attempt(where, failed, make_root, where, suite, architecture, packages, deadline)
        for where, package in extras:
            attempt('%s %s' % (where, package), failed, add_extra, where, package, deadline)
        for suite, name in DWARF:
            attempt('%s-%s-dbg' % (suite, name), failed, make_dwarf, suite, name, deadline)
        for where, suite, architecture, packages, _ in rare:
            late = deadline - seconds / 2
            attempt(where, failed, make_root, where, suite, architecture, packages, late)
        build.join()
        with open(os.path.join(cache(), 'reasons.json'), 'w') as out:
            json.dump(failed, out)


if __name__ == '__main__':
    if sys.argv[1:2] != ['fetch']:
        raise SystemExit(__doc__)
    fetch(float(sys.argv[2]) if len(sys.argv) > 2 else 900)
