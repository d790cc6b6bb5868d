/*
 * Instructions after the prefix EVEX (AVX-512), which capstone 4 knows few of: their memory and no
 * more. Intel SDM, volume 2, 2.7. strlen() and memcpy() of glibc are made of them.
 */
#include "arch/insn.h"

#define EVEX 0x62

/* Of the map of opcodes and the opcode: what it is called, and whether it writes its memory. */
static const struct {
	uint8_t map, opcode;
	bool writes;
	const char *name;
} rows[] = {
	{ 1, 0x10, false, "vmovups" },    { 1, 0x11, true, "vmovups" },
	{ 1, 0x28, false, "vmovaps" },    { 1, 0x29, true, "vmovaps" },
	{ 1, 0x6f, false, "vmovdqu" },    { 1, 0x7f, true, "vmovdqu" },
	{ 1, 0xe7, true, "vmovntdq" },    { 1, 0x74, false, "vpcmpeqb" },
	{ 1, 0x75, false, "vpcmpeqw" },   { 1, 0x76, false, "vpcmpeqd" },
	{ 1, 0xda, false, "vpminub" },    { 1, 0xef, false, "vpxorq" },
	{ 2, 0x26, false, "vptestmb" },   { 2, 0x27, false, "vptestmd" },
	{ 2, 0x3a, false, "vpminuw" },    { 2, 0x3b, false, "vpminud" },
	{ 3, 0x1e, false, "vpcmpud" },    { 3, 0x1f, false, "vpcmpd" },
	{ 3, 0x3e, false, "vpcmpub" },    { 3, 0x3f, false, "vpcmpb" },
	{ 3, 0x25, false, "vpternlogd" },
};

/* Which have a byte of their own after the operands: all of the third map. */
static bool has_number(unsigned map)
{
	return map == 3;
}

/* General registers by number, as rows of x86_64.c. */
static int general(unsigned number)
{
	static const int8_t of[] = { 0, 2, 3, 1, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15 };

	return of[number & 15];
}

static int32_t signed32(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			 (uint32_t)p[3] << 24);
}

bool scry_x86_evex(const struct scry_arch *arch, const uint8_t *p, size_t len,
		   struct scry_insn *ret)
{
	unsigned map = p[1] & 7, mod, rm, at = 6;
	int32_t offset = 0;
	struct scry_operand o = { .kind = SCRY_OPERAND_MEMORY, .reg = -1, .base = -1, .index = -1 };

	if (arch->ptr_size != 8 || len < 12 || p[0] != EVEX || p[1] & 8 || !(p[2] & 4))
		return false;
	o.size = (uint8_t)(16u << (p[3] >> 5 & 3));
	mod = p[5] >> 6;
	rm = p[5] & 7;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].map == map && rows[i].opcode == p[4]) {
			ret->name = rows[i].name;
			o.written = rows[i].writes;
		}
	if (!ret->name)
		return false;
	o.read = !o.written;
	if (mod != 3 && rm == 4) {
		unsigned sib = p[at++], index = (sib >> 3 & 7) | (~p[1] >> 6 & 1) << 3;

		o.scale = 1u << (sib >> 6);
		o.index = index == 4 ? -1 : general(index);
		o.base = (sib & 7) == 5 && mod == 0 ? -1
						    : general((sib & 7) | (~p[1] >> 5 & 1) << 3);
	} else if (mod == 0 && rm == 5) {
		o.base = arch->pc;
	} else {
		o.base = general(rm | (~p[1] >> 5 & 1) << 3);
	}
	if (mod == 1) {
		offset = (int8_t)p[at++] * o.size;
	} else if (mod == 2 || (mod == 0 && (o.base < 0 || o.base == arch->pc))) {
		offset = signed32(p + at);
		at += 4;
	}
	o.offset = offset;
	/* vpcmpub and vpcmpb with the predicate 0 have a name of their own */
	if (map == 3 && (p[4] == 0x3e || p[4] == 0x3f) && p[at] == 0)
		ret->name = "vpcmpeqb";
	ret->size = at + has_number(map);
	ret->kind = SCRY_INSN_OTHER;
	if (mod != 3)
		ret->operands[ret->count++] = o;
	return true;
}
