# -*- coding: utf-8 -*-
"""One thread computes and keeps the GIL, two want it, one sleeps, the main one waits for a lock that is never released.

Another process kills this one meanwhile. Which thread does what is written down before.
"""
import json
import os
import signal
import sys
import threading
import time

try:
    import _thread
except ImportError:  # 2.7
    import thread as _thread

CHILD = os.fork()  # before there are threads
if CHILD == 0:
    time.sleep(float(os.environ.get("PYSCRY_KILL_AFTER", "2.5")))
    os.kill(os.getppid(), signal.SIGABRT)
    os._exit(0)

idents = {}
ready = threading.Semaphore(0)


def enter(role):
    idents[role] = _thread.get_ident()
    ready.release()


def computes():
    enter("holder")
    time.sleep(0.5)
    return 3 ** 40000000  # one operation, in which the GIL is not given away


def wants(role):
    enter(role)
    time.sleep(1.0)
    while True:
        time.sleep(0.001)


def sleeps():
    enter("sleeper")
    time.sleep(1000)


threads = [threading.Thread(target=computes, name="computes"), threading.Thread(target=wants, args=("first",), name="wants 1"),
           threading.Thread(target=wants, args=("second",), name="wants \u00fc"), threading.Thread(target=sleeps)]
for thread in threads:
    thread.daemon = True
    thread.start()
for thread in threads:
    ready.acquire()
idents["main"] = _thread.get_ident()
names = {thread.ident: thread.name for thread in threading.enumerate()}
with open(os.environ["PYSCRY_TRUTH"], "w") as out:
    json.dump({"idents": idents, "names": {role: names[ident] for role, ident in idents.items()}}, out)
forever = threading.Lock()
forever.acquire()
forever.acquire()
