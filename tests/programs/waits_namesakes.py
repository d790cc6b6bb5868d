"""Functions, classes and modules that are called like those of the standard library and are none."""
import json
import os
import sys
import threading
import time
import types

started = []


class Condition(object):
    def wait(self):
        started.append(1)
        time.sleep(3600)


class _RLock(object):
    def acquire(self):
        started.append(1)
        time.sleep(3600)


SOURCE = '''
import time
def acquire(self):
    self.started.append(1)
    time.sleep(3600)
class Condition(object):
    def wait(self):
        acquire(self)
'''
fake = types.ModuleType('threading')
exec(compile(SOURCE, '/somewhere/threading.py', 'exec'), fake.__dict__)
fake.Condition.started = started
_RLock.__module__ = Condition.__module__ = 'threading'
for name, function in (('condition', Condition().wait), ('rlock', _RLock().acquire), ('module', fake.Condition().wait)):
    thread = threading.Thread(target=function, name=name)
    thread.daemon = True
    thread.start()
while len(started) < 3:
    time.sleep(0.01)
time.sleep(0.2)
with open(os.environ['PYSCRY_TRUTH'] + '.new', 'w') as out:
    json.dump({'pid': os.getpid()}, out)
os.rename(os.environ['PYSCRY_TRUTH'] + '.new', os.environ['PYSCRY_TRUTH'])
if os.environ.get('PYSCRY_END') == 'sleep':
    time.sleep(600)
os.abort()
