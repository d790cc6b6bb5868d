/* Who has what is waited for: the object's own word, or the frames that hold it. */
#include <inttypes.h>
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "wait/futures.h"

/* A lock has one owner: what the object says, else one that stands in its with block, and so on. */
static void find_lock_owner(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_runtime *r = who->what.runtime;
	uint64_t ident = scry_lock_owner(r, who->what.addr);
	struct scry_waiter *owner = ident ? scry_waiter_of_ident(w, r, ident) : NULL;
	const struct scry_hold *h = scry_hash_find(&w->holds, who->what.addr), *best = NULL;
	unsigned equals = 0;

	for (; h; h = h->next) {
		if (who->what.addr == h->who->released || who->what.addr == h->who->released_lock)
			continue;
		if (owner && h->who != owner)
			continue;
		if (best && h->how == best->how)
			equals++;
		if (!best || h->how < best->how) {
			best = h;
			equals = 0;
		}
	}
	if (owner)
		scry_waiter_held(w, who, owner, SCRY_HOW_OWNER, best ? &best->frame : NULL);
	else if (best && !ident && (!equals || best->how == SCRY_HOW_WITH))
		scry_waiter_held(w, who, best->who, best->how, &best->frame);
}

/* Permits: everybody who stands in a with block of it. Its value says whether these are all. */
static void find_permits(struct scry_waits *w, struct scry_waiter *who)
{
	for (const struct scry_hold *h = scry_hash_find(&w->holds, who->what.addr); h; h = h->next)
		scry_waiter_held(w, who, h->who, h->how, &h->frame);
	int64_t most;

	/* only a bounded one says how many there are */
	who->others =
		scry_attr_int(who->what.runtime, who->what.addr, "_initial_value", &most) < 0 &&
		scry_attr_int(who->what.runtime, who->what.addr, "_bound_value", &most) < 0;
	if (!who->others)
		who->others = most > (int64_t)who->held_count;
}

/* threading.Thread's ident; 2.7 mangles its name. */
static void find_joined(struct scry_waits *w, struct scry_waiter *who)
{
	static const char *const names[] = { "_ident", "_Thread__ident" };
	int64_t ident;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct scry_waiter *t;

		if (scry_attr_int(who->what.runtime, who->what.addr, names[i], &ident) < 0)
			continue;
		t = scry_waiter_of_ident(w, who->what.runtime, (uint64_t)ident);
		if (t)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

/* _shutdown() waits for every thread that is no daemon. */
static void find_not_daemons(struct scry_waits *w, struct scry_waiter *who)
{
	static const char *const daemon[] = { "_daemonic", "_Thread__daemonic" };
	struct scry_runtime *r = who->runtime;
	scry_addr active, key, thread, value;
	uint64_t it = 0;
	int64_t ident;
	scry_addr module = scry_loop_module(who->thread->interp, "threading");

	if (!module || scry_attr(r, module, "_active", &active) < 0)
		return;
	while (scry_dict_next(r, active, &it, &key, &thread) == SCRY_ITEM) {
		bool is_daemon = false;

		for (size_t i = 0; i < 2; i++)
			if (scry_attr(r, thread, daemon[i], &value) == SCRY_OK)
				is_daemon = scry_truth(r, value, false);
		struct scry_waiter *t = !is_daemon && scry_int_value(r, key, &ident) == SCRY_OK
						? scry_waiter_of_ident(w, r, (uint64_t)ident)
						: NULL;
		if (t && t != who)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

/* A pool waits for its threads one by one: the executor's are in a set. */
static void find_threads_of(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_runtime *r = who->what.runtime;
	scry_addr threads, thread;
	uint64_t it = 0;
	int64_t ident;

	if (scry_attr(r, who->what.addr, "_threads", &threads) < 0)
		return;
	while (scry_set_next(r, threads, &it, &thread) == SCRY_ITEM) {
		struct scry_waiter *t = scry_attr_int(r, thread, "_ident", &ident) == SCRY_OK
						? scry_waiter_of_ident(w, r, (uint64_t)ident)
						: NULL;

		if (t)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

static void find_future(struct scry_waits *w, struct scry_waiter *who)
{
	scry_future_owners(w, who, who->what.addr);
}

static const struct {
	const char *kind;
	void (*find)(struct scry_waits *w, struct scry_waiter *who);
} rows[] = {
	{ "Lock", find_lock_owner },
	{ "RLock", find_lock_owner },
	{ "stdio lock", find_lock_owner },
	{ "import lock", find_lock_owner },
	{ "SemLock", find_lock_owner },
	{ "Semaphore", find_permits },
	{ "BoundedSemaphore", find_permits },
	{ "Thread.join", find_joined },
	{ "threading._shutdown", find_not_daemons },
	{ "Executor.shutdown", find_threads_of },
	{ "Future.result", find_future },
};

void scry_waits_owners(struct scry_waits *w, struct scry_waiter *who)
{
	bool bare = !who->what.is_object;

	if (who->state != SCRY_WAIT_WAITING || !who->what.kind || who->held_count)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].kind, who->what.kind)) {
			if (!bare || rows[i].find == find_not_daemons)
				rows[i].find(w, who);
			return;
		}
}
