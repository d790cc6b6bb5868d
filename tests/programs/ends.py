"""How the programs end that tell what they know as one object: it is written to $PYSCRY_TRUTH, then the end that $PYSCRY_END names."""
import json
import os
import time


def write(found):
    with open(os.environ['PYSCRY_TRUTH'] + '.part', 'w') as out:
        json.dump(found, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.part', os.environ['PYSCRY_TRUTH'])
    if os.environ.get('PYSCRY_END') == 'abort':
        os.abort()
    time.sleep(600)
