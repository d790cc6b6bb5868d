# -*- coding: utf-8 -*-
"""Threads of PyPy's that stand in handlers, and what each has in hand, innermost first: type, message, attributes, whose
handler it is, and the traceback's functions and lines. Runs on 2.7 to 3.11."""
from __future__ import print_function

import contextlib
import json
import os
import sys
import threading

PY2 = sys.version_info[0] == 2
THREADS, SCENARIOS = [], []
READY = threading.Semaphore(0)


def scenario(function):
    SCENARIOS.append(function)
    return function


class Told(Exception):
    def __str__(self):
        return 'not run'


class Odd(ValueError):
    pass


def entries(tb):
    found = []
    while tb:
        found.append([tb.tb_frame.f_code.co_name, tb.tb_lineno])
        tb = tb.tb_next
    return found


def in_hand(name):
    """What sys.exc_info() says now, as the handler of function `name`."""
    kind, value, tb = sys.exc_info()
    own = kind is Told
    return {'type': kind.__name__ if kind.__module__ in ('exceptions', 'builtins', '__main__') else kind.__module__ + '.' + kind.__name__,
            'message': None if own else str(value), 'handler': name, 'traceback': entries(tb),
            'attributes': sorted(vars(value)), 'cause': type(getattr(value, '__cause__', None)).__name__,
            'context': type(getattr(value, '__context__', None)).__name__}


def park(*handled):
    THREADS.append({'tid': int(os.readlink('/proc/thread-self').split('/')[-1]), 'name': threading.current_thread().name,
                    'handled': list(handled)})
    lock = threading.Lock()
    lock.acquire()
    READY.release()
    lock.acquire()


@scenario
def nothing():
    park()


@scenario
def one():
    try:
        raise ValueError('one')
    except ValueError:
        park(in_hand('one'))


def fails(n):
    if n:
        fails(n - 1)
    raise KeyError('deep')


@scenario
def deep():
    try:
        fails(3)
    except KeyError:
        park(in_hand('deep'))


@scenario
def of_the_system():
    try:
        open('/no/such/file')
    except EnvironmentError:
        told = in_hand('of_the_system')
        park(told)


@scenario
def attributes():
    error = Odd('x', 3)
    error.number, error.text = 7, 'seven'
    try:
        raise error
    except Odd:
        park(in_hand('attributes'))


@scenario
def with_own_str():
    try:
        raise Told('args')
    except Told:
        park(in_hand('with_own_str'))


@scenario
def none_left():
    try:
        raise ValueError('over')
    except ValueError:
        pass
    park(*[in_hand('none_left')] if PY2 else [])  # 2.7 keeps it until the function returns


@scenario
def over_two_functions():
    try:
        raise ValueError('outer')
    except ValueError:
        inner(in_hand('over_two_functions'))


def inner(outer):
    try:
        1 / 0
    except ZeroDivisionError:
        park(in_hand('inner'), outer)


@scenario
def within_one_another():
    try:
        raise ValueError('first')
    except ValueError:
        first = in_hand('within_one_another')
        try:
            raise KeyError('second')
        except KeyError:
            park(in_hand('within_one_another'), *[first] * (not PY2))


@scenario
def in_finally():
    try:
        try:
            raise ValueError('passes')
        finally:
            park(*[in_hand('in_finally')] if sys.exc_info()[0] else [])
    except ValueError:
        pass


@contextlib.contextmanager
def manager():
    yield


@scenario
def in_a_with():
    try:
        raise IndexError('seen')
    except IndexError:
        told = in_hand('in_a_with')
        with manager():
            park(told)


def hot(n):
    """Made into machine code before it parks."""
    total = 0
    for i in range(n):
        try:
            if i % 3 == 0:
                raise Odd(i)
            total += i
        except Odd:
            total += 1
            if i == n - 1:
                park(in_hand('hot'))
    return total


@scenario
def in_machine_code():
    hot(30001)
    hot(30001)


if not PY2:
    exec('''
@scenario
def with_cause():
    try:
        try:
            raise ValueError('cause')
        except ValueError as e:
            raise RuntimeError('effect') from e
    except RuntimeError:
        park(in_hand('with_cause'))
''')


def run(function):
    try:
        function()
    finally:
        os._exit(3)  # none of them comes back


for function in SCENARIOS:
    thread = threading.Thread(target=run, args=(function,), name=function.__name__)
    thread.daemon = True
    thread.start()
    READY.acquire()
with open(os.environ.get('PYSCRY_TRUTH', 'truth.json'), 'w') as out:
    json.dump({'threads': THREADS, 'names': [f.__name__ for f in SCENARIOS]}, out)
os.abort()
