#!/usr/bin/python3
"""in_root.py ROOT COMMAND...: run a command with ROOT as its root directory, the way a container
would.

A mount namespace of its own and pivot_root: /proc/PID/root, setns and gdb's "target:" then see ROOT
as "/", which a plain chroot does not give. The current directory is visible at the same path
inside. The process is replaced, not forked: the caller's PID is the command's. Needs root (or
CAP_SYS_ADMIN).

In a plain chroot "/" is no mount point, and there is no pivot_root: then "/" is first mounted on
itself in the new namespace. Were the mount that it stands on shared with the old namespace, that
would appear there, too, so this is tried first on ROOT, and refused.
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


def mount_points(process='self'):
    with open('/proc/%s/mountinfo' % process) as table:
        return [line.split()[4] for line in table]


def make_private(root):
    """No mount from here on appears outside; "/" is a mount point."""
    if '/' not in mount_points():
        before = mount_points(os.getppid())
        mount(root, root, MS_BIND)
        if mount_points(os.getppid()) != before:
            libc.umount2(root.encode(), MNT_DETACH)
            raise OSError('a plain chroot on a shared mount: mounts would stay')
        check(libc.umount2(root.encode(), MNT_DETACH), 'umount')
        mount('/', '/', MS_BIND | MS_REC)
        os.chdir('/..')  # a process stays below what is mounted on its root until it looks again
        os.chroot('.')
    mount('none', '/', MS_REC | MS_PRIVATE)


def enter(root):
    here = os.getcwd()
    check(libc.unshare(CLONE_NEWNS), 'unshare')
    make_private(root)
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
