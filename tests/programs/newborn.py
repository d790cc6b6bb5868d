"""A thread starts another one, which does not come to run (newborn.c), and dies or waits."""
import os
import threading

import truth

try:
    from _thread import start_new_thread
except ImportError:
    from thread import start_new_thread


def parent():
    start_new_thread(int, ())
    truth.save({'pid': os.getpid(), 'parent': truth.native_id()})
    end, arguments = truth.ending()
    end(*arguments)


thread = threading.Thread(target=parent, name='parent')
thread.start()
thread.join()
