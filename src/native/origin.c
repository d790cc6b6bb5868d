/*
 * Where a register's value came from: back through the instructions of its function, as long as
 * only one way leads there.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "native/code_path.h"
#include "native/place.h"
#include "native/variables.h"

#define FRAMES_NEAR 4 /* whose variables may have the address */

/* --- the story, backwards --- */

static const char *reg_name(struct scry_code_path *p, int reg)
{
	return p->f->regs.arch->regs[reg].name;
}

static int argument_number(struct scry_code_path *p, int reg)
{
	const struct scry_machine_code *code = &p->f->regs.arch->code;
	const int8_t *args = p->c->session->target->abi.windows ? code->win64_args : code->args;

	for (int i = 0; args[i] >= 0; i++)
		if (args[i] == reg)
			return i + 1;
	return 0;
}

static void end_of_path(struct scry_code_path *p, int reg)
{
	struct scry_crash *c = p->c;
	int number = argument_number(p, reg);
	const char *function = c->frames[c->site].symbol.name;
	struct scry_frames frames = { c->thread, c->frames, c->count };
	SCRY_AUTO_BUF(name);

	if (!p->from_start)
		scry_crash_say(c, &c->origin,
			       "%s: several ways lead here, it is not followed further",
			       reg_name(p, reg));
	else if (number && scry_name_of_argument(&frames, c->site, (unsigned)number, &name))
		scry_crash_say(c, &c->origin, "%s is argument %d of %s, %s", reg_name(p, reg),
			       number, function ? function : "the function", name.text);
	else if (number)
		scry_crash_say(c, &c->origin, "%s is argument %d of %s", reg_name(p, reg), number,
			       function ? function : "the function");
	else
		scry_crash_say(c, &c->origin, "%s is what the caller had in it", reg_name(p, reg));
}

/* Where the same slot of the stack was written last, or p->count. */
static unsigned stored_at(struct scry_code_path *p, unsigned i, scry_addr slot)
{
	scry_addr at;

	for (i++; i < p->count; i++) {
		const struct scry_insn *insn = scry_path_step(p, i);
		const struct scry_operand *to = &insn->operands[0];

		if (insn->kind == SCRY_INSN_MOVE && to->kind == SCRY_OPERAND_MEMORY &&
		    to->written && scry_path_address(p, i, to, 0, &at) && at == slot)
			return i;
	}
	return i;
}

static bool on_stack(struct scry_code_path *p, scry_addr at)
{
	return at >= p->c->words.stack_start && at < p->c->words.stack_end;
}

/* "stack: full.in of hidden_caller", or what else is at the address. */
static void put_place(struct scry_code_path *p, scry_addr at, struct scry_buf *out)
{
	struct scry_crash *c = p->c;
	struct scry_frames frames = { c->thread, c->frames, c->count };

	scry_crash_put_meaning(c, at, out);
	for (unsigned i = c->site; on_stack(p, at) && i < c->count && i < c->site + FRAMES_NEAR;
	     i++) {
		SCRY_AUTO_BUF(name);

		if (!scry_name_of_address(&frames, i, at, &name))
			continue;
		scry_buf_printf(out, ": %s of %s", name.text,
				c->frames[i].symbol.name ? c->frames[i].symbol.name : "?");
		return;
	}
}

/* What was read from memory that is free now, by step `i`, and what was called since. */
static bool tell_freed(struct scry_code_path *p, unsigned i, scry_addr at, int reg)
{
	const struct scry_regs *regs = &p->f->regs;
	struct scry_load load = { .at = at,
				  .reg = reg_name(p, reg),
				  .has_value = regs->valid >> p->bad & 1,
				  .value = regs->value[p->bad] };

	/* the first step has not run, or is a call that led to where no code is */
	for (unsigned k = 1; k < i; k++)
		if (scry_path_step(p, k)->kind == SCRY_INSN_CALL && !load.calls++)
			load.callee = scry_path_callee(p, k);
	return scry_crash_tell_freed(p->c, &load);
}

/* The register holds what is at an address; told, and where that came from in turn. */
static int tell_load(struct scry_code_path *p, unsigned *i, int reg,
		     const struct scry_operand *from)
{
	struct scry_crash *c = p->c;
	SCRY_AUTO_BUF(text);
	SCRY_AUTO_BUF(what);
	uint64_t now;
	scry_addr at;

	scry_decode_text(p->d, scry_path_step(p, *i), &text);
	if (!scry_path_address(p, *i, from, 0, &at)) {
		scry_crash_say(c, &c->origin, "%s was loaded by  %s", reg_name(p, reg), text.text);
		return from->base;
	}
	if (c->load_count < SCRY_CRASH_LINES)
		c->loads[c->load_count++] = at;
	if (tell_freed(p, *i, at, reg))
		scry_buf_puts(&what, "free now");
	else
		put_place(p, at, &what);
	scry_crash_say(c, &c->origin, "%s was loaded from 0x%" PRIx64 " (%s) by  %s",
		       reg_name(p, reg), at, what.text, text.text);
	if (from->size == p->f->regs.arch->ptr_size && p->f->regs.valid >> reg & 1 &&
	    scry_path_changed(p, 0, reg) == *i &&
	    scry_read_uint(c->session, at, from->size, &now) == SCRY_OK &&
	    now != p->f->regs.value[reg])
		scry_crash_say(c, &c->origin,
			       "0x%" PRIx64 " was changed since: it holds 0x%" PRIx64 " now", at,
			       now);
	if (!on_stack(p, at))
		return -1;
	unsigned store = stored_at(p, *i, at);
	if (store == p->count)
		return -1;
	const struct scry_operand *stored = &scry_path_step(p, store)->operands[1];
	*i = store;
	if (stored->kind == SCRY_OPERAND_NUMBER)
		scry_crash_say(c, &c->origin, "%" PRId64 " was stored there", stored->number);
	return stored->kind == SCRY_OPERAND_REGISTER ? stored->reg : -1;
}

/* The one register that it was computed from, with a number: add $8,%rax; lea 8(%rbx),%rax. */
static int made_from(const struct scry_code_path *p, const struct scry_insn *insn, int reg)
{
	const struct scry_operand *to = &insn->operands[0], *from = &insn->operands[1];
	const struct scry_arch *arch = p->f->regs.arch;

	if (insn->count != 2 || to->kind != SCRY_OPERAND_REGISTER || to->reg != reg)
		return -1;
	if (insn->kind == SCRY_INSN_OTHER && to->read && from->kind == SCRY_OPERAND_NUMBER)
		return reg;
	return insn->kind == SCRY_INSN_ADDRESS && from->kind == SCRY_OPERAND_MEMORY &&
			       from->index < 0 && from->base != arch->pc && from->base != arch->sp
		       ? from->base
		       : -1;
}

/* What the instruction says of the register; which one to follow before it, or -1: the end. */
static int tell(struct scry_code_path *p, unsigned *i, int reg)
{
	struct scry_crash *c = p->c;
	const struct scry_insn *insn = scry_path_step(p, *i);
	const struct scry_operand *from = &insn->operands[1];
	SCRY_AUTO_BUF(text);

	if (insn->kind == SCRY_INSN_CALL) {
		const char *callee = scry_path_callee(p, *i);

		if (reg == p->f->regs.arch->code.result)
			scry_crash_say(c, &c->origin, "%s was returned by %s", reg_name(p, reg),
				       callee ? callee : "a function whose name is not known");
		else
			scry_crash_say(c, &c->origin, "%s was lost in a call of %s",
				       reg_name(p, reg), callee ? callee : "a function");
		return -1;
	}
	if (insn->kind == SCRY_INSN_MOVE && from->kind == SCRY_OPERAND_REGISTER && from->reg >= 0) {
		scry_crash_say(c, &c->origin, "%s was copied from %s", reg_name(p, reg),
			       reg_name(p, from->reg));
		return from->reg;
	}
	if (insn->kind == SCRY_INSN_MOVE && from->kind == SCRY_OPERAND_MEMORY)
		return tell_load(p, i, reg, from);
	scry_decode_text(p->d, insn, &text);
	scry_crash_say(c, &c->origin, "%s was set by  %s", reg_name(p, reg), text.text);
	return made_from(p, insn, reg);
}

static void follow(struct scry_code_path *p, int reg)
{
	unsigned i = 0;

	while (reg >= 0 && p->c->origin.count < SCRY_CRASH_LINES / 2) {
		i = scry_path_changed(p, i, reg);
		if (i >= p->count) {
			end_of_path(p, reg);
			return;
		}
		reg = tell(p, &i, reg);
	}
}

/* call *0x30(%rax): where the pointer to the function stands */
static void tell_pointer(struct scry_crash *c, const struct scry_native_frame *f)
{
	const struct scry_operand *o = &c->insn.operands[0];
	scry_addr at;
	SCRY_AUTO_BUF(what);

	if ((c->insn.kind != SCRY_INSN_CALL && c->insn.kind != SCRY_INSN_JUMP) || !c->insn.count ||
	    o->kind != SCRY_OPERAND_MEMORY || !scry_operand_address(c, &f->regs, &c->insn, o, &at))
		return;
	scry_crash_put_meaning(c, at, &what);
	scry_crash_say(c, &c->origin, "its target was loaded from 0x%" PRIx64 " (%s)", at,
		       what.text);
}

void scry_crash_origin(struct scry_crash *c, struct scry_decoder *d, int reg)
{
	struct scry_code_path *p = malloc(sizeof(*p));
	const struct scry_native_frame *f = &c->frames[0];
	struct scry_native_frame called;
	struct scry_frames frames = { c->thread, c->frames, c->count, NULL };
	struct scry_scope scope = { .frames = &frames, .index = c->site, .decoder = d };
	bool ok;

	/* a jump to nowhere: the caller's registers are those of the crash, but the stack's */
	if (c->site == 1) {
		called = c->frames[0];
		called.pc = c->insn.addr;
		called.is_call = false;
		called.regs.value[called.regs.arch->sp] =
			c->frames[1].regs.value[called.regs.arch->sp];
		f = &called;
	}
	scope.frame = f;
	tell_pointer(c, f);
	ok = reg >= 0 && p && scry_path_open(p, c, d, f, c->insn.addr);
	if (ok) {
		p->bad = reg;
		p->entry = scry_entry_of(&scope);
		follow(p, reg);
		scry_path_done(p);
	}
	free(p);
}
