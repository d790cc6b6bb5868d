/* Unwinding by .pdata (Win64). */
#include <inttypes.h>

#include "native/native.h"
#include "symbol/pe.h"

static bool fits(struct scry_session *s)
{
	return s->target->abi.windows && s->target->arch;
}

static int walk(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each,
		void *arg)
{
	struct scry_native_frame f = { .regs = *start, .pc = start->value[start->arch->pc] };

	for (unsigned depth = 0; depth < SCRY_UNWIND_MAX; depth++) {
		f.is_call = depth > 0;
		scry_native_name(s, &f);
		if (!each(arg, &f))
			return SCRY_OK;
		if (!f.module)
			return scry_fail(s, SCRY_EFAULT, f.pc,
					 "unwinding ends at 0x%" PRIx64 ": in no module", f.pc);
		int rc = scry_pe_unwind(f.module, &f.regs);
		if (rc < 0)
			return rc;
		f.pc = f.regs.value[f.regs.arch->pc];
		if (!f.pc)
			return SCRY_OK;
	}
	return SCRY_OK;
}

const struct scry_unwinder scry_unwinder_pe = { "pdata", fits, walk };
