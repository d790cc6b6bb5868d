"""Ends in inner.c, which keeps pointers to inner bytes of one bytes object. 2.7 to 3.15."""
import json
import os
import sys

sys.path.insert(0, os.getcwd())
import inner

kept = b'0123456789' * 20
truth = {'address': hex(id(kept)).rstrip('L'), 'data': bytes.__basicsize__ - 1, 'module': hex(id(inner)).rstrip('L')}
with open(os.environ['PYSCRY_TRUTH'] + '.new', 'w') as out:
    json.dump(truth, out)
os.rename(os.environ['PYSCRY_TRUTH'] + '.new', os.environ['PYSCRY_TRUTH'])
inner.keep(kept)
