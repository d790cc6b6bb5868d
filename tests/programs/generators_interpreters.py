"""Generators in sub-interpreters, those that run and those that only wait; each interpreter writes what it has.

Runs on Python 3.3 to 3.15, ends as $PYSCRY_END says.
"""
import gc
import json
import os
import sys
import threading
import time
import types

import interpreters_runner

SOURCE = '''
import gc, json, os, sys, time, types

def numbers(n):
    for i in range(n):
        yield i

def through(name):
    yield from numbers(3)

class Holder:
    def generate(self):
        yield self

keep = [numbers(3), through(%(name)r), Holder().generate(), (x for x in 'abc')]
for each in keep[:3]:
    next(each)
found = [{'id': hex(id(each)), 'name': each.__name__, 'line': each.gi_frame.f_lineno} for each in gc.get_objects()
         if type(each) is types.GeneratorType and each.gi_frame and not each.gi_running]
with open(%(path)r + '.part', 'w') as out:
    json.dump(found, out)
os.rename(%(path)r + '.part', %(path)r)
if %(stay)r:
    time.sleep(600)
'''


def main():
    found = []
    directory = os.path.dirname(os.environ['PYSCRY_TRUTH'])
    for index in range(4):
        path = os.path.join(directory, 'generators-%d' % index)
        run = interpreters_runner.runner()
        if run is None:
            break
        source = SOURCE % {'name': 'part %d' % index, 'path': path, 'stay': index % 2 == 0 or not interpreters_runner.persistent}
        thread = threading.Thread(target=run, args=(source,))
        thread.daemon = True
        thread.start()
        while not os.path.exists(path):
            time.sleep(0.01)
        with open(path) as part:
            found += json.load(part)
    time.sleep(0.1)

    def own():
        yield 'main'
    keep = own()
    next(keep)
    found += [{'id': hex(id(each)), 'name': each.__name__, 'line': each.gi_frame.f_lineno} for each in gc.get_objects()
              if type(each) is types.GeneratorType and each.gi_frame and not each.gi_running]
    found = list({each['id']: each for each in found}.values()) # to 3.8 each interpreter sees those of all
    with open(os.environ['PYSCRY_TRUTH'] + '.part', 'w') as out:
        json.dump({'version': sys.version, 'pid': os.getpid(), 'generators': found}, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.part', os.environ['PYSCRY_TRUTH'])
    if os.environ.get('PYSCRY_END') == 'abort':
        os.abort()
    time.sleep(600)


main()
