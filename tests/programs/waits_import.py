"""Threads that import: one module slowly, the same again, and a lock that a module takes while another thread holds it
and imports that module. The module importlib has not been imported, so the frozen one has its first name."""
import os
import sys
import time

from ways import DEADLOCKS, end, way

OLD = sys.version_info < (3, 3)  # one lock for all modules
directory = os.path.dirname(os.path.abspath(os.environ['PYSCRY_TRUTH']))
sys.path.insert(0, directory)


def module(name, *lines):
    with open(os.path.join(directory, name + '.py'), 'w') as out:
        out.write('\n'.join(('import ' + 'waits_import_state as state, ways',) + lines) + '\n')


module('waits_slow', 'state.begun.append(1)', 'ways.forever()')
module('waits_takes', 'state.begun.append(1)', 'state.LOCK.acquire()')
import waits_import_state as state  # noqa: E402

if sys.argv[1] == 'cycle':
    held = [['takes', 'frame' if OLD else 'owner']]

    @way('Lock', held_by=[('imports', 'with')], name='state.LOCK', function='<module>')
    def takes():
        while not state.begun:
            time.sleep(0.01)
        import waits_takes  # noqa

    @way('import lock', held_by=held)
    def imports():
        with state.LOCK:
            state.begun.append(1)
            while len(state.begun) < 2:
                time.sleep(0.01)
            import waits_takes  # noqa

    DEADLOCKS.append(['imports', 'takes'])
else:
    held = [['slow', 'frame' if OLD else 'owner']]

    @way('sleep', function='forever')
    def slow():
        import waits_slow  # noqa

    while not state.begun:
        time.sleep(0.01)

    @way('import lock', held_by=held, **({} if OLD else {'detail': 'waits_slow'}))
    def slow_too():
        import waits_slow  # noqa

    if OLD:
        @way('import lock', held_by=held)
        def another():
            import colorsys  # noqa
end()
