"""The recipes of docs/api.md, each as it stands there: in the plain interpreter

    recipes.py CORE LATER [SYSROOT]

or in a debugger that has $PYSCRY_RECIPES (CORE:LATER:SYSROOT) open. Prints {title: what it
printed} as one line of JSON."""
import contextlib
import io
import json
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "python"))

import pyscry  # noqa: E402


def recipes():
    """{title: code}"""
    with io.open(os.path.join(TOP, "docs", "api.md"), encoding="utf-8") as page:
        found = re.findall(r"^### (\d+\. [^\n]*)\n```python\n(.*?)^```", page.read(), re.M | re.S)
    return dict(found)


def run(target, later, options):
    said = {}
    for title, code in recipes().items():
        names = {"pyscry": pyscry, "t": target, "options": options}
        out = io.StringIO()
        code = code.replace('"later"', repr(later))
        with contextlib.redirect_stdout(out):
            exec(compile(code, title, "exec"), names)
        said[title.split(".")[0]] = out.getvalue()
    return said


def main(core, later, sysroot=""):
    options = {"sysroot": sysroot} if sysroot else {}
    inside = "gdb" in sys.modules or "lldb" in sys.modules
    target = pyscry.current() if inside else pyscry.open(core, **options)
    print("RECIPES " + json.dumps(run(target, later, options)))
    # attributes of the debugger's own thread, and that what it handed out lives as long
    print("SELECTED %s" % target.thread.frames[0].function)


if "PYSCRY_RECIPES" in os.environ:
    main(*os.environ["PYSCRY_RECIPES"].split(":"))
elif __name__ == "__main__":
    main(*sys.argv[1:])
