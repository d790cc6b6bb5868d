/* The frames of a traceback: with the places that they were at, and with their variables. */
#include "command/exception_show.h"

/* An entry's frame, with the place it was at when the exception passed. */
struct entry_stack {
	struct scry_stack stack;
	struct scry_traceback tb;
	struct scry_location where;
	unsigned depth;
};

static int next_entry(struct scry_stack *stack, struct scry_frame *ret)
{
	struct entry_stack *es = (struct entry_stack *)stack;
	int rc = scry_traceback_next(&es->tb, ret, &es->where);

	if (rc == SCRY_ITEM)
		ret->depth = es->depth++;
	if (rc == SCRY_ITEM && ret->code)
		ret->where = &es->where;
	return rc;
}

/* A limit leaves the first entries out: the last are where it was raised. How many are left out. */
static uint64_t skip_entries(struct scry_shown *shown, struct entry_stack *es)
{
	uint64_t limit = shown->call->s->options.limit[SCRY_LIMIT_FRAMES], count = 0, left;
	struct entry_stack all = *es;
	struct scry_frame f;

	while (limit && next_entry(&all.stack, &f) == SCRY_ITEM)
		count++;
	left = limit && count > limit ? count - limit : 0;
	for (uint64_t i = 0; i < left; i++)
		next_entry(&es->stack, &f);
	return left;
}

uint64_t scry_say_traceback(struct scry_shown *shown, scry_addr traceback)
{
	struct entry_stack es = {
		.stack = { .next = next_entry, .locals = true },
		.tb = { .runtime = shown->runtime, .next = traceback },
	};
	uint64_t left = skip_entries(shown, &es), newer;

	scry_say_omitted(shown->call, left);
	scry_say_frames(shown->call, &es.stack, &newer);
	return left;
}
