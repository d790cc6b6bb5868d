# -*- coding: utf-8 -*-
"""A small service, for who asks it by the API: sessions of users, requests in threads, a lock that one of them holds
and others wait for, values of all plain types, classes whose attributes only some order of look-up tells right. With
the argument "later" there are more sessions."""
from __future__ import print_function

import json
import os
import sys
import threading
import time

import truth

LATER = 'later' in sys.argv
LOCK = threading.Lock()


class User(object):
    def __init__(self, name):
        self.name = name


class Session(object):
    __slots__ = ('user', 'token', 'cart')

    def __init__(self, user, token):
        self.user, self.token, self.cart = user, token, ['item-%s' % token]


class Request(object):
    def __init__(self, method, url, session):
        self.method, self.url, self.session = method, url, session
        self.headers = {'Host': 'example.org', u'X-\u00e9': [1, 2.5, None]}


class Data(object):
    """A data descriptor: it goes before what the object has."""

    def __get__(self, obj, cls=None):
        return 'given by code'

    def __set__(self, obj, value):
        raise AttributeError('no')


class Base(object):
    kind, shared, told = 'base', 'of the base', Data()

    @property
    def computed(self):
        return 'by code'

    def method(self):
        return self

    @staticmethod
    def static():
        return 1


class Odd(Base):
    kind = 'odd'
    __slots__ = ('slot', 'unset')

    def __init__(self):
        self.slot, self.kind, self.own = 'in a slot', 'own', [1, 2, 3]
        self.__dict__['told'] = 'hidden by the descriptor'
        self.value, self.type, self.items = 'theirs', 'theirs', {'a': 1}


class Asks(object):
    def __getattr__(self, name):
        return 'made up: ' + name


class Text(type(u'')):
    pass


class Number(int):
    pass


class Spelled(dict):
    def __getitem__(self, key):
        return 'by code'


def pages():
    for page in ('first', 'second'):
        yield page


PAGES = pages()
next(PAGES)
SESSIONS = {}
USERS = [User('ada'), User(u'bj\u00f6rn'), User('cleo')]
for number in range(12 if LATER else 7):
    session = Session(USERS[number % 3], 't%02d' % number)
    SESSIONS[session.token] = session
entered, ready = [], threading.Semaphore(0)


def handle(request):
    note()
    with LOCK:
        entered.append(request)


def reindex(request):
    with LOCK:
        note()
        rest()


def note():
    truth.here()
    ready.release()


def rest():
    time.sleep(600)


def serve(method, url, token, work):
    request = Request(method, url, SESSIONS[token])
    work(request)


def start(name, *arguments):
    thread = threading.Thread(target=serve, args=arguments, name=name)
    thread.daemon = True
    thread.start()
    ready.acquire()


start('worker-0', 'POST', '/reindex', 't00', reindex)
for number, url in enumerate(['/cart', '/cart/pay', u'/b\u00f6rse']):
    start('worker-%d' % (number + 1), 'GET', url, 't%02d' % (number + 1), handle)
time.sleep(0.3)  # the last of them goes from note() to the lock

PLAIN = [
    None, True, False, 0, -1, 255, 2**31, -2**63, 2**64, -3**200, 0.0, -1.5, 1e300, float('inf'), '', 'text', u'\u00e9t\u00e9',
    u'nul\x00in it', u'\U0001f600', b'', b'bytes', b'\x00\xff', Text(u'of a subclass'), Number(7), 'x' * 5000,
]


def values():
    plain, odd, asks, spelled = list(PLAIN), Odd(), Asks(), Spelled(a=1)
    pairs = {'one': 1, 2: 'two', (1, 'a'): [3], b'b': 4, None: 5, True and 1.5: 6}
    several = [(1, 2), {'k'}, frozenset(['f']), bytearray(b'ab'), range(3, 9, 2), u'a\u00e9', b'ab', {}]
    deep = {'jobs': [{'name': 'first'}, {'name': 'second'}]}
    try:
        raise ValueError('went wrong', odd.own)
    except ValueError:
        end(plain, odd, asks, spelled, pairs, several, deep)


def end(plain, odd, asks, spelled, pairs, several, deep):
    tell(plain)
    if os.environ.get('PYSCRY_END', 'abort') == 'sleep':
        rest()
    os.abort()


def said(value):
    """JSON has neither bytes nor infinity."""
    if isinstance(value, bytes):
        return [type(value).__name__, ''.join('%02x' % byte for byte in bytearray(value))]
    if isinstance(value, float):
        return ['float', repr(value)]
    return [type(value).__name__, truth.text(value) if isinstance(value, type(u'')) else value]


def tell(plain):
    truth.save({
        'threads': {truth._names[ident]: tid for ident, tid in truth._tids.items()},
        'sessions': {token: [truth.text(s.user.name), hex(id(s)).rstrip('L')] for token, s in SESSIONS.items()},
        'plain': [said(value) for value in plain],
        'lock': hex(id(LOCK)).rstrip('L'),
        'first': hex(id(SESSIONS['t00'])).rstrip('L'),
    })


values()
