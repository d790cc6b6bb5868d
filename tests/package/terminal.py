"""A shell in a terminal of its own: what a person types, and what appears."""
import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time

ANSI = re.compile(rb'\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[=>()][0B]?|\x1b\][^\x07]*\x07|\r')


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    def __init__(self, command, environment):
        self.fd, slave = pty.openpty()
        self.child = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(environment, TERM='dumb', COLUMNS='200'),
            preexec_fn=own_terminal,
        )
        os.close(slave)
        self.seen = b''

    def type(self, text):
        """What appeared before it is forgotten."""
        self.seen = b''
        os.write(self.fd, text.encode())

    def wait_for(self, text, seconds=60):
        """All that appeared until `text` did; it fails with what did appear instead."""
        end = time.monotonic() + seconds
        while text not in self.text():
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError('%r did not appear, but %r' % (text, self.text()))
            self.seen += os.read(self.fd, 65536)
        return self.text()

    def text(self):
        return ANSI.sub(b'', self.seen).decode(errors='replace')

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.fd)
