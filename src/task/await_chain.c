/* Chains of awaits: from a coroutine down to what parks it. */
#include <string.h>

#include "object/cython.h"
#include "task/await.h"

const char scry_chain_endless[] = "the chain of awaits has no end";
const char scry_chain_cycle[] = "the chain of awaits is a cycle";

static bool push(struct scry_session *s, struct scry_chain *c, size_t *room,
		 struct scry_chain_link link)
{
	struct scry_chain_link *list =
		scry_arena_grow(&s->arena, c->frames, c->count, room, sizeof(*list), 4);

	if (!list)
		return false;
	c->frames = list;
	c->frames[c->count++] = link;
	return true;
}

static const char *error_text(struct scry_session *s)
{
	const char *text = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));

	return text ? text : "out of memory";
}

void scry_chain_read(struct scry_kinds *k, scry_addr object, struct scry_chain *ret)
{
	struct scry_session *s = k->runtime->session;
	struct scry_hash seen = { 0 };
	struct scry_await a;
	size_t room = 0;

	*ret = (struct scry_chain) { .end = object };
	for (size_t n = 0; object; object = a.next, n++) {
		ret->end = object;
		if (n == SCRY_CHAIN_MAX || scry_hash_add(&seen, object) <= 0) {
			ret->error = n == SCRY_CHAIN_MAX ? scry_chain_endless : scry_chain_cycle;
			break;
		}
		if (scry_await_read(k, object, &a) < 0) {
			ret->error = error_text(s);
			break;
		}
		if (n == 0)
			ret->state = a.state;
		if (a.kind == SCRY_KIND_OTHER || a.kind > SCRY_KIND_FUTURE_ITER)
			break;
		bool cython = scry_kind_is_cythons(a.kind) && a.state != SCRY_CLOSED;
		struct scry_chain_link link = { cython ? object : a.frame, cython };

		if (link.addr && !push(s, ret, &room, link))
			break;
		ret->running = ret->running || a.state == SCRY_RUNNING;
		if (!a.next)
			ret->end = 0;
	}
	scry_hash_done(&seen);
}

int scry_chain_frame(struct scry_runtime *r, const struct scry_chain_link *link,
		     struct scry_frame *ret)
{
	return link->cython ? scry_cython_frame(r, link->addr, ret)
			    : scry_frame_at(r, link->addr, ret);
}

scry_addr scry_chain_newest(const struct scry_chain *c)
{
	return c->count && !c->frames[c->count - 1].cython ? c->frames[c->count - 1].addr : 0;
}

int scry_chain_frame_next(struct scry_runtime *r, const struct scry_chain *c,
			  struct scry_walk *walk, struct scry_frame *ret)
{
	if (walk->depth >= c->count)
		return SCRY_OK;
	scry_chain_frame(r, &c->frames[c->count - 1 - walk->depth], ret);
	ret->depth = walk->depth++;
	return SCRY_ITEM;
}
