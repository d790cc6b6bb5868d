"""Signal handlers on the stack: in a loop, in a sleep, one in another."""
import os
import signal
import sys
import time

import truth


def second(number, frame):
    def inside():
        truth.die()
    inside()


def first(number, frame):
    if sys.version_info[0] < 3:  # runs no handler inside a handler
        second(number, frame)
    signal.signal(signal.SIGUSR2, second)
    os.kill(os.getpid(), signal.SIGUSR2)
    while True: pass


def main():
    signal.signal(signal.SIGALRM, first)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    time.sleep(600)


main()
