"""The first thread ends by pthread_exit(), another one runs on."""
import ctypes
import os
import threading
import time

import truth


def remaining():
    time.sleep(0.3)
    truth.save({'pid': os.getpid(), 'tid': truth.native_id()})
    time.sleep(600)


threading.Thread(target=remaining, name='remaining').start()
ctypes.CDLL(None).pthread_exit(None)
