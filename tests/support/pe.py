"""Make a small PE image (DLL, x86-64) with every part that pyscry reads: exports, sections, .pdata
with chained unwind infos, a CodeView record, a version resource, base relocations, an import
address table. For tests."""
import struct

TEXT, RDATA, DATA, PYRUNTIM, PDATA, RSRC, RELOC, SIZE = range(0x1000, 0x9000, 0x1000)
BASE = 0x180000000
GUID = bytes(range(16))
PDB = "C:\\build\\fake.pdb"
STAMP = 0x5F5E1000
VERSION = (3, 11, 5150, 1013)

# name: RVA, in the order of the name table (sorted)
EXPORTS = {
    "Forwarded": None,
    "PyInterpreterState_Head": TEXT + 0x400,
    "_PyEval_EvalFrameDefault": TEXT,
    "_PyRuntime": PYRUNTIM,
    "also_PyRuntime": PYRUNTIM,
    "framed": TEXT + 0x300,
}

# what lies where in .rdata
DIRECTORY, UNWIND, CODEVIEW, IAT, POINTER = (
    RDATA,
    RDATA + 0x400,
    RDATA + 0x500,
    RDATA + 0x600,
    RDATA + 0x700,
)
IAT_SIZE = 16


def code(offset, op, info=0):
    return bytes((offset, op | info << 4))


def unwind_info(codes=(), flags=0, prolog=0, frame=0, frame_offset=0, chained=None, version=1):
    raw = b"".join(codes)
    count = len(raw) // 2
    raw += b"\0\0" * (count & 1)
    out = bytes((version | flags << 3, prolog, count, frame | frame_offset << 4)) + raw
    return out + (struct.pack("<III", *chained) if chained else b"")


def unwind_data():
    """(bytes for UNWIND, rows of .pdata)."""
    infos, rows = b"", []

    def add(begin, end, info):
        nonlocal infos
        at = UNWIND + len(infos)
        infos += info + b"\0" * (-len(info) % 4)
        rows.append((TEXT + begin, TEXT + end, at))
        return rows[-1]

    # push rbx (1 byte); push r12 (3); sub rsp, 0x28 (7); offsets are those behind the instruction
    hot = add(0, 0x100, unwind_info([code(7, 2, 4), code(3, 0, 12), code(1, 0, 3)], prolog=7))
    # its cold part: one more register saved at [rsp + 0x18], nothing pushed
    warm = add(
        0x200,
        0x240,
        unwind_info([code(5, 4, 6) + struct.pack("<H", 3)], flags=4, prolog=5, chained=hot),
    )
    # the coldest part, chained to the cold one, without codes of its own
    add(0x240, 0x260, unwind_info(flags=4, chained=warm))
    # push rbp; sub rsp, 0x200 (large); lea rbp, [rsp + 0x80]
    add(
        0x300,
        0x340,
        unwind_info(
            [code(16, 3), code(8, 1) + struct.pack("<H", 0x200 // 8), code(1, 0, 5)],
            prolog=16,
            frame=5,
            frame_offset=8,
        ),
    )
    # a huge frame: sub rsp, 0x100000 by a 32-bit operand, and a register saved far away
    add(
        0x500,
        0x540,
        unwind_info(
            [
                code(20, 5, 7) + struct.pack("<I", 0x80000),
                code(10, 1, 1) + struct.pack("<I", 0x100000),
            ],
            prolog=20,
        ),
    )
    return infos, rows


def exports():
    names = sorted(EXPORTS)
    at = DIRECTORY + 40
    functions, name_table, ordinals = at, at + 4 * len(names), at + 8 * len(names)
    strings_at = ordinals + 2 * len(names)
    strings, rvas, name_rvas = b"", [], []
    for name in names:
        name_rvas.append(strings_at + len(strings))
        strings += name.encode() + b"\0"
    forward = strings_at + len(strings)
    strings += b"other.Forwarded\0fake.dll\0"
    for name in names:
        rvas.append(forward if EXPORTS[name] is None else EXPORTS[name])
    out = struct.pack(
        "<IIHHIIIIIII",
        0,
        STAMP,
        0,
        0,
        forward + 16,
        1,
        len(names),
        len(names),
        functions,
        name_table,
        ordinals,
    )
    out += struct.pack(f"<{len(names)}I", *rvas) + struct.pack(f"<{len(names)}I", *name_rvas)
    out += struct.pack(f"<{len(names)}H", *range(len(names))) + strings
    return out


def version_resource():
    def directory(key, target):
        return struct.pack("<IIHHHHII", 0, 0, 0, 0, 0, 1, key, target)

    top = 0x80000000
    tree = (
        directory(16, top | 24)
        + directory(1, top | 48)
        + directory(1033, 72)
        + struct.pack("<IIII", RSRC + 88, 92, 0, 0)
    )
    a, b, c, d = VERSION
    info = struct.pack(
        "<13I", 0xFEEF04BD, 0x10000, a << 16 | b, c << 16 | d, a << 16 | b, c << 16 | d, *[0] * 7
    )
    return (
        tree
        + struct.pack("<HHH", 92, 52, 0)
        + "VS_VERSION_INFO\0".encode("utf-16-le")
        + b"\0\0"
        + info
    )


def text():
    out = bytearray(b"\xcc" * 0x1000)
    out[0:7] = bytes.fromhex("53 4154 4883ec28".replace(" ", ""))
    # an epilogue at 0x80: add rsp, 0x28; pop r12; pop rbx; ret
    out[0x80:0x88] = bytes.fromhex("4883c428 415c 5b c3".replace(" ", ""))
    # PyInterpreterState_Head: mov rax, [rip + disp]; ret: the word at PYRUNTIM + 32
    at = TEXT + 0x400
    out[0x400:0x408] = b"\x48\x8b\x05" + struct.pack("<i", PYRUNTIM + 32 - (at + 7)) + b"\xc3"
    return bytes(out)


def sections(base):
    """{rva: (name, flags, bytes)} as the loader would leave them at `base`."""
    infos, rows = unwind_data()
    rdata = bytearray(0x1000)

    def put(at, data):
        rdata[at - RDATA : at - RDATA + len(data)] = data

    directory = exports()
    record = b"RSDS" + GUID + struct.pack("<I", 1) + PDB.encode() + b"\0"
    put(DIRECTORY, directory)
    put(UNWIND, infos)
    put(
        CODEVIEW,
        struct.pack("<IIHHIIII", 0, STAMP, 0, 0, 2, len(record), CODEVIEW + 28, 0) + record,
    )
    put(IAT, b"\xee" * IAT_SIZE)
    put(POINTER, struct.pack("<Q", base + DATA + 0x10))
    relocs = struct.pack("<IIHH", RDATA, 12, 10 << 12 | POINTER - RDATA, 0)
    runtime = bytearray(0x1000)
    runtime[:8] = b"xdebugpy"
    pdata = b"".join(struct.pack("<III", *row) for row in rows)
    return (
        {
            TEXT: (b".text", 0x60000020, text()),
            RDATA: (b".rdata", 0x40000040, bytes(rdata)),
            DATA: (b".data", 0xC0000040, b"data" * 1024),
            PYRUNTIM: (b"PyRuntim", 0xC0000040, bytes(runtime)),
            PDATA: (b".pdata", 0x40000040, pdata),
            RSRC: (b".rsrc", 0x40000040, version_resource()),
            RELOC: (b".reloc", 0x42000040, relocs),
        },
        len(directory),
        len(record),
        len(pdata),
    )


def headers(base, stamp):
    table, x, record, pdata = sections(base)
    dirs = {
        0: (DIRECTORY, x),
        2: (RSRC, 0x200),
        3: (PDATA, pdata),
        5: (RELOC, 12),
        6: (CODEVIEW, 28),
        12: (IAT, IAT_SIZE),
    }
    out = bytearray(0x400)
    out[:2] = b"MZ"
    struct.pack_into("<I", out, 0x3C, 0x80)
    struct.pack_into(
        "<4sHHIIIHH", out, 0x80, b"PE\0\0", 0x8664, len(table), stamp, 0, 0, 240, 0x2022
    )
    opt = 0x98
    struct.pack_into("<H", out, opt, 0x20B)
    struct.pack_into("<Q", out, opt + 24, base)
    struct.pack_into("<III", out, opt + 56, SIZE, 0x400, 0)
    struct.pack_into("<I", out, opt + 108, 16)
    for i, (rva, size) in dirs.items():
        struct.pack_into("<II", out, opt + 112 + 8 * i, rva, size)
    offset = 0x400
    for i, (rva, (name, flags, data)) in enumerate(sorted(table.items())):
        size = len(data) + -len(data) % 0x200
        struct.pack_into(
            "<8sIIIIIIHHI",
            out,
            opt + 240 + 40 * i,
            name,
            max(len(data), 0x200),
            rva,
            size,
            offset,
            0,
            0,
            0,
            0,
            flags,
        )
        offset += size
    return bytes(out)


def image(base=BASE, stamp=STAMP):
    """The image as it lies in memory, one string of SIZE bytes."""
    out = bytearray(SIZE)
    out[:0x400] = headers(base, stamp)
    for rva, (_, _, data) in sections(base)[0].items():
        out[rva : rva + len(data)] = data
    return bytes(out)


def file(base=BASE, stamp=STAMP):
    """The file on disk."""
    out = headers(base, stamp)
    for _, (_, _, data) in sorted(sections(base)[0].items()):
        out += data + b"\0" * (-len(data) % 0x200)
    return out
