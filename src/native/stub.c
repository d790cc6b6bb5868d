/* Which function a call leads to, also through a stub of the procedure linkage table. */
#include "native/fatal.h"
#include "native/place.h"

#define STUB_STEPS 4 /* of the linker's: endbr64 and jmp *slot(%rip); adrp, ldr, add and br */

bool scry_stub_target(struct scry_decoder *d, scry_addr at, scry_addr *ret)
{
	uint64_t value[64], have = 0; /* what it put into registers */
	struct scry_insn insn;

	for (unsigned i = 0; i < STUB_STEPS && scry_decode(d, at, &insn); i++, at += insn.size) {
		bool jumps = insn.kind == SCRY_INSN_JUMP, moves = insn.kind == SCRY_INSN_MOVE;
		const struct scry_operand *to = &insn.operands[0], *from = &insn.operands[!jumps];
		bool by_pc = from->kind == SCRY_OPERAND_MEMORY && from->base == d->arch->pc;
		scry_addr slot = (scry_addr)from->offset;
		uint64_t got = 0;
		bool known = false;

		if (insn.target || (jumps && !insn.count))
			return false;
		if (from->kind == SCRY_OPERAND_NUMBER) {
			known = !jumps;
			got = (uint64_t)from->number;
		} else if (from->kind == SCRY_OPERAND_REGISTER) {
			known = from->reg >= 0 && have >> from->reg & 1;
			got = known ? value[from->reg] : 0;
		} else if (by_pc || (from->base >= 0 && have >> from->base & 1)) {
			slot += by_pc ? insn.addr + insn.size : value[from->base];
			known = from->index < 0 && scry_read_ptr(d->session, slot, &got) == SCRY_OK;
		}
		if (jumps) {
			*ret = got;
			return known;
		}
		have &= ~insn.writes;
		if (moves && known && to->kind == SCRY_OPERAND_REGISTER && to->reg >= 0) {
			value[to->reg] = got;
			have |= (uint64_t)1 << to->reg;
		}
	}
	return false;
}

const char *scry_crash_function(struct scry_crash *c, struct scry_decoder *d, scry_addr at)
{
	const struct scry_place *place = scry_place_at(c->session, at);
	scry_addr to;

	if (place && place->symbol.name)
		return place->symbol.name;
	if (!scry_stub_target(d, at, &to))
		return NULL;
	place = scry_place_at(c->session, to);
	return place ? place->symbol.name : NULL;
}
