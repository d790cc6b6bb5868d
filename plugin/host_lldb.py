"""pyscry in LLDB (14 and newer): registers the commands, tells the library what LLDB looks at."""
import os
import re
import sys
import time

import lldb

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import binding  # noqa: E402
import lldb_dumps  # noqa: E402
import lldb_frames  # noqa: E402
import lldb_maps  # noqa: E402

ADDRESS_END = 2**47  # above it, LLDB takes addresses for errors of its own
PAGE = 4096
SUMMARY_SECONDS = 0.5  # how long what summaries have read is taken to hold
# registers that LLDB calls something else
ALIASES = {"eflags": "rflags", "x29": "fp", "x30": "lr", "tpidr": "tpidr_el0"}


class LldbHost(binding.Host):
    """A live or remote target, read through LLDB."""

    def __init__(self, process, local):
        self.process = process
        self.local = local
        self.pid = process.GetProcessID() if local else 0
        self._constant = None
        self._memory = _open_memory(self.pid) if local else None

    def read(self, address, length):
        data = self._read_directly(address, length) or self._read_exactly(address, length)
        if len(data) == length:
            return data
        address, end = address + len(data), address + length
        while address < end:  # LLDB may read all or nothing: go page by page until one is missing
            step = min(PAGE - address % PAGE, end - address)
            piece = self._read_exactly(address, step) or self._read_file(address, step)
            data += piece
            address += step
            if len(piece) < step:
                break
        return data

    def _read_directly(self, address, length):
        """Of a process on this machine: LLDB keeps what it has read, whatever was written."""
        try:
            return (
                os.pread(self._memory.fileno(), length, address)
                if self._memory is not None
                else b""
            )
        except (OSError, OverflowError):
            return b""

    def _read_exactly(self, address, length):
        if not 0 < address < ADDRESS_END - length:
            return b""
        error = lldb.SBError()  # a fresh one for each call: a success does not clear it
        return self.process.ReadMemory(address, length, error) or b""

    def _read_file(self, address, length):
        """What a dump lacks because it is in a file; its SBError says nothing. No writable data."""
        if not any(start <= address < end for start, end in self._constant_ranges()):
            return b""
        target = self.process.GetTarget()
        return target.ReadMemory(lldb.SBAddress(address, target), length, lldb.SBError()) or b""

    def _constant_ranges(self):
        if self._constant is None:
            self._constant = (
                [
                    (start, end)
                    for start, end, _, flags, path in self.maps() or []
                    if path and not flags & 2
                ]
                if not self.local
                else []
            )
        return self._constant

    def threads(self):
        return [thread.GetThreadID() for thread in self.process]

    def register(self, tid, name):
        frame = self.process.GetThreadByID(tid).GetFrameAtIndex(0)
        for each in (name, ALIASES.get(name)):
            value = frame.FindRegister(each) if each else None
            if value is not None and value.IsValid():
                error = lldb.SBError()
                number = value.GetValueAsUnsigned(error)
                return number if error.Success() else None
        return None

    def maps(self):
        return None if self.local else lldb_maps.regions(self.process)


def _open_memory(pid):
    """/proc/PID/mem, where it may be read; empty for a process that is gone or another program."""
    try:
        return open("/proc/%d/mem" % pid, "rb", buffering=0)
    except OSError:
        return None


def _is_local(process):
    """Is it a process of this machine? Its tracer is a child of ours then."""
    try:
        with open("/proc/%d/status" % process.GetProcessID()) as status:
            tracer = int(re.search(r"^TracerPid:\s*(\d+)", status.read(), re.M).group(1))
        with open("/proc/%d/status" % tracer) as status:
            parent = int(re.search(r"^PPid:\s*(\d+)", status.read(), re.M).group(1))
    except (OSError, AttributeError):
        return False
    return os.getpid() in (tracer, parent)


# --- what LLDB looks at ---


def _first_path(debugger, name):
    """The first value of a setting that is a list of paths. Its text: "[0]: /one  [1]: /two"."""
    values = debugger.GetInternalVariableValue(name, debugger.GetInstanceName())
    text = (
        " ".join(values.GetStringAtIndex(i) for i in range(values.GetSize()))
        if values.IsValid()
        else ""
    )
    found = re.search(r"\[0\]: \"?(.+?)\"?(?=\s+\[1\]: |\s*$)", text)
    return found.group(1) if found else None


def _sysroot(debugger):
    answer = lldb.SBCommandReturnObject()
    debugger.GetCommandInterpreter().HandleCommand("platform status", answer)
    found = re.search(r"^\s*Sysroot: (.+)$", answer.GetOutput() or "", re.M)
    return found.group(1).strip() if found else None


def _options(target):
    """What LLDB knows and the library can use."""
    debugger, exe = target.GetDebugger(), target.GetExecutable()
    path = exe.fullpath if exe.IsValid() else None
    return {
        "exe": path if path and os.path.isfile(path) else None,
        "sysroot": _sysroot(debugger),
        "search": _first_path(debugger, "target.exec-search-paths"),
    }


class Follower:
    """A session for each process; another process of the same target gets another session."""

    def __init__(self):
        self.kept = {}

    def follow(self, target):
        process = target.GetProcess() if target.IsValid() else None
        if (
            not process
            or not process.IsValid()
            or process.GetState()
            in (lldb.eStateExited, lldb.eStateDetached, lldb.eStateUnloaded, lldb.eStateInvalid)
        ):
            raise binding.Error(
                "no process and no core file: run, attach, or use target create --core first"
            )
        if process.GetState() in (lldb.eStateRunning, lldb.eStateStepping):
            raise binding.Error("the process runs: stop it first (process interrupt)")
        options = sorted(_options(target).items(), key=str)
        entry = self.kept.get(process.GetUniqueID())
        if entry is None or entry.session.stopped or entry.options != options:
            self.kept = {key: each for key, each in self.kept.items() if each.process.IsValid()}
            entry = self.kept[process.GetUniqueID()] = Entry(process, options)
        entry.catch_up()
        return entry.session

    def current(self, target):
        """The session for a summary: one command shows many, and between them nothing changes."""
        process = target.GetProcess()
        entry = self.kept.get(process.GetUniqueID())
        if (
            entry is not None
            and not entry.session.stopped
            and entry.stop == process.GetStopID()
            and process.GetState() == lldb.eStateStopped
            and (entry.core is not None or time.monotonic() - entry.read < SUMMARY_SECONDS)
        ):
            return entry.session
        return self.follow(target)


def _pcs(thread, first, end):
    """Of the C frames from one on. Inlined ones share a CFA: the innermost has the true pc."""
    last = None
    for index in range(first, end):
        frame = thread.GetFrameAtIndex(index)
        if frame.GetCFA() != last:
            yield frame.GetPC()
        last = frame.GetCFA()


class Entry:
    """The session of a process."""

    def __init__(self, process, options):
        self.process, self.options = process, options
        self.core = lldb_dumps.core_path(process)
        self.stop, self.read, self.frame = None, 0, 0
        self.session = binding.Session(**dict(options))
        if self.core is not None:
            self.session.open_dump(self.core)
        else:
            self.session.open_host(LldbHost(process, _is_local(process)))

    def catch_up(self):
        """Where LLDB went: on in time, or to another thread."""
        stop = self.process.GetStopID()
        if self.core is None:
            # LLDB reports `memory write` to nobody: what was read is read anew
            self.session.refresh(keep=stop == self.stop)
        if stop != self.stop:
            self.session.number((t.GetThreadID(), t.GetIndexID()) for t in self.process)
        self.stop, self.read = stop, time.monotonic()
        thread = self.process.GetSelectedThread()
        if thread.IsValid():
            self.follow_thread(thread)

    def follow_thread(self, thread):
        """Where the user goes in LLDB, thread or frame, the Python frame follows; else it stays."""
        tid, frame = thread.GetThreadID(), thread.GetSelectedFrame()
        if self.session.select(tid):
            self.frame = 0
        index = frame.GetFrameID() if frame.IsValid() else self.frame
        if index == self.frame:
            return
        self.frame = index
        if index == 0:
            self.session.run("frame", "0")
        else:
            while index and thread.GetFrameAtIndex(index - 1).GetCFA() == frame.GetCFA():
                index -= 1
            self.session.follow_frame(
                tid, _pcs(thread, 0, index), _pcs(thread, index, thread.GetNumFrames())
            )


_follower = Follower()


def _wants_color(debugger):
    return (
        debugger.GetUseColor()
        and os.isatty(1)
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def _own_value(target, expression):
    """What LLDB has of a variable or register, as an address or a number; None: nothing. Paths
    only: an expression might run the target's code."""
    frame = target.GetProcess().GetSelectedThread().GetSelectedFrame()
    if expression.startswith("$"):
        value = frame.FindRegister(expression[1:])
    else:
        value = frame.GetValueForVariablePath(expression)
    error = lldb.SBError()
    number = value.GetValueAsUnsigned(error) if value.IsValid() else 0
    return number if value.IsValid() and error.Success() else None


def _answer(debugger, row, arguments, target):
    if binding.needs_no_target(row, arguments):
        return binding.Session().run(row.name.decode(), arguments)
    session = _follower.follow(target)
    session.set("color", "always" if _wants_color(debugger) else "never")
    arguments = binding.with_head(session, row, arguments)
    return binding.run_value(session, row, arguments, lambda text: _own_value(target, text))


def _run(debugger, row, arguments, target, result):
    try:
        status, text, reasons = _answer(debugger, row, arguments, target)
    except binding.Error as error:
        result.SetError(str(error))
        return
    except (binding.Stopped, KeyboardInterrupt):
        result.SetError("Quit")
        return
    result.Print(text)
    if status == 2:
        result.SetError(reasons.rstrip("\n"))
        return
    for line in reasons.splitlines():
        result.AppendWarning(line)
    result.SetStatus(lldb.eReturnStatusSuccessFinishResult)


FILLED = 88  # columns up to which the lines of help texts are filled, at least


def unfilled(text):
    """A paragraph in one line: LLDB wraps at the terminal's width."""
    lines = text.split("\n")
    joined = lines[:1]
    for before, line in zip(lines, lines[1:]):
        first = line.split(" ")[0]
        if first and len(before) + 1 + len(first) > FILLED:
            joined[-1] += " " + line
        else:
            joined.append(line)
    return "\n".join(joined)


def _install_command(debugger, row):
    name = row.name.decode()

    class Command:
        def __init__(self, _debugger, _dictionary):
            pass

        def __call__(self, debugger, arguments, context, result):
            target = (
                context.GetTarget()
                if context.GetTarget().IsValid()
                else debugger.GetSelectedTarget()
            )
            _run(debugger, row, arguments, target, result)

        def get_short_help(self):
            return row.summary.decode()

        def get_long_help(self):
            return unfilled(binding.help_of(row))

    in_python = "Command_" + name.replace("-", "_")
    globals()[in_python] = Command
    words = "-o -c %s.%s py-%s" % (__name__, in_python, name)
    # the one kind of argument that LLDB can complete
    completed = "-C thread-index " if b"THREAD" in row.usage else ""
    said = lldb.SBCommandReturnObject()
    for more in [completed, ""] if completed else [""]:
        debugger.GetCommandInterpreter().HandleCommand("command script add " + more + words, said)
        if said.Succeeded():
            break


# --- variables of type PyObject * and the like ---

_HEADS = {
    "ob_base",
    "ob_refcnt",
    "ob_type",
    "m_base",
}  # what a struct that begins with PyObject_HEAD begins with
MOST = 1024  # bytes of a value


def _plain(name):
    """A type's name without what C puts around it; as LLDB displays it or as it is canonical."""
    return re.sub(r"\b(const|volatile|struct|union)\b|[*&\s]", "", name or "")


def _kind(kind):
    """What the library calls the type of a variable: a name, or None for any struct that begins as
    an object does."""
    if kind.IsReferenceType():
        kind = kind.GetDereferencedType()
    names = [_plain(each.GetName()) for each in (kind, kind.GetCanonicalType())]
    known = [name for name in names if binding.is_pointer_type(name)]
    return known[0] if known else None


def _word(value):
    """The pointer, or the bits of a reference that is a union."""
    bits = value.GetChildMemberWithName("bits") if not value.GetType().IsPointerType() else None
    return (bits if bits is not None and bits.IsValid() else value).GetValueAsUnsigned(0)


def summary(value, _dictionary):
    """`frame variable`, `p`: the object behind a pointer."""
    try:
        value = value.GetNonSyntheticValue()
        word = _word(value)
        if not word:
            return "NULL"
        return (
            _follower.current(value.GetTarget()).pointer_text(_kind(value.GetType()), word, MOST)
            or ""
        )
    except Exception:  # whatever it is, the pointer is shown
        return ""


def begins_as_object(kind, _dictionary):
    """For LLDB 17 and newer: is it a pointer to a struct of an extension module's own that is an
    object?"""
    try:
        if not kind.IsPointerType():
            return False
        struct = kind.GetPointeeType().GetCanonicalType()
        name = _plain(struct.GetName())
        return not binding.is_pointer_type(name) and any(
            struct.GetFieldAtIndex(i).GetName() in _HEADS
            for i in range(min(4, struct.GetNumberOfFields()))
        )
    except Exception:
        return False


def _install_summaries(debugger):
    # what is registered for a type is not for a pointer to it
    alone = lldb.eTypeOptionCascade | lldb.eTypeOptionSkipPointers
    category = debugger.CreateCategory("pyscry")
    show = lldb.SBTypeSummary.CreateWithFunctionName(__name__ + ".summary", alone)
    names = "|".join(
        name.replace("*", "[A-Za-z0-9_]*")
        for name in binding.pointer_types()
        if name != "_PyStackRef"
    )
    pattern = r"^(const )?(struct )?(%s) \*( ?const)?$" % names
    category.AddTypeSummary(lldb.SBTypeNameSpecifier(pattern, True), show)
    show_untyped = lldb.SBTypeSummary.CreateWithFunctionName(__name__ + ".variable_summary", alone)
    category.AddTypeSummary(lldb.SBTypeNameSpecifier("void *"), show_untyped)
    show_word = lldb.SBTypeSummary.CreateWithFunctionName(
        __name__ + ".summary", alone | lldb.eTypeOptionHideChildren
    )
    category.AddTypeSummary(
        lldb.SBTypeNameSpecifier(r"^(const )?(union )?_PyStackRef$", True), show_word
    )
    if hasattr(lldb, "eFormatterMatchCallback"):
        specifier = lldb.SBTypeNameSpecifier(
            __name__ + ".begins_as_object", lldb.eFormatterMatchCallback
        )
        category.AddTypeSummary(specifier, show)
    category.SetEnabled(True)


# --- Python frames in LLDB's own views ---

_frames = lldb_frames.Frames(_follower.current)


def _or(nothing, function, *arguments):
    """What LLDB shows is its own: where anything fails, ours is left out."""
    try:
        return function(*arguments)
    except Exception:
        return nothing


def python_frames(frame, _dictionary):
    """For a frame-format: a line for each Python frame that a C frame runs."""
    return _or("", _frames.lines, frame)


def python_names(frame, _dictionary):
    """For lldb-dap's customFrameFormat: their names."""
    return _or("", _frames.names, frame)


class PythonVariables:
    """A frame recognizer: the variables of a Python frame beside those of its C frame."""

    def get_recognized_arguments(self, frame):
        return _or([], _frames.variables, frame)


def variable_summary(value, _dictionary):
    """Of a Python variable for which LLDB has no type; of any other pointer nothing."""
    return _or("", _frames.text, value) or ""


the_debugger = None  # that the commands were loaded into: lldb.debugger is None at times


def __lldb_init_module(debugger, _dictionary):
    global the_debugger
    the_debugger = lldb.SBDebugger.FindDebuggerWithID(debugger.GetID())
    for row in binding.commands():
        _install_command(debugger, row)
    _install_summaries(debugger)
    lldb_frames.install(debugger, __name__)
