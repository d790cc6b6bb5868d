"""python -m pyscry: the program."""
import os
import sys

from ._library import Error, program


def main() -> None:
    try:
        path = program()
    except Error as error:
        sys.exit("pyscry: %s" % error)
    os.execv(path, [path] + sys.argv[1:])


if __name__ == "__main__":
    main()
