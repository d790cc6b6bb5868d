/* Which access of the instruction failed, and at which address. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "native/fatal.h"

#define SEGV_KERNEL 128 /* SI_KERNEL: the kernel has no address */

/* Relative to the next instruction, as x86-64 counts from rip. */
static bool value_of(const struct scry_regs *regs, const struct scry_insn *insn, int reg,
		     uint64_t *ret)
{
	if (reg == regs->arch->pc) {
		*ret = insn->addr + insn->size;
		return true;
	}
	*ret = regs->value[reg];
	return regs->valid >> reg & 1;
}

bool scry_operand_address(struct scry_crash *c, const struct scry_regs *regs,
			  const struct scry_insn *insn, const struct scry_operand *o,
			  scry_addr *ret)
{
	uint64_t address = (uint64_t)o->offset, value;

	if (o->of_thread) {
		if (!c->thread->os->tls)
			return false;
		address += c->thread->os->tls;
	}
	if (o->base >= 0) {
		if (!value_of(regs, insn, o->base, &value))
			return false;
		address += value;
	}
	if (o->index >= 0) {
		if (!value_of(regs, insn, o->index, &value))
			return false;
		address += value * o->scale;
	}
	/* addresses of 32-bit machines wrap around */
	*ret = regs->arch->ptr_size == 4 ? (uint32_t)address : address;
	return true;
}

/* May nothing be read or written there, as far as the mappings show? */
static bool is_forbidden(const struct scry_crash *c, scry_addr at, bool written)
{
	const struct scry_map *map = scry_map_at(c->session->target, at);
	unsigned known = map ? map->flags & (SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_EXEC) : 0;

	return at < SCRY_CRASH_NULL_END || !map ||
	       (known && !(known & (written ? SCRY_MAP_WRITE : SCRY_MAP_READ)));
}

/* Does the access at `at` explain what the kernel told? Some cores lack that. */
static bool fits(const struct scry_crash *c, const struct scry_insn *insn, scry_addr at,
		 uint64_t size, bool written)
{
	if (c->has_address && c->code != SEGV_KERNEL)
		return c->address - at < (size ? size : 8);
	if (!c->has_address && !c->has_code)
		return is_forbidden(c, at, written);
	if (c->session->target->abi.ptr_size == 4)
		return false;
	return !scry_is_canonical(c->session->target->arch, at) ||
	       (insn->aligned && size && at % size);
}

/* What the kernel told is kept; what it did not tell is computed, and said to be. */
static void take(struct scry_crash *c, const struct scry_operand *o, scry_addr at)
{
	c->access = o->written ? SCRY_ACCESS_WRITE : SCRY_ACCESS_READ;
	c->size = o->size;
	if (!c->has_address || c->code == SEGV_KERNEL) {
		c->has_address = c->computed = true;
		c->address = at;
	}
}

/* Nothing but a jump leads to where no code is. */
static bool is_execute(const struct scry_crash *c)
{
	scry_addr pc = c->frames[0].pc;

	if (c->signal && c->signal != SIGSEGV && c->signal != SIGBUS)
		return false;
	if (c->access == SCRY_ACCESS_EXECUTE)
		return true;
	return c->site == 1 && (!c->has_address || c->address == pc || c->code == SEGV_KERNEL);
}

void scry_crash_fault(struct scry_crash *c, struct scry_decoder *d)
{
	struct scry_insn insn;
	scry_addr at;

	if (is_execute(c)) {
		c->access = SCRY_ACCESS_EXECUTE;
		if (!c->has_address || c->code == SEGV_KERNEL) {
			c->has_address = c->computed = true;
			c->address = c->frames[0].pc;
		}
		return;
	}
	if (c->signal && c->signal != SIGSEGV && c->signal != SIGBUS)
		return;
	if (!scry_decode(d, c->frames[0].pc, &insn))
		return;
	for (unsigned i = 0; i < insn.count; i++) {
		const struct scry_operand *o = &insn.operands[i];

		if (o->kind == SCRY_OPERAND_MEMORY && (o->read || o->written) &&
		    insn.kind != SCRY_INSN_ADDRESS &&
		    scry_operand_address(c, &c->frames[0].regs, &insn, o, &at) &&
		    fits(c, &insn, at, o->size, o->written)) {
			take(c, o, at);
			return;
		}
	}
	if (c->has_code && c->code == SEGV_KERNEL)
		c->has_address = false;
}
