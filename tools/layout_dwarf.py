"""DWARF of the structs of src/layout/fields.def as trees of members; what layout_rows.py prints
rows from."""
import hashlib
import os
import pickle
import re

POINTER_SIZED = {
    'size_t',
    'ssize_t',
    'Py_ssize_t',
    'Py_hash_t',
    'Py_uhash_t',
    'Py_intptr_t',
    'Py_uintptr_t',
    'intptr_t',
    'uintptr_t',
    'atomic_uintptr_t',
    'ptrdiff_t',
    'mpd_ssize_t',
    'mpd_size_t',
    'mpd_uint_t',
    'SOCKET',
}
FIXED = {
    'int8_t': '1',
    'uint8_t': '1',
    'int16_t': '2',
    'uint16_t': '2',
    'int32_t': '4',
    'uint32_t': '4',
    'off_t': '8',
    'off64_t': '8',
    'Py_off_t': '8',  # large files everywhere
    'int64_t': '8',
    'uint64_t': '8',
    '__int64_t': '8',
    '__uint64_t': '8',
    'wchar_t': 'w',
    'pthread_mutex_t': 'M',
    'SRWLOCK': 'M',
    'pthread_cond_t': 'C',
    'CONDITION_VARIABLE': 'C',
    'DWORD': '4',
}


class Node:
    """A member: a leaf (code), a nested struct '(' or union '<' (children), a reference '@', or
    bit-fields '{'."""

    def __init__(self, kind, name='', count=1, children=None, code='', array=False):
        self.kind, self.name, self.count, self.children, self.code = (
            kind,
            name,
            count,
            children or [],
            code,
        )
        self.array = array
        self.flavours = None  # where it exists; None: everywhere
        self.align = 0  # an alignment that the source asks for, 0 the natural one
        self.lead = 0  # of bit-fields: bits of their unit that the members before them occupy

    def key(self):
        code = self.code if self.kind in 'l@' else ''
        return (
            self.kind,
            self.name,
            self.count,
            code,
            self.align,
            tuple(c.key() for c in self.children) if self.kind == '{' else (),
        )


# ---- reading fields.def


def read_fields(path):
    structs = {}
    for kind, body in re.findall(r'^(STRUCT|FIELD)\((.*)\)\s*$', open(path).read(), re.M):
        parts = [p.strip().strip('"') for p in body.split(',')]
        if kind == 'STRUCT':
            structs[parts[0]] = {'names': parts[2].split('|'), 'fields': {}}
        else:
            structs[parts[0]]['fields'][parts[1]] = parts[2].split('|')
    return structs


# ---- reading DWARF


class Dwarf:
    """Trees of the wanted structs of one file."""

    def __init__(self, path, structs):
        self.structs = structs
        self.by_name = {n: s for s, d in structs.items() for n in d['names']}
        with open(path, 'rb') as f:
            elf = self.open(f)
            self.found, self.sizes = {}, {}
            for cu in elf.iter_CUs():
                self.scan(cu)

    def open(self, f):
        from elftools.elf.elffile import ELFFile

        if f.read(4) == b'\x7fELF':
            f.seek(0)
            return ELFFile(f).get_dwarf_info()
        return coff_dwarf(f)

    def scan(self, cu):
        for die in cu.get_top_DIE().iter_children():
            if die.tag not in ('DW_TAG_structure_type', 'DW_TAG_union_type', 'DW_TAG_typedef'):
                continue
            name = self.name(die)
            struct = self.by_name.get(name)
            if not struct:
                continue
            target = self.strip(die)
            if (
                target is None
                or target.tag not in ('DW_TAG_structure_type', 'DW_TAG_union_type')
                or 'DW_AT_declaration' in target.attributes
                or 'DW_AT_byte_size' not in target.attributes
            ):
                continue
            for s, d in self.structs.items():
                if name in d['names'] and (
                    s not in self.found
                    or d['names'].index(name) < d['names'].index(self.found[s][0])
                ):
                    offsets = {}
                    tree = self.members(target, '', 0, offsets, s)
                    if target.tag == 'DW_TAG_union_type':
                        tree = [Node('<', children=tree)]
                    self.found[s] = (
                        name,
                        tree,
                        target.attributes['DW_AT_byte_size'].value,
                        offsets,
                    )

    @staticmethod
    def name(die):
        a = die.attributes.get('DW_AT_name')
        return a.value.decode() if a else ''

    def type_of(self, die):
        return die.get_DIE_from_attribute('DW_AT_type') if 'DW_AT_type' in die.attributes else None

    def strip(self, die):
        while die is not None and die.tag in (
            'DW_TAG_typedef',
            'DW_TAG_const_type',
            'DW_TAG_volatile_type',
            'DW_TAG_atomic_type',
        ):
            die = self.type_of(die)
        return die

    def members(self, die, path, base, offsets, struct):
        """Children as nodes; `offsets` gets path -> (offset, size, shift, bits)."""
        nodes, bits = [], []
        for m in die.iter_children():
            if m.tag != 'DW_TAG_member':
                continue
            name = self.name(m)
            where = (path + '.' if path and name else path) + name
            if 'DW_AT_bit_size' in m.attributes:
                bits.append(
                    (
                        self.bit_offset(m),
                        m.attributes['DW_AT_bit_size'].value,
                        name,
                        self.size_of(self.type_of(m)),
                    )
                )
                continue
            self.flush_bits(bits, nodes, path, base, offsets)
            at = base + (
                m.attributes['DW_AT_data_member_location'].value
                if 'DW_AT_data_member_location' in m.attributes
                else 0
            )
            node = self.node(self.type_of(m), where, at, offsets, struct)
            node.name = name
            node.align = self.alignment(m) or node.align
            size = self.size_of(self.type_of(m))
            if name:
                offsets[where] = (at, size or self.element_size(self.type_of(m)), 0, 0)
            nodes.append(node)
        self.flush_bits(bits, nodes, path, base, offsets)
        return nodes if struct in ('OBJECT', 'VAR') and not path else with_head(nodes)

    def bit_offset(self, m):
        if 'DW_AT_data_bit_offset' in m.attributes:
            return m.attributes['DW_AT_data_bit_offset'].value
        size = (
            m.attributes['DW_AT_byte_size'].value
            if 'DW_AT_byte_size' in m.attributes
            else self.size_of(self.type_of(m))
        )
        loc = m.attributes['DW_AT_data_member_location'].value
        return (
            8 * (loc + size)
            - m.attributes['DW_AT_bit_offset'].value
            - m.attributes['DW_AT_bit_size'].value
        )

    @staticmethod
    def flush_bits(bits, nodes, path, base, offsets):
        """Pending bit-fields become containers of their declared type."""
        while bits:
            unit = bits[0][3]
            start = bits[0][0] // (8 * unit) * unit
            inside = [
                b
                for b in bits
                if b[3] == unit and start * 8 <= b[0] and b[0] + b[1] <= 8 * (start + unit)
            ]
            node = Node('{', code=str(unit))
            at = bits[0][0]
            for off, width, name, _ in inside:
                if off > at:
                    node.children.append(Node('b', '', off - at))
                node.children.append(Node('b', name, width))
                if name:
                    offsets[(path + '.' if path else '') + name] = (
                        base + start,
                        unit,
                        off - start * 8,
                        width,
                    )
                at = off + width
            node.lead = bits[0][0] - start * 8
            nodes.append(node)
            del bits[: len(inside)]

    def alignment(self, die):
        """Of a member, or of its type where the source gives one."""
        while die is not None:
            if 'DW_AT_alignment' in die.attributes:
                align = die.attributes['DW_AT_alignment'].value
                return (
                    align if align > die.cu.header['address_size'] else 0
                )  # less is natural enough
            if die.tag in (
                'DW_TAG_structure_type',
                'DW_TAG_union_type',
                'DW_TAG_pointer_type',
                'DW_TAG_base_type',
            ):
                return 0
            die = self.type_of(die)
        return 0

    def element_size(self, die):
        die = self.strip(die)
        while die.tag == 'DW_TAG_array_type':
            die = self.strip(self.type_of(die))
        return self.size_of(die)

    def count_of(self, die):
        n = 1
        for sub in die.iter_children():
            if sub.tag == 'DW_TAG_subrange_type':
                if 'DW_AT_count' in sub.attributes:
                    n *= sub.attributes['DW_AT_count'].value
                elif 'DW_AT_upper_bound' in sub.attributes and isinstance(
                    sub.attributes['DW_AT_upper_bound'].value, int
                ):
                    bound = sub.attributes['DW_AT_upper_bound'].value
                    n *= 0 if bound in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else bound + 1
                else:
                    n = 0
        return n

    def size_of(self, die):
        die = self.strip(die)
        if die is None:
            return 0
        if die.tag == 'DW_TAG_array_type':
            return self.count_of(die) * self.size_of(self.type_of(die))
        if 'DW_AT_byte_size' in die.attributes:
            return die.attributes['DW_AT_byte_size'].value
        return die.cu.header['address_size'] if die.tag == 'DW_TAG_pointer_type' else 0

    def node(self, die, path, at, offsets, struct):
        count, array = 1, False
        while True:
            name = self.name(die) if die.tag == 'DW_TAG_typedef' else ''
            if name in POINTER_SIZED:
                return Node('l', code='p', count=count, array=array)
            if name in FIXED or re.match(r'u?int(8|16|32|64)_t$', name):
                return Node('l', code=FIXED[name], count=count, array=array)
            if name in ('PyObject', 'PyVarObject') and struct not in ('OBJECT', 'VAR'):
                return self.reference(name, count, die, path, at, offsets, struct)
            if die.tag == 'DW_TAG_array_type':
                count *= self.count_of(die)
                array = True
            elif die.tag not in (
                'DW_TAG_typedef',
                'DW_TAG_const_type',
                'DW_TAG_volatile_type',
                'DW_TAG_atomic_type',
            ):
                break
            elif (
                name in self.by_name
                and self.by_name[name] != struct
                and self.by_name[name] in REFERENCES
            ):
                return self.reference(name, count, die, path, at, offsets, struct)
            die = self.type_of(die)
        if die.tag in ('DW_TAG_structure_type', 'DW_TAG_union_type'):
            name = self.name(die)
            if (
                name in self.by_name
                and self.by_name[name] != struct
                and self.by_name[name] in REFERENCES
            ):
                return self.reference(name, count, die, path, at, offsets, struct)
            kids = self.members(die, path, at, offsets if count == 1 and not array else {}, struct)
            return Node(
                '(' if die.tag == 'DW_TAG_structure_type' else '<',
                count=count,
                children=kids,
                array=array,
            )
        return Node('l', code=self.leaf(die), count=count, array=array)

    def reference(self, name, count, die, path, at, offsets, struct):
        die = self.strip(die)
        if die is not None and die.tag == 'DW_TAG_array_type':
            die = self.strip(self.type_of(die))
        self.members(die, path, at, offsets, self.by_name[name])
        return Node('@', code=self.by_name[name], count=count)

    def leaf(self, die):
        size = self.size_of(die)
        if die.tag == 'DW_TAG_base_type':
            name = self.name(die)
            if size == 8 and name == 'double':
                return 'd'
            if name == 'long double':
                return 'D'
            if re.fullmatch(r'long( unsigned)?( int)?|unsigned long', name):
                return 'l'
        elif die.tag in ('DW_TAG_pointer_type', 'DW_TAG_subroutine_type'):
            return 'p'
        if size not in (1, 2, 4, 8):
            raise SystemExit(f'{self.name(die)}: size {size} has no code')
        return str(size)


def with_head(nodes):
    """PyObject_HEAD was a macro once: its members become a reference, so that the head's conditions
    hold."""
    names = [n.name for n in nodes[:5]]
    for head, code in (
        (['ob_refcnt', 'ob_type', 'ob_size'], 'VAR'),
        (['ob_refcnt', 'ob_type'], 'OBJECT'),
    ):
        for links in (['_ob_next', '_ob_prev'], []):
            if names[: len(links + head)] == links + head:
                return [Node('@', 'ob_base', code=code)] + nodes[len(links + head) :]
    return nodes


# structs that others nest: a row names them instead of repeating them; an inner one first
REFERENCES = ['OBJECT', 'VAR', 'EXC_INFO', 'TYPE', 'ASCII', 'COMPACT', 'THREAD', 'FUTURE']


def coff_dwarf(f):
    """DWARF of a Windows object file (mingw): pyelftools is given the sections."""
    import io
    import struct
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

    f.seek(0)
    data = f.read()
    _, nsect, _, symtab, nsyms, opt, _ = struct.unpack_from('<HHIIIHH', data)
    strings = symtab + 18 * nsyms
    names, base, sections = {}, 20 + opt, []
    for i in range(nsect):
        name, _, _, size, raw, reloc, _, nreloc, _, flags = struct.unpack_from(
            '<8sIIIIIIHHI', data, base + 40 * i
        )
        name = name.rstrip(b'\0').decode()
        if name.startswith('/'):
            at = strings + int(name[1:])
            name = data[at : data.index(b'\0', at)].decode()
        body = bytearray(data[raw : raw + size])
        if flags & 0x01000000 and nreloc == 0xFFFF:
            nreloc = struct.unpack_from('<I', data, reloc)[0]
        sections.append((name, body, reloc, nreloc))
    for name, body, reloc, nreloc in sections:
        if not name.startswith('.debug'):
            continue
        for r in range(
            nreloc
        ):  # section-relative and absolute: value of the symbol is added in place
            va, sym, kind = struct.unpack_from('<IIH', data, reloc + 10 * r)
            value = struct.unpack_from('<I', data, symtab + 18 * sym + 8)[0]
            if kind in (11, 2, 3) and va + 4 <= len(body):
                old = struct.unpack_from('<I', body, va)[0]
                struct.pack_into('<I', body, va, (old + value) & 0xFFFFFFFF)
        names[name] = body

    def section(name):
        body = names.get(name)
        return body and DebugSectionDescriptor(io.BytesIO(bytes(body)), name, 0, len(body), 0)

    keys = (
        'info',
        'aranges',
        'abbrev',
        'frame',
        None,
        'str',
        'loc',
        'ranges',
        'line',
        'pubtypes',
        'pubnames',
        'addr',
        'str_offsets',
        'line_str',
        'loclists',
        'rnglists',
        None,
        None,
        None,
    )
    import inspect

    wanted = len(inspect.signature(DWARFInfo.__init__).parameters) - 2
    args = [section('.debug_' + k) if k else None for k in keys][:wanted]
    return DWARFInfo(
        DwarfConfig(little_endian=True, machine_arch='x64', default_address_size=8), *args
    )


def load(path, structs, cache):
    key = None
    if cache:
        st = os.stat(path)
        text = repr(
            (
                os.path.abspath(path),
                st.st_mtime_ns,
                st.st_size,
                sorted(structs.items()),
                open(__file__, 'rb').read(),
            )
        )
        key = os.path.join(cache, hashlib.sha1(text.encode()).hexdigest())
        if os.path.exists(key):
            return pickle.load(open(key, 'rb'))
    found = Dwarf(path, structs).found
    if key:
        with open(key + '.t', 'wb') as f:
            pickle.dump(found, f)
        os.replace(key + '.t', key)
    return found
