"""libpyscry through ctypes: what a debugger's adapter needs, and nothing of any debugger. Python
3.6 and newer."""
import ctypes
import json
import os
import re

HERE = os.path.dirname(os.path.realpath(__file__))

ITEM, OK, NOTFOUND = 1, 0, -5
MOVES, RAW, VALUE, MACHINE = 1, 2, 8, 32  # flags of commands


class Error(Exception):
    """A failure, with the library's words."""


class Stopped(Exception):
    """Ctrl-C: the command was ended, and the session knows nothing for sure any more."""


class Command(ctypes.Structure):
    """A row of the command table."""

    _fields_ = [(name, ctypes.c_char_p) for name in ("name", "usage", "summary", "help")] + [
        ("flags", ctypes.c_uint)
    ]


_uint64_p = ctypes.POINTER(ctypes.c_uint64)
_READ = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t
)
_THREAD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, _uint64_p)
_REG = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_char_p, _uint64_p)
_MAP = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_uint,
    _uint64_p,
    _uint64_p,
    _uint64_p,
    ctypes.POINTER(ctypes.c_uint),
    ctypes.POINTER(ctypes.c_char_p),
)


class _HostOps(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("read", _READ),
        ("thread", _THREAD),
        ("reg", _REG),
        ("map", _MAP),
    ]


class Host:
    """A debugger's target. An adapter overrides these; what it cannot tell stays as it is here."""

    pid = 0  # of a process on this machine, 0 for any other

    def read(self, address, length):
        """Bytes from `address` on, as many of `length` as can be read."""
        return b""

    def threads(self):
        """Ids of all threads, as the operating system numbers them."""
        return []

    def register(self, tid, name):
        """A register of a thread's innermost frame, or None."""
        return None

    def maps(self):
        """(start, end, offset, flags, path) of each mapping; None: the library looks in
        /proc/PID/maps."""
        return None


def _lend(host, session):
    """The C struct of callbacks for a host. Exceptions must not pass through C: they mean "not
    there"; Ctrl-C ends the command that asks."""
    items = {}

    def guarded(function):
        def call(*arguments):
            try:
                return function(*arguments)
            except KeyboardInterrupt:
                session.stop()
                return OK

        return call

    def read(_arg, address, buffer, length):
        try:
            data = host.read(address, length)
            ctypes.memmove(buffer, data, len(data))
            return len(data)
        except Exception:
            return 0

    def thread(_arg, index, ret):
        try:
            if index == 0:
                items["threads"] = list(host.threads())
            if index >= len(items["threads"]):
                return OK
            ret[0] = items["threads"][index]
            return ITEM
        except Exception:
            return OK

    def reg(_arg, tid, name, ret):
        try:
            value = host.register(tid, name.decode())
            if value is None:
                return NOTFOUND
            ret[0] = value & (2**64 - 1)
            return OK
        except Exception:
            return NOTFOUND

    def map_at(_arg, index, start, end, offset, flags, path):
        try:
            if index == 0:
                items["maps"] = list(host.maps() or [])
            if index >= len(items["maps"]):
                return OK
            start[0], end[0], offset[0], flags[0], text = items["maps"][index]
            items["path"] = ctypes.c_char_p(os.fsencode(text or ""))  # kept until the next call
            path[0] = items["path"]
            return ITEM
        except Exception:
            return OK

    return _HostOps(
        ctypes.sizeof(_HostOps),
        _READ(guarded(read)),
        _THREAD(guarded(thread)),
        _REG(guarded(reg)),
        _MAP(guarded(map_at)),
    )


def _candidates():
    chosen = os.environ.get("PYSCRY_LIBRARY")
    if chosen:
        return [chosen]
    found = [os.path.join(os.path.dirname(HERE), "build", "libpyscry.so")]
    try:
        import installed  # written by `meson install`

        found.append(installed.LIBRARY)
    except ImportError:
        pass
    return [path for path in found if os.path.exists(path)] + ["libpyscry.so.0"]


def _load():
    problems = []
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            problems.append(str(error))
    raise Error(
        "pyscry's library cannot be loaded (build it, or set PYSCRY_LIBRARY): "
        + "; ".join(problems)
    )


def _declare(library):
    session, text, buf = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
    for name, result, arguments in (
        ("session_new", session, []),
        ("session_free", None, [session]),
        ("session_set", ctypes.c_int, [session, text, text]),
        ("session_open_dump", ctypes.c_int, [session, text]),
        (
            "session_open_host",
            ctypes.c_int,
            [session, ctypes.POINTER(_HostOps), ctypes.c_void_p, ctypes.c_int],
        ),
        ("session_set_signal", ctypes.c_int, [session, ctypes.c_uint64, ctypes.c_int, _uint64_p]),
        ("session_refresh", None, [session]),
        ("session_stop", None, [session]),
        ("session_error", text, [session]),
        ("session_select", ctypes.c_int, [session, ctypes.c_uint64]),
        ("session_number", ctypes.c_int, [session, ctypes.c_uint64, ctypes.c_uint]),
        ("buf_new", buf, []),
        ("buf_free", None, [buf]),
        ("buf_text", text, [buf]),
        ("command_at", ctypes.POINTER(Command), [ctypes.c_uint]),
        ("command_run", ctypes.c_int, [session, text, text, buf, buf]),
        ("command_complete", ctypes.c_int, [session, text, text, buf]),
        ("pointer_type", text, [ctypes.c_uint]),
        ("pointer_text", ctypes.c_int, [session, text, ctypes.c_uint64, ctypes.c_uint64, buf]),
    ):
        function = getattr(library, "scry_" + name, None)
        if function is not None:
            function.restype, function.argtypes = result, arguments
    return library


_library = _declare(_load())


def _encode(text):
    return os.fsencode(text) if isinstance(text, str) else text


def commands():
    """The rows of the command table."""
    index, rows = 0, []
    while True:
        row = _library.scry_command_at(index)
        if not row:
            return rows
        rows.append(row.contents)
        index += 1


def pointer_types():
    """Names of C types that pointer_text() knows; "*" in one stands for any characters."""
    found = []
    while True:
        name = _library.scry_pointer_type(len(found))
        if name is None:
            return found
        found.append(name.decode())


_pointer_types = re.compile(
    "^(%s)$" % "|".join(name.replace("*", r"\w*") for name in pointer_types())
)


def is_pointer_type(name):
    return _pointer_types.match(name) is not None


def run_value(session, row, arguments, evaluate):
    """A command; where its argument is no value of Python's, but one of the debugger's, on that.
    `evaluate` gives an address or None."""
    name = row.name.decode()
    said = session.run(name, arguments)
    if said[0] < 2 or not row.flags & VALUE:
        return said
    options, expression = re.match(r"((?:\s*-\S+)*\s*)(.*)$", arguments, re.S).groups()
    word = evaluate(expression.strip()) if expression.strip() else None
    return said if word is None else session.run(name, "%s @0x%x" % (options, word))


def with_head(session, row, arguments):
    """The first `bt` of a crash begins with what happened, for people: not where the output is
    read by a program, which gets the same text each time."""
    first = session.told is False and row.name == b"bt" and not arguments.strip()
    if not first or not os.isatty(1):
        return arguments
    session.told = True
    return "--summary"


def needs_no_target(row, arguments):
    return row.flags & MACHINE or arguments.split()[:1] in (["--help"], ["-h"])


def help_of(row, prefix="py-"):
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

    def __init__(self, **options):
        self._ops = self._host = None
        self._numbers = {}
        self.stopped = False  # then it is of no use any more
        self.told = True  # what happened: False where that is still to be told
        self._selected = None
        self._session = _library.scry_session_new()
        if not self._session:
            raise MemoryError()
        for name, value in dict(options, prefix="py-", interruptible="1").items():
            if value:
                self.set(name.replace("_", "-"), value)

    def __del__(self):
        self.close()

    def close(self):
        if self._session:
            _library.scry_session_free(self._session)
        self._session = None

    def _check(self, code):
        if code < 0:
            raise Error(_library.scry_session_error(self._session).decode("utf-8", "replace"))

    def set(self, name, value):
        self._check(_library.scry_session_set(self._session, _encode(name), _encode(value)))

    def open_dump(self, path):
        self._check(_library.scry_session_open_dump(self._session, _encode(path)))
        self.told = False

    def open_host(self, host):
        self._host, self._ops = host, _lend(host, self)
        if host.maps() is None:
            self._ops.map = _MAP()
        self._check(
            _library.scry_session_open_host(self._session, ctypes.byref(self._ops), None, host.pid)
        )

    def set_signal(self, tid, signal, fault=None):
        """By which signal a debugger's target stopped; it holds until refresh."""
        address = None if fault is None else ctypes.byref(ctypes.c_uint64(fault))
        self._check(_library.scry_session_set_signal(self._session, tid, signal, address))

    def stop(self):
        """End the command under way: it raises Stopped."""
        self.stopped = True
        _library.scry_session_stop(self._session)

    def refresh(self, keep=False):
        """Forget all that was read. With `keep` the frame stays selected: the target did not
        run."""
        number, tid = self._frame_number() if keep else 0, self._selected
        _library.scry_session_refresh(self._session)
        self._selected = None
        if keep and tid is not None:
            self.select(tid)
            if number:
                self.run("frame", str(number))

    def _frame_number(self):
        """Of the selected frame, 0 where there is none."""
        found = re.match(r"#(\d+) ", self.run("frame", "--color=never")[1])
        return int(found.group(1)) if found else 0

    def number(self, numbers):
        """(tid, number) of the debugger's threads: commands call them so."""
        for tid, number in dict(numbers).items():
            if tid and number and self._numbers.get(tid) != number:
                _library.scry_session_number(self._session, tid, number)
                self._numbers[tid] = number

    def select(self, tid):
        """Follow the debugger to a thread; what was selected here stays while its choice does. Is
        it another?"""
        if tid == self._selected:
            return False
        _library.scry_session_select(self._session, tid)
        self._selected = tid
        return True

    def _with_buffers(self, function):
        out, err = _library.scry_buf_new(), _library.scry_buf_new()
        try:
            status = function(out, err)
            return (status,) + tuple(
                (_library.scry_buf_text(b) or b"").decode("utf-8", "backslashreplace")
                for b in (out, err)
            )
        finally:
            _library.scry_buf_free(out)
            _library.scry_buf_free(err)

    def run(self, name, arguments=""):
        """(status, text, reasons); status is 0 all shown, 1 partial, 2 nothing."""
        said = self._with_buffers(
            lambda out, err: _library.scry_command_run(
                self._session, _encode(name), _encode(arguments), out, err
            )
        )
        if said[0] == 3:
            self.stopped = True
            raise Stopped("Quit")
        return said

    def runs(self, tid, most=0):
        """[(pc, frames)]: a thread's C frames that run Python code, newest first, and the Python
        frames of each.

        `most` frames of both kinds are looked at, 0: all.
        """
        runs, number = [], 0
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

    def answer(self, name, tid, words):
        return json.loads(self.run(name, "--json --thread %d %s" % (tid, words))[1])

    def follow_frame(self, tid, newer, older):
        """Select the Python frame at a C frame, or the next older one. `older` are the pcs of it
        and those behind."""
        newer = list(newer)
        for most in 8 * len(newer) + 256, 0:  # not all of a deep stack, where that is not needed
            runs = iter(self.runs(tid, most))
            run = next(runs, None)
            for pc in newer:
                if run is not None and pc == run[0]:
                    run = next(runs, None)
            if run is not None:
                break
        if run is not None and run[0] in older:
            self.run("frame", str(run[1][0]["number"]))

    def complete(self, name, word):
        return self._with_buffers(
            lambda out, err: _library.scry_command_complete(
                self._session, _encode(name), _encode(word), out
            )
        )

    def pointer_text(self, kind, word, most=0):
        """What to show for a pointer of a C type (None: any object), cut at `most` bytes; None:
        only the pointer."""
        status, text, _ = self._with_buffers(
            lambda out, err: _library.scry_pointer_text(
                self._session, _encode(kind) if kind else None, word, most, out
            )
        )
        return text if status >= 0 else None


def complete(name, word, session=None):
    """Completions of an argument of a command, each once; `session` knows the names of its
    target."""
    _, text, _ = (session or Session()).complete(name, word)
    return sorted(set(text.split()))
