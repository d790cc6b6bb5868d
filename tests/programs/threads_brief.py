"""Threads that start and end all the time; each has a thread state while it lives."""
import os
import threading
import time

import truth


def brief():
    return sum(range(50))


def spawner():
    while True:
        thread = threading.Thread(target=brief, name='brief')
        thread.start()
        thread.join()


for number in range(3):
    thread = threading.Thread(target=spawner, name='spawner-%d' % number)
    thread.daemon = True
    thread.start()
truth.save({'pid': os.getpid()})
time.sleep(600)
