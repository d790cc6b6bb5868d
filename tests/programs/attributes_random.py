# -*- coding: utf-8 -*-
"""Classes with every kind of member under one name, in random places: [expression, repr() or None, did Python code run].

The places are a metaclass, a base, the class, the instance's dictionary. Runs on 2.7 to 3.15; the end is ends.py's.
"""
import functools
import random
import sys
import types

import ends

choose = random.Random(7)


class NonData(object):
    def __get__(self, instance, owner=None):
        return 'non-data'


class Data(object):
    def __get__(self, instance, owner=None):
        return 'data'

    def __set__(self, instance, value):
        raise AttributeError


class OnlySetting(object):
    def __set__(self, instance, value):
        raise AttributeError


class InheritedGet(Data):
    pass


class Slotted(object):
    __slots__ = ('x', 'unset')


class GetInInstance(object):
    def __init__(self):
        self.__get__ = lambda *args: 'from the instance'


class Callable(object):
    def __call__(self, *args):
        return 'called'


def function(self, *args):
    return 'function'


def members():
    yield 'value', lambda: ['value']
    yield 'none', lambda: None
    yield 'function', lambda: function
    yield 'property', lambda: property(function)
    yield 'property without get', lambda: property(None)
    yield 'data', Data
    yield 'non-data', NonData
    yield 'only setting', OnlySetting
    yield 'inherited', InheritedGet
    yield 'static', lambda: staticmethod(function)
    yield 'class method', lambda: classmethod(function)
    yield 'class', lambda: Slotted
    yield 'instance', GetInInstance
    yield 'callable', Callable
    yield 'partial', lambda: functools.partial(function, 1)
    yield 'builtin', lambda: len
    yield 'method of C', lambda: str.upper
    yield 'bound', lambda: [].append
    yield 'slot wrapper', lambda: int.__add__
    yield 'foreign slot', lambda: Slotted.x
    yield 'getset', lambda: type(function).__dict__['__name__' if sys.version_info >= (3,) else 'func_name']
    yield 'member', lambda: type(function).__dict__['__doc__']
    yield 'class method of C', lambda: dict.__dict__['fromkeys']
    yield 'bound method', lambda: Callable().__call__
    yield 'property of the wrong kind', lambda: type('Sub', (property,), {})(function)
    yield 'own property', lambda: type('Sub', (property,), {'__get__': lambda *args: 'own'})(function)
    yield 'own static', lambda: type('Sub', (staticmethod,), {'__get__': lambda *args: 'own'})(function)
    yield 'own class method', lambda: type('Sub', (classmethod,), {})(function)
    yield 'get is None', lambda: type('Sub', (object,), {'__get__': None})()
    yield 'metaclass get', lambda: type('Meta', (type,), {'__get__': lambda *args: 'of the metaclass'})('Made', (object,), {})
    yield 'metaclass of a descriptor', lambda: type('Meta', (type,), {'__set__': lambda *args: None})('Made', (NonData,), {})()
    if hasattr(functools, 'partialmethod'):
        yield 'partialmethod', lambda: functools.partialmethod(function, 1)
        yield 'dynamic', lambda: types.DynamicClassAttribute(function)
    if hasattr(functools, 'cached_property'):
        yield 'cached', lambda: functools.cached_property(function)
        yield 'dispatching', lambda: functools.singledispatchmethod(function)
    if hasattr(functools, 'lru_cache'):
        yield 'lru', lambda: functools.lru_cache(None)(function)


MEMBERS = list(members())


def maybe(likely):
    return choose.choice(MEMBERS) if choose.random() < likely else None


def make(number):
    """A metaclass, a base, a class and an instance, some of which have an x."""
    meta_members, base_members, class_members = {}, {}, {}
    what = []
    for space, likely, name in ((meta_members, .35, 'meta'), (base_members, .5, 'base'), (class_members, .5, 'class')):
        member = maybe(likely)
        if member:
            space['x'] = member[1]()
            what.append('%s: %s' % (name, member[0]))
        if choose.random() < .06:
            space['__getattr__'] = lambda self, name: 'given'
        if choose.random() < .04:
            space['__getattribute__'] = lambda self, name: 'decided'
    if 'x' not in base_members and choose.random() < .2:
        base_members['__slots__'] = ('x',)
        what.append('base: slot')
    meta = type('Meta%d' % number, (type,), meta_members)
    base = meta('Base%d' % number, (object,), base_members)
    made = meta('Made%d' % number, (base,), class_members)
    sub = type(made)('Sub%d' % number, (made,), {})
    value = object.__new__(sub if choose.random() < .3 else made)
    if choose.random() < .5:
        try:
            object.__getattribute__(value, '__dict__')['x'] = choose.choice(['own', NonData(), Data(), property(function), None])
            what.append('own')
        except AttributeError:
            pass
    if '__slots__' in base_members and choose.random() < .6:
        try:
            object.__setattr__(value, 'x', 'in the slot')
        except Exception:
            pass
    return what, made, sub, value


RAN = []


def profile(frame, event, argument):
    if event == 'call' and frame.f_code.co_filename.endswith(('attributes_random.py', 'functools.py', 'types.py')) and frame.f_code is not ask.__code__:
        RAN.append(frame.f_code.co_name)


def ask(text):
    return eval(text, globals())


def asked(text):
    """(repr() or None, did code run)."""
    del RAN[:]
    sys.setprofile(profile)
    try:
        value = ask(text)
        sys.setprofile(None)
    except BaseException:
        sys.setprofile(None)
        return None, bool([name for name in RAN if name != '<module>'])
    ran = bool([name for name in RAN if name != '<module>'])
    try:
        return repr(value), ran
    except Exception:
        return None, ran


FOUND = []
for number in range(int(sys.argv[1]) if sys.argv[1:] else 260):
    what, made, sub, value = make(number)
    globals().update({'M%d' % number: made, 'S%d' % number: sub, 'V%d' % number: value})
    for owner in ('M', 'S', 'V'):
        text = '%s%d.x' % (owner, number)
        FOUND.append([text] + list(asked(text)) + [', '.join(what)])
ends.write({'expressions': FOUND})
