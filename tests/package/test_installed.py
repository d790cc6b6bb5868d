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


# what is typed, and what appears by itself
TYPED = [
    ('core threa', 'core threads'),
    ('core heap --by reta', '--by retained'),
    ('core heap --by=reta', '--by=retained'),
    ('core bt --nati', '--native'),
    ('--sysroot some-dir', '--sysroot some-directory/'),
    ('some-fi', 'some-file'),
]


@pytest.fixture
def place(tmp_path):
    (tmp_path / 'some-directory').mkdir()
    (tmp_path / 'some-file').write_text('')
    return tmp_path


def typed_in(shell, start, place, tree):
    environment = clean_environment(HOME=str(place), ZDOTDIR=str(place))
    environment['PATH'] = os.path.dirname(tree.program) + ':' + environment['PATH']
    terminal = Terminal(shell, environment)
    try:
        terminal.type('cd %s; %s; echo loa""ded\n' % (place, start))
        terminal.wait_for('loaded')
        for typed, appears in TYPED:
            terminal.type('pyscry %s\t' % typed)
            terminal.wait_for(appears)
            terminal.type('\x15')
    finally:
        terminal.close()


def test_bash_completes(tree, place):
    if not os.path.exists('/usr/share/bash-completion/bash_completion'):
        pytest.skip('no bash-completion')
    script = tree.path('share/bash-completion/completions/pyscry')
    start = 'source /usr/share/bash-completion/bash_completion; source %s' % script
    typed_in(['bash', '--noprofile', '--norc', '-i'], start, place, tree)


def test_zsh_completes(tree, place):
    directory = tree.path('share/zsh/vendor-completions')
    start = 'fpath=(%s $fpath); autoload -Uz compinit; compinit -u -D' % directory
    typed_in([need('zsh'), '-f', '-i'], start, place, tree)


def test_fish_completes(tree, place):
    script = 'source %s; for line in $argv; echo "<"(complete -C "pyscry $line")">"; end'
    environment = clean_environment(HOME=str(place))
    environment['PATH'] = os.path.dirname(tree.program) + ':' + environment['PATH']
    said = run(
        [
            need('fish'),
            '--no-config',
            '-c',
            script % tree.path('share/fish/vendor_completions.d/pyscry.fish'),
        ]
        + [typed for typed, _ in TYPED],
        env=environment,
        cwd=str(place),
    ).out
    for _, appears in TYPED:
        assert '<%s\t' % appears.split()[-1] in said or '<%s>' % appears.split()[-1] in said


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
