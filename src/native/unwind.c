/* Choosing an unwinder, and what all of them share. */
#include <inttypes.h>
#include <string.h>

#include "native/cfi.h"
#include "native/place.h"

static const struct scry_unwinder *const unwinders[] = { &scry_unwinder_pe, &scry_unwinder_cfi,
							 NULL };

void scry_native_close(struct scry_session *s)
{
	scry_cfi_close(s);
	scry_places_close(s);
}

/* The frame that the registers themselves describe: there even where nothing can be unwound. */
static int give_innermost(struct scry_session *s, const struct scry_regs *start,
			  scry_unwind_fn *each, void *arg)
{
	struct scry_native_frame f = { .regs = *start, .pc = start->value[start->arch->pc] };

	scry_native_name(s, &f);
	return each(arg, &f) ? SCRY_ITEM : SCRY_OK;
}

/* The innermost frame is ours to give; unwinders begin with it, so it is skipped there. */
struct skip_first {
	scry_unwind_fn *each;
	void *arg;
	unsigned count, jumps;
	scry_addr last_sp;
	bool cycle;
};

#define JUMPS_MAX 64 /* from one stack down to another */

/*
 * Stacks grow down on every machine here: a caller's frame that is not above its callee's is a
 * cycle. But what a signal interrupted may have another stack than its handler.
 */
static bool leads_back(struct skip_first *skip, const struct scry_native_frame *f, scry_addr sp)
{
	if (skip->count <= 2 || sp > skip->last_sp)
		return false;
	return f->is_call || ++skip->jumps > JUMPS_MAX;
}

static bool give_outer(void *arg, const struct scry_native_frame *f)
{
	struct skip_first *skip = arg;
	scry_addr sp = f->regs.value[f->regs.arch->sp];

	if (skip->count++ == 0)
		return true;
	skip->cycle = leads_back(skip, f, sp);
	if (skip->cycle || skip->count > SCRY_UNWIND_MAX)
		return false;
	skip->last_sp = sp;
	return skip->each(skip->arg, f);
}

int scry_unwind(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each,
		void *arg)
{
	if (!start->arch || !(start->valid >> start->arch->pc & 1))
		return scry_fail_registers(s);
	int rc = give_innermost(s, start, each, arg);
	if (rc != SCRY_ITEM)
		return rc;
	struct skip_first skip = { .each = each,
				   .arg = arg,
				   .last_sp = start->value[start->arch->sp] };
	size_t i = 0;
	while (unwinders[i] && !unwinders[i]->fits(s))
		i++;
	if (!unwinders[i])
		return scry_fail(s, SCRY_EUNSUPPORTED, 0, "no unwinder for this machine");
	rc = unwinders[i]->walk(s, start, give_outer, &skip);
	if (skip.cycle)
		return scry_fail(s, SCRY_ECORRUPT, skip.last_sp,
				 "unwinding ends at the stack pointer 0x%" PRIx64
				 ": the stack leads back",
				 skip.last_sp);
	return rc;
}
