/* gc: the collector of PyPy, which has no generations to count, but a nursery and arenas. */
#include "command/pypy_gc_show.h"

#include "heap/index.h"
#include "runtime/pypy/pypy.h"

static const char *const phases[] = {
	[SCRY_PYPY_GC_SCANNING] = "none",
	[SCRY_PYPY_GC_MARKING] = "marking",
	[SCRY_PYPY_GC_SWEEPING] = "sweeping",
	[SCRY_PYPY_GC_FINALIZING] = "finalizing",
};

/*
 * Bytes of its old objects that are reached. Objects of PyPy's are not counted, and dead ones may
 * be led to by each other: which are dead only marking all from its own roots tells.
 */
bool scry_pypy_gc_count(struct scry_runtime *r, struct scry_pypy_gc_line *line)
{
	struct scry_heap *h;

	if (scry_heap_of(r, &h) < 0)
		return false;
	for (uint32_t i = 0; i < h->count; i++)
		if (scry_pypy_place_of(r->pypy, h->objects[i].addr) == SCRY_PYPY_OLD)
			line->reached += scry_heap_bytes(h, i);
	return line->reached <= line->gc->arena_bytes + line->gc->raw_bytes;
}

static void get_under_way(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_pypy_gc_line *)subject)->gc->phase !=
				    SCRY_PYPY_GC_SCANNING);
}

/* A step begins with a minor collection, after which the nursery is empty. */
static void get_stepping(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc *gc = ((const struct scry_pypy_gc_line *)subject)->gc;

	scry_said_bool(ret, gc->phase != SCRY_PYPY_GC_SCANNING && gc->nursery_free == gc->nursery);
}

static void get_filled(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc *gc = ((const struct scry_pypy_gc_line *)subject)->gc;

	ret->kind = SCRY_SAID_NULL;
	if (!gc->minor)
		scry_said_int(ret, (int64_t)(gc->nursery_free - gc->nursery));
}

static void get_old(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc *gc = ((const struct scry_pypy_gc_line *)subject)->gc;

	scry_said_int(ret, (int64_t)(gc->arena_bytes + gc->raw_bytes));
}

static void get_looked(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_pypy_gc_line *)subject)->looked);
}

static void get_reached(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc_line *line = subject;

	ret->kind = SCRY_SAID_NULL;
	if (line->looked)
		scry_said_int(ret, (int64_t)line->reached);
}

/* What nothing known leads to, and is not freed yet. */
static void get_unreached(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc_line *line = subject;

	ret->kind = SCRY_SAID_NULL;
	if (line->looked)
		scry_said_int(ret, (int64_t)(line->gc->arena_bytes + line->gc->raw_bytes -
					     line->reached));
}

#define SUBJECT struct scry_pypy_gc
static const struct scry_say fields[] = {
	SAY_BOOL("minor", minor),
	SAY_NAME("phase", phase, phases),
	SAY_INT("majors", majors),
	SAY_INT("milliseconds", milliseconds),
	SAY_ADDR("nursery", nursery),
	SAY_INT("nursery_size", nursery_size),
	SAY_GET("nursery_filled", get_filled),
	SAY_INT("pinned", pinned),
	SAY_GET("old_bytes", get_old),
	SAY_INT("arena_bytes", arena_bytes),
	SAY_INT("arena_allocated", arena_allocated),
	SAY_INT("arenas", arenas),
	SAY_INT("raw_bytes", raw_bytes),
	SAY_INT("raw_peak", raw_peak),
	SAY_INT("threshold", threshold),
	SAY_INT("made_old", made_old),
	SAY_GET("reached_bytes", get_reached, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("unreached_bytes", get_unreached, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("looked", get_looked, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("stepping", get_stepping, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("under_way", get_under_way, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const text[] = {
	"{?minor}  {:mark}a minor collection runs{}: an allocation found the nursery full, objects "
	"are being\n  moved out of it\n",
	"{?under_way}  a major collection is under way: {phase}; {made_old,} bytes have become old "
	"in it",
	"{?stepping}; a step of it may run now: nothing was allocated after the last minor "
	"collection",
	"{?under_way}\n",
	"  major collections: {majors,}; all collections took {milliseconds,} ms\n",
	"  nursery {nursery}: ",
	"{nursery_filled,} of {nursery_size,} bytes filled",
	"|{nursery_size,} bytes",
	"{?pinned}, {pinned,} pinned object{pinned+}",
	"\n",
	"  old: {arena_bytes,} bytes in {arenas,} arena{arenas+} of {arena_allocated,}, ",
	"{raw_bytes,} in large objects (at most {raw_peak,})\n",
	"  the next major collection begins at {threshold,} bytes; there are {old_bytes,}\n",
	"{?looked}  old objects that a known root leads to: {reached_bytes,} bytes; the other "
	"{unreached_bytes,}\n  are dead, or kept by what is not known: which, only a collection "
	"tells\n",
	NULL,
};

const struct scry_facts scry_facts_pypy_gc = { "incminimark", fields, text,
					       SCRY_THROUGH(struct scry_pypy_gc_line, gc) };
