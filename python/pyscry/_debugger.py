"""The target of the debugger that this Python runs in. Its adapter (plugin/) knows how to follow
it."""
import importlib
import os
import sys
from typing import Any

from ._library import HERE, Error, _installed
from ._target import Target


def _adapter(name: str) -> Any:
    """The adapter that gdbinit or lldbinit has loaded, or another one."""
    if name in sys.modules:
        return sys.modules[name]
    top = os.path.dirname(os.path.dirname(HERE))
    for place in (os.path.join(top, "plugin"), os.path.join(HERE, "plugin"), _installed("PLUGIN")):
        if place and os.path.exists(os.path.join(place, name + ".py")):
            sys.path.insert(0, place)
            return importlib.import_module(name)
    raise Error("pyscry's plugin is not installed: source its gdbinit or lldbinit first")


def current_target(debugger: Any) -> Target:
    if "gdb" in sys.modules:
        follow, failures = _gdb()
    elif "lldb" in sys.modules:
        follow, failures = _lldb(debugger)
    else:
        raise Error("not in a debugger: pyscry.open() opens cores and processes")
    try:
        session = follow()
    except failures as error:
        raise Error(str(error)) from None
    return Target(session.handle, owner=session)


def _gdb() -> Any:
    adapter = _adapter("host_gdb")
    gdb = sys.modules["gdb"]
    return adapter._follower.follow, (gdb.GdbError, gdb.error, Error)


def _lldb(debugger: Any) -> Any:
    lldb = sys.modules["lldb"]
    adapter = _adapter("host_lldb")
    debugger = debugger or lldb.debugger or adapter.the_debugger
    if debugger is None:
        raise Error("which debugger? pyscry.current(debugger)")
    if adapter.the_debugger is None:
        adapter.__lldb_init_module(debugger, {})
    return lambda: adapter._follower.follow(debugger.GetSelectedTarget()), Error
