"""Sub-interpreters, each in a thread of its own, deep in functions of their own."""
import os
import sys
import threading
import time

import truth


def find_runner():
    """A C function that runs text in a new interpreter, and its arguments before the text."""
    for name in ('_interpreters', '_xxsubinterpreters'):
        try:
            module = __import__(name)
            return module.run_string, (module.create(),)
        except ImportError:
            pass
    from _testcapi import run_in_subinterp
    return run_in_subinterp, ()


SOURCE = '''
import sys, time
sys.path.insert(0, %r)
import truth
def leaf(name):
    truth.part(name) or time.sleep(600)
def middle(name):
    return [leaf(name) for _ in range(1)]
middle(%r)
'''


def run(source):
    function, arguments = find_runner()
    truth.here(top=True); function(*(arguments + (source,)))


def main():
    directory = os.path.dirname(os.path.abspath(truth.__file__))
    names = ['part-%d' % i for i in range(3)]
    for name in names:
        thread = threading.Thread(target=run, args=(SOURCE % (directory, name),), name=name)
        thread.daemon = True
        thread.start()
        truth.join(name)
    time.sleep(0.1)
    truth.die()


main()
