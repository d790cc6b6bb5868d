"""Dies in the way that the argument names: crashes.c, or Python alone. Runs on 2.7 to 3.15."""
import gc
import os
import sys

sys.path.insert(0, os.getcwd())


def callback():
    gc.collect()


def die(way, value):
    import crashes

    crashes.die(way, value, callback, os.path.join(os.getcwd(), 'truncated.bin'))  # it dies here


def main(way):
    die(way, {'key': [5, 6]})


main(sys.argv[1])
