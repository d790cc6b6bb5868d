"""A thread that writes more than there is room for, to a socket that never waits: whenever it is looked at, it runs."""
import os
import socket
import time

from ways import WAITS, start, write

ours, theirs = socket.socketpair()
for end in (ours, theirs):
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
    end.setblocking(False)


def sends():
    data = b'x' * (1 << 25)
    while True:
        try:
            ours.send(data)
        except (socket.error, OSError):
            pass
        try:
            while theirs.recv(1 << 20):
                pass
        except (socket.error, OSError):
            pass


WAITS.append(dict(who='sends', state='running'))
start(sends)
time.sleep(1)
write()
if os.environ.get('PYSCRY_END') == 'sleep':
    time.sleep(600)
os.abort()
