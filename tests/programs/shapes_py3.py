# -*- coding: utf-8 -*-
"""Shapes of Python 3.3 and later: keyword-only arguments, yield from, nonlocal, names beyond ASCII."""
import functools
import importlib.machinery
import sys
import types

import truth


def shape_keyword_only(go):
    def function(a, *, b=1, call, **rest):
        return call(a, b=b, **rest)
    return function(1, call=go, c=3)


def shape_annotation(go):
    def function(a: int, *args: str, b: float = 1.0) -> None:
        return go(a, b)
    return function(1, 'x', b=2.0)


def shape_nonlocal(go):
    count = 0

    def outer():
        nonlocal count
        count += 1

        def inner():
            nonlocal count
            count = go(count)
        inner()
    outer()


def shape_yield_from(go):
    def leaf():
        yield 1
        yield go()

    def middle():
        got = yield from leaf()
        return got

    def top():
        yield 0
        yield from middle()
    return list(top())


def shape_yield_from_lines(go):
    def leaf():
        yield 1
        go()

    def top():
        result = [
            (yield 1),
            (yield
             from leaf()),
        ]
        return result
    return list(top())


def shape_super_no_arguments(go):
    class Base:
        def method(self):
            return [go(self) for _ in (1,)]

    class Derived(Base):
        def method(self):
            return super().method()
    return Derived().method()


def shape_prepare(go):
    class Meta(type):
        @classmethod
        def __prepare__(mcs, name, bases, **kwargs):
            return go(name) or {}

    class Made(metaclass=Meta):
        pass


def shape_unpack_star(go):
    first, *rest, last = [1, 2, 3, go()]


def shape_raise_from(go):
    try:
        raise ValueError('cause')
    except ValueError as error:
        raise KeyError(go(error)) from error


def shape_кириллица(go):
    def функция(значение):
        return go(значение)
    return функция(1)


def shape_漢字(go):
    class 名前:
        def 方法(self):
            return [go() for 変数 in 'あ'][0]
    return 名前().方法()


def shape_ünïcödé_columns(go):
    naïve = 'é😀漢'; return ('ééé', '😀😀', naïve, go('漢字', '😀'), 'ü')


def shape_class_cell(go):
    class Made:
        def method(self):
            return __class__, go()
    return Made().method()


def shape_lru_cache(go):
    @functools.lru_cache(maxsize=None)
    def cached(n):
        return go() if n == 0 else cached(n - 1)
    return cached(3)


def shape_singledispatch(go):
    if sys.version_info < (3, 4):
        return go()

    @functools.singledispatch
    def single(value):
        return None

    @single.register(int)
    def _(value):
        return go(value)
    return single(3)


class Loader:
    def __init__(self, go):
        self.go = go

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.go = self.go
        exec(compile('"""made"""\n\n\ndef body():\n    go()\n\n\nbody()\n', '<made module>', 'exec'), module.__dict__)


class Finder:
    def __init__(self, go):
        self.go = go

    def find_spec(self, name, path=None, target=None):
        if name == 'made_up_module':
            return importlib.machinery.ModuleSpec(name, Loader(self.go))
        if name == 'found_module':
            self.go(name)
        return None

    def find_module(self, name, path=None):  # 3.3
        if name == 'made_up_module':
            return self
        if name == 'found_module':
            self.go(name)

    def load_module(self, name):
        module = sys.modules[name] = types.ModuleType(name)
        Loader(self.go).exec_module(module)
        return module


def shape_import_hook_load(go):
    sys.meta_path.insert(0, Finder(go))
    import made_up_module
    return made_up_module


def shape_import_hook_find(go):
    sys.meta_path.insert(0, Finder(go))
    from found_module import something
    return something


def shape_import_file(go):
    import imported
    imported.start(go)


def shape_build_class_hook(go):
    class Made:
        def __init_subclass__(cls, **kwargs):
            go(cls)

        def __set_name__(self, owner, name):
            go(name)
    if sys.version_info >= (3, 6):
        class Sub(Made, option=1):
            pass
    else:
        go()


def shape_set_name(go):
    class Named:
        def __set_name__(self, owner, name):
            go(name)
    if sys.version_info >= (3, 6):
        class Owner:
            field = Named()
    else:
        go()


def shape_class_getitem(go):
    class Generic:
        def __class_getitem__(cls, item):
            return go(item)
    if sys.version_info >= (3, 7):
        return Generic[int]
    return go()


truth.run(globals())
