/*
 * Frames as Nuitka makes them (nuitka/build/include/nuitka/compiled_frame.h): of a type of its own,
 * "compiled_frame", which begins as the interpreter's does; from 3.11 on the inner frame lies in
 * it. Their line is in f_lineno, their slots hold what nobody cleared. 3.8 to 3.13.
 */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_frame.h>
#else
typedef PyObject *_PyInterpreterFrame;
#endif

struct compiled_frame {
	PyFrameObject head;
	_PyInterpreterFrame inner;
	PyObject *slots[8];
};

static PyTypeObject compiled_frame_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "compiled_frame",
	.tp_basicsize = sizeof(struct compiled_frame),
	.tp_flags = Py_TPFLAGS_DEFAULT,
};

#if PY_VERSION_HEX >= 0x030d0000
#define NEWEST(state) (state)->current_frame
#elif PY_VERSION_HEX >= 0x030b0000
#define NEWEST(state) (state)->cframe->current_frame
#else
#define NEWEST(state) (state)->frame
#endif

/* run(code, line, stale, function): calls the function from a frame of this code at the line */
static PyObject *run(PyObject *self, PyObject *args)
{
	PyThreadState *state = PyThreadState_Get();
	struct compiled_frame *f = calloc(1, sizeof(*f));
	PyObject *code, *stale, *function, *globals;
	int line;

	if (!PyArg_ParseTuple(args, "OiOOO", &code, &line, &stale, &function, &globals))
		return NULL;
	PyObject_Init((PyObject *)f, &compiled_frame_type);
	f->head.f_lineno = line;
#if PY_VERSION_HEX >= 0x030b0000
	for (int i = 0; i < 8; i++)
		f->inner.localsplus[i] = stale;
	f->head.f_frame = &f->inner;
#if PY_VERSION_HEX >= 0x030d0000
	f->inner.f_executable = code;
	f->inner.instr_ptr = _PyCode_CODE((PyCodeObject *)code);
#else
	f->inner.f_code = (PyCodeObject *)code;
	f->inner.prev_instr = _PyCode_CODE((PyCodeObject *)code);
#endif
	f->inner.f_globals = globals;
	f->inner.f_builtins = PyEval_GetBuiltins();
	f->inner.frame_obj = &f->head;
	f->inner.owner = FRAME_OWNED_BY_GENERATOR;
	f->inner.previous = NEWEST(state);
	NEWEST(state) = &f->inner;
#else
	f->head.f_code = (PyCodeObject *)code;
	f->head.f_globals = globals;
	f->head.f_builtins = PyEval_GetBuiltins();
	for (int i = 0; i < 8; i++)
		f->head.f_localsplus[i] = stale;
	f->head.f_valuestack = f->head.f_localsplus;
	f->head.f_back = NEWEST(state);
#if PY_VERSION_HEX >= 0x030a0000
	f->head.f_state = FRAME_EXECUTING;
#else
	f->head.f_executing = 1;
#endif
	NEWEST(state) = &f->head;
#endif
	return PyObject_CallFunctionObjArgs(function, NULL);
}

static PyMethodDef methods[] = { { "run", run, METH_VARARGS, NULL }, { NULL } };
static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "compiled_frames", NULL, -1, methods };

PyMODINIT_FUNC PyInit_compiled_frames(void)
{
	PyType_Ready(&compiled_frame_type);
	return PyModule_Create(&module);
}
