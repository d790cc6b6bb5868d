"""Another root for a moment: what is below a directory, and changes that nobody sees afterwards.

An overlay in a mount namespace of its own: nothing is copied, and all is gone when the command
ends. Needs root.
"""
import os
import subprocess
import tempfile

MOUNT = '''
set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mkdir -p proc dev tmp given
mount -t proc proc proc
mount --rbind /dev dev
mount --bind "$3" given
exec chroot . /bin/sh -ec "$4"
'''


def run(lower, given, script, timeout=300):
    """Run a shell script with `lower` as "/", and the directory `given` at /given; the process,
    with its output as bytes. Status 32 is mount's: there are no overlays here."""
    with tempfile.TemporaryDirectory(prefix='pyscry-root-') as place:
        return subprocess.run(
            ['unshare', '--mount', '--pid', '--fork', 'sh', '-c', MOUNT]
            + ['sh', place, lower, given, script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env={
                'PATH': '/usr/sbin:/usr/bin:/sbin:/bin',
                'LC_ALL': 'C.UTF-8',
                'HOME': '/root',
                'DEBIAN_FRONTEND': 'noninteractive',
            },
        )


def story(directory):
    """The program of tests.support.story, as a file there."""
    from tests.support.story import STORY

    with open(os.path.join(directory, 'story.py'), 'w', encoding='utf-8') as out:
        out.write(STORY)
