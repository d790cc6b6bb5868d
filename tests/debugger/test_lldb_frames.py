"""Python frames and their variables in LLDB's own views, and in what speaks DAP for it."""
import os
import re
import shutil

import pytest

from tests.support import dap, lldbs
from tests.support.story import clean_environment, interpreters, make_core, name_of

PROGRAM = """
import os
def leaf(a, b="two"):
    os.abort()
def middle(n):
    return sorted([n], key=lambda x: leaf(n))
def deep(n):
    return deep_too(n - 1) if n else middle(7)
def deep_too(n):
    return max([n], key=lambda x: deep(n))
deep(200)
"""
LOOP = re.compile(r'frame #(\d+): .*`(_?PyEval_EvalFrame|___lldb_unnamed)')
ADAPTERS = [path for path in map(shutil.which, ['lldb-dap-%d' % n for n in range(18, 30)]) if path]


def having_loops():
    """Debian's own: LLDB unwinds all of it, and the interpreter's loop has a name."""
    return [p for p in interpreters() if name_of(p).startswith('debian')][0]


@pytest.fixture(scope='module')
def core(tmp_path_factory):
    return make_core(having_loops(), tmp_path_factory.mktemp('frames'), PROGRAM)


def test_bt(lldb, core):
    """Each Python frame once, in order, behind a C frame that may run it."""
    shown, want = [each.out for each in lldb(['bt', 'py-bt --whole'], '--core', core)]
    told = re.findall(r'^#(\d+) +(\S+) \((.*):(\d+)\)', want, re.M)
    lines = shown.splitlines()
    mine = [re.match(r'  #(\d+) (\S+) \((.*):(\d+)\)$', line) for line in lines]
    assert [each.groups() for each in mine if each] == told and len(told) > 600
    for before, line in zip(lines, mine[1:]):
        assert not line or LOOP.search(before) or before.startswith('  #')
    assert len(re.findall(r'frame #\d+', shown)) > 900


def test_variables(lldb, core):
    shown = lldb(['bt 40'], '--core', core)[0].out
    numbers = [int(n) for n in re.findall(r'frame #(\d+): .*\n  #', shown)]
    assert len(numbers) > 3
    script = [
        part for n in numbers for part in ('frame select %d' % n, 'frame variable', 'py-locals')
    ]
    said = [each.out for each in lldb(script, '--core', core)]
    found = [re.findall(r' (\w+) = 0x[0-9a-f]+ (.*)', out) for out in said[1::3]]
    assert dict(found[0]) == {'a': '7', 'b': "'two'"}
    for mine, theirs in zip(found, said[2::3]):
        names = [name for name, _ in mine]
        assert mine and all(re.search(r'\b%s = ' % name, theirs) for name in names), (mine, theirs)


@pytest.mark.skipif(not ADAPTERS, reason='no lldb-dap of LLDB 18 or newer')
@pytest.mark.parametrize('adapter', ADAPTERS, ids=os.path.basename)
def test_dap(core, adapter):
    options = {
        'program': os.path.realpath(having_loops()),
        'coreFile': core,
        'initCommands': ['command source -s true ' + lldbs.LLDBINIT],
        'customFrameFormat': '${function.name}{ ${script.frame:host_lldb.python_names}}',
    }
    with dap.attached([adapter], clean_environment(), **options) as client:
        (thread,) = client.ask('threads')['threads']
        frames = client.ask('stackTrace', threadId=thread['id'], startFrame=0, levels=40)
        frames = frames['stackFrames']
        python = [f for f in frames if f['name'].endswith(')')]
        assert 'leaf (' in python[0]['name'] and 'middle (' in python[1]['name']
        shown = {}
        for scope in client.ask('scopes', frameId=python[0]['id'])['scopes']:
            if scope['name'] != 'Registers':
                asked = client.ask('variables', variablesReference=scope['variablesReference'])
                shown.update((each['name'], each['value']) for each in asked['variables'])
        assert shown['a'].endswith(' 7') and shown['b'].endswith(" 'two'")
        asked = client.ask('evaluate', expression='`py-bt', context='repl', frameId=frames[0]['id'])
        assert '#0  leaf (' in asked['result']
