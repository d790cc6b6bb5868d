/*
 * The one way that leads to an instruction, backwards, and what registers had on it: in the
 * register or a copy of it still, or made by instructions from what is still there.
 */
#include "native/code_path.h"

#include <stdlib.h>

#define DEPTH_MAX 8
#define WORK_MAX  20000

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

static bool visited(const struct scry_code_path *p, uint32_t step)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->steps[i] == step)
			return true;
	return false;
}

static void walk_back(struct scry_code_path *p, uint32_t at, const struct scry_labels *labels)
{
	p->steps[p->count++] = at;
	while (p->count < SCRY_PATH_MAX_STEPS) {
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

static bool is_volatile(const struct scry_code_path *p, int reg)
{
	const struct scry_reg_row *row = &p->f->regs.arch->regs[reg];

	return (p->c->session->target->abi.windows ? row->win64 : row->sysv) == SCRY_VOLATILE;
}

static bool changes(const struct scry_code_path *p, const struct scry_insn *insn, int reg)
{
	if (insn->kind == SCRY_INSN_CALL)
		return is_volatile(p, reg);
	/* a push moves the stack pointer, whatever capstone lists */
	for (unsigned i = 0; i < insn->count; i++)
		if (insn->operands[i].implicit && reg == p->f->regs.arch->sp)
			return true;
	return insn->writes >> reg & 1;
}

/* A register's own value, not what it points to. */
static bool reads(const struct scry_insn *insn, int reg)
{
	for (unsigned i = 0; i < insn->count; i++) {
		const struct scry_operand *o = &insn->operands[i];

		if (o->kind == SCRY_OPERAND_REGISTER && o->reg == reg && (o->read || !o->written))
			return true;
	}
	return insn->kind == SCRY_INSN_ADDRESS &&
	       (insn->operands[1].base == reg || insn->operands[1].index == reg);
}

static bool stores(const struct scry_insn *insn)
{
	for (unsigned i = 0; i < insn->count; i++)
		if (insn->operands[i].kind == SCRY_OPERAND_MEMORY && insn->operands[i].written)
			return true;
	return false;
}

static bool moves_stack(const struct scry_code_path *p, const struct scry_insn *insn)
{
	return insn->kind != SCRY_INSN_CALL && changes(p, insn, p->f->regs.arch->sp);
}

/* Is it one of those that give the frame up, after which the function is left? */
static bool is_epilogue(const struct scry_code_path *p, size_t i)
{
	for (; i < p->code.count; i++) {
		const struct scry_insn *insn = &p->code.insns[i];

		if (insn->kind == SCRY_INSN_RETURN)
			return true;
		if (insn->kind == SCRY_INSN_JUMP)
			return !insn->conditional && insn->target &&
			       (insn->target < p->code.start || insn->target >= p->code.end);
		if (insn->kind == SCRY_INSN_CALL || scry_insn_ends(insn) ||
		    (stores(insn) && moves_stack(p, insn)))
			return false;
	}
	return false;
}

/* What the function does with the stack's two registers. */
static void learn_frame(struct scry_code_path *p)
{
	const struct scry_arch *arch = p->f->regs.arch;

	p->still = 0;
	p->framed = p->code.count;
	for (size_t i = 0; i < p->code.count; i++) {
		const struct scry_insn *insn = &p->code.insns[i];
		bool moves = moves_stack(p, insn), makes = insn->writes >> arch->fp & 1;

		if ((!moves && !makes) || is_epilogue(p, i))
			continue;
		if (moves)
			p->still = i + 1;
		p->frame_moves |= makes && p->framed < p->code.count;
		if (makes && p->framed == p->code.count && reads(insn, arch->sp))
			p->framed = i;
	}
}

bool scry_path_open(struct scry_code_path *p, struct scry_crash *c, struct scry_decoder *d,
		    const struct scry_native_frame *f, scry_addr at)
{
	struct scry_labels labels;

	*p = (struct scry_code_path) { .c = c, .d = d, .f = f };
	if (!scry_listing_read(d, at, &p->code))
		return false;
	scry_labels_read(d, &p->code, &labels);
	learn_frame(p);
	walk_back(p, (uint32_t)scry_listing_find(&p->code, at), &labels);
	scry_labels_done(&labels);
	return true;
}

void scry_path_done(struct scry_code_path *p)
{
	scry_listing_done(&p->code);
}

const struct scry_insn *scry_path_step(const struct scry_code_path *p, unsigned i)
{
	return &p->code.insns[p->steps[i]];
}

unsigned scry_path_changed(const struct scry_code_path *p, unsigned i, int reg)
{
	for (i++; i < p->count && !changes(p, scry_path_step(p, i), reg); i++)
		;
	return i;
}

/* --- values --- */

bool scry_path_address(struct scry_code_path *p, unsigned i, const struct scry_operand *o,
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
			value = scry_path_step(p, i)->addr + scry_path_step(p, i)->size;
		else if (!scry_path_value(p, i, regs[k], depth, &value))
			return false;
		address += value * (k ? o->scale : 1);
	}
	*ret = arch->ptr_size == 4 ? (uint32_t)address : address;
	return true;
}

/* --- memory --- */

/* Is it addressed as compilers address what a function keeps on its stack? */
static bool is_own_slot(const struct scry_code_path *p, const struct scry_operand *o)
{
	const struct scry_arch *arch = p->f->regs.arch;

	if (o->index >= 0 || o->of_thread)
		return false;
	if (o->base == arch->sp)
		return true;
	for (size_t i = 0; o->base == arch->fp && i < p->code.count; i++) {
		const struct scry_insn *insn = &p->code.insns[i];

		if ((insn->kind == SCRY_INSN_MOVE || insn->kind == SCRY_INSN_ADDRESS) &&
		    insn->writes >> arch->fp & 1 && insn->operands[0].reg == arch->fp &&
		    (insn->operands[1].reg == arch->sp || insn->operands[1].base == arch->sp))
			return true;
	}
	return false;
}

/* Does it leave the value of a register that it reads anywhere but in sp and fp? */
static bool hands_on(const struct scry_code_path *p, const struct scry_insn *insn)
{
	const struct scry_arch *arch = p->f->regs.arch;

	if (insn->kind == SCRY_INSN_CALL || insn->kind == SCRY_INSN_JUMP)
		return false;
	for (unsigned i = 0; i < insn->count; i++) {
		const struct scry_operand *o = &insn->operands[i];

		if (o->written &&
		    (o->kind == SCRY_OPERAND_MEMORY || (o->reg != arch->sp && o->reg != arch->fp)))
			return true;
	}
	return false;
}

/*
 * May somebody else have the address of the slot that step `at` names? The function computes one
 * that may be that of something around it. Only a copy, and x86's lea, say which; what else makes
 * one of the stack's registers may be the address of any slot.
 */
static bool escapes(const struct scry_code_path *p, unsigned at, const struct scry_operand *o)
{
	const struct scry_arch *arch = p->f->regs.arch;
	size_t step = p->steps[at];

	for (size_t i = 0; i < p->code.count; i++) {
		const struct scry_insn *insn = &p->code.insns[i];
		const struct scry_operand *from = &insn->operands[1];
		bool of_sp = reads(insn, arch->sp),
		     /* before, fp has what the caller had in it, which is saved */
			of_fp = p->framed < p->code.count && reads(insn, arch->fp) &&
				(i > p->framed || !stores(insn));

		if ((!of_sp && !of_fp) || !hands_on(p, insn))
			continue;
		bool says = insn->kind == SCRY_INSN_ADDRESS
				    ? from->index < 0
				    : insn->kind == SCRY_INSN_MOVE &&
					      from->kind == SCRY_OPERAND_REGISTER;
		int64_t offset = insn->kind == SCRY_INSN_ADDRESS ? from->offset : 0;

		if (!says || o->base != (of_sp ? arch->sp : arch->fp) || offset <= o->offset)
			return true;
		if (of_sp ? i < p->still || step < p->still : p->frame_moves)
			return true;
	}
	return false;
}

/* Does the memory hold what step `at` read there? Nothing on the way may have written to it. */
static bool is_kept(struct scry_code_path *p, unsigned at, const struct scry_operand *from,
		    unsigned depth, scry_addr address)
{
	const struct scry_map *map = scry_map_at(p->c->session->target, address);

	if (p->trusting || (map && map->flags & SCRY_MAP_READ && !(map->flags & SCRY_MAP_WRITE)))
		return true;
	bool own = is_own_slot(p, from) && !escapes(p, at, from);
	for (unsigned k = p->f->is_call ? 0 : 1; k < at; k++) {
		const struct scry_insn *insn = scry_path_step(p, k);

		if (insn->kind == SCRY_INSN_CALL && !own && !p->guessing)
			return false;
		p->doubtful |= insn->kind == SCRY_INSN_CALL && !own;
		for (unsigned i = 0; i < insn->count; i++) {
			const struct scry_operand *to = &insn->operands[i];
			scry_addr written;

			/* what a push, or a call, writes lies below all slots */
			if (to->kind != SCRY_OPERAND_MEMORY || !to->written || to->implicit)
				continue;
			bool known = ++p->work < WORK_MAX && to->size &&
				     !(to->base >= 0 && insn->writes >> to->base & 1) &&
				     scry_path_address(p, k, to, depth + 1, &written);
			if (!known && (!own || is_own_slot(p, to)))
				return false;
			if (known && written < address + from->size && address < written + to->size)
				return false;
		}
	}
	return true;
}

/* What an instruction leaves in the register that it writes. */
static bool result_of(struct scry_code_path *p, unsigned i, unsigned depth, uint64_t *ret)
{
	const struct scry_insn *insn = scry_path_step(p, i);
	const struct scry_operand *from = &insn->operands[1];
	scry_addr at;

	if (insn->kind == SCRY_INSN_CLEAR) {
		*ret = 0;
		return true;
	}
	if (insn->kind == SCRY_INSN_ADDRESS && from->kind == SCRY_OPERAND_MEMORY)
		return scry_path_address(p, i, from, depth, ret);
	if (insn->kind != SCRY_INSN_MOVE)
		return false;
	if (from->kind == SCRY_OPERAND_NUMBER) {
		*ret = (uint64_t)from->number;
		return true;
	}
	if (from->kind == SCRY_OPERAND_REGISTER)
		return from->reg >= 0 && scry_path_value(p, i, from->reg, depth, ret);
	return scry_path_address(p, i, from, depth, &at) && from->size &&
	       is_kept(p, i, from, depth, at) &&
	       scry_read_uint(p->c->session, at, from->size > 8 ? 8 : from->size, ret) == SCRY_OK;
}

/* Is the register as it is now what it was right after step `i`? */
static bool stays(const struct scry_code_path *p, unsigned i, int reg)
{
	if (!(p->f->regs.valid >> reg & 1))
		return false;
	for (unsigned k = p->f->is_call ? 0 : 1; k < i; k++)
		if (changes(p, scry_path_step(p, k), reg))
			return false;
	return true;
}

/*
 * Where the value of a register, which step `at` made, was copied to, and is still: a register that
 * calls preserve, a slot of the stack.
 */
static bool copy_of(struct scry_code_path *p, unsigned at, int reg, unsigned depth, uint64_t *ret)
{
	const struct scry_regs *regs = &p->f->regs;
	scry_addr slot;

	/* of a crash, the first step has not run */
	for (unsigned k = at; k-- > !p->f->is_call;) {
		const struct scry_insn *insn = scry_path_step(p, k);
		const struct scry_operand *to = &insn->operands[0], *from = &insn->operands[1];

		if (insn->kind == SCRY_INSN_MOVE && from->kind == SCRY_OPERAND_REGISTER &&
		    from->reg == reg && from->size == regs->arch->ptr_size) {
			if (to->kind == SCRY_OPERAND_REGISTER && to->reg >= 0 &&
			    stays(p, k, to->reg)) {
				*ret = regs->value[to->reg];
				return true;
			}
			if (to->kind == SCRY_OPERAND_MEMORY && is_own_slot(p, to) &&
			    !escapes(p, k, to) && scry_path_address(p, k, to, depth + 1, &slot) &&
			    is_kept(p, k, to, depth + 1, slot) &&
			    scry_read_ptr(p->c->session, slot, ret) == SCRY_OK)
				return true;
		}
		if (changes(p, insn, reg))
			return false;
	}
	return false;
}

bool scry_path_value(struct scry_code_path *p, unsigned i, int reg, unsigned depth, uint64_t *ret)
{
	if (depth > DEPTH_MAX || ++p->work > WORK_MAX)
		return false;
	/* nothing has changed it from there on: it is in the register still */
	if (stays(p, i + 1, reg)) {
		*ret = p->f->regs.value[reg];
		return true;
	}
	unsigned at = scry_path_changed(p, i, reg);
	if (copy_of(p, at, reg, depth, ret))
		return true;
	if (at == p->count && p->from_start && p->entry.fn) {
		bool doubtful = false, known = p->entry.fn(p->entry.arg, reg, ret, &doubtful);

		p->doubtful |= doubtful;
		return known && (!doubtful || p->guessing);
	}
	return at < p->count && scry_path_step(p, at)->kind != SCRY_INSN_CALL &&
	       result_of(p, at, depth + 1, ret);
}

bool scry_value_before(struct scry_crash *c, struct scry_decoder *d,
		       const struct scry_native_frame *f, scry_addr at, int reg,
		       struct scry_entry entry, uint64_t *ret, bool *ret_doubtful)
{
	struct scry_code_path *p = malloc(sizeof(*p));
	bool ok = p && scry_path_open(p, c, d, f, at);

	if (ok) {
		p->entry = entry;
		p->guessing = ret_doubtful;
		ok = scry_path_value(p, 0, reg, 0, ret);
		if (ret_doubtful)
			*ret_doubtful = p->doubtful;
		scry_path_done(p);
	}
	free(p);
	return ok;
}

bool scry_untouched(struct scry_crash *c, struct scry_decoder *d, const struct scry_native_frame *f,
		    scry_addr at, int reg)
{
	struct scry_code_path *p = malloc(sizeof(*p));
	bool ok = p && scry_path_open(p, c, d, f, at);

	if (ok) {
		/* one way from the function's start on; else nothing in all of it */
		size_t count = p->from_start ? p->count : p->code.count;

		for (size_t i = 0; i < count && ok; i++) {
			const struct scry_insn *insn =
				p->from_start ? scry_path_step(p, (unsigned)i) : &p->code.insns[i];

			/* the one at hand is a call that is not over, or has failed */
			ok = insn->addr == at ||
			     (insn->kind != SCRY_INSN_CALL && !changes(p, insn, reg));
		}
		scry_path_done(p);
	}
	free(p);
	return ok;
}

/* --- what is called --- */

static bool target_of(struct scry_code_path *p, unsigned i, scry_addr *ret)
{
	const struct scry_insn *insn = scry_path_step(p, i);
	const struct scry_operand *o = &insn->operands[0];
	scry_addr at;

	*ret = insn->target;
	if (*ret || !insn->count)
		return *ret;
	if (o->kind == SCRY_OPERAND_REGISTER)
		return o->reg >= 0 && scry_path_value(p, i, o->reg, 0, ret);
	return o->kind == SCRY_OPERAND_MEMORY && scry_path_address(p, i, o, 0, &at) &&
	       scry_read_ptr(p->c->session, at, ret) == SCRY_OK;
}

const char *scry_path_callee(struct scry_code_path *p, unsigned i)
{
	scry_addr to;

	return target_of(p, i, &to) ? scry_crash_function(p->c, p->d, to) : NULL;
}

bool scry_call_target(struct scry_crash *c, struct scry_decoder *d,
		      const struct scry_native_frame *f, scry_addr at, struct scry_entry entry,
		      scry_addr *ret)
{
	struct scry_code_path *p = malloc(sizeof(*p));
	bool ok = p && scry_path_open(p, c, d, f, at);

	if (ok) {
		p->entry = entry;
		p->trusting = true; /* what comes out is compared, or has a function's name */
		ok = target_of(p, 0, ret) && *ret;
		scry_path_done(p);
	}
	free(p);
	return ok;
}
