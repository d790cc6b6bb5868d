/* Keeps the first thread that a program makes after $NEWBORN_AFTER others from running. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef void *function(void *);

struct call {
	function *run;
	void *arg;
	int kept;
};

static void *begin(void *arg)
{
	struct call *call = arg;

	while (call->kept)
		pause();
	return call->run(call->arg);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, function *run, void *arg)
{
	static int made;
	int (*next)(pthread_t *, const pthread_attr_t *, function *, void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, function *, void *))dlsym(
			RTLD_NEXT, "pthread_create");
	struct call *call = malloc(sizeof(*call));

	*call = (struct call) { run, arg, made++ == atoi(getenv("NEWBORN_AFTER")) };
	return next(thread, attributes, begin, call);
}
