"""asyncio in two interpreters of one thread, one running within the other; the truth goes to $PYSCRY_TRUTH. Python 3.12 to 3.15."""
import json

try:
    import _interpreters
    create, execute = _interpreters.create, _interpreters.exec
except ImportError: # 3.12
    import _xxsubinterpreters
    create, execute = _xxsubinterpreters.create, _xxsubinterpreters.run_string

# what both of them run
BOTH = '''
import asyncio

async def leaf():
    await asyncio.sleep(3600)

async def main(label, then):
    tasks = [asyncio.create_task(leaf(), name='%s %d' % (label, i)) for i in range(3)]
    await asyncio.sleep(0.01)
    running = asyncio.current_task()
    running.set_name(label)
    found = [{'id': hex(id(task)), 'name': task.get_name(), 'state': 'pending', 'functions': ['sleep', 'leaf']} for task in tasks]
    found.append({'id': hex(id(running)), 'name': label, 'state': 'running', 'functions': None})
    loop = asyncio.get_running_loop()
    then({'tasks': found, 'loops': [{'id': hex(id(loop)), 'running': True, 'closed': False, 'current': hex(id(running))}]})
'''
INNER = BOTH + '''
import json, os, time

def end(found):
    outer = json.loads(OUTER)
    tasks = outer['tasks'] + found['tasks']
    tasks[3]['functions'] = ['inner', 'main']
    tasks[7]['functions'] = ['end', 'main']
    loops = [dict(loop, thread=os.getpid()) for loop in outer['loops'] + found['loops']]
    with open(os.environ['PYSCRY_TRUTH'] + '.part', 'w') as out:
        json.dump({'pid': os.getpid(), 'tasks': tasks, 'loops': loops}, out)
    os.rename(os.environ['PYSCRY_TRUTH'] + '.part', os.environ['PYSCRY_TRUTH'])
    if os.environ.get('PYSCRY_END') == 'abort':
        os.abort()
    time.sleep(600)

asyncio.run(main('inner', end))
'''


def inner(found):
    execute(create(), 'OUTER = %r\n' % json.dumps(found) + INNER)


exec(BOTH)
asyncio.run(main('outer', inner))  # noqa: F821
