"""Every command of docs/cookbook.md, typed as it stands there: on a process, a core, a Windows
minidump, PyPy's core, and a container, which is a process in a root and a pid namespace of its own;
the front ends of docker and Kubernetes are scripts that do with it what theirs do."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.matrix import test_windows
from tests.support import debian, fresh
from tests.support.story import PYSCRY, STORY, TOP, clean_environment, make_core, run

pytestmark = pytest.mark.xdist_group('package')

# what is typed: what is in the answer, besides
RECIPES = {
    'pyscry PID': ['"seller"', 'Desk.sell (', '    with self.stock:\n'],
    'pyscry PID waits': ['DEADLOCK 1  "seller"', 'DEADLOCK 1  "keeper"', 'task "waiter-1"'],
    'pyscry stacks --children PID': ['1 of 3 threads in Desk.sell', '"keeper"'],
    'pyscry PID bt --all --native': ['Desk.count', '\nC   '],
    'gcore PID': ['Saved corefile'],
    'pyscry core': ['SIGABRT', '4 asyncio tasks', 'serve ('],
    'pyscry core crash': ['SIGABRT by ', '<abort>'],
    'pyscry core bt-full --native': ['order = <__main__.Order object at 0x', '\nC   '],
    'pyscry core exc': ['handling ValueError: order 2: -17'],
    'pyscry stacks --signature cores/': ['2 ', 'serve ('],
    'pyscry core heap': [' objects, ', 'str\n'],
    'pyscry core heap --by retained': ['What would go with an object'],
    'pyscry core refs --path ADDRESS': ['order of bill (', 'root: '],
    'pyscry core heap --strings': [' objects, '],
    'pyscry PID waits --dot | dot -Tsvg >waits.svg': [],
    'pyscry PID tasks --tree': ['Task-1 ', '\n    cashier '],
    'pyscry PID tasks --count': ['2 asyncio [pending] in serve ('],
    'pyscry PID greenlets': ['no greenlets'],
    'pyscry stacks cores/ PID PID': ['serve (', '"seller"'],
    'pyscry --name gunicorn threads': ['"seller": Desk.sell'],
    'pyscry PID --json | jq .': ['"name": "seller"'],
}
WINDOWS = {'pyscry crash.dmp': ['(access violation): read at 0x0', '#0  do_crash (']}
CONTAINER = {
    "pyscry $(docker inspect -f '{{.State.Pid}}' NAME)": '#1  Job.weigh (%s:12)\n    return stop()',
    'docker cp pyscry-0.1.0-x86_64 NAME:/pyscry': '',
    'docker exec --privileged NAME /pyscry 1': '#1  Job.weigh (%s:12)\n    return stop()',
    'kubectl debug -it POD --image=IMAGE-WITH-PYSCRY --target=CONTAINER --profile=sysadmin -- '
    'pyscry 1': '#1  Job.weigh (%s:12)\n    return stop()',
    'pyscry --sysroot /srv/image core': '#1  Job.weigh (%s:12)',
}


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as source:
        return source.read()


def typed():
    """The commands of the page, those in its text too."""
    page = read('docs/cookbook.md')
    lines = re.findall(r'^    (\S.*)$', page, re.M)
    lines += re.findall(r'`((?:pyscry|gcore) [^`]*)`', page)
    for line in lines:
        line = re.sub(r'\s+# .*', '', line).replace('0x7f…', 'ADDRESS')
        yield from line.split(' && ')


def test_each_is_tried():
    assert set(typed()) == set(RECIPES) | set(WINDOWS) | set(CONTAINER)


class Place:
    """A directory with what the recipes name, and programs as they are called there."""

    def __init__(self, directory):
        self.directory = str(directory)
        os.makedirs(self.path('bin'))
        os.symlink(os.path.abspath(PYSCRY), self.path('bin', 'pyscry'))

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def script(self, name, text):
        with open(self.path('bin', name), 'w') as out:
            out.write('#!/bin/sh -e\n' + text)
        os.chmod(self.path('bin', name), 0o755)

    def say(self, line, **words):
        """What a line says to which words were put in; all parts of a pipe must succeed."""
        for word, values in words.items():
            line = re.sub(r'\b%s\b' % word, lambda _, each=iter(values): next(each), line)
        path = '%s:%s' % (self.path('bin'), os.environ['PATH'])
        return run(
            ['bash', '-o', 'pipefail', '-c', line],
            env=dict(clean_environment(), PATH=path),
            cwd=self.directory,
        )


@pytest.fixture(scope='module')
def shop(tmp_path_factory):
    """(a Place, words) with the shop as a core, twice in cores/, and as a process that hangs."""
    place = Place(tmp_path_factory.mktemp('cookbook'))
    source = read('docs/examples/shop.py')
    os.mkdir(place.path('dumps'))
    core = make_core('/usr/bin/python3', place.path('dumps'), source)
    os.rename(core, place.path('core'))
    os.mkdir(place.path('cores'))
    for name in 'first', 'second':
        os.link(place.path('core'), place.path('cores', name))
    with open(place.path('gunicorn'), 'w') as out:
        out.write(source.replace('os.abort()', 'print("ready", flush=True) or time.sleep(600)'))
    command = ['/usr/bin/python3', place.path('gunicorn')]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, stdout=pipe, env=clean_environment()) for _ in range(2)]
    try:
        for child in children:
            assert child.stdout.readline() == b'ready\n'
        order = place.say('pyscry core --frame 0 print order').out
        address = re.search(r'0x[0-9a-f]+', order).group()
        yield place, {'PID': [str(child.pid) for child in children], 'ADDRESS': [address]}
    finally:
        for child in children:
            child.kill()
            child.communicate()


@pytest.mark.parametrize('line', RECIPES)
def test_recipe(line, shop):
    for program in re.findall(r'(?:^|\| )(\w+)', line):
        if program != 'pyscry' and not shutil.which(program):
            pytest.skip('no %s' % program)
    place, words = shop
    said = place.say(line, **words)
    assert said.status == 0, (said.out, said.err)
    for expected in RECIPES[line]:
        assert expected in said.out
    if 'svg' in line:
        with open(place.path('waits.svg')) as picture:
            assert re.search(r'>seller<.*>keeper<', picture.read(), re.S)


def test_a_core_from_gcore_is_as_good(shop):
    place, words = shop
    if not shutil.which('gcore'):
        pytest.skip('no gcore')
    assert place.say('gcore -o taken PID', **words).status == 0
    said = place.say('pyscry taken.PID waits', **words)
    assert said.status == 0 and 'DEADLOCK 1  "seller"' in said.out


def of_a_core():
    return [line for line in RECIPES if re.match('pyscry (core|PID)', line) and '|' not in line]


def answered(place, line, expected):
    """It says something, and the reason where that is not all."""
    said = place.say(line, ADDRESS=['0x10'])
    assert (said.out or said.status == 2) and (said.status == 0 or said.err), (said.out, said.err)
    for text in expected:
        assert text in said.out


WINDOWS_TOO = {'pyscry core bt-full --native': ["liste = [21, 42, 'three']"]}


@pytest.mark.parametrize('line', list(WINDOWS) + of_a_core())
def test_recipe_on_a_windows_dump(line, tmp_path):
    for name in 'c311', 't38-heap':
        if name not in test_windows.DUMPS:
            pytest.skip('no Windows dumps')
        place = Place(tmp_path / name)
        os.symlink(test_windows.DUMPS[name], place.path('crash.dmp'))
        words = re.sub(r' (core|PID)\b', ' crash.dmp', line)
        expected = {**WINDOWS, **WINDOWS_TOO}.get(line, []) if name == 'c311' else []
        answered(place, words, expected)


PYPY = {
    'pyscry core': ['#0  serve (', 'PyPy 3.'],
    'pyscry core bt-full --native': ['order = <__main__.Order object at 0x'],
    'pyscry core exc': ['handling ValueError: order 2: -17'],
    'pyscry PID tasks --tree': ['Task-1 ', '\n    cashier '],
    'pyscry PID greenlets': ['no greenlets'],
    # what the page says PyPy's objects are known to
    'pyscry core print --frame 0 order.items': ["{'tea': 3, 'refund': -20}"],
    'pyscry core obj ORDER': ['Order'],
    'pyscry core dis': ['LOAD_CONST'],
    'pyscry core gc': ['nursery'],
    'pyscry core generators': [''],
}


@pytest.fixture(scope='module')
def pypy_shop(tmp_path_factory):
    """A Place with the shop's core of a PyPy, and the option that says where its files are."""
    for tag, root, exe in debian.pypys():
        if not isinstance(root, Exception) and 'pypy3' in tag:
            break
    else:
        pytest.skip('no PyPy')
    place = Place(tmp_path_factory.mktemp('cookbook-pypy') / 'place')
    os.mkdir(place.path('dumps'))
    program = place.path('bin', 'run-pypy')
    inside = [sys.executable, os.path.join(TOP, 'tests', 'support', 'in_root.py'), root]
    place.script('run-pypy', 'exec %s %s "$@"\n' % (' '.join(inside) if root else '', exe))
    core = make_core(program, place.path('dumps'), read('docs/examples/shop.py'))
    os.rename(core, place.path('core'))
    return place, '--sysroot %s ' % root if root else ''


@pytest.mark.parametrize('line', sorted(set(of_a_core()) | set(PYPY)))
def test_recipe_on_pypy(line, pypy_shop):
    place, options = pypy_shop
    if 'ORDER' in line:
        order = place.say('pyscry %score print --frame 0 order' % options).out
        line = line.replace('ORDER', re.search(r'0x[0-9a-f]+', order).group())
        answered(place, line.replace('pyscry ', 'pyscry ' + options), ['Order'])
        return
    words = re.sub(r'^pyscry (core|PID)\b', 'pyscry %score' % options, line)
    answered(place, words, PYPY.get(line, []))


# --- containers ---

DOCKER = '''
case "$1" in
inspect) echo %(pid)d ;;
cp) cp %(static)s "/proc/%(pid)d/root/${3#*:}" ;;
exec) shift 3; exec nsenter --target %(pid)d --mount --pid --root --wd "$@" ;;
esac
'''
# another image, but the processes of the target
KUBECTL = '''
while [ "$1" != -- ]; do shift; done
shift
mkdir -p %(image)s/proc %(image)s/bin
cp %(static)s %(image)s/bin/pyscry
exec nsenter --target %(pid)d --pid unshare --mount sh -ec \\
	'mount -t proc proc "$0/proc"; exec chroot "$0" "/bin/$@"' %(image)s "$@"
'''


@pytest.fixture(scope='module')
def container(static_program, tmp_path_factory):
    """A Place with `docker` and `kubectl`, beside a process that is the first of its container,
    with bullseye's files, and a core of another one."""
    root = debian.root('bullseye')
    if isinstance(root, Exception):
        pytest.skip('bullseye-3.9: %s' % root)
    place = Place(tmp_path_factory.mktemp('cookbook-container') / 'place')
    fresh.story(place.directory)
    inside = [sys.executable, os.path.join(TOP, 'tests', 'support', 'in_root.py'), root]
    place.script('run-inside', 'exec %s /usr/bin/python3.9 "$@"\n' % ' '.join(inside))
    os.mkdir(place.path('dumps'))
    core = make_core(place.path('bin', 'run-inside'), place.path('dumps'), STORY, 'crash')
    os.rename(core, place.path('core'))
    child = subprocess.Popen(
        ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
        + inside
        + ['/usr/bin/python3.9', place.path('story.py'), 'wait'],
        stdout=subprocess.PIPE,
        cwd=place.directory,
        env=clean_environment(),
    )
    try:
        assert child.stdout.readline() == b'ready\n'
        with open('/proc/%d/task/%d/children' % (child.pid, child.pid)) as children:
            pid = int(children.read())
        names = {'pid': pid, 'static': static_program, 'image': place.path('image')}
        place.script('docker', DOCKER % names)
        place.script('kubectl', KUBECTL % names)
        yield place, root
    finally:
        child.kill()
        child.communicate()
        if os.path.exists(root + '/pyscry'):
            os.remove(root + '/pyscry')


def test_recipes_of_a_container(container):
    """In the page's order: what is copied is run."""
    place, root = container
    for line, expected in CONTAINER.items():
        said = place.say(line.replace('/srv/image', root))
        assert said.status == 0, (line, said.out, said.err)
        script = place.path('dumps/story.py' if 'core' in line else 'story.py')
        assert expected % script in said.out if expected else True, (line, said.out)
