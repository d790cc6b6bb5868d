# -*- coding: utf-8 -*-
"""Line tables at their limits: line 70,000, jumps of hundreds of lines within one expression, lines that go back."""
import truth

NEWLINE = '\n'


def build(*parts):
    """Text from strings and numbers of empty lines."""
    return ''.join(NEWLINE * part if isinstance(part, int) else part + NEWLINE for part in parts)


SOURCES = [
    # a function far down, and a call far down in it
    build(69990, 'def f(go):', 8, '    go()', 'f(go)'),
    # a jump of 300 lines within an expression, and on from there
    build('def f(go):', '    return [', 300, '        1,', 300, '        go(', 300, '        2),', '    ]', 'f(go)'),
    # jumps around the sizes that one entry of a table can hold
    build('def f(go):', '    return (1,', 126, '1,', 127, '2,', 128, '3,', 129, 'go(),', 254, '4, go,', 255, '5,', 256, '6)', 'f(go)'),
    # lines go back: the call's line is above that of its last argument
    build('def f(go):', '    x = 1', '    go(', '        1,', 200, '        x +', 200, '        x)', '    return x', 'f(go)'),
    build('def f(go):', '    return (', '        go', 140, '        (', '            1', '        )', '    )', 'f(go)'),
    # a loop whose test stands above its body
    build('def f(go):', '    i = 0', '    while (', '        i', 150, '        < 3 or', '        go(i)', '    ):', '        i += 1', 'f(go)'),
    # much code on one line, and a long line (columns of two and three bytes)
    build('def f(go):', '    x = 1', '    ' + '; '.join(['x = x + 1'] * 200) + '; go(x); x = 2', 'f(go)'),
    build('def f(go):', '    return [' + '1, ' * 400 + 'go(' + '2, ' * 250 + '3), 4]', 'f(go)'),
    build('def f(go):', "    return ('" + (u'\u0444' if str is not bytes else 'f') * 90 + "', go(), 1)", 'f(go)'),
    # many instructions before the call: extended arguments, long jumps
    build('def f(go):', '    x = 0', '    if x:', *(['        x = [x, x + %d]' % i for i in range(400)] + ['    for x in range(3):', '        if x == 2:',
          '            go(', '                x)', 'f(go)'])),
    # a module whose code calls on its last line, without a newline
    build('x = 1', 500, 'y = 2', 'go(x,', 300, 'y)').rstrip('\n'),
    build('class C(object):', 300, '    a = 1', 131, '    b = go(a,', 140, '    2)'),
    build('f = lambda go: (', 200, '    1,', '    go(),', 1000, ')', 'f(go)'),
    # names and constants by the hundred
    build('def f(go):', *(['    v%d = %d.5' % (i, i) for i in range(300)] + ['    return v299, go(v1, v2)', 'f(go)'])),
]


def shape(index):
    def run(go):
        exec(compile(SOURCES[index], 'lines-%d.py' % index, 'exec'), {'go': go})
    return run


truth.chain([shape(i) for i in range(len(SOURCES))])
