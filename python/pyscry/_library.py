"""libpyscry through ctypes: finding it, its structs and functions. Python 3.6 and newer."""
import ctypes
import importlib
import os
import re
from typing import Any, Callable, Iterator, List, Optional

HERE = os.path.dirname(os.path.realpath(__file__))
SONAME = "libpyscry.so.0"

OK, ITEM, NOT_FOUND, STOPPED = 0, 1, -5, -10  # enum scry_result
MOVES, RAW, VALUE, MACHINE = 1, 2, 8, 32  # enum scry_command_flags


class Error(Exception):
    """What pyscry could not do, and why. `code` is the library's number for it (enum scry_result),
    0 where there is none."""

    code = 0

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class NoAttribute(Error, AttributeError):
    """The object has no such attribute, or code of the target's would have to run to get it."""


class NoItem(Error, KeyError, IndexError):
    """The container has no such item, or code of the target's would have to run to get it."""


class Object(ctypes.Structure):
    """struct scry_object"""

    _fields_ = [
        ("addr", ctypes.c_uint64),
        ("session", ctypes.c_void_p),
        ("of", ctypes.c_void_p),
        ("value", ctypes.c_void_p),
        ("generation", ctypes.c_uint64),
    ]


class NamedObject(ctypes.Structure):
    """struct scry_named_object"""

    _fields_ = [("name", ctypes.c_char_p), ("kind", ctypes.c_char_p), ("value", Object)]


class Plain(ctypes.Structure):
    """struct scry_plain"""

    _fields_ = [
        ("kind", ctypes.c_int),
        ("big", ctypes.c_bool),
        ("number", ctypes.c_int64),
        ("real", ctypes.c_double),
    ]


class Referrer(ctypes.Structure):
    """struct scry_referrer"""

    _fields_ = [
        ("kind", ctypes.c_char_p),
        ("slot", ctypes.c_char_p),
        ("object", Object),
        ("addr", ctypes.c_uint64),
        ("tid", ctypes.c_uint64),
        ("certain", ctypes.c_bool),
    ]


class Place(ctypes.Structure):
    """struct scry_location"""

    _fields_ = [(n, ctypes.c_int) for n in ("line", "end_line", "column", "end_column")]


class Command(ctypes.Structure):
    """struct scry_command"""

    _fields_ = [(n, ctypes.c_char_p) for n in ("name", "usage", "summary", "help")] + [
        ("flags", ctypes.c_uint)
    ]


# how the functions of the header are called: the result, then the arguments. s a session or handle,
# b a buffer, t text, p a pointer that is written to, o an object, i int, u unsigned, l uint64_t,
# c a bool, z size_t, v nothing, C a command's row
_SIGNATURES = """
version t | session_new s | session_free v s | session_set i s t t | session_set_limit v s i l
session_stop v s | session_open_dump i s t | session_open_pid i s i | session_refresh v s
session_error t s | session_select i s l | session_hold i s | session_release v s
session_generation l s | buf_new b | buf_free v b | buf_text s b | buf_len z b | buf_clear v b
session_open_host i s p p i | session_set_signal i s l i p | session_number i s l u
command_at C u | command_run i s t t b b | command_complete i s t t b
pointer_type t u | pointer_text i s t l l b
thread_next i s p | thread_tid l s | thread_name t s | thread_flags u s | thread_error t s
thread_json i s b | frame_next i s p | frame_next_native i s p | frame_next_of_task i s p
frame_kind t s | frame_depth q s | frame_address l s | frame_function t s | frame_qualname t s
frame_file t s | frame_module t s | frame_place i s p | frame_error t s | frame_json i s b
frame_code s s | code_name t s | code_qualname t s | code_file t s | code_first_line i s
code_address l s | frame_variable_next i s p p
object_at i s l p | object_eval i s s t p | object_type t o | object_class i o p
object_repr i o b | object_attr i o t p | object_attr_next i o p p | object_item i o t p
object_length i o p | object_next i o p p p | object_plain i o p b
task_next i s t p | task_kind t s | task_id l s | task_name t s | task_state t s
task_thread s s | task_json i s b | instance_next i s t p p | referrer_next i o p p
"""
_TYPES = {
    "v": None,
    "s": ctypes.c_void_p,
    "b": ctypes.c_void_p,
    "t": ctypes.c_char_p,
    "p": ctypes.c_void_p,
    "o": ctypes.POINTER(Object),
    "i": ctypes.c_int,
    "u": ctypes.c_uint,
    "l": ctypes.c_uint64,
    "q": ctypes.c_int64,
    "z": ctypes.c_size_t,
    "C": ctypes.POINTER(Command),
}


def _installed(name: str) -> Optional[str]:
    try:  # written by `meson install`
        return str(getattr(importlib.import_module(__package__ + "._installed"), name))
    except ImportError:
        return None


def _beside(here: str, built: str, installed: str) -> List[str]:
    """Files of a wheel, of the build tree, of an installation, as far as they are there."""
    top = os.path.dirname(os.path.dirname(HERE))
    paths = [os.path.join(HERE, here), os.path.join(top, "build", *built.split("/"))]
    return [path for path in paths + [_installed(installed) or ""] if os.path.isfile(path)]


def program() -> str:
    """The path of the program pyscry; Error where there is none."""
    import shutil

    found = _beside("bin/pyscry", "src/cli/pyscry", "PROGRAM")
    other = shutil.which("pyscry")
    if not found and not other:
        raise Error("the program pyscry is neither installed nor built")
    return found[0] if found else str(other)


def _load() -> ctypes.CDLL:
    chosen = os.environ.get("PYSCRY_LIBRARY")
    paths = [chosen] if chosen else _beside(SONAME, "libpyscry.so", "LIBRARY") + [SONAME]
    problems = []
    for path in paths:
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            problems.append(str(error))
    raise ImportError(
        "pyscry's library cannot be loaded (install it, build it, or set PYSCRY_LIBRARY): "
        + "; ".join(problems)
    )


class _Library:
    """The functions, by their names without "scry_"."""

    def __init__(self) -> None:
        library = _load()
        for result in re.split(r"[|\n]", _SIGNATURES):
            words = result.split()
            if not words:
                continue
            try:
                function = getattr(library, "scry_" + words[0])
            except AttributeError:
                raise ImportError(
                    "%s is too old: it has no scry_%s" % (library._name, words[0])
                ) from None
            function.restype = _TYPES[words[1]]
            function.argtypes = [_TYPES[word] for word in words[2:]]
            setattr(self, words[0], function)

    def __getattr__(self, name: str) -> Any:  # for type checkers: all are set above
        raise AttributeError(name)


C = _Library()


def commands() -> List[Command]:
    """The rows of the command table."""
    rows: List[Command] = []
    while True:
        row = C.command_at(len(rows))
        if not row:
            return rows
        rows.append(row.contents)


def text(said: Optional[bytes]) -> Optional[str]:
    """A text of the library's: WTF-8, where a lone surrogate has its own three bytes. Bytes that
    are not characters (damaged memory) become U+FFFD."""
    if said is None:
        return None
    try:
        return said.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return said.decode("utf-8", "replace")


def fail(session: int, code: int, kind: Callable[..., Error] = Error) -> Error:
    """What to raise after a failure."""
    error = kind(C.session_error(session).decode("utf-8", "replace"))
    error.code = code
    return error


class Buffer:
    """struct scry_buf, for one call after the other."""

    def __init__(self) -> None:
        self.handle = C.buf_new()
        if not self.handle:
            raise MemoryError()

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            C.buf_free(self.handle)

    def take(self) -> bytes:
        """What was put into it; it is empty then."""
        said = ctypes.string_at(C.buf_text(self.handle), C.buf_len(self.handle))
        C.buf_clear(self.handle)
        return said


def walk(session: int, function: Any, *arguments: Any) -> Iterator[int]:
    """The handles of a walk; Error where it fails."""
    at = ctypes.c_void_p()
    while True:
        code = function(*arguments, ctypes.byref(at))
        if code < 0:
            raise fail(session, code)
        if code != ITEM or at.value is None:
            return
        yield at.value
