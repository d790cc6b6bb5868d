"""pyscry in GDB (10 and newer): registers the commands, tells the library what GDB looks at."""
import os
import re
import signal
import sys

import gdb

import binding
import gdb_frames
import gdb_values

# signals that end a process, and those among them that concern an address
_DEADLY = {
    name: getattr(signal, name)
    for name in ("SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS")
}
_ABOUT_ADDRESS = {"SIGILL", "SIGBUS", "SIGFPE", "SIGSEGV"}
_FLAGS = {"r": 4, "w": 2, "x": 1}


class GdbHost(binding.Host):
    """A live or remote target, read through GDB."""

    def __init__(self, inferior, local):
        self.inferior = inferior
        self.local = local
        self.pid = inferior.pid if local else 0

    def read(self, address, length):
        try:
            return bytes(self.inferior.read_memory(address, length))
        except gdb.MemoryError:
            return self._read_some(address, length)

    def _read_some(self, address, length):
        """GDB reads all or nothing: go page by page until one is missing."""
        data, end = b"", address + length
        while address < end:
            step = min(4096 - address % 4096, end - address)
            try:
                data += bytes(self.inferior.read_memory(address, step))
            except gdb.MemoryError:
                break
            address += step
        return data

    def threads(self):
        return [_tid(thread) for thread in sorted(self.inferior.threads(), key=lambda t: t.num)]

    def register(self, tid, name):
        for thread in self.inferior.threads():
            if _tid(thread) == tid:
                return _in_thread(thread, lambda: int(gdb.newest_frame().read_register(name)))
        return None

    def maps(self):
        return None if self.local else _proc_mappings()


def _tid(thread):
    process, lwp, other = thread.ptid
    return lwp or other or process


def _numbers(inferior):
    """What `info threads` begins its lines with: the ids of threads and GDB's numbers of them."""
    return [(_tid(thread), thread.num) for thread in inferior.threads()]


def _in_thread(thread, function):
    """Call with another thread selected; the user's thread and frame come back."""
    old, frame = gdb.selected_thread(), None
    if old is not None and old.ptid == thread.ptid:
        return function()
    try:
        frame = gdb.selected_frame()
    except gdb.error:
        pass
    try:
        thread.switch()
        return function()
    finally:
        if old is not None:
            old.switch()
            if frame is not None and frame.is_valid():
                frame.select()


def _proc_mappings():
    """What `info proc mappings` says; where it says nothing, the objects' sections."""
    try:
        text = gdb.execute("info proc mappings", to_string=True)
    except gdb.error:
        return []
    maps = []
    for line in text.splitlines():
        found = re.match(
            r"\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)"
            r"\s+([rwxsp-]{3,5}\s)?\s*(.*)",
            line,
        )
        if found:
            flags = sum(_FLAGS.get(c, 0) for c in found.group(4) or "rw")
            maps.append(
                (
                    int(found.group(1), 16),
                    int(found.group(2), 16),
                    int(found.group(3), 16),
                    flags,
                    found.group(5).strip(),
                )
            )
    return maps


def _core_path(inferior):
    """The path of the core file that GDB shows, or None for a process."""
    corefile = getattr(inferior, "corefile", None)  # GDB 18
    if corefile is not None and corefile.is_valid():
        return corefile.filename
    connection = getattr(inferior, "connection", None)  # GDB 11
    if connection is not None and connection.type != "core":
        return None
    text = gdb.execute("info files", to_string=True)
    found = re.search(r"core dump file:\n\s*[`'\"\u2018](.*)['\"\u2019], file type", text)
    if found is None or "Using the running image" in text:
        return None
    return found.group(1)


def _is_local(inferior):
    connection = getattr(inferior, "connection", None)
    if connection is not None:
        return connection.type == "native"
    return "Using the running image" in gdb.execute("info files", to_string=True)


def _options():
    """What GDB knows and the library can use."""
    sysroot = gdb.parameter("sysroot") or ""
    exe = gdb.current_progspace().filename
    return {
        "exe": exe if exe and os.path.exists(exe) else "",  # "target:..." is not ours
        "sysroot": "" if sysroot.startswith("target:") else sysroot,
        "search": (gdb.parameter("solib-search-path") or "").split(os.pathsep)[0],
    }


def _pcs(frame, end=None):
    """Of the frames from one on, without inlined ones."""
    while frame is not None and frame != end:
        if frame.type() != gdb.INLINE_FRAME:
            yield frame.pc()
        frame = frame.older()


class Follower:
    """The session for what GDB looks at now; another target gets another session."""

    def __init__(self):
        self.key = self.session = None
        self.stale = False
        self.frame = None  # GDB's, as of the last command
        self.stopped = None  # (tid, signal, address) of a deadly signal
        self.moved = False  # the target ran: frames have other numbers now
        gdb.events.stop.connect(self.note_signal)
        gdb.events.cont.connect(self.forget)
        gdb.events.stop.connect(self.forget)
        gdb.events.memory_changed.connect(self.doubt)
        gdb.events.register_changed.connect(self.doubt)

    def doubt(self, _event=None):
        """The user wrote to the target."""
        self.stale = True

    def forget(self, _event=None):
        self.stale = self.moved = True

    def note_signal(self, event):
        """Called at each stop: was it a crash?"""
        name = getattr(event, "stop_signal", None)
        thread = gdb.selected_thread()
        self.stopped = None
        if name not in _DEADLY or thread is None:
            return
        address = None
        if name in _ABOUT_ADDRESS:
            try:
                address = int(gdb.parse_and_eval("$_siginfo._sifields._sigfault.si_addr"))
            except gdb.error:
                pass
        self.stopped = (_tid(thread), int(_DEADLY[name]), address)

    def tell_signal(self):
        try:
            if self.stopped is not None:
                self.session.set_signal(*self.stopped)
                self.session.told = False
        except binding.Error:
            pass  # the thread is gone

    def follow(self):
        inferior = gdb.selected_inferior()
        if not inferior.pid:
            raise gdb.GdbError("no process and no core file: run, attach, or use core-file first")
        core = _core_path(inferior)
        key = (inferior.num, inferior.pid, core, sorted(_options().items(), key=str))
        if self.session is None or self.session.stopped or key != self.key:
            self.open(key, inferior, core)
        elif self.stale and core is None:
            self.session.refresh(keep=not self.moved)
            self.session.number(_numbers(inferior))
            self.tell_signal()
        self.stale = self.moved = False
        thread = gdb.selected_thread()
        if thread is not None:
            self.follow_thread(_tid(thread))
        return self.session

    def follow_thread(self, tid):
        """Where the user goes in GDB, thread or frame, the Python frame follows; else it stays."""
        try:
            newest, frame = gdb.newest_frame(), gdb.selected_frame()
        except gdb.error:
            newest = frame = None  # a thread without registers
        if self.session.select(tid):
            self.frame = newest
        if frame is not None and frame != self.frame:
            self.frame = frame
            if frame == newest:
                self.session.run("frame", "0")
            else:
                self.session.follow_frame(tid, _pcs(newest, frame), _pcs(frame))

    def current(self):
        """The session for a printer: GDB is asked only where something happened."""
        inferior = gdb.selected_inferior()
        stopped = self.session is None or self.session.stopped
        if stopped or self.stale or self.key[:2] != (inferior.num, inferior.pid):
            return self.follow()
        return self.session

    def open(self, key, inferior, core):
        self.session = None
        session = binding.Session(**_options())
        if core is not None:
            session.open_dump(core)
        else:
            session.open_host(GdbHost(inferior, _is_local(inferior)))
        self.session, self.key = session, key
        session.number(_numbers(inferior))
        if core is None:
            self.tell_signal()


_follower = Follower()


def _wants_color():
    return (
        gdb.parameter("style enabled")
        and sys.__stdout__ is not None
        and os.isatty(1)
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def _own_value(expression):
    """What GDB makes of an expression, as an address or a number; None: nothing. The target is
    neither run nor written to."""
    if re.search(r"(?<![=!<>])=(?!=)|\+\+|--", expression):
        return None
    try:
        before = gdb.parameter("may-call-functions")
        gdb.execute("set may-call-functions off")
    except (gdb.error, RuntimeError):
        return None  # older than GDB 9: an expression could run the target's code
    try:
        value = gdb.parse_and_eval(expression)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            value = value.address
        return int(value) & (2**64 - 1)
    except (gdb.error, TypeError, ValueError, OverflowError):
        return None
    finally:
        gdb.execute("set may-call-functions " + ("on" if before else "off"))


def _answer(row, arguments):
    if binding.needs_no_target(row, arguments):
        return binding.Session().run(row.name.decode(), arguments)
    session = _follower.follow()
    session.set("color", "always" if _wants_color() else "never")
    arguments = binding.with_head(session, row, arguments)
    return binding.run_value(session, row, arguments, _own_value)


def _run(row, arguments):
    try:
        status, text, reasons = _answer(row, arguments)
    except binding.Error as error:
        raise gdb.GdbError(str(error))
    except (binding.Stopped, KeyboardInterrupt):
        raise gdb.GdbError("Quit")
    gdb.write(text)
    if status == 2:
        raise gdb.GdbError(reasons.rstrip("\n"))
    for line in reasons.splitlines():
        gdb.write("pyscry: %s\n" % line, gdb.STDERR)


def _complete(name, text, word):
    if word is None:  # GDB only asks where words begin
        return []
    typed = text.split(" ")[-1]
    skip = len(typed) - len(word)  # GDB wants what comes after its own idea of a word's start
    try:
        session = None if typed.startswith("-") else _follower.follow()
    except (gdb.error, gdb.GdbError, binding.Error, binding.Stopped):
        session = None
    return [found[skip:] for found in binding.complete(name, typed, session)]


def _install_command(row):
    name = row.name.decode()

    class PyscryCommand(gdb.Command):
        __doc__ = binding.help_of(row)

        def __init__(self):
            super().__init__("py-" + name, gdb.COMMAND_DATA)

        def invoke(self, arguments, from_tty):
            _run(row, arguments)

        def complete(self, text, word):
            return _complete(name, text, word)

    PyscryCommand()


def install():
    for row in binding.commands():
        _install_command(row)


class Keeper:
    """CPython's own script, which comes with any file, takes names of ours: take them back."""

    def __init__(self, values):
        self.theirs, self.values = self.look(), values
        gdb_values.go_first(values)  # it may have been loaded already
        gdb.events.new_objfile.connect(self.prepare)
        for name in ("new_objfile", "stop", "before_prompt"):
            registry = getattr(gdb.events, name, None)
            if registry is not None:
                registry.connect(self.check)

    @staticmethod
    def look():
        return getattr(sys.modules["__main__"], "PyBacktrace", None)

    def prepare(self, event):
        """The script of a new file is loaded before or after this: either will do."""
        gdb_values.go_first(self.values, [event.new_objfile])

    def check(self, _event=None):
        if self.look() is not self.theirs:
            self.theirs = self.look()
            install()
            gdb_values.go_first(self.values)


install()
_values = gdb_values.install(_follower.current)
_keeper = Keeper(_values)
gdb_frames.Frames(_follower.current, _values)
