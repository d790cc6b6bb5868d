/*
 * Which thread collects garbage: the collector keeps the heads of the lists that it makes, or what
 * it is told to do, in variables of its own, on the C stack of its thread.
 */
#include "memory/collecting.h"

#include "base/bytes.h"
#include "runtime/pypy/pypy.h"

#define STACK_MAX ((uint64_t)8 << 20) /* bytes of one C stack that are looked at */
/* without the flag that says that somebody collects: each time, so that it must cost little */
#define QUICK_MAX ((uint64_t)256 << 10)
/* Marks in the lowest bits of a link: Include/internal/pycore_gc.h, 3.8+ */
#define LINK(word) ((word) & ~(uint64_t)3)

/* What a C stack shows of a collection. */
enum signs {
	SIGNS_UNKNOWN, /* it cannot be read */
	SIGNS_NONE,
	SIGNS_EMPTY,  /* the head of an empty list: it may be left from an older collection */
	SIGNS_CERTAIN /* the head of a list that objects are in, or the collection's own state */
};

struct search {
	struct scry_runtime *runtime;
	struct scry_interp *interp;
	scry_addr gc;   /* the collector's state in the interpreter; 0: there are lists */
	unsigned sizes; /* bytes of a list's header: several may be possible */
	unsigned size[2];
};

static bool is_type(struct scry_runtime *r, scry_addr type)
{
	uint64_t meta, top;

	return type && type % r->session->target->abi.ptr_size == 0 &&
	       scry_field_read(r, type, SCRY_F_OBJECT_TYPE, &meta) == SCRY_OK &&
	       scry_field_read(r, meta, SCRY_F_OBJECT_TYPE, &top) == SCRY_OK && top == r->type_type;
}

static bool links(struct scry_runtime *r, scry_addr at, scry_addr to)
{
	uint64_t word;

	return scry_read_ptr(r->session, at, &word) == SCRY_OK && LINK(word) == to;
}

/*
 * Do the first and the last object of a list lead back to its head, and is the first one an object?
 */
static bool is_head(const struct search *search, scry_addr head, uint64_t next, uint64_t prev)
{
	struct scry_runtime *r = search->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t type;

	if (!links(r, next + ptr, head) || !links(r, prev, head))
		return false;
	for (unsigned i = 0; i < search->sizes; i++)
		if (scry_field_read(r, next + search->size[i], SCRY_F_OBJECT_TYPE, &type) ==
			    SCRY_OK &&
		    is_type(r, type))
			return true;
	return false;
}

/*
 * struct collection_state begins with the interpreter and its collector
 * (Python/gc_free_threading.c,
 * 3.13+); a PyGC_Head with the links forward and back (v2.7 to v3.15).
 */
static enum signs look_at(const struct search *search, scry_addr at, uint64_t first,
			  uint64_t second)
{
	if (search->gc)
		return first == search->interp->addr && second == search->gc ? SIGNS_CERTAIN
									     : SIGNS_NONE;
	first = LINK(first);
	second = LINK(second);
	if (first < 4096 || second < 4096)
		return SIGNS_NONE;
	if (first == at && second == at)
		return SIGNS_EMPTY;
	return first != at && second != at && is_head(search, at, first, second) ? SIGNS_CERTAIN
										 : SIGNS_NONE;
}

static enum signs signs_on(const struct search *search, const struct scry_thread *t, uint64_t max)
{
	struct scry_session *s = t->session;
	unsigned ptr = s->target->abi.ptr_size;
	enum signs best = SIGNS_NONE;
	scry_addr at, end;
	uint8_t block[4096 + 8];

	if (!t->os)
		return SIGNS_NONE; /* nobody runs there */
	scry_os_thread_regs(s->target, t->os);
	if (!scry_os_thread_stack(s->target, t->os, &at, &end))
		return t->os->exited ? SIGNS_NONE : SIGNS_UNKNOWN;
	at -= at % ptr;
	end = end - at > max ? at + max : end;
	for (; at + 2 * ptr <= end; at += 4096) {
		size_t want = end - at < 4096 + ptr ? (size_t)(end - at) : 4096 + ptr;
		size_t len = scry_read_some(s, at, block, want);

		for (size_t i = 0; i + 2 * ptr <= len; i += ptr) {
			enum signs signs =
				look_at(search, at + i,
					scry_load(block + i, ptr, s->target->abi.big_endian),
					scry_load(block + i + ptr, ptr, s->target->abi.big_endian));

			best = signs > best ? signs : best;
			if (best == SIGNS_CERTAIN)
				return best;
		}
		if (len < want)
			return best == SIGNS_NONE ? SIGNS_UNKNOWN : best;
	}
	return best;
}

static bool shares_collector(const struct scry_runtime *r)
{
	return !scry_layout_has(r->layout, SCRY_F_INTERP_GC_COLLECTING);
}

static bool is_candidate(const struct search *search, const struct scry_thread *t)
{
	return t->runtime == search->runtime && t->presence == SCRY_PRESENCE_HERE &&
	       (t->interp == search->interp || shares_collector(search->runtime));
}

/*
 * Where no stack shows it: one that gave the GIL away within a collection has made its lists
 * before, so it can only be the holder, who has not come that far. Somebody without the GIL who
 * has an empty list cannot be told from what an older collection left, unless nobody holds the GIL.
 */
static struct scry_thread *by_elimination(const struct search *search, struct scry_thread *holder,
					  struct scry_thread *empty, unsigned empties, bool unknown)
{
	if (search->gc || unknown)
		return NULL;
	if (!holder)
		return empties == 1 ? empty : NULL;
	return !empties || (empties == 1 && empty == holder) ? holder : NULL;
}

static struct scry_thread *find_collector(const struct search *search, bool flagged)
{
	struct scry_thread *holder = NULL, *empty = NULL;
	unsigned empties = 0;
	bool unknown = search->interp->cut != NULL;

	for (struct scry_thread *t = scry_thread_first(search->runtime->session); t; t = t->next) {
		if (!is_candidate(search, t))
			continue;
		enum signs signs = signs_on(search, t, flagged ? STACK_MAX : QUICK_MAX);
		if (signs == SIGNS_CERTAIN)
			return t;
		if (t->gil == SCRY_GIL_HELD)
			holder = t;
		unknown |= signs == SIGNS_UNKNOWN;
		if (signs == SIGNS_EMPTY) {
			empties++;
			empty = t;
		}
	}
	return flagged ? by_elimination(search, holder, empty, empties, unknown) : NULL;
}

bool scry_collection_noted(const struct scry_runtime *r)
{
	struct scry_symbol symbol;

	if (r->strategy->model != SCRY_MODEL_CPYTHON)
		return false;
	return scry_layout_has(r->layout, SCRY_F_INTERP_GC_COLLECTING) ||
	       scry_layout_has(r->layout, SCRY_F_RUNTIME_GC_COLLECTING) ||
	       (r->module && scry_module_symbol(r->module, "collecting", &symbol) == SCRY_OK);
}

static void mark(const struct search *search, struct scry_thread *found)
{
	/* several states of one thread: the one that has frames, or the GIL */
	for (struct scry_interp *i = search->runtime->interps;
	     i && shares_collector(search->runtime); i = i->next)
		i->gc_running = i == found->interp;
	found->interp->gc_running = true;
	found->interp->collector = found;
	found->in_gc = true;
}

static void search_interp(struct scry_interp *interp, bool flagged)
{
	struct scry_runtime *r = interp->runtime;
	unsigned ptr = r->session->target->abi.ptr_size, size = r->layout->size[SCRY_S_GC_HEAD];
	struct search search = { .runtime = r, .interp = interp };

	if (r->layout->flavour.free_threaded) {
		search.gc = scry_field_addr(r, interp->addr, SCRY_F_INTERP_GC);
		if (!search.gc)
			return;
	} else if (!scry_layout_has(r->layout, SCRY_F_GC_HEAD_REFS) && size) {
		search.size[search.sizes++] = size;
	} else {
		/* its alignment differs by micro version and by who patched it: memory/gc.c */
		search.size[search.sizes++] = 3 * ptr;
		search.size[search.sizes++] = 4 * ptr;
	}
	struct scry_thread *found = find_collector(&search, flagged);
	if (found)
		mark(&search, found);
}

/* PyPy's collector never gives the GIL away. */
static void mark_pypy(struct scry_runtime *r)
{
	struct scry_interp *i = r->interps;

	i->gc_running = r->pypy->minor;
	for (struct scry_thread *t = scry_thread_first(r->session); t && i->gc_running; t = t->next)
		if (t->runtime == r && t->gil == SCRY_GIL_HELD) {
			i->collector = t;
			t->in_gc = true;
		}
}

void scry_collectors_find(struct scry_session *s)
{
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next) {
		if (r->pypy)
			mark_pypy(r);
		if (r->strategy->model != SCRY_MODEL_CPYTHON)
			continue;
		bool known = scry_collection_noted(r);

		for (struct scry_interp *i = r->interps; i; i = i->next) {
			if (i->collector || (known && !i->gc_running))
				continue;
			search_interp(i, known);
			if (shares_collector(r))
				break;
		}
	}
}
