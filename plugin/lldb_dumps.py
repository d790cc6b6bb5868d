"""Which file does LLDB show? It says so since 19; before, its dumps are searched for."""
import mmap
import os

import binding
import lldb

DUMP_PLUGINS = ("elf-core", "minidump", "mach-o-core")


def _is_dump(path):
    try:
        with open(path, "rb") as f:
            head = f.read(18)
    except OSError:
        return False
    return head[:4] == b"MDMP" or (head[:4] == b"\x7fELF" and 4 in (head[16], head[17]))  # ET_CORE


def _opened_dumps():
    """Dumps that this program has mapped, or its command line names: LLDB 14 does not say."""
    paths = []
    try:
        with open("/proc/self/maps", "rb") as maps:
            paths = [line.split(None, 5)[5].rstrip(b"\n") for line in maps if line.count(b"/")]
        paths += [
            os.readlink(b"/proc/self/fd/" + fd)
            for fd in os.listdir(b"/proc/self/fd")
            if fd.isdigit()
        ]
    except (OSError, IndexError):
        pass
    try:
        with open("/proc/self/cmdline", "rb") as line:
            paths += [word.split(b"=")[-1] for word in line.read().split(b"\0")]
    except OSError:
        pass
    unique = dict.fromkeys(os.path.realpath(os.fsdecode(path)) for path in paths if path)
    return [path for path in unique if _is_dump(path)]


def _stack_bytes(process):
    """What stands on top of a stack: no two dumps have the same."""
    for thread in process:
        error = lldb.SBError()
        data = process.ReadMemory(thread.GetFrameAtIndex(0).GetSP(), 256, error)
        if data and any(data):
            return data
    return None


def _holds(path, data):
    try:
        with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(data) >= 0
    except (OSError, ValueError):
        return False


def core_path(process):
    """The path of the file that LLDB shows, or None for a process. LLDB 14 has to be searched."""
    if process.GetPluginName() not in DUMP_PLUGINS:
        return None
    if hasattr(process, "GetCoreFile"):
        spec = process.GetCoreFile()
        if spec.IsValid() and spec.fullpath and os.path.exists(spec.fullpath):
            return spec.fullpath
    found = _opened_dumps()
    if len(found) > 1:
        data = _stack_bytes(process)
        found = [path for path in found if data and _holds(path, data)] or found
    if os.environ.get("PYSCRY_CORE"):
        return os.environ["PYSCRY_CORE"]
    if not found:
        raise binding.Error(
            "LLDB does not say which file it shows: set PYSCRY_CORE=FILE in the environment, "
            "or say `script import os; os.environ['PYSCRY_CORE'] = 'FILE'`"
        )
    return found[0]
