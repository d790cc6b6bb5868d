# -*- coding: utf-8 -*-
"""A function whose variables are of every kind that PyPy keeps in its own way; the truth is repr() of each."""
from __future__ import print_function

import array
import collections
import json
import os
import sys


class Plain(object):
    pass


class Odd(ValueError):
    pass


class Named(object):
    def __init__(self):
        self.number = 7
        self.text = 'seven'
        self.ratio = 0.25
        self.many = [1]
        self.five = 5
        self.six = 6
        self.seven = 'last'

    def __repr__(self):
        return 'not run'


class Int(int):
    pass


class List(list):
    pass


def deleted(container, *keys):
    for key in keys:
        del container[key]
    return container


def keywords(**kwargs):
    return kwargs


def variables(argument, *rest, **more):
    none, true, false = None, True, False
    zero, small, negative, large = 0, 5, -17, 2 ** 62 - 1
    huge, huge_negative, power = 3 ** 200, -(10 ** 40), 2 ** 63
    ratio, third, infinite, nothing = 0.1, 1 / 3.0, float('inf'), float('nan')
    complex_number = 1.5 - 2j
    ascii_text, quotes, control = 'text', 'it\'s "quoted"', 'a\x00b\n\x7f'
    umlauts, cjk, emoji = u'gr\xfc\xdfe', u'\u6f22\u5b57', u'\U0001f600'
    raw, empty_raw = b'\x00\xff abc', b''
    one, two, mixed, nested = (1,), (1, 2), (1, 'a', None), ((), ((2.5,),))
    two_floats, int_and_text = (0.5, 1.5), (1, 'x')
    no_list, ints, floats, texts, bytes_list = [], [1, -2, 3], [0.5, -1.5], ['a', 'b'], [b'a', b'b']
    objects, big_ints, counted, steps = [None, 1, 'x'], [2 ** 70, 1], list(range(6)), list(range(10, 0, -3))
    umlaut_list = [u'\xe4', u'\xf6']
    ints_and_floats = [1, 2.5]
    no_dict, by_text, by_int, by_object = {}, {'k': 1, 'j': [2]}, {1: 'one', 2: 'two'}, {(1, 2): None}
    by_bytes = {b'k': 1}
    shrunk = deleted({'a': 1, 'b': 2, 'c': 3, 'd': 4}, 'b', 'd')
    shrunk_ints = deleted(dict((i, i * i) for i in range(10)), 3, 4, 9)
    kwargs = keywords(x=1, y='z')
    no_set, int_set, text_set, frozen = set(), {3}, {'s'}, frozenset([4])
    object_set = {(1, 2)}
    recursive = [1]
    recursive.append(recursive)
    integer, items = Int(5), List([1, 2])
    class_, builtin_class, code = Plain, int, variables.__code__.co_name
    wide = list(range(100000))
    names = Named()
    three, twos, back = range(3), range(0, 10, 2), range(5, 0, -1)
    cut, whole = slice(1, None, 2), slice(None)
    octets, shortened, no_octets = bytearray(b'a\x00\xff'), bytearray(b'0123456789'), bytearray()
    del shortened[:4]
    missing, dots, function = NotImplemented, Ellipsis, len
    error, errors, no_args, odd = ValueError('x'), KeyError('k', 2), RuntimeError(), Odd('own', [1])
    os_error = OSError(2, 'no such thing')
    few, many, bounded = collections.deque([1, 'a']), collections.deque(range(200)), collections.deque([1, 2], 3)
    rotated = collections.deque(range(100))
    rotated.rotate(7)
    numbers, reals, none_yet = array.array('i', [1, -2]), array.array('d', [1.5]), array.array('B')
    bytes_array, halves = array.array('b', [-1, 127]), array.array('f', [0.5])
    inside = names.__dict__
    views = [{'a': 1}.keys(), {'a': 1}.values(), {1: 'x', 2: 'y'}.items()]
    captured = 'in a cell'

    def inner():
        return captured
    found = dict(locals())
    return end(found, inner)


def end(found, inner):
    for name in ('inner', 'names'):
        found.pop(name)
    truth = dict((name, ascii_repr(value)) for name, value in found.items())
    with open(os.environ.get('PYSCRY_TRUTH', 'truth.json'), 'w') as out:
        json.dump({'values': truth, 'types': dict((name, type(value).__name__) for name, value in found.items())}, out)
    os.abort()


def ascii_repr(value):
    text = repr(value)
    return text if sys.version_info[0] > 2 else text.decode('utf-8')


variables(1, 2, 3, key='word')
