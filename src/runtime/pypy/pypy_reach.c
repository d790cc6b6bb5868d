/*
 * Every object that PyPy's collector would reach: from the module's data, where prebuilt objects
 * and all static roots are, along the pointers that the collector's table of types knows
 * (rpython/memory/gctypelayout.py), and along those that custom tracers know: shadow stacks, frames
 * of the JIT, and stacks that stacklets have put aside.
 */
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "runtime/pypy/pypy_resume.h"

#define OBJECTS_MAX 200000000u
#define LOOSE_MAX   (2u << 20) /* words of one shadow stack or frame of the JIT */
#define CHUNK       512        /* words read at once */
#define WORDS_LEAST (1u << 20) /* of all arrays together, even where there is less memory */
#define WORDS_MAX   ((uint64_t)1 << 33)

/* type_info: flags, and where an array's items have pointers */
enum { INFO_BITS = 0, INFO_ITEM = 32, INFO_VAR = 40, INFO_LENGTH = 48, INFO_VAR_POINTERS = 56 };
#define HAS_VAR_POINTERS 0x20000u
#define IS_POINTER_ARRAY 0x40000u
#define ITEM_POINTERS    16 /* in one item of an array */
#define ITEMS_MAX        ((uint64_t)1 << 34)

struct reach {
	struct scry_pypy *p;
	struct scry_hash seen;
	scry_addr *todo;
	size_t count, room;
	/* words of arrays and stacks that may still be looked at: sound ones do not overlap */
	uint64_t words;
	bool full, overlap;
};

/*
 * Twice what there is of memory, and of the module, part of which only its file may have. Of a dump
 * that is what its file has; of a process not what is resident, for the rest is swapped out.
 */
static uint64_t words_of(struct scry_pypy *p)
{
	struct scry_target *t = p->runtime->session->target;
	uint64_t words = (p->end - p->start) / 4 + WORDS_LEAST, bytes;

	for (size_t i = 0; i < t->map_count && words < WORDS_MAX; i++) {
		const struct scry_map *map = &t->maps[i];

		if (!t->ops->data || !scry_target_present(t, map->start, map->end, &bytes))
			bytes = map->end - map->start;
		words += bytes / 4;
	}
	return words < WORDS_MAX ? words : WORDS_MAX;
}

/* So many words more are looked at; false: more than there can be. */
static bool spend(struct reach *r, uint64_t words)
{
	r->overlap |= words > r->words;
	if (words <= r->words)
		r->words -= words;
	return !r->overlap;
}

static void push(struct reach *r, scry_addr addr)
{
	if (r->full || !addr || addr % 8 || scry_hash_add(&r->seen, addr) <= 0)
		return;
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 4096;
		scry_addr *todo =
			room > OBJECTS_MAX ? NULL : reallocarray(r->todo, room, sizeof(*r->todo));

		r->full = !todo;
		if (!todo)
			return;
		r->todo = todo;
		r->room = room;
	}
	r->todo[r->count++] = addr;
}

/* A word of which nothing says that it is a pointer. */
static void push_loose(struct reach *r, scry_addr word)
{
	if (word > 0xffff && word % 8 == 0 && !scry_hash_find(&r->seen, word) &&
	    scry_pypy_stands(r->p, word))
		push(r, word);
}

static void push_loose_words(struct reach *r, scry_addr at, uint64_t words)
{
	uint64_t chunk[CHUNK];

	words = words < LOOSE_MAX ? words : LOOSE_MAX;
	while (words) {
		size_t want = words < CHUNK ? (size_t)words : CHUNK;
		size_t got = spend(r, want) ? scry_pypy_words(r->p, at, chunk, want) : 0;

		for (size_t i = 0; i < got; i++)
			push_loose(r, chunk[i]);
		if (got < want)
			return;
		at += 8 * got;
		words -= got;
	}
}

/* An item's pointers stand at `place`, of `count`, in each item. */
static void push_items(struct reach *r, scry_addr items, uint64_t count, uint64_t size,
		       const uint64_t *place, uint64_t places)
{
	uint64_t chunk[CHUNK];

	if (size < 8 || size > sizeof(chunk))
		return;
	uint64_t each = sizeof(chunk) / size;
	for (uint64_t i = 0; i < count; i += each) {
		uint64_t n = count - i < each ? count - i : each;

		/* the last item may end with half a word */
		uint64_t words = (n * size + 7) / 8, got;

		if (!spend(r, words))
			return;
		got = scry_pypy_words(r->p, items + i * size, chunk, words);
		if (got < n * size / 8)
			return;
		for (uint64_t k = 0; k < n * places; k++)
			push(r, chunk[(k / places * size + place[k % places]) / 8]);
	}
}

static void push_array(struct reach *r, scry_addr object, const struct scry_pypy_type *t)
{
	struct scry_session *s = r->p->runtime->session;
	scry_addr info = r->p->group + t->tid, table;
	uint64_t bits, size, start, length_at, length, place[ITEM_POINTERS] = { 0 }, places = 1;

	if (scry_read_uint(s, info + INFO_BITS, 8, &bits) < 0 ||
	    !(bits & (HAS_VAR_POINTERS | IS_POINTER_ARRAY)) ||
	    scry_read_uint(s, info + INFO_ITEM, 8, &size) < 0 ||
	    scry_read_uint(s, info + INFO_VAR, 8, &start) < 0 ||
	    scry_read_uint(s, info + INFO_LENGTH, 8, &length_at) < 0 || start > 4096 ||
	    length_at > 4096 || scry_read_uint(s, object + length_at, 8, &length) < 0 ||
	    length > ITEMS_MAX)
		return;
	if (!(bits & IS_POINTER_ARRAY)) {
		if (scry_read_ptr(s, info + INFO_VAR_POINTERS, &table) < 0 ||
		    scry_read_uint(s, table, 8, &places) < 0 || places > ITEM_POINTERS ||
		    scry_pypy_words(r->p, table + 8, place, places) < places)
			return;
		for (uint64_t i = 0; i < places; i++)
			if (place[i] + 8 > size || place[i] % 8)
				return;
	}
	if (places)
		push_items(r, object + start, length, size, place, places);
}

/* --- what custom tracers know --- */

/* { base, top } of a thread that does not run: rpython/memory/gctransform/shadowstack.py */
static void trace_shadow_stack(struct reach *r, scry_addr object)
{
	scry_addr base, top;
	struct scry_session *s = r->p->runtime->session;

	if (scry_read_ptr(s, object + 8, &base) == SCRY_OK &&
	    scry_read_ptr(s, object + 16, &top) == SCRY_OK && base && top > base)
		push_loose_words(r, base, (top - base) / 8);
}

/* jitframe.py: { ..., length, items }: what of them are pointers only a map of bits tells */
static void trace_jit_frame(struct reach *r, scry_addr object)
{
	uint64_t at = r->p->field[SCRY_PYPY_JITFRAME_FRAME].offset, length;

	if (at && scry_read_uint(r->p->runtime->session, object + at, 8, &length) == SCRY_OK)
		push_loose_words(r, object + at + 8, length);
}

/*
 * rlib/_stacklet_shadowstack.py: { s_handle, s_sscopy }: a block that begins with the bytes of what
 * follows
 */
static void trace_stacklet(struct reach *r, scry_addr object)
{
	struct scry_session *s = r->p->runtime->session;
	scry_addr copy;
	uint64_t bytes;

	if (scry_read_ptr(s, object + 16, &copy) == SCRY_OK && copy &&
	    scry_read_uint(s, copy, 8, &bytes) == SCRY_OK && bytes % 8 == 0 &&
	    bytes / 8 < LOOSE_MAX)
		push_loose_words(r, copy + 8, bytes / 8);
}

static void trace(struct reach *r, scry_addr object, const struct scry_pypy_type *t)
{
	static const struct {
		const char *type;
		void (*trace)(struct reach *r, scry_addr object);
	} custom[] = { { "ShadowStackRef", trace_shadow_stack },
		       { "JITFRAME", trace_jit_frame },
		       { "Stacklet", trace_stacklet } };
	struct scry_session *s = r->p->runtime->session;
	uint64_t count = scry_pypy_pointer_count(r->p, t);
	scry_addr place, to;

	for (uint64_t i = 0; i < count && i < 4096; i++)
		if ((place = scry_pypy_pointer_at(r->p, t, i)) &&
		    scry_read_ptr(s, object + place, &to) == SCRY_OK)
			push(r, to);
	push_array(r, object, t);
	for (size_t i = 0; i < sizeof(custom) / sizeof(*custom); i++)
		if (!strcmp(t->name, custom[i].type))
			custom[i].trace(r, object);
}

/* --- roots --- */

/* The module's words that lead out of it. */
static bool lead_out(void *arg, scry_addr at, uint64_t word)
{
	struct reach *r = arg;

	(void)at;
	if (word < r->p->start || word >= r->p->end)
		push_loose(r, word);
	return true;
}

/* The words before the list of types in GCData: of the thread that runs (framework.py). */
#define ROOT_STACK_BASE 64
#define ROOT_STACK_TOP  56

static void push_stack(struct reach *r)
{
	struct scry_session *s = r->p->runtime->session;
	scry_addr base, top;

	if (scry_read_ptr(s, r->p->gcdata - ROOT_STACK_BASE, &base) == SCRY_OK &&
	    scry_read_ptr(s, r->p->gcdata - ROOT_STACK_TOP, &top) == SCRY_OK && base && top > base)
		push_loose_words(r, base, (top - base) / 8);
}

static void push_contexts(struct reach *r)
{
	struct scry_interp *interp = r->p->runtime->interps;
	scry_addr state = 0;

	for (unsigned i = 0; i < 65536; i++) {
		if (scry_pypy_next_state(interp, state, &state) < 0 || !state)
			return;
		push(r, scry_pypy_context(r->p, state));
	}
}

int scry_pypy_reach(struct scry_pypy *p, struct scry_pypy_reach *out)
{
	struct reach r = { .p = p, .words = words_of(p) };
	struct scry_session *s = p->runtime->session;
	uint64_t done = 0;
	int rc = SCRY_OK;

	push_contexts(&r);
	push_stack(&r);
	scry_pypy_visit(p, lead_out, &r);
	while (r.count && rc == SCRY_OK) {
		if (!scry_going(s, SCRY_PASS_OBJECTS, done++, 0))
			rc = scry_fail(s, SCRY_EFAULT, 0, "interrupted");
		scry_addr at = r.todo[--r.count], object = at;
		const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);

		if (!t || (object != at && scry_hash_add(&r.seen, object) <= 0))
			continue;
		trace(&r, object, t);
		out->found(out, object, t);
	}
	if (r.overlap && rc == SCRY_OK)
		rc = scry_fail(s, SCRY_ECORRUPT, 0,
			       "arrays and stacks of its objects overlap: they are damaged");
	if (r.full)
		rc = scry_fail(s, SCRY_ENOMEM, 0, "too many objects");
	free(r.todo);
	scry_hash_done(&r.seen);
	return rc;
}
