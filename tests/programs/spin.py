"""Threads that fight for the GIL; a spinning loop stays on one line, so that its line is known."""
import sys
import threading
import time

import truth

started = threading.Semaphore(0)


def spin(n):
    if n:
        return spin(n - 1)
    truth.here(moving=True)
    started.release()
    while True: n += 1


def main():
    for i in range(6):
        thread = threading.Thread(target=spin, args=(i,), name='spin-%d' % i)
        thread.daemon = True
        thread.start()
        started.acquire()
    time.sleep(0.1)
    truth.die()


main()
