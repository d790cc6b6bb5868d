"""heap: every object that the interpreter itself could list is there, at its address and with its
size, and no other of a program's own types."""

import pytest

from tests.support import programs, run, session

from .conftest import every

HEAPED = programs.Program('heaped', 'heaped.py')
MALLOC = programs.Program('heaped-malloc', 'heaped.py', ('malloc',))
DEBUG = programs.Program('heaped-debug', 'heaped.py', ('debug',))
GRAPHS = programs.Program('graphs', 'graphs.py')
BLOCKS = programs.find('threads')
DIFFED = ('pyenv-2.7.18', 'pyenv-3.11.7', 'sid-3.14')
# what only the program makes: none may be missing, none may be there beside
OWN = (
    'Plain',
    'Slotted',
    'Derived',
    'Named',
    'Bag',
    'deque',
    'OrderedDict',
    'complex',
    'defaultdict',
)
# whose __sizeof__() is not known, or says more than there is (docs/values.md)
NO_SIZE = ('code', 'OrderedDict', 'type')


def told(dump, lines, key='heap'):
    return session.told(dump, lines, key)


def given(interpreter, dump):
    return run.where(interpreter) or ('--exe', dump.exe)


def chosen(interpreter):
    """Those whose memory differs in kind."""
    return interpreter.tag in (
        'pyenv-2.7.18',
        'pyenv-3.6.15',
        'pyenv-3.8.18',
        'pyenv-3.11.7',
        'pyenv-3.12.1',
        'pyenv-3.13.0',
        'sid-3.14',
        'sid-3.15',
        'built-3.13t',
    )


@pytest.mark.parametrize('interpreter', every(chosen))
def test_every_object(dumps, interpreter):
    dump = dumps.core(interpreter, HEAPED)
    wrong, objects = [], sorted(dump.truth['objects'].items())
    answers = told(dump, ['heap %s --limit 10000000 --max-text 1' % name for name, _ in objects])
    for (name, true), answer in zip(objects, answers):
        found = {i['address']: i['bytes'] for i in answer['instances']}
        true, short = dict(true), name.split('.')[-1]
        missing = set(true) - set(found)
        more = set(found) - set(true) if short in OWN else ()
        sizes = [[a, true[a], found[a]] for a in set(true) & set(found) if true[a] != found[a]]
        if short == 'str' and dump.interpreter.version < (3, 12):  # with a wchar_t form
            sizes = [s for s in sizes if s[1] < s[2]]
        if short in NO_SIZE or (short == 'int' and len(sizes) == 1):  # what fork() returned
            sizes = []
        if missing or more or sizes:
            wrong.append((name, len(true), sorted(missing), sorted(more), sorted(sizes)))
    assert wrong == [], [(w[0], w[1], w[2][:6], w[3][:3], w[4][:3]) for w in wrong]


@pytest.mark.parametrize('interpreter', every(chosen))
def test_what_goes(dumps, interpreter):
    """--by retained, beside what the program knows to hang on two lists alone."""
    dump = dumps.core(interpreter, HEAPED)
    true = dump.truth['goes']
    found = told(dump, ['heap --by retained --limit 100000 --under %s' % dump.truth['under']])[0]
    kept = {r['address']: [r['objects'], r['bytes']] for r in found['retained']}
    assert kept == true


def reached(graph, without):
    seen = [n for n in graph['starts'] if n != without]
    for node in seen:
        seen.extend(n for n in graph['edges'][node] if n not in seen and n != without)
    return set(seen)


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in DIFFED + ('built-3.13t',)))
def test_random_graphs(dumps, interpreter):
    """What goes with each object of twenty graphs: beside what really went, and beside a look at
    what is reached without it."""
    dump = dumps.core(interpreter, GRAPHS)
    below = [graph['held'] for graph in dump.truth['graphs']]
    lists = {a: i for graph in dump.truth['graphs'] for a, i in graph['lists'].items()}
    found = {}
    while below:
        lines = ['heap --by retained --limit 1000 --under ' + address for address in below]
        kept = [r for answer in told(dump, lines) for r in answer['retained']]
        kept = {r['address']: [r['objects'], r['bytes']] for r in kept if r['address'] in lists}
        found.update(kept)
        below = [lists[address] for address, (objects, _) in kept.items() if objects > 2]
    true, count = {}, 0
    for graph in dump.truth['graphs']:
        everything = reached(graph, None)
        assert everything == set(map(int, graph['nodes']))
        for node, address in graph['nodes'].items():
            lost = everything - reached(graph, int(node))
            assert len(lost) == graph['gone'][node]  # the program has tried it
            true[address] = [2 * len(lost), sum(graph['sizes'][str(n)] for n in lost)]
            count += len(lost) > 1
    assert {address: found.get(address) for address in true} == true
    assert count > 20


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag in DIFFED))
def test_diff(dumps, tmp_path, interpreter):
    """Growth is what two answers differ by: beside a dump, and beside the JSON of an answer."""
    now, before = dumps.core(interpreter, HEAPED), dumps.core(interpreter, BLOCKS)
    counted = [
        {t['type']: [t['count'], t['bytes']] for t in told(dump, ['heap'])[0]['types']}
        for dump in (now, before)
    ]
    true = {}
    for name in set(counted[0]) | set(counted[1]):
        count, size = counted[0].get(name, [0, 0])
        was = counted[1].get(name, [0, 0])
        if [count, size] != was:
            true[name] = [count - was[0], size - was[1], was]
    saved = str(tmp_path / 'before.json')
    status, text, _ = run.pyscry('--json', *given(interpreter, before), before.core, 'heap')
    assert status == 0
    with open(saved, 'w') as out:
        out.write(text)
    for other in (saved, before.core):
        answer, status, _ = run.answer(
            now.core, *given(interpreter, now), command=('heap', '--diff', other)
        )
        assert status == 0
        session.SCHEMA.validate(answer)
        types = answer['heap']['types']
        assert {
            t['type']: [t['count'], t['bytes'], list(t['before'].values())] for t in types
        } == true
        assert [t['bytes'] for t in types] == sorted((t['bytes'] for t in types), reverse=True)
        assert answer['heap']['diff']['objects'] > 10000
    # the other way round most has shrunk: text has the same numbers
    where = given(interpreter, before)
    answer, _, _ = run.answer(before.core, *where, command=('heap', '--diff', now.core))
    _, output, _ = run.pyscry(*where, before.core, 'heap', '--diff', now.core, '--limit', '5000')
    shrunk = [t for t in answer['heap']['types'] if t['count'] < 0]
    lines = {' '.join(line.split()[:3]) for line in output.splitlines()}
    assert shrunk and all(
        '{count:,} {bytes:,} '.format(**t) + t['type'].split()[0] in lines for t in shrunk
    )


@pytest.mark.parametrize('interpreter', every(lambda i: i.tag == 'pyenv-3.11.7'))
def test_diff_with_what_is_none(dumps, tmp_path, interpreter):
    dump = dumps.core(interpreter, HEAPED)
    for name, text in (('a', '{'), ('b', '{"heap": []}'), ('c', 'text'), ('d', '[1]'), ('e', '')):
        path = str(tmp_path / name)
        with open(path, 'w') as out:
            out.write(text)
        status, output, errors = run.pyscry('--exe', dump.exe, dump.core, 'heap', '--diff', path)
        assert status == 2 and not output and len(errors.splitlines()) == 1, (text, errors)
    assert run.pyscry('--exe', dump.exe, dump.core, 'heap', '--diff', '/nowhere')[0] == 2
