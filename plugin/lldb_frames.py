"""Python frames in LLDB's own views: a line for each in `bt`, and their variables among those of
the C frame that runs them. lldb-dap shows both: see docs/debuggers.md."""
import re
import time

import lldb
from binding import printable

SECONDS = 0.5  # how long what was read of a process is taken to be so
ENOUGH = 1024  # frames of either kind are asked for at first
# functions that run Python code; one without a symbol may be one
NAMES = "^(_?PyEval_EvalFrame|slp_eval_frame_value|_TAIL_CALL_|___lldb_unnamed_symbol)"


class Stack:
    """The C frames of a thread that run Python code, found as far as LLDB asks for them."""

    def __init__(self, thread, runs):
        self.thread, self.ask, self.most = thread, runs, ENOUGH
        self.found, self.end, self.group = {}, 0, None
        self.read = time.monotonic()
        some = runs(self.most)
        if sum(len(frames) for _, frames in some) > self.most // 16:
            some.pop()  # it may be cut
        self.runs = iter(some)
        self.expected = next(self.runs, None)

    def go_on(self):
        """To the next of the C frames that run Python code."""
        self.expected = next(self.runs, None)
        if self.expected is None and self.most:
            self.most = 0
            self.runs = iter(self.ask(0)[len(self.found) :])
            self.expected = next(self.runs, None)

    def at(self, index):
        """The Python frames that C frame `index` runs. Inlined functions of one frame share its
        CFA, and its pc is that of the innermost: its Python frames stand at the outermost."""
        while self.expected is not None and self.end <= index:
            frame = self.thread.GetFrameAtIndex(self.end)
            if not frame.IsValid():
                break
            if self.group is None:
                self.group = frame.GetPC()
            if not frame.IsInlined():
                if self.group == self.expected[0]:
                    self.found[self.end] = self.expected[1]
                    self.go_on()
                self.group = None
            self.end += 1
        return self.found.get(index, [])


def name_of(frame):
    return printable(frame["qualname"] or frame["function"] or "<damaged frame>")


def file_of(frame):
    return printable(frame["file"] or "?")


def line_of(frame):
    return frame["line"] or "?"


class Frames:
    """What LLDB asks for, out of the session that `current` gives for a target."""

    def __init__(self, current):
        self.current, self.stacks = current, {}
        self.texts = {}  # by name and address: of what LLDB has no type to show it by

    def stack(self, thread):
        process = thread.GetProcess()
        session = self.current(process.GetTarget())
        key = process.GetUniqueID(), thread.GetThreadID()
        kept = self.stacks.get(key)
        stop = id(session), process.GetStopID()
        if kept is None or kept[0] != stop or time.monotonic() - kept[1].read > SECONDS:
            tid = thread.GetThreadID()
            kept = (stop, Stack(thread, lambda most: session.runs(tid, most)))
            self.stacks, self.texts = {key: kept}, {}
        return session, kept[1]

    def at(self, frame):
        """The Python frames of a C frame, and the session. Most C frames are none of Python's."""
        if not re.match(NAMES, frame.GetFunctionName() or "___lldb_unnamed_symbol"):
            return None, []
        session, stack = self.stack(frame.GetThread())
        return session, stack.at(frame.GetFrameID())

    def lines(self, frame):
        return "".join(
            "  #%d %s (%s:%s)\n" % (each["number"], name_of(each), file_of(each), line_of(each))
            for each in self.at(frame)[1]
        )

    def names(self, frame):
        """Of all of them in one line: for a client that has room for no more."""
        return ", ".join(
            "%s (%s:%s)" % (name_of(each), file_of(each).rpartition("/")[2], line_of(each))
            for each in self.at(frame)[1]
        )

    def variables(self, frame):
        """Of the newest of them, which is the one that is selected with the C frame."""
        session, frames = self.at(frame)
        if not frames:
            return []
        thread = frame.GetThread()
        answer = session.answer("locals", thread.GetThreadID(), "--frame %d" % frames[0]["number"])
        found = answer["threads"][0]["frames"][0]["locals"]
        target = thread.GetProcess().GetTarget()
        return [self.value(target, each) for each in found if each.get("address")]

    def value(self, target, variable):
        """A pointer to the object, shown by its summary."""
        kind = target.FindFirstType("PyObject")
        address = int(variable["address"], 16)
        if not kind.IsValid():
            kind = target.GetBasicType(lldb.eBasicTypeVoid)
            self.texts[variable["name"], address] = variable.get("repr")
        data = lldb.SBData.CreateDataFromUInt64Array(
            target.GetByteOrder(), target.GetAddressByteSize(), [address]
        )
        return target.CreateValueFromData(variable["name"], data, kind.GetPointerType())

    def text(self, value):
        return self.texts.get((value.GetName(), value.GetValueAsUnsigned(0)), "")


def install(debugger, module):
    """`module` has python_frames(), python_names() and PythonVariables."""
    setting = debugger.GetInternalVariableValue("frame-format", debugger.GetInstanceName())
    said = lldb.SBCommandReturnObject()
    run = debugger.GetCommandInterpreter().HandleCommand
    now = setting.GetStringAtIndex(0) if setting.IsValid() and setting.GetSize() else ""
    if now.endswith('"') and "python_frames" not in now:
        ours = "{${script.frame:%s.python_frames}}" % module
        run("settings set frame-format " + now[:-1] + ours + '"', said)
    # without -f false a recognizer sees functions at their beginning only
    words = "-f false -x -s .* -n '%s' -l %s.PythonVariables" % (NAMES, module)
    run("frame recognizer add " + words, said)
    if said.Succeeded():
        run("settings set target.display-recognized-arguments true", said)
