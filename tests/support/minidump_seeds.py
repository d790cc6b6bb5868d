"""Write the synthetic minidumps of tests/unit/test_minidump.c and of the fuzzer: minidump_seeds.py
DIRECTORY."""
import os
import struct
import sys

import minidump as md
import pe

HEAP, STACK = 0x2000000, 0x7F000
HEAP_DATA = bytes(range(256)) * 512


def windows(**options):
    """Two threads; the second one crashed. The DLL is not where it wanted to be."""
    base = options.get("base", 0x7FF000000)
    d = md.Minidump(flags=0x2)
    d.pid = 4711
    d.pad_lists = options.get("pad", False)
    d.use_memory64 = options.get("memory64", True)
    stack64 = options.get("stack64", False)
    d.thread(
        100,
        {"rip": base + 0x1010, "rsp": STACK + 0x18, "rbx": 1},
        (STACK + 0x18, b"S" * 0x7E8),
        teb=0x5000,
        name="H\u00e4ndler \U0001f600",
        in_memory64=stack64,
    )
    d.thread(
        104,
        {"rip": 0x1, "rsp": 0x2},
        (STACK + 0x10000, b"T" * 0x1000),
        name="worker",
        in_memory64=stack64,
    )
    d.module(0x140000000, 0x8000, "Z:\\tmp/x\\\u00fcber.exe", timestamp=5)
    d.module(
        base,
        pe.SIZE,
        "C:\\Python\\311/python311.dll",
        timestamp=pe.STAMP,
        codeview=md.rsds(pe.GUID, 1, pe.PDB),
        version=pe.VERSION,
    )
    d.module(base + 0x1000, 0x100, "C:\\inside.dll")
    d.exception(
        104,
        0xC0000005,
        base + 0x1020,
        (0, 0xDEAD0),
        {"rip": base + 0x1020, "rsp": STACK + 0x10000, "r12": 7},
    )
    if options.get("info", True):
        d.info(0, 0x10000, 1, state=0x10000)
        d.info(HEAP - 0x1000, 0x1000, 0x104)
        d.info(HEAP, len(HEAP_DATA), 4)
        d.info(base, 0x1000, 2, kind=0x1000000)
        d.info(base + pe.TEXT, 0x1000, 0x20, kind=0x1000000)
        d.info(base + pe.RDATA, 0x1000, 2, kind=0x1000000)
        d.info(base + pe.DATA, 0x2000, 8, kind=0x1000000)
    d.memory(HEAP, HEAP_DATA)
    d.memory(HEAP + 0x800, HEAP_DATA[0x800:0x2000])  # inside another
    d.memory(HEAP + len(HEAP_DATA) - 16, HEAP_DATA[-16:] + b"beyond")  # overlapping its end
    if options.get("image", True):
        d.memory(base, pe.image(base))
    # TEB, PEB, process parameters, command line
    d.memory(
        0x5000,
        b"\0" * 0x60
        + struct.pack("<Q", 0x5100)
        + b"\0" * 0x98
        + b"\0" * 0x10
        + struct.pack("<QQQ", base, 0, 0x5200)
        + b"\0" * 0xD8
        + b"\0" * 0x70
        + struct.pack("<HHIQ", 18, 20, 0, 0x5300),
    )
    d.memory(0x5300, "py x.py \u00df\0".encode("utf-16-le"))
    return d


def linux(**options):
    """A process that got SIGSEGV, as Breakpad writes it: copies of /proc files, build ids."""
    d = md.Minidump(md.LINUX)
    d.thread(501, {"rip": 0x401000, "rsp": STACK}, (STACK, b"L" * 256))
    d.thread(500, {"rip": 0x401010, "rsp": STACK + 0x1000}, (STACK + 0x1000, b"M" * 256))
    d.exception(500, 11, 0x10, (), {"rip": 0x401020, "rsp": STACK + 0x1000}, flags=1)
    d.module(
        0x400000, 0x3000, "/opt/svc/bin/python3.11", codeview=md.build_id_record(bytes(range(20)))
    )
    if options.get("memory", False):
        d.memory(HEAP, HEAP_DATA)
    maps = (
        "00400000-00401000 r--p 00000000 08:01 77"
        "                    /opt/svc/bin/python3.11\n"
        "00401000-00402000 r-xp 00001000 08:01 77                    /opt/svc/bin/python3.11\n"
        "00402000-00403000 rw-p 00002000 08:01 77"
        "                    /opt/svc/bin/python3.11 (deleted)\n"
        "02000000-02020000 rw-p 00000000 00:00 0                     [heap]\n"
        "garbage\n"
        "0007f000-00081000 rw-p 00000000 00:00 0"
    )
    d.linux(
        maps=maps if options.get("maps", True) else None,
        command=["/opt/svc/bin/python3.11", "-u", "svc.py"],
        status="Name:\tpython3\nUmask:\t0022\nTgid:\t500\nPid:\t500\n",
        auxv={3: 0x400040, 9: 0x401000, 33: 0x7FFF0000, 0: 0},
        environ=b"A=B\0",
    )
    return d


def small(machine, regs):
    d = md.Minidump(machine=machine)
    d.thread(1, regs, (0x9000, b"s" * 64))
    return d


def truncated(data, at):
    return data[:at]


def normal():
    d = md.Minidump()
    d.thread(1, {"rsp": STACK}, (STACK, b"S" * 1024))
    d.module(0x180000000, pe.SIZE, "C:\\python311.dll", version=pe.VERSION)
    d.memory(0x180001000, b"code")
    return d


def write_all(directory):
    os.makedirs(directory, exist_ok=True)

    def put(name, data):
        with open(os.path.join(directory, name), "wb") as f:
            f.write(data)

    full = windows()
    data = full.build()
    put("windows.dmp", data)
    put("padded.dmp", windows(pad=True, memory64=False).build())
    put("stack64.dmp", windows(stack64=True).build())
    put("noinfo.dmp", windows(info=False).build())
    put("noimage.dmp", windows(info=False, image=False).build())
    put("cut-memory.dmp", truncated(data, full.where["bytes"] + 0x1000))
    put("cut-streams.dmp", truncated(data, full.where[md.THREADS] + 4 + 48 + 20))
    put("normal.dmp", normal().build())
    put("linux.dmp", linux(memory=True).build())
    put("linux-normal.dmp", linux().build())
    put("linux-nomaps.dmp", linux(maps=False).build())
    put("i386.dmp", small(md.I386, {"eip": 0x1234, "esp": 0x9000, "eax": 0xFFFFFFFF}).build())
    put("arm64.dmp", small(md.ARM64, {"pc": 0x1234, "sp": 0x9000, "x0": 5, "x28": 6}).build())
    old = small(md.ARM64_OLD, {"pc": 0x1234, "sp": 0x9000, "x0": 5})
    put("arm64-old.dmp", old.build())
    bare = small(md.AMD64, {"rip": 9})
    bare.with_system = False
    put("nosystem.dmp", bare.build())
    put("empty.dmp", struct.pack("<4sIIIIIQ", b"MDMP", 0xA793, 0, 32, 0, 0, 0))
    put("fake.dll", pe.file())
    put("other.dll", pe.file(stamp=1)[:-0x200])


if __name__ == "__main__":
    write_all(sys.argv[1])
