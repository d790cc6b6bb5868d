"""How a Python of any version runs text in a new interpreter."""
persistent = False # the interpreter outlives the text


def runner():
    """A function of the text that runs in an interpreter of its own, or None."""
    global persistent
    for name in ('_interpreters', '_xxsubinterpreters'):
        try:
            module = __import__(name)
            interpreter = module.create()
        except (ImportError, AttributeError):
            continue
        persistent = True
        kept.append(interpreter)
        return lambda text: module.run_string(interpreter, text)
    try:
        from _testcapi import run_in_subinterp
    except ImportError:
        return None
    return run_in_subinterp


kept = []
