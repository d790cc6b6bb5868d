"""Python frames in GDB's own bt: a frame filter, on until `set pyscry frames off`."""
import gdb
from gdb.FrameDecorator import FrameDecorator

import binding
from gdb_values import Parameter, showable


class PythonFrame(FrameDecorator):
    """A Python frame. It borrows the C frame that runs it: `frame N` and `up` go there."""

    def __init__(self, base, thread, frame, hidden):
        super().__init__(base)
        self.thread, self.frame, self.hidden = thread, frame, hidden

    def function(self):
        name = self.frame["qualname"] or self.frame["function"] or "<damaged frame>"
        return showable(binding.printable(name))

    def filename(self):
        file = self.frame["file"]
        return showable(binding.printable(file)) if file else None

    def line(self):
        return self.frame["line"]

    def elided(self):
        return (
            self.hidden
        )  # the C frame itself stands below its oldest Python frame, unless `bt -hide`

    def frame_args(self):
        return self.variables(True)

    def frame_locals(self):
        return self.variables(False)

    def variables(self, arguments):
        return [
            variable
            for variable in self.thread.variables(self.frame)
            if variable.is_argument == arguments
        ] or None


class Name(str):
    """A text where GDB expects one, with what its DAP asks of a gdb.Symbol in the same place."""

    @property
    def print_name(self):
        return str(self)


class Variable:
    """What GDB wants of a variable: symbol() and value()."""

    def __init__(self, variable, value):
        self.symbol, self.value = (lambda: Name(variable["name"])), (lambda: value)
        self.is_argument = variable["kind"] == "arg"


class Thread:
    """What the library says of the selected thread's stack."""

    def __init__(self, session, tid, pointer):
        self.session, self.tid, self.runs = session, tid, session.runs(tid)
        self.pointer = pointer  # makes a value of an object's address

    def variables(self, frame):
        if "variables" not in frame:
            try:
                found = self.session.answer("locals", self.tid, "--frame %d" % frame["number"])[
                    "threads"
                ][0]["frames"]
                frame["variables"] = [
                    Variable(each, self.pointer(int(each["address"], 16)))
                    for each in found[0]["locals"]
                    if each["address"]
                ]
            except (gdb.error, binding.Error, LookupError, TypeError, ValueError):
                frame["variables"] = []
        return frame["variables"]


class Frames:
    name, priority = "pyscry", 50

    def __init__(self, current, values):
        self.current, self.values, self.enabled = current, values, True
        Parameter(
            "frames",
            gdb.PARAM_BOOLEAN,
            True,
            "whether bt shows Python frames in front of the C frames that run them.",
            self.enable,
        )
        gdb.frame_filters[self.name] = self

    def enable(self, on):
        self.enabled = on

    def filter(self, frames):
        try:
            process, lwp, other = gdb.selected_thread().ptid
            runs = Thread(self.current(), lwp or other or process, self.values.pointer)
        except Exception:  # no Python here, or nothing that can be read: GDB's own frames
            return frames
        return self.merge(frames, runs)

    @staticmethod
    def merge(frames, thread):
        left = iter(thread.runs)
        expected = next(left, None)
        for frame in frames:
            native = frame.inferior_frame()
            if expected is None or native.type() == gdb.INLINE_FRAME or native.pc() != expected[0]:
                yield frame
                continue
            last = len(expected[1]) - 1
            for index, each in enumerate(expected[1]):
                yield PythonFrame(frame, thread, each, [frame] if index == last else None)
            expected = next(left, None)
