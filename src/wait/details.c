/* What there is to say of an object that is waited for. */
#include <inttypes.h>
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "wait/futures.h"

static scry_addr attribute(struct scry_runtime *r, scry_addr object, const char *const *names)
{
	scry_addr value;

	for (; *names; names++)
		if (scry_attr(r, object, *names, &value) == SCRY_OK && !scry_is_none(r, value))
			return value;
	return 0;
}

static bool number(struct scry_runtime *r, scry_addr object, const char *const *names, int64_t *ret)
{
	scry_addr value = attribute(r, object, names);

	return value && scry_int_value(r, value, ret) == SCRY_OK;
}

bool scry_time_value(struct scry_runtime *r, scry_addr object, double *ret)
{
	return scry_is_exactly(r, object, SCRY_IS_FLOAT) &&
	       scry_double_at(r, scry_field_addr(r, object, SCRY_F_FLOAT_VALUE), ret) == SCRY_OK &&
	       *ret >= 0 && *ret < 1e15;
}

#define NAMES(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* "full, 1 of 1", "empty" */
static const char *queue(struct scry_runtime *r, scry_addr object)
{
	struct scry_arena *a = &r->session->arena;
	scry_addr items = attribute(r, object, NAMES("queue", "_queue"));
	int64_t size = items ? scry_length(r, items) : -1, most = 0;

	if (size < 0)
		return NULL;
	/* asyncio's has a property of the other name */
	number(r, object, NAMES("_maxsize", "maxsize"), &most);
	if (!size)
		return "empty";
	if (most > 0)
		return scry_arena_printf(a, "%s%" PRId64 " of %" PRId64,
					 size >= most ? "full, " : "", size, most);
	return scry_arena_printf(a, "%" PRId64 " item%s", size, size == 1 ? "" : "s");
}

static const char *unfinished(struct scry_runtime *r, scry_addr object)
{
	scry_addr shared = attribute(r, object, NAMES("_unfinished_tasks"));
	int64_t n;

	return (shared && scry_shared_value(r, shared, &n)) ||
			       number(r, object, NAMES("unfinished_tasks", "_unfinished_tasks"), &n)
		       ? scry_arena_printf(&r->session->arena, "%" PRId64 " unfinished", n)
		       : NULL;
}

static const char *event(struct scry_runtime *r, scry_addr object)
{
	scry_addr flag = attribute(r, object, NAMES("_flag", "_Event__flag", "_value", "_set")),
		  type;
	int64_t n;

	/* multiprocessing's flag is a semaphore */
	if (flag && scry_type_of(r, flag, &type) == SCRY_OK &&
	    scry_type_derives(r, type, "multiprocessing.synchronize.SemLock"))
		return !scry_shared_value(r, flag, &n) ? NULL : n ? "set" : "not set";
	return flag ? scry_truth(r, flag, false) ? "set" : "not set" : NULL;
}

static const char *semaphore(struct scry_runtime *r, scry_addr object)
{
	int64_t n;

	return scry_shared_value(r, object, &n) ||
			       number(r, object, NAMES("_value", "_Semaphore__value"), &n)
		       ? scry_arena_printf(&r->session->arena, "value %" PRId64, n)
		       : NULL;
}

static const char *barrier(struct scry_runtime *r, scry_addr object)
{
	int64_t n, all;

	return number(r, object, NAMES("_count"), &n) && number(r, object, NAMES("_parties"), &all)
		       ? scry_arena_printf(&r->session->arena,
					   "%" PRId64 " of %" PRId64 " are here", n, all)
		       : NULL;
}

static const char *thread(struct scry_runtime *r, scry_addr object)
{
	scry_addr name = attribute(r, object, NAMES("_name", "_Thread__name"));
	const char *text;

	return name && scry_text_at(r, name, 200, &text) == SCRY_OK ? text : NULL;
}

static const char *import_lock(struct scry_runtime *r, scry_addr object)
{
	return scry_attr_text(r, object, "name");
}

static const char *future(struct scry_runtime *r, scry_addr object)
{
	const char *state = scry_attr_text(r, object, "_state");

	return state && !strcmp(state, "PENDING")   ? "pending"
	       : state && !strcmp(state, "RUNNING") ? "running"
	       : state                              ? "done"
						    : NULL;
}

static const char *work_queue(struct scry_runtime *r, scry_addr object)
{
	scry_addr items = attribute(r, object, NAMES("queue")); /* up to 3.6 */
	int64_t size = items ? scry_length(r, items) : scry_simple_queue_length(r, object);

	return size < 0 ? NULL
	       : size   ? scry_arena_printf(&r->session->arena, "%" PRId64 " in its queue", size)
			: "its queue is empty";
}

static const char *simple_queue(struct scry_runtime *r, scry_addr object)
{
	int64_t size = scry_simple_queue_length(r, object);

	return size < 0 ? NULL
	       : size   ? scry_arena_printf(&r->session->arena, "%" PRId64 " item%s", size,
                                          size == 1 ? "" : "s")
			: "empty";
}

static const struct {
	const char *kind;
	const char *(*say)(struct scry_runtime *r, scry_addr object);
} rows[] = {
	{ "Queue.get", queue },
	{ "Queue.put", queue },
	{ "Queue.join", unfinished },
	{ "multiprocessing.Queue.join", unfinished },
	{ "Event", event },
	{ "Semaphore", semaphore },
	{ "BoundedSemaphore", semaphore },
	{ "Barrier", barrier },
	{ "Thread.join", thread },
	{ "Thread.start", thread },
	{ "import lock", import_lock },
	{ "Future.result", future },
	{ "ThreadPoolExecutor worker", work_queue },
	{ "SimpleQueue.get", simple_queue },
};

const char *scry_stand_detail(struct scry_runtime *r, const char *kind, scry_addr object)
{
	for (size_t i = 0; kind && i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].kind, kind))
			return rows[i].say(r, object);
	return NULL;
}
