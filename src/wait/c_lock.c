/* Locks of C that no object has: known by the function that waits, their owners by their words. */
#include <string.h>

#include "native/c_stack.h"
#include "wait/wait.h"

/* Is one of the innermost functions one whose name begins so? */
static bool is_in(const struct scry_c_stack *stack, const char *const *names)
{
	for (size_t i = 0; stack && i < stack->count && i < 10; i++)
		for (size_t k = 0; names[k]; k++)
			if (stack->frames[i].function &&
			    !strncmp(stack->frames[i].function, names[k], strlen(names[k])))
				return true;
	return false;
}

#define NAMES(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* A thread of the system's, by its number; by its descriptor: what pthread_self() gives. */
static void held_by(struct scry_waits *w, struct scry_waiter *who, uint64_t tid, scry_addr self)
{
	for (size_t i = 0; (tid || self) && i < w->count; i++) {
		const struct scry_thread *t = w->list[i].thread;

		if (t && (tid ? t->tid == tid : t->ident == self || (t->os && t->os->tls == self)))
			scry_waiter_held(w, who, &w->list[i], SCRY_HOW_OWNER, NULL);
	}
}

/*
 * glibc's pthread_mutex_t: int lock, unsigned count, int owner (nptl/bits/struct_mutex.h, 2.31 to
 * 2.36); the owner is the id of a thread of the kernel's, 0 while the lock changes hands.
 */
static void read_mutex_owner(struct scry_waits *w, struct scry_waiter *who, scry_addr futex)
{
	uint64_t owner;

	if (scry_read_uint(w->session, futex + 8, 4, &owner) == SCRY_OK)
		held_by(w, who, owner, 0);
}

/* Of a FILE: int lock, int count, void *owner (sysdeps/nptl/stdio-lock.h). */
static void read_file_owner(struct scry_waits *w, struct scry_waiter *who, scry_addr futex)
{
	scry_addr owner;

	if (scry_read_ptr(w->session, futex + 8, &owner) == SCRY_OK)
		held_by(w, who, 0, owner);
}

/*
 * Free-threaded builds: it waits for those that may touch objects to stop. It looks again each
 * millisecond (stop_the_world(), Python/pystate.c), so it need not sleep just now.
 */
bool scry_stops_world(struct scry_waiter *who)
{
	const struct scry_thread *t = who->thread;

	return t && t->attached == SCRY_ATTACHED_YES &&
	       is_in(scry_thread_c_stack(who->thread),
		     NAMES("_PyEval_StopTheWorld", "stop_the_world"));
}

/*
 * 2.7: the GIL is a lock as others are (Python/ceval.c), but nobody else takes one in these
 * functions.
 */
static bool is_old_gil(const struct scry_waiter *who, const struct scry_c_stack *stack)
{
	static const char *const takers[] = { "PyEval_EvalFrameEx", "PyEval_RestoreThread",
					      "PyEval_AcquireThread", "PyEval_AcquireLock" };

	if (!who->runtime || !who->thread->interp || who->thread->interp->gil)
		return false;
	for (size_t i = 0; stack && i + 1 < stack->count && i < 10; i++) {
		const char *function = stack->frames[i].function,
			   *caller = stack->frames[i + 1].function;

		if (!function || strcmp(function, "PyThread_acquire_lock"))
			continue;
		for (size_t k = 0; caller && k < sizeof(takers) / sizeof(*takers); k++)
			if (!strcmp(caller, takers[k]))
				return true;
		return false;
	}
	return false;
}

/* The address that it sleeps on is that of the lock; only of a thread that is in the function. */
void scry_c_lock_read(struct scry_waits *w, struct scry_waiter *who, struct scry_awaited *what)
{
	static const char *const locks[] = { "pthread_mutex_lock",   "___pthread_mutex_lock",
					     "__pthread_mutex_lock", "pthread_mutex_timedlock",
					     "__lll_lock_wait",      NULL };
	const struct {
		const char *const *names;
		const char *kind;
		void (*owner)(struct scry_waits *w, struct scry_waiter *who, scry_addr futex);
	} rows_of_c[] = {
		{ NAMES("_PyImport_AcquireLock"), "import lock", NULL }, /* 2.7 */
		{ NAMES("PyEvent_Wait"), "PyEvent", NULL },
		{ NAMES("PyMutex_Lock", "_PyMutex_Lock"), "PyMutex", NULL },
		{ NAMES("fwrite", "_IO_fwrite", "fread", "_IO_fread", "fflush", "_IO_fflush",
			"fputs", "_IO_fputs", "fgets", "_IO_fgets", "getc", "_IO_getc", "fseek",
			"ftell", "_IO_ftell", "fclose", "_IO_fclose", "_IO_new_fclose", "putc",
			"_IO_putc", "ungetc", "_IO_ungetc", "flockfile", "_IO_flockfile",
			"__flockfile", "_IO_feof", "_IO_ferror"),
		  "stdio lock", read_file_owner },
		{ locks, "pthread mutex", read_mutex_owner },
		{ NAMES("pthread_cond_", "__pthread_cond_", "___pthread_cond_"),
		  "pthread condition", NULL },
		{ NAMES("pthread_rwlock_", "__pthread_rwlock_", "___pthread_rwlock_"),
		  "pthread rwlock", NULL },
		{ NAMES("sem_wait", "sem_timedwait", "sem_clockwait", "__new_sem_wait",
			"__sem_wait"),
		  "semaphore", NULL },
	};
	const struct scry_c_stack *stack = scry_thread_c_stack(who->thread);

	what->addr = who->parked ? who->parked : who->thread->os->futex;
	if (is_old_gil(who, stack)) {
		what->kind = "GIL";
		return;
	}
	for (size_t i = 0; i < sizeof(rows_of_c) / sizeof(*rows_of_c); i++)
		if (is_in(stack, rows_of_c[i].names) &&
		    /* C code that waits within may have been called by a FILE's function */
		    (rows_of_c[i].owner != read_file_owner || is_in(stack, locks))) {
			what->kind = rows_of_c[i].kind;
			if (rows_of_c[i].owner)
				rows_of_c[i].owner(w, who, what->addr);
			return;
		}
}
