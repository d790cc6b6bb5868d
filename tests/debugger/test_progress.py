"""The line on a terminal that says what takes so long."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from tests.support.story import PYSCRY, clean_environment

# each is a process of its own: together they take longer than a few redraws of the line
TARGETS = 200
AT_ONCE, NEVER = '1', '3600000'  # when the line appears, in milliseconds
LINE = re.compile(rb'\rreading: (\d+) of %d targets\x1b\[K' % TARGETS)


def in_terminal(words, term, first=AT_ONCE, columns=0):
    """What appears on a terminal that is standard error and nothing else; and the answer."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack('4H', 24, columns, 0, 0))
    child = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=clean_environment(TERM=term, PYSCRY_PROGRESS_MS=first),
    )
    os.close(theirs)
    answer = child.stdout.read()
    child.wait()
    seen = b''
    try:
        while True:
            seen += os.read(ours, 65536)
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return seen, answer


def many(core):
    return [PYSCRY, core, 'stacks', '--jobs', '1'] + [core] * (TARGETS - 1)


def test_what_takes_long_is_told_and_taken_away(any_core):
    seen, answer = in_terminal(many(any_core), 'xterm')
    done = [int(number) for number in LINE.findall(seen)]
    assert done and done == sorted(done) and done[-1] < TARGETS, seen
    assert LINE.sub(b'', seen) == b'\r\x1b[K', 'it goes at the end, and nothing else is there'
    assert b'\x1b[K' not in answer and b'%d' % TARGETS in answer


def test_the_line_does_not_wrap(any_core):
    """What wraps is not taken away: a narrow terminal has its beginning."""
    seen, _ = in_terminal(many(any_core), 'xterm', columns=12)
    lines = re.findall(rb'\r([^\r\x1b]*)\x1b\[K', seen)
    assert len(lines) > 1 and lines[-1] == b'', seen
    assert all(line.startswith(b'reading: ') and len(line) == 11 for line in lines[:-1]), seen
    seen, _ = in_terminal(many(any_core), 'xterm', columns=120)
    assert LINE.search(seen)


def test_no_line_where_it_cannot_be_taken_away(any_core):
    seen, _ = in_terminal(many(any_core), 'dumb')
    assert seen == b''


def test_what_is_quick_has_none(any_core):
    seen, answer = in_terminal([PYSCRY, any_core, 'threads'], 'xterm', NEVER)
    assert seen == b'' and b'MainThread' in answer
