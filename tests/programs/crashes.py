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


def recurse():
    import crashes

    crashes.die('recurse', None, recurse)


def main(way):
    if way == 'python_recursion':
        sys.setrecursionlimit(10 ** 9)
        recurse()
    if way == 'handled':
        import faulthandler

        faulthandler.enable()
    if way == 'takes_one':
        import crashes

        crashes.takes_one({'key': [5, 6]})
    if way == 'takes_many':
        import crashes

        crashes.takes_many({'key': [5, 6]}, 7, word=[8])
    if way == 'thread_recursion':
        import threading

        thread = threading.Thread(target=die, args=(way, None))
        thread.start()
        thread.join()
    die(way, {'key': [5, 6]})


main(sys.argv[1])
