"""What looks like a deadlock and is none, or need not be one: waits that end by themselves, locks that another
thread gives back. And what nobody can know: a lock that was taken out of sight."""
from __future__ import print_function

import sys
import threading
import time

from ways import PERHAPS, WAITS, end, forever, start, way

PY3 = sys.version_info[0] == 3
ready = []


def reach(count):
    ready.append(1)
    while len(ready) < count:
        time.sleep(0.01)


def out_of_sight(lock):
    """Nobody's code has a lock.acquire()."""
    getattr(lock, 'acq' + 'uire')()


# --- one of two waits for a limited time ---
A1, A2 = threading.Lock(), threading.Lock()
if PY3:
    @way('Lock', held_by=[('limited_too', 'with')], name='A2')
    def limited():
        with A1:
            reach(2)
            A2.acquire(timeout=3600)

    @way('Lock', held_by=[('limited', 'with')], name='A1')
    def limited_too():
        with A2:
            reach(2)
            with A1:
                pass

    reach(2)
del ready[:]

# --- a lock, and a semaphore, by which one tells another to go on ---
B1, B2 = threading.Lock(), threading.BoundedSemaphore(1)
PERHAPS.extend([['told'], ['told_too']])


@way('Lock', held_by=[('told', 'inferred')], name='B1')
def told():
    B1.acquire()
    ready.append(1)
    B1.acquire()


@way('BoundedSemaphore', held_by=[('told_too', 'inferred')], name='B2')
def told_too():
    B2.acquire()
    ready.append(1)
    B2.acquire()


@way('sleep')
def tells():
    forever()
    B1.release()
    B2.release()


# --- another lock has the name now ---
C1 = threading.Lock()
PERHAPS.append(['renames'])


@way('Lock', held_by=[('renames', 'inferred')], name='C1')
def renames():
    global C1
    C1.acquire()
    C1 = threading.Lock()
    out_of_sight(C1)
    C1.acquire()


# --- a function that is called gives it back ---
D1, D2 = threading.Lock(), threading.Lock()
WAITS.append(dict(who='elsewhere', kind='Lock', state='waiting', name='D1', held_by=[['elsewhere', 'inferred']]))
WAITS.append(dict(who='took', kind='Lock', state='waiting', name='D2', held_by=[['elsewhere', 'with']]))
PERHAPS.append(['elsewhere'])
there = []


def gives_back():
    D1.release()


def elsewhere():
    D1.acquire()
    gives_back()
    with D2:
        there.append(1)
        while len(there) < 2:
            time.sleep(0.01)
        with D1:
            pass


def took():
    while not there:
        time.sleep(0.01)
    out_of_sight(D1)
    there.append(2)
    with D2:
        pass


start(elsewhere)
start(took)

# --- given back for a while, within a with block ---
E1, E2 = threading.Lock(), threading.Lock()
here = []


@way('Lock', held_by=[('has_both', 'with')], name='E2', function='lends')
def lends():
    with E1:
        here.append(0)
        while len(here) < 2:
            time.sleep(0.01)
        E1.release()
        try:
            while len(here) < 3:
                time.sleep(0.01)
            with E2:
                pass
        finally:
            E1.acquire()


@way('sleep')
def has_both():
    while not here:
        time.sleep(0.01)
    with E2:
        here.append(1)
        with E1:
            here.append(2)
            forever()


while len(here) < 3:
    time.sleep(0.01)


@way('Lock', held_by=[('has_both', 'with')], name='E1')
def borrows():
    with E1:
        pass


# --- what acquire() could not get ---
F1, F2 = threading.Lock(), threading.Lock()
out_of_sight(F1)


@way('sleep')
def got_none():
    with F2:
        if not F1.acquire(False):
            ready.append(1)
            forever()


@way('sleep')
def skips():
    if not WAITS:
        F1.acquire()
    forever()


while len(ready) < 3:
    time.sleep(0.01)


@way('Lock', held_by=[('got_none', 'inferred')], name='F1')
def asks():
    F1.acquire()


# --- a generator that nobody runs has it ---
G1 = threading.Lock()


def keeps():
    with G1:
        yield 1


kept = keeps()
next(kept)


@way('Lock', held_by=[], name='G1')
def wants_a_generator_s():
    with G1:
        pass


# --- a condition whose lock its waiter does not hold ---
H1 = threading.Condition(threading.Lock())


@way('Condition', held_by=[], name='H1')
def condition():
    with H1:
        ready.append(1)
        H1.wait()


while len(ready) < 4:
    time.sleep(0.01)
time.sleep(0.1)


@way('sleep')
def notifier():
    with H1:
        ready.append(1)
        forever()
        H1.notify()


while len(ready) < 5:
    time.sleep(0.01)


@way('Lock', held_by=[('notifier', 'with')])
def enters():
    with H1:
        pass


end()
