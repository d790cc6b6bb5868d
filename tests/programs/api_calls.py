"""Dies below functions of the C API, and writes what each was given: addresses of objects, numbers."""
import json
import operator
import os
import sys


def die(*unused):
    os.abort()


def by_key(item):
    sorted([item], key=die)


class K(object):
    __repr__ = __getitem__ = __setitem__ = __eq__ = __add__ = __contains__ = __len__ = die
    __hash__ = __setattr__ = __iter__ = die


k, j, key, value, table = K(), K(), ("key", 1), ["value"], {}
WAYS = {
    "PyObject_Repr": (repr, [[k]], {"o": k}),
    "PyObject_CallOneArg": (by_key, [k], {"func": die, "arg": k}),
    "PyObject_GetItem": (operator.getitem, [k, key], {"o": k, "key": key}),
    "PyObject_SetItem": (operator.setitem, [k, key, value], {"o": k, "key": key, "v": value}),
    "PyObject_RichCompare": (operator.eq, [k, j], {"o1": k, "o2": j, "opid": 2}),
    "PyObject_SetAttr": (setattr, [k, "name", value], {"o": k, "attr_name": "name", "v": value}),
    "PySequence_Contains": (operator.contains, [k, value], {"o": k, "value": value}),
    "PyNumber_Add": (sum, [[j], k], {"o1": k, "o2": j}),
    "PyObject_Size": (len, [k], {"o": k}),
    "PyObject_Hash": (hash, [k], {"o": k}),
    "PyObject_GetIter": (max, [k], {"o": k}),
    "PyDict_SetItem": (dict.__setitem__, [table, k, value], {"p": table, "key": k, "val": value}),
}


def main():
    function, arguments, given = WAYS[sys.argv[1]]
    truth = {name: each if type(each) is int else id(each) for name, each in given.items()}
    with open(os.environ.get("PYSCRY_TRUTH", "truth.json"), "w") as out:
        json.dump(truth, out)
    function(*arguments)


main()
