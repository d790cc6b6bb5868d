/* Locks, threads, context variables. */
#include "object/printer.h"

#include <stdio.h>

/* A char up to 3.13, a PyMutex (one byte, bit 0) since. */
static int is_locked(struct scry_runtime *r, scry_addr lock, enum scry_field locked,
		     enum scry_field mutex, bool *ret)
{
	uint64_t value = 0;
	int rc = scry_field_read(r, lock, locked, &value);

	if (rc == SCRY_ENOFIELD) {
		rc = scry_layout_has(r->layout, mutex)
			     ? scry_read_uint(r->session, scry_field_addr(r, lock, mutex), 1,
					      &value)
			     : rc;
		value &= 1;
	}
	if (rc == SCRY_OK)
		*ret = value != 0;
	return rc;
}

/* lock_repr(), Modules/_threadmodule.c. */
static int print_lock(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	bool locked = false;
	int rc = is_locked(p->runtime, addr, SCRY_F_LOCK_LOCKED, SCRY_F_LOCK_LOCK, &locked);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc == SCRY_OK)
		scry_printf(p, "<%s %s object at 0x%" PRIx64 ">", locked ? "locked" : "unlocked",
			    t->name, addr);
	return rc;
}

static int print_rlock_as(struct scry_printer *p, scry_addr addr, scry_addr type, bool locked,
			  int64_t owner, uint64_t count)
{
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	if (rc == SCRY_OK)
		scry_printf(p,
			    "<%s %s object owner=%" PRId64 " count=%" PRIu64 " at 0x%" PRIx64 ">",
			    locked ? "locked" : "unlocked", t->name, owner, count, addr);
	return rc;
}

/*
 * Up to 3.12 the format is "%ld" of an unsigned long: an id in the upper half of 32 bits is
 * negative.
 */
static int print_rlock(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t owner;
	uint64_t count;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_RLOCK_OWNER, &owner);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_RLOCK_COUNT, &count);
	return rc < 0 ? rc : print_rlock_as(p, addr, type, count != 0, owner, count);
}

/* PyThread_ident_t, shown as it is: Modules/_threadmodule.c, v3.13. */
static int print_rlock_3_13(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t owner, count;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_RLOCK_OWNER, &owner);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_RLOCK_COUNT, &count);
	return rc < 0 ? rc : print_rlock_as(p, addr, type, count != 0, (int64_t)owner, count);
}

/* 3.3, 3.4: "<_thread.RLock owner=0 count=0>" */
static int print_rlock_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t owner, count;
	struct scry_type *t;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_RLOCK_OWNER, &owner);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_RLOCK_COUNT, &count);
	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc == SCRY_OK)
		scry_printf(p, "<%s owner=%" PRIu64 " count=%" PRIu64 ">", t->name, owner, count);
	return rc;
}

/* 3.14+: a _PyRecursiveMutex, whose level is one less than the count: Modules/_threadmodule.c */
static int print_rlock_3_14(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t owner, level;
	bool locked;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_RLOCK_OWNER, &owner);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_RLOCK_COUNT, &level);
	rc = rc < 0 ? rc
		    : scry_read_uint(p->runtime->session,
				     scry_field_addr(p->runtime, addr, SCRY_F_RLOCK_LOCK), 1,
				     &(uint64_t) { 0 });
	if (rc < 0)
		return rc;
	locked = owner != 0;
	return print_rlock_as(p, addr, type, locked, (int64_t)owner, locked ? level + 1 : 0);
}

/* --- threading.py --- */

/* The name of an attribute: 2.7 mangles it ("_Thread__name"). */
static int thread_attr(struct scry_runtime *r, scry_addr addr, const char *name, scry_addr *ret)
{
	char mangled[64];

	if (scry_attr(r, addr, name, ret) == SCRY_OK)
		return SCRY_OK;
	snprintf(mangled, sizeof(mangled), "_Thread_%s", name);
	return scry_attr(r, addr, mangled, ret);
}

static bool thread_flag(struct scry_runtime *r, scry_addr addr, const char *name)
{
	scry_addr value;

	return thread_attr(r, addr, name, &value) == SCRY_OK && scry_truth(r, value, false);
}

/* Event._flag; the event is made with the thread and set by the thread itself. */
static bool thread_started(struct scry_runtime *r, scry_addr addr)
{
	scry_addr event, flag;

	if (thread_attr(r, addr, "_started", &event) < 0)
		return false;
	return (scry_attr(r, event, "_flag", &flag) == SCRY_OK ||
		scry_attr(r, event, "_Event__flag", &flag) == SCRY_OK) &&
	       scry_truth(r, flag, false);
}

/* 3.13+: the state of the handle; 4 is THREAD_HANDLE_DONE (Modules/_threadmodule.c). */
static bool thread_done(struct scry_runtime *r, scry_addr addr)
{
	scry_addr handle, inner;
	uint64_t state;

	if (thread_flag(r, addr, "_is_stopped") || thread_flag(r, addr, "_stopped"))
		return true;
	return (scry_attr(r, addr, "_handle", &handle) == SCRY_OK ||
		scry_attr(r, addr, "_os_thread_handle", &handle) == SCRY_OK) &&
	       scry_field_read(r, handle, SCRY_F_THREAD_HANDLE_HANDLE, &inner) == SCRY_OK &&
	       scry_field_read(r, inner, SCRY_F_HANDLE_STATE, &state) == SCRY_OK && state == 4;
}

/*
 * Thread.__repr__(), Lib/threading.py. It asks is_alive() first, which may find out that the thread
 * has ended; we know only what was found out.
 */
static int print_thread(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr name, ident;
	int rc = thread_attr(r, addr, "_name", &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s(", scry_type_short(r, type));
	scry_print_plain(p, name);
	scry_printf(p, ", %s%s",
		    thread_done(r, addr)      ? "stopped"
		    : thread_started(r, addr) ? "started"
					      : "initial",
		    thread_flag(r, addr, "_daemonic") ? " daemon" : "");
	if (thread_attr(r, addr, "_ident", &ident) == SCRY_OK && !scry_is_none(r, ident)) {
		scry_buf_putc(p->out, ' ');
		scry_print_plain(p, ident);
	}
	scry_buf_puts(p->out, ")>");
	return SCRY_OK;
}

/* 2.7: "<_RLock owner='MainThread' count=1>", the owner's name from threading._active */
static int print_rlock2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr owner, repr, globals, active, key, thread;
	struct scry_dict_view v = { 0 };
	int64_t ident = 0, other;
	uint64_t it = 0;
	int rc = scry_attr(r, addr, "_RLock__owner", &owner);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s owner=", scry_type_short(r, type));
	scry_int_value(r, owner, &ident);
	bool found = ident && scry_type_lookup(r, type, "__repr__", &repr, NULL) == SCRY_OK &&
		     scry_field_read(r, repr, SCRY_F_FUNCTION_GLOBALS, &globals) == SCRY_OK &&
		     scry_dict_get(r, globals, "_active", &active) == SCRY_OK &&
		     scry_dict_open(r, active, &v) == SCRY_OK;
	while (found && scry_dict_view_next(&v, &it, &key, &thread) == SCRY_ITEM)
		if (scry_int_value(r, key, &other) == SCRY_OK && other == ident &&
		    thread_attr(r, thread, "_name", &owner) == SCRY_OK)
			break;
	scry_print(p, owner);
	scry_buf_puts(p->out, " count=");
	scry_print_attr(p, addr, "_RLock__count");
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* --- contextvars: Python/context.c --- */

/* contextvar_tp_repr(); the default may lead back to the variable. */
static int print_contextvar(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr name, value = 0;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_CONTEXTVAR_NAME, &name);

	(void)type;
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_buf_puts(p->out, "<ContextVar name=");
	scry_print(p, name);
	scry_field_read(p->runtime, addr, SCRY_F_CONTEXTVAR_DEFAULT, &value);
	if (value) {
		scry_buf_puts(p->out, " default=");
		scry_print(p, value);
	}
	scry_printf(p, " at 0x%" PRIx64 ">", addr);
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_token(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr var;
	uint64_t used = 0;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_TOKEN_VAR, &var);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_TOKEN_USED, &used);
	if (rc < 0)
		return rc;
	scry_printf(p, "<Token%s var=", used ? " used" : "");
	scry_print(p, var);
	scry_printf(p, " at 0x%" PRIx64 ">", addr);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_sync[] = {
	{ "_thread.lock", 0, print_lock },
	{ "_thread.RLock", 0, print_rlock_old, .until = SCRY_VERSION_OF(3, 5) },
	{ "_thread.RLock", 0, print_rlock, .since = SCRY_VERSION_OF(3, 5),
	  .until = SCRY_VERSION_OF(3, 13) },
	{ "_thread.RLock", 0, print_rlock_3_13, .since = SCRY_VERSION_OF(3, 13),
	  .until = SCRY_VERSION_OF(3, 14) },
	{ "_thread.RLock", 0, print_rlock_3_14, .since = SCRY_VERSION_OF(3, 14) },
	{ "threading._RLock", 0, print_rlock2, .until = SCRY_VERSION_OF(3, 0) },
	{ "threading.Thread", 0, print_thread },
	{ "threading._MainThread", 0, print_thread },
	{ "threading._DummyThread", 0, print_thread },
	{ "threading.Condition", .form = "<Condition({_lock}, {_waiters:n})>" },
	{ "threading._Condition",
	  .form = "<Condition({_Condition__lock}, {_Condition__waiters:n})>" },
	{ "threading.Semaphore", .form = "<%Q at %A: value={_value}>" },
	{ "threading.BoundedSemaphore", .form = "<%Q at %A: value={_value}/{_initial_value}>" },
	{ "threading.Event", .form = "<%Q at %A: {_flag:set|unset}>" },
	{ "_contextvars.ContextVar", 0, print_contextvar },
	{ "ContextVar", 0, print_contextvar },
	{ "_contextvars.Token", 0, print_token },
	{ "Token", 0, print_token },
	{ NULL },
};
