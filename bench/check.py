"""Instructions that commands take, beside those that are committed: bench/run.py --check, --record.

Time depends on the machine and on what else it does; the number of instructions does not, as long
as compiler, C library, libdw and the kind of processor are the same. So counts are kept for each
such set (bench/counts.json), and a machine of another one skips the check and says so. What is read
are a committed core, without any file of its machine, and a core of this machine's own python3,
made with fixed addresses and known by its build id.
"""
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = os.path.join(TOP, 'bench', 'counts.json')
PAGE = os.path.join(TOP, 'docs', 'performance.md')
MOST = 0.03  # a row may take so much more than what is committed
ADDR_NO_RANDOMIZE = 0x0040000

# (name, target, arguments); files of the interpreter are read where the target is its own core
ROWS = [
    ('small: default', 'small', []),
    ('small: bt-full', 'small', ['bt-full']),
    ('small: bt --json', 'small', ['--json', 'bt']),
    ('small: exc', 'small', ['exc']),
    ('100 threads: bt', 'threads', ['bt']),
    ('100 threads: threads', 'threads', ['threads']),
    ('100 threads: bt --all', 'threads', ['bt', '--all']),
    ('100 threads: bt-full --all', 'threads', ['bt-full', '--all']),
    ('100 threads: bt --native', 'threads', ['bt', '--native']),
]


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()


def machine(program):
    """What the counts depend on, as one line."""
    compiler = re.search(
        r'(GCC: .*? [\d.]+|clang version [\d.]+)$',
        output('readelf', '-p', '.comment', program),
        re.M,
    )
    libdw = re.search(r'libdw\.so\.1 => (\S+)', output('ldd', program))
    with open('/proc/cpuinfo') as info:
        avx2 = ' avx2 ' in info.read()
    options = output('meson', 'introspect', '--buildoptions', os.path.dirname(program) + '/../..')
    kind = re.search(r'"buildtype".*?"value": "(\w+)"|"value": "(\w+)"[^}]*"buildtype"', options)
    return ', '.join(
        [
            compiler.group(1) if compiler else 'unknown compiler',
            (kind.group(1) or kind.group(2)) if kind else 'unknown build',
            os.confstr('CS_GNU_LIBC_VERSION'),
            os.path.basename(os.path.realpath(libdw.group(1))) if libdw else 'no libdw',
            output('valgrind', '--version').strip(),
            os.uname().machine + (' avx2' if avx2 else ''),
        ]
    )


def build_id(path):
    found = re.search(r'Build ID: (\w+)', output('readelf', '-n', path))
    return found.group(1) if found else 'unknown'


def fixed():
    """Cores, and addresses that are the same each time."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)


def small_core(directory):
    core = os.path.join(directory, 'small')
    packed = os.path.join(TOP, 'corefiles', 'debian-3.11-calls.core.zst')
    subprocess.run(['zstd', '-q', '-d', '-o', core, packed], check=True)
    return ['--untrusted', core]


def threads_core(directory):
    place = os.path.join(directory, 'threads')
    os.mkdir(place)
    shutil.copy(os.path.join(TOP, 'bench', 'workloads.py'), place)
    subprocess.run(
        ['/usr/bin/python3', 'workloads.py', 'threads', '100', '10'],
        cwd=place,
        preexec_fn=fixed,
        env={'LC_ALL': 'C.UTF-8', 'PYTHONHASHSEED': '0', 'PYTHONDONTWRITEBYTECODE': '1'},
        stderr=subprocess.DEVNULL,
    )
    cores = [name for name in os.listdir(place) if name.startswith('core')]
    return [os.path.join(place, cores[0])] if cores else None


def count(program, arguments, directory):
    """Instructions of one run, or None where it failed."""
    done = subprocess.run(
        ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', program] + arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=directory,
        env={'LC_ALL': 'C.UTF-8', 'PATH': '/usr/bin:/bin', 'HOME': directory},
    )
    found = re.search(rb'Collected : (\d+)', done.stderr)
    return int(found.group(1)) if found and done.returncode in (0, 1) else None


def measure(program, wanted):
    """{row: instructions} of the rows whose names have `wanted` in them."""
    rows = [row for row in ROWS if wanted in row[0]]
    makers = {'small': small_core, 'threads': threads_core}
    python = build_id(os.path.realpath('/usr/bin/python3'))[:12]
    counts = {}
    with tempfile.TemporaryDirectory(prefix='pyscry-count-') as directory:
        targets = {kind: makers[kind](directory) for kind in {kind for _, kind, _ in rows}}
        for name, kind, arguments in rows:
            if targets[kind] is None:
                print('skipped: %s: the program left no core file' % name)
                continue
            found = count(program, targets[kind] + arguments, directory)
            if kind == 'threads':
                name += ' [python3 %s]' % python
            if found is None:
                raise SystemExit('bench: %s failed' % name)
            counts[name] = found
    return counts


def compare(counts, committed):
    """Print the rows; how many take too much."""
    bad = 0
    print('%-52s %14s %14s' % ('instructions', 'committed', 'now'))
    for name, now in counts.items():
        was = committed.get(name)
        if was is None:
            print('%-52s %14s %14s  skipped: nothing is committed for it' % (name, '-', now))
            continue
        change = now / was - 1
        bad += change > MOST
        mark = 'TOO MUCH' if change > MOST else 'less: --record it' if change < -MOST else ''
        print('%-52s %14d %14d %+6.1f %% %s' % (name, was, now, 100 * change, mark))
    return bad


def write_page(key, counts):
    with open(PAGE, 'w') as page:
        page.write(
            '# Performance\n\n'
            'Written by `./dev bench --record`. Instructions of whole runs (callgrind), which do '
            'not depend on what else a\nmachine does; `./dev bench --check` fails where a row '
            'takes more than %d %% above them. `./dev bench` measures time\nbeside the peers that '
            'are installed.\n\nOf %s:\n\n| row | million instructions |\n|---|---|\n'
            % (100 * MOST, key)
        )
        for name, number in counts.items():
            page.write('| %s | %.1f |\n' % (name, number / 1e6))


def main(program, record=False, rows='', path=None):
    """Exit status: 1 where a row takes too much."""
    for tool in ('valgrind', 'zstd', 'readelf'):
        if not shutil.which(tool):
            print('skipped: %s is not installed' % tool)
            return 0
    path = path or COUNTS
    everything = {}
    if os.path.exists(path):
        with open(path) as source:
            everything = json.load(source)
    key = machine(program)
    if not record and key not in everything:
        print('skipped: no counts are committed for %s (./dev bench --record)' % key)
        return 0
    counts = measure(program, rows)
    if not record:
        return 1 if compare(counts, everything[key]) else 0
    everything.setdefault(key, {}).update(counts)
    with open(path, 'w') as out:
        json.dump(everything, out, indent=1, sort_keys=True)
        out.write('\n')
    if path == COUNTS:
        write_page(key, everything[key])
    compare(counts, everything[key])
    return 0


if __name__ == '__main__':
    sys.exit('use bench/run.py --check')
