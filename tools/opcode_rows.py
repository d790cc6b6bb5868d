"""The tables of src/object that tools make out of what interpreters say of themselves: a block of
text for each version.

A table is written in place: a shell's `> FILE` would empty it before its other versions are read,
and nobody has an interpreter of each.
"""
import os
import re

OBJECT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'src', 'object')
BEGIN = re.compile(r'^\{ SCRY_VERSION_OF\((\d+), (\d+)\),\n', re.M)


def read(path):
    """{version: the text of its row, from the line after its first on}."""
    try:
        with open(path) as source:
            text = source.read()
    except OSError:
        return {}
    parts = BEGIN.split(text)
    return {
        (int(major), int(minor)): body
        for major, minor, body in zip(parts[1::3], parts[2::3], parts[3::3])
    }


def write(name, head, rows, repeat=True):
    """Put rows, {version: the text of its row}, among those that the file has; `repeat`: one that
    is as the one before it has a row all the same."""
    path = os.path.join(OBJECT, name)
    found, last = read(path), None
    found.update(rows)
    with open(path + '.new', 'w') as out:
        out.write(head + '\n')
        for version, body in sorted(found.items()):
            if repeat or body != last:
                out.write('{ SCRY_VERSION_OF(%d, %d),\n' % version + body)
            last = body
    os.replace(path + '.new', path)


def wrapped(words, width, end=' '):
    """Words as lines of C strings, each below `width` characters; the last one is not ended."""
    lines, line = [], '\t"'
    for word in words:
        if len(line) + len(word) > width:
            lines.append(line + '"\n')
            line = '\t"'
        line += word + end
    return ''.join(lines) + line
