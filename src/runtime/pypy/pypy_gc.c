/*
 * The state of PyPy's collector. Its object is not in its own heap, so that no list describes
 * it; its fields are in the order of their names (7.3.3 to 8.0.1 have the same). They are counted
 * from the one that names the nursery, which is found by its neighbours, and are believed only
 * where those whose values are known in advance are what they should be.
 */
#include "runtime/pypy/pypy_gc.h"

#include <string.h>

#include "runtime/pypy/pypy.h"

/* In words from "nursery": rpython/memory/gc/incminimark.py */
enum {
	ARENAS = -35, /* ac, an ArenaCollection */
	STATE = -23,  /* gc_state */
	GROWTH = -21, /* growth_rate_max: float */
	RATIO = -11,  /* major_collection_threshold: float */
	LEAST = -6,   /* min_heap_size: float */
	NEXT = -3,    /* next_major_collection_threshold: float */
	LARGE = -2,   /* nonlarge_max */
	MAJORS = -1,  /* num_major_collects */
	NURSERY = 0,
	FREE = 2, /* nursery_free */
	SIZE = 4, /* nursery_size */
	PINNED = 16,
	RAW_PEAK = 20, /* rawmalloced_peak_size */
	RAW = 21,      /* rawmalloced_total_size */
	MADE_OLD = 32, /* size_objects_made_old */
	SMALL = 33,    /* small_request_threshold */
	TIME = 39,     /* total_gc_time: float, seconds */
	FLAGS = 48     /* bools, a byte each: any_pinned_object_kept, enabled ... */
};
#define FIRST        (-35)
#define WORDS        84
#define ENABLED_BYTE 1
#define COUNT_MAX    ((uint64_t)1 << 48) /* no process has so many bytes */

/* ArenaCollection, in words: rpython/memory/gc/minimarkpage.py */
enum {
	ARENA_SIZE = 1,
	ARENA_COUNT = 2,
	ARENA_PAGE = 15,
	ARENA_SMALL = 19,     /* small_request_threshold, again */
	ARENA_ALLOCATED = 20, /* total_memory_alloced */
	ARENA_USED = 21,      /* total_memory_used */
	ARENA_WORDS = 22
};

static double as_float(uint64_t word)
{
	double value;

	memcpy(&value, &word, sizeof(value));
	return value;
}

/* Bytes that are kept as a float: no more than there can be. */
static bool is_bytes(uint64_t word)
{
	double value = as_float(word);

	return value >= 0 && value < 281474976710656.0; /* 2**48 */
}

static bool is_factor(uint64_t word)
{
	double value = as_float(word);

	return value >= 1 && value <= 1000;
}

static bool is_power(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* Numbers of bytes, and of what has some. */
static bool are_counts(const uint64_t *w, const uint64_t *arenas)
{
	return w[SIZE] < COUNT_MAX && w[MAJORS] < COUNT_MAX && w[PINNED] < COUNT_MAX &&
	       w[MADE_OLD] < COUNT_MAX && w[RAW_PEAK] < COUNT_MAX &&
	       arenas[ARENA_COUNT] < COUNT_MAX && arenas[ARENA_ALLOCATED] < COUNT_MAX;
}

/* The bools are in memory one after another. */
static unsigned enabled(const uint64_t *w, bool big_endian)
{
	return w[FLAGS] >> 8 * (big_endian ? 7 - ENABLED_BYTE : ENABLED_BYTE) & 0xff;
}

static bool fits(const uint64_t *w, const uint64_t *arenas)
{
	return w[STATE] < SCRY_PYPY_GC_PHASES && is_factor(w[GROWTH]) && is_factor(w[RATIO]) &&
	       is_bytes(w[LEAST]) && is_bytes(w[NEXT]) && as_float(w[NEXT]) >= 1 &&
	       w[LARGE] > w[SMALL] && w[LARGE] < w[SIZE] && w[SMALL] % 8 == 0 &&
	       w[RAW] <= w[RAW_PEAK] && as_float(w[TIME]) >= 0 && as_float(w[TIME]) < 1e9 &&
	       arenas[ARENA_SMALL] == w[SMALL] && is_power(arenas[ARENA_SIZE]) &&
	       is_power(arenas[ARENA_PAGE]) && arenas[ARENA_PAGE] < arenas[ARENA_SIZE] &&
	       arenas[ARENA_USED] <= arenas[ARENA_ALLOCATED] &&
	       (!w[FREE] || (w[FREE] >= w[NURSERY] && w[FREE] - w[NURSERY] <= w[SIZE])) &&
	       are_counts(w, arenas);
}

int scry_pypy_gc_read(struct scry_runtime *r, struct scry_pypy_gc *ret)
{
	struct scry_pypy *p = r->pypy;
	uint64_t words[WORDS], arenas[ARENA_WORDS];
	const uint64_t *w = words - FIRST;

	if (!p)
		return SCRY_ENOTFOUND;
	bool big = r->session->target->abi.big_endian;
	if (!p->nursery_named ||
	    scry_pypy_words(p, p->nursery_named - 8 * (scry_addr)-FIRST, words, WORDS) < WORDS ||
	    scry_pypy_words(p, w[ARENAS], arenas, ARENA_WORDS) < ARENA_WORDS || !fits(w, arenas) ||
	    enabled(w, big) > 1)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, p->nursery_named,
				 "the state of this PyPy's collector was not found");
	*ret = (struct scry_pypy_gc) {
		.minor = p->minor,
		.phase = (enum scry_pypy_gc_phase)w[STATE],
		.enabled = enabled(w, big),
		.majors = w[MAJORS],
		.milliseconds = (uint64_t)(as_float(w[TIME]) * 1000),
		.nursery = w[NURSERY],
		.nursery_free = w[FREE],
		.nursery_size = w[SIZE],
		.pinned = w[PINNED],
		.arena_bytes = arenas[ARENA_USED],
		.arena_allocated = arenas[ARENA_ALLOCATED],
		.arenas = arenas[ARENA_COUNT],
		.raw_bytes = w[RAW],
		.raw_peak = w[RAW_PEAK],
		.threshold = (uint64_t)as_float(w[NEXT]),
		.made_old = w[MADE_OLD],
	};
	return SCRY_OK;
}
