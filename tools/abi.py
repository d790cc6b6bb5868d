"""The library's ABI beside the last one that was kept: abi.py [--write]

What programs are compiled against is the public header, so its ABI is that of a library of empty
functions made of the header alone; that the real library has no other is compared, too. The last
one is kept as abidw writes it, in a file named by the SONAME. Functions and constants may be added;
all else needs a new SONAME (CONTRIBUTING.md).

--write  keep today's as the last: refused where it breaks programs
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADER = os.path.join(TOP, 'include', 'pyscry', 'pyscry.h')
LIBRARY = os.path.join(os.environ.get('PYSCRY_BUILD') or TOP + '/build', 'libpyscry.so')
PROGRAMS = ('cc', 'abidw', 'abidiff', 'readelf')


def said(command):
    """(status, text)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors='replace')


def must(command):
    status, text = said(command)
    if status:
        sys.exit('%s\nabi: failed: %s' % (text, ' '.join(command)))
    return text


def read(path):
    with open(path, encoding='utf-8') as source:
        return source.read()


def soname(library):
    return re.search(r'soname: \[(.*)\]', must(['readelf', '-d', library])).group(1)


def kept(name):
    """The file with the last ABI of a SONAME."""
    return os.path.join(TOP, 'tests', 'package', name + '.abi')


def hollow(text, target, name, constants=True):
    """A library with the functions that a header declares; with its enums and structs, also those
    that no function names, each as a variable."""
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    source = re.sub(r'^SCRY_API ([^;#]*);', r'SCRY_API \1 { __builtin_trap(); }', text, flags=re.M)
    if constants:
        for kind, tag in re.findall(r'^(enum|struct) (\w+) \{', text, re.M):
            source += 'SCRY_API %s %s all_of_%s;\n' % (kind, tag, tag)
    with open(target + '.c', 'w', encoding='utf-8') as out:
        out.write(source)
    must(
        ['cc', '-g', '-shared', '-fPIC', '-Wl,-soname,' + name, '-o', target, target + '.c'],
    )
    return target


def written(library):
    """Its ABI, as abidw writes it."""
    text = must(
        ['abidw', '--no-corpus-path', '--no-comp-dir-path', '--no-show-locs', '--no-elf-needed']
        + ['--no-parameter-names', '--type-id-style', 'hash', library]
    )
    return re.sub(r"path='[^']*'", "path='pyscry.h'", text)


def broken(last, library):
    """What programs that were compiled against the last one would find changed; '' for nothing."""
    status, text = said(['abidiff', '--no-added-syms', last, library])
    return text if status else ''


def differs(one, other, *options):
    """What is not the same; '' for nothing. What is opaque in one of them does not matter."""
    status, text = said(['abidiff', *options, one, other])
    return text if status else ''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--write', action='store_true')
    write = parser.parse_args().write
    for program in PROGRAMS:
        if not shutil.which(program):
            sys.exit('abi: no %s' % program)
    if '.debug_info' not in must(['readelf', '-SW', LIBRARY]):
        sys.exit('abi: the library has no debug information to compare')
    name = soname(LIBRARY)
    path = kept(name)
    with tempfile.TemporaryDirectory() as place:
        header = hollow(read(HEADER), place + '/header.so', name, constants=False)
        text = differs(header, LIBRARY)
        if text:
            sys.exit('%s\nabi: the library is not what its header says' % text)
        today = hollow(read(HEADER), place + '/today.so', name)
        text = broken(path, today) if os.path.exists(path) else ''
        if text:
            sys.exit('%s\nabi: this breaks programs: it needs a new SONAME' % text)
        if write:
            with open(path, 'w', encoding='utf-8') as out:
                out.write(written(today))
        elif not os.path.exists(path) or differs(path, today, '--harmless'):
            sys.exit('abi: something was added: ./dev abi --write')
    print('abi: %s: good' % name)


if __name__ == '__main__':
    main()
