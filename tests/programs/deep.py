"""A recursion of argv[1] frames, in a thread with a stack for it where Python frames need C stack."""
import sys
import threading
import time

import truth

depth = int(sys.argv[1])
sys.setrecursionlimit(depth + 1000)


def down(n):
    if n == 0:
        truth.die()
    return down(n - 1) + 1


def across(n):
    """Two functions in turn, so that frames do not fold."""
    if n % 3:
        return down_other(n - 1)
    return across(n - 1) if n > 0 else truth.die()


def down_other(n):
    return (across(n - 1)
            if n > 0 else
            truth.die())


def start():
    truth.here()
    time.sleep(0.2)  # until the main thread waits in join()
    (down if len(sys.argv) < 3 else across)(depth)


if sys.version_info >= (3, 11):
    start()
else:
    threading.stack_size(min(1 << 30, max(16 << 20, depth * 4096)))
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
