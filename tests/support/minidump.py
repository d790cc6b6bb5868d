"""Write minidumps: Windows' own streams and those that Breakpad and crashpad add for Linux. For
tests.

    d = Minidump(LINUX)
    d.thread(42, {"rip": 0x1000}, stack=(0x7000, b"..."))
    d.memory(0x10000, data)
    open(path, "wb").write(d.build())

Everything is laid out in the order of calls; `build()` leaves the file offset of each stream and of
some members in `d.where`, so that a test can damage exactly what it means to.
"""
import struct

I386, AMD64, ARM64, ARM64_OLD = 0, 9, 12, 0x8003
WINDOWS, LINUX, MACOS = 2, 0x8201, 0x8101

(
    THREADS,
    MODULES,
    MEMORY,
    EXCEPTION,
    SYSTEM,
    THREADS_EX,
    MEMORY64,
    MISC,
    MEMORY_INFO,
    THREAD_NAMES,
) = (3, 4, 5, 6, 7, 8, 9, 15, 16, 24)
CPU_INFO, PROC_STATUS, LSB_RELEASE, CMD_LINE, ENVIRON, AUXV, MAPS, DSO_DEBUG = range(
    0x47670003, 0x4767000B
)

# winnt.h CONTEXT: size, (offset of ContextFlags, its value), {register: (offset, size)}
_AMD64 = dict(
    zip(
        "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip".split(),
        range(120, 256, 8),
    )
)
_I386 = {
    "edi": 156,
    "esi": 160,
    "ebx": 164,
    "edx": 168,
    "ecx": 172,
    "eax": 176,
    "ebp": 180,
    "eip": 184,
    "esp": 196,
}
_ARM64 = {f"x{i}": 8 + 8 * i for i in range(31)} | {"sp": 256, "pc": 264}
CONTEXTS = {
    AMD64: (1232, 48, 0x10000F, 8, _AMD64),
    I386: (716, 0, 0x1003F, 4, _I386),
    ARM64: (912, 0, 0x400007, 8, _ARM64),
    ARM64_OLD: (796, 0, 0x80000006, 8, _ARM64),
}


def context(machine, regs):
    """A CONTEXT with the registers given by name."""
    size, flags_at, flags, width, table = CONTEXTS[machine]
    out = bytearray(size)
    struct.pack_into("<I", out, flags_at, flags)
    for name, value in regs.items():
        struct.pack_into("<Q" if width == 8 else "<I", out, table[name], value)
    return bytes(out)


def rsds(guid, age, pdb):
    """A CodeView record of a PDB; `guid` 16 bytes as they lie in the file."""
    return b"RSDS" + guid + struct.pack("<I", age) + pdb.encode() + b"\0"


def build_id_record(build_id):
    """Breakpad's and crashpad's record of an ELF build id."""
    return struct.pack("<I", 0x4270454C) + build_id


def fixed_file_info(version):
    """VS_FIXEDFILEINFO of a four-part version."""
    a, b, c, d = version
    return struct.pack(
        "<13I", 0xFEEF04BD, 0x10000, a << 16 | b, c << 16 | d, a << 16 | b, c << 16 | d, *[0] * 7
    )


class Minidump:
    def __init__(self, platform=WINDOWS, machine=AMD64, flags=0, timestamp=0x60000000):
        self.platform, self.machine, self.flags, self.timestamp = (
            platform,
            machine,
            flags,
            timestamp,
        )
        self.threads, self.names, self.modules, self.memories, self.infos = [], [], [], [], []
        self.extra = []  # (type, bytes): streams as they are
        self.exception_record = None
        self.pid = None
        self.use_memory64 = True
        self.pad_lists = False  # eight bytes of count, as some writers do
        self.with_system = True
        self.where = {}

    def thread(self, tid, regs=None, stack=None, teb=0, name=None, in_memory64=False):
        """`stack` (address, bytes). `in_memory64`: its bytes are only in the memory list (Stack.Rva
        is 0)."""
        self.threads.append((tid, regs or {}, stack, teb, in_memory64))
        if name is not None:
            self.names.append((tid, name))

    def module(self, base, size, path, timestamp=0, codeview=b"", version=None, checksum=0):
        self.modules.append((base, size, path, timestamp, codeview, version, checksum))

    def memory(self, start, data):
        self.memories.append((start, data))

    def info(self, base, size, protect, state=0x1000, kind=0x20000):
        self.infos.append((base, size, protect, state, kind))

    def exception(self, tid, code, address=0, parameters=(), regs=None, flags=0):
        self.exception_record = (tid, code, address, parameters, regs, flags)

    def stream(self, kind, data):
        self.extra.append((kind, data))

    def linux(self, maps=None, command=None, status=None, auxv=None, environ=None, word=8):
        """Copies of /proc files; `command` a list, `auxv` a dict, `maps` the text."""
        if maps is not None:
            self.stream(MAPS, maps.encode())
        if command is not None:
            self.stream(CMD_LINE, b"".join(a.encode() + b"\0" for a in command))
        if status is not None:
            self.stream(PROC_STATUS, status.encode())
        if auxv is not None:
            code = "<QQ" if word == 8 else "<II"
            self.stream(AUXV, b"".join(struct.pack(code, k, v) for k, v in auxv.items()))
        if environ is not None:
            self.stream(ENVIRON, environ)

    # --- laying it out ---
    def _put(self, data, what=None):
        while len(self.out) % 4:
            self.out.append(0)
        at = len(self.out)
        self.out += data
        if what:
            self.where[what] = at
        return at

    def _string(self, text):
        raw = text.encode("utf-16-le", "surrogatepass")
        return self._put(struct.pack("<I", len(raw)) + raw + b"\0\0")

    def _list(self, kind, records):
        head = struct.pack("<I", len(records)) + (b"\0" * 4 if self.pad_lists else b"")
        self._stream(kind, head + b"".join(records))

    def _stream(self, kind, data):
        self.directory.append((kind, len(data), self._put(data, kind)))

    def _system(self):
        self._stream(
            SYSTEM,
            struct.pack(
                "<HHHBBIIIIIHH24x", self.machine, 6, 0, 4, 1, 10, 0, 19045, self.platform, 0, 0, 0
            ),
        )

    def _threads(self):
        records = []
        for tid, regs, stack, teb, in64 in self.threads:
            ctx = context(self.machine, regs)
            ctx_at = self._put(ctx, ("context", tid))
            start, data = stack or (0, b"")
            if in64 and stack:
                self.memories.append((start, data))
            rva = self._put(data) if data and not in64 else 0
            records.append(
                struct.pack(
                    "<IIIIQQIIII", tid, 0, 0, 0, teb, start, len(data), rva, len(ctx), ctx_at
                )
            )
        self._list(THREADS, records)

    def _modules(self):
        records = []
        for base, size, path, stamp, codeview, version, checksum in self.modules:
            name = self._string(path)
            cv = self._put(codeview) if codeview else 0
            info = fixed_file_info(version) if version else b"\0" * 52
            records.append(
                struct.pack("<QIIII", base, size, checksum, stamp, name)
                + info
                + struct.pack("<IIIIQQ", len(codeview), cv, 0, 0, 0, 0)
            )
        self._list(MODULES, records)

    def _exception(self):
        tid, code, address, parameters, regs, flags = self.exception_record
        ctx = context(self.machine, regs) if regs is not None else b""
        at = self._put(ctx) if ctx else 0
        info = list(parameters) + [0] * (15 - len(parameters))
        self._stream(
            EXCEPTION,
            struct.pack(
                "<IIIIQQII15QII",
                tid,
                0,
                code,
                flags,
                0,
                address,
                len(parameters),
                0,
                *info,
                len(ctx),
                at,
            ),
        )

    def _memory(self):
        if not self.use_memory64:
            records = [
                struct.pack("<QII", start, len(data), self._put(data))
                for start, data in self.memories
            ]
            self._list(MEMORY, records)
            return
        records = b"".join(struct.pack("<QQ", start, len(data)) for start, data in self.memories)
        at = len(self.out) + 64 + len(records)
        at += -at % 16
        self._stream(MEMORY64, struct.pack("<QQ", len(self.memories), at) + records)
        self.out += b"\0" * (at - len(self.out))
        self.where["bytes"] = at
        for _, data in self.memories:
            self.out += data

    def build(self):
        self.out, self.directory, self.where = bytearray(32 + 12 * 32), [], {}
        if self.with_system:
            self._system()
        if self.pid is not None:
            self._stream(MISC, struct.pack("<IIIIII", 24, 3, self.pid, 0x5FFFFFFF, 1, 1))
        saved = list(self.memories)
        self._threads()
        if self.names:
            self._list(
                THREAD_NAMES,
                [struct.pack("<IQ", tid, self._string(name)) for tid, name in self.names],
            )
        if self.modules:
            self._modules()
        if self.infos:
            self._stream(
                MEMORY_INFO,
                struct.pack("<IIQ", 16, 48, len(self.infos))
                + b"".join(
                    struct.pack("<QQIIQIIII", base, base, protect, 0, size, state, protect, kind, 0)
                    for base, size, protect, state, kind in self.infos
                ),
            )
        if self.exception_record:
            self._exception()
        for kind, data in self.extra:
            self._stream(kind, data)
        if self.memories:
            self._memory()
        self.memories = saved
        struct.pack_into(
            "<4sIIIIIQ",
            self.out,
            0,
            b"MDMP",
            0xA793,
            len(self.directory),
            32,
            0,
            self.timestamp,
            self.flags,
        )
        for i, row in enumerate(self.directory):
            struct.pack_into("<III", self.out, 32 + 12 * i, *row)
        return bytes(self.out)
