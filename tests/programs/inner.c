/*
 * An extension that keeps pointers to inner bytes of an object, and no reference to it: in a global, in memory of
 * malloc(), in the module's state (Python 3), and in a variable of the function that ends the process.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

struct registry {
	const char *name, *at;
	char **table;
} registry;

struct state {
	long used;
	const char *last;
};

#if PY_MAJOR_VERSION > 2
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, "inner", NULL,
					 sizeof(struct state) };

static struct state *state_of(PyObject *self)
{
	return PyModule_GetState(self);
}
#endif

/* keep(bytes): its bytes 10, 20 and 30 are pointed to; then byte 40, and the process ends */
static PyObject *keep(PyObject *self, PyObject *bytes)
{
	const char *volatile inside;

	registry.name = "a registry";
	registry.at = PyBytes_AsString(bytes) + 10;
	registry.table = calloc(8, sizeof(char *));
	registry.table[2] = PyBytes_AsString(bytes) + 20;
#if PY_MAJOR_VERSION > 2
	state_of(self)->last = PyBytes_AsString(bytes) + 30;
#else
	(void)self;
#endif
	inside = PyBytes_AsString(bytes) + 40;
	if (inside)
		abort();
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = { { "keep", keep, METH_O, NULL }, { NULL, NULL, 0, NULL } };

#if PY_MAJOR_VERSION == 2
PyMODINIT_FUNC initinner(void)
{
	Py_InitModule("inner", methods);
}
#else
PyMODINIT_FUNC PyInit_inner(void)
{
	definition.m_methods = methods;
	return PyModule_Create(&definition);
}
#endif
