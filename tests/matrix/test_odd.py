"""Values whose classes have a say in their repr, and classes with odd names: equal to repr(), or
the content beside an unknown one."""
import re

import pytest

from tests.support import programs, run
from tests.support.corefile import CoreFile

from .conftest import every, need
from .test_values import report, reprs

ODD = programs.Program('values-odd', 'values_odd.py')
STATES = programs.Program('values-states', 'values_states.py')
NARROW = programs.Program('narrow', 'narrow.py')
OVERRIDDEN = programs.Program('values-overridden', 'values_overridden.py')
PROCESSES = programs.Program('processes', 'processes.py')
RANDOM_ATTRIBUTES = programs.Program('attributes-random', 'attributes_random.py')
ATTRIBUTES = programs.Program('attributes-odd', 'attributes_odd.py')
ATTRIBUTES_WITHOUT = programs.Program('attributes-odd', 'attributes_odd.py', ('no-ctypes',))


def is_right(value, answer):
    if value['holding'] is None:
        return answer['repr'] == value['repr']
    own = r'<[\w.]+ at 0x[0-9a-f]+>' + (
        ' holding ' + re.escape(value['holding']) if value['holding'] else ''
    )
    return re.fullmatch(own if value['name'] != 'set in list' else r'\[%s\]' % own, answer['repr'])


@pytest.mark.parametrize('interpreter', every())
def test_odd(dumps, interpreter):
    dump = dumps.core(interpreter, ODD)
    values = dump.truth['values']
    for layout in ('', 'rows'):
        got = reprs(dump, layout, [value['id'] for value in values])
        report(
            [
                '%s %s: %.300s, not %.300s (holding %s)'
                % (layout, value['name'], answer['repr'], value['repr'], value['holding'])
                for value, answer in zip(values, got)
                if not is_right(value, answer)
            ]
        )
    wanted = dump.truth['expressions']
    got = reprs(dump, '', ['__main__:' + text for text, _ in wanted])
    assert [answer['repr'] for answer in got] == [truth for _, truth in wanted]


# "<app.Sub at 0x...> holding [...]"; a class's module may be text that is no name
OWN_CODE = re.compile(r'<[\w. <>]+ at 0x[0-9a-f]+>')
# where the class has a text in place of a method far down, we show what its base's code would
RAISES_ALL_THE_SAME = re.compile(r'.*\._(parse_path|load_parts) value|uuid.*bytes value')


def equal_or_unknown(dump, exempt=None):
    """How many values there are, and how many of them print as unknown; others print as repr() says
    (None: it failed)."""
    values = dump.truth['values']
    unknown, differences = 0, []
    for value, answer in zip(values, reprs(dump, '', [value['id'] for value in values])):
        text, wanted, name = answer['repr'], value['repr'], value['name']
        if text == wanted or (exempt and wanted is None and exempt.match(name)):
            continue
        if wanted is None and '<unset>' in text:  # a dataclass without its fields
            continue
        unknown += 1
        parts = OWN_CODE.split(re.sub('( at 0x[0-9a-f]+>) holding .*', r'\1', text))
        known = '.*'.join(map(re.escape, parts))
        if len(parts) == 1 or not (wanted is None or re.fullmatch(known, wanted, re.S)):
            differences.append('%s: %.200s, not %.200s' % (name, text, wanted))
    report(differences)
    return len(values), unknown


@pytest.mark.parametrize('interpreter', every())
def test_overridden(dumps, interpreter):
    """Every name of some 110 library classes, overridden, and objects whose __init__ has not begun:
    what repr() says, or an unknown one."""
    count, unknown = equal_or_unknown(dumps.core(interpreter, OVERRIDDEN), RAISES_ALL_THE_SAME)
    assert unknown < count / 9  # most overridden names have no say


@pytest.mark.parametrize('interpreter', every())
def test_states(dumps, interpreter):
    count, unknown = equal_or_unknown(dumps.core(interpreter, STATES))
    assert unknown < count / 3


@pytest.mark.parametrize('interpreter', every())
def test_processes(dumps, interpreter):
    """Dead, killed, closed, alive and never started; whose child they are, and with which exit
    code."""
    need(interpreter, 'multiprocessing')
    values = dumps.core(interpreter, PROCESSES).truth['values']
    for layout in ('', 'rows'):
        got = reprs(dumps.core(interpreter, PROCESSES), layout, [value['id'] for value in values])
        report(
            [
                '%s %s: %s, not %s' % (layout, value['name'], answer['repr'], value['repr'])
                for value, answer in zip(values, got)
                if answer['repr'] != value['repr']
            ]
        )


@pytest.mark.parametrize('interpreter', every())
def test_attributes(dumps, interpreter):
    """Python's order of attributes; where code decides, it is named and nothing is shown."""
    dump = dumps.core(interpreter, ATTRIBUTES if interpreter.ctypes else ATTRIBUTES_WITHOUT)
    rows = dump.truth['expressions']
    got = reprs(dump, '', ['__main__:' + row[0] for row in rows])
    report(
        [
            '%s: %s, not %s' % (text, answer['repr'], truth or who)
            for (text, truth, who), answer in zip(rows, got)
            if (answer['repr'] != truth if truth else who not in answer['repr'])
        ]
    )


REFUSED = re.compile('not run|<property>|computed by C|no attribute|is not set|raises TypeError')


@pytest.mark.parametrize('interpreter', every())
def test_random_attributes(dumps, interpreter):
    """Members of every kind in random places: the value that Python gives, or a refusal where code
    ran or where it raises."""
    dump = dumps.core(interpreter, RANDOM_ATTRIBUTES)
    rows = dump.truth['expressions']
    needless, differences = 0, []
    answers = reprs(dump, '', ['__main__:' + row[0] for row in rows])
    for (text, truth, ran, what), answer in zip(rows, answers):
        refused = REFUSED.search(answer['repr'])
        if answer['repr'] != truth and not refused:
            differences.append('%s (%s): %s, not %s' % (text, what, answer['repr'], truth))
        needless += bool(refused and truth and not ran)
    report(differences)
    assert needless < len(rows) / 16


@pytest.mark.parametrize('interpreter', every(lambda interpreter: interpreter.version[0] == 2))
def test_narrow(interpreter, tmp_path):
    """A build whose unicode is of two bytes, as configure has it: its sys.maxunicode says so. Here
    made of one of four bytes; what `--enable-unicode=ucs2` builds was looked at by hand."""
    dump = run.crash(interpreter, NARROW, str(tmp_path / 'narrow'))
    with CoreFile(dump.core) as core:
        core.set_word(dump.truth['largest'] + 16, 0xFFFF)
        for address, text in dump.truth['texts']:
            units = eval(text).encode('utf-16-le', 'surrogatepass') + b'\0\0'
            core.set_word(address + 16, len(units) // 2 - 1)
            core.set_word(address + 32, -1)  # no hash, which would be of other units
            start = core.offset(core.word(address + 24), len(units))
            core.data[start : start + len(units)] = units
    answers = reprs(dump, '', [hex(address) for address, _ in dump.truth['texts']])
    assert [answer['repr'] for answer in answers] == [text for _, text in dump.truth['texts']]
