"""celery's pool of processes (billiard): one worker has work, the others wait for some."""
import ctypes
import json
import os
import signal
import time

from billiard.pool import Pool


PR_SET_PDEATHSIG = 1  # linux/prctl.h


def dies_with_its_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def works(path):
    with open(path + '.new', 'w') as out:
        out.write(str(os.getpid()))
    os.rename(path + '.new', path)
    time.sleep(3600)


if __name__ == '__main__':
    truth = os.environ['PYSCRY_TRUTH']
    pool = Pool(2, dies_with_its_parent)
    pool.apply_async(works, (truth + '.worker',))
    while not os.path.exists(truth + '.worker'):
        time.sleep(0.02)
    working = int(open(truth + '.worker').read())
    idle = [process.pid for process in pool._pool if process.pid != working]
    time.sleep(1)  # the handlers have come to rest
    with open(truth + '.new', 'w') as out:
        json.dump({'pid': os.getpid(), 'working': working, 'idle': idle}, out)
    os.rename(truth + '.new', truth)
    time.sleep(600)
