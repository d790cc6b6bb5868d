#!/usr/bin/env python3
"""Print layout rows (docs/layouts.md) for the structs of src/layout/fields.def, read from DWARF.

    layout_rows.py [--fields FILE] [--cache DIR] [--only STRUCT,...] VERSION:FLAVOUR=FILE[,FILE...] ...

VERSION is "3.13" or "3.13.2" (a change within the minor); FLAVOUR is "rel" or letters: g Py_DEBUG, r Py_TRACE_REFS,
f free-threaded, w Windows, n 32-bit. FILE is anything with DWARF: an interpreter, libpython, an extension module, an
object file. The flavours of one version are merged into one row with conditions; every row printed was laid out
again and compared with each DWARF it came from. A version prints only the rows that differ from the version before.
Needs pyelftools.
"""
import argparse
import hashlib
import itertools
import os
import pickle
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from difflib import SequenceMatcher

LETTERS = 'gfrwn'
POINTER_SIZED = {'size_t', 'ssize_t', 'Py_ssize_t', 'Py_hash_t', 'Py_uhash_t', 'Py_intptr_t', 'Py_uintptr_t',
                 'intptr_t', 'uintptr_t', 'atomic_uintptr_t', 'ptrdiff_t', 'mpd_ssize_t', 'mpd_size_t', 'mpd_uint_t', 'SOCKET'}
FIXED = {'int8_t': '1', 'uint8_t': '1', 'int16_t': '2', 'uint16_t': '2', 'int32_t': '4', 'uint32_t': '4',
         'off_t': '8', 'off64_t': '8', 'Py_off_t': '8',  # large files everywhere
         'int64_t': '8', 'uint64_t': '8', '__int64_t': '8', '__uint64_t': '8', 'wchar_t': 'w',
         'pthread_mutex_t': 'M', 'SRWLOCK': 'M', 'pthread_cond_t': 'C', 'CONDITION_VARIABLE': 'C', 'DWORD': '4'}
HUGE = 700  # bytes: past its last wanted field such a struct is cut, and its size stays unknown


class Abi:
    def __init__(self, name, ptr, long_, align8, wchar, ldouble, ldalign, mutex, cond):
        self.name, self.ptr, self.long, self.align8 = name, ptr, long_, align8
        self.wchar, self.ldouble, self.ldalign, self.mutex, self.cond = wchar, ldouble, ldalign, mutex, cond

    def type(self, code):
        """(size, alignment) of a type code; the same table is in src/layout/lay_out.c."""
        return {'1': (1, 1), '2': (2, 2), '4': (4, 4), '8': (8, self.align8), 'd': (8, self.align8),
                'p': (self.ptr, self.ptr), 'l': (self.long, self.long), 'w': (self.wchar, self.wchar),
                'D': (self.ldouble, self.ldalign), 'M': (self.mutex, self.ptr), 'C': (self.cond, self.ptr)}[code]


LINUX64 = Abi('linux64', 8, 8, 8, 4, 16, 16, 40, 48)
WIN64 = Abi('win64', 8, 4, 8, 2, 8, 8, 8, 8)
I386 = Abi('i386', 4, 4, 4, 4, 12, 4, 24, 48)
ABIS = {'': LINUX64, 'w': WIN64, 'n': I386}


def abi_of(flavour):
    return ABIS['w' if 'w' in flavour else 'n' if 'n' in flavour else '']


class Node:
    """A member: a leaf (code), a nested struct '(' or union '<' (children), a reference '@', or bit-fields '{'."""

    def __init__(self, kind, name='', count=1, children=None, code='', array=False):
        self.kind, self.name, self.count, self.children, self.code = kind, name, count, children or [], code
        self.array = array
        self.flavours = None  # where it exists; None: everywhere
        self.align = 0  # an alignment that the source asks for, 0 the natural one
        self.lead = 0  # of bit-fields: bits of their unit that the members before them occupy

    def key(self):
        code = self.code if self.kind in 'l@' else ''
        return (self.kind, self.name, self.count, code, self.align, tuple(c.key() for c in self.children) if self.kind == '{' else ())


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
        from elftools.elf.elffile import ELFFile
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
            if target is None or target.tag not in ('DW_TAG_structure_type', 'DW_TAG_union_type') or \
                    'DW_AT_declaration' in target.attributes or 'DW_AT_byte_size' not in target.attributes:
                continue
            for s, d in self.structs.items():
                if name in d['names'] and (s not in self.found or
                                           d['names'].index(name) < d['names'].index(self.found[s][0])):
                    offsets = {}
                    tree = self.members(target, '', 0, offsets, s)
                    if target.tag == 'DW_TAG_union_type':
                        tree = [Node('<', children=tree)]
                    self.found[s] = (name, tree, target.attributes['DW_AT_byte_size'].value, offsets)

    @staticmethod
    def name(die):
        a = die.attributes.get('DW_AT_name')
        return a.value.decode() if a else ''

    def type_of(self, die):
        return die.get_DIE_from_attribute('DW_AT_type') if 'DW_AT_type' in die.attributes else None

    def strip(self, die):
        while die is not None and die.tag in ('DW_TAG_typedef', 'DW_TAG_const_type', 'DW_TAG_volatile_type',
                                              'DW_TAG_atomic_type'):
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
                bits.append((self.bit_offset(m), m.attributes['DW_AT_bit_size'].value, name,
                             self.size_of(self.type_of(m))))
                continue
            self.flush_bits(bits, nodes, path, base, offsets)
            at = base + (m.attributes['DW_AT_data_member_location'].value
                         if 'DW_AT_data_member_location' in m.attributes else 0)
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
        size = m.attributes['DW_AT_byte_size'].value if 'DW_AT_byte_size' in m.attributes else \
            self.size_of(self.type_of(m))
        loc = m.attributes['DW_AT_data_member_location'].value
        return 8 * (loc + size) - m.attributes['DW_AT_bit_offset'].value - m.attributes['DW_AT_bit_size'].value

    @staticmethod
    def flush_bits(bits, nodes, path, base, offsets):
        """Pending bit-fields become containers of their declared type."""
        while bits:
            unit = bits[0][3]
            start = bits[0][0] // (8 * unit) * unit
            inside = [b for b in bits if b[3] == unit and start * 8 <= b[0] and b[0] + b[1] <= 8 * (start + unit)]
            node = Node('{', code=str(unit))
            at = bits[0][0]
            for off, width, name, _ in inside:
                if off > at:
                    node.children.append(Node('b', '', off - at))
                node.children.append(Node('b', name, width))
                if name:
                    offsets[(path + '.' if path else '') + name] = (base + start, unit, off - start * 8, width)
                at = off + width
            node.lead = bits[0][0] - start * 8
            nodes.append(node)
            del bits[:len(inside)]

    def alignment(self, die):
        """Of a member, or of its type where the source gives one."""
        while die is not None:
            if 'DW_AT_alignment' in die.attributes:
                align = die.attributes['DW_AT_alignment'].value
                return align if align > die.cu.header['address_size'] else 0  # less is natural enough
            if die.tag in ('DW_TAG_structure_type', 'DW_TAG_union_type', 'DW_TAG_pointer_type', 'DW_TAG_base_type'):
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
                elif 'DW_AT_upper_bound' in sub.attributes and \
                        isinstance(sub.attributes['DW_AT_upper_bound'].value, int):
                    bound = sub.attributes['DW_AT_upper_bound'].value
                    n *= 0 if bound in (0xffffffff, 0xffffffffffffffff) else bound + 1
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
            elif die.tag not in ('DW_TAG_typedef', 'DW_TAG_const_type', 'DW_TAG_volatile_type', 'DW_TAG_atomic_type'):
                break
            elif name in self.by_name and self.by_name[name] != struct and self.by_name[name] in REFERENCES:
                return self.reference(name, count, die, path, at, offsets, struct)
            die = self.type_of(die)
        if die.tag in ('DW_TAG_structure_type', 'DW_TAG_union_type'):
            name = self.name(die)
            if name in self.by_name and self.by_name[name] != struct and \
                    self.by_name[name] in REFERENCES:
                return self.reference(name, count, die, path, at, offsets, struct)
            kids = self.members(die, path, at, offsets if count == 1 and not array else {}, struct)
            return Node('(' if die.tag == 'DW_TAG_structure_type' else '<', count=count, children=kids, array=array)
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
    """PyObject_HEAD was a macro once: its members become a reference, so that the head's conditions hold."""
    names = [n.name for n in nodes[:5]]
    for head, code in ((['ob_refcnt', 'ob_type', 'ob_size'], 'VAR'), (['ob_refcnt', 'ob_type'], 'OBJECT')):
        for links in (['_ob_next', '_ob_prev'], []):
            if names[:len(links + head)] == links + head:
                return [Node('@', 'ob_base', code=code)] + nodes[len(links + head):]
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
        name, _, _, size, raw, reloc, _, nreloc, _, flags = struct.unpack_from('<8sIIIIIIHHI', data, base + 40 * i)
        name = name.rstrip(b'\0').decode()
        if name.startswith('/'):
            at = strings + int(name[1:])
            name = data[at:data.index(b'\0', at)].decode()
        body = bytearray(data[raw:raw + size])
        if flags & 0x01000000 and nreloc == 0xffff:
            nreloc = struct.unpack_from('<I', data, reloc)[0]
        sections.append((name, body, reloc, nreloc))
    for name, body, reloc, nreloc in sections:
        if not name.startswith('.debug'):
            continue
        for r in range(nreloc):  # section-relative and absolute: value of the symbol is added in place
            va, sym, kind = struct.unpack_from('<IIH', data, reloc + 10 * r)
            value = struct.unpack_from('<I', data, symtab + 18 * sym + 8)[0]
            if kind in (11, 2, 3) and va + 4 <= len(body):
                old = struct.unpack_from('<I', body, va)[0]
                struct.pack_into('<I', body, va, (old + value) & 0xffffffff)
        names[name] = body

    def section(name):
        body = names.get(name)
        return body and DebugSectionDescriptor(io.BytesIO(bytes(body)), name, 0, len(body), 0)
    keys = ('info', 'aranges', 'abbrev', 'frame', None, 'str', 'loc', 'ranges', 'line', 'pubtypes', 'pubnames', 'addr',
            'str_offsets', 'line_str', 'loclists', 'rnglists', None, None, None)
    import inspect
    wanted = len(inspect.signature(DWARFInfo.__init__).parameters) - 2
    args = [section('.debug_' + k) if k else None for k in keys][:wanted]
    return DWARFInfo(DwarfConfig(little_endian=True, machine_arch='x64', default_address_size=8), *args)


def load(path, structs, cache):
    key = None
    if cache:
        st = os.stat(path)
        text = repr((os.path.abspath(path), st.st_mtime_ns, st.st_size, sorted(structs.items()),
                     open(__file__, 'rb').read()[:16000]))
        key = os.path.join(cache, hashlib.sha1(text.encode()).hexdigest())
        if os.path.exists(key):
            return pickle.load(open(key, 'rb'))
    found = Dwarf(path, structs).found
    if key:
        with open(key + '.t', 'wb') as f:
            pickle.dump(found, f)
        os.replace(key + '.t', key)
    return found


# ---- merging flavours

def merge(a, fa, b, fb):
    """One list that holds the members of both; `fa`, `fb` are the sets of flavours they stand for."""
    out = []
    matcher = SequenceMatcher(None, [n.key() for n in a], [n.key() for n in b], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == 'equal':
            for x, y in zip(a[i1:i2], b[j1:j2]):
                if x.kind in '(<':
                    x.children = merge(x.children, x.flavours or fa, y.children, fb)
                x.flavours = (x.flavours or set(fa)) | set(fb)
                out.append(x)
            continue
        for x in a[i1:i2]:
            x.flavours = x.flavours or set(fa)
            out.append(x)
        for y in b[j1:j2]:
            y.flavours = set(fb)
            out.append(y)
    return out


def condition(exists, universe):
    """The shortest conjunction of literals that is true for `exists` and false for the rest of `universe`."""
    if exists == universe:
        return ''
    for n in (1, 2, 3):
        for letters in itertools.combinations(LETTERS, n):
            for signs in itertools.product((True, False), repeat=n):
                if {f for f in universe if all((c in f) == s for c, s in zip(letters, signs))} == exists:
                    return ''.join(('' if s else '-') + c for c, s in zip(letters, signs)) + ':'
    return None


def conditions(nodes, universe):
    for n in nodes:
        n.cond = condition(n.flavours & universe if n.flavours else universe, universe)
        if n.cond is None:  # no conjunction: one copy per flavour
            raise SystemExit(f'no condition for {n.name}: {sorted(n.flavours)} of {sorted(universe)}')
        if n.kind in '(<':
            conditions(n.children, {f for f in universe if holds(n.cond, f)})


def holds(cond, flavour):
    want = True
    for c in cond.rstrip(':'):
        if c == '-':
            want = False
            continue
        if (c in flavour) != want:
            return False
        want = True
    return True


# ---- laying out (the model of src/layout/lay_out.c, to check rows and to simplify them)

def measure(n, flavour, abi, rows):
    if n.kind == 'l':
        size, align = abi.type(n.code)
    elif n.kind == '{':
        size, align = abi.type(n.code)
    elif n.kind == '@':
        size, align = place(rows[n.code], flavour, abi, rows, {}, '')
    else:
        size, align = place(n.children, flavour, abi, rows, {}, '', n.kind == '<')
    align = max(align, n.align)
    return size * n.count, align, size


def start_of(n, at, align, whole, flavour, union):
    """Where member `n` starts behind `at`, and how many bytes it takes."""
    if union:
        at = 0
    if n.kind == '{' and 'w' not in flavour:
        # gcc lets bit-fields begin inside their unit and the next member begin at the next byte; MSVC does neither
        at = at // align * align if n.lead else -(-at // align) * align
        return at, (n.lead + sum(b.count for b in n.children) + 7) // 8
    return -(-at // align) * align, whole


def place(nodes, flavour, abi, rows, out, path, union=False, base=0):
    at = size = 0
    alignment = 1
    for n in nodes:
        if not holds(n.cond, flavour):
            continue
        whole, align, one = measure(n, flavour, abi, rows)
        alignment = max(alignment, align)
        at, whole = start_of(n, at, align, whole, flavour, union)
        where = (path + '.' if path and n.name else path) + n.name
        if n.name:
            out[where] = (base + at, whole or one, 0, 0)
        if n.kind in '(<' and n.count == 1 and not n.array:
            place(n.children, flavour, abi, rows, out, where, n.kind == '<', base + at)
        elif n.kind == '@' and n.count == 1:
            place(rows[n.code], flavour, abi, rows, out, where, False, base + at)
        elif n.kind == '{':
            shift = 0 if 'w' in flavour else n.lead
            for b in n.children:
                if b.name:
                    out[(path + '.' if path else '') + b.name] = (base + at, one, shift, b.count)
                shift += b.count
        at += whole
        size = max(size, at)
    return -(-size // alignment) * alignment, alignment


# ---- writing

def wanted_paths(struct, offsets_by_flavour):
    """path -> the paths that the row names: per flavour the first alternative that exists."""
    names = set()
    for alternatives in struct['fields'].values():
        for offsets in offsets_by_flavour.values():
            for a in alternatives:
                if a.lstrip('@') in offsets:
                    names.add(a)
                    break
    return names


def wanted_in(n, path, wanted):
    where = (path + '.' if path and n.name else path) + n.name
    if n.kind == '{':
        return any(((path + '.' if path else '') + b.name) in wanted for b in n.children if b.name)
    return where in wanted and bool(n.name) or any(w.startswith(where + '.') for w in wanted if n.name) or \
        (not n.name and any(wanted_in(c, where, wanted) for c in n.children))


def flatten(nodes, same):
    """Dissolve nested structs where no ABI can tell the difference."""
    i = 0
    while i < len(nodes):
        n = nodes[i]
        if n.kind in '(<':
            flatten(n.children, same)
            one = [c for c in n.children if c.wanted or c.kind == '(']
            if n.count == 1 and not n.array and len(n.children) == 1 and n.children[0].kind == 'l' and \
                    not n.children[0].wanted and n.wanted:
                nodes[i] = copy_of(n.children[0], n.children[0].count, n.cond or n.children[0].cond)
                nodes[i].path, nodes[i].wanted, nodes[i].array = n.path, True, n.children[0].array
                if same():
                    continue
                nodes[i] = n
            elif n.kind == '<' and not n.wanted and len(one) == 1:
                nodes[i] = copy_of(one[0], one[0].count, n.cond or one[0].cond)
                if same():
                    continue
                nodes[i] = n
            if n.kind == '(' or len(n.children) == 1:
                inner = n.children if n.count == 1 else None
                if inner is None and len(n.children) == 1 and n.children[0].kind == 'l' and not n.children[0].cond:
                    c = n.children[0]
                    inner = [copy_of(c, c.count * n.count)]
                elif inner is not None and not n.array and not n.wanted:
                    inner = [c for c in inner]
                    if n.cond:
                        inner = None if any(c.cond for c in inner) else [copy_of(c, c.count, n.cond) for c in inner]
                else:
                    inner = None if n.wanted or n.array else inner
                if inner is not None and not n.wanted:
                    nodes[i:i + 1] = inner
                    if same():
                        continue
                    nodes[i:i + len(inner)] = [n]
            elif n.kind == '<' and not n.wanted:
                for c in n.children:  # a union of which one member decides
                    nodes[i] = copy_of(c, c.count * n.count, n.cond or c.cond)
                    if same():
                        break
                else:
                    nodes[i] = n
        i += 1


def copy_of(n, count, cond=None):
    c = Node(n.kind, n.name, count, n.children, n.code, n.array)
    c.cond = n.cond if cond is None else cond
    c.wanted = n.wanted
    c.path = n.path
    c.lead, c.align = n.lead, n.align
    return c


def mark(nodes, path, wanted):
    for n in nodes:
        n.path = (path + '.' if path and n.name else path) + n.name
        n.wanted = bool(n.name) and n.path in wanted
        if n.kind == '{':
            for b in n.children:
                b.path = (path + '.' if path else '') + b.name
                b.wanted = bool(b.name) and b.path in wanted
            n.wanted = any(b.wanted for b in n.children)
        if n.kind in '(<':
            mark(n.children, n.path, wanted)


def text_of(nodes, union=False):
    """The row, runs of equal unnamed members counted; of a union's alternatives one is enough."""
    items = []
    for n in nodes:
        name = '=' + n.path if n.wanted and n.kind != '{' else ''
        if n.kind == 'l':
            body, count = n.code, n.count
        elif n.kind == '@':
            body, count = {'OBJECT': 'O', 'VAR': 'V'}.get(n.code, '@' + n.code), n.count
        elif n.kind == '{':
            body, count = n.code + '{' + ' '.join(([f'+{n.lead}'] if n.lead else []) + bit_words(n.children)) + '}', 1
        else:
            body = n.kind + text_of(n.children, n.kind == '<') + {'(': ')', '<': '>'}[n.kind]
            count = n.count
        if n.align:
            body += f'%{n.align}'
        if not name and items and items[-1][:3] == (n.cond, body, '') and body[0] not in '(<@' and '{' not in body and \
                not n.align:
            items[-1] = (n.cond, body, '', max(items[-1][3], count) if union else items[-1][3] + count)
        else:
            items.append((n.cond, body, name, count))
    out = []
    for cond, body, name, count in items:
        number = '' if count == 1 else f'[{count}]'
        out.append(cond + number + body + name)
    return ' '.join(out)


def bit_words(bits):
    words, rest = [], 0
    for b in bits:
        if b.wanted:
            words += ([str(rest)] if rest else []) + [f'{b.count}={b.path}']
        rest = 0 if b.wanted else rest + b.count
    return words + ([str(rest)] if rest else [])


# ---- one version

def build(version, flavours, structs):
    """struct -> (row text, tree), merged over `flavours`: name -> struct -> (C name, tree, size, offsets)."""
    rows, texts = {}, {}
    order = [s for s in REFERENCES if s in structs] + [s for s in structs if s not in REFERENCES]
    for s in order:
        have = {f: found[s] for f, found in flavours.items() if s in found}
        if not have:
            continue
        universe = set(have)
        tree = None
        for f in sorted(universe, key=lambda f: (len(f), f)):
            t = pickle.loads(pickle.dumps(have[f][1]))
            tree = t if tree is None else merge(tree, seen, t, {f})
            seen = {f} if tree is t else seen | {f}
        fill(tree, seen)
        conditions(tree, universe)
        rows[s] = tree
        offsets = {f: have[f][3] for f in have}
        names = wanted_paths(structs[s], offsets)
        mark(tree, '', names)
        cut = max(h[2] for h in have.values()) > HUGE and s not in ('TYPE', 'HEAP_TYPE', 'THREAD')
        if cut:
            last = max((i for i, n in enumerate(tree) if wanted_in(n, '', names)), default=-1)
            del tree[last + 1:]
        check(s, version, have, tree, rows, names, cut, structs)
        simplify(s, tree, rows, universe, names, cut)
        rows[s] = tree
        check(s, version, have, tree, rows, names, cut, structs, simplified=True)
        if names or s in REFERENCES:
            texts[s] = text_of(tree) + (' ...' if cut else '')
    return texts


def fill(nodes, flavours):
    for n in nodes:
        if n.flavours is None:
            n.flavours = set(flavours)
        if n.kind in '(<':
            fill(n.children, n.flavours)


def check(s, version, have, tree, rows, names, cut, structs, simplified=False):
    for f, (cname, _, size, offsets) in have.items():
        out = {}
        total, _ = place_named(tree, f, rows)
        got = total[0]
        if not cut and got != size:
            raise SystemExit(f'{version} {f or "rel"} {s}: size {got}, DWARF {size}\n{text_of(tree)}')
        for name in names:
            real = name.lstrip('@')
            if real in offsets and total[1].get(real) != offsets[real]:
                raise SystemExit(f'{version} {f or "rel"} {s}.{real}: {total[1].get(real)}, DWARF {offsets[real]}\n'
                                 f'{text_of(tree)}')


def place_named(tree, flavour, rows):
    out = {}
    size, align = place_by_path(tree, flavour, abi_of(flavour), rows, out)
    return (size, out), align


def place_by_path(nodes, flavour, abi, rows, out, union=False, base=0):
    """Like place(), but with the paths that mark() left: they survive flattening."""
    at = size = 0
    alignment = 1
    for n in nodes:
        if not holds(n.cond, flavour):
            continue
        whole, align, one = measure(n, flavour, abi, rows)
        alignment = max(alignment, align)
        at, whole = start_of(n, at, align, whole, flavour, union)
        if n.wanted and n.kind != '{':
            out[n.path] = (base + at, whole or one, 0, 0)
        if n.kind in '(<' and n.count == 1 and not n.array:
            place_by_path(n.children, flavour, abi, rows, out, n.kind == '<', base + at)
        elif n.kind == '{':
            shift = 0 if 'w' in flavour else n.lead
            for b in n.children:
                if b.wanted:
                    out[b.path] = (base + at, one, shift, b.count)
                shift += b.count
        at += whole
        size = max(size, at)
    return -(-size // alignment) * alignment, alignment


def simplify(s, tree, rows, universe, names, cut):
    variants = [(f, abi) for f in universe for abi in ({abi_of(f)} if 'w' in f or 'n' in f else {LINUX64, WIN64, I386})]

    def picture():
        result = []
        for f, abi in variants:
            out = {}
            size, align = place_by_path(tree, f, abi, rows, out)
            result.append((out, None if cut else size, None if cut else align))
        return result
    before = picture()
    flatten(tree, lambda: picture() == before)


# ---- main

def parse_spec(text):
    m = re.fullmatch(r'(\d+\.\d+(?:\.\d+)?):(rel|[gfrwn]+)=(.+)', text)
    if not m:
        raise SystemExit(f'not VERSION:FLAVOUR=FILE,...: {text}')
    return m[1], '' if m[2] == 'rel' else ''.join(sorted(m[2])), m[3].split(',')


def wrap(text, indent, width=100):
    """The row as C string literals."""
    lines, line = [], ''
    for word in re.split(r' (?![^{]*\})', text):
        if line and len(line) + 1 + len(word) > width - indent:
            lines.append(line + ' ')
            line = word
        else:
            line = line + ' ' + word if line else word
    lines.append(line)
    return ('\n' + '\t').join(f'"{l}"' for l in lines)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    ap.add_argument('--fields', default=os.path.join(here, '..', 'src', 'layout', 'fields.def'))
    ap.add_argument('--cache')
    ap.add_argument('--only')
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--source', default='', help='a remark for each version, {} is the version')
    ap.add_argument('spec', nargs='+')
    args = ap.parse_args()
    sys.setrecursionlimit(10000)
    structs = read_fields(args.fields)
    versions = {}
    with ProcessPoolExecutor(args.jobs) as pool:
        files = list(dict.fromkeys(f for spec in args.spec for f in parse_spec(spec)[2]))
        loaded = dict(zip(files, pool.map(load, files, itertools.repeat(structs), itertools.repeat(args.cache))))
    for spec in args.spec:
        version, flavour, files = parse_spec(spec)
        into = versions.setdefault(version, {}).setdefault(flavour, {})
        for path in files:
            for s, found in loaded[path].items():
                names = structs[s]['names']
                if s not in into or names.index(found[0]) < names.index(into[s][0]):
                    into[s] = found
    previous = {}
    for version in sorted(versions, key=lambda v: tuple(map(int, v.split('.')))):
        texts = build(version, versions[version], structs)
        parts = tuple(map(int, version.split('.'))) + (0,)
        print(f'\n/* {args.source.format(version) or version} */')
        for s in structs:
            if args.only and s not in args.only.split(','):
                continue
            text = texts.get(s)
            if text is None and previous.get(s) and len(version.split('.')) == 2:
                print(f'ROW({parts[0]}, {parts[1]}, {parts[2]}, {s}, NULL)')
            elif text is not None and text != previous.get(s):
                print(f'ROW({parts[0]}, {parts[1]}, {parts[2]}, {s},\n\t{wrap(text, 12)})')
            if text is not None or len(version.split('.')) == 2:
                previous[s] = text


if __name__ == '__main__':
    main()
