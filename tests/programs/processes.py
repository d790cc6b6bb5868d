"""Workers of multiprocessing in every state, and what repr() says of them. Runs on 2.7 to 3.15; the end is ends.py's."""
import multiprocessing
import os
import signal
import time

import ends


def main():
    context = multiprocessing.get_context('fork') if hasattr(multiprocessing, 'get_context') else multiprocessing

    def worker(function, argument, daemon=False):
        process = context.Process(target=function, args=(argument,))
        process.daemon = daemon
        process.start()
        return process
    found = {'exit code %d' % code: worker(os._exit, code, daemon) for code, daemon in ((0, False), (3, True), (77, False))}
    for number in (signal.SIGKILL, signal.SIGTERM):
        found['signal %d' % number] = killed = worker(time.sleep, 600)
        os.kill(killed.pid, number)
    for process in found.values():
        process.join()
    found['alive'] = alive = worker(time.sleep, 600, True)
    found['fresh'] = context.Process(target=print_nothing, name='fr\'esh')
    found['fresh daemon'] = daemon = context.Process(target=print_nothing)
    daemon.daemon = True
    found['current'] = multiprocessing.current_process()
    if hasattr(alive, 'close'):
        found['closed'] = closed = worker(os._exit, 0)
        closed.join()
        closed.close()
    of_another = context.Process(target=print_nothing)
    of_another._parent_pid = 1
    found['of another process'] = of_another
    truth = {'values': [{'name': name, 'repr': repr(value), 'id': hex(id(value)).rstrip('L')} for name, value in sorted(found.items())]}
    os.kill(alive.pid, signal.SIGKILL)
    ends.write(truth)


def print_nothing():
    pass


main()
