# -*- coding: utf-8 -*-
"""2.7: where its unicode lies, what repr() says of each, and where sys.maxunicode is. The end is ends.py's."""
import sys

import ends

TEXTS = [u'abc', u'h\xe9llo \u4e16\u754c', u'\U0001f600x', u'x' * 300, u'\ud800', u'a\U0010ffff\u2028']
ends.write({'texts': [[id(text), repr(text)] for text in TEXTS], 'largest': id(sys.maxunicode)})
