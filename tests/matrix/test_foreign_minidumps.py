"""Minidumps of other systems say what they are, and a module that is not here is missing."""
import struct

from tests.support import run

WINDOWS, MACOS = 2, 0x8101


def minidump(platform, code, module, parameters=(), memory=()):
    """One thread, which stands in `module` and crashed at address 0x10: minidumpapiset.h. `memory`:
    (address, bytes) of what else is there."""
    blob = bytearray(32 + 12 * 5)
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
    crash = struct.pack('<4I2Q2I', 5, 0, code, 1, 0, 0x10, len(parameters), 0)
    crash += struct.pack('<15Q', *parameters, *[0] * (15 - len(parameters)))
    rows = [struct.pack('<Q2I', start, len(data), place(data)) for start, data in memory]
    stream(5, struct.pack('<I', len(rows)) + b''.join(rows))
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


def test_parameters_of_exceptions(tmp_path):
    """Their meaning is told where it is known; a parameter that is not there means nothing."""
    dump = tmp_path / 'win.dmp'
    cases = [
        (0xC0000409, [7], '(fail fast)', 'FAST_FAIL_FATAL_APP_EXIT: the program called abort()'),
        (0xC0000409, [2], '(fail fast)', 'FAST_FAIL_STACK_COOKIE_CHECK_FAILURE: a buffer on'),
        (0xC0000409, [77], '(fail fast)', 'the code of __fastfail() is 77'),
        (0xC0000006, [0, 0x7FF0000, 0xC000009C], '(in-page error)', 'status 0xc000009c'),
        (0xC0000005, [1, 0x24], '(access violation)', '0x24 is not an address'),
        (0xC00000FD, [], '(stack overflow)', ''),
    ]
    for code, parameters, name, explained in cases:
        dump.write_bytes(minidump(WINDOWS, code, 'C:\\app\\engine.exe', parameters))
        crash = run.answer(dump, command=('crash',))[0]['crash']
        assert name in crash['signal_name']
        assert explained in ' '.join(crash['explanation']), (parameters, crash)
        assert bool(crash['explanation']) == bool(explained)
        assert crash['stack_overflow'] == (code == 0xC00000FD)
        assert crash['access'] == {0xC0000005: 'write', 0xC0000006: 'read'}.get(code)


def thrown(names, text, at):
    """(parameters, memory) of a C++ exception of these types, the last of which begins `at` bytes
    into the object, and has the text."""
    image, thing = 0x150000000, 0x60000
    data, types = bytearray(0x1000), []
    struct.pack_into('<4I', data, 0x10, 0, 0, 0, 0x100)
    for i, name in enumerate(names):
        descriptor, kind = 0x400 + 0x80 * i, 0x200 + 0x40 * i
        data[descriptor + 16 : descriptor + 16 + len(name)] = name.encode()
        place = at if i == len(names) - 1 else 0
        struct.pack_into('<3I', data, kind, 0, descriptor, place)
        types.append(kind)
    struct.pack_into('<%dI' % (len(types) + 1), data, 0x100, len(types), *types)
    held = bytearray(0x200)
    struct.pack_into('<2Q', held, at, 0x150000800, thing + 0x100)
    held[0x100 : 0x100 + len(text)] = text
    memory = [(thing, bytes(held)), (image, bytes(data))]
    return [0x19930520, thing, image + 0x10, image], memory


def test_cxx_of_windows(tmp_path):
    """The type of what was thrown, and what() of what derives from std::exception."""
    dump = tmp_path / 'win.dmp'
    error, base = '.?AVruntime_error@std@@', '.?AVexception@std@@'
    cases = [
        ([error, base], 0, 'C++ exception std::runtime_error: lost it'),
        (['.?AUBad@io@app@@', base], 24, 'C++ exception app::io::Bad: lost it'),
        (['.H'], 0, 'C++ exception .H'),
        (['.?AV?$Box@H@@'], 0, 'C++ exception .?AV?$Box@H@@'),
    ]
    for names, at, expected in cases:
        parameters, memory = thrown(names, b'lost it', at)
        dump.write_bytes(minidump(WINDOWS, 0xE06D7363, 'C:\\engine.exe', parameters, memory))
        crash = run.answer(dump, command=('crash',))[0]['crash']
        assert crash['message'] == expected, crash
        dump.write_bytes(minidump(WINDOWS, 0xE06D7363, 'C:\\engine.exe', parameters))
        assert run.answer(dump, command=('crash',))[0]['crash']['message'] is None


def test_module_that_is_missing(tmp_path):
    dump = tmp_path / 'win.dmp'
    dump.write_bytes(minidump(WINDOWS, 0xC0000005, 'C:\\app\\engine.exe'))
    _, output, _ = run.pyscry(dump, 'bt', '--native')
    assert '[crashed: exception 0xc0000005 (access violation)]' in output
    assert 'engine.exe is missing: it was not found on this machine' in output
