"""Python calls a frame that was compiled, which calls Python, twice; then the process dies. The frames are written
to $PYSCRY_TRUTH as the program knows them."""
import json
import os
import sys

sys.path.insert(0, os.environ['COMPILED'])
import compiled_frames

a = 'a global'


def compiled(a, b):
    c = [a, b]
    return c


def also(x):
    return x


def between():
    compiled_frames.run(also.__code__, line_of(also), ['stale', 2], last, globals())


def line_of(function):
    return function.__code__.co_firstlineno + 1


def last():
    here = sys._getframe().f_lineno + 10
    frames = [['last', here, None],
              ['also', line_of(also), 'Nuitka'],
              ['between', between.__code__.co_firstlineno + 1, None],
              ['compiled', line_of(compiled), 'Nuitka'],
              ['main', main.__code__.co_firstlineno + 1, None],
              ['<module>', MODULE, None]]
    with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
        json.dump({'frames': frames}, out)
    # this line is nothing
    os.abort()


def main():
    compiled_frames.run(compiled.__code__, line_of(compiled), ['stale', 1], between, globals())


MODULE = sys._getframe().f_lineno + 1
main()
