/* gc: the collector of PyPy, which has no generations to count, but a nursery and arenas. */
#include "command/pypy_gc_show.h"

static const char *const phases[] = {
	[SCRY_PYPY_GC_SCANNING] = "none",
	[SCRY_PYPY_GC_MARKING] = "marking",
	[SCRY_PYPY_GC_SWEEPING] = "sweeping",
	[SCRY_PYPY_GC_FINALIZING] = "finalizing",
};

static void get_under_way(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_pypy_gc *)subject)->phase != SCRY_PYPY_GC_SCANNING);
}

static void get_filled(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc *gc = subject;

	scry_said_int(ret, (int64_t)(gc->nursery_free - gc->nursery));
}

static void get_old(const void *subject, struct scry_said *ret)
{
	const struct scry_pypy_gc *gc = subject;

	scry_said_int(ret, (int64_t)(gc->arena_bytes + gc->raw_bytes));
}

#define SUBJECT struct scry_pypy_gc
static const struct scry_say fields[] = {
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
	SAY_GET("under_way", get_under_way, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const text[] = {
	"{?under_way}  a major collection is under way: {phase}; {made_old,} bytes have become old "
	"in it\n",
	"  major collections: {majors,}; all collections took {milliseconds,} ms\n",
	"  nursery {nursery}: {nursery_filled,} of {nursery_size,} bytes filled",
	"{?pinned}, {pinned,} pinned object{pinned+}",
	"\n",
	"  old: {arena_bytes,} bytes in {arenas,} arena{arenas+} of {arena_allocated,}, ",
	"{raw_bytes,} in large objects (at most {raw_peak,})\n",
	"  the next major collection begins at {threshold,} bytes; there are {old_bytes,}\n",
	NULL,
};

const struct scry_facts scry_facts_pypy_gc = { "incminimark", fields, text };
