/* Where a variable is at a pc: DWARF's location expressions (DWARF 5, 2.5 and 2.6). */
#include <dwarf.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "native/cfi.h"
#include "native/ctype.h"
#include "native/variables.h"

/* expressions of compilers have a handful of operations; a longer one is not evaluated */
#define OPS_MAX 64

/* An expression of the file made one of the target: addresses, registers, entry values put in. */
struct prepared {
	struct scry_scope *scope;
	struct scry_regs regs;
	Dwarf_Op ops[OPS_MAX];
	size_t count;
	bool recovered;
	const char *how;
	const char *entry; /* the register whose value at entry it takes */
};

/*
 * The frame's address: what the caller's stack pointer is. The CFA (DWARF 5, 6.4): on these
 * machines the stack pointer as it was before the call, which unwinding has restored for the
 * caller. A caller that was found by a search of the stack is not evidence enough to compute
 * addresses from.
 */
static bool frame_address(struct scry_scope *scope, scry_addr *ret)
{
	const struct scry_frames *f = scope->frames;
	const struct scry_arch *arch = scope->frame->regs.arch;

	if (scope->index + 1 >= f->count || f->frames[scope->index + 1].is_guess)
		return false;
	*ret = f->frames[scope->index + 1].regs.value[arch->sp];
	return true;
}

static bool is_volatile(struct scry_session *s, const struct scry_reg_row *row)
{
	return (s->target->abi.windows ? row->win64 : row->sysv) == SCRY_VOLATILE;
}

/* " at +0x42": the call that the frame is in, from its function's beginning; "" not known. */
static const char *call_at(struct scry_scope *scope)
{
	struct scry_session *s = scope->frames->thread->session;
	scry_addr pc = scope->frame->pc, start, end,
		  call = scope->decoder && scope->frame->is_call
				 ? scry_call_before(scope->decoder, pc)
				 : 0;

	return call && scry_function_at(s, call, &start, &end)
		       ? scry_arena_printf(&s->arena, " at +0x%" PRIx64, call - start)
		       : "";
}

/* Where the register's value went. */
static const char *lost_in(struct prepared *p, int reg)
{
	struct scry_session *s = p->scope->frames->thread->session;
	const struct scry_reg_row *row = &p->regs.arch->regs[reg];
	const char *where = is_volatile(s, row) ? call_at(p->scope) : NULL;

	return where ? scry_arena_printf(&s->arena,
					 "lives in caller-saved %s across a call%s: lost there",
					 row->name, where)
		     : scry_arena_printf(&s->arena, "lives in %s, which unwinding did not restore",
					 row->name);
}

/*
 * Unwinding restores what the callee saved. A caller-saved register is what the callee left in it:
 * the compiler claims it for the pc of the call itself, so its value is gone unless the code before
 * the call made it from something that is still there.
 */
static bool register_value(struct prepared *p, uint64_t number, uint64_t *ret)
{
	const struct scry_arch *arch = p->regs.arch;
	int reg = scry_reg_by_dwarf(arch, number);

	if (reg < 0)
		return false;
	if (!(p->regs.valid >> reg & 1)) {
		uint64_t value;

		bool survived = scry_survived(p->scope, reg, &value);

		p->how = lost_in(p, reg);
		if (!survived && !scry_lost_value(p->scope, reg, &value))
			return false;
		p->regs.value[reg] = value;
		p->regs.valid |= (uint64_t)1 << reg;
		p->recovered = true;
		p->how = survived ? scry_arena_printf(&p->scope->frames->thread->session->arena,
						      "no instruction since the call wrote to %s",
						      arch->regs[reg].name)
				  : scry_arena_printf(&p->scope->frames->thread->session->arena,
						      "%s%s was lost in the call, the code before "
						      "it gives its value%s",
						      p->scope->doubtful ? "perhaps: " : "",
						      arch->regs[reg].name,
						      p->scope->doubtful
							      ? ", by memory that may have been "
								"written to since"
							      : "");
	}
	*ret = p->regs.value[reg];
	return true;
}

/*
 * DWARF 5, 3.3.5. A register there (clang: rbp) names the register that has the base; in a
 * variable's own location it would say that the variable is in it.
 */
static bool frame_base(struct prepared *p, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t count;

	if (!dwarf_attr_integrate(&p->scope->function, DW_AT_frame_base, &attr) ||
	    dwarf_getlocation_addr(&attr, p->scope->at, &ops, &count, 1) != 1 || count != 1)
		return false;
	if (ops[0].atom == DW_OP_call_frame_cfa)
		return frame_address(p->scope, ret);
	if (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		return register_value(p, ops[0].atom - DW_OP_reg0, ret);
	if (ops[0].atom < DW_OP_breg0 || ops[0].atom > DW_OP_breg31 ||
	    !register_value(p, ops[0].atom - DW_OP_breg0, ret))
		return false;
	*ret += ops[0].number;
	return true;
}

/*
 * DWARF 5, 2.5.1.7: the operand is an expression of its own, evaluated on entry to the function.
 * Compilers write only the name of a register; what it had then is for the caller to say.
 */
static bool entry_value(struct prepared *p, Dwarf_Attribute *attr, const Dwarf_Op *op,
			uint64_t *ret)
{
	Dwarf_Attribute inner;
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_getlocation_attr(attr, op, &inner) != 0 ||
	    dwarf_getlocation(&inner, &ops, &count) != 0 || count != 1 ||
	    ops[0].atom < DW_OP_reg0 || ops[0].atom > DW_OP_reg31)
		return false;
	int reg = scry_reg_by_dwarf(p->regs.arch, ops[0].atom - DW_OP_reg0);
	p->how = "an entry value that the caller does not give";
	if (reg < 0 || !scry_entry_value(p->scope, reg, ret, &p->how))
		return false;
	p->recovered = true;
	p->entry = p->regs.arch->regs[reg].name;
	return true;
}

/* GNU's number of an operation that DWARF 5 has taken over made DWARF 5's. */
static unsigned newer(unsigned atom)
{
	static const struct {
		unsigned old, new;
	} rows[] = {
		{ 0xf2, DW_OP_implicit_pointer }, { 0xf3, DW_OP_entry_value },
		{ 0xf4, DW_OP_const_type },       { 0xf5, DW_OP_regval_type },
		{ 0xf6, DW_OP_deref_type },       { 0xf7, DW_OP_convert },
		{ 0xf9, DW_OP_reinterpret },      { 0xfb, DW_OP_addrx },
		{ 0xfc, DW_OP_constx },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].old == atom)
			return rows[i].new;
	return atom;
}

/* The type that an operation names, for the evaluator. */
static bool type_of(Dwarf_Attribute *attr, const Dwarf_Op *op, Dwarf_Word *ret)
{
	bool alone = newer(op->atom) == DW_OP_convert || newer(op->atom) == DW_OP_reinterpret;
	Dwarf_Die type;
	uint64_t code;

	*ret = 0;
	if (alone && op->number == 0) /* back to numbers without a type */
		return true;
	if (dwarf_getlocation_die(attr, op, &type) != 0 || !scry_ctype_code(&type, &code))
		return false;
	*ret = code;
	return true;
}

/* The bytes of a DW_OP_const_type, of which the first tells how many there are. */
static bool constant(const struct prepared *p, Dwarf_Attribute *attr, const Dwarf_Op *op,
		     Dwarf_Word *ret)
{
	const struct scry_session *s = p->scope->frames->thread->session;
	Dwarf_Attribute inner;
	Dwarf_Block block;

	if (dwarf_getlocation_attr(attr, op, &inner) != 0 || dwarf_formblock(&inner, &block) != 0 ||
	    !block.length || block.length > 8)
		return false;
	*ret = scry_load(block.data, (unsigned)block.length, s->target->abi.big_endian);
	return true;
}

/* An address, or a number, of the table that .debug_addr is. */
static bool by_index(struct prepared *p, Dwarf_Attribute *attr, const Dwarf_Op *op, uint64_t *ret)
{
	Dwarf_Attribute inner;
	Dwarf_Addr at;

	if (dwarf_getlocation_attr(attr, op, &inner) != 0 || dwarf_formaddr(&inner, &at) != 0)
		return false;
	*ret = at + (newer(op->atom) == DW_OP_addrx ? p->scope->bias : 0);
	return true;
}

/* One operation; false where it cannot be evaluated. */
static bool prepare_op(struct prepared *p, Dwarf_Attribute *attr, const Dwarf_Op *op)
{
	/*
	 * one operation becomes one: jumps of the expression go by their offsets, which are copied
	 * with them
	 */
	Dwarf_Op made = *op;
	uint64_t value;
	bool known;

	if (p->count == OPS_MAX)
		return false;
	switch (newer(op->atom)) {
	/* as the linker gave it: the module may be loaded elsewhere */
	case DW_OP_addr:
		value = op->number + p->scope->bias;
		known = true;
		break;
	case DW_OP_addrx:
	case DW_OP_constx:
		known = by_index(p, attr, op, &value);
		break;
	/* typed: what the type is goes with the value, or with the operation */
	case DW_OP_regval_type:
		known = register_value(p, op->number, &value) && type_of(attr, op, &made.number2);
		made.atom = DW_OP_const_type;
		made.number = value;
		if (known)
			p->ops[p->count++] = made;
		return known;
	case DW_OP_const_type:
		known = constant(p, attr, op, &made.number) && type_of(attr, op, &made.number2);
		made.atom = DW_OP_const_type;
		if (known)
			p->ops[p->count++] = made;
		return known;
	case DW_OP_deref_type:
	case DW_OP_convert:
	case DW_OP_reinterpret:
		made.atom = newer(op->atom);
		if (!type_of(attr, op,
			     made.atom == DW_OP_deref_type ? &made.number2 : &made.number))
			return false;
		p->ops[p->count++] = made;
		return true;
	case DW_OP_fbreg:
		known = frame_base(p, &value);
		value += op->number;
		break;
	case DW_OP_call_frame_cfa:
		known = frame_address(p->scope, &value);
		break;
	case DW_OP_entry_value:
		known = entry_value(p, attr, op, &value);
		break;
	default:
		if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
			known = register_value(p, op->atom - DW_OP_breg0, &value);
			value += op->number;
			break;
		}
		p->ops[p->count++] = made;
		return true;
	}
	if (!known)
		return false;
	/* what depends on a frame is a number from here on, for an evaluator that knows of none */
	made.atom = DW_OP_constu;
	made.number = value;
	p->ops[p->count++] = made;
	return true;
}

static void nowhere(struct scry_place_of *ret, const char *how)
{
	*ret = (struct scry_place_of) { .kind = SCRY_IN_NOTHING, .how = how };
}

/* A register as the whole location (DWARF 5, 2.6.1.1): the variable is in it, has no address. */
static void in_register(struct prepared *p, uint64_t number, struct scry_place_of *ret)
{
	uint64_t value;
	int reg = scry_reg_by_dwarf(p->regs.arch, number);

	if (!register_value(p, number, &value)) {
		nowhere(ret, p->how ? p->how : "in a register that is not saved in dumps");
		return;
	}
	*ret = (struct scry_place_of) { .kind = SCRY_IN_REGISTER,
					.reg = reg,
					.word = value,
					.recovered = p->recovered,
					.how = p->how,
					.text = p->regs.arch->regs[reg].name };
}

static bool in_bytes(Dwarf_Attribute *attr, const Dwarf_Op *op, struct scry_place_of *ret)
{
	Dwarf_Block block;

	if (op->atom != DW_OP_implicit_value ||
	    dwarf_getlocation_implicit_value(attr, op, &block) != 0)
		return false;
	*ret = (struct scry_place_of) {
		.kind = SCRY_IN_BYTES, .bytes = block.data, .len = block.length, .text = "constant"
	};
	return true;
}

/* What the pointer leads to was dissolved into registers or constants: it is described itself. */
static void in_other(Dwarf_Attribute *attr, const Dwarf_Op *op, struct scry_place_of *ret)
{
	*ret = (struct scry_place_of) { .kind = SCRY_IN_POINTER, .text = "implicit pointer" };
	ret->offset = (int64_t)op->number2;
	if (dwarf_getlocation_die(attr, op, &ret->to) != 0)
		nowhere(ret, "it points to a value that has no address any more");
}

/* All operations but a register's name: an address, or with DW_OP_stack_value the value. */
static void evaluate(struct prepared *p, struct scry_place_of *ret)
{
	struct scry_session *s = p->scope->frames->thread->session;
	bool is_value = p->count && p->ops[p->count - 1].atom == DW_OP_stack_value;
	struct scry_rule rule = { .ops = p->ops, .typed = true, .count = p->count - is_value };
	uint64_t word;

	if (!rule.count || !scry_cfi_expression(s, &rule, &p->regs, 0, &word)) {
		nowhere(ret, "its location cannot be evaluated");
		return;
	}
	*ret = (struct scry_place_of) { .kind = is_value ? SCRY_IN_VALUE : SCRY_IN_MEMORY,
					.word = word,
					.recovered = p->recovered,
					.how = p->how,
					.text = is_value ? "computed" : NULL };
	if (p->entry)
		ret->text = scry_arena_printf(&s->arena, "entry value of %s", p->entry);
	else if (!is_value)
		ret->text = scry_arena_printf(&s->arena, "0x%" PRIx64, word);
}

static void compute(struct prepared *p, Dwarf_Attribute *attr, const Dwarf_Op *ops, size_t count,
		    struct scry_place_of *ret)
{
	for (size_t i = 0; i < count; i++)
		if (!prepare_op(p, attr, &ops[i])) {
			nowhere(ret, p->how ? p->how : "its location cannot be evaluated");
			return;
		}
	evaluate(p, ret);
}

/*
 * Compilers end the range of a caller-saved register inside the call: at its beginning the variable
 * is there still. A callee-saved one keeps it, which nothing in the function reads any more.
 */
static bool until_call(struct prepared *p, Dwarf_Attribute *attr, struct scry_place_of *ret)
{
	const struct scry_native_frame *frame = p->scope->frame;
	scry_addr call = p->scope->decoder && frame->is_call
				 ? scry_call_before(p->scope->decoder, frame->pc)
				 : 0;
	Dwarf_Op *ops;
	size_t count;

	if (!call || dwarf_getlocation_addr(attr, call - p->scope->bias, &ops, &count, 1) != 1 ||
	    !count)
		return false;
	if (count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		in_register(p, ops[0].atom - DW_OP_reg0, ret);
	else if (ops[count - 1].atom == DW_OP_stack_value)
		compute(p, attr, ops, count, ret);
	else
		return false;
	if (ret->kind != SCRY_IN_NOTHING && !ret->recovered) {
		ret->recovered = true;
		ret->how = "it was there up to the call";
	}
	return true;
}

void scry_location_part(struct scry_scope *scope, Dwarf_Attribute *attr, const Dwarf_Op *ops,
			size_t count, struct scry_place_of *ret)
{
	struct prepared p = { .scope = scope, .regs = scope->frame->regs };

	if (count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		in_register(&p, ops[0].atom - DW_OP_reg0, ret);
	else if (count == 1 && ops[0].atom == DW_OP_regx)
		in_register(&p, ops[0].number, ret);
	else if (newer(ops[0].atom) == DW_OP_implicit_pointer)
		in_other(attr, &ops[0], ret);
	else if (!in_bytes(attr, &ops[0], ret))
		compute(&p, attr, ops, count, ret);
}

void scry_location(struct scry_scope *scope, Dwarf_Attribute *attr, struct scry_place_of *ret)
{
	struct prepared p = { .scope = scope, .regs = scope->frame->regs };
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_getlocation_addr(attr, scope->at, &ops, &count, 1) != 1 || !count) {
		if (!until_call(&p, attr, ret))
			nowhere(ret, "it has no location at this pc");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (scry_is_piece(ops[i].atom)) {
			scry_in_pieces(scope, attr, ops, count, ret);
			return;
		}
	scry_location_part(scope, attr, ops, count, ret);
}
