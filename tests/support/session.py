"""Many commands in one session of the library, by the program tests/support/reprs.c."""
import json
import os
import subprocess

import jsonschema

from . import run

with open(os.path.join(run.TOP, 'docs', 'schema.json')) as source:
    SCHEMA = jsonschema.Draft7Validator(json.load(source))


def told(dump, lines, key):
    """What commands ("heap --by size") say of a dump: the part of each answer under the key. The
    answers are held against the schema."""
    root = dump.interpreter.root
    tool = os.path.join(run.build_directory(), 'tests', 'support', 'reprs')
    done = subprocess.run(
        [tool, dump.core, '' if root else dump.exe, ''] + ([root] if root else []),
        input=''.join(':%s --json\n' % line for line in lines).encode(),
        stdout=subprocess.PIPE,
        timeout=120,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    for answer in answers:
        SCHEMA.validate(answer)
    return [answer[key] for answer in answers]
