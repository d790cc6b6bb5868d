/*
 * src/greenlet/platform/switch_amd64_unix.h: fstcw, stmxcsr, movq %rbp, movq %rbx, each into a
 * variable on the stack, and then the stack pointer is taken. No other function of the module
 * stores mxcsr.
 */
#include "task/switch_code.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/session.h"

#define CODE_MAX ((uint64_t)64 << 20) /* bytes of a module's code */
#define NEAR     48                   /* bytes between one of the instructions and the next */
#define RBX      3
#define RBP      5

struct operand {
	int32_t disp;
	bool by_rbp;
	unsigned length; /* of the instruction */
};

static const uint8_t stmxcsr[] = { 0x0f, 0xae }, mov[] = { 0x48, 0x89 };

/*
 * Is it the instruction with this register (or /digit) and a variable on the stack: disp(%rsp),
 * disp(%rbp)?
 */
static bool is_store(const uint8_t *p, size_t left, const uint8_t opcode[2], unsigned reg,
		     struct operand *ret)
{
	if (left < 9 || memcmp(p, opcode, 2))
		return false;
	unsigned mod = p[2] >> 6, rm = p[2] & 7, at = 3;

	if ((p[2] >> 3 & 7) != reg || mod == 3)
		return false;
	if (rm == 4 && p[at++] != 0x24) /* a SIB byte: rsp without an index */
		return false;
	if (rm != 4 && (rm != 5 || mod == 0))
		return false;
	*ret = (struct operand) { .by_rbp = rm == 5 };
	if (mod == 1)
		ret->disp = (int8_t)p[at];
	else if (mod == 2)
		ret->disp = (int32_t)scry_load_signed(p + at, 4, false);
	ret->length = at + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
	return true;
}

/* The next store of a register, soon after: where it ends, NULL there is none. */
static const uint8_t *next_store(const uint8_t *p, const uint8_t *end, unsigned reg,
				 struct operand *ret)
{
	for (unsigned i = 0; i < NEAR && p < end; i++, p++)
		if (is_store(p, (size_t)(end - p), mov, reg, ret))
			return p + ret->length;
	return NULL;
}

static bool read_code(const uint8_t *code, const uint8_t *p, const uint8_t *end, scry_addr addr,
		      struct scry_switch_code *ret)
{
	struct operand csr, rbp, rbx;

	if (!is_store(p, (size_t)(end - p), stmxcsr, 3, &csr))
		return false;
	const uint8_t *next = next_store(p + csr.length, end, RBP, &rbp);
	if (!next || rbp.by_rbp != csr.by_rbp || (!rbp.by_rbp && rbp.disp % 8))
		return false;
	*ret = (struct scry_switch_code) { .pc = addr + (uint64_t)(p - code),
					   .rbp = rbp.disp,
					   .by_rbp = rbp.by_rbp };
	ret->has_rbx = next_store(next, end, RBX, &rbx) && rbx.by_rbp == rbp.by_rbp;
	ret->rbx = ret->has_rbx ? rbx.disp : 0;
	return true;
}

static size_t search(struct scry_module *m, scry_addr start, uint64_t size,
		     struct scry_switch_code *ret, size_t max)
{
	uint8_t *code = size && size <= CODE_MAX ? malloc(size) : NULL;
	size_t count = 0;

	if (code && scry_read(m->session, start, code, size) == SCRY_OK) {
		const uint8_t *end = code + size, *p = code;

		while (count < max &&
		       (p = memmem(p, (size_t)(end - p), stmxcsr, sizeof(stmxcsr)))) {
			count += read_code(code, p, end, start, &ret[count]);
			p++;
		}
	}
	free(code);
	return count;
}

size_t scry_switch_code_find(struct scry_module *m, struct scry_switch_code *ret, size_t max)
{
	struct scry_target *t = m->session->target;
	struct scry_section text;
	size_t count = 0;

	if (!t->arch || !t->arch->knows_switch || t->abi.windows)
		return 0;
	scry_module_open(m);
	if (scry_module_section(m, ".text", &text) == SCRY_OK)
		return search(m, text.addr, text.size, ret, max);
	for (scry_addr at = m->start; at < m->end && count < max;) {
		const struct scry_map *map = scry_map_at(t, at);

		if (map && map->flags & SCRY_MAP_EXEC)
			count += search(m, map->start, map->end - map->start, ret + count,
					max - count);
		at = map && map->end > at ? map->end : m->end;
	}
	return count;
}

/* --- registers --- */

static bool word_at(scry_addr start, const uint64_t *words, scry_addr addr, uint64_t *ret)
{
	uint64_t offset = addr - start;

	if (offset % 8 || offset / 8 >= SCRY_SWITCH_WORDS)
		return false;
	*ret = words[offset / 8];
	return true;
}

/* A function with a frame pointer stores that: the one word that says where it stands. */
static bool find_frame_pointer(const struct scry_switch_code *c, scry_addr start,
			       const uint64_t *words, uint64_t *ret)
{
	for (size_t k = 0; k < SCRY_SWITCH_WORDS; k++) {
		*ret = start + 8 * k - (uint64_t)(int64_t)c->rbp;
		if (words[k] == *ret)
			return true;
	}
	return false;
}

bool scry_switch_code_regs(const struct scry_switch_code *c, const struct scry_arch *arch,
			   scry_addr start, const uint64_t words[SCRY_SWITCH_WORDS],
			   struct scry_regs *ret)
{
	uint64_t rbp, rbx;

	*ret = (struct scry_regs) { .arch = arch };
	if (c->by_rbp ? !find_frame_pointer(c, start, words, &rbp)
		      : !word_at(start, words, start + (uint64_t)(int64_t)c->rbp, &rbp))
		return false;
	scry_regs_set(ret, "rip", c->pc);
	scry_regs_set(ret, "rsp", start);
	scry_regs_set(ret, "rbp", rbp);
	if (c->has_rbx &&
	    word_at(start, words, (c->by_rbp ? rbp : start) + (uint64_t)(int64_t)c->rbx, &rbx))
		scry_regs_set(ret, "rbx", rbx);
	return true;
}
