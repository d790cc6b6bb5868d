/* Choosing an unwinder, and what all of them share. */
#include <inttypes.h>
#include <string.h>

#include "native/cfi.h"
#include "native/place.h"

static const struct scry_unwinder *const unwinders[] = { &scry_unwinder_pe, &scry_unwinder_cfi, NULL };

void scry_native_close(struct scry_session *s)
{
	scry_cfi_close(s);
	scry_places_close(s);
}

/* The frame that the registers themselves describe: there even where nothing can be unwound. */
static int give_innermost(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each, void *arg)
{
	struct scry_native_frame f = { .regs = *start, .pc = start->value[start->arch->pc] };

	scry_native_name(s, &f);
	return each(arg, &f) ? SCRY_ITEM : SCRY_OK;
}

/* The innermost frame is ours to give; unwinders begin with it, so it is skipped there. */
struct skip_first {
	scry_unwind_fn *each;
	void *arg;
	unsigned count;
	scry_addr last_sp;
};

static bool give_outer(void *arg, const struct scry_native_frame *f)
{
	struct skip_first *skip = arg;
	scry_addr sp = f->regs.value[f->regs.arch->sp];

	if (skip->count++ == 0)
		return true;
	/*
	 * Stacks grow down on every machine here: a caller's frame that is not above its callee's is a cycle. But what a
	 * signal interrupted may have another stack than its handler.
	 */
	if (skip->count > SCRY_UNWIND_MAX || (skip->count > 2 && f->is_call && sp && sp <= skip->last_sp))
		return false;
	skip->last_sp = sp;
	return skip->each(skip->arg, f);
}

int scry_unwind(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each, void *arg)
{
	if (!start->arch || !(start->valid >> start->arch->pc & 1))
		return scry_fail(s, SCRY_ENOTFOUND, 0, "the registers of this thread are not known");
	int rc = give_innermost(s, start, each, arg);
	if (rc != SCRY_ITEM)
		return rc;
	struct skip_first skip = { .each = each, .arg = arg, .last_sp = start->value[start->arch->sp] };
	for (size_t i = 0; unwinders[i]; i++)
		if (unwinders[i]->fits(s))
			return unwinders[i]->walk(s, start, give_outer, &skip);
	return scry_fail(s, SCRY_EUNSUPPORTED, 0, "no unwinder for this machine");
}
