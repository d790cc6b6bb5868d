"""Commands as a debugger runs them: the table of commands, a session over a debugger's target, and
what else an adapter (plugin/) needs."""
import ctypes
import json
import os
import re
from typing import Any, Callable, Container, Dict, Iterable, List, Optional, Tuple, Union

from ._host import MAP, Host, HostOps, lend
from ._library import MACHINE, VALUE, Buffer, C, Error

Said = Tuple[int, str, str]  # status (0 all shown, 1 partial, 2 nothing), text, reasons


class Stopped(Exception):
    """Ctrl-C: the command was ended, and the session knows nothing for sure any more."""


def _encode(text: Union[str, bytes]) -> bytes:
    return os.fsencode(text) if isinstance(text, str) else text


def pointer_types() -> List[str]:
    """Names of C types that pointer_text() knows; "*" in one stands for any characters."""
    found: List[str] = []
    while True:
        name = C.pointer_type(len(found))
        if name is None:
            return found
        found.append(name.decode())


_pointer_types = re.compile(
    "^(%s)$" % "|".join(name.replace("*", r"\w*") for name in pointer_types())
)


def printable(text: str) -> str:
    """A name of the target's, for a terminal: what would act there, not show, is escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def is_pointer_type(name: str) -> bool:
    return _pointer_types.match(name) is not None


def run_value(
    session: "Session", row: Any, arguments: str, evaluate: Callable[[str], Optional[int]]
) -> Said:
    """A command; where its argument is not a value of Python's but one of the debugger's, on that.
    `evaluate` gives an address or None."""
    name = row.name.decode()
    said = session.run(name, arguments)
    if said[0] < 2 or not row.flags & VALUE:
        return said
    options = "".join(re.findall(r"\A(?:\s*-\S+)*\s*", arguments))
    expression = arguments[len(options) :]
    word = evaluate(expression.strip()) if expression.strip() else None
    return said if word is None else session.run(name, "%s @0x%x" % (options, word))


def with_head(session: "Session", row: Any, arguments: str) -> str:
    """The first `bt` of a crash begins with what happened, for people: not where the output is
    read by a program, which gets the same text each time."""
    first = session.told is False and row.name == b"bt" and not arguments.strip()
    if not first or not os.isatty(1):
        return arguments
    session.told = True
    return "--summary"


def needs_no_target(row: Any, arguments: str) -> bool:
    return bool(row.flags & MACHINE) or arguments.split()[:1] in (["--help"], ["-h"])


def help_of(row: Any, prefix: str = "py-") -> str:
    """A command's help, as debuggers show it: the first line is a summary."""
    return "%s\n\nUsage: %s%s %s\n\n%s\n\n%s%s --help lists all options." % (
        row.summary.decode(),
        prefix,
        row.name.decode(),
        row.usage.decode(),
        row.help.decode(),
        prefix,
        row.name.decode(),
    )


class Session:
    """One target. Set options first, then open it."""

    def __init__(self, **options: Any) -> None:
        self._ops: Optional[HostOps] = None
        self._host: Optional[Host] = None
        self._numbers: Dict[int, int] = {}
        self.stopped = False  # it is of no use from then on
        self.told = True  # what happened: False where that is still to be said
        self._selected: Optional[int] = None
        self.handle = C.session_new()
        if not self.handle:
            raise MemoryError()
        for name, value in dict(options, prefix="py-", interruptible="1").items():
            if value:
                self.set(name.replace("_", "-"), value)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if self.handle:
            C.session_free(self.handle)
        self.handle = None

    def _check(self, code: int) -> None:
        if code < 0:
            raise Error(C.session_error(self.handle).decode("utf-8", "replace"))

    def set(self, name: str, value: str) -> None:
        self._check(C.session_set(self.handle, _encode(name), _encode(value)))

    def open_dump(self, path: str) -> None:
        self._check(C.session_open_dump(self.handle, _encode(path)))
        self.told = False

    def open_host(self, host: Host) -> None:
        ops = lend(host, self.stop)
        if host.maps() is None:
            ops.map = ctypes.cast(ctypes.c_void_p(), MAP)
        self._host, self._ops = host, ops  # the library calls them as long as the session lives
        self._check(C.session_open_host(self.handle, ctypes.byref(ops), None, host.pid))

    def set_signal(self, tid: int, signal: int, fault: Optional[int] = None) -> None:
        """Which signal stopped a debugger's target; it holds until refresh."""
        address = None if fault is None else ctypes.byref(ctypes.c_uint64(fault))
        self._check(C.session_set_signal(self.handle, tid, signal, address))

    def stop(self) -> None:
        """End the command under way: it raises Stopped."""
        self.stopped = True
        C.session_stop(self.handle)

    def refresh(self, keep: bool = False) -> None:
        """Forget all that was read. With `keep` the frame stays selected: the target did not
        run."""
        number, tid = self._frame_number() if keep else 0, self._selected
        C.session_refresh(self.handle)
        self._selected = None
        if keep and tid is not None:
            self.select(tid)
            if number:
                self.run("frame", str(number))

    def _frame_number(self) -> int:
        """The selected frame's number; 0 where there is none."""
        found = re.match(r"#(\d+) ", self.run("frame", "--color=never")[1])
        return int(found.group(1)) if found else 0

    def number(self, numbers: Iterable[Tuple[int, int]]) -> None:
        """(tid, number) of the debugger's threads: commands call them so."""
        for tid, number in dict(numbers).items():
            if tid and number and self._numbers.get(tid) != number:
                C.session_number(self.handle, tid, number)
                self._numbers[tid] = number

    def select(self, tid: int) -> bool:
        """Follow the debugger to a thread; what was selected here stays while its choice does. Is
        it another?"""
        if tid == self._selected:
            return False
        C.session_select(self.handle, tid)
        self._selected = tid
        return True

    def _with_buffers(self, function: Callable[[int, int], Any]) -> Said:
        out, err = Buffer(), Buffer()
        status = int(function(out.handle, err.handle))
        shown, reasons = (b.take().decode("utf-8", "backslashreplace") for b in (out, err))
        return status, shown, reasons

    def run(self, name: str, arguments: str = "") -> Said:
        """(status, text, reasons); status is 0 all shown, 1 partial, 2 nothing."""
        said = self._with_buffers(
            lambda out, err: C.command_run(self.handle, _encode(name), _encode(arguments), out, err)
        )
        if said[0] == 3:
            self.stopped = True
            raise Stopped("Quit")
        return said

    def runs(self, tid: int, most: int = 0) -> List[Tuple[int, List[Any]]]:
        """[(pc, frames)]: a thread's C frames that run Python code, newest first, and the Python
        frames of each.

        `most` frames of both kinds are looked at, 0: all.
        """
        runs: List[Tuple[int, List[Any]]] = []
        number = 0
        for frame in self.answer("bt", tid, "--native --limit %d" % most)["threads"][0]["frames"]:
            if frame["kind"] == "native":
                if frame.get("runs_python"):
                    runs.append((int(frame["address"], 16), []))
                continue
            frame["number"] = number
            number += 1
            if runs:
                runs[-1][1].append(frame)
        return [run for run in runs if run[1]]

    def answer(self, name: str, tid: int, words: str) -> Any:
        return json.loads(self.run(name, "--json --thread %d %s" % (tid, words))[1])

    def follow_frame(self, tid: int, newer: Iterable[int], older: Container[int]) -> None:
        """Select the Python frame at a C frame, or the next older one. `older` are the pcs of it
        and those after it."""
        newer = list(newer)
        for most in 8 * len(newer) + 256, 0:  # not all of a deep stack where a part will do
            runs = iter(self.runs(tid, most))
            run = next(runs, None)
            for pc in newer:
                if run is not None and pc == run[0]:
                    run = next(runs, None)
            if run is not None:
                break
        if run is not None and run[0] in older:
            self.run("frame", str(run[1][0]["number"]))

    def complete(self, name: str, word: str) -> Said:
        return self._with_buffers(
            lambda out, err: C.command_complete(self.handle, _encode(name), _encode(word), out)
        )

    def pointer_text(self, kind: Optional[str], word: int, most: int = 0) -> Optional[str]:
        """What to show for a pointer of a C type (None: any object), cut at `most` bytes; None:
        only the pointer."""
        status, text, _ = self._with_buffers(
            lambda out, err: C.pointer_text(
                self.handle, _encode(kind) if kind else None, word, most, out
            )
        )
        return text if status >= 0 else None


def complete(name: str, word: str, session: Optional["Session"] = None) -> List[str]:
    """Completions of an argument of a command, each once; `session` knows the names of its
    target."""
    _, text, _ = (session or Session()).complete(name, word)
    return sorted(set(text.split()))
