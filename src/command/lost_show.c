/* Groups of objects that only hold one another. */
#include <stdlib.h>

#include "command/lost_show.h"

#define LOST_TYPES 4 /* types of one in text */

struct lost_type {
	const char *type;
	uint64_t count, bytes;
};

#define SUBJECT struct lost_type
static const struct scry_say lost_type_fields[] = {
	SAY_TEXT("type", type),
	SAY_INT("count", count),
	SAY_INT("bytes", bytes),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts lost_type_facts = {
	"lost type", lost_type_fields, (const char *const[]) { " {type:name} ({count,})", NULL }
};

/* By type, the one with the most bytes first; of text a few. */
static void each_lost_type(const void *subject, struct scry_renderer *to)
{
	const struct scry_lost_line *line = subject;
	const struct scry_lost *lost = line->lost;
	struct scry_heap *h = lost->h;
	struct lost_type *types = calloc(h->type_count + 1, sizeof(*types));
	size_t shown = line->call->json ? h->type_count : LOST_TYPES;

	for (uint32_t i = 0; types && i < h->count; i++)
		if (lost->group[i] == line->group->first) {
			types[h->objects[i].type].count++;
			types[h->objects[i].type].bytes += scry_heap_bytes(h, i);
		}
	for (size_t n = 0; types && n < shown; n++) {
		struct lost_type *best = types;

		for (size_t i = 0; i < h->type_count; i++)
			if (types[i].bytes > best->bytes)
				best = &types[i];
		if (!best->count)
			break;
		best->type = scry_heap_type_name(h, h->types[best - types]);
		scry_say(to, &lost_type_facts, best);
		best->bytes = best->count = 0;
	}
	free(types);
}

/* Why it is there still. */
static void get_kept(const void *subject, struct scry_said *ret)
{
	const struct scry_lost_line *line = subject;
	const struct scry_gc_summary *s = line->s;
	struct scry_runtime *r = line->lost->h->runtime;
	scry_addr addr = line->lost->h->objects[line->group->first].addr;
	int generation;

	if (line->group->finalizer)
		scry_said_text(ret, "an object in it has a __del__, which this version never calls "
				    "in a cycle");
	else if (s->permanent && (generation = scry_gc_generation(r, addr)) == SCRY_GC_PERMANENT)
		scry_said_text(ret, "gc.freeze() took it out of the collector's sight");
	else
		scry_said_text(ret, s->enabled == 0 ? "the collector is disabled"
				    : s->interp->gc_running
					    ? "a collection is under way"
					    : "no collection of its generation has run since");
}

static void get_lost_address(const void *subject, struct scry_said *ret)
{
	const struct scry_lost_line *line = subject;

	scry_said_addr(ret, line->lost->h->objects[line->group->first].addr);
}

#define SUBJECT struct scry_lost_group
static const struct scry_say lost_fields[] = {
	SAY_INT("objects", objects),
	SAY_INT("bytes", bytes),
	SAY_GET("address", get_lost_address),
	SAY_LIST("types", &lost_type_facts, each_lost_type),
	SAY_GET("kept", get_kept),
	SAY_END,
};
#undef SUBJECT
const struct scry_facts scry_facts_lost = {
	"lost", lost_fields,
	(const char *const[]) { "    {objects,} object{objects+}, {bytes,} bytes, from {address}:",
				"{types}", "; {kept}", "\n", NULL },
	SCRY_THROUGH(struct scry_lost_line, group)
};
