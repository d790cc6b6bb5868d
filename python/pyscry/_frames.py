"""Threads, tasks and frames. Attributes are called what JSON calls them."""
import ctypes
import json
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from ._library import ITEM, C, Error, NamedObject, Place, text, walk
from ._library import Object as _Object
from ._objects import Object

if TYPE_CHECKING:
    from ._target import Target

# enum scry_thread_flags
_PYTHON, _MAIN, _CRASHED, _HAS_GIL, _WANTS_GIL, _IN_GC = (1 << bit for bit in range(6))
Record = Dict[str, Any]


class Locals(Dict[str, Object]):
    """The variables of a frame by name, in source order. `error`: why some are missing, or None."""

    error: Optional[str] = None


class Code:
    """The code of a frame."""

    def __init__(self, target: "Target", handle: int) -> None:
        self.name = text(C.code_name(handle)) or "?"
        self.qualname = text(C.code_qualname(handle))  # None before 3.11
        self.file = text(C.code_file(handle)) or "?"
        self.first_line = int(C.code_first_line(handle))
        self.address = int(C.code_address(handle))

    def __repr__(self) -> str:
        return "<code %s (%s:%d)>" % (self.qualname or self.name, self.file, self.first_line)


class _Handle:
    """What the library handed out: dead once the target is read again."""

    __slots__ = ("_target", "_at", "_generation", "_said")

    def __init__(self, target: "Target", at: int) -> None:
        self._target, self._at, self._generation = target, at, target._generation
        self._said: Optional[Record] = None

    def _handle(self) -> int:
        self._target._check(self._generation)
        return self._at

    def _json(self, function: Any) -> Record:
        if self._said is None:
            buffer = self._target._buffer
            code = function(self._handle(), buffer.handle)
            said = buffer.take()
            if code < 0:
                raise self._target._failure(code)
            self._said = json.loads(said.decode("utf-8"))
        return dict(self._said)

    def json(self) -> Record:
        """Everything that the command says about it with --json, as a dict."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """Other keys of its JSON."""
        if name.startswith("_"):
            raise AttributeError(name)
        said = self.json()
        if name not in said:
            raise AttributeError("%s has no %r; there are: %s" % (self, name, ", ".join(said)))
        return said[name]

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Handle) and (self._target, self._at, self._generation) == (
            other._target,
            other._at,
            other._generation,
        )

    def __hash__(self) -> int:
        return hash(self._at)


class Frame(_Handle):
    """A frame of Python's, or of C in `Thread.native`."""

    __slots__ = ("_locals",)

    def __init__(self, target: "Target", at: int) -> None:
        super().__init__(target, at)
        self._locals: Optional[Locals] = None

    @property
    def kind(self) -> str:
        """ "python", "native" or "damaged"."""
        return str(C.frame_kind(self._handle()).decode())

    @property
    def number(self) -> Optional[int]:
        """As commands take it, 0 the newest; None of C frames."""
        depth = C.frame_depth(self._handle())
        return None if depth < 0 else int(depth)

    @property
    def address(self) -> int:
        return int(C.frame_address(self._handle()))

    @property
    def function(self) -> Optional[str]:
        return text(C.frame_function(self._handle()))

    @property
    def qualname(self) -> Optional[str]:
        return text(C.frame_qualname(self._handle()))

    @property
    def file(self) -> Optional[str]:
        return text(C.frame_file(self._handle()))

    @property
    def module(self) -> Optional[str]:
        """Of a C frame the file that has its code."""
        return text(C.frame_module(self._handle()))

    @property
    def line(self) -> Optional[int]:
        place = Place()
        C.frame_place(self._handle(), ctypes.byref(place))
        return int(place.line) or None

    @property
    def error(self) -> Optional[str]:
        """What is wrong with it."""
        return text(C.frame_error(self._handle()))

    @property
    def code(self) -> Optional[Code]:
        handle = C.frame_code(self._handle())
        return Code(self._target, handle) if handle else None

    @property
    def locals(self) -> Locals:
        """Variables by name. `locals.error` says why some are not known."""
        self._handle()
        if self._locals is None:
            self._locals = self._read_locals()
        return self._locals

    def _read_locals(self) -> Locals:
        found, at, named = Locals(), ctypes.c_uint(), NamedObject()
        while True:
            code = C.frame_variable_next(self._at, ctypes.byref(at), ctypes.byref(named))
            if code < 0:
                found.error = str(self._target._failure(code))
            if code != ITEM:
                return found
            value = _Object.from_buffer_copy(named.value)
            found[text(named.name) or "?"] = Object(self._target, value)

    def eval(self, expression: str) -> Object:
        """What the command print finds in this frame: "self.jobs[3].name"."""
        return self._target._eval(self._handle(), expression)

    def json(self) -> Record:
        return self._json(C.frame_json)

    def __repr__(self) -> str:
        return "<frame %s (%s:%s)>" % (self.qualname or self.function, self.file, self.line)


class Frames(Tuple[Frame, ...]):
    """A stack, newest first. `error`: why it is cut short, or None."""

    error: Optional[str] = None


def _frames(target: "Target", function: Any, handle: int) -> Frames:
    found: List[Frame] = []
    why = None
    try:
        for at in walk(target._session, function, handle):
            found.append(Frame(target, at))
    except Error as error:
        why = str(error)
    frames = Frames(found)
    frames.error = why
    return frames


class Thread(_Handle):
    """A thread of the target, Python's or not."""

    __slots__ = ("_frames", "_native")

    def __init__(self, target: "Target", at: int) -> None:
        super().__init__(target, at)
        self._frames: Optional[Frames] = None
        self._native: Optional[Frames] = None

    @property
    def tid(self) -> Optional[int]:
        """The system's id for it."""
        return int(C.thread_tid(self._handle())) or None

    @property
    def name(self) -> Optional[str]:
        """threading's name, else the system's."""
        return text(C.thread_name(self._handle()))

    def _flag(self, flag: int) -> bool:
        return bool(C.thread_flags(self._handle()) & flag)

    @property
    def python(self) -> bool:
        """It has Python state."""
        return self._flag(_PYTHON)

    @property
    def main(self) -> bool:
        return self._flag(_MAIN)

    @property
    def crashed(self) -> bool:
        return self._flag(_CRASHED)

    @property
    def gc(self) -> bool:
        """It collects garbage."""
        return self._flag(_IN_GC)

    @property
    def gil(self) -> Optional[str]:
        """ "held", "waiting", or None."""
        return "held" if self._flag(_HAS_GIL) else "waiting" if self._flag(_WANTS_GIL) else None

    @property
    def error(self) -> Optional[str]:
        """Why its frames are missing, or cut."""
        return text(C.thread_error(self._handle()))

    @property
    def frames(self) -> Frames:
        """Its Python frames, newest first."""
        handle = self._handle()
        if self._frames is None:
            self._frames = _frames(self._target, C.frame_next, handle)
        return self._frames

    @property
    def native(self) -> Frames:
        """C and Python frames as one stack, newest first."""
        handle = self._handle()
        if self._native is None:
            self._native = _frames(self._target, C.frame_next_native, handle)
        return self._native

    def json(self) -> Record:
        return self._json(C.thread_json)

    def __repr__(self) -> str:
        name = self.name
        return "<thread %s%s>" % (self.tid, "" if name is None else " %r" % name)


class Task(_Handle):
    """A task, greenlet, tasklet or generator."""

    __slots__ = ("_frames",)

    def __init__(self, target: "Target", at: int) -> None:
        super().__init__(target, at)
        self._frames: Optional[Frames] = None

    @property
    def kind(self) -> str:
        """ "asyncio", "greenlet" ..."""
        return str(C.task_kind(self._handle()).decode())

    @property
    def id(self) -> int:
        """Its id(): the address of its object."""
        return int(C.task_id(self._handle()))

    @property
    def name(self) -> Optional[str]:
        return text(C.task_name(self._handle()))

    @property
    def state(self) -> str:
        return str(C.task_state(self._handle()).decode())

    @property
    def thread(self) -> Optional[Thread]:
        """The thread that it belongs to."""
        handle = C.task_thread(self._handle())
        return Thread(self._target, handle) if handle else None

    @property
    def frames(self) -> Frames:
        """Its frames, newest first."""
        handle = self._handle()
        if self._frames is None:
            self._frames = _frames(self._target, C.frame_next_of_task, handle)
        return self._frames

    @property
    def object(self) -> Object:
        return self._target.object(self.id)

    def json(self) -> Record:
        return self._json(C.task_json)

    def __repr__(self) -> str:
        name = self.name
        return "<%s 0x%x%s>" % (self.kind, self.id, "" if name is None else " %r" % name)
