#!/usr/bin/env python3
"""Make a small dump for this folder: NAME.core.zst, and NAME.json with what the program said of
itself.

    make_corefile.py NAME PROGRAM [PYTHON [ARGUMENT...]]

PROGRAM is one of tests/programs, PYTHON the interpreter (default /usr/bin/python3). The program
runs in an empty environment and in /tmp, so that nothing of the machine gets into the dump but the
interpreter's own paths. zstd packs the core; a core of 13 MB becomes one of less than 1 MB.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from tests.support import programs, run  # noqa: E402


def make(name, program, python, arguments):
    directory = tempfile.mkdtemp(dir='/tmp', prefix='corefile-')
    run.prepare(programs.Program(name, program), directory)
    env = {
        'PATH': '/usr/bin:/bin',
        'HOME': '/nonexistent',
        'LC_ALL': 'C.UTF-8',
        'PYTHONDONTWRITEBYTECODE': '1',
        'PYTHONNOUSERSITE': '1',
        'PYSCRY_TRUTH': os.path.join(directory, 'truth.json'),
        'PYSCRY_END': 'abort',
    }
    subprocess.run(
        [python, program] + arguments,
        cwd=directory,
        env=env,
        preexec_fn=run.limits,
        stderr=subprocess.DEVNULL,
    )
    core = os.path.join(directory, 'core')
    if not os.path.exists(core):
        core = next(
            os.path.join(directory, f) for f in os.listdir(directory) if f.startswith('core')
        )
    subprocess.run(
        ['zstd', '-q', '-f', '-19', core, '-o', os.path.join(HERE, name + '.core.zst')], check=True
    )
    with open(os.path.join(HERE, name + '.json'), 'w') as f:
        json.dump(run.load(directory), f, indent=1, sort_keys=True)
        f.write('\n')
    shutil.rmtree(directory)


if __name__ == '__main__':
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    make(
        sys.argv[1],
        sys.argv[2],
        sys.argv[3] if len(sys.argv) > 3 else '/usr/bin/python3',
        sys.argv[4:],
    )
