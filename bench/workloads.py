"""The stacks that are measured: bench/workloads.py KIND [NUMBER...]. Dies by abort(), or waits with
PYSCRY_END=sleep.

stack N            N frames of one function, in one thread
threads T D        T threads that wait, each D frames deep
heap N             N objects on the heap, few frames
generators N       N suspended generators, half of which wait for the other half, among
                   10 N other objects
greenlets N        N greenlets, suspended four functions deep (needs the module greenlet)
"""
import os
import sys
import threading
import time


def finish():
    path = os.environ.get('PYSCRY_READY')
    if path:
        with open(path, 'w') as out:
            out.write(str(os.getpid()))
    if os.environ.get('PYSCRY_END') == 'sleep':
        while True:
            time.sleep(1000)
    os.abort()


def down(n, done):
    value = [n]
    return finish() if n <= 0 else down(n - 1, value) + 1


def stack(frames):
    sys.setrecursionlimit(frames + 1000)
    if sys.version_info >= (3, 11):
        return down(frames - 3, None)
    # older versions need C stack for each frame, and a second thread has as much as we like
    threading.stack_size(min(1 << 30, max(16 << 20, frames * 1024)))
    thread = threading.Thread(target=down, args=(frames - 4, None))
    thread.start()
    thread.join()


def wait(n, waiting, event):
    if n <= 0:
        waiting.release()
        event.wait()
    return wait(n - 1, waiting, event) + 1


def threads(count, depth):
    threading.stack_size(256 * 1024)
    waiting, event = threading.Semaphore(0), threading.Event()
    for i in range(count):
        # the thread's own frames and those of Event.wait() count
        thread = threading.Thread(
            target=wait, args=(depth - 6, waiting, event), name='worker-%d' % i
        )
        thread.daemon = True
        thread.start()
    for _ in range(count):
        waiting.acquire()
    time.sleep(0.2)
    finish()


def heap(count):
    kept = [('%09d' % i, [i]) for i in range(count)]
    return down(7, kept)


def switch_away(n, to):
    return to.switch() if n <= 1 else switch_away(n - 1, to)


def greenlets(count):
    import greenlet

    kept = [greenlet.greenlet(switch_away) for _ in range(count)]
    for each in kept:
        each.switch(4, greenlet.getcurrent())
    finish()


def leaf(n):
    yield n
    yield n


def generators(count):
    scope = {'leaf': leaf}
    exec('def through(n):\n    yield from leaf(n)\n', scope)
    others = [[i] for i in range(10 * count)]
    kept = [scope['through'](i) for i in range(count // 2)]
    for each in kept:
        next(each)
    return down(3, (kept, others))


if __name__ == '__main__':
    {
        'stack': stack,
        'threads': threads,
        'heap': heap,
        'generators': generators,
        'greenlets': greenlets,
    }[sys.argv[1]](*map(int, sys.argv[2:]))
