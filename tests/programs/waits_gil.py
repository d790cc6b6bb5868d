"""Threads that want the GIL while the main thread keeps it, in C code that gives it to nobody. A child ends that; with
"passing" there is no main thread that keeps it, and they have it one after the other."""
import os
import signal
import sys
import time

from ways import WAITS, start, write


def spins():
    while True:
        pass


WAITS.append(dict(who='MainThread', state='running', held_by=[]))
write()
if 'passing' in sys.argv:
    for i in range(2):
        start(spins, 'spins-%d' % i)
    time.sleep(3600)
parent, (begun, begins) = os.getpid(), os.pipe()
if os.fork() == 0:
    os.read(begun, 1)
    while os.environ.get('PYSCRY_END') == 'sleep' and os.getppid() == parent:
        time.sleep(0.1)
    time.sleep(1)
    if os.getppid() != parent:
        os._exit(0)
    os.kill(parent, signal.SIGABRT)
    os._exit(0)
for i in range(4):
    name = 'spins-%d' % i
    start(spins, name)
os.write(begins, b'x')
sum(iter(int, 1))
