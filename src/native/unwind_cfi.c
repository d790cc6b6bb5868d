/* Unwinding by call frame information; where there is none, by the chain of frame pointers. */
#include <inttypes.h>
#include <string.h>

#include "native/cfi.h"
#include "native/place.h"

#define GAP_MAX    (64u << 20) /* between two frame pointers: no stack frame is larger */
#define GUESS_NEAR 256         /* bytes: a return address so near may be of the same function */

static bool fits(struct scry_session *s)
{
	return s->target->arch && !s->target->abi.windows;
}

bool scry_is_code(struct scry_session *s, scry_addr at)
{
	const struct scry_map *map = scry_map_at(s->target, at);

	return map && (!(map->flags & (SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_EXEC)) ||
		       (map->flags & SCRY_MAP_EXEC));
}

scry_addr scry_unsigned_code(struct scry_session *s, scry_addr pc)
{
	unsigned bits = s->target->arch->code_bits;

	return bits && !scry_is_code(s, pc) ? pc & (((scry_addr)1 << bits) - 1) : pc;
}

/* A call through a bad pointer: nothing was pushed but the return address. */
static bool step_off_bad_call(struct scry_session *s, const struct scry_regs *now,
			      struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	scry_addr pc = 0, sp = now->value[arch->sp];

	if (scry_is_code(s, now->value[arch->pc]))
		return false;
	*ret = *now;
	if (arch->link >= 0) {
		pc = now->value[arch->link];
	} else {
		if (scry_read_ptr(s, sp, &pc) < 0)
			return false;
		ret->value[arch->sp] = sp + arch->ptr_size;
	}
	ret->value[arch->pc] = pc = scry_unsigned_code(s, pc);
	return scry_is_code(s, pc);
}

#define BEHIND 7 /* bytes of `test; jl; je` between the call and what parts the two threads */

/* At most so far after a system call; *ret_number: what it was loaded with, or 0. */
static bool is_behind_syscall(struct scry_session *s, scry_addr pc, uint32_t *ret_number)
{
	static const uint8_t call[2] = { 0x0f, 0x05 };
	enum { LOAD = 5 }; /* mov $number,%eax */
	uint8_t code[LOAD + sizeof(call) + BEHIND];

	if (s->target->arch->link >= 0 || scry_read(s, pc - sizeof(code), code, sizeof(code)) < 0)
		return false;
	for (size_t at = LOAD + BEHIND; at >= LOAD; at--)
		if (!memcmp(code + at, call, sizeof(call))) {
			const uint8_t *load = code + at - LOAD;

			*ret_number = load[0] == 0xb8 ? load[1] | (uint32_t)load[2] << 8 : 0;
			return true;
		}
	return false;
}

/*
 * Where clone() or clone3() came back in the new thread: nothing called it. Their tables end before
 * the call, since it returns twice, and go on after the jump that parts the two.
 */
static bool is_newborn(struct scry_session *s, const struct scry_regs *now)
{
	const struct scry_arch *arch = now->arch;
	uint32_t number;

	return (now->valid >> arch->syscall_result & 1) && !now->value[arch->syscall_result] &&
	       is_behind_syscall(s, now->value[arch->pc], &number) &&
	       (number == arch->clone || number == arch->clone3);
}

/* In the thread that made the call: nothing is on the stack but the return address. */
static bool step_off_syscall(struct scry_session *s, const struct scry_regs *now,
			     struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	scry_addr pc, sp = now->value[arch->sp];
	uint32_t number;

	if (!is_behind_syscall(s, now->value[arch->pc], &number) || scry_read_ptr(s, sp, &pc) < 0 ||
	    !scry_is_code(s, pc) || !scry_follows_call(s, pc, NULL))
		return false;
	*ret = *now;
	ret->value[arch->pc] = pc;
	ret->value[arch->sp] = sp + arch->ptr_size;
	return true;
}

/* clone() calls a thread's function behind the end of its own table: glibc, powerpc64/clone.S. */
static bool ends_back_chain(struct scry_session *s, const struct scry_regs *now)
{
	const struct scry_arch *arch = now->arch;
	scry_addr outer;

	return arch->back_chain && (now->valid >> arch->sp & 1) &&
	       scry_read_ptr(s, now->value[arch->sp], &outer) == SCRY_OK && !outer;
}

/*
 * Code without a table (compiled at run time, written by hand): where it keeps a frame pointer, two
 * words are there.
 */
static bool step_by_frame_pointer(struct scry_session *s, const struct scry_regs *now,
				  struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	const struct scry_frame_record *record = &arch->record;
	scry_addr fp = now->value[arch->fp], sp = now->value[arch->sp], outer, pc;

	if (record->fp == record->pc || !(now->valid >> arch->fp & 1) || fp % arch->ptr_size ||
	    fp < sp || fp - sp > GAP_MAX ||
	    scry_read_ptr(s, fp + (scry_addr)record->fp, &outer) < 0 ||
	    scry_read_ptr(s, fp + (scry_addr)record->pc, &pc) < 0)
		return false;
	pc = scry_unsigned_code(s, pc);
	if (!scry_is_code(s, pc) || (outer && (outer <= fp || outer - fp > GAP_MAX)))
		return false;
	*ret = (struct scry_regs) { .arch = arch,
				    .valid = (uint64_t)1 << arch->pc | (uint64_t)1 << arch->sp |
					     (uint64_t)1 << arch->fp };
	ret->value[arch->pc] = pc;
	ret->value[arch->sp] = fp + (scry_addr)record->sp;
	ret->value[arch->fp] = outer;
	return true;
}

/*
 * The innermost function may not have saved the link register yet, or never does. What it called
 * before left an address inside itself there: that is no caller.
 */
static bool step_by_link(struct scry_session *s, const struct scry_regs *now, struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	scry_addr pc = now->value[arch->pc], link, target;

	if (arch->link < 0 || !(now->valid >> arch->link & 1))
		return false;
	link = scry_unsigned_code(s, now->value[arch->link]);
	const struct scry_place *here = scry_place_at(s, pc), *there = scry_place_at(s, link - 1);
	if (!scry_is_code(s, link) || !scry_follows_call(s, link, &target) || !here || !there ||
	    (here->symbol.name && here->symbol.addr == there->symbol.addr) ||
	    (!here->symbol.name && link > pc - GUESS_NEAR && link < pc + GUESS_NEAR))
		return false;
	*ret = *now;
	ret->value[arch->pc] = link;
	return true;
}

/* In code without a table. *ret_guess: it may be another function that called. */
static bool step_without_table(struct scry_session *s, const struct scry_regs *now, bool innermost,
			       struct scry_regs *ret, bool *ret_guess)
{
	scry_addr pc = now->value[now->arch->pc];
	bool certain = true;

	*ret_guess = false;
	if (innermost && (step_off_bad_call(s, now, ret) || step_off_syscall(s, now, ret)))
		return true;
	if (scry_unwind_code(s, now, !innermost, ret, &certain)) {
		*ret_guess = !certain;
		return true;
	}
	*ret_guess = true;
	if (innermost && step_by_link(s, now, ret))
		return true;
	/*
	 * code compiled at run time keeps frame pointers, or nothing; of a file's code any may be
	 */
	if (step_by_frame_pointer(s, now, ret)) {
		*ret_guess = scry_module_at(s, pc) != NULL;
		return true;
	}
	return scry_is_code(s, pc) && scry_unwind_scan(s, now, ret);
}

/* The caller's registers, by whatever way. */
static int step(struct scry_session *s, const struct scry_cfi_row *row, const struct scry_regs *now,
		bool innermost, struct scry_regs *ret, bool *ret_guess)
{
	const struct scry_arch *arch = now->arch;

	*ret_guess = false;
	if (row->known) {
		int rc = scry_cfi_step(s, row, now, ret);

		if (rc == SCRY_ITEM)
			ret->value[arch->pc] = scry_unsigned_code(s, ret->value[arch->pc]);
		if (rc == SCRY_OK && !scry_cfi_is_end(s, row, ret))
			return scry_fail(s, SCRY_EFAULT, now->value[arch->pc],
					 "its return address is 0, and there are others above");
		return rc;
	}
	if ((innermost && is_newborn(s, now)) || ends_back_chain(s, now))
		return SCRY_OK;
	if (step_without_table(s, now, innermost, ret, ret_guess))
		return SCRY_ITEM;
	if (!innermost && scry_unwind_is_end(s, now))
		return SCRY_OK;
	return scry_fail(s, SCRY_EFAULT, now->value[arch->pc], "%s", row->why);
}

static int fail_at(struct scry_session *s, scry_addr pc)
{
	const char *why = scry_arena_printf(&s->arena, "%s", s->error.text);
	const struct scry_module *m = scry_module_at(s, pc);
	const char *where =
		m ? scry_arena_printf(&s->arena, " (%s+0x%" PRIx64 ")", m->name, pc - m->start)
		  : "";

	return scry_fail(s, SCRY_EFAULT, pc, "unwinding ends at 0x%" PRIx64 "%s: %s", pc,
			 where ? where : "", why ? why : "");
}

static int walk(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each,
		void *arg)
{
	struct scry_native_frame f = { .regs = *start };
	struct scry_regs next;
	int rc = SCRY_ITEM;

	for (unsigned depth = 0; rc == SCRY_ITEM && depth < SCRY_UNWIND_MAX; depth++) {
		f.pc = f.regs.value[f.regs.arch->pc];
		const struct scry_cfi_row *row = scry_cfi_at(s, f.pc - f.is_call);
		if (!row)
			return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
		f.is_signal = row->known && row->signal;
		f.is_call = f.is_call && !f.is_signal;
		scry_native_name(s, &f);
		if (!each(arg, &f))
			return SCRY_OK;
		rc = step(s, row, &f.regs, !f.is_call, &next, &f.is_guess);
		f.after_guess |= f.is_guess;
		f.regs = next;
		f.is_call = !f.is_signal;
	}
	return rc < 0 ? fail_at(s, f.pc) : SCRY_OK;
}

const struct scry_unwinder scry_unwinder_cfi = { "cfi", fits, walk };
