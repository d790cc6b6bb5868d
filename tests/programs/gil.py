"""A crash of a free-threaded build whose GIL is on ("on") or off."""
import json
import os
import sys
import threading
import time

wanted = '1' if 'on' in sys.argv else '0'
if os.environ.get('PYTHON_GIL') != wanted:
    os.environ['PYTHON_GIL'] = wanted
    os.execv(sys.executable, [sys.executable] + sys.argv)


def wait():
    time.sleep(600)


thread = threading.Thread(target=wait, daemon=True)
thread.start()
time.sleep(0.2)
with open(os.environ['PYSCRY_TRUTH'], 'w') as out:
    json.dump({'pid': os.getpid(), 'enabled': sys._is_gil_enabled()}, out)
os.abort()
