/*
 * Where a register's value came from: back through the instructions of its function, as long as
 * only one way leads there.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "native/fatal.h"
#include "native/place.h"
#include "native/variables.h"

#define PATH_MAX_STEPS 600
#define DEPTH_MAX      8
#define FRAMES_NEAR    4 /* whose variables may have the address */

struct path {
	struct scry_crash *c;
	struct scry_decoder *d;
	const struct scry_native_frame *f;
	struct scry_listing code;
	/* indices of instructions, from the one at hand back; it has not run (or is the call) */
	uint32_t steps[PATH_MAX_STEPS];
	unsigned count;
	bool from_start; /* the path begins with the function */
	int bad;         /* the register whose value is followed: it is moved as it is */
	struct scry_entry entry;
};

/* --- the one way back --- */

/* How many jumps lead to an address; the last one's index. */
static unsigned jumps_to(const struct scry_listing *l, scry_addr to, uint32_t *ret_from)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->insns[i].kind == SCRY_INSN_JUMP && l->insns[i].target == to) {
			*ret_from = (uint32_t)i;
			n++;
		}
	return n;
}

static bool visited(const struct path *p, uint32_t step)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->steps[i] == step)
			return true;
	return false;
}

static void walk_back(struct path *p, uint32_t at, const struct scry_labels *labels)
{
	p->steps[p->count++] = at;
	while (p->count < PATH_MAX_STEPS) {
		uint32_t from = 0;
		unsigned jumps = jumps_to(&p->code, p->code.insns[at].addr, &from);
		bool falls = at && !scry_insn_ends(&p->code.insns[at - 1]);

		if (scry_labels_have(labels, p->code.insns[at].addr))
			jumps += 2; /* a case: which one it was is not known */
		if (!jumps && at == 0)
			p->from_start = true;
		if (jumps + falls != 1)
			return;
		at = falls ? at - 1 : from;
		if (visited(p, at))
			return;
		p->steps[p->count++] = at;
	}
}

static bool path_open(struct path *p, struct scry_crash *c, struct scry_decoder *d,
		      const struct scry_native_frame *f, scry_addr at)
{
	struct scry_labels labels;

	*p = (struct path) { .c = c, .d = d, .f = f };
	if (!scry_listing_read(d, at, &p->code))
		return false;
	scry_labels_read(d, &p->code, &labels);
	walk_back(p, (uint32_t)scry_listing_find(&p->code, at), &labels);
	scry_labels_done(&labels);
	return true;
}

static const struct scry_insn *step(const struct path *p, unsigned i)
{
	return &p->code.insns[p->steps[i]];
}

static bool is_volatile(const struct path *p, int reg)
{
	const struct scry_reg_row *row = &p->f->regs.arch->regs[reg];

	return (p->c->session->target->abi.windows ? row->win64 : row->sysv) == SCRY_VOLATILE;
}

static bool changes(const struct path *p, const struct scry_insn *insn, int reg)
{
	if (insn->kind == SCRY_INSN_CALL)
		return is_volatile(p, reg);
	/* a push moves the stack pointer, whatever capstone lists */
	for (unsigned i = 0; i < insn->count; i++)
		if (insn->operands[i].implicit && reg == p->f->regs.arch->sp)
			return true;
	return insn->writes >> reg & 1;
}

/* The step that last changed a register before step `i`, or p->count. */
static unsigned changed_at(const struct path *p, unsigned i, int reg)
{
	for (i++; i < p->count && !changes(p, step(p, i), reg); i++)
		;
	return i;
}

/* --- values --- */

static bool value_at(const struct path *p, unsigned i, int reg, unsigned depth, uint64_t *ret);

static bool address_at(const struct path *p, unsigned i, const struct scry_operand *o,
		       unsigned depth, scry_addr *ret)
{
	const struct scry_arch *arch = p->f->regs.arch;
	uint64_t address = (uint64_t)o->offset, value;
	const int regs[] = { o->base, o->index };

	if (o->of_thread)
		address += p->c->thread->os->tls;
	for (unsigned k = 0; k < 2; k++) {
		if (regs[k] < 0)
			continue;
		if (regs[k] == arch->pc)
			value = step(p, i)->addr + step(p, i)->size;
		else if (!value_at(p, i, regs[k], depth, &value))
			return false;
		address += value * (k ? o->scale : 1);
	}
	*ret = arch->ptr_size == 4 ? (uint32_t)address : address;
	return true;
}

/* What an instruction leaves in the register that it writes. */
static bool result_of(const struct path *p, unsigned i, unsigned depth, uint64_t *ret)
{
	const struct scry_insn *insn = step(p, i);
	const struct scry_operand *from = &insn->operands[1];
	scry_addr at;

	if (insn->kind == SCRY_INSN_CLEAR) {
		*ret = 0;
		return true;
	}
	if (insn->kind == SCRY_INSN_ADDRESS && from->kind == SCRY_OPERAND_MEMORY)
		return address_at(p, i, from, depth, ret);
	if (insn->kind != SCRY_INSN_MOVE)
		return false;
	if (from->kind == SCRY_OPERAND_NUMBER) {
		*ret = (uint64_t)from->number;
		return true;
	}
	if (from->kind == SCRY_OPERAND_REGISTER)
		return from->reg >= 0 && value_at(p, i, from->reg, depth, ret);
	return address_at(p, i, from, depth, &at) && from->size &&
	       scry_read_uint(p->c->session, at, from->size > 8 ? 8 : from->size, ret) == SCRY_OK;
}

/* The value that a register had before the instruction of step `i`. */
static bool value_at(const struct path *p, unsigned i, int reg, unsigned depth, uint64_t *ret)
{
	const struct scry_regs *regs = &p->f->regs;
	bool kept = true;

	if (depth > DEPTH_MAX)
		return false;
	/* nothing has changed it from there on: it is in the register still */
	for (unsigned k = p->f->is_call ? 0 : 1; k <= i && kept; k++)
		kept = !changes(p, step(p, k), reg);
	if (kept && regs->valid >> reg & 1) {
		*ret = regs->value[reg];
		return true;
	}
	unsigned at = changed_at(p, i, reg);
	if (at == p->count && p->from_start && p->entry.fn)
		return p->entry.fn(p->entry.arg, reg, ret);
	return at < p->count && step(p, at)->kind != SCRY_INSN_CALL &&
	       result_of(p, at, depth + 1, ret);
}

bool scry_value_before(struct scry_crash *c, struct scry_decoder *d,
		       const struct scry_native_frame *f, scry_addr at, int reg,
		       struct scry_entry entry, uint64_t *ret)
{
	struct path *p = malloc(sizeof(*p));
	bool ok = p && path_open(p, c, d, f, at);
	if (ok)
		p->entry = entry;
	bool found = ok && value_at(p, 0, reg, 0, ret);

	if (ok)
		scry_listing_done(&p->code);
	free(p);
	return found;
}

/* --- what is called --- */

static const char *callee_of(const struct path *p, unsigned i)
{
	const struct scry_insn *insn = step(p, i);
	const struct scry_operand *o = &insn->operands[0];
	scry_addr to = insn->target, at;

	if (!to && insn->count && o->kind == SCRY_OPERAND_REGISTER && o->reg >= 0 &&
	    !value_at(p, i, o->reg, 0, &to))
		return NULL;
	if (!to && insn->count && o->kind == SCRY_OPERAND_MEMORY &&
	    (!address_at(p, i, o, 0, &at) || scry_read_ptr(p->c->session, at, &to) < 0))
		return NULL;
	return to ? scry_crash_function(p->c, p->d, to) : NULL;
}

/* --- the story, backwards --- */

static const char *reg_name(const struct path *p, int reg)
{
	return p->f->regs.arch->regs[reg].name;
}

static int argument_number(const struct path *p, int reg)
{
	const struct scry_machine_code *code = &p->f->regs.arch->code;
	const int8_t *args = p->c->session->target->abi.windows ? code->win64_args : code->args;

	for (int i = 0; args[i] >= 0; i++)
		if (args[i] == reg)
			return i + 1;
	return 0;
}

static void end_of_path(const struct path *p, int reg)
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
static unsigned stored_at(const struct path *p, unsigned i, scry_addr slot)
{
	scry_addr at;

	for (i++; i < p->count; i++) {
		const struct scry_insn *insn = step(p, i);
		const struct scry_operand *to = &insn->operands[0];

		if (insn->kind == SCRY_INSN_MOVE && to->kind == SCRY_OPERAND_MEMORY &&
		    to->written && address_at(p, i, to, 0, &at) && at == slot)
			return i;
	}
	return i;
}

static bool on_stack(const struct path *p, scry_addr at)
{
	return at >= p->c->words.stack_start && at < p->c->words.stack_end;
}

/* "stack: full.in of hidden_caller", or what else is at the address. */
static void put_place(const struct path *p, scry_addr at, struct scry_buf *out)
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
static bool tell_freed(const struct path *p, unsigned i, scry_addr at, int reg)
{
	const struct scry_regs *regs = &p->f->regs;
	struct scry_load load = { .at = at,
				  .reg = reg_name(p, reg),
				  .has_value = regs->valid >> p->bad & 1,
				  .value = regs->value[p->bad] };

	/* the first step has not run, or is a call that led to where no code is */
	for (unsigned k = 1; k < i; k++)
		if (step(p, k)->kind == SCRY_INSN_CALL && !load.calls++)
			load.callee = callee_of(p, k);
	return scry_crash_tell_freed(p->c, &load);
}

/* The register holds what is at an address; told, and where that came from in turn. */
static int tell_load(const struct path *p, unsigned *i, int reg, const struct scry_operand *from)
{
	struct scry_crash *c = p->c;
	SCRY_AUTO_BUF(text);
	SCRY_AUTO_BUF(what);
	uint64_t now;
	scry_addr at;

	scry_decode_text(p->d, step(p, *i), &text);
	if (!address_at(p, *i, from, 0, &at)) {
		scry_crash_say(c, &c->origin, "%s was loaded by  %s", reg_name(p, reg), text.text);
		return from->base;
	}
	if (tell_freed(p, *i, at, reg))
		scry_buf_puts(&what, "free now");
	else
		put_place(p, at, &what);
	scry_crash_say(c, &c->origin, "%s was loaded from 0x%" PRIx64 " (%s) by  %s",
		       reg_name(p, reg), at, what.text, text.text);
	if (from->size == p->f->regs.arch->ptr_size && p->f->regs.valid >> reg & 1 &&
	    changed_at(p, 0, reg) == *i &&
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
	const struct scry_operand *stored = &step(p, store)->operands[1];
	*i = store;
	if (stored->kind == SCRY_OPERAND_NUMBER)
		scry_crash_say(c, &c->origin, "%" PRId64 " was stored there", stored->number);
	return stored->kind == SCRY_OPERAND_REGISTER ? stored->reg : -1;
}

/* What the instruction says of the register; which one to follow before it, or -1: the end. */
static int tell(const struct path *p, unsigned *i, int reg)
{
	struct scry_crash *c = p->c;
	const struct scry_insn *insn = step(p, *i);
	const struct scry_operand *from = &insn->operands[1];
	SCRY_AUTO_BUF(text);

	if (insn->kind == SCRY_INSN_CALL) {
		const char *callee = callee_of(p, *i);

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
	return -1;
}

static void follow(const struct path *p, int reg)
{
	unsigned i = 0;

	while (reg >= 0 && p->c->origin.count < SCRY_CRASH_LINES / 2) {
		i = changed_at(p, i, reg);
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
	struct path *p = malloc(sizeof(*p));
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
	ok = reg >= 0 && p && path_open(p, c, d, f, c->insn.addr);
	if (ok) {
		p->bad = reg;
		p->entry = scry_entry_of(&scope);
		follow(p, reg);
		scry_listing_done(&p->code);
	}
	free(p);
}
