"""Makes asyncio use its tasks and futures that are written in Python, as it does where there is no module _asyncio."""
import sys


def use_python():
    assert 'asyncio' in sys.modules
    import asyncio
    names = ('Task', 'current_task', 'all_tasks', '_register_task', '_enter_task', '_leave_task', '_unregister_task',
             '_swap_current_task', '_register_eager_task', '_unregister_eager_task')
    for name in names:
        set_python(asyncio.tasks, name)
    for name in ('Future', 'future_add_to_awaited_by', 'future_discard_from_awaited_by'):
        set_python(asyncio.futures, name)


def set_python(module, name):
    import asyncio
    private = '_Py' + name if name[0].isupper() else '_py' + ('' if name.startswith('_') else '_') + name
    if not hasattr(module, private):
        return
    value = getattr(module, private)
    for each in list(sys.modules.values()):
        # wherever it was imported by name
        if getattr(each, '__name__', '').split('.')[0] == 'asyncio' and name in vars(each):
            setattr(each, name, value)
