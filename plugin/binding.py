"""The package pyscry, as the adapters use it. It is loaded from its own directory, so that nothing
else of that directory's Python becomes importable in the debugger's. Python 3.6 and newer."""
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))


def _places():
    """Where the package may be: around the plugin (a wheel), beside it (the source tree), where
    `meson install` put it."""
    above = os.path.dirname(HERE)
    yield above
    yield os.path.join(above, "python", "pyscry")
    try:
        import installed
    except ImportError:
        return
    # relative: the whole installation may have been moved
    yield os.path.join(HERE, os.path.relpath(installed.PACKAGE, installed.PLUGIN))


def _load():
    for place in _places():
        path = os.path.join(place, "__init__.py")
        if os.path.exists(os.path.join(place, "_session.py")):
            spec = importlib.util.spec_from_file_location(
                "pyscry", path, submodule_search_locations=[place]
            )
            sys.modules["pyscry"] = package = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(package)
            return
    raise ImportError("pyscry's Python package is neither installed nor beside its plugin")


if "pyscry" not in sys.modules:
    _load()

from pyscry._host import Host  # noqa: E402
from pyscry._library import MOVES, Error, commands  # noqa: E402
from pyscry._session import (  # noqa: E402
    Session,
    Stopped,
    complete,
    help_of,
    is_pointer_type,
    needs_no_target,
    pointer_types,
    printable,
    run_value,
    with_head,
)

__all__ = ["Error", "Host", "MOVES", "Session", "Stopped", "commands", "complete", "help_of"]
__all__ += [
    "is_pointer_type",
    "needs_no_target",
    "pointer_types",
    "printable",
    "run_value",
    "with_head",
]
