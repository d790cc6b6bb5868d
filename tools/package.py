"""Make the packages: package.py [--check] [--quick] [--suite SUITE...] [--into DIR] [KIND...]

KIND     deb, static, wheel, source; without any, all of them
--check  make each twice, compare the bytes, and try each where nothing else is
         (tools/try_package.py)
--quick  package the finished build in ./build, and compile nothing
--suite  make the .debs in a root of this suite of Debian: bookworm, trixie, sid
--into   where to; ./dist
"""
import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def version():
    with open(os.path.join(TOP, 'meson.build')) as source:
        return re.search(r"\bversion: '([^']+)'", source.read()).group(1)


def said(command, **options):
    """What a program prints; where it fails, all that it said is shown."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        **options
    )
    text = done.stdout.decode(errors='replace')
    if done.returncode:
        sys.exit('%s\npackage: failed: %s' % (text, ' '.join(command)))
    return text


def epoch():
    """The time that packages bear: that of the newest entry of debian/changelog."""
    return said(['dpkg-parsechangelog', '-S', 'Timestamp'], cwd=TOP).strip()


def export(target):
    """The tree as it is, without what git does not know or is told to ignore."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=TOP,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in sorted(filter(None, listed.stdout.decode().split('\0'))):
        source, copy = os.path.join(TOP, name), os.path.join(target, name)
        if not os.path.exists(source):
            continue
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy2(source, copy)


def make_source(place, options):
    name = 'pyscry-' + version()
    export(os.path.join(place, name))
    said(
        ['tar', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX,u+rw,a-s']
        + ['--mtime=@' + epoch(), '--format=gnu', '--use-compress-program=gzip -n9']
        + ['-cf', name + '.tar.gz', name],
        cwd=place,
    )
    return [os.path.join(place, name + '.tar.gz')]


def debs(place):
    return sorted(
        os.path.join(place, name)
        for name in os.listdir(place)
        if name.endswith('.deb') and '-dbgsym' not in name
    )


def make_deb(place, options):
    """With the tools of this machine."""
    if options.suite:
        return make_deb_of(options.suite, place)
    tree = os.path.join(place, 'pyscry-' + version())
    export(tree)
    environment = dict(os.environ, LC_ALL='C.UTF-8')
    if options.quick:
        environment['PYSCRY_BUILD'] = os.path.join(TOP, 'build')
        environment['DEB_BUILD_OPTIONS'] = 'noddebs'
    check = ['-d'] if options.quick else []
    said(['dpkg-buildpackage', '-us', '-uc', '-b'] + check, cwd=tree, env=environment)
    return debs(place)


IN_SUITE = '''
apt_get install build-essential
apt_get build-dep ./
dpkg-buildpackage -us -uc -b 2>&1
'''


def make_deb_of(suite, place):
    """With the tools of that suite, in a root of its own."""
    import suites

    # its name is part of the path there: two builds are made in different directories
    inner = os.path.join(place, os.path.basename(place))
    name = 'pyscry-' + version()
    export(os.path.join(inner, name))
    script = 'cd /given/%s/%s\n' % (os.path.basename(place), name)
    status, text = suites.run(suite, place, script + IN_SUITE)
    if status:
        sys.exit('%s\npackage: no .deb of %s' % (text, suite))
    return debs(inner)


def compiled(common):
    """An optimized build of a copy of the tree, configured."""
    tree, build = os.path.join(common, 'tree'), os.path.join(common, 'build')
    if not os.path.exists(build):
        export(tree)
        flags = '-O2 -ffile-prefix-map=%s=. -ffile-prefix-map=%s=.' % (tree, build)
        said(
            ['meson', 'setup', '--prefix=/usr', '--buildtype=plain', '-Dtests=false']
            + ['-Dc_args=' + flags, build, tree]
        )
    return build


def built(place, options, targets):
    """A build directory with these targets: ./build, or one that the static program and the wheel
    share."""
    common = os.path.join(os.path.dirname(place), 'compiled')
    build = os.path.join(TOP, 'build') if options.quick else compiled(common)
    said(['ninja', '-j', str(os.cpu_count()), '-C', build] + targets)
    return build


def stripped(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    said(['strip', '--strip-unneeded', '-o', target, source])
    os.chmod(target, 0o755)
    return target


def machine():
    return os.uname().machine


def make_static(place, options):
    build = built(place, options, ['src/cli/pyscry-static'])
    name = 'pyscry-%s-%s' % (version(), machine())
    return [
        stripped(
            os.path.join(build, 'src', 'cli', 'pyscry-static'), os.path.join(place, 'made', name)
        )
    ]


# of glibc: every system has its own
SYSTEM = re.compile(r'^(ld-linux|lib(c|m|dl|pthread|rt)\.so)')


def bundle(library, into):
    """A shared library with those that it needs, which it finds beside itself."""
    listed = said(['ldd', library])
    for name, path in re.findall(r'^\s*(\S+) => (/\S+)', listed, re.M):
        if not SYSTEM.match(name):
            stripped(os.path.realpath(path), os.path.join(into, name))
            said(['patchelf', '--set-rpath', '$ORIGIN', os.path.join(into, name)])
            yield os.path.realpath(path)
    target = stripped(library, os.path.join(into, 'libpyscry.so.0'))
    said(['patchelf', '--set-rpath', '$ORIGIN', target])


def licences(libraries, into):
    """Ours, and those of the packages that libraries came from."""
    shutil.copy(os.path.join(TOP, 'LICENSE'), os.path.join(into, 'LICENSE'))
    for path in libraries:
        # since /usr was merged dpkg may know either name
        names = [path] + ([path[4:]] if path.startswith('/usr/') else [])
        found = subprocess.run(
            ['dpkg', '-S'] + names, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        package = found.stdout.decode().split(':')[0].strip()
        copyright = '/usr/share/doc/%s/copyright' % package
        if package and os.path.exists(copyright):
            shutil.copy(copyright, os.path.join(into, 'LICENSE.' + package))


METADATA = """Metadata-Version: 2.1
Name: pyscry
Version: {version}
Summary: The Python stacks and values of core dumps, minidumps and live processes
License: MIT
Requires-Python: >=3.7
Description-Content-Type: text/markdown

{readme}"""
WHEEL = """Wheel-Version: 1.0
Generator: pyscry
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)


def read(*names):
    with open(os.path.join(TOP, *names), encoding='utf-8') as source:
        return source.read()


def make_wheel(place, options):
    """The package in Python with the program, the library, what that needs, and the plugin."""
    build = built(place, options, ['src/cli/pyscry-static', 'libpyscry.so.' + version()])
    # as old a glibc as this one is needed
    platform = 'manylinux_%s_%s' % (
        os.confstr('CS_GNU_LIBC_VERSION').split()[1].replace('.', '_'),
        machine(),
    )
    tree = os.path.join(place, 'wheel')
    package = os.path.join(tree, 'pyscry')
    about = os.path.join(tree, 'pyscry-%s.dist-info' % version())
    shutil.copytree(
        os.path.join(TOP, 'python', 'pyscry'),
        package,
        ignore=shutil.ignore_patterns('*.in', '__pycache__'),
    )
    shutil.copytree(
        os.path.join(TOP, 'plugin'),
        os.path.join(package, 'plugin'),
        ignore=shutil.ignore_patterns('*.in', '__pycache__', 'meson.build', 'pyscry-gdb'),
    )
    for name in ('gdbinit', 'lldbinit'):
        shutil.copy(os.path.join(TOP, name), package)
    stripped(
        os.path.join(build, 'src', 'cli', 'pyscry-static'), os.path.join(package, 'bin', 'pyscry')
    )
    shutil.copy(
        os.path.join(TOP, 'plugin', 'pyscry-gdb'), os.path.join(package, 'bin', 'pyscry-gdb')
    )
    write(
        os.path.join(about, 'METADATA'),
        METADATA.format(version=version(), readme=read('README.md')),
    )
    write(os.path.join(about, 'WHEEL'), WHEEL.format(platform=platform))
    write(
        os.path.join(about, 'entry_points.txt'),
        '[console_scripts]\npyscry = pyscry.__main__:main\n',
    )
    licences(bundle(os.path.join(build, 'libpyscry.so.' + version()), package), about)
    made = os.path.join(place, 'made')
    os.makedirs(made)
    said(
        [sys.executable, '-m', 'wheel', 'pack', '--dest-dir', made, tree],
        env=dict(os.environ, SOURCE_DATE_EPOCH=epoch()),
    )
    return [os.path.join(made, name) for name in os.listdir(made)]


MAKERS = {'deb': make_deb, 'static': make_static, 'wheel': make_wheel, 'source': make_source}


def same(first, second):
    """Two lists of files with the same names and bytes; prints what differs."""
    good = [os.path.basename(path) for path in first] == [os.path.basename(path) for path in second]
    for one, other in zip(first, second):
        with open(one, 'rb') as a, open(other, 'rb') as b:
            if a.read() != b.read():
                print('package: two builds differ: %s' % os.path.basename(one))
                good = False
    return good


def make(kind, places, options):
    """Make one kind in each of the places; the paths of what is kept."""
    made = []
    for place in places:
        inner = os.path.join(place, os.path.basename(place) + '-' + kind)
        os.mkdir(inner)
        made.append(MAKERS[kind](inner, options))
    for more in made[1:]:
        if not same(made[0], more):
            sys.exit('package: %s is not reproducible' % kind)
    into = os.path.join(options.into, options.suite or '')
    os.makedirs(into, exist_ok=True)
    copied = [shutil.copy(path, into) for path in made[0]]
    for path in copied:
        size = os.path.getsize(path) / 1e6
        print('%s (%.1f MB)' % (os.path.relpath(path, TOP), size), flush=True)
    if options.check:
        print('  %d builds, the same bytes: good' % len(made), flush=True)
    return copied


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--suite')
    parser.add_argument('--into', default=os.path.join(TOP, 'dist'))
    parser.add_argument('kinds', nargs='*', metavar='|'.join(MAKERS))
    options = parser.parse_args()
    kinds = options.kinds or (['deb'] if options.suite else list(MAKERS))
    for kind in kinds:
        if kind not in MAKERS:
            parser.error('no package is called %s' % kind)
    if options.suite and (options.quick or kinds != ['deb']):
        parser.error('--suite is for the .debs, compiled there')
    with contextlib.ExitStack() as stack:
        # the second one has a longer name
        places = [
            stack.enter_context(tempfile.TemporaryDirectory(prefix='pyscry-' + name))
            for name in ('package-', 'package-once-more-')[: 2 if options.check else 1]
        ]
        for kind in kinds:
            paths = make(kind, places, options)
            if options.check:
                import try_package

                try_package.TRIES[kind](paths, options)


if __name__ == '__main__':
    main()
