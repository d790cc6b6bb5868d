"""Just enough of ELF core files to damage them on purpose: little-endian, read and patched in
place."""
import mmap
import struct

PT_LOAD, PT_NOTE, PF_W, NT_FILE = 1, 4, 2, 0x46494C45
# by EI_CLASS: bytes of a word and its format, where e_phoff and e_phentsize stand, a program
# header, and which of its members are type, flags, file offset, address, bytes in the file
CLASSES = {
    1: (4, '<I', 28, 42, '<IIIIIII', (0, 6, 1, 2, 4)),
    2: (8, '<Q', 32, 54, '<IIQQQQ', (0, 1, 2, 3, 5)),
}


class CoreFile:
    """Addresses are those of the process; only bytes that the file holds can be read or written."""

    def __init__(self, path):
        self.file = open(path, 'r+b')
        self.data = mmap.mmap(self.file.fileno(), 0)
        if self.data[:4] != b'\x7fELF' or self.data[4] not in CLASSES or self.data[5] != 1:
            raise ValueError('%s is no little-endian ELF file' % path)
        self.size, self.format, header, sizes, form, order = CLASSES[self.data[4]]
        (offset,) = struct.unpack_from(self.format, self.data, header)
        size, count = struct.unpack_from('<HH', self.data, sizes)
        headers = (struct.unpack_from(form, self.data, offset + i * size) for i in range(count))
        # (type, flags, file offset, address, bytes in the file)
        self.headers = [tuple(members[i] for i in order) for members in headers]
        self.segments = [h for h in self.headers if h[0] == PT_LOAD and h[4]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.data.close()
        self.file.close()

    def offset(self, address, size=1):
        for _, _, offset, start, length in self.segments:
            if start <= address and address + size <= start + length:
                return offset + address - start
        return None

    def word(self, address):
        at = self.offset(address, self.size)
        return None if at is None else struct.unpack_from(self.format, self.data, at)[0]

    def set_word(self, address, value):
        struct.pack_into(
            self.format,
            self.data,
            self.offset(address, self.size),
            value & (1 << 8 * self.size) - 1,
        )

    def writable(self):
        return [h for h in self.segments if h[1] & PF_W]

    def notes(self):
        """(type, offset of the description, its size)"""
        for kind, _, offset, _, size in self.headers:
            end = offset + size
            while kind == PT_NOTE and offset + 12 <= end:
                name, length, number = struct.unpack_from('<III', self.data, offset)
                offset += 12 + (name + 3) // 4 * 4
                yield number, offset, length
                offset += (length + 3) // 4 * 4

    def hide_files(self):
        """Rename every mapped file in the list of mappings, so that none of them is found on
        disk."""
        for number, offset, size in self.notes():
            if number == NT_FILE:
                (count,) = struct.unpack_from(self.format, self.data, offset)
                start = offset + (2 + count * 3) * self.size
                paths = self.data[start : offset + size].split(b'\0')
                hidden = [
                    b'/' + b'-' * (len(p.rsplit(b'/', 1)[0]) - 1) + b'/' + p.rsplit(b'/', 1)[1]
                    if p.startswith(b'/') and p.count(b'/') > 1
                    else p
                    for p in paths
                ]
                self.data[start : offset + size] = b'\0'.join(hidden)


def link(core, newer, older):
    """Where the frame at `newer` points to the one at `older`: the address of that pointer, or
    None."""
    for at in range(newer, newer + 16 * core.size, core.size):
        if core.word(at) == older:
            return at
    return None
