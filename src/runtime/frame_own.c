/*
 * Which frames a thread executes, by its own C stack (<= 3.10): the evaluation loop keeps the frame
 * that it runs there until it returns. What the chain of frames leaves out is found by it, and what
 * it has from another thread is not.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "runtime/frame.h"
#include "runtime/links.h"

#define STACK_MAX      (64u << 20) /* bytes of a C stack that are looked at */
#define FOUND_MAX      4000000
#define TRACEBACKS_MAX 1000000

/*
 * Calls of C functions that count too are few, and the search of a C stack takes long where it is
 * long: of such a chain a few missing frames are not noticed.
 */
#define LONG_CHAIN 4096
#define FEW        64
#define ROOTS_MAX  64 /* whose references are counted */

struct scry_own_frames {
	scry_addr *frames; /* executed frames whose addresses are on the C stack, in order */
	size_t count, room;
	scry_addr stack, stack_end; /* what lies there is none */
	scry_addr root;             /* the newest of those that the chain leaves out, 0 none */
	scry_addr joins;            /* the frame of the chain that they lead to, 0 none */
	bool lacks;                 /* some are left out, but it is not known which */
	bool doubt;                 /* not all frames of the chain are the thread's */
	bool cyclic;
	unsigned left; /* different frames of a cyclic chain that are still to come */
};

static void follow_threads(struct scry_thread *one)
{
	scry_addr top;

	if (one->followed)
		return;
	for (struct scry_thread *t = one->session->threads; t; t = t->next) {
		if (t->runtime != one->runtime || !t->state || t->followed)
			continue;
		t->followed = true;
		if (scry_thread_top(t, &top) == SCRY_OK)
			scry_frame_links(t->runtime, top, &t->oldest, &t->length);
	}
}

/* Another thread state whose chain ends in the same frame. */
static bool is_oldest_elsewhere(const struct scry_thread *one, scry_addr oldest)
{
	for (struct scry_thread *t = one->session->threads; t; t = t->next)
		if (t != one && t->runtime == one->runtime && t->state && t->oldest == oldest)
			return oldest != 0;
	return false;
}

/* --- the C stack --- */

/*
 * The frame of a code object's last call waits for the next one, and has no reference
 * (co_zombieframe).
 */
static bool is_executed(struct scry_runtime *r, scry_addr addr)
{
	struct scry_frame f;

	return scry_field_get_int(r, addr, SCRY_F_OBJECT_REFCNT) > 0 &&
	       !scry_object_frame_stopped(r, addr) && scry_frame_at(r, addr, &f) == SCRY_OK;
}

static void look_at(struct scry_runtime *r, struct scry_own_frames *own, scry_addr word)
{
	unsigned size = r->session->target->abi.ptr_size;
	uint8_t type[8];

	if (!word || word % size || own->count >= FOUND_MAX ||
	    (word >= own->stack && word < own->stack_end) ||
	    scry_read_some(r->session, scry_field_addr(r, word, SCRY_F_OBJECT_TYPE), type, size) !=
		    size ||
	    memcmp(type, &r->frame_type, size) || !is_executed(r, word))
		return;
	scry_addr *frames = scry_arena_grow(&r->session->arena, own->frames, own->count, &own->room,
					    sizeof(*frames), 64);
	if (!frames)
		return;
	own->frames = frames;
	own->frames[own->count++] = word;
}

/* A view is valid until the next read only: its words are copied, those that may be addresses. */
static void look_at_words(struct scry_runtime *r, struct scry_own_frames *own, const uint8_t *p,
			  size_t len)
{
	enum { AT_ONCE = 4096 };
	unsigned size = r->session->target->abi.ptr_size;
	struct scry_target *t = r->session->target;
	const struct scry_map *last = &t->maps[t->map_count - 1];
	uint64_t words[AT_ONCE], word, before = 0;
	size_t n = 0;

	for (size_t i = 0; i < len && n < AT_ONCE; i += size) {
		word = scry_load(p + i, size, false);
		if (word == before || word % size || word < 4096 || word >= last->end)
			continue;
		words[n++] = before = word;
	}
	/* a live process is not asked for what is mapped nowhere: that costs a system call each */
	for (size_t i = 0; i < n; i++)
		if (scry_map_at(t, words[i]))
			look_at(r, own, words[i]);
}

static int by_address(const void *a, const void *b)
{
	scry_addr x = *(const scry_addr *)a, y = *(const scry_addr *)b;

	return x < y ? -1 : x > y;
}

static bool has(const scry_addr *list, size_t count, scry_addr one)
{
	return count && bsearch(&one, list, count, sizeof(one), by_address);
}

/* False where the dump lacks a part of the stack: then what is not found says nothing. */
static bool search_stack(struct scry_thread *t, struct scry_own_frames *own)
{
	struct scry_runtime *r = t->runtime;
	struct scry_session *s = r->session;
	unsigned size = s->target->abi.ptr_size;
	const struct scry_regs *regs =
		t->os ? scry_os_thread_regs(s->target, (struct scry_os_thread *)t->os) : NULL;
	scry_addr sp;
	size_t len;

	if (!regs || !regs->arch || s->target->abi.big_endian)
		return false;
	sp = regs->value[regs->arch->sp] & ~(scry_addr)(size - 1);
	const struct scry_map *map = scry_map_at(s->target, sp);
	scry_addr end = map ? map->end : sp;
	if (end - sp > STACK_MAX)
		end = sp + STACK_MAX;
	own->stack = map ? map->start : sp;
	own->stack_end = end;
	for (unsigned i = 0; i < regs->arch->count; i++)
		if (regs->valid >> i & 1)
			look_at(r, own, regs->value[i]);
	for (scry_addr at = sp; at + size <= end; at += len) {
		const uint8_t *p = scry_view(s, at, &len);

		len = p && len > end - at ? end - at : len;
		len = len > 4096 * size ? 4096 * size : len; /* as many as look_at_words() keeps */
		if (!p || len < size)
			return false;
		len -= len % size;
		look_at_words(r, own, p, len);
	}
	if (own->count)
		qsort(own->frames, own->count, sizeof(*own->frames), by_address);
	size_t kept = 0;
	for (size_t i = 0; i < own->count; i++)
		if (!i || own->frames[i] != own->frames[i - 1])
			own->frames[kept++] = own->frames[i];
	own->count = kept;
	return true;
}

/* --- those that have returned --- */

static void drop(struct scry_own_frames *own, scry_addr frame)
{
	scry_addr *found =
		own->count ? bsearch(&frame, own->frames, own->count, sizeof(frame), by_address)
			   : NULL;

	if (!found)
		return;
	own->count--;
	memmove(found, found + 1, (size_t)(own->frames + own->count - found) * sizeof(*found));
}

/* After the frame that handles an exception, or that it has reached, are those that it left. */
static void drop_left(struct scry_runtime *r, struct scry_own_frames *own, scry_addr traceback)
{
	scry_addr frame;

	for (unsigned n = 0; traceback && n < TRACEBACKS_MAX; n++) {
		if (scry_field_read(r, traceback, SCRY_F_TRACEBACK_FRAME, &frame) < 0)
			return;
		if (n)
			drop(own, frame);
		traceback = scry_field_get(r, traceback, SCRY_F_TRACEBACK_NEXT);
	}
}

/*
 * Up to 3.3 a frame that has returned, and lives on in a traceback, looks like one that is
 * executed. A frame that handles an exception keeps the one before: set_exc_info(), ceval.c, v2.7.
 */
static void drop_returned(struct scry_thread *t, struct scry_own_frames *own)
{
	struct scry_runtime *r = t->runtime;
	const struct scry_layout *l = r->layout;

	if (scry_layout_has(l, SCRY_F_FRAME_EXECUTING) || scry_layout_has(l, SCRY_F_FRAME_STATE))
		return;
	drop_left(r, own, scry_field_get(r, t->state, SCRY_F_THREAD_EXC_TRACEBACK));
	drop_left(r, own, scry_field_get(r, t->state, SCRY_F_THREAD_CUREXC_TRACEBACK));
	for (size_t i = own->count; i--;)
		if (i < own->count)
			drop_left(r, own,
				  scry_field_get(r, own->frames[i], SCRY_F_FRAME_EXC_TRACEBACK));
}

/* --- what the chain leaves out --- */

static scry_addr *chain_of(struct scry_thread *t)
{
	scry_addr *chain = malloc((t->length + 1) * sizeof(*chain)), at = 0;

	scry_thread_top(t, &at);
	for (unsigned n = 0; chain && n < t->length; n++) {
		chain[n] = at;
		scry_frame_link(t->runtime, at, &at);
	}
	if (chain)
		qsort(chain, t->length, sizeof(*chain), by_address);
	return chain;
}

/* Greenlets leave the frames of their parents on the C stack, and have a chain of their own. */
static bool has_greenlets(const struct scry_session *s)
{
	for (size_t i = 0; i < s->target->map_count; i++)
		if (s->target->maps[i].path && strstr(s->target->maps[i].path, "greenlet"))
			return true;
	return false;
}

/*
 * Where a chain of frames that was left out leads to: the first frame of the thread's own chain;
 * and how many lie before it.
 */
static scry_addr joins(struct scry_thread *t, const scry_addr *chain, scry_addr at, unsigned *ret)
{
	for (unsigned n = 0; at && n < CHAIN_MAX; n++) {
		*ret = n;
		if (has(chain, t->length, at))
			return at;
		if (!scry_frame_link(t->runtime, at, &at))
			break;
	}
	return 0;
}

/*
 * Each frame holds a reference to the one that called it, and the evaluation loop's caller one to
 * the frame that it runs. Where more frames say that `joins` called them than it has references,
 * the link of one of them was another: of that in the chain, where the others are left out.
 */
static bool is_called_too_often(struct scry_thread *t, const struct scry_own_frames *own,
				const scry_addr *chain, scry_addr joins)
{
	int64_t references = scry_field_get_int(t->runtime, joins, SCRY_F_OBJECT_REFCNT), said = 1;
	scry_addr back;

	for (unsigned i = 0; i < t->length; i++)
		said += scry_frame_link(t->runtime, chain[i], &back) && back == joins;
	for (size_t i = 0; i < own->count; i++)
		said += !has(chain, t->length, own->frames[i]) &&
			scry_frame_link(t->runtime, own->frames[i], &back) && back == joins;
	return references > 0 && references < said;
}

/*
 * Up to 3.3 a frame that has returned, and lives on in a traceback, looks like one that is
 * executed: the depth of the recursion shows that it is missing, or the references.
 */
static bool is_missing(const struct scry_thread *t, unsigned count, uint64_t depth)
{
	const struct scry_layout *l = t->runtime->layout;

	return scry_layout_has(l, SCRY_F_FRAME_EXECUTING) ||
	       scry_layout_has(l, SCRY_F_FRAME_STATE) || t->length + (uint64_t)count == depth;
}

/* What the frames that are on the C stack and in no chain lead to. */
struct lost {
	size_t roots;   /* of them: no other one leads there */
	scry_addr root; /* the last of them */
	size_t proven;  /* those that the references show to be left out */
	scry_addr proven_root, proven_joins;
};

static void add_root(struct scry_thread *t, const struct scry_own_frames *own,
		     const scry_addr *chain, scry_addr root, struct lost *lost)
{
	unsigned between;
	scry_addr at;

	lost->root = root;
	if (lost->roots++ >= ROOTS_MAX || !(at = joins(t, chain, root, &between)) ||
	    !is_called_too_often(t, own, chain, at))
		return;
	lost->proven++;
	lost->proven_root = root;
	lost->proven_joins = at;
}

/* The one frame that is executed, in no chain, and that no other such frame leads to. */
static void find_lost(struct scry_thread *t, struct scry_own_frames *own, uint64_t depth)
{
	scry_addr *chain = chain_of(t), *backs = malloc((own->count + 1) * sizeof(*backs));
	struct lost found = { 0 };
	size_t lost = 0;
	scry_addr back, oldest;
	unsigned length, between = 0;

	for (size_t i = 0; chain && backs && i < own->count; i++)
		if (!has(chain, t->length, own->frames[i]) &&
		    scry_frame_link(t->runtime, own->frames[i], &back))
			backs[lost++] = back;
	if (lost)
		qsort(backs, lost, sizeof(*backs), by_address);
	for (size_t i = 0; lost && i < own->count; i++) {
		scry_addr at = own->frames[i];

		if (has(chain, t->length, at) || has(backs, lost, at))
			continue;
		scry_frame_links(t->runtime, at, &oldest, &length);
		if (oldest != t->oldest && is_oldest_elsewhere(t, oldest))
			continue;
		add_root(t, own, chain, at, &found);
	}
	if (found.proven) {
		own->joins = found.proven_joins;
		own->root = found.proven == 1 ? found.proven_root : 0;
		own->lacks = found.proven > 1;
	} else if (found.roots == 1) {
		own->joins = joins(t, chain, found.root, &between);
		if (own->joins ? is_missing(t, between, depth) : !has_greenlets(t->session))
			own->root = found.root;
	}
	free(chain);
	free(backs);
}

/*
 * Py_EnterRecursiveCall() counts each frame, and some calls of C functions too: a chain of as many
 * frames is whole.
 */
static void open(struct scry_walk *w)
{
	struct scry_thread *t = w->thread;
	struct scry_runtime *r = w->runtime;
	uint64_t depth, tracing = 0;
	struct scry_frame f;

	scry_field_read(r, t->state, SCRY_F_THREAD_TRACING, &tracing);
	w->tracing = tracing != 0;
	w->alien = strcmp(r->name, "CPython") != 0;
	if (w->alien || scry_field_read(r, t->state, SCRY_F_THREAD_RECURSION, &depth) < 0)
		return;
	follow_threads(t);
	bool shared = is_oldest_elsewhere(t, t->oldest), cyclic = t->length && !t->oldest;

	if (!shared && !cyclic &&
	    (t->length == depth ||
	     (t->length >= LONG_CHAIN && t->length < depth && depth - t->length < FEW)))
		return;
	for (struct scry_thread *any = t->session->threads; any && !r->frame_type; any = any->next)
		if (any->runtime == r && any->oldest)
			scry_frame_at(r, any->oldest, &f);
	struct scry_own_frames *own = scry_arena_alloc(&r->session->arena, sizeof(*own));
	if (!own || !r->frame_type)
		return;
	if (!search_stack(t, own) || !own->count)
		return;
	drop_returned(t, own);
	find_lost(t, own, depth);
	own->doubt = shared || cyclic || t->length > depth || own->root || own->lacks;
	own->cyclic = cyclic;
	own->left = t->length;
	w->own = own->doubt ? own : NULL;
}

/* --- the walk --- */

static const char *say(struct scry_walk *w, const char *text, scry_addr a)
{
	return scry_arena_printf(&w->runtime->session->arena, "the chain of frames %s 0x%" PRIx64,
				 text, a);
}

static bool is_state(const struct scry_walk *w, scry_addr state)
{
	for (struct scry_thread *t = w->thread->session->threads; t; t = t->next)
		if (t->state == state && t->runtime == w->runtime)
			return true;
	return false;
}

static const char *check(struct scry_walk *w, struct scry_frame *f)
{
	struct scry_own_frames *own = w->own;
	bool newest = !w->any;
	uint64_t state;

	w->fresh = true; /* each has a call of the evaluation loop */
	if (w->alien || f->kind == SCRY_FRAME_SHIM)
		return NULL;
	if (f->stopped && !newest && !w->tracing)
		return say(w, "leads to one that is not executed:", f->addr);
	/* up to 3.3; a generator belongs to whoever runs it: gen_send_ex(), Objects/genobject.c */
	if (scry_layout_has(w->runtime->layout, SCRY_F_FRAME_THREAD) &&
	    scry_field_read(w->runtime, f->addr, SCRY_F_FRAME_THREAD, &state) == SCRY_OK && state &&
	    state != w->thread->state) {
		if (is_state(w, state))
			return say(w, "leads to another thread's:", f->addr);
		scry_frame_damage(f, "no thread has the state 0x%" PRIx64, state);
	}
	if (!own)
		return NULL;
	if (own->cyclic && !own->left--) {
		own->cyclic = false;
		return say(w, "leads back to", f->addr);
	}
	if (f->compiled) /* no evaluation loop runs it, and nothing counts its calls */
		return NULL;
	if ((own->root || own->lacks) && own->joins == f->addr)
		return say(w, "leaves out some before the one at", f->addr);
	if (!newest && !has(own->frames, own->count, f->addr))
		return say(w, "leads to one that this thread does not execute:", f->addr);
	return NULL;
}

static const char *end(struct scry_walk *w)
{
	return w->own && w->own->root ? "the chain of frames ends before the thread's oldest frame"
				      : NULL;
}

static scry_addr recover(struct scry_walk *w)
{
	scry_addr root = w->own ? w->own->root : 0;

	if (root) {
		w->own->root = 0;
		w->own->cyclic = false;
	}
	return root;
}

const struct scry_chain_ops scry_chain_of_frame_objects = {
	.open = open,
	.check = check,
	.end = end,
	.recover = recover,
	.from = "the thread's C stack",
};
