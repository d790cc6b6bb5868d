/* A part of the process's memory as a line. */
#include "command/heap_answer.h"

static void get_used(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_part *p = subject;

	ret->kind = SCRY_SAID_NULL;
	if (p->split)
		scry_said_int(ret, (int64_t)p->used);
}

static void get_free(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_part *p = subject;

	ret->kind = SCRY_SAID_NULL;
	if (p->split)
		scry_said_int(ret, (int64_t)p->free);
}

static void get_there(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_part *p = subject;

	ret->kind = SCRY_SAID_NULL;
	if (p->has_there)
		scry_said_int(ret, (int64_t)p->there);
}

#define SUBJECT struct scry_heap_part
static const struct scry_say part_fields[] = {
	SAY_TEXT("what", what),
	SAY_INT("bytes", bytes),
	SAY_GET("used", get_used),
	SAY_GET("free", get_free),
	SAY_GET("there", get_there),
	SAY_BOOL("part", part),
	SAY_END,
};
#undef SUBJECT

static const char *const part_text[] = {
	"  {bytes,%16}  {there,%16}  ",
	"|  {bytes,%16}                    ",
	"{?part}  ",
	"{what}",
	" ({used,} used, {free,} free)",
	"\n",
	NULL,
};
const struct scry_facts scry_facts_heap_part = { "memory", part_fields, part_text };
