"""What the recipes of docs/api.md print of tests/programs/served.py (tests/support/recipes.py)."""
import json

WAITING = ['worker-1', 'worker-2', 'worker-3']


def check(truth, output):
    lines = dict(line.split(' ', 1) for line in output.splitlines() if ' ' in line)
    said = {n: each.splitlines() for n, each in json.loads(lines['RECIPES']).items()}
    assert sorted(map(int, said)) == list(range(1, 12)) and lines['SELECTED'] == 'end'
    assert [line.split(' at ')[0] for line in said['1']] == [
        'MainThread is in end',
        'worker-0 is in rest',
    ] + [name + ' is in handle' for name in WAITING]
    sessions = truth['sessions']
    assert sorted(said['2']) == sorted(
        "%s ['item-%s']" % (token, token) for token, (user, _) in sessions.items() if user == 'ada'
    )
    assert said['3'] == ['worker-0 reindex /reindex'] + [
        '%s handle %s' % (name, url)
        for name, url in zip(WAITING, ('/cart', '/cart/pay', '/b\u00f6rse'))
    ]
    assert said['4'] == ['%s waits for LOCK of worker-0' % name for name in WAITING]
    assert said['5'][1] == "[('ada', 3), ('bj\u00f6rn', 2), ('cleo', 2)]" and 'str' in said['5'][0]
    assert said['6'] == ['__main__.Session 7 -> 12']
    assert "object ['t01']" in said['7']
    assert [line for line in said['8'] if ' suspended pages ' in line]
    assert said['9'][0] == 'second first' and said['9'][1].startswith('plain: list, odd: Odd, ')
    assert said['10'] == [
        'own = [1, 2, 3]',
        'slot = in a slot',
        "'computed' is a property, whose code is not run",
        "'told' is given by Data.__get__(), which is not run",
        "Odd has no attribute 'missing'",
    ]
    assert said['11'] == ['ValueError went wrong']
