#!/usr/bin/python3
"""Write a minidump of a live Linux process (x86-64), as Breakpad or crashpad do:
live_minidump.py PID FILE [STYLE [SIGNAL]].

STYLE: breakpad (stacks, copies of /proc files), crashpad (stacks, thread names, thread pointers, no
copies), either with "-full" behind it: all writable memory and the headers of the modules too.
SIGNAL: as if the first thread had died of it, at address 0x10. The process is stopped meanwhile.
"""
import ctypes
import os
import re
import struct
import sys

import minidump as md

PTRACE_GETREGS, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 12, 17, 0x4206, 0x4207
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
# struct user_regs_struct, sys/user.h
USER_REGS = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
    "fs_base gs_base "
    "ds es fs gs"
).split()
STACK_LIMIT = 256 * 1024


def ptrace(request, tid, data=None):
    if _libc.ptrace(request, tid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace({request:#x}, {tid})")


class Stopped:
    """All threads of a process, stopped."""

    def __init__(self, pid):
        self.tids = []
        for tid in sorted(int(t) for t in os.listdir(f"/proc/{pid}/task")):
            ptrace(PTRACE_SEIZE, tid)
            ptrace(PTRACE_INTERRUPT, tid)
            os.waitpid(tid, 0x40000000)  # __WALL
            self.tids.append(tid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tid in self.tids:
            ptrace(PTRACE_DETACH, tid)

    @staticmethod
    def regs(tid):
        raw = (ctypes.c_ulonglong * len(USER_REGS))()
        ptrace(PTRACE_GETREGS, tid, ctypes.cast(raw, ctypes.c_void_p))
        return dict(zip(USER_REGS, raw))


def read_file(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as f:
        return f.read()


def parse_maps(text):
    out = []
    for line in text.splitlines():
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)", line)
        if m:
            out.append((int(m[1], 16), int(m[2], 16), m[3], int(m[4], 16), m[5]))
    return out


class Memory:
    def __init__(self, pid):
        self.f = open(f"/proc/{pid}/mem", "rb", buffering=0)

    def read(self, start, size):
        try:
            self.f.seek(start)
            return self.f.read(size)
        except (OSError, ValueError, OverflowError):
            return b""


def build_id(memory, base):
    """The GNU build id out of the ELF notes at `base`."""
    head = memory.read(base, 64)
    if head[:5] != b"\x7fELF\x02":
        return None
    (phoff,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    for i in range(count):
        kind, _, _, vaddr, _, filesz, _, _ = struct.unpack(
            "<IIQQQQQQ", memory.read(base + phoff + i * size, 56)
        )
        if kind != 4:
            continue
        start = vaddr if vaddr > base else base + vaddr
        note, at = memory.read(start, min(filesz, 4096)), 0
        while at + 12 <= len(note):
            name, desc, tag = struct.unpack_from("<III", note, at)
            data = at + 12 + (name + 3 & ~3)
            if tag == 3 and note[at + 12 : at + 16] == b"GNU\0":
                return note[data : data + desc]
            at = data + (desc + 3 & ~3)
    return b""


def modules(memory, maps):
    """(base, size, path, build id) of each ELF file that is mapped from its beginning."""
    out, bases = [], {}
    for start, end, _, offset, path in maps:
        if (
            path.startswith("/")
            and offset == 0
            and path not in bases
            and build_id(memory, start) is not None
        ):
            bases[path] = len(out)
            out.append([start, end - start, path, build_id(memory, start)])
        elif path in bases:
            out[bases[path]][1] = end - out[bases[path]][0]
    return out


def dump(pid, style="breakpad", signal=0, crashed=None):
    """The bytes of a minidump; `signal` and `crashed` (a tid) make an exception record."""
    full, crashpad = style.endswith("-full"), style.startswith("crashpad")
    with Stopped(pid) as stopped:
        d = md.Minidump(md.LINUX)
        memory, text = Memory(pid), read_file(pid, "maps").decode(errors="surrogateescape")
        maps = parse_maps(text)
        d.pid = pid
        for tid in stopped.tids:
            regs = stopped.regs(tid)
            context = {k: regs[k] for k in md.CONTEXTS[md.AMD64][4]}
            stack = next(((s, e) for s, e, *_ in maps if s <= regs["rsp"] < e), None)
            start = regs["rsp"] & ~15
            data = memory.read(start, min(stack[1] - start, STACK_LIMIT)) if stack else b""
            name = read_file(pid, f"task/{tid}/comm").decode().strip()
            d.thread(
                tid,
                context,
                (start, data),
                teb=regs["fs_base"] if crashpad else 0,
                name=name if crashpad else None,
            )
            if tid == crashed:
                d.exception(tid, signal, 0x10, regs=context)
        for base, size, path, ident in modules(memory, maps):
            d.module(base, size, path, codeview=md.build_id_record(ident) if ident else b"")
            if full:
                d.memory(base, memory.read(base, 4096))
        for start, end, perms, _, path in maps:
            if full and "w" in perms and path != "[vvar]":
                data = memory.read(start, end - start)
                if data:
                    d.memory(start, data)
        if not crashpad:
            auxv = read_file(pid, "auxv")
            d.linux(
                maps=text,
                status=read_file(pid, "status").decode(),
                auxv=dict(struct.iter_unpack("<QQ", auxv)),
                environ=b"",
            )
            d.stream(md.CMD_LINE, read_file(pid, "cmdline"))
        return d.build()


if __name__ == "__main__":
    pid, path, style, signal = (sys.argv[1:] + ["breakpad", "0"][len(sys.argv) - 3 :])[:4]
    with open(path, "wb") as out:
        out.write(dump(int(pid), style, int(signal), int(pid) if int(signal) else None))
