/* What a thread waits for: by its newest frames, what it sleeps in, and the objects at hand. */
#include <string.h>

#include "memory/stack.h"
#include "object/c_call.h"
#include "object/model.h"
#include "wait/reading.h"

/* --- the lock of C --- */

/*
 * What is parked on waits in a semaphore on its own stack, after the address: struct wait_entry
 * {park_arg, addr, sema}, Python/parking_lot.c, v3.13 to v3.15.
 */
static void find_mutex(struct scry_waiter *who)
{
	struct scry_thread *t = who->thread;
	unsigned ptr = t->session->target->abi.ptr_size;
	scry_addr start, end, parked;

	if (!t->os || !t->os->in_futex || !t->runtime)
		return;
	scry_os_thread_regs(t->session->target, t->os);
	if (!scry_os_thread_stack(t->session->target, t->os, &start, &end) ||
	    t->os->futex < start || t->os->futex >= end)
		who->mutex = t->os->futex;
	else if (scry_read_ptr(t->session, t->os->futex - ptr, &parked) == SCRY_OK)
		who->parked = parked;
}

/*
 * Free-threaded builds: it may not touch objects until the world goes on, and is parked on its own
 * state until then (tstate_wait_attach(), Python/pystate.c); or it stops the others.
 */
static bool waits_for_world(struct scry_waiter *who)
{
	const struct scry_thread *t = who->thread;
	bool all,
		stopped = t->attached == SCRY_ATTACHED_SUSPENDED && who->parked &&
			  who->parked == scry_field_addr(t->runtime, t->state, SCRY_F_THREAD_STATE);

	if (!stopped && !scry_stops_world(who, &all))
		return false;
	who->state = SCRY_WAIT_WAITING;
	who->what.kind = "stop-the-world";
	return true;
}

/* The object of the newest frame that it sleeps on, by the object's own memory. */
static scry_addr slept_on(const struct scry_reading *r, const char **ret_kind)
{
	struct scry_local local;
	scry_addr value;

	if (!r->has_top || (!r->who->mutex && !r->who->parked))
		return 0;
	for (unsigned it = 0; scry_frame_value_next(&r->top, &it, &value) == SCRY_ITEM;)
		if (scry_lock_is_slept_on(r->who, value)) {
			*ret_kind = scry_lock_kind(r->who->runtime, value);
			return value;
		}
	for (unsigned it = 0; scry_frame_local_next(&r->top, &it, &local) == SCRY_ITEM;)
		if (scry_lock_is_slept_on(r->who, local.value)) {
			*ret_kind = scry_lock_kind(r->who->runtime, local.value);
			return local.value;
		}
	return scry_lock_by_address(r->who, ret_kind);
}

/*
 * C functions that sleep a little and try again: the system call that they sleep in says nothing of
 * what for. SQLite's sqliteDefaultBusyCallback() and walTryBeginRead() do so for a lock of another
 * connection's (main.c, wal.c), and it sleeps for nothing else.
 */
static const struct retry {
	const char *functions; /* what their names begin with */
	const char *sleeps;    /* the kind of their system call */
	const char *kind, *detail;
} retries[] = {
	{ "sqlite3.", "sleep", "sqlite3 lock", "the database is locked: it tries again and again" },
	{ "pysqlite2.", "sleep", "sqlite3 lock",
	  "the database is locked: it tries again and again" },
};

static const struct retry *retry_of(struct scry_reading *r, const struct scry_awaited *sleep)
{
	struct scry_newer newest = { 0 };
	struct scry_c_call call;

	if (!r->has_top || !sleep->kind || !scry_c_call_of(&r->top, &newest, &call))
		return NULL;
	for (size_t i = 0; i < sizeof(retries) / sizeof(*retries); i++)
		if (!strcmp(sleep->kind, retries[i].sleeps) &&
		    !strncmp(call.function, retries[i].functions, strlen(retries[i].functions))) {
			r->object = call.self;
			return &retries[i];
		}
	return NULL;
}

/* What a C function tries again and again; the time of one sleep says nothing then. */
static void find_retry(struct scry_reading *r, struct scry_awaited *sleep)
{
	const struct retry *retry = r->what->kind ? NULL : retry_of(r, sleep);

	if (!retry)
		return;
	r->what->kind = retry->kind;
	r->retries = true;
	sleep->detail = retry->detail;
	sleep->deadline = -1;
	sleep->timed = true;
}

/* --- the object of a file --- */

/* The number of the file that an object reads or writes: a socket's, a raw file's; -1 none. */
static int64_t file_of(struct scry_runtime *r, scry_addr object)
{
	static const char *const inner[] = { "raw", "buffer.raw" };
	scry_addr type, raw = object;

	if (scry_type_of(r, object, &type) < 0)
		return -1;
	if (scry_type_derives(r, type, "_socket.socket"))
		return scry_field_get_int(r, object, SCRY_F_SOCKET_FD);
	for (size_t i = 0; !scry_type_derives(r, type, "_io.FileIO"); i++)
		if (i == sizeof(inner) / sizeof(*inner) ||
		    (scry_attr_path(r, object, inner[i], strlen(inner[i]), &raw) == SCRY_OK &&
		     scry_type_of(r, raw, &type) < 0))
			return -1;
	return scry_field_get_int(r, raw, SCRY_F_FILEIO_FD);
}

/* The one whose method of C the newest frame calls. */
static void find_file(struct scry_reading *r, const struct scry_awaited *sleep)
{
	struct scry_newer newest = { 0 };
	struct scry_c_call call;

	if (!r->object && !r->what->kind && sleep->fd >= 0 && r->has_top &&
	    scry_c_call_of(&r->top, &newest, &call) && call.self &&
	    file_of(r->who->runtime, call.self) == sleep->fd)
		r->object = call.self;
}

/*
 * A call has come back with less than all: the socket whose method of C made it never waits, since
 * it has a timeout, be it 0 (Modules/socketmodule.c, internal_setblocking()). It is a double or a
 * number of nanoseconds, less than 0 where there is none.
 */
static bool never_waits(struct scry_reading *r)
{
	const struct scry_thread *t = r->who->thread;
	struct scry_newer newest = { 0 };
	struct scry_c_call call;
	scry_addr type;
	uint64_t timeout;

	return t->os && !t->os->in_syscall && r->has_top &&
	       scry_c_call_of(&r->top, &newest, &call) && call.self &&
	       scry_type_of(r->who->runtime, call.self, &type) == SCRY_OK &&
	       scry_type_derives(r->who->runtime, type, "_socket.socket") &&
	       scry_field_read(r->who->runtime, call.self, SCRY_F_SOCKET_TIMEOUT, &timeout) ==
		       SCRY_OK &&
	       !(timeout >> 63);
}

/* 2.7: the file whose method of C waits for the lock of its FILE. */
static void find_old_file(struct scry_reading *r)
{
	struct scry_newer newest = { 0 };
	struct scry_c_call call;
	scry_addr type;
	const char *name;

	if (r->has_top && scry_c_call_of(&r->top, &newest, &call) && call.self &&
	    scry_type_of(r->who->runtime, call.self, &type) == SCRY_OK &&
	    scry_type_full_name(r->who->runtime, type, &name) == SCRY_OK && !strcmp(name, "file"))
		r->object = call.self;
}

/* --- what becomes of it --- */

static bool is_row_alone(const struct scry_reading *r)
{
	return r->stand && r->stand->flags & SCRY_STAND_IDLE;
}

/* The lock of an object at hand says more than what the thread sleeps in, unless a row says it. */
static void find_object(struct scry_reading *r)
{
	const char *kind = NULL;
	scry_addr object;

	if (r->stand && (!is_row_alone(r) || r->rows > 1) && (r->object || r->what->kind))
		return;
	object = slept_on(r, &kind);
	if (!object || object == r->object || (r->stand && !strcmp(kind, "SimpleQueue.get")))
		return;
	r->object = object;
	r->what->kind = kind;
	r->stand = NULL;
	/* multiprocessing's locks are objects of Python that have one of C */
	object = scry_owner_in_frame(r->w, &r->top, object);
	kind = object ? scry_lock_kind(r->who->runtime, object) : NULL;
	if (kind) {
		r->object = object;
		r->what->kind = kind;
	}
}

/* Of what a row found the process and the words; of the system call file, process and time. */
static void complete(struct scry_reading *r, const struct scry_awaited *sleep)
{
	struct scry_awaited *what = r->what;
	bool by_row = what->kind != NULL;
	/* it looks again and again: how long it sleeps between says nothing */
	bool polls = by_row && sleep->kind && !strcmp(sleep->kind, "sleep") && !r->retries;
	const char *detail =
		r->object ? scry_stand_detail(what->runtime, what->kind, r->object) : NULL;

	if (!by_row)
		what->kind = sleep->kind;
	if (!by_row && !r->object)
		what->addr = sleep->addr;
	what->fd = sleep->fd;
	what->pid = sleep->pid;
	what->deadline = r->deadline >= 0 ? r->deadline : polls ? -1 : sleep->deadline;
	what->timed = (sleep->timed && !polls) || r->timed;
	what->detail = detail || polls ? detail : sleep->detail;
	/*
	 * subprocess.Popen and multiprocessing.Process: their process, where the call did not name
	 * it
	 */
	for (size_t i = 0; what->pid < 0 && r->object && i < 2; i++) {
		static const char *const paths[] = { "pid", "_popen.pid" };
		scry_addr value;

		if (scry_attr_path(what->runtime, r->object, paths[i], strlen(paths[i]), &value) <
			    0 ||
		    scry_int_value(what->runtime, value, &what->pid) < 0)
			what->pid = -1;
	}
}

/* A loop of a library whose frames have no rows. */
static bool is_loop(struct scry_reading *r, const struct scry_awaited *sleep)
{
	if (!sleep->kind || (strcmp(sleep->kind, "epoll") && strcmp(sleep->kind, "poll") &&
			     strcmp(sleep->kind, "select")))
		return false;
	for (const struct scry_loop *loop = r->w->loops.first; loop; loop = loop->next)
		if (loop->thread == r->who->thread && !loop->current) {
			r->what->kind = "event loop";
			r->object = loop->addr;
			r->runtime = loop->runtime; /* PyPy's, whose threads have none here */
			return true;
		}
	return false;
}

/* The holder is the one that the GIL names; nobody where it is being handed over. */
static void wait_for_gil(struct scry_reading *r)
{
	struct scry_interp *interp = r->who->thread->interp;

	r->who->state = SCRY_WAIT_GIL;
	r->what->kind = "GIL";
	r->what->addr = interp ? interp->gil : 0;
	for (size_t i = 0; interp && interp->gil_holder && i < r->w->count; i++)
		if (r->w->list[i].thread && r->w->list[i].thread->state == interp->gil_holder)
			scry_waiter_held(r->w, r->who, &r->w->list[i], SCRY_HOW_OWNER, NULL);
}

/* 2.7: its holder is the current thread. */
static void wait_for_old_gil(struct scry_reading *r)
{
	r->who->state = SCRY_WAIT_GIL;
	r->what->kind = "GIL";
	r->what->addr = r->who->mutex;
	for (size_t i = 0; i < r->w->count; i++)
		if (r->w->list[i].runtime == r->who->runtime && r->w->list[i].thread &&
		    r->w->list[i].thread->gil == SCRY_GIL_HELD)
			scry_waiter_held(r->w, r->who, &r->w->list[i], SCRY_HOW_OWNER, NULL);
}

void scry_thread_waits(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_reading r = { .w = w, .who = who, .what = &who->what, .deadline = -1 };
	struct scry_awaited sleep = { .fd = -1, .pid = -1, .deadline = -1 };
	int sleeps;

	if (who->runtime)
		scry_reading_frame(&r);
	/* such a thread never waits for anything again */
	if (scry_thread_is_gone(who->thread) || who->thread->halted || who->left)
		return;
	if (who->thread->gil == SCRY_GIL_WAITING) {
		wait_for_gil(&r);
		return;
	}
	sleeps = scry_thread_sleeps(who);
	if (sleeps > 0 && never_waits(&r))
		sleeps = 0;
	find_mutex(who);
	if (waits_for_world(who))
		return;
	if (!sleeps) {
		struct scry_newer newest = { 0 };
		struct scry_c_call call;

		who->state = SCRY_WAIT_RUNNING;
		if (r.has_top && scry_c_call_of(&r.top, &newest, &call))
			who->call = call.function;
		return;
	}
	if (sleeps > 0)
		scry_sleep_read(w, who, &sleep);
	if (who->runtime)
		scry_reading_follow(&r);
	find_object(&r);
	find_retry(&r, &sleep);
	find_file(&r, &sleep);
	bool idle = is_loop(&r, &sleep) || is_row_alone(&r);
	if (sleeps > 0 && !r.what->kind && who->thread->os->in_futex)
		scry_c_lock_read(w, who, &sleep);
	if (sleep.kind && !strcmp(sleep.kind, "GIL")) {
		wait_for_old_gil(&r);
		return;
	}
	if (sleep.kind && !strcmp(sleep.kind, "stdio lock"))
		find_old_file(&r);
	scry_reading_object(&r);
	complete(&r, &sleep);
	who->state = !who->what.kind ? SCRY_WAIT_UNKNOWN
		     : idle          ? SCRY_WAIT_IDLE
				     : SCRY_WAIT_WAITING;
}
