/*
 * DWARF expressions of call frame information: those of PLTs and of signal frames, as libdw hands
 * them out.
 */
#include <dwarf.h>

#include "native/cfi.h"

/* compilers need a handful of both; a loop in a hostile expression ends here */
#define STACK_MAX 64
#define STEPS_MAX 1000

struct machine {
	struct scry_session *s;
	const struct scry_regs *regs;
	const struct scry_rule *rule;
	scry_addr frame;
	uint64_t stack[STACK_MAX];
	uint64_t type[STACK_MAX]; /* of each: as cfi.h has it; 0: as wide as an address */
	unsigned depth;
	bool is_place; /* the result is the address of the value */
};

static bool push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK_MAX)
		return false;
	m->type[m->depth] = 0;
	m->stack[m->depth++] = value;
	return true;
}

static unsigned bits_of(uint64_t type)
{
	return type ? 8 * (unsigned)(type & 0xff) : 64;
}

/* A number as its type holds it: cut, and extended to 64 bits by its sign. */
static uint64_t fitted(uint64_t value, uint64_t type)
{
	unsigned spare = 64 - bits_of(type);

	if (!spare)
		return value;
	return type & SCRY_CTYPE_SIGNED ? (uint64_t)((int64_t)(value << spare) >> spare)
					: value << spare >> spare;
}

/* The value on top becomes one of another type; a float's bits are no number (DWARF 5, 2.5.1.6). */
static bool convert(struct machine *m, uint64_t type)
{
	if (!m->depth || !bits_of(type) || bits_of(type) > 64)
		return false;
	m->stack[m->depth - 1] = fitted(m->stack[m->depth - 1], type);
	m->type[m->depth - 1] = type;
	return true;
}

static bool push_register(struct machine *m, uint64_t number, uint64_t offset)
{
	int i = scry_reg_by_dwarf(m->regs->arch, number);

	return i >= 0 && (m->regs->valid >> i & 1) && push(m, m->regs->value[i] + offset);
}

/* The operand on top is replaced by what it points to (DWARF 5, 2.5.1.3). */
static bool load(struct machine *m, uint64_t size)
{
	return m->depth && size && size <= 8 &&
	       scry_read_uint(m->s, m->stack[m->depth - 1], (unsigned)size,
			      &m->stack[m->depth - 1]) == SCRY_OK &&
	       convert(m, 0);
}

/*
 * DWARF 5, 2.5.1.4. Comparisons are of signed numbers; a shift by the
 * width or more leaves nothing, which C leaves undefined.
 */
static bool compute(unsigned atom, uint64_t a, uint64_t b, uint64_t *ret)
{
	switch (atom) {
	case DW_OP_plus:
		*ret = a + b;
		return true;
	case DW_OP_minus:
		*ret = a - b;
		return true;
	case DW_OP_mul:
		*ret = a * b;
		return true;
	case DW_OP_and:
		*ret = a & b;
		return true;
	case DW_OP_or:
		*ret = a | b;
		return true;
	case DW_OP_xor:
		*ret = a ^ b;
		return true;
	case DW_OP_shl:
		*ret = b < 64 ? a << b : 0;
		return true;
	case DW_OP_shr:
		*ret = b < 64 ? a >> b : 0;
		return true;
	case DW_OP_shra:
		*ret = (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
		return true;
	case DW_OP_div:
		if (!b || ((int64_t)b == -1 && a == (uint64_t)INT64_MIN))
			return false;
		*ret = (uint64_t)((int64_t)a / (int64_t)b);
		return true;
	case DW_OP_mod:
		if (!b || (int64_t)a < 0 || (int64_t)b < 0)
			return false;
		*ret = a % b;
		return true;
	case DW_OP_eq:
		*ret = a == b;
		return true;
	case DW_OP_ne:
		*ret = a != b;
		return true;
	case DW_OP_ge:
		*ret = (int64_t)a >= (int64_t)b;
		return true;
	case DW_OP_gt:
		*ret = (int64_t)a > (int64_t)b;
		return true;
	case DW_OP_le:
		*ret = (int64_t)a <= (int64_t)b;
		return true;
	case DW_OP_lt:
		*ret = (int64_t)a < (int64_t)b;
		return true;
	}
	return false;
}

static bool compares(unsigned atom)
{
	return atom >= DW_OP_eq && atom <= DW_OP_ne;
}

/* Does it take its numbers as those with a sign, so that 64 bits without one are too many? */
static bool is_signed(unsigned atom)
{
	return atom == DW_OP_div || atom == DW_OP_shra ||
	       (compares(atom) && atom != DW_OP_eq && atom != DW_OP_ne);
}

static bool binary(struct machine *m, unsigned atom)
{
	if (m->depth < 2)
		return false;
	m->depth--;
	uint64_t *a = &m->stack[m->depth - 1], type = m->type[m->depth - 1];
	/* two of different types cannot be combined, but for the number of bits of a shift */
	bool shifts = atom == DW_OP_shl || atom == DW_OP_shr || atom == DW_OP_shra;

	if (!shifts && type != m->type[m->depth])
		return false;
	/* all numbers below are as wide as an address, and those of a type have its own sign */
	if (bits_of(type) == 64 && type && !(type & SCRY_CTYPE_SIGNED) && is_signed(atom))
		return false;
	if (atom == DW_OP_shr) /* the bits that come in are 0, also below a sign */
		*a = fitted(*a, type & ~(uint64_t)SCRY_CTYPE_SIGNED);
	if (!compute(atom, *a, m->stack[m->depth], a))
		return false;
	m->type[m->depth - 1] = compares(atom) ? 0 : type;
	*a = fitted(*a, m->type[m->depth - 1]);
	return true;
}

/* Operators that take what is on the stack and no more. */
static bool shuffle(struct machine *m, unsigned atom)
{
	uint64_t *top = m->depth ? &m->stack[m->depth - 1] : NULL;

	if (!top)
		return false;
	switch (atom) {
	case DW_OP_dup:
		return push(m, *top) && convert(m, m->type[m->depth - 2]);
	case DW_OP_drop:
		m->depth--;
		return true;
	case DW_OP_over:
		return m->depth > 1 && push(m, top[-1]) && convert(m, m->type[m->depth - 3]);
	case DW_OP_swap:
		if (m->depth < 2)
			return false;
		uint64_t below = top[-1];
		top[-1] = top[0];
		top[0] = below;
		uint64_t its = m->type[m->depth - 2];
		m->type[m->depth - 2] = m->type[m->depth - 1];
		m->type[m->depth - 1] = its;
		return true;
	case DW_OP_neg:
		*top = fitted(-*top, m->type[m->depth - 1]);
		return true;
	case DW_OP_abs:
		if ((int64_t)*top < 0)
			*top = fitted(-*top, m->type[m->depth - 1]);
		return true;
	case DW_OP_not:
		*top = fitted(~*top, m->type[m->depth - 1]);
		return true;
	}
	return binary(m, atom);
}

/* A jump: the index of the operation to go on with, or the count where there is none such. */
static size_t target_of(const struct scry_rule *rule, const Dwarf_Op *op)
{
	uint64_t offset = (uint64_t)(op->offset + 3 + (int16_t)op->number);
	size_t i = 0;

	while (i < rule->count && rule->ops[i].offset != offset)
		i++;
	return i;
}

static bool operate(struct machine *m, const Dwarf_Op *op)
{
	unsigned atom = op->atom;

	if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
		return push(m, atom - DW_OP_lit0);
	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
		return push_register(m, atom - DW_OP_breg0, op->number);
	if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31)
		return push_register(m, atom - DW_OP_reg0, 0);
	switch (atom) {
	case DW_OP_regx:
		return push_register(m, op->number, 0);
	case DW_OP_bregx:
		return push_register(m, op->number, op->number2);
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		return push(m, op->number);
	case DW_OP_plus_uconst:
		if (!m->depth)
			return false;
		m->stack[m->depth - 1] =
			fitted(m->stack[m->depth - 1] + op->number, m->type[m->depth - 1]);
		return true;
	case DW_OP_deref:
		return load(m, m->s->target->abi.ptr_size);
	case DW_OP_deref_size:
		return load(m, op->number);
	case DW_OP_call_frame_cfa: /* libdw puts it before an expression of a place */
		m->is_place = true;
		return push(m, m->frame);
	case DW_OP_stack_value:
		m->is_place = false;
		return true;
	case DW_OP_nop:
		return true;
	/* as libdw hands them out they have a type's place in .debug_info, or where a number is */
	case DW_OP_const_type:
		return m->rule->typed && push(m, op->number) && convert(m, op->number2);
	case DW_OP_deref_type:
		return m->rule->typed && load(m, op->number) && convert(m, op->number2);
	case DW_OP_convert:
	case DW_OP_reinterpret:
		return m->rule->typed && convert(m, op->number);
	}
	return shuffle(m, atom);
}

bool scry_cfi_expression(struct scry_session *s, const struct scry_rule *rule,
			 const struct scry_regs *now, scry_addr frame, uint64_t *ret)
{
	struct machine m = { .s = s, .regs = now, .rule = rule, .frame = frame };
	unsigned steps = 0;

	for (size_t i = 0; i < rule->count;) {
		const Dwarf_Op *op = &rule->ops[i];

		if (++steps > STEPS_MAX)
			return false;
		if (op->atom == DW_OP_skip || op->atom == DW_OP_bra) {
			if (op->atom == DW_OP_bra && !m.depth)
				return false;
			i = op->atom == DW_OP_skip || m.stack[--m.depth] ? target_of(rule, op)
									 : i + 1;
			continue;
		}
		if (!operate(&m, op))
			return false;
		i++;
	}
	if (!m.depth)
		return false;
	*ret = m.stack[m.depth - 1];
	return !m.is_place || scry_read_ptr(s, *ret, ret) == SCRY_OK;
}
