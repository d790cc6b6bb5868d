"""A collection whose callback sleeps without the GIL, while another thread ("abort") takes it and dies, or nobody has it."""
import gc
import os
import sys
import threading
import time
import weakref

import truth

inside = threading.Event()
references = []


class Knot(object):
    def __init__(self):
        self.itself = self


def asleep(reference):
    inside.set()
    time.sleep(600)


def collector():
    knot = Knot()
    references.append(weakref.ref(knot, asleep))
    del knot
    gc.collect()


def other():
    inside.wait()
    truth.save({'pid': os.getpid(), 'collector': 'collector'})
    end, arguments = truth.ending()
    end(*arguments)


gc.disable()
threads = [threading.Thread(target=function, name=function.__name__) for function in (other, collector)]
for thread in threads:
    thread.daemon = True
    thread.start()
time.sleep(600)
