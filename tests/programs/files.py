# -*- coding: utf-8 -*-
"""Code objects whose file names no file has: empty, in brackets, not ASCII, with newlines, with stray bytes."""
import sys

import truth

NAMES = [u'', u'<string>', u'<stdin>', u'line\nbreak.py', u'tab\tand \x1b[31mred\x1b[0m.py', u'quote"back\\slash\'.py', u'caf\xe9.py',
         u'\u0444\u0430\u0439\u043b.py', u'\u65e5\u672c\u8a9e/\u6f22\u5b57.py', u'\U0001f600/\U0001f40d.py', u'mixed \xe9\u0444\u65e5\U0001f600.py',
         u'/' + u'long/' * 300 + u'path.py', u' leading and trailing ', u'\xff\xfe', u'C:\\windows\\style.py', u'%s %d %n {0}']
if sys.version_info >= (3, 4):
    NAMES += [u'stray \udce9\udcff bytes.py', u'lone \ud800 surrogate.py']
elif sys.version_info < (3,):
    NAMES = [name.encode('utf-8') for name in NAMES] + [b'stray \xe9\xff bytes.py']


def step(index):
    if index == len(NAMES):
        truth.die()
    namespace = {'step': step}
    source = '\n' * index + 'def f%d(n):\n    return step(n + 1)\nf%d(%d)\n' % (index, index, index)
    exec(compile(source, NAMES[index], 'exec'), namespace)


step(0)
