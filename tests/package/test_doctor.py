"""doctor: what it says of this machine follows what is changed for one call."""
import glob
import json
import os
import shutil

import pytest

from tests.support.story import GDBINIT, PYSCRY, STORY, clean_environment, make_core, run


def checks(*before, **environment):
    """{name: check} of a doctor that a shell starts after some commands."""
    script = '; '.join(before + ('exec "$0" doctor --json',))
    said = run(['/bin/sh', '-c', script, PYSCRY], env=clean_environment(**environment))
    assert said.status == 0 and said.err == ''
    answer = json.loads(said.out)
    assert answer['target'] is None and answer['errors'] == []
    return {check['name']: check for check in answer['checks']}


def pattern():
    with open('/proc/sys/kernel/core_pattern') as source:
        return source.read().strip()


def test_limits():
    if pattern().startswith('|'):
        pytest.skip('cores are handed to a program here, whatever the limit')
    assert checks('ulimit -S -c 0')['core size']['state'] == 'problem'
    assert checks('ulimit -S -c 0')['core size']['fix'].startswith('ulimit -c unlimited')
    assert 'no core' in checks('ulimit -S -c 0')['core size']['says']
    assert 'too early' in checks('ulimit -S -c 8')['core size']['says']
    whole = checks('ulimit -S -c unlimited')['core size']
    assert (whole['state'], whole['fix']) == ('good', None)


def test_contents():
    assert checks('echo 0x33 >/proc/self/coredump_filter')['core contents']['state'] == 'good'
    lacking = checks('echo 0x32 >/proc/self/coredump_filter')['core contents']
    assert lacking['state'] == 'problem' and 'coredump_filter 0x' in lacking['says']


def test_pattern_is_what_the_kernel_has():
    assert pattern().lstrip('|') in checks()['core_pattern']['says']


def test_rights():
    said = checks()['processes']['says']
    assert ('with CAP_SYS_PTRACE' in said) is (os.geteuid() == 0)
    setpriv = shutil.which('setpriv')
    if os.geteuid() == 0 and setpriv:
        less = [setpriv, '--bounding-set', '-sys_ptrace', '--inh-caps', '-sys_ptrace']
        said = run(less + [PYSCRY, 'doctor']).out
        assert 'without CAP_SYS_PTRACE' in said


def test_surroundings():
    assert 'Kubernetes' in checks(KUBERNETES_SERVICE_HOST='10.0.0.1')['container']['says']
    none = checks(PATH='/nowhere')['debuggers']
    assert (none['says'].split(';')[0], none['fix']) == (
        'neither gdb nor lldb is here',
        'apt install gdb',
    )


def test_a_target_does_not_matter():
    plain = run([PYSCRY, 'doctor'])
    assert run([PYSCRY, '/nowhere', 'doctor']).out == plain.out


def test_info_says_what_to_type_where_a_file_is_missing(tmp_path):
    program = str(tmp_path / 'moved')
    shutil.copy('/usr/bin/python3', program)
    core = make_core(program, tmp_path, STORY, 'crash')
    os.remove(program)
    said = run([PYSCRY, core, 'info']).out
    assert ': no such file\n          --exe FILE, or ' in said
    modules = json.loads(run([PYSCRY, core, 'info', '--json']).out)['modules']
    assert [m['fix'][:10] for m in modules if m['path'] == program] == ['--exe FILE']
    assert '--exe FILE' not in run([PYSCRY, '--exe', '/usr/bin/python3', core, 'info']).out


LOADS = '''
import ctypes, os
for name in ('gone', 'other', 'same'):
    ctypes.CDLL(os.path.join(os.getcwd(), name + '.so'))
os.abort()
'''


def test_info_names_every_file_that_is_another_one(tmp_path):
    """Also of what is not Python's; what is missing, too, is counted."""
    z, lzma = (glob.glob('/lib/*/' + name)[0] for name in ('libz.so.1', 'liblzma.so.5'))
    for name in 'gone', 'other', 'same':
        shutil.copy(z, str(tmp_path / (name + '.so')))
    core = make_core('/usr/bin/python3', tmp_path, LOADS)
    os.remove(str(tmp_path / 'gone.so'))
    shutil.copy(lzma, str(tmp_path / 'other.so'))
    plain = run([PYSCRY, core, 'info'])
    text = plain.out
    assert ': build id differs: it has ' in text
    assert 'other.so, build id ' in text and 'same.so' not in text and plain.status == 0, text
    assert text.count('\n          --search DIR, or the files of its machine: --sysroot DIR ') == 1
    assert '\nmissing   %s/gone.so; their files: --search DIR, ' % tmp_path in text
    modules = json.loads(run([PYSCRY, core, 'info', '--json']).out)['modules']
    found = {os.path.basename(m['path'])[:-3]: m for m in modules if str(tmp_path) in m['path']}
    assert {name for name in found if found[name]['fix']} == {'gone', 'other'}
    assert 'or --debuginfod with $DEBUGINFOD_URLS set' in found['other']['fix']
    assert found['gone']['problem'] == 'no such file' and found['same']['problem'] is None
    # what is said to help does
    os.rename(str(tmp_path / 'same.so'), str(tmp_path / 'gone.so'))
    assert 'gone.so' not in run([PYSCRY, core, 'info']).out


def test_info_says_where_debug_information_comes_from(tmp_path):
    core = make_core('/usr/bin/python3', tmp_path, STORY, 'crash')
    served = clean_environment(DEBUGINFOD_URLS='http://127.0.0.1:9')
    (module,) = [m for m in told(core, served) if m['debug_fix']]
    name = os.path.basename(os.path.realpath('/usr/bin/python3'))
    expected = ['apt install %s-dbg (the same version)' % name] if shutil.which('dpkg') else []
    assert module['debug_fix'] == ', or '.join(expected + ['--debuginfod'])
    assert module['path'].endswith(name) and module['problem'] is None
    unserved = [m['debug_fix'] for m in told(core, clean_environment()) if m['debug_fix']]
    assert unserved == [module['debug_fix'] + ' with $DEBUGINFOD_URLS set']
    # of a file that is not Debian's own, no package is known; of one that has it, nothing is wanted
    program = str(tmp_path / 'python3.11')
    shutil.copy('/usr/bin/python3', program)
    os.makedirs(str(tmp_path / 'copy'))
    copied = make_core(program, tmp_path / 'copy', STORY, 'crash')
    assert [m['debug_fix'] for m in told(copied, served) if m['debug_fix']] == ['--debuginfod']


def told(core, environment):
    return json.loads(run([PYSCRY, core, 'info', '--json'], env=environment).out)['modules']


def test_the_same_in_gdb():
    if not shutil.which('gdb'):
        pytest.skip('no gdb')
    plain = run([PYSCRY, 'doctor'])
    assert plain.status == 0 and plain.out.count('\n') >= 8
    said = run(['gdb', '-nx', '-q', '-batch', '-x', GDBINIT, '-ex', 'py-doctor'])
    # gdb changes the limits and the rights of nobody
    assert said.out == plain.out
