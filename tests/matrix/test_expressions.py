"""py-print's expressions: what Python's eval() gives, or a sentence that says why not."""
import pytest

from tests.support import programs

from .conftest import every
from .test_values import report, reprs

EXPRESSIONS = programs.Program('expressions', 'expressions.py')
# What cannot be shown, and the words that say so.
REFUSED = {
    'gi[0]': 'GetItem has a __getitem__ of its own, which is not run',
    'do[0]': 'DataOnly has no items that can be read without running code',
    "md['a']": 'MyDict has a __getitem__ of its own, which is not run',
    'ml[0]': 'MyList has a __getitem__ of its own, which is not run',
    'ml[0:1]': 'MyList has a __getitem__ of its own, which is not run',
    "ms['nope']": "no such key (its __missing__() is not run); it has 'a'",
    "dd['nope']": "no such key (its default_factory is not run); it has 'a'",
    "od['z']": 'no such key; it has',
    "CONFIG['hots']": "no such key; did you mean 'host'?",
    'seq[30]': 'index 30 is outside its 30 items',
    'seq[-31]': 'index -31 is outside its 30 items',
    "seq['a']": 'list takes integers as index',
    'seq[1.5]': 'list takes integers as index',
    'seq[::0]': 'a slice cannot have step 0',
    'keys[01]': 'decimal without zeros before it',
    'seq[1_]': 'decimal without zeros before it',
    'seq[1': "a '[' lacks its ']'",
    'dq[0:1]': 'only sequences can be sliced',
    'idx[0]': 'int has no items',
    'd.s2': "the slot 's2' is not set",
    'd.isnt': "Derived has no attribute 'isnt'; did you mean 'inst'?",
    'd.base_atr': "did you mean 'base_attr'?",
    'Derived.nope': "class Derived has no attribute 'nope'",
    'd.': 'expected a name after',
    'd[': 'the expression ends where a name should follow',
    'func()': 'nothing is called',
    'idx + 1': 'nothing is computed',
    'keys[nope]': "no variable 'nope'",
    "keys['a": 'lacks its closing quote',
    'P.func.x.y': "has no attribute 'x'",
}


def ask(dump, expressions, layout=''):
    return reprs(dump, layout, ['__main__:' + expression for expression in expressions])


@pytest.mark.parametrize('interpreter', every())
def test_expressions(dumps, interpreter):
    dump = dumps.core(interpreter, EXPRESSIONS)
    truth = dump.truth['expressions']
    differences = []
    for layout in ('', 'rows'):
        for (expression, text, kind), got in zip(
            truth, ask(dump, [e for e, _, _ in truth], layout)
        ):
            fails = got['repr'].startswith('error: ')
            if fails != (text is None) or (text is not None and got['repr'] != text):
                differences.append('%s %s: %s, not %s' % (layout, expression, got['repr'], text))
            elif kind is not None and (got['type'] or '').rpartition('.')[2] != kind:
                differences.append(
                    '%s %s is a %s, not a %s' % (layout, expression, got['type'], kind)
                )
    report(differences)


@pytest.mark.parametrize('interpreter', every())
def test_refused(dumps, interpreter):
    dump = dumps.core(interpreter, EXPRESSIONS)
    report(
        [
            '%s: %s' % (expression, got['repr'])
            for (expression, words), got in zip(REFUSED.items(), ask(dump, REFUSED))
            if not got['repr'].startswith('error: ') or words not in got['repr']
        ]
    )
