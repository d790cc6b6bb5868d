/* Locks of C that no object has: known by the function that waits, their owners by their words. */
#include <string.h>

#include "native/c_stack.h"
#include "wait/wait.h"

#define FRAMES_MAX 10 /* the innermost ones */

/*
 * Is it one of the names, or a part that the compiler split off (name.cold)? The C library's have
 * aliases that begin with underscores, and others for a time of 64 bits; a version follows an '@'.
 */
static bool is_named(const char *function, const char *const *names)
{
	while (function && *function == '_')
		function++;
	for (; function && *names; names++) {
		size_t len = strlen(*names);

		if (strncmp(function, *names, len))
			continue;
		len += strncmp(function + len, "64", 2) ? 0 : 2;
		if (!function[len] || strchr(".@", function[len]))
			return true;
	}
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
bool scry_stops_world(struct scry_waiter *who, bool *ret_all)
{
	const struct scry_thread *t = who->thread;
	const struct scry_c_stack *stack =
		t && t->attached == SCRY_ATTACHED_YES ? scry_thread_c_stack(who->thread) : NULL;
	bool stops = false;

	*ret_all = false;
	for (size_t i = 0; stack && i < stack->count && i < FRAMES_MAX; i++) {
		*ret_all |= is_named(stack->frames[i].function, NAMES("PyEval_StopTheWorldAll"));
		stops |= is_named(stack->frames[i].function,
				  NAMES("PyEval_StopTheWorld", "stop_the_world"));
	}
	return stops || *ret_all;
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
	for (size_t i = 0; stack && i + 1 < stack->count && i < FRAMES_MAX; i++) {
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

#define FILE_FUNCTIONS                                                                             \
	"fwrite", "IO_fwrite", "fread", "IO_fread", "fflush", "IO_fflush", "IO_flush_all_lockp",   \
		"fputs", "IO_fputs", "puts", "IO_puts", "fgets", "IO_fgets", "getc", "IO_getc",    \
		"fgetc", "getchar", "getdelim", "IO_getdelim", "putc", "IO_putc", "fputc",         \
		"putchar", "ungetc", "IO_ungetc", "fseek", "fseeko", "rewind", "ftell",            \
		"IO_ftell", "ftello", "IO_ftello", "fsetpos", "IO_new_fsetpos", "fgetpos",         \
		"IO_new_fgetpos", "setvbuf", "IO_setvbuf", "fclose", "IO_fclose", "IO_new_fclose", \
		"freopen", "feof", "IO_feof", "ferror", "IO_ferror", "clearerr", "vfprintf",       \
		"vfprintf_internal", "vfscanf", "vfscanf_internal", "flockfile", "IO_flockfile"

/* Rows of Python's functions, which call others' to wait; then of the C library's own. */
static const struct c_lock {
	const char *const *names;
	const char *kind;
	void (*owner)(struct scry_waits *w, struct scry_waiter *who, scry_addr futex);
	/* at most so many frames between: what a FILE calls to read or write may wait for others */
	unsigned within;
} pythons[] = {
	{ NAMES("PyImport_AcquireLock"), "import lock", NULL, FRAMES_MAX }, /* 2.7 */
	{ NAMES("PyEvent_Wait", "PyEvent_WaitTimed"), "PyEvent", NULL, FRAMES_MAX },
	{ NAMES("PyMutex_Lock", "PyMutex_LockTimed", "PyMutex_LockSlow"), "PyMutex", NULL,
	  FRAMES_MAX },
	{ 0 },
}, libraries[] = {
	{ NAMES("pthread_mutex_lock", "pthread_mutex_lock_full", "pthread_mutex_timedlock",
		"pthread_mutex_clocklock", "pthread_mutex_clocklock_common",
		"pthread_mutex_cond_lock", "pthread_mutex_cond_lock_full"),
	  "pthread mutex", read_mutex_owner, FRAMES_MAX },
	{ NAMES(FILE_FUNCTIONS), "stdio lock", read_file_owner, 2 },
	{ NAMES("pthread_cond_wait", "pthread_cond_wait_common", "pthread_cond_timedwait",
		"pthread_cond_clockwait", "pthread_cond_destroy", "pthread_cond_signal",
		"pthread_cond_broadcast"),
	  "pthread condition", NULL, FRAMES_MAX },
	{ NAMES("pthread_rwlock_rdlock", "pthread_rwlock_timedrdlock", "pthread_rwlock_clockrdlock",
		"pthread_rwlock_rdlock_full", "pthread_rwlock_wrlock", "pthread_rwlock_timedwrlock",
		"pthread_rwlock_clockwrlock", "pthread_rwlock_wrlock_full"),
	  "pthread rwlock", NULL, FRAMES_MAX },
	{ NAMES("sem_wait", "sem_timedwait", "sem_clockwait", "new_sem_wait", "new_sem_wait_slow",
		"new_sem_wait_fast", "old_sem_wait", "sem_wait_common"),
	  "semaphore", NULL, FRAMES_MAX },
	{ 0 },
};

static const struct c_lock *row_of(const struct c_lock *rows, const char *function, size_t depth)
{
	for (; rows->kind; rows++)
		if (depth <= rows->within && is_named(function, rows->names))
			return rows;
	return NULL;
}

/* Has the frame's code the same file as the innermost one's, which makes the system call? */
static bool is_same_library(const struct scry_c_stack *stack, size_t i)
{
	const char *module = stack->frames[i].module, *first = stack->frames[0].module;

	return module && first && !strcmp(module, first);
}

/* The innermost function that has a row is the one that waits: others have called it. */
static const struct c_lock *find_row(const struct scry_c_stack *stack)
{
	const struct c_lock *row = NULL;

	for (size_t i = 0; !row && i < stack->count && i < FRAMES_MAX; i++)
		row = row_of(pythons, stack->frames[i].function, i);
	for (size_t i = 0; !row && i < stack->count && i < FRAMES_MAX && is_same_library(stack, i);
	     i++)
		row = row_of(libraries, stack->frames[i].function, i);
	return row;
}

/* The address that it sleeps on is that of the lock; only of a thread that is in the function. */
void scry_c_lock_read(struct scry_waits *w, struct scry_waiter *who, struct scry_awaited *what)
{
	const struct scry_c_stack *stack = scry_thread_c_stack(who->thread);
	const struct c_lock *row;

	what->addr = who->parked ? who->parked : who->thread->os->futex;
	if (is_old_gil(who, stack)) {
		what->kind = "GIL";
		return;
	}
	row = stack ? find_row(stack) : NULL;
	if (!row)
		return;
	what->kind = row->kind;
	if (row->owner)
		row->owner(w, who, what->addr);
}
