#!/usr/bin/python3
"""in_root.py ROOT COMMAND...: run a command with ROOT as its root directory, the way a container
would.

A mount namespace of its own and pivot_root: /proc/PID/root, setns and gdb's "target:" then see ROOT
as "/", which a plain chroot does not give. The current directory is visible at the same path
inside. The process is replaced, not forked: the caller's PID is the command's. Needs root (or
CAP_SYS_ADMIN).
"""
import ctypes
import os
import sys

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x1000, 0x4000, 1 << 18, 2
PIVOT_ROOT = {'x86_64': 155, 'aarch64': 41}
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, '%s: %s' % (what, os.strerror(number)))


def mount(source, target, flags):
    check(
        libc.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None),
        'mount %s' % target,
    )


def enter(root):
    here = os.getcwd()
    check(libc.unshare(CLONE_NEWNS), 'unshare')
    mount('none', '/', MS_REC | MS_PRIVATE)
    mount(root, root, MS_BIND)
    for directory in ('/proc', '/dev', here, '/.old'):
        os.makedirs(root + directory, exist_ok=True)
    mount('/proc', root + '/proc', MS_BIND | MS_REC)
    mount('/dev', root + '/dev', MS_BIND | MS_REC)
    mount(here, root + here, MS_BIND)
    check(
        libc.syscall(PIVOT_ROOT[os.uname().machine], root.encode(), (root + '/.old').encode()),
        'pivot_root',
    )
    os.chdir('/')
    check(libc.umount2(b'/.old', MNT_DETACH), 'umount')
    os.chdir(here)


if __name__ == '__main__':
    enter(os.path.realpath(sys.argv[1]))
    os.environ.update(HOME='/root', LC_ALL='C.UTF-8')
    os.execv(sys.argv[2], sys.argv[2:])
