"""Attributes that Python code decides about, and those that it does not: [expression, repr() or None, who decides].

Runs on 2.7 to 3.15; the end is ends.py's.
"""
import functools
import sys
import types

import ends

FOUND = []


class Getter(object):
    def __get__(self, instance, owner=None):
        return 5


class Both(object):
    def __get__(self, instance, owner=None):
        return 'from the descriptor'

    def __set__(self, instance, value):
        raise AttributeError


class OnlyDeleting(object):
    def __get__(self, instance, owner=None):
        return 'from the descriptor'

    def __delete__(self, instance):
        raise AttributeError


class Plain(object):
    """No descriptor at all."""


class Base(object):
    getter = Getter()
    both = Both()
    deleting = OnlyDeleting()
    plain = Plain()
    shadowed = Getter()

    def method(self):
        pass


class Dynamic(Base):
    def __getattr__(self, name):
        return 'dynamic'


class Deciding(Base):
    def __getattribute__(self, name):
        return 'decided'


class Meta(type):
    decided = Both()

    def __getattr__(cls, name):
        return 'of the metaclass'


BASE, DYNAMIC, DECIDING = Base(), Dynamic(), Deciding()
for each in (BASE, DYNAMIC):
    each.__dict__.update(both='from the dictionary', deleting='from the dictionary', shadowed='from the dictionary', own=3)
object.__getattribute__(DECIDING, '__dict__')['own'] = 3
OF_META = Meta('OfMeta', (object,), {'decided': 'of the class', 'own': 3})
LIST, TEXT = [1], 'abc'
for owner in ('BASE', 'DYNAMIC', 'DECIDING'):
    FOUND.append([owner + '.getter', None, 'Getter.__get__()'])
    FOUND.append([owner + '.both', None, 'Both.__get__()'])
    FOUND.append([owner + '.deleting', None, 'OnlyDeleting.__get__()'])
    for name in ('plain', 'shadowed', 'own', 'method'):
        FOUND.append([owner + '.' + name, repr(eval(owner + '.' + name)), None])
for row in FOUND:
    if row[0].startswith('DECIDING'):
        row[1:] = None, 'Deciding.__getattribute__()'
FOUND += [
    ['Base.getter', None, 'Getter.__get__()'],
    ['Base.plain', repr(Base.plain), None],
    ['OF_META.decided', None, 'Both.__get__()'],
    ['OF_META.own', '3', None],
    ['OF_META.zzz', None, 'Meta.__getattr__()'],
    ['DYNAMIC.zzz', None, 'Dynamic.__getattr__()'],
    ['LIST.append', repr(LIST.append), None],
    ['LIST.__len__', repr(LIST.__len__), None],
    ['TEXT.upper', repr(TEXT.upper), None],
]
if sys.version_info >= (3, 8):
    Cached = type('Cached', (Base,), {'late': functools.cached_property(lambda self: 7), 'early': functools.cached_property(lambda self: 8)})
    Cached.late.__set_name__(Cached, 'late')
    Cached.early.__set_name__(Cached, 'early')
    CACHED = Cached()
    FOUND += [['CACHED.late', None, 'cached_property.__get__()'], ['CACHED.early', repr(CACHED.early), None]]
if sys.version_info >= (3, 4):
    DYNAMIC_CLASS = type('DynamicClass', (), {'dca': types.DynamicClassAttribute(lambda self: 9)})()
    FOUND.append(['DYNAMIC_CLASS.dca', None, 'DynamicClassAttribute.__get__()'])
if sys.version_info >= (3, 7):
    MODULE = types.ModuleType('odd')
    MODULE.__getattr__ = lambda name: 'of the module'
    FOUND.append(['MODULE.zzz', None, "the module's __getattr__()"])
if 'no-ctypes' not in sys.argv:
    import ctypes
    VECTOR = type('Vector', (ctypes.Structure,), {'_fields_': [('base', ctypes.c_size_t), ('share', ctypes.c_double)]})(0x1234, 2.5)
    FOUND += [['VECTOR.base', None, 'a field of a ctypes structure'], ['VECTOR.share', None, 'a field of a ctypes structure']]
ends.write({'expressions': FOUND})
