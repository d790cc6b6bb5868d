/*
 * What careless extensions do to the state of errors. Declared by hand: it is built without
 * Python's headers, once for all versions.
 */
#include <unistd.h>

extern void PyErr_SetObject(void *type, void *value);
extern void PyErr_SetNone(void *type);
extern void PyErr_SetString(void *type, const char *text);
extern void *PyEval_SaveThread(void);
extern void *PyThreadState_Get(void);
extern void Py_IncRef(void *object);
/* 3.3+ */
extern void PyErr_SetExcInfo(void *type, void *value, void *traceback) __attribute__((weak));

volatile int parked;

static void park(void)
{
	PyEval_SaveThread();
	parked++;
	for (;;)
		sleep(1000);
}

void pend_object(void *type, void *value)
{
	PyErr_SetObject(type, value);
	park();
}

void pend_none(void *type)
{
	PyErr_SetNone(type);
	park();
}

void pend_string(void *type, const char *text)
{
	PyErr_SetString(type, text);
	park();
}

/* 2.7: Include/pystate.h up to what is written here */
struct thread_state {
	void *next, *interp, *frame;
	int recursion_depth, tracing, use_tracing;
	void *profile, *trace, *profile_object, *trace_object, *curexc[3], *exc[3];
};

/* "Handled", and never cleared. */
void leave(void *type, void *value, void *traceback)
{
	Py_IncRef(type);
	Py_IncRef(value);
	Py_IncRef(traceback);
	if (PyErr_SetExcInfo) {
		PyErr_SetExcInfo(type, value, traceback);
	} else {
		struct thread_state *t = PyThreadState_Get();

		t->exc[0] = type;
		t->exc[1] = value;
		t->exc[2] = traceback;
	}
}
