"""Write docs/transcripts.md: commands and their answers, from a real run of docs/examples/shop.py
on Debian's Python. Numbers of threads and addresses are replaced by others, always by the same."""
import os
import re
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP)

from tests.support.story import PYSCRY, clean_environment, make_core, run  # noqa: E402

PAGE = os.path.join(TOP, 'docs', 'transcripts.md')
HEAD = '''# Transcripts

Written by `tools/transcripts.py` from a run of [a small shop that goes
wrong](examples/shop.py); do not edit. Numbers of threads
and addresses are replaced. In GDB and LLDB the commands are `py-threads` and so on, and print the
same.
'''
STORY = [
    ('What happened?', ['core']),
    ('Which threads are there?', ['core', 'threads']),
    ('The variables of the thread that crashed', ['core', 'bt-full', '--limit', '2']),
    ('One value', ['core', '--frame', '0', 'print', 'order.items']),
    ('The exception in flight', ['core', 'exc']),
    ('Who waits for whom?', ['core', 'waits']),
    ('Tasks', ['core', 'tasks', '--tree']),
    ('Equal stacks once', ['core', 'stacks']),
]


class Names:
    """Numbers of a run, each replaced by the same one everywhere."""

    def __init__(self, directory, threads):
        self.directory = directory
        self.threads = {tid: str(4711 + i) for i, tid in enumerate(sorted(threads, key=int))}
        self.addresses = {}

    def address(self, found):
        text = found.group()
        return self.addresses.setdefault(text, '0x7f%010x' % (0x1000 + 0x40 * len(self.addresses)))

    def replace(self, text):
        text = text.replace(self.directory, '/srv').replace('story.py', 'shop.py')
        for tid, name in self.threads.items():
            text = re.sub(r'\b%s\b' % tid, name, text)
        text = re.sub(r'second \d+ of its clock', 'second 9000 of its clock', text)
        return re.sub(r'\b0x[0-9a-f]{6,16}\b', self.address, text)


def fits():
    """Is this the Python that the page is of? Another one has other lines."""
    return run(['/usr/bin/python3', '-VV']).out.split(' (')[0] == 'Python 3.11.2'


def made():
    """The page's text."""
    with open(os.path.join(TOP, 'docs', 'examples', 'shop.py'), encoding='utf-8') as source:
        program = source.read()
    parts = [HEAD]
    with tempfile.TemporaryDirectory(prefix='pyscry-transcripts-') as place:
        core = make_core('/usr/bin/python3', place, program)
        threads = re.findall(r'Thread (\d+)', run([PYSCRY, core, 'threads']).out)
        names = Names(place, threads)
        for title, words in STORY:
            line = ' '.join(["'%s'" % word if "'" in word else word for word in words])
            said = run(
                [PYSCRY] + [core if word == 'core' else word for word in words],
                env=clean_environment(COLUMNS='100'),
            )
            parts.append('\n## %s\n\n```\n$ pyscry %s\n' % (title, line))
            parts.append(names.replace(said.out.replace(core, 'core')).rstrip() + '\n```\n')
    return ''.join(parts)


def main():
    if not fits():
        return
    text = made()
    with open(PAGE, 'w', encoding='utf-8') as out:
        out.write(text)


if __name__ == '__main__':
    main()
