"""An atexit function that dies while the interpreter shuts down; a daemon thread still waits."""
import atexit
import threading
import time

import truth

ready = threading.Event()


def waiting():
    truth.here()
    ready.set()
    time.sleep(600)


def at_exit():
    try:
        raise ValueError
    except ValueError:
        truth.die()


thread = threading.Thread(target=waiting)
thread.daemon = True
thread.start()
ready.wait()
time.sleep(0.1)
atexit.register(at_exit)
raise SystemExit(3)
