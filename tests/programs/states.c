/*
 * An embedded Python, and what becomes of it: "before", it was not initialised; "after", it was
 * finalized; "several": one thread with three states of which the second runs; "handed": a state
 * that one thread made and another one runs.
 */
#include <Python.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char code[] = "import os\n"
			   "def inner(mark):\n"
			   "    os.abort()\n"
			   "def outer():\n"
			   "    inner('here')\n"
			   "outer()\n";

static void several(void)
{
	PyInterpreterState *interp = PyThreadState_Get()->interp;
	PyThreadState *second = PyThreadState_New(interp);

	PyThreadState_New(interp);
	PyThreadState_Swap(second);
	PyRun_SimpleString(code);
}

static void *run(void *state)
{
	PyEval_RestoreThread(state);
	PyRun_SimpleString(code);
	return NULL;
}

static void handed(void)
{
	PyThreadState *made;
	pthread_t thread;

#if PY_VERSION_HEX < 0x03070000
	PyEval_InitThreads();
#endif
	made = PyThreadState_New(PyThreadState_Get()->interp);
	PyEval_SaveThread();
	pthread_create(&thread, NULL, run, made);
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "before"))
		Py_Initialize();
	if (!strcmp(mode, "after"))
		Py_Finalize();
	if (!strcmp(mode, "several"))
		several();
	if (!strcmp(mode, "handed"))
		handed();
	abort();
}
