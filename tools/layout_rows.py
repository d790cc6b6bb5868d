#!/usr/bin/env python3
"""Print layout rows (docs/layouts.md) for the structs of src/layout/fields.def, read from DWARF.

    layout_rows.py [--fields FILE] [--cache DIR] [--only STRUCT,...]
                   VERSION:FLAVOUR=FILE[,FILE...] ...

VERSION is "3.13" or "3.13.2" (a change within the minor); FLAVOUR is "rel" or letters: g Py_DEBUG,
r Py_TRACE_REFS, f free-threaded, w Windows, n 32-bit. FILE is anything with DWARF: an interpreter,
libpython, an extension module, an object file. The flavours of one version are merged into one row
with conditions; every row printed was laid out again and compared with each DWARF it came from. A
version prints only the rows that differ from the version before. Needs pyelftools.
"""
import argparse
import importlib.util
import itertools
import os
import pickle
import re
import sys
from concurrent.futures import ProcessPoolExecutor

from layout_dwarf import Node, REFERENCES, load, read_fields
from layout_flavours import I386, LINUX64, WIN64, abi_of, conditions, holds, merge

HUGE = 700  # bytes: past its last wanted field such a struct is cut, and its size stays unknown

# ---- laying out (the model of src/layout/compute.c, to check rows and to simplify them)


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
        # gcc lets bit-fields begin inside their unit and the next member begin at the next byte;
        # MSVC does neither
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
    return (
        where in wanted
        and bool(n.name)
        or any(w.startswith(where + '.') for w in wanted if n.name)
        or (not n.name and any(wanted_in(c, where, wanted) for c in n.children))
    )


def flatten(nodes, same):
    """Dissolve nested structs where no ABI can tell the difference."""
    i = 0
    while i < len(nodes):
        n = nodes[i]
        if n.kind in '(<':
            flatten(n.children, same)
            one = [c for c in n.children if c.wanted or c.kind == '(']
            if (
                n.count == 1
                and not n.array
                and len(n.children) == 1
                and n.children[0].kind == 'l'
                and not n.children[0].wanted
                and n.wanted
            ):
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
                if (
                    inner is None
                    and len(n.children) == 1
                    and n.children[0].kind == 'l'
                    and not n.children[0].cond
                ):
                    c = n.children[0]
                    inner = [copy_of(c, c.count * n.count)]
                elif inner is not None and not n.array and not n.wanted:
                    inner = [c for c in inner]
                    if n.cond:
                        inner = (
                            None
                            if any(c.cond for c in inner)
                            else [copy_of(c, c.count, n.cond) for c in inner]
                        )
                else:
                    inner = None if n.wanted or n.array else inner
                if inner is not None and not n.wanted:
                    nodes[i : i + 1] = inner
                    if same():
                        continue
                    nodes[i : i + len(inner)] = [n]
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
            body, count = (
                n.code
                + '{'
                + ' '.join(([f'+{n.lead}'] if n.lead else []) + bit_words(n.children))
                + '}',
                1,
            )
        else:
            body = n.kind + text_of(n.children, n.kind == '<') + {'(': ')', '<': '>'}[n.kind]
            count = n.count
        if n.align:
            body += f'%{n.align}'
        if (
            not name
            and items
            and items[-1][:3] == (n.cond, body, '')
            and body[0] not in '(<@'
            and '{' not in body
            and not n.align
        ):
            items[-1] = (
                n.cond,
                body,
                '',
                max(items[-1][3], count) if union else items[-1][3] + count,
            )
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
    """struct -> (row text, tree), merged over `flavours`: name -> struct -> (C name, tree, size,
    offsets)."""
    rows, texts = {}, {}
    order = [s for s in REFERENCES if s in structs] + [s for s in structs if s not in REFERENCES]
    for s in order:
        have = {f: found[s] for f, found in flavours.items() if s in found}
        if not have:
            continue
        universe = set(have)
        tree, seen = None, set()
        for f in sorted(universe, key=lambda f: (len(f), f)):
            t = pickle.loads(pickle.dumps(have[f][1]))
            tree = t if tree is None else merge(tree, seen, t, {f})
            seen = seen | {f}
        fill(tree, seen)
        conditions(tree, universe)
        rows[s] = tree
        offsets = {f: have[f][3] for f in have}
        names = wanted_paths(structs[s], offsets)
        mark(tree, '', names)
        cut = max(h[2] for h in have.values()) > HUGE and s not in ('TYPE', 'HEAP_TYPE', 'THREAD')
        if cut:
            last = max((i for i, n in enumerate(tree) if wanted_in(n, '', names)), default=-1)
            del tree[last + 1 :]
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
        total, _ = place_named(tree, f, rows)
        got = total[0]
        if not cut and got != size:
            raise SystemExit(
                f'{version} {f or "rel"} {s}: size {got}, DWARF {size}\n{text_of(tree)}'
            )
        for name in names:
            real = name.lstrip('@')
            if real in offsets and total[1].get(real) != offsets[real]:
                raise SystemExit(
                    f'{version} {f or "rel"} {s}.{real}: {total[1].get(real)},'
                    f' DWARF {offsets[real]}\n'
                    f'{text_of(tree)}'
                )


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
    variants = [
        (f, abi)
        for f in universe
        for abi in ({abi_of(f)} if 'w' in f or 'n' in f else {LINUX64, WIN64, I386})
    ]

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
    if importlib.util.find_spec('elftools') is None:
        sys.exit('layout_rows: pyelftools is needed: apt-get install python3-pyelftools')
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
        loaded = dict(
            zip(
                files,
                pool.map(load, files, itertools.repeat(structs), itertools.repeat(args.cache)),
            )
        )
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
