/* The tree of stacks: frames once, nodes once, members at the end of their stacks. */
#include "fold/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD 8 /* frames of a run that recursion repeats */

const char *const scry_fold_kind_names[] = {
	[SCRY_FOLD_PYTHON] = "python",   [SCRY_FOLD_C] = "native",
	[SCRY_FOLD_DAMAGED] = "damaged", [SCRY_FOLD_OMITTED] = "omitted",
	[SCRY_FOLD_SIGNAL] = "signal",
};

void scry_fold_done(struct scry_fold *f)
{
	scry_hash_done(&f->frames);
	scry_hash_done(&f->edges);
	scry_arena_done(&f->arena);
	*f = (struct scry_fold) { .group = f->group };
}

static void *take(struct scry_fold *f, size_t size)
{
	if (f->bytes + size > SCRY_FOLD_BYTES)
		return NULL;
	f->bytes += size;
	return scry_arena_alloc(&f->arena, size);
}

static const char *keep(struct scry_fold *f, const char *text)
{
	size_t len = strnlen(text, SCRY_FOLD_TEXT);
	char *copy = take(f, len + 1);

	return copy ? memcpy(copy, text, len) : NULL;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? scry_fnv1a(hash, text, strnlen(text, SCRY_FOLD_TEXT) + 1)
		    : scry_fnv1a(hash, "\xff", 1);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strncmp(a, b, SCRY_FOLD_TEXT));
}

static bool equal(const struct scry_fold_frame *a, const struct scry_fold_frame *b)
{
	return a->kind == b->kind && a->line == b->line && same_text(a->function, b->function) &&
	       same_text(a->file, b->file);
}

static struct scry_fold_frame *add_frame(struct scry_fold *f, const struct scry_fold_frame *like)
{
	struct scry_fold_frame *frame = take(f, sizeof(*frame));

	if (!frame)
		return NULL;
	*frame = (struct scry_fold_frame) {
		.kind = like->kind,
		.line = like->line,
		.function = keep(f, like->function),
		.qualname = like->qualname ? keep(f, like->qualname) : NULL,
		.file = like->file ? keep(f, like->file) : NULL,
		.index = f->frame_count,
	};
	if (!frame->function || (like->qualname && !frame->qualname) ||
	    (like->file && !frame->file))
		return NULL;
	f->frame_count++;
	if (!f->frames_end)
		f->frames_end = &f->first_frame;
	*f->frames_end = frame;
	f->frames_end = &frame->next;
	return frame;
}

const struct scry_fold_frame *scry_fold_intern(struct scry_fold *f,
					       const struct scry_fold_frame *like)
{
	uint64_t key = scry_fnv1a(SCRY_FNV1A_START, &like->line, sizeof(like->line)) + like->kind;
	struct scry_fold_frame *first, *at;

	key = hash_text(hash_text(key, like->function), like->file);
	first = at = scry_hash_find(&f->frames, key);
	while (at && !equal(at, like))
		at = at->same_hash;
	if (at && !at->qualname && like->qualname)
		at->qualname = keep(f, like->qualname);
	if (at || !(at = add_frame(f, like)))
		return at;
	at->same_hash = first;
	return scry_hash_put(&f->frames, key, at) ? at : NULL;
}

/* --- a stack that is read --- */

/*
 * The newest half stays as it comes; after it a ring keeps the oldest ones, since nobody knows how
 * many are still to come.
 */
#define NEWEST (SCRY_FOLD_DEPTH / 2)
#define OLDEST (SCRY_FOLD_DEPTH - NEWEST - 1)

void scry_fold_stack_put(struct scry_fold_stack *st, const struct scry_fold_frame *like)
{
	const struct scry_fold_frame *frame = scry_fold_intern(st->fold, like);

	if (!frame)
		st->failed = true;
	if (st->failed)
		return;
	st->total++;
	if (st->count == SCRY_FOLD_DEPTH - 1) {
		st->frames[NEWEST + st->older] = frame;
		st->older = (st->older + 1) % OLDEST;
		return;
	}
	if (st->count == st->room) {
		size_t room = st->room ? st->room * 2 : 64;
		void *more = reallocarray(st->frames, room, sizeof(*st->frames));

		st->failed = !more;
		if (!more)
			return;
		st->frames = more;
		st->room = room;
	}
	st->frames[st->count++] = frame;
}

/* The ring laid out straight, after a frame that stands for what is gone. */
static void straighten(struct scry_fold_stack *st)
{
	const struct scry_fold_frame *ring[OLDEST];
	char text[64];

	if (st->total == st->count)
		return;
	for (size_t i = 0; i < OLDEST; i++)
		ring[i] = st->frames[NEWEST + (st->older + i) % OLDEST];
	snprintf(text, sizeof(text), "%" PRIu64 " more frames", st->total - st->count);
	st->frames[NEWEST] =
		scry_fold_intern(st->fold, &(struct scry_fold_frame) { .kind = SCRY_FOLD_OMITTED,
								       .function = text });
	st->failed |= !st->frames[NEWEST];
	void *more = reallocarray(st->frames, SCRY_FOLD_DEPTH, sizeof(*st->frames));
	if (!more) {
		st->failed = true;
		return;
	}
	st->frames = more;
	st->room = SCRY_FOLD_DEPTH;
	memcpy(st->frames + NEWEST + 1, ring, sizeof(ring));
	st->count = SCRY_FOLD_DEPTH;
	st->total = st->count;
	st->older = 0;
}

void scry_fold_stack_collapse(struct scry_fold_stack *st)
{
	size_t kept = 0;

	straighten(st);
	for (size_t i = 0; i < st->count; i++) {
		/* how many frames are in the gap depends on the depth, too */
		if (!st->frames[i] || st->frames[i]->kind == SCRY_FOLD_OMITTED)
			continue;
		st->frames[kept++] = st->frames[i];
		for (size_t p = 1; p <= PERIOD && 2 * p <= kept; p++)
			if (!memcmp(st->frames + kept - p, st->frames + kept - 2 * p,
				    p * sizeof(*st->frames))) {
				kept -= p;
				break;
			}
	}
	st->count = kept;
	st->total = kept;
	st->older = 0;
}

struct scry_fold_node *scry_fold_child(struct scry_fold *f, struct scry_fold_node *parent,
				       const struct scry_fold_frame *frame)
{
	uint64_t key = ((uintptr_t)parent * 0x9e3779b97f4a7c15u) ^ (uintptr_t)frame;
	struct scry_fold_node *n = scry_hash_find(&f->edges, key);

	if (n && (n->parent != parent || n->frame != frame))
		for (n = parent->children; n && n->frame != frame; n = n->next)
			;
	if (n)
		return n;
	n = take(f, sizeof(*n));
	if (!n)
		return NULL;
	*n = (struct scry_fold_node) { .frame = frame,
				       .parent = parent,
				       .next = parent->children,
				       .older = f->newest,
				       .depth = parent->depth + 1 };
	n->members_end = &n->members;
	if (!scry_hash_put(&f->edges, key, n))
		return NULL;
	parent->children = n;
	f->newest = n;
	return n;
}

void scry_fold_next_process(struct scry_fold *f)
{
	f->last = NULL;
}

bool scry_fold_member_put(struct scry_fold *f, const struct scry_fold_member *m,
			  struct scry_fold_node *end)
{
	struct scry_fold_member *copy = take(f, sizeof(*copy));

	if (!copy)
		return false;
	*copy = (struct scry_fold_member) { .pid = m->pid, .tid = m->tid, .end = end };
	copy->name = m->name ? keep(f, m->name) : NULL;
	if (f->last && same_text(f->last->target, m->target))
		copy->target = f->last->target;
	else
		copy->target = m->target ? keep(f, m->target) : NULL;
	if ((m->name && !copy->name) || (m->target && !copy->target))
		return false;
	f->processes += !f->last;
	copy->process = f->processes;
	copy->order = f->member_count++;
	if (!f->members_end)
		f->members_end = &f->first;
	*f->members_end = copy;
	f->members_end = &copy->next;
	*end->members_end = copy;
	end->members_end = &copy->next_here;
	f->last = copy;
	return true;
}

struct scry_fold_node *scry_fold_stack_add(struct scry_fold_stack *st,
					   const struct scry_fold_member *m)
{
	struct scry_fold_node *n = &st->fold->root;
	bool any = st->count > 0;

	straighten(st);
	for (size_t i = st->count; i-- && n && !st->failed;)
		n = scry_fold_child(st->fold, n, st->frames[i]);
	if (st->failed || !n || (any && !scry_fold_member_put(st->fold, m, n))) {
		st->fold->left++;
		n = NULL;
	} else if (!any) {
		st->fold->empty++;
		n = NULL;
	}
	scry_fold_stack_forget(st);
	return n;
}

void scry_fold_stack_forget(struct scry_fold_stack *st)
{
	st->count = st->older = 0;
	st->total = 0;
	st->failed = false;
}

void scry_fold_stack_done(struct scry_fold_stack *st)
{
	free(st->frames);
	*st = (struct scry_fold_stack) { .fold = st->fold };
}

/* --- variables --- */

static struct scry_fold_variable *variable(struct scry_fold *f, struct scry_fold_node *node,
					   const char *name)
{
	struct scry_fold_variable **at = &node->variables, *v;

	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	if (*at || !(v = take(f, sizeof(*v))))
		return *at;
	*v = (struct scry_fold_variable) { .name = keep(f, name) };
	if (v->name)
		*at = v;
	return *at;
}

void scry_fold_variable(struct scry_fold *f, struct scry_fold_node *node, const char *name,
			const char *value, uint64_t count)
{
	struct scry_fold_variable *v = variable(f, node, name);

	if (!v)
		return;
	v->count += count;
	struct scry_fold_value **at = &v->values, *w;
	while (*at && strncmp((*at)->text, value, SCRY_FOLD_TEXT))
		at = &(*at)->next;
	if (!*at && v->kept < SCRY_FOLD_VALUES && (w = take(f, sizeof(*w)))) {
		*w = (struct scry_fold_value) { .text = keep(f, value) };
		if (w->text) {
			*at = w;
			v->kept++;
		}
	}
	if (*at)
		(*at)->count += count;
	else
		v->more += count;
}

void scry_fold_value_put(struct scry_fold *f, struct scry_fold_node *node, const char *name,
			 const char *repr)
{
	static const char gap[] = "…";
	char text[SCRY_FOLD_VALUE + 2 * sizeof(gap)];
	size_t n = 0;

	while (*repr && n < SCRY_FOLD_VALUE) {
		text[n++] = *repr++;
		if (n < 2 || text[n - 1] != 'x' || text[n - 2] != '0')
			continue;
		size_t digits = strspn(repr, "0123456789abcdef");
		if (digits < 5)
			continue;
		memcpy(text + n, gap, sizeof(gap) - 1);
		n += sizeof(gap) - 1;
		repr += digits;
	}
	if (*repr) {
		/* not in the middle of a character */
		while (n && (*repr & 0xc0) == 0x80 && (text[n - 1] & 0xc0) == 0x80)
			n--;
		if (n && (*repr & 0xc0) == 0x80)
			n--;
		memcpy(text + n, gap, sizeof(gap) - 1);
		n += sizeof(gap) - 1;
	}
	text[n] = 0;
	scry_fold_variable(f, node, name, text, 1);
}
