"""A target: its threads, frames, tasks and objects. Attributes are called what JSON calls them."""
import contextlib
import ctypes
import json
import os
import shlex
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

from ._frames import Record, Task, Thread
from ._library import ITEM, NOT_FOUND, RAW, STOPPED, Buffer, C, Error, commands, fail, walk
from ._library import Object as _Object
from ._objects import Object, Referrer

_LIMITS = {"limit": 0, "max_tasks": 1, "max_items": 2, "max_depth": 3, "max_string": 4}
_LIMITS["max_text"] = 5  # enum scry_limit


class Heap:
    """All objects of a target."""

    def __init__(self, target: "Target") -> None:
        self._target = target

    def _answer(self, *words: str) -> Record:
        return dict(self._target.command("heap", *words)["heap"])

    def types(self, by: str = "size") -> List[Record]:
        """[{"type": "module.Type", "count": ..., "bytes": ...}], sorted by "size", "count",
        "type", or summed up by "module"."""
        return list(self._answer("--by", by)["types"])

    def count(self, name: str) -> int:
        """How many objects of a type there are ("module.Type"), 0 where there is none."""
        return sum(row["count"] for row in self.types() if row["type"] == name)

    def memory(self) -> List[Record]:
        """Where the memory of the process is."""
        return list(self._answer()["memory"])


class Target:
    """A core, a minidump or a process. Made by pyscry.open() and pyscry.current().

    Use it in one thread at a time. It is a context manager, and closed at its end.
    """

    def __init__(self, session: int, owner: Any = None) -> None:
        self._session, self._owner = session, owner
        self._buffer = Buffer()
        self._kept: Dict[str, Any] = {}
        self._kept_of = -1

    # --- its life ---

    @property
    def _generation(self) -> int:
        return int(C.session_generation(self._session)) if self._session else -1

    def _check(self, generation: int) -> None:
        if not self._session:
            raise Error("the target is closed")
        if generation != self._generation:
            raise Error("it is dead: the target was read again since (refresh)")

    def _alive(self) -> int:
        if not self._session:
            raise Error("the target is closed")
        return self._session

    def _failure(self, code: int, kind: Callable[..., Error] = Error) -> BaseException:
        """What to raise after a failure. Of what Ctrl-C ended nothing is kept: it may be wrong."""
        if code != STOPPED:
            return fail(self._session, code, kind)
        if self._owner is None:
            self.refresh()
        elif self._owner is not True:
            self._owner.stopped = True  # the debugger's plugin takes another one from then on
        return KeyboardInterrupt()

    def close(self) -> None:
        """Let go of it. Everything that it handed out is dead then."""
        session, self._session = self._session, 0
        if session and self._owner is None:
            C.session_free(session)
        self._owner = self._owner and True

    def __enter__(self) -> "Target":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_session", 0):
            self.close()

    def refresh(self) -> None:
        """Forget what was read, since a process has run on. What was handed out is dead then."""
        C.session_refresh(self._alive())

    @contextlib.contextmanager
    def stopped(self) -> Iterator["Target"]:
        """Stop a process, for all that is read in this block to be of one moment: for the option
        `hold` at most, in seconds (0.5). Nothing where there is nothing to stop."""
        self.refresh()
        code = C.session_hold(self._alive())
        if code < 0:
            raise self._failure(code)
        try:
            yield self
        finally:
            if self._session:
                C.session_release(self._session)

    def set(self, name: str, value: Union[str, int, bool]) -> None:
        """An option of the library's, as in open()."""
        if name in _LIMITS:
            C.session_set_limit(self._alive(), _LIMITS[name], int(value))
            return
        word = str(int(value)) if isinstance(value, bool) else str(value)
        code = C.session_set(self._alive(), name.replace("_", "-").encode(), os.fsencode(word))
        if code < 0:
            raise self._failure(code)

    # --- threads and tasks ---

    def _keep(self, name: str, make: Any) -> Any:
        """A list that is made once, until the target is read again."""
        self._alive()
        generation = self._generation
        if self._kept_of != generation:
            self._kept, self._kept_of = {}, generation
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @property
    def threads(self) -> Tuple[Thread, ...]:
        """Every thread, in the order of the command threads."""

        def make() -> Tuple[Thread, ...]:
            return tuple(
                Thread(self, at) for at in walk(self._session, C.thread_next, self._session)
            )

        return tuple(self._keep("threads", make))

    @property
    def thread(self) -> Thread:
        """The thread that commands act on: the crashed one, or what the debugger shows."""
        for thread in self.threads:
            if thread.json()["selected"]:
                return thread
        raise Error("no thread is selected")

    def _tasks(self, command: str) -> Tuple[Task, ...]:
        def make() -> Tuple[Task, ...]:
            found = walk(self._session, C.task_next, self._session, command.encode())
            return tuple(Task(self, at) for at in found)

        return tuple(self._keep(command, make))

    @property
    def tasks(self) -> Tuple[Task, ...]:
        """Tasks of asyncio, trio and curio."""
        return self._tasks("tasks")

    @property
    def greenlets(self) -> Tuple[Task, ...]:
        return self._tasks("greenlets")

    @property
    def tasklets(self) -> Tuple[Task, ...]:
        return self._tasks("tasklets")

    @property
    def generators(self) -> Tuple[Task, ...]:
        """Generators and coroutines that are suspended."""
        return self._tasks("generators")

    # --- objects ---

    def object(self, address: int) -> Object:
        """The object at an address; Error where there is none."""
        found = _Object()
        code = C.object_at(self._alive(), address, ctypes.byref(found))
        if code < 0:
            raise self._failure(code)
        return Object(self, found)

    def _eval(self, frame: Optional[int], expression: str) -> Object:
        found = _Object()
        said = expression.encode("utf-8", "surrogatepass")
        code = C.object_eval(self._alive(), frame, said, ctypes.byref(found))
        if code < 0:
            raise self._failure(code)
        return Object(self, found)

    def eval(self, expression: str) -> Object:
        """What the command print finds without a frame: "package.module:NAME", "@0x7f01"."""
        return self._eval(None, expression)

    def find(self, name: str) -> Iterator[Object]:
        """Every object of a type: "module.Type", or "Type" where no type is called that as a whole.
        Not of subclasses. Nothing where there is no such type."""
        at, said = ctypes.c_uint64(), name.encode("utf-8", "surrogatepass")
        generation = self._generation
        while True:
            found = _Object()
            self._check(generation)
            code = C.instance_next(self._session, said, ctypes.byref(at), ctypes.byref(found))
            if code == NOT_FOUND:
                return
            if code < 0:
                raise self._failure(code)
            if code != ITEM:
                return
            yield Object(self, found)

    def refs(self, what: Union[Object, int]) -> List[Referrer]:
        """Who refers to an object."""
        return (what if isinstance(what, Object) else self.object(what)).refs_()

    @property
    def heap(self) -> Heap:
        return Heap(self)

    # --- commands ---

    def _run(self, name: str, line: str) -> Tuple[int, str, str]:
        out, err = self._buffer, Buffer()
        status = C.command_run(
            self._alive(), name.encode(), os.fsencode(line), out.handle, err.handle
        )
        said, why = out.take(), err.take()
        if status == 3:
            raise self._failure(STOPPED)
        return status, said.decode("utf-8", "backslashreplace"), why.decode("utf-8", "replace")

    def command(self, name: str, *words: Any, **options: Any) -> Record:
        """What a command says with --json: command("bt", "--all"), command("bt", all=True,
        limit=3), command("print", "sys:path"). Error where it says nothing; what is missing is in
        "errors"."""
        status, said, why = self._run(name, "--json " + _line(name, words, options))
        if status == 2:
            raise Error(why.rstrip("\n") or "nothing could be shown")
        return dict(json.loads(said))

    def text(self, name: str, *words: Any, **options: Any) -> str:
        """The same as text."""
        status, said, why = self._run(name, _line(name, words, options))
        if status == 2:
            raise Error(why.rstrip("\n") or "nothing could be shown")
        return said

    @property
    def target(self) -> Record:
        """What is known of it: kind, path, pid, signal, exe, command ..."""
        return dict(self._keep("info", lambda: self.command("threads"))["target"])

    @property
    def runtimes(self) -> List[Record]:
        """The Pythons in it."""
        return list(self._keep("info", lambda: self.command("threads"))["runtimes"])

    def __repr__(self) -> str:
        if not self._session:
            return "<closed target>"
        info = self.target
        return "<%s %s>" % (info["kind"], info.get("path") or info.get("pid"))


def _line(name: str, words: Any, options: Dict[str, Any]) -> str:
    line: List[str] = []
    for key, value in options.items():
        if value is not None and value is not False:
            line.append("--" + key.replace("_", "-"))
            if value is not True:
                line.append(shlex.quote(str(value)))
    short = name[3:] if name.startswith("py-") else name
    raw = any(row.name == short.encode() and row.flags & RAW for row in commands())
    # an expression is taken as it is typed
    return " ".join(line + [str(word) if raw else shlex.quote(str(word)) for word in words])


def open_target(what: Union[str, int, "os.PathLike[str]"], options: Dict[str, Any]) -> Target:
    session = C.session_new()
    if not session:
        raise MemoryError()
    target = Target(session)
    try:
        target.set("interruptible", True)
        for name, value in options.items():
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if each is not None:
                    target.set(name, each)
        if isinstance(what, int):
            code = C.session_open_pid(session, what)
        else:
            code = C.session_open_dump(session, os.fsencode(os.fspath(what)))
        if code < 0:
            raise fail(session, code)
    except BaseException:
        target.close()
        raise
    return target
