/*
 * Who completes a future: the worker that runs it, the workers of the pool that has it in its
 * queue, the task that it was made of, the loop that has not begun with it.
 */
#include <string.h>

#include "object/item.h"
#include "object/known.h"
#include "object/model.h"
#include "task/asyncio.h"
#include "wait/futures.h"

#define CALLBACKS_MAX 64
#define QUEUE_MAX     65536
#define OBJECT_WORDS  16

scry_addr scry_closure_variable(struct scry_runtime *r, scry_addr function, const char *name)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t code, closure, count, cell, value;
	scry_addr items;

	if (!scry_is_exactly(r, function, SCRY_IS_FUNCTION) ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &code) < 0 ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_CLOSURE, &closure) < 0 || !closure ||
	    scry_sequence(r, closure, &count, &items) < 0)
		return 0;
	struct scry_code *c = scry_code_at_checked(r, code);
	if (!c || scry_code_locals(c) < 0)
		return 0;
	for (unsigned slot = 0, i = 0; slot < c->slots && i < count; slot++) {
		if (c->locals[slot].kind != SCRY_LOCAL_FREE)
			continue;
		if (scry_read_ptr(r->session, items + i++ * ptr, &cell) == SCRY_OK &&
		    !strcmp(c->locals[slot].name, name) &&
		    scry_field_read(r, cell, SCRY_F_CELL_REF, &value) == SCRY_OK)
			return value;
	}
	return 0;
}

/* Is it a function of this name that the module made? */
static bool is_function(struct scry_runtime *r, scry_addr function, const char *module,
			const char *name)
{
	const char *its;
	const struct scry_code *code = scry_function_code(r, function, &its);

	return code && !strcmp(its, module) && !strcmp(code->name, name);
}

/*
 * _chain_future(source, destination), Lib/asyncio/futures.py: what is done when the destination is
 * closes over the source.
 */
static scry_addr chained_to(struct scry_runtime *r, scry_addr callback)
{
	return is_function(r, callback, "asyncio.futures", "_call_check_cancel")
		       ? scry_closure_variable(r, callback, "source")
		       : 0;
}

scry_addr scry_future_source(struct scry_waits *w, struct scry_runtime *r, scry_addr future)
{
	struct scry_kinds kinds = SCRY_KINDS_INIT(r);
	struct scry_future f;
	scry_addr callback, found = 0;
	uint64_t it = 0;

	(void)w;
	if (scry_future_read(&kinds, future, &f) == SCRY_OK)
		for (unsigned n = 0; !found && n < CALLBACKS_MAX &&
				     scry_future_callback_next(r, &f, &it, &callback) == SCRY_ITEM;
		     n++)
			found = chained_to(r, callback);
	scry_kinds_done(&kinds);
	return found;
}

/* --- of concurrent.futures --- */

static bool is_pending(struct scry_runtime *r, scry_addr future)
{
	const char *state = scry_attr_text(r, future, "_state");

	return state && (!strcmp(state, "PENDING") || !strcmp(state, "RUNNING"));
}

/* run_coroutine_threadsafe() whose task has begun. */
static bool has_task(struct scry_waits *w, struct scry_waiter *who, scry_addr future)
{
	struct scry_runtime *r = who->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr list, items, callback;
	uint64_t count;

	if (scry_attr(r, future, "_done_callbacks", &list) < 0 ||
	    scry_sequence(r, list, &count, &items) < 0)
		return false;
	for (uint64_t i = 0; i < count && i < CALLBACKS_MAX; i++) {
		scry_addr source = scry_read_ptr(r->session, items + i * ptr, &callback) == SCRY_OK
					   ? chained_to(r, callback)
					   : 0;
		struct scry_waiter *task = source ? scry_waiter_of_task(w, source) : NULL;

		if (task) {
			scry_waiter_held(w, who, task, SCRY_HOW_OWNER, NULL);
			return true;
		}
	}
	return false;
}

/* The same before: its callback is in the queue of the loop (asyncio/tasks.py). */
static bool is_ready_in(struct scry_runtime *r, const struct scry_loop *loop, scry_addr future)
{
	scry_addr ready = scry_loop_attr(r, loop->addr, "_ready"), callback;
	int64_t count = ready ? scry_length(r, ready) : 0;
	struct scry_item item;

	for (int64_t i = 0; i < count && i < QUEUE_MAX; i++)
		if (scry_item_at(r, ready, i, &item) == SCRY_OK && item.addr &&
		    scry_attr(r, item.addr, "_callback", &callback) == SCRY_OK &&
		    is_function(r, callback, "asyncio.tasks", "callback") &&
		    scry_closure_variable(r, callback, "future") == future)
			return true;
	return false;
}

static bool has_loop(struct scry_waits *w, struct scry_waiter *who, scry_addr future)
{
	for (const struct scry_loop *loop = w->loops.first; loop; loop = loop->next) {
		struct scry_waiter *t =
			loop->thread ? scry_waiter_of_thread(w, loop->thread) : NULL;

		if (t && loop->runtime == who->runtime && is_ready_in(who->runtime, loop, future)) {
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
			return true;
		}
	}
	return false;
}

/* --- the queues of pools --- */

static bool is_item_of(struct scry_runtime *r, scry_addr item, scry_addr future)
{
	scry_addr its;

	return item && item % r->session->target->abi.ptr_size == 0 &&
	       scry_attr(r, item, "future", &its) == SCRY_OK && its == future;
}

static bool array_has(struct scry_runtime *r, scry_addr items, uint64_t count, scry_addr future)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr item;

	for (uint64_t i = 0; i < count && i < QUEUE_MAX; i++) {
		if (scry_read_ptr(r->session, items + i * ptr, &item) < 0)
			return false;
		if (item && scry_is_object(r, item) && is_item_of(r, item, future))
			return true;
	}
	return false;
}

/*
 * The items of a SimpleQueue of C: up to 3.12 a list, and how many at its begin are taken already;
 * then a ring: items, for how many there is room, how many there are (Modules/_queuemodule.c, v3.7
 * to v3.15). *ret_room: how many words may hold one.
 */
static bool simple_queue(struct scry_runtime *r, scry_addr queue, scry_addr *ret_items,
			 uint64_t *ret_room, uint64_t *ret_count)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t word, first, second;

	for (unsigned i = 2; i < OBJECT_WORDS; i++) {
		scry_addr at = queue + (scry_addr)i * ptr;

		if (scry_read_ptr(r->session, at, &word) < 0)
			break;
		if (!word || word % ptr || word < QUEUE_MAX ||
		    scry_read_ptr(r->session, at + ptr, &first) < 0)
			continue;
		if (scry_is_exactly(r, word, SCRY_IS_LIST)) {
			if (scry_sequence(r, word, ret_room, ret_items) < 0 || first > *ret_room)
				return false;
			*ret_count = *ret_room - first;
			return true;
		}
		if (first && first <= QUEUE_MAX &&
		    scry_read_ptr(r->session, at + 2 * ptr, &second) == SCRY_OK &&
		    second <= first) {
			*ret_items = word;
			*ret_room = first;
			*ret_count = second;
			return true;
		}
	}
	return false;
}

int64_t scry_simple_queue_length(struct scry_runtime *r, scry_addr queue)
{
	scry_addr type, items;
	const char *name;
	uint64_t room, count;

	if (scry_type_of(r, queue, &type) < 0 || scry_type_full_name(r, type, &name) < 0 ||
	    strcmp(name, "_queue.SimpleQueue") || !simple_queue(r, queue, &items, &room, &count))
		return -1;
	return (int64_t)count;
}

static bool simple_queue_has(struct scry_runtime *r, scry_addr queue, scry_addr future)
{
	scry_addr items;
	uint64_t room, count;

	return simple_queue(r, queue, &items, &room, &count) && array_has(r, items, room, future);
}

static bool queue_has(struct scry_runtime *r, scry_addr queue, scry_addr future)
{
	scry_addr inner;
	struct scry_item item;

	if (scry_attr(r, queue, "queue", &inner) < 0)
		return simple_queue_has(r, queue, future);
	int64_t count = scry_length(r, inner); /* queue.Queue: up to 3.6 */
	for (int64_t i = 0; i < count && i < QUEUE_MAX; i++)
		if (scry_item_at(r, inner, i, &item) == SCRY_OK && is_item_of(r, item.addr, future))
			return true;
	return false;
}

/* The queue that a thread works on as a worker of a ThreadPoolExecutor, 0 none. */
static scry_addr work_queue_of(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;

	while (scry_waiter_frame_next(who, &walk, &f) == SCRY_ITEM) {
		const char *module = f.code && !f.damaged && !strcmp(f.code->name, "_worker")
					     ? scry_standard_module(w, &f)
					     : NULL;

		if (module && !strcmp(module, "concurrent.futures.thread"))
			return scry_frame_variable(&f, "work_queue");
	}
	return 0;
}

static void has_pool(struct scry_waits *w, struct scry_waiter *who, scry_addr future)
{
	scry_addr found = 0;
	unsigned n = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct scry_waiter *worker = &w->list[i];
		scry_addr queue = worker->thread && worker->runtime == who->runtime
					  ? work_queue_of(w, worker)
					  : 0;

		if (!queue || (found ? queue != found : !queue_has(who->runtime, queue, future)))
			continue;
		found = queue;
		n++;
		scry_waiter_held(w, who, worker, SCRY_HOW_FRAME, NULL);
	}
	if (!n)
		scry_pool_future(w, who, future);
	else
		who->what.detail = scry_arena_printf(&w->session->arena,
						     "not begun: it is in the queue of a pool of "
						     "%u worker%s",
						     n, n == 1 ? "" : "s");
}

void scry_future_owners(struct scry_waits *w, struct scry_waiter *who, scry_addr future)
{
	const struct scry_hold *h = scry_hash_find(&w->holds, future);

	if (!is_pending(who->runtime, future))
		return;
	for (; h; h = h->next)
		scry_waiter_held(w, who, h->who, h->how, &h->frame);
	if (!who->held_count && !has_task(w, who, future) && !has_loop(w, who, future))
		has_pool(w, who, future);
}
