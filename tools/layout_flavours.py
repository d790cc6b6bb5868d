"""Builds of one version and their ABIs: the members of all of them merged, with conditions. For
layout_rows.py."""
import itertools
from difflib import SequenceMatcher

LETTERS = 'gfrwn'


class Abi:
    def __init__(self, name, ptr, long_, align8, wchar, ldouble, ldalign, mutex, cond):
        self.name, self.ptr, self.long, self.align8 = name, ptr, long_, align8
        self.wchar, self.ldouble, self.ldalign, self.mutex, self.cond = (
            wchar,
            ldouble,
            ldalign,
            mutex,
            cond,
        )

    def type(self, code):
        """(size, alignment) of a type code; the same table is in src/layout/compute.c."""
        return {
            '1': (1, 1),
            '2': (2, 2),
            '4': (4, 4),
            '8': (8, self.align8),
            'd': (8, self.align8),
            'p': (self.ptr, self.ptr),
            'l': (self.long, self.long),
            'w': (self.wchar, self.wchar),
            'D': (self.ldouble, self.ldalign),
            'M': (self.mutex, self.ptr),
            'C': (self.cond, self.ptr),
        }[code]


LINUX64 = Abi('linux64', 8, 8, 8, 4, 16, 16, 40, 48)
WIN64 = Abi('win64', 8, 4, 8, 2, 8, 8, 8, 8)
I386 = Abi('i386', 4, 4, 4, 4, 12, 4, 24, 48)
ABIS = {'': LINUX64, 'w': WIN64, 'n': I386}


def abi_of(flavour):
    return ABIS['w' if 'w' in flavour else 'n' if 'n' in flavour else '']


# ---- merging flavours


def merge(a, fa, b, fb):
    """One list that holds the members of both; `fa`, `fb` are the sets of flavours they stand
    for."""
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
    """The shortest conjunction of literals that is true for `exists` and false for the rest of
    `universe`."""
    if exists == universe:
        return ''
    for n in (1, 2, 3):
        for letters in itertools.combinations(LETTERS, n):
            for signs in itertools.product((True, False), repeat=n):
                if {
                    f for f in universe if all((c in f) == s for c, s in zip(letters, signs))
                } == exists:
                    return ''.join(('' if s else '-') + c for c, s in zip(letters, signs)) + ':'
    return None


def conditions(nodes, universe):
    for n in nodes:
        n.cond = condition(n.flavours & universe if n.flavours else universe, universe)
        if n.cond is None:  # no conjunction: one copy per flavour
            raise SystemExit(
                f'no condition for {n.name}: {sorted(n.flavours)} of {sorted(universe)}'
            )
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
