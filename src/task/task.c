/* What all kinds of tasks share. */
#include "task/task.h"

#include <string.h>

#include "object/object.h"

const char *scry_task_state_name(enum scry_task_state state)
{
	static const char *const names[] = {
		[SCRY_TASK_UNKNOWN] = "unknown",
		[SCRY_TASK_CREATED] = "created",
		[SCRY_TASK_NOT_STARTED] = "not started",
		[SCRY_TASK_SUSPENDED] = "suspended",
		[SCRY_TASK_ACTIVE] = "active",
		[SCRY_TASK_RUNNING] = "running",
		[SCRY_TASK_SCHEDULED] = "scheduled",
		[SCRY_TASK_PAUSED] = "paused",
		[SCRY_TASK_BLOCKED_SENDING] = "blocked sending",
		[SCRY_TASK_BLOCKED_RECEIVING] = "blocked receiving",
		[SCRY_TASK_ORPHANED] = "orphaned",
		[SCRY_TASK_PENDING] = "pending",
		[SCRY_TASK_MUST_CANCEL] = "must-cancel",
		[SCRY_TASK_CANCELLED] = "cancelled",
		[SCRY_TASK_DONE] = "done",
		[SCRY_TASK_CLOSED] = "closed",
		[SCRY_TASK_DEAD] = "dead",
	};

	return names[state];
}

#define SHORT_REPR 80 /* characters of a value in a head line */

struct scry_task *scry_tasks_collect(struct scry_session *s, const struct scry_task_ops *ops)
{
	struct scry_task *first = NULL, **tail = &first;

	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		tail = ops->collect(r, tail);
	return first;
}

/*
 * Tasks live in the session's arena, one by one: a million of them are the target's size, not a
 * size that a header of the target promised.
 */
struct scry_task *scry_task_add(struct scry_runtime *r, const struct scry_task_ops *ops,
				scry_addr addr, struct scry_task ***tail)
{
	struct scry_task *t = scry_arena_alloc(&r->session->arena, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct scry_task) { .ops = ops, .runtime = r, .addr = addr };
	t->state = SCRY_TASK_UNKNOWN;
	**tail = t;
	*tail = &t->next;
	return t;
}

/*
 * Within one runtime: a thread that runs code of two Pythons has the same id in both, and each has
 * tasks of its own.
 */
void scry_task_find_thread(struct scry_task *t)
{
	if (!t->thread_ident)
		return;
	for (struct scry_thread *each = scry_thread_first(t->runtime->session); each;
	     each = each->next)
		if (each->ident == t->thread_ident && each->runtime == t->runtime)
			t->thread = each;
}

int scry_task_frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	if (t->ops->frame_next)
		return t->ops->frame_next(t, walk, ret);
	/* a walk of zeros has not begun */
	if (!walk->runtime) {
		if (!t->frame)
			return SCRY_OK;
		scry_walk_from(walk, t->runtime, t->frame);
	}
	return scry_walk_next(walk, ret);
}

/* frames of the library between the one that is parked and the user's */
#define LIBRARY_FRAMES_MAX 64

/*
 * By the module's name in the frame's globals, not by the file: that of a frozen, zipped or
 * vendored library may be called anything.
 */
bool scry_task_is_library(const struct scry_task *t, const struct scry_frame *f)
{
	const char *package = t->ops->package;
	size_t len = package ? strlen(package) : 0;
	scry_addr name;
	const char *text;

	return len && f->globals &&
	       scry_dict_get(f->runtime, f->globals, "__name__", &name) == SCRY_OK &&
	       scry_text_at(f->runtime, name, 200, &text) == SCRY_OK &&
	       !strncmp(text, package, len) && (text[len] == '.' || !text[len]);
}

/*
 * Where a task stands is for its user the newest frame of code outside the library: nearly every
 * task is parked inside of the same few functions (sleep(), Queue.get()). A task that has none but
 * the library's is in its newest.
 */
int scry_task_place(struct scry_task *t, struct scry_frame *ret, const char **ret_library)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	const char *library = NULL;
	int rc = scry_task_frame_next(t, &walk, ret);

	*ret_library = NULL;
	if (rc != SCRY_ITEM || !ret->code)
		return rc == SCRY_ITEM ? SCRY_ITEM : SCRY_OK;
	f = *ret;
	for (unsigned n = 0; n < LIBRARY_FRAMES_MAX && f.code && scry_task_is_library(t, &f); n++) {
		library = f.code->qualname ? f.code->qualname : f.code->name;
		if (scry_task_frame_next(t, &walk, &f) != SCRY_ITEM)
			return SCRY_ITEM;
	}
	if (f.code && !scry_task_is_library(t, &f)) {
		*ret = f;
		*ret_library = library;
	}
	return SCRY_ITEM;
}

static const char *type_name(struct scry_runtime *r, scry_addr object)
{
	const char *name, *dot;
	scry_addr type;

	if (scry_type_of(r, object, &type) < 0 || scry_type_name(r, type, &name) < 0)
		return NULL;
	dot = strrchr(name, '.');
	return dot ? dot + 1 : name;
}

/* Without -v a value is a hint in a head line; its whole repr is what print is for. */
void scry_task_value_text(struct scry_runtime *r, scry_addr object, struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	p.max_text = SHORT_REPR;
	p.max_string = SHORT_REPR;
	scry_print(&p, object);
}

static bool print_short(const void *subject, struct scry_buf *out)
{
	const struct scry_at *at = subject;

	scry_task_value_text(at->in, at->addr, out);
	return true;
}

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct scry_at *at = subject;

	scry_said_text(ret, type_name(at->in, at->addr));
}

static bool print_repr(const void *subject, struct scry_buf *out)
{
	const struct scry_at *at = subject;

	scry_repr(at->in, at->addr, out);
	return true;
}

static void get_none(const void *subject, struct scry_said *ret)
{
	const struct scry_at *at = subject;

	scry_said_bool(ret, scry_is_none(at->in, at->addr));
}

#define SUBJECT struct scry_at
static const struct scry_say value_fields[] = {
	SAY_ADDR("id", addr),
	SAY_GET("type", get_type),
	SAY_PRINT("repr", print_repr),
	SAY_PRINT("short", print_short, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("none", get_none, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const value_text[] = { "{short}", NULL };
const struct scry_facts scry_facts_value = { "value", value_fields, value_text };
const char *const scry_value_unless_none[] = { "{!none}{short}", NULL };

void scry_said_value(struct scry_said *ret, const struct scry_task *t, scry_addr object)
{
	scry_said_at(ret, &scry_facts_value, t->runtime, object);
}

const struct scry_facts *const scry_task_kinds[] = {
	&scry_facts_asyncio,  &scry_facts_trio,          &scry_facts_curio,   &scry_facts_generator,
	&scry_facts_greenlet, &scry_facts_pypy_greenlet, &scry_facts_tasklet, NULL,
};
