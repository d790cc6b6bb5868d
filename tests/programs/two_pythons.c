/* Two Pythons in one process, each with a thread of its own: LIBRARY HOME FUNCTION, twice. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *run(void *arg)
{
	char **args = arg, text[200];
	void *library = dlopen(args[0], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	if (!library)
		exit(3);
	snprintf(text, sizeof(text), "import time\ndef %s():\n    time.sleep(600)\n%s()\n", args[2],
		 args[2]);
	((void (*)(int))dlsym(library, "Py_InitializeEx"))(0);
	((int (*)(const char *))dlsym(library, "PyRun_SimpleString"))(text);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	for (int i = 1; i + 2 < argc; i += 3) {
		setenv("PYTHONHOME", argv[i + 1], 1);
		pthread_create(&thread, NULL, run, argv + i);
		sleep(2);
	}
	abort();
}
