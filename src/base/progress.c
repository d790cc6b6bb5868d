#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

static const struct words {
	const char *doing;
	const char *counted; /* NULL: bytes */
} passes[] = {
	[SCRY_PASS_UNPACK] = { "unpacking" },
	[SCRY_PASS_FIND] = { "looking for an interpreter" },
	[SCRY_PASS_OBJECTS] = { "finding objects", "objects" },
	[SCRY_PASS_FOLLOW] = { "following references", "objects" },
	[SCRY_PASS_SEARCH] = { "searching memory" },
	[SCRY_PASS_TARGETS] = { "reading", "targets" },
};

static void put_bytes(const struct words *w, uint64_t done, uint64_t total, char *text, size_t size)
{
	uint64_t most = total ? total : done;
	double unit = most >= 1000000000 ? 1e9 : 1e6;
	const char *name = unit == 1e9 ? "GB" : "MB";

	if (total)
		snprintf(text, size, "%s: %.1f of %.1f %s", w->doing, (double)done / unit,
			 (double)total / unit, name);
	else
		snprintf(text, size, "%s: %.1f %s", w->doing, (double)done / unit, name);
}

bool scry_progress_text(const struct scry_session *s, char *text, size_t size)
{
	unsigned pass = atomic_load_explicit(&s->progress.pass, memory_order_relaxed);
	uint64_t done = atomic_load_explicit(&s->progress.done, memory_order_relaxed);
	uint64_t total = atomic_load_explicit(&s->progress.total, memory_order_relaxed);

	if (pass == SCRY_PASS_NONE || pass >= sizeof(passes) / sizeof(*passes))
		return false;
	const struct words *w = &passes[pass];
	if (!w->counted)
		put_bytes(w, done, total, text, size);
	else if (total)
		snprintf(text, size, "%s: %" PRIu64 " of %" PRIu64 " %s", w->doing, done, total,
			 w->counted);
	else
		snprintf(text, size, "%s: %" PRIu64, w->doing, done);
	return true;
}
