# -*- coding: utf-8 -*-
"""Modules of every kind; it dies while two of them are being imported. The truth: what sys.modules says of itself."""
import json
import os
import sys
import tempfile
import types

sys.dont_write_bytecode = True
PLACE = tempfile.mkdtemp()
FILES = {
    'aged/__init__.py': u'__version__ = "1.2.3"\nfrom . import below',
    'aged/below.py': u'',
    'binary.py': u'__version__ = b"2.2"',
    'number.py': u'__version__ = 3',
    'accented.py': u'# -*- coding: utf-8 -*-\n__version__ = u"1.0-\xe9"',
    'outer.py': u'import inner',
    'inner.py': u'import __main__\n__main__.end()',
}


def write():
    for name, text in FILES.items():
        path = os.path.join(PLACE, name)
        if not os.path.isdir(os.path.dirname(path)):
            os.mkdir(os.path.dirname(path))
        with open(path, 'wb') as out:
            out.write(text.encode('utf-8'))
    if sys.version_info >= (3, 3):
        os.mkdir(os.path.join(PLACE, 'spread'))


def text(module, name):
    value = getattr(module, '__dict__', {}).get(name)  # not what a __getattr__ would warn about
    return value if isinstance(value, (str, type(u''))) else None


def row(name, module):
    spec = getattr(module, '__spec__', None)
    return {
        'name': name,
        'id': hex(id(module)).rstrip('L'),
        'version': text(module, '__version__'),
        'file': text(module, '__file__'),
        'importing': bool(getattr(spec, '_initializing', False) or getattr(module, '__initializing__', False)),
    }


def end():
    open(os.devnull).close()  # it may import a module of its own
    found = [row(name, module) for name, module in list(sys.modules.items()) if isinstance(name, str)]
    with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
        json.dump({'modules': found, 'place': PLACE}, out)
    os.abort()


sys.modules['__main__'].end = end
write()
sys.path.insert(0, PLACE)
import aged, binary, number, accented
if sys.version_info >= (3, 3):
    import spread
sys.modules['made'] = types.ModuleType('made')
sys.modules['barred'] = None
import outer
