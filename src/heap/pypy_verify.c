/*
 * Is PyPy's heap sound? Of what its collector reaches each object must have a header, a place that
 * is in use and a length that fits, and each reference must lead to one. Only what no sound heap
 * has is told: where a collection has moved some and not yet all, nothing is said of young ones.
 */
#include <inttypes.h>
#include <string.h>

#include "heap/pypy_kind.h"
#include "heap/verify.h"
#include "runtime/pypy/pypy.h"

static const char in_free_block[] = "it is a free block of an arena";

static const char *printed(struct scry_verify *v, const char *text, uint64_t number)
{
	return scry_arena_printf(&v->h->runtime->session->arena, "%s %" PRIu64, text, number);
}

static void mark_free(struct scry_verify *v, scry_addr at)
{
	uint64_t word = (at - v->page) / 8;

	v->free[word / 64] |= (uint64_t)1 << word % 64;
}

/* The free blocks of the page that an object is in: looked up once for all of its objects. */
static bool is_free(struct scry_verify *v, scry_addr addr)
{
	struct scry_session *s = v->h->runtime->session;
	struct scry_pypy_page page;
	uint64_t count, most;
	scry_addr at;

	if (!scry_pypy_page_of(v->h->runtime->pypy, addr, &page))
		return false;
	most = page.size / 8;
	if (most > 64 * sizeof(v->free) / sizeof(*v->free))
		return false;
	if (v->page != page.start) {
		v->page = page.start;
		memset(v->free, 0, sizeof(v->free));
		if (scry_read_uint(s, page.start + 16, 8, &count) < 0 || count > most ||
		    scry_read_ptr(s, page.start + 24, &at) < 0)
			return false;
		for (; count; count--) {
			if (at < page.first || at >= page.start + page.size || at % 8)
				break; /* the list itself is damaged: nothing more is known */
			mark_free(v, at);
			if (scry_read_ptr(s, at, &at) < 0)
				break;
		}
		/* after the last of them nothing was ever in use */
		for (; !count && at >= page.first && at < page.start + page.size; at += 8)
			mark_free(v, at);
	}
	return v->free[(addr - page.start) / 512] >> (addr - page.start) / 8 % 64 & 1;
}

/* The list of all objects has whatever has a type: what it lacks has none. */
void scry_pypy_judge(struct scry_verify *v, const struct scry_reference *ref)
{
	struct scry_runtime *r = v->h->runtime;
	struct scry_finding *f;
	scry_addr to = ref->to;
	uint8_t byte;

	if (scry_pypy_place_of(r->pypy, to) == SCRY_PYPY_VIRTUAL)
		return;
	if (to % 8) {
		f = scry_verify_add(v, SCRY_FINDING_NO_OBJECT, to, NULL, "it is not aligned");
	} else if (!scry_read_some(r->session, to, &byte, 1)) {
		/* what the dump lacks is not known */
		if (scry_map_at(r->session->target, to))
			return;
		f = scry_verify_add(v, SCRY_FINDING_NO_OBJECT, to, NULL, "no memory is there");
	} else if (scry_pypy_place_of(r->pypy, to) == SCRY_PYPY_OLD && is_free(v, to)) {
		f = scry_verify_add(v, SCRY_FINDING_DANGLING, to, NULL, in_free_block);
	} else {
		if (scry_pypy_type_of(r->pypy, &to))
			return;
		f = scry_verify_add(v, SCRY_FINDING_NO_OBJECT, to, NULL,
				    "its header has a type that does not exist");
	}
	if (f)
		f->found++;
}

/* A container that contradicts itself; NULL: none does. */
static const char *contradicts(struct scry_verify *v, const struct scry_pypy_type *t,
			       scry_addr addr)
{
	struct scry_pypy *p = v->h->runtime->pypy;
	struct scry_pypy_table table;
	enum scry_pypy_kind kind;
	uint64_t words[2], count;
	scry_addr items;

	if (!strcmp(t->name, "dicttable"))
		return scry_pypy_get(p, addr, SCRY_PYPY_TABLE_ENTRIES) &&
				       scry_pypy_table_open(p, addr, false, &table) == SCRY_ECORRUPT
			       ? scry_verify_reason(v)
			       : NULL;
	/* one that was just made has no items yet */
	if (!strcmp(t->name, "list") && scry_pypy_words(p, addr + 8, words, 2) == 2 && words[1])
		return scry_pypy_items_open(p, addr, false, &kind, &items, &count) == SCRY_ECORRUPT
			       ? scry_verify_reason(v)
			       : NULL;
	return NULL;
}

void scry_pypy_check(struct scry_verify *v, uint32_t object)
{
	struct scry_heap *h = v->h;
	struct scry_pypy *p = h->runtime->pypy;
	struct scry_session *s = h->runtime->session;
	scry_addr addr = h->objects[object].addr, at = addr;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &at);
	const char *name = scry_heap_type_name(h, scry_heap_type_of(h, object)), *why;
	enum scry_pypy_place place = scry_pypy_place_of(p, addr);
	uint64_t header, size;
	uint8_t byte;

	if (!t || at != addr || place == SCRY_PYPY_VIRTUAL ||
	    scry_read_uint(s, addr, 8, &header) < 0)
		return;
	if (header & ~(SCRY_PYPY_FLAGS | UINT32_MAX))
		scry_verify_add(v, SCRY_FINDING_TYPE, addr, name,
				"its header has flags that do not exist");
	if (place == SCRY_PYPY_YOUNG && addr >= p->nursery_free && !(header & SCRY_PYPY_PINNED))
		scry_verify_add(v, SCRY_FINDING_DANGLING, addr, name,
				"the nursery is free from before it on");
	if (place == SCRY_PYPY_OLD && is_free(v, addr))
		scry_verify_add(v, SCRY_FINDING_DANGLING, addr, name, in_free_block);
	size = scry_pypy_size_of(p, t, addr);
	if (!size)
		scry_verify_add(v, SCRY_FINDING_SIZE, addr, name, "its length is out of range");
	else if (!scry_map_at(s->target, addr + size - 1) &&
		 !scry_read_some(s, addr + size - 1, &byte, 1))
		scry_verify_add(v, SCRY_FINDING_SIZE, addr, name,
				printed(v, "no memory is there for its bytes:", size));
	why = contradicts(v, t, addr);
	if (why)
		scry_verify_add(v, SCRY_FINDING_TABLE, addr, name, why);
}
