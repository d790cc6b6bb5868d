"""What is installed: manual pages, completion, the library for a C program."""
import os
import shutil
import subprocess

import pytest

from tests.package.terminal import Terminal
from tests.support.story import clean_environment, run

pytestmark = pytest.mark.xdist_group('package')


def need(program):
    path = shutil.which(program)
    if not path:
        pytest.skip('no %s' % program)
    return path


def commands(tree):
    said = run([tree.program, '--complete', 'core', '']).out
    return [line.split('\t')[0] for line in said.splitlines()]


def test_every_command_has_a_page(tree):
    pages = set(os.listdir(tree.path('share/man/man1')))
    assert pages == {'pyscry.1', 'pyscry-gdb.1'} | {'pyscry-%s.1' % name for name in commands(tree)}


def test_pages_render_without_a_warning(tree):
    groff = need('groff')
    directory = tree.path('share/man/man1')
    pages = [os.path.join(directory, name) for name in sorted(os.listdir(directory))]
    said = run([groff, '-man', '-ww', '-Tutf8', '-P-cbou'] + pages)
    assert said.status == 0 and said.err == ''
    assert said.out.count('\nNAME\n') == len(pages)
    # of a summary, an option of one command and an option of all
    for text in (
        'pyscry-heap - show how many objects',
        '-b, --by WHAT',
        'containers at most N levels deep',
    ):
        assert text in ' '.join(said.out.split())


# what is typed before TAB, and what is run then; zsh takes away the slash at the end
TYPED = [
    ('core heap --by reta', '<core heap --by retained>'),
    ('core heap --by=reta', '<core heap --by=retained>'),
    ('core bt --nati', '<core bt --native>'),
    ('--sysroot some-dir', '<--sysroot some-directory'),
    ('some-fi', '<some-file>'),
]


def typed(tree):
    """Those, and each command by as little of its name as only it begins with."""
    names = commands(tree)
    for name in names:
        starts = [name[:n] for n in range(1, len(name) + 1)]
        short = [s for s in starts if all(n.startswith(name) for n in names if n.startswith(s))]
        yield 'core ' + short[0], '<core %s>' % name
    yield from TYPED


@pytest.fixture
def place(tmp_path):
    (tmp_path / 'some-directory').mkdir()
    (tmp_path / 'some-file').write_text('')
    return tmp_path


# what would be run is shown in its place
BASH = 'pyscry() { case $1 in --complete) command pyscry "$@";; *) echo "<$*>";; esac; }'
FISH = """function pyscry
	if test "$argv[1]" = --complete
		command pyscry $argv
	else
		echo "<$argv>"
	end
end
"""


def typed_in(shell, start, place, tree):
    environment = clean_environment(HOME=str(place), ZDOTDIR=str(place))
    environment['PATH'] = os.path.dirname(tree.program) + ':' + environment['PATH']
    terminal = Terminal(shell, environment)
    try:
        terminal.type('cd %s; %s; echo loa""ded\n' % (place, start))
        terminal.wait_for('loaded')
        count = 0
        for words, run_then in typed(tree):
            terminal.type('pyscry %s\t\n' % words)
            terminal.wait_for(run_then)
            count += 1
        assert count > 35
    finally:
        terminal.close()


def test_bash_completes(tree, place):
    if not os.path.exists('/usr/share/bash-completion/bash_completion'):
        pytest.skip('no bash-completion')
    script = tree.path('share/bash-completion/completions/pyscry')
    start = 'source /usr/share/bash-completion/bash_completion; source %s; %s' % (script, BASH)
    typed_in(['bash', '--noprofile', '--norc', '-i'], start, place, tree)


def test_zsh_completes(tree, place):
    directory = tree.path('share/zsh/vendor-completions')
    start = 'fpath=(%s $fpath); autoload -Uz compinit; compinit -u -D; %s' % (directory, BASH)
    typed_in([need('zsh'), '-f', '-i'], start, place, tree)


def test_fish_completes(tree, place):
    (place / 'shown.fish').write_text(FISH)
    script = tree.path('share/fish/vendor_completions.d/pyscry.fish')
    typed_in([need('fish'), '--no-config'], 'source %s; . shown.fish' % script, place, tree)


def test_completion_offers_processes(tree):
    waiting = subprocess.Popen(['/usr/bin/python3', '-c', 'input()'], stdin=subprocess.PIPE)
    try:
        said = run([tree.program, '--complete', '--pid', '']).out
        assert '%d\t/usr/bin/python3 -c input()\n' % waiting.pid in said
    finally:
        waiting.communicate()


PROGRAM = r'''
#include <pyscry/pyscry.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct scry_session *s = scry_session_new();
	struct scry_buf *out = scry_buf_new();
	int status = 2;

	if (argc > 1 && scry_session_open_dump(s, argv[1]) == SCRY_OK)
		status = scry_command_run(s, "threads", "", out, NULL);
	printf("%s %d\n%s", scry_version(), status, scry_buf_text(out));
	scry_buf_free(out);
	scry_session_free(s);
	return 0;
}
'''


def test_a_c_program_builds_with_pkg_config(tree, place):
    library = tree.library()
    (place / 'user.c').write_text(PROGRAM)
    config = dict(
        clean_environment(),
        PKG_CONFIG_LIBDIR=library + '/pkgconfig',
        PKG_CONFIG_SYSROOT_DIR=tree.top,
    )
    flags = run(['pkg-config', '--cflags', '--libs', 'pyscry'], env=config)
    assert flags.status == 0, flags.err
    built = run(
        ['cc', '-Wall', '-Werror', '-o', 'user', 'user.c', '-Wl,-rpath,' + library]
        + flags.out.split(),
        cwd=str(place),
    )
    assert built.status == 0, built.err
    version = run(['pkg-config', '--modversion', 'pyscry'], env=config).out.strip()
    said = run([str(place / 'user'), 'some-file'], cwd=str(place)).out
    assert said == '%s 2\n' % version
    assert run([tree.program, '--version']).out == 'pyscry %s\n' % version


def test_the_program_needs_no_library_of_its_own(tree):
    needed = run(['readelf', '-d', tree.program]).out
    assert 'libpyscry' not in needed
    needed = run(['readelf', '-d', os.path.join(tree.library(), 'libpyscry.so')]).out
    assert 'Library soname: [libpyscry.so.0]' in needed
