"""What can be said of the sources without running them: lint.py [--all] [CHECK...].

Without --all the compilers and clang-tidy read only what differs from the branch `main`, and what
includes it; the quick checks always read the whole tree. Each finding is a line FILE:LINE: TEXT. A
check whose tool is not here, or is of another version than Debian 12's where that matters, is
skipped with its reason. Exit status 1: something was found.
"""
import concurrent.futures
import functools
import json
import os
import py_compile
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, 'build')
WIDTH = 100
FILE_LINES = 500
# from the bottom to the top: a room includes what stands in its own line or in an earlier one
ROOMS = (
    'base, arch, target, symbol, layout, runtime, memory, object, library, eval, '
    'native heap fold, task, wait, command, api, many, cli'
)
# they know of all rooms by their nature: the lists of what there is, and what opens it all
ABOVE_ALL = {"src/registry.c", "src/pyscry.c"}
# targets of a kind are found in the registry's list; the list's header names no room above target
REGISTRY = 'registry.h'
# A comparison of versions where a row should be.
COMPARISON = re.compile(
    r'(?:version|since)\b(?: *>> *\d+)? *[<>]=? *(?:0x0[23]|PY\d|[A-Z_]*SINCE|SCRY_VERSION_OF)'
)


class Skip(Exception):
    """The check cannot be made here; why."""


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as source:
        return source.read()


def output(command, check=True):
    done = subprocess.run(
        command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=check
    )
    return done.stdout.decode()


@functools.lru_cache(maxsize=None)
def files():
    """Every file of the tree: git's list, or without git what is not in a directory of builds."""
    try:
        listed = output(['git', 'ls-files', '-co', '--exclude-standard']).splitlines()
    except (OSError, subprocess.CalledProcessError):
        listed = []
        for directory, names, here in os.walk(TOP):
            names[:] = [n for n in names if not n.startswith(('build', '.git', '__pycache__'))]
            listed += [os.path.relpath(os.path.join(directory, name), TOP) for name in here]
    return sorted(path for path in set(listed) if os.path.isfile(os.path.join(TOP, path)))


def ending(*ends, under=''):
    return [path for path in files() if path.endswith(ends) and path.startswith(under)]


def python_files():
    return [path for path in ending('.py') if not path.startswith('tests/programs/')]


@functools.lru_cache(maxsize=None)
def includes():
    """{file: the files of ours that it includes}."""
    known = set(files())
    found = {}
    for path in ending('.c', '.h', '.inc'):
        names = re.findall(r'^#include "([^"]+)"', read(path), re.M)
        places = [[os.path.dirname(path), 'src', 'include', 'tests/support', '']] * len(names)
        found[path] = {
            candidate
            for name, directories in zip(names, places)
            for candidate in [os.path.normpath(os.path.join(d, name)) for d in directories]
            if candidate in known
        }
    return found


def changed():
    """Files that differ from main, committed or not; None where there is nothing to compare."""
    try:
        base = output(['git', 'merge-base', 'HEAD', 'main']).strip()
        differ = output(['git', 'diff', '--name-only', '--diff-filter=d', base]).splitlines()
        differ += output(['git', 'ls-files', '-o', '--exclude-standard']).splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    return set(differ)


def touched(everything):
    """(.c files that differ, .c files that include what differs) of those that the build knows."""
    known = set(compile_commands())
    differ = None if everything else changed()
    if differ is None:
        return sorted(known), []
    reached = set(differ)
    while True:
        more = {path for path, names in includes().items() if names & reached} - reached
        if not more:
            break
        reached |= more
    return sorted(known & differ), sorted((known & reached) - differ)


@functools.lru_cache(maxsize=None)
def compile_commands():
    """{file: words of the command that compiles it, without its output}."""
    path = os.path.join(BUILD, 'compile_commands.json')
    if not os.path.exists(path):
        raise Skip('not configured: ./dev build')
    with open(path) as source:
        entries = json.load(source)
    found = {}
    for entry in entries:
        file = os.path.relpath(os.path.join(entry['directory'], entry['file']), TOP)
        words = shlex.split(entry['command'])
        words = words[next(i for i, w in enumerate(words) if w.startswith('-')) :]
        cut = [i for i, w in enumerate(words) if w in ('-o', '-MF', '-MQ')]
        found[file] = [
            word
            for i, word in enumerate(words)
            if i not in cut
            and i - 1 not in cut
            and word not in ('-c', '-MD', '-fdiagnostics-color=always', entry['file'])
        ]
    return found


def parallel(function, items):
    """The findings of all items, computed two or more at a time."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return [line for lines in pool.map(function, items) for line in lines]


def tool(name, version=None):
    """The path of a program; Skip where it is not here or of another version."""
    path = shutil.which(name)
    if not path:
        raise Skip('no %s here' % name)
    if version and not re.search(r'\b%s\b' % re.escape(version), output([path, '--version'])):
        raise Skip('the settings are for %s %s, which Debian 12 has' % (name, version))
    return path


def found_by(command, cwd=TOP):
    """The lines of a compiler-like program's errors and warnings."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = [
        re.sub(r'^(?:%s/|\.\./)+' % re.escape(TOP), '', line).replace('build/../', '')
        for line in done.stdout.decode(errors='replace').splitlines()
        if re.search(r':(?:\d+:)+ (?:fatal )?(?:error|warning|style|performance|portability)', line)
    ]
    if done.returncode and not lines:
        last = (done.stdout.decode(errors='replace').strip().splitlines() or ['nothing'])[-1]
        lines = ['%s: status %d: %s' % (os.path.basename(command[0]), done.returncode, last)]
    return lines


# ---- checks: each gives findings, and is told whether to read everything


def check_width(everything):
    sources = [path for path in ending('.c', '.h') if not path.startswith('tests/programs/')]
    for path in sources + python_files():
        for number, line in enumerate(read(path).split('\n'), 1):
            if len(line.expandtabs(8)) > WIDTH:
                yield '%s:%d: %d columns of %d' % (path, number, len(line.expandtabs(8)), WIDTH)


def check_size(everything):
    for path in ending('.c', '.h', '.py'):
        lines = read(path).count('\n')
        if lines > FILE_LINES and not path.startswith('tests/'):
            yield '%s:%d: a file has %d lines at most' % (path, lines, FILE_LINES)


def check_names(everything):
    seen = {}
    for path in ending('.c', '.h', under='src/'):
        name = os.path.basename(path)
        if name in seen:
            yield '%s:1: the name is taken: %s' % (path, seen[name])
        seen[name] = path


def check_includes(everything):
    levels = {room: level for level, line in enumerate(ROOMS.split(', ')) for room in line.split()}
    for path, names in sorted(includes().items()):
        if not path.startswith('src/') or path in ABOVE_ALL:
            continue
        room = path.split('/')[1]
        if room not in levels and room != REGISTRY:
            yield '%s:1: src/%s has no place in the order of rooms (tools/lint.py)' % (path, room)
            continue
        for name in sorted(names):
            other = name.split('/')[1] if name.startswith('src/') else 'base'
            if other == REGISTRY:
                other = 'target'
            same = levels.get(other) == levels.get(room) and other != room
            if levels.get(other, 99) > levels.get(room, 2) or same:
                yield '%s:1: includes %s: %s is not below %s' % (path, name, other, room)


def check_exports(everything):
    library = os.path.join(BUILD, 'libpyscry.so')
    if not os.path.exists(library):
        raise Skip('not built: ./dev build')
    told = set()
    for path in ending('.h', under='include/'):
        told |= set(re.findall(r'^SCRY_API [^(;]*?\b(\w+)\(', read(path), re.M))
    lines = output([tool('nm'), '-D', '--defined-only', library]).splitlines()
    exported = {line.split()[-1].split('@')[0] for line in lines}
    for name in sorted(exported - told):
        yield 'build/libpyscry.so:0: exports %s, which no public header has' % name
    for name in sorted(told - exported):
        yield 'include/pyscry/pyscry.h:0: %s is not exported' % name


def check_versions(everything):
    """Versions are rows (src/layout, or a table that SCRY_SINCE() looks up), never comparisons."""
    for path in ending('.c', '.h', under='src/'):
        if path.startswith('src/layout/'):
            continue
        for number, line in enumerate(read(path).split('\n'), 1):
            if COMPARISON.search(line):
                yield '%s:%d: a comparison of versions: %s' % (path, number, line.strip())


def check_generated(everything):
    """What is made from the command table is what the table says."""
    if not os.path.exists(os.path.join(BUILD, 'libpyscry.so')):
        raise Skip('not built: ./dev build')
    import gen_commands

    for path, text in gen_commands.made().items():
        if read(path) != text:
            yield '%s:0: not what tools/gen_commands.py writes' % path


def check_format(everything):
    program = tool('clang-format', 'version 14')
    paths = ending('.c', '.h')
    pieces = [paths[i::8] for i in range(8)]
    yield from parallel(lambda some: found_by([program, '--dry-run', '-Werror'] + some), pieces)


def check_python(everything):
    """Every script compiles, and pyflakes knows nothing against it."""
    with tempfile.TemporaryDirectory() as directory:
        for path in python_files():
            try:
                py_compile.compile(
                    os.path.join(TOP, path), os.path.join(directory, 'x.pyc'), doraise=True
                )
            except py_compile.PyCompileError as error:
                yield '%s:0: %s' % (path, str(error).strip().splitlines()[-1])
    done = subprocess.run(
        [sys.executable, '-m', 'pyflakes'] + python_files(),
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if b'No module named pyflakes' in done.stdout:
        raise Skip('no python3-pyflakes here')
    for line in done.stdout.decode().splitlines():
        place = re.match(r'(.+?):(\d+):', line)
        where = read(place.group(1)).split('\n')[int(place.group(2)) - 1] if place else ''
        if '# noqa' not in where:
            yield line


def check_black(everything):
    program = tool('black', '23.1.0')
    differ = None if everything else changed()
    paths = [path for path in python_files() if differ is None or path in differ]
    if not paths:
        return
    done = subprocess.run(
        [program, '-q', '-S', '-l', str(WIDTH), '--check', '--diff'] + paths,
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    for path in re.findall(r'^--- (\S+)', done.stdout.decode(), re.M):
        yield '%s:0: not as `black -S -l %d` has it' % (path, WIDTH)


def check_shell(everything):
    for path in ['dev', '.ci/run', 'plugin/pyscry-gdb', 'tests/support/tap.sh']:
        done = subprocess.run(['bash', '-n', path], cwd=TOP, stderr=subprocess.PIPE)
        yield from done.stderr.decode().splitlines()


def compiled(compiler, paths, cheap):
    """Errors of compiling `paths` wholly, and of only reading `cheap`, by the build's own options
    (-Wall, -Wextra and more)."""
    jobs = [(path, ['-c', '-O2', '-o', '/dev/null']) for path in paths]
    jobs += [(path, ['-fsyntax-only']) for path in cheap]
    return parallel(
        lambda job: found_by(
            [compiler] + compile_commands()[job[0]] + ['-Werror'] + job[1] + ['../' + job[0]], BUILD
        ),
        jobs,
    )


def check_gcc(everything):
    yield from compiled(tool('gcc'), *touched(everything))


def check_clang(everything):
    paths, more = touched(everything)
    yield from compiled(tool('clang'), [], paths + more)


def check_tidy(everything):
    program = tool('clang-tidy', '14.0.6')
    paths, _ = touched(everything)
    pieces = [paths[i : i + 8] for i in range(0, len(paths), 8)]
    lines = parallel(lambda some: found_by([program, '--quiet', '-p', BUILD] + some), pieces)
    yield from sorted(set(lines))


def check_cppcheck(everything):
    program = tool('cppcheck', '2.10')
    paths = [path for path in touched(everything)[0] if path.startswith('src/')]
    pieces = [paths[i : i + 20] for i in range(0, len(paths), 20)]
    command = [program, '-q', '--enable=warning,performance,portability', '--std=c11']
    command += ['--inline-suppr', '-Iinclude', '-Isrc', '-D_GNU_SOURCE', '--template=gcc']
    command += ['--suppressions-list=.cppcheck', '--error-exitcode=1']
    yield from sorted(set(parallel(lambda some: found_by(command + some), pieces)))


CHECKS = {
    'width': check_width,
    'size': check_size,
    'names': check_names,
    'includes': check_includes,
    'exports': check_exports,
    'versions': check_versions,
    'generated': check_generated,
    'python': check_python,
    'black': check_black,
    'shell': check_shell,
    'format': check_format,
    'gcc': check_gcc,
    'clang': check_clang,
    'clang-tidy': check_tidy,
    'cppcheck': check_cppcheck,
}


def run(everything, names=()):
    """[(check, findings or None, reason)]: None where it was skipped; told as it goes."""
    results = []
    for name in names or CHECKS:
        begin = time.monotonic()
        try:
            found, reason = list(CHECKS[name](everything)), None
        except Skip as skip:
            found, reason = None, str(skip)
        for line in found or []:
            print(line)
        state = 'skipped: ' + reason if reason else '%d found' % len(found) if found else 'ok'
        print('%-10s %5.1f s  %s' % (name, time.monotonic() - begin, state), flush=True)
        results.append((name, found, reason))
    return results


def main():
    words = sys.argv[1:]
    everything = '--all' in words
    names = [word for word in words if word != '--all']
    unknown = set(names) - set(CHECKS)
    if unknown:
        sys.exit('lint: no check %s; there are: %s' % (' '.join(sorted(unknown)), ' '.join(CHECKS)))
    return 1 if any(found for _, found, _ in run(everything, names)) else 0


if __name__ == '__main__':
    sys.exit(main())
