# -*- coding: utf-8 -*-
"""One stack through the ways in which C code calls back into Python: slots, descriptors, callbacks of builtins."""
import bisect
import copy
import functools
import heapq
import json
import operator
import pickle
import re
import warnings
import weakref

import truth

def shape_property_get(go):
    class Owner(object):
        @property
        def value(self):
            return go()
    return Owner().value


def shape_property_set(go):
    class Owner(object):
        def set_value(self, new):
            go(new)
        value = property(None, set_value)
    Owner().value = 1


def shape_property_delete(go):
    class Owner(object):
        value = property(None, None, lambda self: go())
    del Owner().value


def shape_getattr(go):
    class Owner(object):
        def __getattr__(self, name):
            return go(name)
    return getattr(Owner(), 'absent', None)


def shape_getattribute(go):
    class Owner(object):
        def __getattribute__(self, name):
            return go(name)
    return Owner().anything


def shape_setattr(go):
    class Owner(object):
        def __setattr__(self, name, value):
            go(name)
    Owner().x = 1


def shape_delattr(go):
    class Owner(object):
        def __delattr__(self, name):
            go(name)
    del Owner().x


class Descriptor(object):
    def __init__(self, go):
        self.go = go

    def __get__(self, instance, owner):
        return self.go()

    def __set__(self, instance, value):
        self.go()


def shape_descriptor_get(go):
    class Owner(object):
        field = Descriptor(go)
    return Owner().field


def shape_descriptor_set(go):
    class Owner(object):
        field = Descriptor(go)
    Owner().field = 3


def shape_method_kinds(go):
    class Owner(object):
        @classmethod
        def of_class(cls, call):
            return cls.static(call)

        @staticmethod
        def static(call):
            return call()
    return Owner.of_class(go)


def shape_partial(go):
    def target(first, second, call=None):
        return call()
    return functools.partial(target, 1, call=go)(2)


def decorate(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


def shape_decorator(go):
    @decorate
    @decorate
    def decorated(value):
        return go(value)
    return decorated(1)


def shape_callable_instance(go):
    class Callable(object):
        def __call__(self, *args, **kwargs):
            return go(*args, **kwargs)
    return Callable()(1, two=2)


class Meta(type):
    def __call__(cls, *args):
        return type.__call__(cls, *args)


def shape_metaclass_call(go):
    def __init__(self, call):
        call()
    return Meta('Made', (object,), {'__init__': __init__})(go)


def shape_new(go):
    class Made(tuple):
        def __new__(cls, call):
            return call()
    return Made(go)


def shape_super(go):
    class Base(object):
        def method(self):
            return go()

    class Derived(Base):
        def method(self):
            return super(Derived, self).method()
    return Derived().method()


def shape_class_body(go):
    class Outer(object):
        attribute = 1

        class Inner(object):
            made = go()


def shape_operators(go):
    class Number(object):
        def __init__(self, call):
            self.call = call

        def __add__(self, other):
            return other - self

        def __rsub__(self, other):
            return NotImplemented

        def __sub__(self, other):
            return -self

        def __neg__(self):
            return self[1:2]

        def __getitem__(self, index):
            return self.call(index)
    return Number(go) + Number(go)


def shape_inplace(go):
    class Number(object):
        def __iadd__(self, other):
            return go(other)
    number = Number()
    number += 1


def shape_compare(go):
    class Key(object):
        def __eq__(self, other):
            return go()
        __hash__ = None
    return [Key()].count(3)


def shape_less(go):
    class Key(object):
        def __lt__(self, other):
            return go()
    return bisect.bisect_right([Key(), Key()], Key())


def shape_heap(go):
    class Key(object):
        def __lt__(self, other):
            return go()
    heapq.heappush([Key()], Key())


def shape_hash(go):
    class Key(object):
        def __hash__(self):
            return go()
    return {Key(): 1}


def shape_contains(go):
    class Box(object):
        def __contains__(self, item):
            return go(item)
    return 3 in Box()


def shape_len(go):
    class Box(object):
        def __len__(self):
            return go()
    return len(Box())


def shape_truth(go):
    class Box(object):
        def __bool__(self):
            return go()
        __nonzero__ = __bool__
    if Box():
        pass


def shape_index(go):
    class Number(object):
        def __index__(self):
            return go()
    return [1, 2, 3][Number()]


def shape_iter(go):
    class Box(object):
        def __iter__(self):
            return go()
    return list(Box())


def shape_next(go):
    class Box(object):
        def __iter__(self):
            return self

        def __next__(self):
            return go()
        next = __next__
    return sum(Box())


def shape_unpack(go):
    class Box(object):
        def __iter__(self):
            yield 1
            yield go()
    first, second = Box()


def shape_missing(go):
    class Map(dict):
        def __missing__(self, key):
            return go(key)
    return Map()['absent']


def shape_repr(go):
    class Box(object):
        def __repr__(self):
            return go()
    return '%r and %s' % ([Box()], 1)


def shape_str(go):
    class Box(object):
        def __str__(self):
            return go()
    return '%s' % Box()


def shape_format(go):
    class Box(object):
        def __format__(self, spec):
            return go(spec)
    return '{0:>10}'.format(Box())


def shape_instancecheck(go):
    class Check(type):
        def __instancecheck__(cls, instance):
            return go()
    return isinstance(1, Check('Checked', (object,), {}))


def shape_sort_key(go):
    return sorted([3, 1, 2], key=lambda item: go(item))


def shape_sort_cmp(go):
    return sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: go(a, b)))


def shape_map(go):
    return list(map(go, [1, 2]))


def shape_map_lambda(go):
    return list(map(lambda a, b: go(a, b), [1], [2]))


def shape_filter(go):
    return list(filter(lambda x: go(x), (1, 2)))


def shape_reduce(go):
    return functools.reduce(lambda a, b: go(a), [1, 2, 3])


def shape_max(go):
    return max([1, 2], key=go)


def shape_any(go):
    return any(go(x) for x in (1, 2))


def shape_join(go):
    return ','.join(go(x) for x in 'ab')


def shape_resub(go):
    return re.sub('b', lambda match: go(match), 'abc')


def shape_iter_sentinel(go):
    return list(iter(lambda: go(), None))


def shape_attrgetter(go):
    class Owner(object):
        @property
        def a(self):
            return go()
    return operator.attrgetter('a')(Owner())


def shape_deepcopy(go):
    class Box(object):
        def __deepcopy__(self, memo):
            return go(memo)
    return copy.deepcopy([Box()])


class Reduced(object):
    go = None

    def __reduce_ex__(self, protocol):
        return Reduced.go()


def shape_pickle(go):
    Reduced.go = staticmethod(go)
    return pickle.dumps([Reduced()], 2)


def shape_json_hook(go):
    return json.loads('[{"a": 1}]', object_hook=lambda d: go(d))


def shape_warning_hook(go):
    old, warnings.showwarning = warnings.showwarning, lambda *args, **kwargs: go()
    warnings.simplefilter('always')
    warnings.warn('to be shown')
    warnings.showwarning = old


def shape_del(go):
    class Box(object):
        def __del__(self):
            go()
    box = Box()
    del box


def shape_weakref_callback(go):
    class Box(object):
        pass
    box = Box()
    kept = weakref.ref(box, lambda ref: go())
    box = None
    return kept


def shape_weakref_proxy(go):
    class Box(object):
        def method(self):
            return go()
    box = Box()
    return weakref.proxy(box).method()


def shape_eval(go):
    return eval('call(1)', {'call': go})


def shape_eval_nested(go):
    return eval("eval('eval(\"call()\")')", {'call': go})


def shape_exec(go):
    namespace = {'call': go}
    exec(compile('x = 1\ny = 2\nz = call(x)\n', '<shape exec>', 'exec'), namespace)


def shape_exec_function(go):
    namespace = {}
    exec(compile('\n\n\ndef made(f, *a):\n    for i in a:\n        if i:\n            f(i)\n', 'made up.py', 'exec'), namespace)
    namespace['made'](go, 0, 0, 3)


def shape_closure(go):
    def outer(a):
        def middle(b):
            def inner(c):
                return go(a, b, c)
            return inner
        return middle
    return outer(1)(2)(3)


def shape_star_args(go):
    def many(a, b=2, *args, **kwargs):
        return go(a, b, *args, **kwargs)
    return many(1, *(2, 3), **{'k': 4})


def shape_default_argument(go):
    def function(value=go()):
        return value
    return function()


def shape_new_type(go):
    class Tracker(type):
        def __new__(mcs, name, bases, namespace):
            go()
            return type.__new__(mcs, name, bases, namespace)
    return Tracker('Tracked', (object,), {})


def shape_mro(go):
    class Meta(type):
        def mro(cls):
            return go()
    return Meta('Odd', (object,), {})


def shape_exception_init(go):
    class Odd(Exception):
        def __init__(self, *args):
            go()
    raise Odd(1)


truth.run(globals())
