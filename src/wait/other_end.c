/* Who is at the other end: in get() of a full queue, in put() of an empty one; of a file. */
#include <string.h>

#include "object/model.h"
#include "wait/here.h"
#include "wait/wait.h"

/* Everybody who is inside of a function of a queue, as its frames show. */
struct scry_queue_users {
	struct count {
		unsigned n;
		const struct scry_waiter
			*last; /* one is counted once: a subclass calls its base's */
	} get, put;
};

/* Queues of one process whose functions are Python's: others have no frames to be found by. */
static const char queues[] = "queue.Queue|Queue.Queue|asyncio.queues.Queue|curio.queue.QueueBase";

static void count_in(struct count *count, const struct scry_waiter *who)
{
	count->n += count->last != who;
	count->last = who;
}

void scry_queue_user_note(struct scry_waits *w, struct scry_waiter *who, const struct scry_frame *f)
{
	bool gets = !strcmp(f->code->name, "get");
	scry_addr self = gets || !strcmp(f->code->name, "put") ? scry_frame_variable(f, "self") : 0;
	struct scry_queue_users *users = self ? scry_hash_find(&w->users, self) : NULL;

	if (!self)
		return;
	if (!users) {
		users = scry_arena_alloc(&w->session->arena, sizeof(*users));
		if (!users || !scry_hash_put(&w->users, self, users))
			return;
		*users = (struct scry_queue_users) { 0 };
	}
	count_in(gets ? &users->get : &users->put, who);
}

/* Nothing is said where a stack could not be read: somebody may be there who is not seen. */
static void find_queue_users(struct scry_waits *w, struct scry_awaited *what)
{
	bool puts = !strcmp(what->kind, "Queue.put");
	const struct scry_queue_users *users;
	unsigned n;

	if (w->unread || (!puts && strcmp(what->kind, "Queue.get")) || !what->is_object ||
	    !scry_is_of_class(what->runtime, what->addr, queues))
		return;
	users = scry_hash_find(&w->users, what->addr);
	n = !users ? 0 : puts ? users->get.n : users->put.n;
	const char *function = puts ? "get" : "put";
	what->other_end =
		!n       ? scry_arena_printf(&w->session->arena, "nobody is in %s()", function)
		: n == 1 ? scry_arena_printf(&w->session->arena, "1 is in %s()", function)
			 : scry_arena_printf(&w->session->arena, "%u are in %s()", n, function);
}

void scry_waits_other_ends(struct scry_waits *w)
{
	struct scry_far_ends *ends = NULL;

	/* of a process that runs on, each stack was read at another moment */
	w->unread |= scry_target_runs(w->session->target);
	for (size_t i = 0; i < w->count; i++) {
		struct scry_awaited *what = &w->list[i].what;

		if (what->kind)
			find_queue_users(w, what);
		if (what->kind && what->fd >= 0 && !ends)
			ends = scry_far_ends_read(w->session);
		if (what->kind && what->fd >= 0 && !what->other_end)
			what->other_end = scry_far_end_text(w->session, ends, what->fd);
		if (what->kind && !what->other_end)
			what->other_end = scry_file_lock_text(w->session, what->kind, what->fd);
	}
}
