/*
 * .pdata: which function holds an address, and the caller's registers out of unwind codes. x86-64
 * only; the layouts are those of "x64 exception handling" in the Microsoft documentation
 * (RUNTIME_FUNCTION, UNWIND_INFO, UNWIND_CODE).
 */
#include <inttypes.h>
#include <string.h>

#include "symbol/pe_image.h"

enum {
	MACHINE_AMD64 = 0x8664,
	FUNCTION_SIZE = 12,
	INFO_HEADER = 4,
	FLAG_CHAINED = 4,
	MAX_CHAIN = 32,
	MAX_CODES = 256
};
enum {
	OP_PUSH = 0,
	OP_ALLOC_LARGE = 1,
	OP_ALLOC_SMALL = 2,
	OP_SET_FRAME = 3,
	OP_SAVE = 4,
	OP_SAVE_FAR = 5,
	OP_EPILOG = 6,
	OP_SPARE = 7,
	OP_SAVE_XMM = 8,
	OP_SAVE_XMM_FAR = 9,
	OP_MACHINE_FRAME = 10
};
/* UNWIND_INFO numbers registers as instructions do. */
static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
enum { RSP = 4 };

struct function {
	uint32_t begin, end, info;
};

struct info {
	uint8_t version, flags, frame_register;
	uint32_t frame_offset;
	unsigned count;
	uint8_t codes[2 * MAX_CODES];
	struct function chained;
};

static struct scry_pe *pe_of(struct scry_module *m)
{
	scry_module_open(m);
	struct scry_pe *pe = m->ops == &scry_module_pe ? m->state : NULL;

	return pe && pe->headers.machine == MACHINE_AMD64 ? pe : NULL;
}

static bool read_function(struct scry_pe *pe, uint64_t rva, struct function *ret)
{
	uint8_t row[FUNCTION_SIZE];

	if (!scry_pe_read(pe, rva, row, sizeof(row)))
		return false;
	*ret = (struct function) { scry_pe32(row), scry_pe32(row + 4), scry_pe32(row + 8) };
	return true;
}

/* The rows are sorted by begin. 0 none holds the address, < 0 the table is not there. */
static int find_function(struct scry_pe *pe, uint32_t rva, struct function *ret)
{
	struct scry_pe_dir dir = pe->headers.dir[SCRY_PE_EXCEPTION];
	uint32_t low = 0, high = dir.size / FUNCTION_SIZE;
	struct function f;

	if (!high)
		return SCRY_ENOTFOUND;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (!read_function(pe, (uint64_t)dir.rva + (uint64_t)mid * FUNCTION_SIZE, &f))
			return SCRY_EFAULT;
		if (rva < f.begin)
			high = mid;
		else if (rva >= f.end)
			low = mid + 1;
		else {
			*ret = f;
			return SCRY_ITEM;
		}
	}
	return SCRY_OK;
}

/* An odd `info` names another row of .pdata that has the data. */
static bool resolve(struct scry_pe *pe, struct function *f)
{
	for (unsigned i = 0; f->info & 1; i++)
		if (i == MAX_CHAIN || !read_function(pe, f->info & ~1u, f))
			return false;
	return true;
}

static bool read_info(struct scry_pe *pe, uint32_t rva, struct info *ret)
{
	uint8_t head[INFO_HEADER];

	if (!scry_pe_read(pe, rva, head, sizeof(head)))
		return false;
	ret->version = head[0] & 7;
	ret->flags = head[0] >> 3;
	ret->count = head[2];
	ret->frame_register = head[3] & 15;
	ret->frame_offset = (head[3] >> 4) * 16u;
	if (ret->version != 1 && ret->version != 2)
		return false;
	if (!scry_pe_read(pe, (uint64_t)rva + INFO_HEADER, ret->codes, 2 * ret->count))
		return false;
	if (!(ret->flags & FLAG_CHAINED))
		return true;
	return read_function(pe, (uint64_t)rva + INFO_HEADER + 2 * ((ret->count + 1) & ~1u),
			     &ret->chained);
}

int scry_pe_function(struct scry_module *m, scry_addr addr, scry_addr *ret_begin,
		     scry_addr *ret_end, scry_addr *ret_root)
{
	struct scry_pe *pe = pe_of(m);
	struct function f, root;
	struct info info;

	if (!pe || addr < m->start || addr - m->start > UINT32_MAX)
		return SCRY_ENOTFOUND;
	int rc = find_function(pe, (uint32_t)(addr - m->start), &f);
	if (rc <= 0)
		return rc < 0 ? rc : SCRY_ENOTFOUND;
	root = f;
	for (unsigned i = 0; i < MAX_CHAIN && resolve(pe, &root) && read_info(pe, root.info, &info);
	     i++) {
		if (!(info.flags & FLAG_CHAINED))
			break;
		root = info.chained;
	}
	*ret_begin = m->start + f.begin;
	*ret_end = m->start + f.end;
	*ret_root = m->start + root.begin;
	return SCRY_OK;
}

/* --- unwinding --- */

struct state {
	struct scry_module *module;
	struct scry_pe *pe;
	struct scry_regs *regs;
	int index[16]; /* of the register in regs */
};

static bool get(const struct state *u, unsigned reg, uint64_t *ret)
{
	if (u->index[reg] < 0 || !(u->regs->valid >> u->index[reg] & 1))
		return false;
	*ret = u->regs->value[u->index[reg]];
	return true;
}

static void set(struct state *u, unsigned reg, uint64_t value)
{
	if (u->index[reg] < 0)
		return;
	u->regs->value[u->index[reg]] = value;
	u->regs->valid |= (uint64_t)1 << u->index[reg];
}

static bool load(struct state *u, unsigned reg, scry_addr at)
{
	uint64_t value;

	if (scry_read_uint(u->module->session, at, 8, &value) != SCRY_OK)
		return false;
	set(u, reg, value);
	return true;
}

/* Take a word off the stack into a register. */
static bool pop(struct state *u, unsigned reg)
{
	uint64_t sp;

	if (!get(u, RSP, &sp) || !load(u, reg, sp))
		return false;
	if (reg != RSP)
		set(u, RSP, sp + 8);
	return true;
}

static bool pop_pc(struct state *u)
{
	uint64_t sp, pc;
	int at = u->regs->arch->pc;

	if (!get(u, RSP, &sp) || scry_read_uint(u->module->session, sp, 8, &pc) != SCRY_OK)
		return false;
	set(u, RSP, sp + 8);
	u->regs->value[at] = pc;
	u->regs->valid |= (uint64_t)1 << at;
	return true;
}

static bool grow(struct state *u, uint64_t size)
{
	uint64_t sp;

	if (!get(u, RSP, &sp) || sp + size < sp)
		return false;
	set(u, RSP, sp + size);
	return true;
}

/* How many 16-bit slots an operation takes. */
static unsigned slots(unsigned op, unsigned info)
{
	switch (op) {
	case OP_ALLOC_LARGE:
		return info ? 3 : 2;
	case OP_SAVE:
	case OP_SAVE_XMM:
		return 2;
	case OP_SAVE_FAR:
	case OP_SAVE_XMM_FAR:
	case OP_SPARE:
		return 3;
	}
	return 1;
}

/*
 * A trap frame: the processor pushed (an error code,) the address, and three words on the old stack
 * pointer.
 */
static bool machine_frame(struct state *u, bool error_code)
{
	uint64_t sp, pc;
	int at = u->regs->arch->pc;

	if (!get(u, RSP, &sp))
		return false;
	sp += error_code ? 8 : 0;
	if (scry_read_uint(u->module->session, sp, 8, &pc) != SCRY_OK || !load(u, RSP, sp + 24))
		return false;
	u->regs->value[at] = pc;
	return true;
}

/* Undo one operation; `frame` is where registers were saved relative to. */
static bool undo(struct state *u, const struct info *info, const uint8_t *code, uint64_t frame,
		 bool *ret_done)
{
	unsigned op = code[1] & 15, arg = code[1] >> 4;
	uint64_t value;

	switch (op) {
	case OP_PUSH:
		/* padding after epilogs */
		return (info->version == 2 && code[0] == 0 && arg == 0) || pop(u, arg);
	case OP_ALLOC_LARGE:
		return grow(u, arg ? scry_pe32(code + 2) : scry_pe16(code + 2) * 8u);
	case OP_ALLOC_SMALL:
		return grow(u, arg * 8u + 8);
	case OP_SET_FRAME:
		if (!get(u, info->frame_register, &value))
			return false;
		set(u, RSP, value - info->frame_offset);
		return true;
	case OP_SAVE:
		return load(u, arg, frame + scry_pe16(code + 2) * 8u);
	case OP_SAVE_FAR:
		return load(u, arg, frame + scry_pe32(code + 2));
	case OP_MACHINE_FRAME:
		*ret_done = true;
		return machine_frame(u, arg);
	}
	return true; /* of the XMM registers none holds an object */
}

/* The prologue up to `offset` is undone, last operation first. */
static bool undo_codes(struct state *u, const struct info *info, uint64_t offset, bool *ret_done)
{
	uint64_t frame, sp;
	bool framed = false;

	for (unsigned i = 0; i < info->count;
	     i += slots(info->codes[2 * i + 1] & 15, info->codes[2 * i + 1] >> 4))
		framed = framed || ((info->codes[2 * i + 1] & 15) == OP_SET_FRAME &&
				    info->codes[2 * i] <= offset);
	if (!get(u, RSP, &sp))
		return false;
	frame = sp;
	if (info->frame_register && framed && get(u, info->frame_register, &frame))
		frame -= info->frame_offset;
	for (unsigned i = 0; i < info->count && !*ret_done;) {
		const uint8_t *code = info->codes + 2 * i;
		unsigned n = slots(code[1] & 15, code[1] >> 4);

		if (i + n > info->count)
			return false;
		if (code[0] <= offset && !undo(u, info, code, frame, ret_done))
			return false;
		i += n;
	}
	return true;
}

/* All of the function's unwind infos, this fragment's and those it is chained to. */
static bool undo_function(struct state *u, struct function f, uint32_t rva)
{
	uint64_t offset = rva - f.begin;
	struct info info;
	bool done = false;

	for (unsigned i = 0; i < MAX_CHAIN; i++) {
		if (!resolve(u->pe, &f) || !read_info(u->pe, f.info, &info) ||
		    !undo_codes(u, &info, offset, &done))
			return false;
		if (done)
			return true;
		if (!(info.flags & FLAG_CHAINED))
			return pop_pc(u);
		f = info.chained;
		offset = UINT32_MAX; /* the whole of an outer prologue has run */
	}
	return false;
}

/* The length of "pop reg" at `p` and the register, or 0. */
static unsigned decode_pop(const uint8_t *p, unsigned *ret_reg)
{
	unsigned rex = (p[0] & 0xf0) == 0x40;

	if ((p[rex] & 0xf8) != 0x58)
		return 0;
	*ret_reg = (p[rex] & 7) + (rex && p[0] & 1 ? 8 : 0);
	return rex + 1;
}

/*
 * "add rsp, n" or "lea rsp, [reg + n]", which begin an epilogue: the length, 0 none, and the new
 * stack pointer.
 */
static unsigned decode_frame_end(const struct state *u, const uint8_t *p, uint64_t *ret_sp)
{
	uint64_t value;
	unsigned reg;

	if (p[0] == 0x48 && (p[1] == 0x83 || p[1] == 0x81) && p[2] == 0xc4 && get(u, RSP, &value)) {
		*ret_sp = value + (p[1] == 0x83 ? (uint64_t)(int8_t)p[3]
						: (uint64_t)(int32_t)scry_pe32(p + 3));
		return p[1] == 0x83 ? 4 : 7;
	}
	if ((p[0] & 0xfe) != 0x48 || p[1] != 0x8d || (p[2] & 0x38) != 0x20)
		return 0;
	reg = (p[2] & 7) + (p[0] & 1 ? 8 : 0);
	if ((p[2] & 7) == RSP || !get(u, reg, &value))
		return 0;
	*ret_sp = value +
		  ((p[2] >> 6) == 1 ? (uint64_t)(int8_t)p[3] : (uint64_t)(int32_t)scry_pe32(p + 3));
	return (p[2] >> 6) == 1 ? 4 : (p[2] >> 6) == 2 ? 7 : 0;
}

static bool ends_function(const uint8_t *p)
{
	return p[0] == 0xc3 || p[0] == 0xc2 || (p[0] == 0xf3 && p[1] == 0xc3);
}

/*
 * Is the address in an epilogue? Those are pure: free the frame, pop, return. Then the prologue's
 * codes would undo too much, and what is left of the epilogue is run instead. 1 done, 0 not an
 * epilogue. A tail call's jump is not told from any other jump and is unwound as the function's
 * body.
 */
static int run_epilogue(struct state *u, scry_addr pc)
{
	uint8_t code[64] = { 0 };
	size_t n = scry_read_some(u->module->session, pc, code, sizeof(code) - 8), at = 0;
	uint64_t sp;
	unsigned len, reg = 0;

	if (!n || !get(u, RSP, &sp))
		return 0;
	at = decode_frame_end(u, code, &sp);
	size_t pops = at;
	while (at < n && (len = decode_pop(code + at, &reg)))
		at += len;
	if (at >= n || !ends_function(code + at))
		return 0;
	struct scry_regs before = *u->regs;
	set(u, RSP, sp);
	for (bool ok = true; ok && pops < at; pops += len) {
		len = decode_pop(code + pops, &reg);
		ok = pop(u, reg);
	}
	if (pops >= at && pop_pc(u))
		return 1;
	*u->regs = before;
	return 0;
}

static void keep_preserved(struct scry_regs *regs)
{
	for (unsigned i = 0; i < regs->arch->count; i++)
		if (regs->arch->regs[i].win64 == SCRY_VOLATILE)
			regs->valid &= ~((uint64_t)1 << i);
}

int scry_pe_unwind(struct scry_module *m, struct scry_regs *regs)
{
	struct scry_pe *pe = pe_of(m);
	struct scry_session *s = m->session;
	struct state u = { m, pe, regs };
	struct function f;
	uint64_t sp, after;

	if (!pe && !m->file)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "%s is missing: it was not found on this machine", m->name);
	if (!pe || !regs->arch || !regs->arch->pe_unwind || !(regs->valid >> regs->arch->pc & 1))
		return scry_fail(s, SCRY_EUNSUPPORTED, 0,
				 "%s has no unwind data that is understood", m->name);
	for (unsigned i = 0; i < 16; i++) {
		u.index[i] = -1;
		for (unsigned k = 0; k < regs->arch->count; k++)
			if (!strcmp(regs->arch->regs[k].name, names[i]))
				u.index[i] = (int)k;
	}
	scry_addr pc = regs->value[regs->arch->pc];
	if (!get(&u, RSP, &sp) || pc < m->start || pc >= m->end)
		return scry_fail(s, SCRY_EINVAL, pc, "0x%" PRIx64 " is not in %s", pc, m->name);
	uint32_t rva = (uint32_t)(pc - m->start);
	int rc = find_function(pe, rva, &f);
	if (rc < 0)
		return scry_fail(s, SCRY_EFAULT, pc, "the unwind data of %s are not there",
				 m->name);
	struct scry_regs before = *regs;
	/* no entry: a leaf, which leaves the stack as it found it */
	bool ok = rc == 0 ? pop_pc(&u) : run_epilogue(&u, pc) || undo_function(&u, f, rva);
	if (!ok || !get(&u, RSP, &after) || after <= sp) {
		*regs = before;
		return scry_fail(s, SCRY_EFAULT, pc, "cannot unwind from 0x%" PRIx64 " in %s", pc,
				 m->name);
	}
	keep_preserved(regs);
	return SCRY_OK;
}
