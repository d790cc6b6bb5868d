/* What a function of the C stack was called with, by the code that called it. */
#include <string.h>

#include "native/fatal.h"

static const struct scry_entry no_entry = { NULL, NULL };

/* The call is the instruction that ends at the return address. */
static bool call_before(struct scry_decoder *d, scry_addr back, scry_addr *ret)
{
	struct scry_insn insn;

	for (*ret = back - 2; *ret >= back - 7; --*ret)
		if (scry_decode(d, *ret, &insn) && insn.kind == SCRY_INSN_CALL &&
		    *ret + insn.size == back)
			return true;
	return false;
}

static bool leads_to(struct scry_decoder *d, scry_addr target, scry_addr start)
{
	scry_addr to;

	return target == start || (scry_stub_target(d, target, &to) && to == start);
}

/*
 * The function at `from` ends by jumping to the one at `to`: what it puts into the register before
 * that. Its own frame is gone, and with it what it knew by others than itself.
 */
static bool before_jump(struct scry_crash *c, struct scry_decoder *d, const struct scry_regs *regs,
			scry_addr from, scry_addr to, int reg, uint64_t *ret)
{
	struct scry_native_frame f = { .regs = { .arch = regs->arch } };
	struct scry_listing code;
	unsigned jumps = 0;

	if (!scry_listing_read(d, from, &code))
		return false;
	for (size_t i = 0; i < code.count; i++) {
		const struct scry_insn *insn = &code.insns[i];

		if (insn->kind == SCRY_INSN_JUMP && insn->target &&
		    (insn->target < code.start || insn->target >= code.end) &&
		    leads_to(d, insn->target, to)) {
			f.pc = insn->addr;
			jumps++;
		}
	}
	scry_listing_done(&code);
	return jumps == 1 && scry_value_before(c, d, &f, f.pc, reg, no_entry, ret, NULL);
}

bool scry_call_argument(struct scry_crash *c, struct scry_decoder *d, unsigned i, unsigned number,
			uint64_t *ret)
{
	const struct scry_machine_code *code = &c->frames[0].regs.arch->code;
	const int8_t *args = c->session->target->abi.windows ? code->win64_args : code->args;
	const struct scry_native_frame *f = &c->frames[i], *caller = f + 1;
	scry_addr call, target, start, end;
	int in;

	if (i + 1 >= c->count || !caller->is_call)
		return false;
	for (unsigned k = 0; k <= number; k++)
		if (args[k] < 0)
			return false;
	if (scry_entry_kept(d, f, args[number], ret, &in))
		return true;
	if (!call_before(d, caller->pc, &call) ||
	    !scry_function_at(c->session, f->pc - f->is_call, &start, &end) ||
	    !scry_call_target(c, d, caller, call, no_entry, &target))
		return false;
	if (leads_to(d, target, start))
		return scry_value_before(c, d, caller, call, args[number], no_entry, ret, NULL);
	return before_jump(c, d, &caller->regs, target, start, args[number], ret);
}

const char *scry_crash_trimmed(struct scry_crash *c, const char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	return len ? scry_arena_text(&c->session->arena, text, len) : NULL;
}

const char *scry_call_text(struct scry_crash *c, struct scry_decoder *d, unsigned i,
			   unsigned number)
{
	const char *text;
	uint64_t value;

	return scry_call_argument(c, d, i, number, &value) && value &&
			       scry_read_cstr(c->session, value, SCRY_CRASH_TEXT_MAX, &text) ==
				       SCRY_OK
		       ? scry_crash_trimmed(c, text)
		       : NULL;
}
