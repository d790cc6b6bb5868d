"""Shapes of Python 3.11: exception groups; and what 3.12 to 3.14 compile differently, where it is there."""
import sys

import truth


def shape_except_star(go):
    try:
        raise ExceptionGroup('several', [ValueError(1), KeyError(2), ExceptionGroup('inner', [TypeError(3)])])
    except* KeyError as group:
        pass
    except* (ValueError, TypeError) as group:
        go(group)


def shape_except_star_finally(go):
    try:
        try:
            raise ExceptionGroup('one', [ValueError(1)])
        except* ValueError:
            raise KeyError
    except* KeyError:
        go()


def shape_subscript_unpacking(go):
    class Box:
        def __getitem__(self, key):
            return go(key)
    return Box()[*[1, 2], 3]


def shape_specialised_calls(go):
    """Long enough for the adaptive interpreter to replace the instructions that stand on the stack."""
    class Box:
        __slots__ = ('value',)

        def __init__(self, value):
            self.value = value

        @property
        def prop(self):
            return go() if self.value == 400 else self.value

        def __getattr__(self, name):
            return self.prop

        def __getitem__(self, key):
            return self.absent

    def caller(box):
        return box[0] + 1
    return [caller(Box(i)) for i in range(401)]


def shape_specialised_generator(go):
    def inner(n):
        for i in range(n):
            yield go(i) if i == 900 else i

    def outer():
        yield from inner(1000)
    for value in outer():
        last = value
    return last


NEWER = {
    (3, 12): '''
def generic[T: (int, str)](value: T) -> T:
    class Inner[U]:
        def method(self, call):
            return call(f"{value!r} {f'{call(1)}'}")
    return Inner[int]().method(go)
type Alias[T] = go(T)
def first():
    return Alias.__value__
generic.first = first
''',
    (3, 14): '''
def late(value: go()) -> go(1):
    pass
def template(call):
    return t"{1} {
        call()
    }"
def ignored(call):
    try:
        raise KeyError
    except ValueError, KeyError:
        call()
''',
}


def newer(version, go):
    namespace = {'go': go}
    exec(compile(NEWER[version], '<shapes of %d.%d>' % version, 'exec'), namespace)
    return namespace


def shape_type_parameters(go):
    return newer((3, 12), go)['generic'](1) if sys.version_info >= (3, 12) else go()


def shape_type_alias(go):
    return newer((3, 12), go)['generic'].first() if sys.version_info >= (3, 12) else go()


def shape_deferred_annotation(go):
    return newer((3, 14), go)['late'].__annotations__ if sys.version_info >= (3, 14) else go()


def shape_template_string(go):
    return newer((3, 14), go)['template'](go) if sys.version_info >= (3, 14) else go()


def shape_except_without_parentheses(go):
    return newer((3, 14), go)['ignored'](go) if sys.version_info >= (3, 14) else go()


truth.run(globals())
