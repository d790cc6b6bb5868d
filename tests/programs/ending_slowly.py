"""An interpreter that is being finalized: an object's finalizer sleeps. A daemon thread is about."""
import os
import sys
import threading
import time


def daemon():
    while True:
        time.sleep(0.01)


thread = threading.Thread(target=daemon, name='daemon')
thread.daemon = True
thread.start()


class Slow(object):
    # its own, since modules have lost their contents by then
    def __del__(self, rename=os.rename, sleep=time.sleep, path=os.environ['PYSCRY_TRUTH']):
        rename(path + '.ready', path)
        sleep(600)


with open(os.environ['PYSCRY_TRUTH'] + '.ready', 'w') as ready:
    ready.write('{}')
sys.slow = Slow()
