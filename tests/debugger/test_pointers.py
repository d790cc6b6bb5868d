"""Variables of C code in GDB's and LLDB's own commands: what stands behind a pointer, by its
type."""
import re
import shutil
import subprocess

import pytest

PROGRAM = r'''
#include <Python.h>
#include <signal.h>
typedef struct { PyObject_HEAD int number; } Own;
struct other { long ob, type; };
PyObject *keep;
static int crash(PyObject *args, PyTypeObject *type, const PyObject *fixed, Own *own,
                 PyObject **many, struct other *other)
{
	PyObject *nothing = NULL, *garbage = (PyObject *)0x1234;
	PyListObject *list = (PyListObject *)PyList_New(2000);
	PyThreadState *state = PyThreadState_Get(), *no_state = (PyThreadState *)list;
	PyInterpreterState *interpreter = state->interp;
	PyDictObject *dict = (PyDictObject *)keep;
	for (int i = 0; i < 2000; i++)
		PyList_SET_ITEM((PyObject *)list, i, PyLong_FromLong(i));
	raise(SIGABRT);
	return args && type && fixed && own && many && other && !nothing &&
	       garbage && list && state && no_state && interpreter && dict;
}
int main(int argc, char **argv)
{
	Py_Initialize();
	PyObject *args = Py_BuildValue("(is)", 42, "caf\303\251");
	keep = Py_BuildValue("{si}", "a", argc);
	return crash(args, Py_TYPE(args), args, (Own *)args, &args, (struct other *)args) +
	       argv[0][0];
}
'''
SHOWN = {
    "args": r"\(42, 'café'\)",
    "type": r"<class 'tuple'>",
    "fixed": r"\(42, 'café'\)",
    "dict": r"\{'a': 1\}",
    "garbage": r"<unreadable at 0x1234: 0x1234 is not an object: not aligned>",
    "list": r"\[0, 1, 2, .*, 31, … 1968 more\]",
    "state": r'<thread state at 0x[0-9a-f]+: Thread \d+ "embed" \[[^\]]*holds the GIL\]>',
    "interpreter": r"<interpreter 0 at 0x[0-9a-f]+, CPython 3\.\d+\.\d+>",
}
RAW = ["many", "other", "no_state"]


@pytest.fixture(scope="session")
def embed(tmp_path_factory):
    config = shutil.which("python3-config", path="/usr/bin")
    if not config or not shutil.which("cc"):
        pytest.skip("no python3-config or no compiler")
    directory = tmp_path_factory.mktemp("embed")
    (directory / "embed.c").write_text(PROGRAM)
    flags = subprocess.check_output([config, "--includes", "--ldflags", "--embed"]).decode().split()
    subprocess.check_call(["cc", "-g", "-O0", "embed.c", "-o", "embed"] + flags, cwd=str(directory))
    return directory / "embed"


def test_gdb(gdb, embed):
    names = list(SHOWN) + ["own", "nothing"] + RAW
    said = gdb(
        ["run", "frame function crash", "info locals"]
        + ["print " + name for name in names]
        + [
            "print *own",
            "print/r args",
            "set pyscry max-text 20",
            "print list",
            "set pyscry max-text 0",
            "print list",
            "set pyscry values off",
            "print args",
        ],
        embed,
    ).said
    texts = dict(zip(names, said[3:]))
    for name, pattern in dict(SHOWN, own=SHOWN["args"]).items():
        assert re.search(r"^\$\d+ = %s$" % pattern, texts[name], re.M), texts[name]
    for name in RAW + ["nothing"]:
        assert re.search(r"^\$\d+ = \([\w *]+\) 0x[0-9a-f]+$", texts[name], re.M), texts[name]
    assert re.search("^dict = %s$" % SHOWN["dict"], said[2], re.M) and re.search(
        "^nothing = 0x0$", said[2], re.M
    )
    rest = said[3 + len(names) :]
    assert "ob_type = <class 'tuple'>" in rest[0] and "number = " in rest[0]
    assert re.search(r"= \(PyObject \*\) 0x[0-9a-f]+$", rest[1]) and re.search(
        r"= \(PyObject \*\) 0x[0-9a-f]+$", rest[-1]
    )
    assert re.search(r"= \[0, 1, 2, 3, 4, 5, 6, … 1993 more\]$", rest[3]), rest[3]


def test_lldb(lldb, embed):
    said = lldb(
        [
            "run",
            "script [lldb.frame.thread.SetSelectedFrame(i) for i, f in enumerate(lldb.frame.thread)"
            " if f.name == 'crash']",
            "frame variable",
            "target variable keep",
            "bt",
            "frame variable -R args",
            "type category disable pyscry",
            "frame variable args",
        ],
        "--",
        embed,
    )
    text = said[2].out
    for name, pattern in SHOWN.items():
        assert re.search(r" %s = 0x[0-9a-f]+ %s$" % (name, pattern), text, re.M), (name, text)
    own = re.search(r" own = 0x[0-9a-f]+(.*)$", text, re.M).group(1)
    assert (
        re.match(" %s$" % SHOWN["args"], own) or own == ""
    )  # LLDB 17 and newer can be asked of any type
    for name in RAW:
        assert re.search(r" %s = 0x[0-9a-f]+$" % name, text, re.M), (name, text)
    assert re.search(r" nothing = (0x0+ )?NULL$", text, re.M), text
    assert re.search(r"keep = 0x[0-9a-f]+ \{'a': 1\}", said[3].out)
    assert re.search(r"crash\(args=\(42, 'café'\), type=<class 'tuple'>", said[4].out)
    assert all(re.search(r"args = 0x[0-9a-f]+$", each.out, re.M) for each in (said[5], said[7]))
