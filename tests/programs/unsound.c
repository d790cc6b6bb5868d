/*
 * An extension module with the mistakes that verify is to find: a missing Py_INCREF, an object that
 * was let go once too often, a buffer that was freed while it is in use, writes behind what malloc()
 * gave out and into what was freed, and objects that nobody lets go.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef Py_SET_TYPE
#define Py_SET_TYPE(object, type) (Py_TYPE(object) = (type))
#endif

typedef struct {
	PyObject_HEAD char *data;
	Py_ssize_t size;
} Holder;

static int get_buffer(PyObject *self, Py_buffer *view, int flags)
{
	Holder *h = (Holder *)self;

	return PyBuffer_FillInfo(view, self, h->data, h->size, 0, flags);
}

static PyBufferProcs procs;
static PyTypeObject Holder_Type = { PyVarObject_HEAD_INIT(NULL, 0).tp_name = "unsound.Holder",
				    .tp_basicsize = sizeof(Holder), .tp_as_buffer = &procs };

static PyObject *address(const void *p)
{
	return PyLong_FromVoidPtr((void *)p);
}

/* hold(size, raw): an object with a buffer of PyMem_Malloc(), or malloc() itself */
static PyObject *hold(PyObject *self, PyObject *args)
{
	Holder *h = PyObject_New(Holder, &Holder_Type);
	Py_ssize_t size;
	int raw;

	(void)self;
	if (!h || !PyArg_ParseTuple(args, "ni", &size, &raw))
		return NULL;
	h->size = size;
	h->data = raw ? malloc(size) : PyMem_Malloc(size);
	memset(h->data, 'h', size);
	return (PyObject *)h;
}

/* data(holder): where its buffer is */
static PyObject *data(PyObject *self, PyObject *holder)
{
	(void)self;
	return address(((Holder *)holder)->data);
}

/* drop(holder, raw): frees its buffer, which it keeps */
static PyObject *drop(PyObject *self, PyObject *args)
{
	PyObject *holder;
	int raw;

	(void)self;
	if (!PyArg_ParseTuple(args, "Oi", &holder, &raw))
		return NULL;
	if (raw)
		free(((Holder *)holder)->data);
	else
		PyMem_Free(((Holder *)holder)->data);
	Py_RETURN_NONE;
}

/* steal(list, object): puts it into the list, without Py_INCREF */
static PyObject *steal(PyObject *self, PyObject *args)
{
	PyObject *list, *object;

	(void)self;
	if (!PyArg_ParseTuple(args, "OO", &list, &object))
		return NULL;
	PyList_SET_ITEM(list, 0, object);
	Py_RETURN_NONE;
}

/* release(object): once more than it may */
static PyObject *release(PyObject *self, PyObject *object)
{
	(void)self;
	Py_DECREF(object);
	Py_RETURN_NONE;
}

/* overrun(holder, bytes): writes behind its buffer */
static PyObject *overrun(PyObject *self, PyObject *args)
{
	PyObject *holder;
	Py_ssize_t n;

	(void)self;
	if (!PyArg_ParseTuple(args, "On", &holder, &n))
		return NULL;
	memset(((Holder *)holder)->data + ((Holder *)holder)->size, 'o', n);
	Py_RETURN_NONE;
}

/* scribble(holder, offset): writes into its buffer, which was freed */
static PyObject *scribble(PyObject *self, PyObject *args)
{
	PyObject *holder;
	Py_ssize_t offset;

	(void)self;
	if (!PyArg_ParseTuple(args, "On", &holder, &offset))
		return NULL;
	memset(((Holder *)holder)->data + offset, 's', sizeof(void *));
	Py_RETURN_NONE;
}

/* Objects that only memory leads to which nobody can write to any more: no leaks. */
static void lock_away(void)
{
	PyObject **page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned i = 0; i < 50; i++)
		page[i] = PyByteArray_FromStringAndSize("locked", 6);
	mprotect(page, 4096, PROT_READ);
}

/* leak(n): n lists that nobody can reach, each with a float in it, and twenty chunks of malloc() */
static PyObject *leak(PyObject *self, PyObject *args)
{
	Py_ssize_t n;

	(void)self;
	if (!PyArg_ParseTuple(args, "n", &n))
		return NULL;
	for (unsigned i = 0; i < 20; i++) {
		volatile char *chunk = malloc(5000);

		chunk[0] = 'l';
	}
	lock_away();
	for (; n; n--) {
		PyObject *list = PyList_New(1);

		PyList_SET_ITEM(list, 0, PyFloat_FromDouble(0.25 + n));
	}
	Py_RETURN_NONE;
}

/* run(steps, gone): all calls of a list, then the items of the other go, and the process */
static PyObject *run(PyObject *self, PyObject *args)
{
	PyObject *steps, *gone;

	(void)self;
	if (!PyArg_ParseTuple(args, "OO", &steps, &gone))
		return NULL;
	for (Py_ssize_t i = 0; i < PyList_Size(steps); i++) {
		PyObject *step = PyList_GetItem(steps, i),
			 *rest = PyTuple_GetSlice(step, 1, PyTuple_Size(step));

		PyObject_CallObject(PyTuple_GetItem(step, 0), rest);
		Py_DECREF(rest);
	}
	PyList_SetSlice(gone, 0, PyList_Size(gone), NULL);
	PyList_SetSlice(steps, 0, PyList_Size(steps), NULL);
	abort();
}

static PyMethodDef methods[] = {
	{ "run", run, METH_VARARGS, NULL },
	{ "hold", hold, METH_VARARGS, NULL },
	{ "data", data, METH_O, NULL },
	{ "drop", drop, METH_VARARGS, NULL },
	{ "steal", steal, METH_VARARGS, NULL },
	{ "release", release, METH_O, NULL },
	{ "overrun", overrun, METH_VARARGS, NULL },
	{ "scribble", scribble, METH_VARARGS, NULL },
	{ "leak", leak, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static int ready(void)
{
	procs.bf_getbuffer = get_buffer;
	Holder_Type.tp_flags = Py_TPFLAGS_DEFAULT;
#if PY_MAJOR_VERSION == 2
	Holder_Type.tp_flags |= Py_TPFLAGS_HAVE_NEWBUFFER;
#endif
	return PyType_Ready(&Holder_Type);
}

#if PY_MAJOR_VERSION == 2
PyMODINIT_FUNC initunsound(void)
{
	if (ready() == 0)
		Py_InitModule("unsound", methods);
}
#else
static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "unsound", NULL, -1, methods };

PyMODINIT_FUNC PyInit_unsound(void)
{
	return ready() < 0 ? NULL : PyModule_Create(&module);
}
#endif
