"""Objects of the target: each is read when it is asked something, and nothing of it is run."""
import ctypes
from typing import TYPE_CHECKING, Any, Iterator, List, NamedTuple, Optional, Tuple, Union

from ._library import ITEM, C, Error, NamedObject, NoAttribute, NoItem, Plain, text
from ._library import Object as _Object
from ._library import Referrer as _Referrer

if TYPE_CHECKING:
    from ._target import Target

_NONE, _BOOL, _INT, _FLOAT, _TEXT, _BYTES = range(1, 7)  # enum scry_plain_kind
Value = Union[None, bool, int, float, str, bytes]


def _key(key: Any) -> str:
    """A key as the command print takes it."""
    if isinstance(key, Object):
        if not key.address:
            return _key(key.value)
        return "@0x%x" % key.address
    if isinstance(key, str):
        return "'%s'" % key.encode("unicode_escape").decode("ascii").replace("'", "\\'")
    if isinstance(key, bytes):
        return "b'%s'" % "".join("\\x%02x" % byte for byte in key)
    if isinstance(key, tuple):
        return "(%s,)" % ", ".join(map(_key, key)) if key else "()"
    if isinstance(key, slice):
        parts = [key.start, key.stop] + ([key.step] if key.step is not None else [])
        return ":".join("" if part is None else str(int(part)) for part in parts)
    if key is None or isinstance(key, (bool, int, float)):
        return repr(key)
    raise TypeError("a key of type %s is not looked up" % type(key).__name__)


class Object:
    """An object of the target, or a value that no object stands for (a slice, a member of a C
    struct).

    Its attributes and items are the target's, as Python would give them: data of the class before
    the object's own, those before the class's. What only code of the target's could answer raises
    NoAttribute or NoItem and says which code. Names of our own hide the target's: `type`, `value`,
    `address`, and methods whose names end in "_"; attr_() reaches all.
    """

    __slots__ = ("_target", "_c", "__weakref__")
    _target: "Target"
    _c: _Object

    def __init__(self, target: "Target", c: _Object) -> None:
        object.__setattr__(self, "_target", target)
        object.__setattr__(self, "_c", c)

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError("the target is only read")

    # --- what it is ---

    def _alive(self) -> _Object:
        self._target._check(self._c.generation)
        return self._c

    @property
    def address(self) -> int:
        """Its id(); 0 where no object stands for the value."""
        return int(self._c.addr)

    @property
    def type(self) -> str:
        """The name of its type, without the module."""
        return text(C.object_type(self._alive())) or "?"

    @property
    def type_(self) -> "Object":
        """Its type, an object."""
        return self._give(C.object_class, Error)

    def _read(self) -> Tuple[int, Value]:
        """Which kind of plain value it is, and the value."""
        plain, buffer = Plain(), self._target._buffer
        code = C.object_plain(self._alive(), ctypes.byref(plain), buffer.handle)
        said = buffer.take()
        if code < 0:
            raise self._target._failure(code)
        kind = int(plain.kind)
        if kind in (_TEXT, _BYTES):
            return kind, text(said) if kind == _TEXT else said
        if kind == _INT:
            return kind, int(said, 16) if plain.big else int(plain.number)
        if kind == _FLOAT:
            return kind, float(plain.real)
        return kind, bool(plain.number) if kind == _BOOL else None

    @property
    def value(self) -> Value:
        """The value of None, a bool, int, float, str or bytes (or a subclass); else an Error.

        The `str` of Python 2 is a str where it is ASCII, else bytes.
        """
        kind, value = self._read()
        return _two(value) if kind == _BYTES and self.type != "bytes" else value

    def __repr__(self) -> str:
        try:
            buffer = self._target._buffer
            code = C.object_repr(self._alive(), buffer.handle)
            said = buffer.take()
            if code < 0:
                raise self._target._failure(code)
        except Error as error:
            return "<%s>" % error
        return text(said) or ""

    def __str__(self) -> str:
        """A text itself, without quotes; for others the repr."""
        value = self._plain()
        return value if isinstance(value, str) else repr(self)

    # --- attributes and items ---

    def _give(self, function: Any, kind: Any, *arguments: Any) -> "Object":
        found = _Object()
        code = function(self._alive(), *arguments, ctypes.byref(found))
        if code < 0:
            raise self._target._failure(code, kind)
        return Object(self._target, found)

    def attr_(self, name: str) -> "Object":
        """The attribute, whatever it is called."""
        return self._give(C.object_attr, NoAttribute, name.encode("utf-8", "surrogatepass"))

    def __getattr__(self, name: str) -> "Object":
        return self.attr_(name)

    def attrs_(self) -> Iterator[Tuple[str, "Object"]]:
        """Its own attributes: what __dict__ and __slots__ have."""
        at, found = ctypes.c_uint64(), NamedObject()
        while True:
            code = C.object_attr_next(self._alive(), ctypes.byref(at), ctypes.byref(found))
            if code < 0:
                raise self._target._failure(code)
            if code != ITEM:
                return
            yield text(found.name) or "", Object(
                self._target, _Object.from_buffer_copy(found.value)
            )

    def __getitem__(self, key: Any) -> "Object":
        return self._give(C.object_item, NoItem, _key(key).encode("utf-8", "surrogatepass"))

    def __len__(self) -> int:
        found = ctypes.c_uint64()
        code = C.object_length(self._alive(), ctypes.byref(found))
        if code < 0:
            raise self._target._failure(code)
        return int(found.value)

    def _walk(self) -> Iterator[Tuple[Optional["Object"], "Object"]]:
        at = ctypes.c_uint64()
        while True:
            key, value = _Object(), _Object()
            code = C.object_next(
                self._alive(), ctypes.byref(at), ctypes.byref(key), ctypes.byref(value)
            )
            if code < 0:
                raise self._target._failure(code)
            if code != ITEM:
                return
            target = self._target
            yield Object(target, key) if key.of else None, Object(target, value)

    def __iter__(self) -> Iterator["Object"]:
        """Keys of a mapping, items of another container; in the dict's own order."""
        return (value if key is None else key for key, value in self._walk())

    def items_(self) -> Iterator[Tuple["Object", "Object"]]:
        """(key, value) of a mapping; Error where it is not one."""
        for key, value in self._walk():
            if key is None:
                raise Error("%s is not a mapping" % self.type)
            yield key, value

    def keys_(self) -> Iterator["Object"]:
        return (key for key, _ in self.items_())

    def values_(self) -> Iterator["Object"]:
        return (value for _, value in self.items_())

    def get_(self, key: Any, default: Any = None) -> Any:
        """The item, or the default where there is none."""
        try:
            return self[key]
        except NoItem:
            return default

    def refs_(self) -> List["Referrer"]:
        """Who refers to it."""
        at, found = ctypes.c_uint(), _Referrer()
        referrers: List[Referrer] = []
        while True:
            code = C.referrer_next(self._alive(), ctypes.byref(at), ctypes.byref(found))
            if code < 0:
                raise self._target._failure(code)
            if code != ITEM:
                return referrers
            who = _Object.from_buffer_copy(found.object)
            referrers.append(
                Referrer(
                    (found.kind or b"").decode(),
                    text(found.slot),
                    Object(self._target, who) if who.of else None,
                    int(found.addr),
                    int(found.tid) or None,
                    bool(found.certain),
                )
            )

    # --- as a value ---

    def _plain(self) -> Any:
        """The value, or the object itself where it has none."""
        try:
            return self.value
        except Error:
            return self

    def __contains__(self, wanted: Any) -> bool:
        for key, value in self._walk():
            if (value if key is None else key) == wanted:
                return True
        return False

    def __eq__(self, other: Any) -> bool:
        if other is self:
            return True
        if isinstance(other, Object):
            if self.address and self.address == other.address:
                return self._target is other._target
            other = other._plain()
            if isinstance(other, Object):
                return False
        mine = self._plain()
        if isinstance(mine, str) and isinstance(other, bytes):  # of Python 2
            kind, value = self._read()
            return kind == _BYTES and value == other
        return not isinstance(mine, Object) and bool(mine == other)

    def __hash__(self) -> int:
        mine = self._plain()
        return hash(self.address) if mine is self else hash(mine)

    def __bool__(self) -> bool:
        """Of plain values and containers what Python says; else True: no __bool__() is run."""
        mine = self._plain()
        if mine is not self:
            return bool(mine)
        try:
            return len(self) > 0
        except Error:
            return True

    def __int__(self) -> int:
        return int(self.value)  # type: ignore[arg-type]

    def __float__(self) -> float:
        return float(self.value)  # type: ignore[arg-type]

    def __index__(self) -> int:
        value = self.value
        if not isinstance(value, int):
            raise TypeError("%s is not an integer" % self.type)
        return value

    def __format__(self, form: str) -> str:
        mine = self._plain()
        return format(str(self) if mine is self or mine is None else mine, form)

    def __dir__(self) -> List[str]:
        try:
            theirs = [name for name, _ in self.attrs_()]
        except Error:
            theirs = []
        return sorted(set(theirs) | set(object.__dir__(self)))


def _two(said: Any) -> Union[str, bytes]:
    """What Python 2 calls str."""
    try:
        return str(said.decode("ascii"))
    except UnicodeDecodeError:
        return bytes(said)


class Referrer(NamedTuple):
    """Who refers to an object."""

    kind: str  # "object", "frame", "task", "thread", "static" ...
    slot: Optional[str]  # ".name", "['key']", "[3]", a variable; None: not known
    object: Optional[Object]  # who; None: not an object
    address: int  # of the object, frame, thread state, or the word
    tid: Optional[int]  # a thread's
    certain: bool  # False: a word that may be something else
