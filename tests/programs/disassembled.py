# -*- coding: utf-8 -*-
"""Writes what dis says of a function, then dies in that function."""
import dis
import json
import os
import sys


def subject(n):
    total = {'k': []}
    for i in range(n):
        try:
            if i > 2 or total is None:
                total['k'].append((lambda z: z + i)(n))
            else:
                total['m'] = "%s" % i
        except KeyError as error:
            print(error)
    os.abort()


def told():
    out = []
    for each in dis.get_instructions(subject.__code__):
        if each.opname in ('EXTENDED_ARG', 'CACHE'):
            continue
        out.append([each.offset, each.opname, each.arg])
    return out


if __name__ == '__main__':
    with open(os.environ['PYSCRY_TRUTH'], 'w') as f:
        json.dump({'instructions': told(), 'version': list(sys.version_info[:3])}, f)
    subject(9)
