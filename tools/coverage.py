"""How much of src/ the tests reach: built with gcov in ./build-coverage, run, and counted by line.

coverage.py [--report] [PYTEST-ARGUMENT...]: --report only counts what an earlier run has left.
Ends with status 1 where less is reached than LEAST, or a test failed. Written to
build-coverage/coverage.txt: each file with the lines that nothing reached.
"""
import collections
import glob
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, 'build-coverage')
# per cent of the lines of src/ that the whole suite reaches; raise it when it has grown by one
LEAST = 85


def build():
    if not os.path.exists(os.path.join(BUILD, 'build.ninja')):
        options = ['-Db_coverage=true', '--buildtype=debug']
        subprocess.check_call(['meson', 'setup', BUILD, TOP] + options, stdout=subprocess.DEVNULL)
    subprocess.check_call(['ninja', '-C', BUILD, '--quiet'])
    for path in glob.glob(os.path.join(BUILD, '**', '*.gcda'), recursive=True):
        os.remove(path)


def reached():
    """{file of src/: {line: was it run}}, every object's counts together."""
    found = collections.defaultdict(dict)
    paths = glob.glob(os.path.join(BUILD, 'libpyscry_core.a.p', '*.gcno'))
    paths += glob.glob(os.path.join(BUILD, 'src', '**', '*.gcno'), recursive=True)
    for path in paths:
        told = subprocess.run(
            ['gcov', '--json-format', '--stdout', os.path.relpath(path, BUILD)],
            cwd=BUILD,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ).stdout.decode()
        for answer in filter(None, told.splitlines()):
            for file in json.loads(answer)['files']:
                name = os.path.relpath(os.path.join(BUILD, file['file']), TOP)
                if name.startswith('src/'):
                    for line in file['lines']:
                        lines = found[name]
                        number = line['line_number']
                        lines[number] = lines.get(number, False) or line['count'] > 0
    return found


def spans(numbers):
    """[3, 4, 5, 9] as "3-5 9"."""
    parts = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ' '.join('%d' % a if a == b else '%d-%d' % (a, b) for a, b in parts)


def percent(lines):
    return 100.0 * sum(lines) / len(lines) if lines else 100.0


def report(found):
    """Print the rooms, write the files; per cent of all."""
    rooms = collections.defaultdict(list)
    with open(os.path.join(BUILD, 'coverage.txt'), 'w') as out:
        for name, lines in sorted(found.items()):
            rooms[name.split('/')[1]] += lines.values()
            missed = [number for number in sorted(lines) if not lines[number]]
            print('%5.1f %% %s: %s' % (percent(lines.values()), name, spans(missed)), file=out)
    for room, lines in sorted(rooms.items(), key=lambda item: percent(item[1])):
        print('%5.1f %%  %6d lines  src/%s' % (percent(lines), len(lines), room))
    return percent([line for lines in rooms.values() for line in lines])


def main():
    words = sys.argv[1:]
    status = 0
    if words[:1] != ['--report']:
        build()
        env = dict(
            os.environ,
            PYSCRY_BUILD=BUILD,
            PYSCRY=os.path.join(BUILD, 'src', 'cli', 'pyscry'),
            PYSCRY_LIBRARY=os.path.join(BUILD, 'libpyscry.so'),
        )
        tests = [sys.executable, os.path.join(TOP, 'tools', 'run_tests.py')]
        status = subprocess.call(tests + words, env=env)
    total = report(reached())
    print('%.1f %% of the lines of src/ reached; build-coverage/coverage.txt has each file' % total)
    if total < LEAST and not words:
        print('coverage: %d %% were reached before' % LEAST, file=sys.stderr)
        return 1
    return status


if __name__ == '__main__':
    sys.exit(main())
