# -*- coding: utf-8 -*-
"""Objects of extensions whose members borrow what they have: nothing is wrong with them."""
import truth

kept = []
try:
    import sqlite3
    # the exceptions that a connection has as attributes are nobody's but the module's
    kept += [sqlite3.connect(':memory:') for _ in range(20)]
except ImportError:
    pass
truth.die()
