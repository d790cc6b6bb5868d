"""Minidumps of other systems say what they are, and a module that is not here is missing."""
import struct

from tests.support import run

WINDOWS, MACOS = 2, 0x8101


def minidump(platform, code, module):
    """One thread, which stands in `module` and crashed at address 0x10: minidumpapiset.h."""
    blob = bytearray(32 + 12 * 4)
    streams = []

    def place(data):
        blob.extend(data)
        return len(blob) - len(data)

    def stream(kind, data):
        streams.append((kind, len(data), place(data)))

    text = module.encode('utf-16-le')
    name = place(struct.pack('<I', len(text)) + text + b'\0\0')
    context = bytearray(1232)
    struct.pack_into('<I', context, 48, 0x10000B)
    struct.pack_into('<Q', context, 152, 0x30000)
    struct.pack_into('<Q', context, 248, 0x150002000)
    registers = place(context)
    stack = place(bytes(64))
    stream(7, struct.pack('<3H2B5I', 9, 6, 0, 1, 1, 10, 0, 0, platform, 0) + bytes(24))
    stream(3, struct.pack('<5I2Q4I', 1, 5, 0, 0, 0, 0, 0x30000, 64, stack, 1232, registers))
    stream(4, struct.pack('<IQ4I', 1, 0x150000000, 0x10000, 0, 0, name) + bytes(84))
    crash = struct.pack('<4I2Q2I', 5, 0, code, 1, 0, 0x10, 0, 0) + bytes(120)
    stream(6, crash + struct.pack('<2I', 1232, registers))
    struct.pack_into('<4sIIIIIQ', blob, 0, b'MDMP', 0xA793, len(streams), 32, 0, 1700000000, 0)
    for i, row in enumerate(streams):
        struct.pack_into('<III', blob, 32 + 12 * i, *row)
    return bytes(blob)


def test_of_macos(tmp_path):
    dump = tmp_path / 'mac.dmp'
    for code, name in ((1, 'EXC_BAD_ACCESS at 0x10'), (6, 'EXC_BREAKPOINT')):
        dump.write_bytes(minidump(MACOS, code, '/Applications/A.app/Contents/MacOS/a'))
        _, output, errors = run.pyscry(dump, 'threads')
        assert '[crashed: %s]' % name in output
        assert 'a macOS minidump' in errors
        assert 'WER' not in errors and 'neither' not in errors


def test_module_that_is_missing(tmp_path):
    dump = tmp_path / 'win.dmp'
    dump.write_bytes(minidump(WINDOWS, 0xC0000005, 'C:\\app\\engine.exe'))
    _, output, _ = run.pyscry(dump, 'bt', '--native')
    assert '[crashed: exception 0xc0000005 (access violation)]' in output
    assert 'engine.exe is missing: it was not found on this machine' in output
