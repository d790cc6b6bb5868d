"""The Python half of a dead or stuck process: cores, minidumps and processes, read without running
anything of theirs.

    import pyscry
    t = pyscry.open("core")
    for thread in t.threads:
        for frame in thread.frames:
            print(frame.function, frame.file, frame.line)
    print(t.threads[0].frames[1].locals["job"].name.value)

docs/api.md has recipes. Python 3.6 and newer, also those inside GDB and LLDB (current()).
"""
import os as _os
from typing import Any, Optional, Union

from ._frames import Code, Frame, Frames, Locals, Task, Thread
from ._library import C as _C
from ._library import Error, NoAttribute, NoItem
from ._objects import Object, Referrer
from ._target import Heap, Target, open_target

__all__ = [
    "Code",
    "Error",
    "Frame",
    "Frames",
    "Heap",
    "Locals",
    "NoAttribute",
    "NoItem",
    "Object",
    "Referrer",
    "Target",
    "Task",
    "Thread",
    "current",
    "open",
]
__version__ = _C.version().decode()


def open(  # noqa: A001
    target: Union[str, int, "_os.PathLike[str]"],
    *,
    exe: Optional[str] = None,
    sysroot: Optional[str] = None,
    **options: Any
) -> Target:
    """A core or minidump by its path, or a process by its id. Error where it cannot be opened.

    `exe` is the program's file and `sysroot` the root directory of the target's files, where they
    are not found by themselves. Other options are called as on the command line: symbols, search,
    source_map, layout, debuginfod, hold, no_stop, untrusted; max_items, max_depth, max_string,
    max_text (of reprs; 0: all). A list gives an option several times.
    """
    return open_target(target, dict(options, exe=exe, sysroot=sysroot))


def current(debugger: Any = None) -> Target:
    """What the debugger around us looks at: in GDB the selected inferior, in LLDB the process of
    the selected target (of `debugger`, where there are several). pyscry's commands are loaded for
    it, where they were not. Error outside of a debugger."""
    from ._debugger import current_target

    return current_target(debugger)
