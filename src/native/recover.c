/* Values that a frame has no more: out of its caller, or out of the code before a call. */
#include <dwarf.h>
#include <string.h>

#include "native/cfi.h"
#include "native/fatal.h"
#include "native/variables.h"

#define CALLERS_MAX 3
#define DEPTH_MAX   64

/* The call that a return address follows; 0 where that is not known. */
scry_addr scry_call_before(struct scry_decoder *d, scry_addr back)
{
	struct scry_insn insn;

	for (scry_addr at = back - 2; at > back - 8; at--)
		if (scry_decode(d, at, &insn) && insn.kind == SCRY_INSN_CALL &&
		    at + insn.size == back)
			return at;
	return 0;
}

/* What a register was at the entry of the function that the scope is in. */
static bool at_entry(void *arg, int reg, uint64_t *ret, bool *ret_doubtful)
{
	struct scry_scope *scope = arg;
	const char *how;
	bool known = scry_entry_value(scope, reg, ret, &how);

	*ret_doubtful = scope->doubtful;
	return known;
}

struct scry_entry scry_entry_of(struct scry_scope *scope)
{
	return (struct scry_entry) { at_entry, scope };
}

/* The value of a register at the call that frame `index` is in. */
static bool by_code(struct scry_scope *scope, size_t index, int reg, uint64_t *ret)
{
	const struct scry_native_frame *f = &scope->frames->frames[index];
	struct scry_crash crash = { .session = scope->frames->thread->session,
				    .thread = scope->frames->thread };
	struct scry_scope in = { .frames = scope->frames,
				 .index = index,
				 .frame = f,
				 .decoder = scope->decoder,
				 .depth = scope->depth + 1 };
	scry_addr call = scope->decoder && f->is_call ? scry_call_before(scope->decoder, f->pc) : 0;

	scope->doubtful = false;
	return call &&
	       scry_value_before(&crash, scope->decoder, f, call, reg,
				 (struct scry_entry) { at_entry, &in }, ret, &scope->doubtful);
}

bool scry_lost_value(struct scry_scope *scope, int reg, uint64_t *ret)
{
	return by_code(scope, scope->index, reg, ret);
}

/*
 * The call site of the return address `back`, somewhere in `parent`. DWARF 5, 3.4.1:
 * DW_AT_call_return_pc; GNU's older form has the same in DW_AT_low_pc. Sites of inlined functions
 * and blocks belong to the function around them.
 */
static bool find_site(Dwarf_Die *parent, Dwarf_Addr back, unsigned depth, Dwarf_Die *ret)
{
	Dwarf_Die die;

	for (int rc = dwarf_child(parent, &die); rc == 0; rc = dwarf_siblingof(&die, &die)) {
		int tag = dwarf_tag(&die);
		Dwarf_Attribute attr;
		Dwarf_Addr at;

		if (tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site) {
			bool has = dwarf_attr(&die, DW_AT_call_return_pc, &attr) ||
				   dwarf_attr(&die, DW_AT_low_pc, &attr);

			if (has && dwarf_formaddr(&attr, &at) == 0 && at == back) {
				*ret = die;
				return true;
			}
		} else if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
			   depth < DEPTH_MAX && find_site(&die, back, depth + 1, ret)) {
			return true;
		}
	}
	return false;
}

/*
 * What the site says of a register: an expression in the caller's frame. DW_AT_location names the
 * register of the parameter, DW_AT_call_value what the caller put there: by registers and memory
 * that outlive the call (3.4.2).
 */
static bool site_value(struct scry_scope *caller, Dwarf_Die *site, int reg, uint64_t *ret)
{
	const struct scry_arch *arch = caller->frame->regs.arch;
	Dwarf_Die die;

	for (int rc = dwarf_child(site, &die); rc == 0; rc = dwarf_siblingof(&die, &die)) {
		Dwarf_Attribute attr;
		Dwarf_Op *ops;
		size_t count;
		struct scry_place_of place;

		if (!dwarf_attr(&die, DW_AT_location, &attr) ||
		    dwarf_getlocation(&attr, &ops, &count) != 0 || count != 1 ||
		    ops[0].atom < DW_OP_reg0 || ops[0].atom > DW_OP_reg31 ||
		    scry_reg_by_dwarf(arch, ops[0].atom - DW_OP_reg0) != reg)
			continue;
		if (!dwarf_attr(&die, DW_AT_call_value, &attr) &&
		    !dwarf_attr(&die, DW_AT_GNU_call_site_value, &attr))
			return false;
		scry_location(caller, &attr, &place);
		/* such an expression is a value as it stands */
		*ret = place.word;
		return place.kind == SCRY_IN_MEMORY || place.kind == SCRY_IN_VALUE ||
		       place.kind == SCRY_IN_REGISTER;
	}
	return false;
}

/*
 * Does the caller's call lead to the function of the scope, and not to one that jumped here at its
 * end? What the caller put into registers was for that one then.
 */
static bool leads_here(struct scry_scope *scope, size_t caller)
{
	struct scry_session *s = scope->frames->thread->session;
	const struct scry_native_frame *f = &scope->frames->frames[caller];
	struct scry_crash crash = { .session = s, .thread = scope->frames->thread };
	struct scry_scope in = { .frames = scope->frames,
				 .index = caller,
				 .frame = f,
				 .decoder = scope->decoder,
				 .depth = scope->depth + 1 };
	scry_addr start, end, to,
		target = 0, call = scope->decoder ? scry_call_before(scope->decoder, f->pc) : 0;

	if (!scry_follows_call(s, f->pc, &target) || !target)
		if (!call ||
		    !scry_call_target(&crash, scope->decoder, f, call, scry_entry_of(&in), &target))
			return false;
	return scry_function_at(s, scope->frame->pc - scope->frame->is_call, &start, &end) &&
	       (target == start ||
		(scope->decoder && scry_stub_target(scope->decoder, target, &to) && to == start));
}

bool scry_survived(struct scry_scope *scope, int reg, uint64_t *ret)
{
	struct scry_session *s = scope->frames->thread->session;
	struct scry_crash crash = { .session = s, .thread = scope->frames->thread };
	const struct scry_machine_code *code = &scope->frame->regs.arch->code;
	const int8_t *args = s->target->abi.windows ? code->win64_args : code->args;

	/* the linker, which may have run before a function of another library, keeps arguments */
	while (*args >= 0 && *args != reg)
		args++;
	if (*args < 0 || !scope->decoder || scope->index > CALLERS_MAX)
		return false;
	for (size_t i = scope->index; i-- > 0;) {
		const struct scry_native_frame *f = &scope->frames->frames[i];
		struct scry_scope inner = { .frames = scope->frames,
					    .index = i,
					    .frame = f,
					    .decoder = scope->decoder,
					    .depth = scope->depth + 1 };
		scry_addr at = f->is_call ? scry_call_before(scope->decoder, f->pc) : f->pc;

		if (f->is_signal || f->is_guess || !at || !f[1].is_call ||
		    !leads_here(&inner, i + 1) ||
		    !scry_untouched(&crash, scope->decoder, f, at, reg))
			return false;
		if (f->regs.valid >> reg & 1) {
			*ret = f->regs.value[reg];
			return true;
		}
	}
	return false;
}

/* Does any instruction but `except` write to it, other than the pops that precede a return? */
static bool is_written(const struct scry_listing *code, size_t except, int reg)
{
	for (size_t i = 0; i < code->count; i++) {
		const struct scry_insn *insn = &code->insns[i];
		bool pops = false;

		for (unsigned k = 0; k < insn->count; k++)
			pops |= insn->operands[k].implicit && insn->operands[k].read;
		if (i != except && insn->writes >> reg & 1 && !pops)
			return true;
	}
	return false;
}

bool scry_entry_kept(struct scry_decoder *d, const struct scry_native_frame *f, int reg,
		     uint64_t *ret, int *ret_in)
{
	struct scry_listing code;
	scry_addr start, end;
	bool found = false, goes_on = true;

	if (!f->is_call || !scry_function_at(d->session, f->pc - 1, &start, &end) ||
	    !scry_listing_read(d, start, &code))
		return false;
	for (size_t i = 0; i < code.count && goes_on && !found && code.insns[i].addr < f->pc; i++) {
		const struct scry_insn *insn = &code.insns[i];
		const struct scry_operand *to = &insn->operands[0], *from = &insn->operands[1];

		found = insn->kind == SCRY_INSN_MOVE && from->kind == SCRY_OPERAND_REGISTER &&
			from->reg == reg && from->size == f->regs.arch->ptr_size &&
			to->kind == SCRY_OPERAND_REGISTER && to->reg >= 0 &&
			f->regs.valid >> to->reg & 1 && !is_written(&code, i, to->reg);
		if (found) {
			*ret = f->regs.value[to->reg];
			*ret_in = to->reg;
		}
		goes_on = insn->kind != SCRY_INSN_CALL && insn->kind != SCRY_INSN_JUMP &&
			  !(insn->writes >> reg & 1);
	}
	scry_listing_done(&code);
	return found;
}

/*
 * From the surest on: a register that unwinding restored, then what the compiler wrote down for
 * this purpose, then the code itself.
 */
bool scry_entry_value(struct scry_scope *scope, int reg, uint64_t *ret, const char **ret_how)
{
	const struct scry_frames *f = scope->frames;
	const struct scry_native_frame *caller =
		scope->index + 1 < f->count ? &f->frames[scope->index + 1] : NULL;
	struct scry_scope outer = { .decoder = scope->decoder, .depth = scope->depth + 1 };
	Dwarf_Die site;

	int in;

	scope->doubtful = false;
	if (scope->decoder && scry_entry_kept(scope->decoder, scope->frame, reg, ret, &in)) {
		*ret_how = scry_arena_printf(&scope->frames->thread->session->arena,
					     "the function keeps it in %s since its entry",
					     scope->frame->regs.arch->regs[in].name);
		return true;
	}
	if (!caller || !caller->is_call || caller->is_guess || scope->depth >= CALLERS_MAX)
		return false;
	if (caller->regs.valid >> reg & 1) {
		*ret = caller->regs.value[reg];
		*ret_how = "the caller's register, which unwinding restored";
		return true;
	}
	if (!leads_here(scope, scope->index + 1))
		return false;
	if (scry_scope_open(&outer, scope->frames, scope->index + 1) &&
	    find_site(&outer.function, caller->pc - outer.bias, 0, &site) &&
	    site_value(&outer, &site, reg, ret)) {
		scope->doubtful = outer.doubtful;
		*ret_how = outer.doubtful ? "perhaps: the caller's call site gives its value at "
					    "entry, by memory that may have been written to since"
					  : "the caller's call site gives its value at entry";
		return true;
	}
	if (!by_code(scope, scope->index + 1, reg, ret))
		return false;
	*ret_how = scope->doubtful ? "perhaps: the caller's code before the call gives its value "
				     "at entry, by memory that may have been written to since"
				   : "the caller's code before the call gives its value at entry";
	return true;
}
