"""Measures pyscry beside gdb's own Python script, pystack and the limit, and prints a table of
medians.

bench/run.py [--quick] [--repeat N] [--peers] [--heap] [--objects N] [INTERPRETER...]
bench/run.py --check | --record [--rows TEXT]: see check.py

INTERPRETER is a tag as `python3 -m tests.support.interpreters` lists them; the default is the
newest two of this machine's own versions. --peers also runs gdb's script on the deep workloads,
which takes minutes. Seconds are wall time; (xN) is the CPU time over that of a C program that only
follows the frames (bench/floor.c).
"""
import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP)

from bench import check  # noqa: E402
from tests.support import interpreters, run  # noqa: E402

HERE = os.path.join(TOP, 'bench')
WORKLOADS = [
    ('10 frames', ['stack', '10']),
    ('5,000 frames', ['stack', '5000']),
    ('200,000 frames', ['stack', '200000']),
    ('200 threads x 20', ['threads', '200', '20']),
    ('1,000 threads x 20', ['threads', '1000', '20']),
    ('2 M objects', ['heap', '2000000']),
]
SLOW = {'5,000 frames', '200,000 frames', '200 threads x 20', '1,000 threads x 20'}


def cpu():
    """CPU seconds of all children so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def median(command, repeat, timeout=600):
    """Median (wall seconds, CPU seconds) of a command, or None where it fails or takes too long."""
    times = []
    for _ in range(repeat):
        begin, used = time.perf_counter(), cpu()
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return None
        if done.returncode:
            return None
        times.append((time.perf_counter() - begin, cpu() - used))
        if sum(wall for wall, _ in times) > 60:
            break
    return statistics.median(wall for wall, _ in times), statistics.median(
        used for _, used in times
    )


def make_core(interpreter, arguments, directory):
    shutil.copy(os.path.join(HERE, 'workloads.py'), directory)
    subprocess.run(
        interpreter.command + ['workloads.py'] + arguments,
        cwd=directory,
        preexec_fn=run.limits,
        env=run.environment(directory, 'abort'),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    cores = [name for name in os.listdir(directory) if name.startswith('core')]
    if not cores:
        raise SystemExit('bench: no core file: see /proc/sys/kernel/core_pattern')
    return os.path.join(directory, cores[0])


def offsets(core, where):
    """struct.field: offset, as py-info --layout shows them."""
    text = run.pyscry(core, *where, 'info', '--layout')[1]
    return {
        name: int(value) for name, value in re.findall(r'^\s+(\w+\.\w+)\s+(\d+) \+', text, re.M)
    }


def floor_command(program, core, interpreter):
    where = run.where(interpreter)
    answer = run.answer(core, *where)[0]
    at = offsets(core, where)
    frame = (
        ('iframe.previous', 'iframe.code')
        if interpreter.version >= (3, 11)
        else ('frame.back', 'frame.code')
    )
    numbers = [at.get(name) for name in frame + ('code.name', 'code.filename')]
    if None in numbers:
        return None, 0
    header = (
        48
        if (3, 3) <= interpreter.version < (3, 12)
        else 40
        if interpreter.version >= (3, 12)
        else 36
    )
    tops = [thread['frames'][0]['address'] for thread in answer['threads'] if thread['frames']]
    return [program, core] + [str(n) for n in numbers + [header]] + tops, sum(
        len(t['frames']) for t in answer['threads']
    )


def gdb_script(interpreter):
    """CPython's own script for gdb, where the interpreter brings it."""
    exe = interpreter.outside(interpreter.exe)
    for path in (exe + '-gdb.py', '/usr/share/gdb/auto-load%s-gdb.py' % exe):
        if os.path.exists(path) and interpreter.root is None:
            return path
    return None


def gdb(core, exe, *commands):
    line = [
        'gdb',
        '-nx',
        '-batch',
        '-iex',
        'set debuginfod enabled off',
        '-iex',
        'set auto-load python-scripts off',
        '-ex',
        'file ' + exe,
        '-ex',
        'core-file ' + core,
    ]
    for command in commands:
        line += ['-ex', command]
    return line


def commands(name, core, interpreter, floor, peers):
    """(column, command) of everything that is measured on a core."""
    exe, where = interpreter.outside(interpreter.exe), list(run.where(interpreter))
    yield 'limit', floor
    yield 'pyscry bt', [run.cli()] + where + [core, 'bt']
    yield 'pyscry bt --all', [run.cli()] + where + [core, 'bt', '--all']
    yield 'pyscry --json', [run.cli()] + where + ['--json', core, 'bt', '--all']
    yield 'pyscry --native', [run.cli()] + where + [core, 'bt', '--all', '--native']
    yield 'gdb alone', gdb(core, exe)
    yield 'gdb + py-bt', gdb(core, exe, 'source %s/gdbinit' % TOP, 'py-bt')
    script = gdb_script(interpreter)
    if script and (peers or name not in SLOW):
        yield 'gdb + its script', gdb(core, exe, 'source ' + script, 'py-bt')
    if shutil.which('pystack'):
        yield 'pystack', ['pystack', 'core', core, exe]
        yield 'pystack --native', ['pystack', 'core', core, exe, '--native-all']


def show(times, limit):
    if times is None:
        return '-'
    text = '%.3f' % times[0] if times[0] < 10 else '%.1f' % times[0]
    # CPU time: the ratio then holds on a machine that is busy with other things, too
    return text + (' (x%.1f)' % (times[1] / max(limit[1], 0.0001)) if limit else '')


def bench(interpreter, program, options):
    print('\n%s: %s' % (interpreter.tag, '.'.join(map(str, interpreter.version))))
    columns = [
        'limit',
        'pyscry bt',
        'pyscry bt --all',
        'pyscry --json',
        'pyscry --native',
        'gdb alone',
        'gdb + py-bt',
        'gdb + its script',
        'pystack',
        'pystack --native',
    ]
    print('%-20s %8s  ' % ('seconds', 'frames') + ' '.join('%18s' % column for column in columns))
    for name, arguments in WORKLOADS:
        if options.quick and ('200,000' in name or '1,000' in name):
            continue
        directory = tempfile.mkdtemp(prefix='pyscry-bench-')
        try:
            core = make_core(interpreter, arguments, directory)
            floor, frames = floor_command(program, core, interpreter)
            row = [
                (column, median(command, options.repeat) if command else None)
                for column, command in commands(name, core, interpreter, floor, options.peers)
            ]
        finally:
            shutil.rmtree(directory)
        times = dict(row)
        limit = times['limit']
        print(
            '%-20s %8d  ' % (name, frames)
            + ' '.join(
                '%18s'
                % (
                    ''
                    if column not in times
                    else show(times[column], limit if column.startswith('pyscry') else None)
                )
                for column in columns
            ),
            flush=True,
        )


def heap(interpreter, program, options):
    """The commands that ask all objects, as whole processes; (xN) is beside one look at each."""
    directory = tempfile.mkdtemp(prefix='pyscry-bench-')
    lines = ['whatis %s', 'refs %s', 'refs --path %s', 'refs --holders %s']
    lines += ['heap', 'heap --by retained', 'gc --unreachable', 'verify', 'verify --leaks']
    try:
        core = make_core(interpreter, ['heap', str(options.objects)], directory)
        where = run.where(interpreter)
        answer = run.answer(core, *where, command=('heap', 'tuple', '--limit', '1'))[0]['heap']
        limit = median([program, core, str(answer['objects'])], options.repeat)
        print('heap of %d objects: limit %s' % (answer['objects'], show(limit, None)))
        for line in lines:
            words = (line.replace('%s', answer['instances'][0]['address'])).split()
            used = [os.path.join(run.cli()), *where, core, *words]
            print(
                '  %-20s %s' % (line.replace(' %s', ''), show(median(used, 1), limit)), flush=True
            )
    finally:
        shutil.rmtree(directory)


def live(interpreter, options):
    directory = tempfile.mkdtemp(prefix='pyscry-bench-')
    shutil.copy(os.path.join(HERE, 'workloads.py'), directory)
    try:
        for name, arguments in WORKLOADS:
            if options.quick and name in SLOW:
                continue
            ready = os.path.join(directory, 'ready')
            env = dict(run.environment(directory, 'sleep'), PYSCRY_READY=ready)
            process = subprocess.Popen(
                interpreter.command + ['workloads.py'] + arguments,
                cwd=directory,
                env=env,
                stdin=subprocess.DEVNULL,
            )
            try:
                while not os.path.exists(ready) and process.poll() is None:
                    time.sleep(0.05)
                times = [
                    median([run.cli(), str(process.pid)] + command, options.repeat)
                    for command in (['bt'], ['bt', '--all'])
                ]
                print(
                    'live %-19s pyscry bt %s   bt --all %s'
                    % (name, show(times[0], None), show(times[1], None)),
                    flush=True,
                )
            finally:
                process.kill()
                process.wait()
                if os.path.exists(ready):
                    os.remove(ready)
    finally:
        shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--peers', action='store_true')
    parser.add_argument(
        '--objects', type=int, default=2000000, help='of the heap that is asked as a whole'
    )
    parser.add_argument('--heap', action='store_true', help='only that heap')
    parser.add_argument('--repeat', type=int, default=5)
    parser.add_argument(
        '--check', action='store_true', help='instructions beside those that are committed'
    )
    parser.add_argument('--record', action='store_true', help='commit those of this machine')
    parser.add_argument('--rows', default='', help='of --check: rows whose name has this in it')
    parser.add_argument('--counts', help='of --check: the file with them')
    parser.add_argument('interpreters', nargs='*')
    options = parser.parse_args()
    if options.check or options.record:
        raise SystemExit(
            check.main(os.path.realpath(run.cli()), options.record, options.rows, options.counts)
        )
    found = [i for i in interpreters.everything() if not i.reason]
    chosen = (
        [i for i in found if i.tag in options.interpreters]
        if options.interpreters
        else [i for i in found if i.root is None and not i.debug and not i.free_threaded][-2:]
    )
    if not chosen:
        raise SystemExit('bench: no such interpreter; there are: ' + ' '.join(i.tag for i in found))
    work = tempfile.mkdtemp(prefix='pyscry-bench-')
    try:
        program = os.path.join(work, 'floor')
        subprocess.run(
            ['cc', '-O2', '-std=gnu11', '-o', program, os.path.join(HERE, 'floor.c')], check=True
        )
        touch = os.path.join(work, 'touch')
        subprocess.run(
            ['cc', '-O2', '-std=gnu11', '-o', touch, os.path.join(HERE, 'touch.c')], check=True
        )
        for interpreter in chosen:
            if not options.heap:
                bench(interpreter, program, options)
            heap(interpreter, touch, options)
            if not options.heap:
                live(interpreter, options)
    finally:
        shutil.rmtree(work)


if __name__ == '__main__':
    main()
