/*
 * An extension for any PyPy, without its headers: what cpyext's objects look like is declared here. It keeps objects
 * in static variables, and dies with one of them in a register.
 */
#include <stddef.h>
#include <string.h>

typedef struct _object {
	ptrdiff_t ob_refcnt;
	ptrdiff_t ob_pypy_link;
	struct _typeobject *ob_type;
} PyObject;

typedef struct {
	const char *name;
	PyObject *(*function)(PyObject *self, PyObject *args);
	int flags;
	const char *doc;
} PyMethodDef;

/* the beginning is CPython's; how long it is in all versions does not matter */
struct _typeobject {
	PyObject head;
	ptrdiff_t ob_size;
	const char *tp_name;
	ptrdiff_t tp_basicsize, tp_itemsize;
	void *slots1[15];
	unsigned long tp_flags;
	void *slots2[200];
};

struct module_def {
	PyObject head;
	void *init;
	ptrdiff_t index;
	void *copy;
	const char *name, *doc;
	ptrdiff_t size;
	PyMethodDef *methods;
	void *slots[4];
};

#define WEAK __attribute__((weak))
extern PyObject *PyPyModule_Create2(struct module_def *def, int version) WEAK;
extern PyObject *_PyPy_InitPyPyModule(const char *name, PyMethodDef *methods, const char *doc,
				      PyObject *self, int version) WEAK;
extern int PyPyType_Ready(struct _typeobject *type);
extern PyObject *PyPyType_GenericAlloc(struct _typeobject *type, ptrdiff_t items);
extern PyObject *PyPyLong_FromVoidPtr(void *address);
extern int PyPyArg_ParseTuple(PyObject *args, const char *form, ...);

#define MOST 32
PyObject *kept[MOST], *last;
static int count;

static struct _typeobject thing = { .head = { 1, 0, NULL },
				    .tp_name = "kept.Thing",
				    .tp_basicsize = sizeof(PyObject) + 16 };

/* keep(object) -> the address of its PyObject */
static PyObject *keep(PyObject *self, PyObject *args)
{
	(void)self;
	if (!PyPyArg_ParseTuple(args, "O", &last) || count == MOST)
		return NULL;
	last->ob_refcnt++;
	kept[count++] = last;
	return PyPyLong_FromVoidPtr(last);
}

/* pack(object, ...) -> the address of the tuple of arguments, which Python never gets */
static PyObject *pack(PyObject *self, PyObject *args)
{
	(void)self;
	args->ob_refcnt++;
	kept[count++] = args;
	return PyPyLong_FromVoidPtr(args);
}

/* thing() -> the address of an instance of the extension's own type */
static PyObject *make(PyObject *self, PyObject *args)
{
	(void)self, (void)args;
	kept[count] = PyPyType_GenericAlloc(&thing, 0);
	return PyPyLong_FromVoidPtr(kept[count++]);
}

static PyObject *type(PyObject *self, PyObject *args)
{
	(void)self, (void)args;
	return PyPyLong_FromVoidPtr(&thing);
}

static PyObject *crash(PyObject *self, PyObject *args)
{
	(void)self, (void)args;
	last = kept[0];
	__asm__ volatile("mov %0, %%r12\n\tmovl $0, 0" : : "r"(last) : "r12", "memory");
	return NULL;
}

static PyMethodDef methods[] = { { "keep", keep, 1, NULL },   { "pack", pack, 1, NULL },
				 { "thing", make, 1, NULL },  { "type", type, 1, NULL },
				 { "crash", crash, 1, NULL }, { NULL, NULL, 0, NULL } };
static struct module_def module = {
	.head = { 1, 0, NULL }, .name = "kept", .size = -1, .methods = methods
};

PyObject *PyInit_kept(void)
{
	return PyPyType_Ready(&thing) < 0 ? NULL : PyPyModule_Create2(&module, 1013);
}

void initkept(void)
{
	PyPyType_Ready(&thing);
	_PyPy_InitPyPyModule("kept", methods, NULL, NULL, 1013);
}
