"""Threads that want the GIL while the main thread keeps it, in C code that gives it to nobody. A child ends that."""
import os
import signal
import time

from ways import WAITS, start, write


def spins():
    while True:
        pass


WAITS.append(dict(who='MainThread', state='running', held_by=[]))
write()
parent, (begun, begins) = os.getpid(), os.pipe()
if os.fork() == 0:
    os.read(begun, 1)
    time.sleep(1)
    os.kill(parent, signal.SIGABRT)
    os._exit(0)
for i in range(4):
    name = 'spins-%d' % i
    start(spins, name)
os.write(begins, b'x')
sum(iter(int, 1))
