/* Objects that threads sleep on: which object has the lock of C that a thread sleeps in. */
#include <string.h>

#include "memory/stack.h"
#include "object/judge.h"
#include "object/known.h"
#include "object/model.h"
#include "wait/wait.h"

#define OBJECT_MAX 512 /* bytes of an object that are searched for its lock */

/* Types whose objects threads sleep on, and what that is called. */
static const struct lock_row {
	const char *type, *kind;
} rows[] = {
	{ "_thread.lock", "Lock" },
	{ "thread.lock", "Lock" }, /* 2.7 */
	{ "_thread.RLock", "RLock" },
	{ "threading._RLock", "RLock" }, /* in Python: 2.7, and where C has none */
	{ "multiprocessing.synchronize.Lock", "Lock" },
	{ "multiprocessing.synchronize.RLock", "RLock" },
	{ "multiprocessing.synchronize.Semaphore", "Semaphore" },
	{ "multiprocessing.synchronize.BoundedSemaphore", "BoundedSemaphore" },
	{ "_multiprocessing.SemLock", NULL },
	{ "_queue.SimpleQueue", "SimpleQueue.get" },
	{ "_io.BufferedReader", "stdio lock" },
	{ "_io.BufferedWriter", "stdio lock" },
	{ "_io.BufferedRandom", "stdio lock" },
};

/*
 * _multiprocessing.SemLock: a lock has room for one (Lib/multiprocessing/synchronize.py). Its kind
 * is RECURSIVE_MUTEX or SEMAPHORE, as Modules/_multiprocessing/semaphore.c numbers them.
 */
static const char *shared_kind(struct scry_runtime *r, scry_addr object)
{
	uint64_t most = scry_field_get(r, object, SCRY_F_SEMLOCK_MAXVALUE), kind;

	if (scry_field_read(r, object, SCRY_F_SEMLOCK_KIND, &kind) == SCRY_OK && kind == 0)
		return "RLock";
	return most == 1 ? "Lock" : most ? "Semaphore" : "SemLock";
}

/*
 * A thread of this process that has it: semaphore.c, semlock_acquire(), counts for this process
 * alone. Of a semaphore it is only who took it last.
 */
static uint64_t shared_owner(struct scry_runtime *r, scry_addr object)
{
	int64_t count = scry_field_get_int(r, object, SCRY_F_SEMLOCK_COUNT);

	return count > 0 && scry_field_get(r, object, SCRY_F_SEMLOCK_MAXVALUE) == 1
		       ? scry_field_get(r, object, SCRY_F_SEMLOCK_LAST_TID)
		       : 0;
}

/*
 * sem_t's first word: glibc 2.21 and later, musl. 32-bit ones keep a flag in it. While somebody
 * waits, musl has -1 there, since 1.2.4 the uppermost bit (src/thread/sem_post.c).
 */
bool scry_shared_value(struct scry_runtime *r, scry_addr object, int64_t *ret)
{
	scry_addr handle;
	uint64_t value;

	if (scry_attr(r, object, "_semlock", &object) < 0 || r->session->target->abi.windows ||
	    r->session->target->abi.ptr_size != 8 ||
	    scry_field_read(r, object, SCRY_F_SEMLOCK_HANDLE, &handle) < 0 ||
	    scry_read_uint(r->session, handle, 4, &value) < 0)
		return false;
	*ret = value == UINT32_MAX ? 0 : (int64_t)(value & INT32_MAX);
	return true;
}

const char *scry_lock_kind(struct scry_runtime *r, scry_addr object)
{
	const char *name;
	scry_addr type;

	if (scry_type_of(r, object, &type) < 0 || scry_type_full_name(r, type, &name) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].type, name))
			return rows[i].kind ? rows[i].kind : shared_kind(r, object);
	return NULL;
}

/*
 * Up to 3.12 a lock of C is a semaphore of its own, to which the object points
 * (Python/thread_pthread.h, PyThread_allocate_lock()); a PyMutex, and what else is parked on, is a
 * part of the object, or (3.15) what it points to.
 */
bool scry_lock_is_slept_on(struct scry_waiter *who, scry_addr object)
{
	struct scry_runtime *r = who->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_type *t;
	uint64_t word;

	if ((!who->mutex && !who->parked) || !scry_lock_kind(r, object) ||
	    scry_type_for(r, object, &t) < 0)
		return false;
	uint64_t size = t->basicsize < OBJECT_MAX ? t->basicsize : OBJECT_MAX;
	if (who->parked && who->parked >= object && who->parked < object + size)
		return true;
	for (uint64_t at = ptr; at + ptr <= size; at += ptr)
		if (scry_read_ptr(r->session, object + at, &word) == SCRY_OK && word &&
		    (word == who->mutex || word == who->parked))
			return true;
	return false;
}

/* Where a PyMutex is in objects of a type, by the layout. */
static scry_addr object_with(struct scry_runtime *r, scry_addr parked, enum scry_field f)
{
	scry_addr at = scry_field_addr(r, 0, f);

	return scry_layout_has(r->layout, f) && parked > at ? parked - at : 0;
}

scry_addr scry_lock_by_address(struct scry_waiter *who, const char **ret_kind)
{
	static const enum scry_field fields[] = { SCRY_F_LOCK_LOCK, SCRY_F_RLOCK_LOCK };
	struct scry_runtime *r = who->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;

	for (size_t i = 0; who->parked && i < sizeof(fields) / sizeof(*fields); i++) {
		scry_addr object = object_with(r, who->parked, fields[i]);

		if (!object || object % ptr || !scry_is_object(r, object) ||
		    !(*ret_kind = scry_lock_kind(r, object)))
			continue;
		return object;
	}
	/*
	 * free-threaded builds: the mutex of the object itself, which comes before ob_gc_bits
	 * (Include/object.h, v3.13 to v3.15)
	 */
	if (who->parked && scry_layout_has(r->layout, SCRY_F_OBJECT_GC_BITS)) {
		scry_addr object = object_with(r, who->parked + 1, SCRY_F_OBJECT_GC_BITS);

		if (object && object % ptr == 0 && scry_is_object(r, object)) {
			*ret_kind = "critical section";
			return object;
		}
	}
	return 0;
}

uint64_t scry_lock_owner(struct scry_runtime *r, scry_addr object)
{
	static const char *const attributes[] = { "_RLock__owner", "_owner", "owner" };
	const char *kind = scry_lock_kind(r, object), *name;
	scry_addr type, value;
	int64_t ident = 0;

	if (scry_type_of(r, object, &type) < 0 || scry_type_full_name(r, type, &name) < 0)
		return 0;
	if (!strcmp(name, "_thread.RLock"))
		return scry_field_get(r, object, SCRY_F_RLOCK_OWNER);
	if (!strcmp(name, "_multiprocessing.SemLock"))
		return shared_owner(r, object);
	if (kind && !strcmp(kind, "stdio lock"))
		return scry_field_get(r, object, SCRY_F_BUFFERED_OWNER);
	if (!strncmp(name, "multiprocessing.synchronize.", 28))
		return scry_attr(r, object, "_semlock", &value) == SCRY_OK ? shared_owner(r, value)
									   : 0;
	bool python = kind && !strcmp(name, "threading._RLock");
	if (!python && strcmp(name, "_frozen_importlib._ModuleLock") &&
	    strcmp(name, "importlib._bootstrap._ModuleLock"))
		return 0;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		if (scry_attr(r, object, attributes[i], &value) == SCRY_OK &&
		    scry_int_value(r, value, &ident) == SCRY_OK)
			return (uint64_t)ident;
	return 0;
}

/*
 * The critical sections that a thread is in: PyCriticalSection {prev, mutex, ...}, a list that its
 * state begins, tagged: 1 it has given them all back while it waits, 2 there is a second mutex
 * (Include/internal/pycore_critical_section.h, v3.13 to v3.15).
 */
bool scry_thread_is_inside(const struct scry_thread *t, scry_addr object)
{
	enum { INACTIVE = 1, TWO = 2, SECTIONS_MAX = 1000 };
	struct scry_runtime *r = t->runtime;
	unsigned ptr = t->session->target->abi.ptr_size;
	scry_addr mutex, its;
	uint64_t section;

	if (!r || !t->state || !scry_layout_has(r->layout, SCRY_F_OBJECT_GC_BITS) ||
	    scry_field_read(r, t->state, SCRY_F_THREAD_CRITICAL_SECTION, &section) < 0)
		return false;
	mutex = scry_field_addr(r, object, SCRY_F_OBJECT_GC_BITS) - 1;
	for (unsigned n = 0; n < SECTIONS_MAX && section && !(section & INACTIVE); n++) {
		scry_addr at = section & ~(uint64_t)(INACTIVE | TWO);

		for (unsigned i = 1; i <= (section & TWO ? 2 : 1); i++)
			if (scry_read_ptr(t->session, at + i * ptr, &its) == SCRY_OK &&
			    its == mutex)
				return true;
		if (scry_read_ptr(t->session, at, &section) < 0)
			break;
	}
	return false;
}
