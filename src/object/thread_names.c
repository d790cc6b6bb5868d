/* threading's names of threads: sys.modules["threading"]._active maps ids to Thread objects. */
#include "object/thread_names.h"

#include <stdlib.h>
#include <string.h>

#include "object/mro.h"
#include "object/object.h"

#define NAME_MAX_CHARS 256
#define ACTIVE_MAX     (1u << 24)

/* What threading knows of one interpreter's threads, in the order of their ids. */
struct scry_active {
	struct scry_active *next;
	scry_addr interp;
	size_t count, room;
	struct entry {
		uint64_t ident;
		scry_addr thread;
		size_t at; /* in the dict: of two with one id the last one counts */
	} * entries;
};

static int active_threads(struct scry_interp *interp, scry_addr *ret)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr module;
	int rc = scry_dict_get(r, interp->modules, "threading", &module);

	/*
	 * by the type's tp_dictoffset: not every layout source has PyModuleObject, a struct of
	 * moduleobject.c
	 */
	return rc == SCRY_OK ? scry_attr(r, module, "_active", ret) : rc;
}

/* Thread._name; in 2.7 the private name was mangled: Lib/threading.py. */
static const char *name_of(struct scry_runtime *r, scry_addr thread)
{
	static const char *const names[] = { "_name", "_Thread__name" };
	const char *text;
	scry_addr str;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (scry_attr(r, thread, names[i], &str) == SCRY_OK &&
		    scry_text_at(r, str, NAME_MAX_CHARS, &text) == SCRY_OK)
			return text;
	return NULL;
}

static int by_ident(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->ident != b->ident ? (a->ident > b->ident) - (a->ident < b->ident)
				    : (a->at > b->at) - (a->at < b->at);
}

static void read_active(struct scry_interp *interp, struct scry_active *list)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr active, key, value;
	uint64_t it = 0;
	int64_t ident;

	if (active_threads(interp, &active) < 0)
		return;
	while (list->count < ACTIVE_MAX &&
	       scry_dict_next(r, active, &it, &key, &value) == SCRY_ITEM) {
		if (scry_int_value(r, key, &ident) < 0)
			continue;
		struct entry *entries =
			scry_arena_grow(&r->session->arena, list->entries, list->count, &list->room,
					sizeof(*entries), 16);
		if (!entries)
			break;
		list->entries = entries;
		entries[list->count] = (struct entry) { (uint64_t)ident, value, list->count };
		list->count++;
	}
	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries), by_ident);
}

/* Read once for each interpreter. NULL: out of memory. */
static struct scry_active *active_of(struct scry_interp *interp)
{
	struct scry_session *s = interp->runtime->session;
	struct scry_type_state *state = scry_type_state(interp->runtime);
	struct scry_active *list = state ? state->active : NULL;

	while (list && list->interp != interp->addr)
		list = list->next;
	if (list || !state || !(list = scry_arena_alloc(&s->arena, sizeof(*list))))
		return list;
	list->interp = interp->addr;
	read_active(interp, list);
	if (s->stopped) /* not all of it */
		return list;
	list->next = state->active;
	return state->active = list;
}

static scry_addr find(const struct scry_active *list, uint64_t ident)
{
	size_t low = 0, high = list->count;

	/* after the last one with this id */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->entries[mid].ident > ident)
			high = mid;
		else
			low = mid + 1;
	}
	return low && list->entries[low - 1].ident == ident ? list->entries[low - 1].thread : 0;
}

/* A thread that is being started has no name of its own yet. */
static void name_itself(struct scry_thread *t)
{
	if (t->named || !t->interp || !t->ident || t->presence == SCRY_PRESENCE_STARTING)
		return;
	struct scry_active *list = active_of(t->interp);
	scry_addr thread = list ? find(list, t->ident) : 0;
	const char *name = thread ? name_of(t->interp->runtime, thread) : NULL;

	t->named = !t->session->stopped;
	if (!name)
		return;
	t->given_name = name;
	t->has_name = true;
}

/*
 * One thread may have several states: what another interpreter's threading calls it is better than
 * the kernel's name.
 */
static void name_as_others(struct scry_thread *t)
{
	for (struct scry_thread *other = scry_thread_first(t->session); other;
	     other = other->next) {
		if (other == t || other->tid != t->tid)
			continue;
		name_itself(other);
		if (other->has_name) {
			t->given_name = other->given_name;
			return;
		}
	}
}

const char *scry_thread_name(struct scry_thread *t)
{
	if (t->asked)
		return t->given_name;
	/* whatever fails here means nothing to who asks */
	struct scry_error saved = t->session->error;

	name_itself(t);
	if (!t->has_name && t->runtime && t->tid)
		name_as_others(t);
	t->asked = !t->session->stopped;
	t->session->error = saved;
	return t->given_name;
}

int scry_thread_named(struct scry_session *s, const char *text, struct scry_thread **ret)
{
	char *end;

	strtoull(text, &end, 0);
	if (*text && !*end && scry_thread_find(s, text, ret) == SCRY_OK)
		return SCRY_OK;
	/* also where no thread has this number: then the nearest name is said */
	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		scry_thread_name(t);
	return scry_thread_find(s, text, ret);
}
