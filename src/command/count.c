/* Tasks by where they stand: how many of each state have the same stack. */
#include <stdlib.h>

#include "command/tasks.h"

#define FRAMES_MAX 1000 /* of a stack that distinguish it from another */

struct group {
	struct group *next;
	struct scry_task *first;
	uint64_t count;
};

struct counts {
	struct scry_call *call;
	struct scry_hash groups; /* by the fingerprint of state and stack */
	struct group *all, **tail;
	size_t count;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t fingerprint(struct scry_task *t)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	uint64_t hash = mix(mix((uintptr_t)t->ops, 1), t->state);

	for (unsigned n = 0; n < FRAMES_MAX && scry_task_frame_next(t, &walk, &f) == SCRY_ITEM; n++)
		hash = mix(mix(hash, f.code_addr), (uint64_t)f.lasti);
	return hash;
}

static bool put(struct counts *c, struct scry_task *t)
{
	uint64_t key = fingerprint(t);
	struct group *g = scry_hash_find(&c->groups, key);

	if (!g) {
		g = scry_arena_alloc(&c->call->s->arena, sizeof(*g));
		if (!g || !scry_hash_put(&c->groups, key, g))
			return false;
		*g = (struct group) { .first = t };
		*c->tail = g;
		c->tail = &g->next;
		c->count++;
	}
	g->count++;
	return true;
}

static int compare(const void *x, const void *y)
{
	const struct group *a = *(struct group *const *)x, *b = *(struct group *const *)y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->first->addr < b->first->addr ? -1 : a->first->addr > b->first->addr;
}

static void get_task(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_task_line, ((const struct group *)subject)->first);
	ret->kind = SCRY_SAID_FIELDS;
}

static void get_many(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct group *)subject)->count > 1);
}

#define SUBJECT struct group
static const struct scry_say group_fields[] = {
	SAY_INT("count", count),
	SAY_GET("", get_task, .facts = &scry_facts_task_line),
	SAY_GET("many", get_many),
	SAY_END,
};
#undef SUBJECT

static const char *const group_text[] = {
	"{count,} {kind} [{state:mark}]",
	"{place}",
	"{?many}, for example ",
	"|: ",
	"{title} {id}\n",
	NULL,
};

/* JSON has the tasks themselves. */
static const struct scry_facts group_facts = { "group of tasks", group_fields, group_text,
					       .text_only = true };

void scry_show_task_counts(struct scry_call *call, const char *what, struct scry_task *first,
			   uint64_t ident)
{
	struct counts c = { .call = call };
	size_t n = 0;

	c.tail = &c.all;
	for (struct scry_task *t = first; t; t = t->next)
		if ((!ident || t->thread_ident == ident) && !put(&c, t))
			break;
	struct group **list = c.count ? malloc(c.count * sizeof(*list)) : NULL;
	for (struct group *g = c.all; list && g; g = g->next)
		list[n++] = g;
	if (n)
		qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++)
		scry_say(&call->render.to, &group_facts, list[i]);
	if (!n)
		scry_say_none(call, what);
	free(list);
	scry_hash_done(&c.groups);
}
