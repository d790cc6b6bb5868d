"""Is killed from outside, in a loop of numbers that PyPy's JIT has compiled: it calls nothing, so that nothing in memory
tells how far it is. Without the JIT the same loop has its truth there."""
import json
import os
import signal
import time

with open('truth.json', 'w') as truth:
    json.dump({'functions': ['loop', 'outer', '<module>']}, truth)


def loop():
    total = i = 0
    while True:
        total = (total + i) & 0xFFFF
        i += 1


def outer():
    loop()


parent = os.getpid()
if not os.fork():
    time.sleep(2)
    os.kill(parent, signal.SIGABRT)
    os._exit(0)
outer()
