/*
 * Out of a function that no table describes but a symbol does: its instructions from the beginning
 * on show how far the stack pointer has gone. Kernels written by hand are like that.
 */
#include <string.h>

#include "base/loadable.h"
#include "native/cfi.h"
#include "native/place.h"

#define CODE_MAX  65536 /* bytes of a function */
#define PIECE     256
#define JUMPS_MAX 64

/*
 * Bytes between where the stack pointer was at first, and where it is, and the frame pointer; -1
 * not known. saved_*: where the caller's frame pointer, and the link register, were put.
 */
struct depth {
	int64_t sp, fp, saved_fp, saved_link;
};

struct walk {
	const struct scry_arch *arch;
	struct depth now;
	bool reached; /* false: only a jump leads here */
	struct {
		scry_addr to;
		struct depth depth;
	} jumps[JUMPS_MAX];
	unsigned count;
};

static void take_jump(struct walk *w, scry_addr to)
{
	if (!to || !w->reached || w->count == JUMPS_MAX)
		return;
	w->jumps[w->count].to = to;
	w->jumps[w->count++].depth = w->now;
}

static void arrive(struct walk *w, scry_addr at)
{
	for (unsigned i = 0; i < w->count && !w->reached; i++)
		if (w->jumps[i].to == at) {
			w->now = w->jumps[i].depth;
			w->reached = true;
		}
}

static void apply(struct walk *w, const struct scry_stack_effect *e)
{
	if (e->back_to_record)
		w->now.sp = w->now.fp;
	if (w->now.sp >= 0)
		w->now.sp = e->lost ? -1 : w->now.sp + e->pushed;
	if (e->saves_fp && w->now.saved_fp < 0 && w->now.sp >= 0)
		w->now.saved_fp = w->now.sp - e->fp_at;
	if (e->saves_link && w->now.saved_link < 0 && w->now.sp >= 0)
		w->now.saved_link = w->now.sp - e->link_at;
	if (e->makes_record && w->now.sp >= 0)
		w->now.fp = w->now.sp - e->record_at;
	take_jump(w, e->jump);
	w->reached = w->reached && !e->ends;
}

/* Read instructions until `pc` is the next one. */
static bool follow(struct walk *w, csh cs, const struct scry_capstone_library *lib,
		   struct scry_session *s, scry_addr start, scry_addr pc)
{
	scry_addr at = start;

	while (at < pc) {
		uint8_t bytes[PIECE];
		size_t len = scry_read_some(s, at, bytes, sizeof(bytes));
		cs_insn *insns;
		size_t n = lib->cs_disasm(cs, bytes, len, at, 0, &insns);
		scry_addr before = at;

		for (size_t i = 0; i < n && at < pc; i++) {
			struct scry_stack_effect effect;

			arrive(w, at);
			w->arch->code.effect(&insns[i], &effect);
			apply(w, &effect);
			at += insns[i].size;
		}
		if (n)
			lib->cs_free(insns, n);
		if (at == before)
			return false;
	}
	arrive(w, at);
	return at == pc && w->reached && w->now.sp >= 0;
}

static bool find_depth(struct scry_session *s, const struct scry_symbol *symbol, scry_addr pc,
		       struct depth *ret)
{
	const struct scry_arch *arch = s->target->arch;
	const struct scry_capstone_library *lib = scry_capstone_library();
	struct walk w = { .arch = arch, .now = { 0, -1, -1, -1 }, .reached = true };
	csh cs;

	if (!lib || !arch->code.effect || pc - symbol->addr > CODE_MAX ||
	    lib->cs_open(arch->code.arch, arch->code.mode, &cs) != CS_ERR_OK)
		return false;
	lib->cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
	bool found = follow(&w, cs, lib, s, symbol->addr, pc);
	lib->cs_close(&cs);
	*ret = w.now;
	return found;
}

/* --- forward, to where it returns --- */

#define NEAR      256 /* bytes: a return address so near may be of the same function */
#define STEPS_MAX 4096
#define JUMPED    16
/* musl's clone(): a number, a system call, and what is never reached */
#define STEPS_TO_HALT 8

struct way {
	struct scry_session *s;
	scry_addr at, sp, fp, link;
	bool has_fp, has_link, loaded_link, over, halted;
	unsigned jumps;
};

/* One instruction on; false where it cannot be told what it does. */
static bool go(struct way *w, const cs_insn *insn, const struct scry_arch *arch)
{
	struct scry_stack_effect e;

	arch->code.effect(insn, &e);
	w->over = e.returns;
	w->halted = e.halts;
	if (e.lost || (e.back_to_record && !w->has_fp))
		return false;
	if (e.back_to_record)
		w->sp = w->fp;
	if (e.restores_fp)
		w->has_fp = scry_read_ptr(w->s, w->sp + (scry_addr)e.fp_at, &w->fp) == SCRY_OK;
	if (e.restores_link)
		w->has_link = w->loaded_link =
			scry_read_ptr(w->s, w->sp + (scry_addr)e.link_at, &w->link) == SCRY_OK;
	w->sp -= (scry_addr)e.pushed;
	if (e.makes_record)
		w->fp = w->sp + (scry_addr)e.record_at;
	w->has_fp |= e.makes_record;
	w->at += insn->size;
	if (!e.ends || e.returns)
		return true;
	w->at = e.jump;
	return e.jump && ++w->jumps < JUMPED && scry_module_at(w->s, e.jump);
}

/* Branches are not taken: whichever way it goes, it returns from the same frame. */
static bool go_to_return(struct way *w, const struct scry_arch *arch, unsigned steps)
{
	const struct scry_capstone_library *lib = scry_capstone_library();
	bool good = true;
	csh cs;

	if (!lib || !arch->code.effect ||
	    lib->cs_open(arch->code.arch, arch->code.mode, &cs) != CS_ERR_OK)
		return false;
	lib->cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
	for (unsigned i = 0; good && !w->over && i < steps; i++) {
		uint8_t bytes[16];
		size_t len = scry_read_some(w->s, w->at, bytes, sizeof(bytes));
		cs_insn *insn;

		good = lib->cs_disasm(cs, bytes, len, w->at, 1, &insn) == 1;
		if (!good)
			break;
		good = go(w, insn, arch);
		lib->cs_free(insn, 1);
	}
	lib->cs_close(&cs);
	return good && w->over;
}

static bool is_return_address(struct scry_session *s, scry_addr at, scry_addr *ret_target)
{
	return scry_module_at(s, at) && scry_follows_call(s, at, ret_target);
}

/*
 * A link register that leads into the function itself was not saved yet when it was left there by
 * one that was called.
 */
static bool is_within(struct scry_session *s, scry_addr caller, scry_addr pc)
{
	const struct scry_place *here = scry_place_at(s, pc), *there = scry_place_at(s, caller - 1);

	if (here && there && here->symbol.name)
		return here->symbol.addr == there->symbol.addr;
	return caller > pc - NEAR && caller < pc + NEAR;
}

/*
 * The caller by what the function does before it returns. What calls that never come back are in
 * between, so this is a guess.
 */
static bool step_to_return(struct scry_session *s, const struct scry_regs *now, bool is_call,
			   struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	bool links = arch->link >= 0;
	struct way w = { .s = s,
			 .at = now->value[arch->pc],
			 .sp = now->value[arch->sp],
			 .fp = now->value[arch->fp],
			 .has_fp = now->valid >> arch->fp & 1 };
	scry_addr caller;

	if (links && !is_call) {
		w.link = now->value[arch->link];
		w.has_link = now->valid >> arch->link & 1;
	}
	if (!scry_module_at(s, w.at) || !go_to_return(&w, arch, STEPS_MAX) ||
	    w.sp < now->value[arch->sp] ||
	    (links ? !w.has_link : scry_read_ptr(s, w.sp, &w.link) < 0))
		return false;
	caller = scry_unsigned_code(s, w.link);
	if (!is_return_address(s, caller, NULL) ||
	    (links && !w.loaded_link && is_within(s, caller, now->value[arch->pc])))
		return false;
	*ret = (struct scry_regs) { .arch = arch,
				    .valid = (uint64_t)1 << arch->pc | (uint64_t)1 << arch->sp };
	ret->value[arch->pc] = caller;
	ret->value[arch->sp] = w.sp + (links ? 0 : arch->ptr_size);
	ret->value[arch->fp] = w.fp;
	ret->valid |= (uint64_t)w.has_fp << arch->fp;
	return true;
}

bool scry_unwind_halts(struct scry_session *s, scry_addr pc)
{
	struct way w = { .s = s, .at = pc, .jumps = JUMPED };

	return !go_to_return(&w, s->target->arch, STEPS_TO_HALT) && w.halted;
}

/* --- from its beginning on --- */

bool scry_follows_call(struct scry_session *s, scry_addr at, scry_addr *ret_target)
{
	uint8_t before[8];
	int64_t target = 0;

	if (!s->target->arch->code.ends_in_call ||
	    scry_read(s, at - sizeof(before), before, sizeof(before)) < 0 ||
	    !s->target->arch->code.ends_in_call(before, &target))
		return false;
	if (ret_target)
		*ret_target = target ? at + (scry_addr)target : 0;
	return true;
}

/* The return address: below where the stack pointer was at first, or where the link register is. */
static bool link_of(struct scry_session *s, const struct scry_regs *now, bool is_call, scry_addr at,
		    const struct depth *depth, scry_addr *ret)
{
	const struct scry_arch *arch = now->arch;
	scry_addr word = arch->link >= 0 ? now->value[arch->link] : 0;

	if (arch->link < 0 || depth->saved_link >= 0) {
		scry_addr from = arch->link < 0 ? at : at - (scry_addr)depth->saved_link;

		if (scry_read_ptr(s, from, &word) < 0)
			return false;
	} else if (is_call || !(now->valid >> arch->link & 1)) {
		return false;
	}
	*ret = scry_unsigned_code(s, word);
	return true;
}

static bool step_from_start(struct scry_session *s, const struct scry_regs *now, bool is_call,
			    struct scry_regs *ret, bool *ret_certain)
{
	const struct scry_arch *arch = now->arch;
	scry_addr pc = now->value[arch->pc], sp = now->value[arch->sp], caller, target = 0, fp;
	const struct scry_place *place = scry_place_at(s, pc - is_call);
	struct depth depth;

	if (!place || !place->symbol.name || !find_depth(s, &place->symbol, pc, &depth))
		return false;
	scry_addr at = sp + (scry_addr)depth.sp;
	if (!link_of(s, now, is_call, at, &depth, &caller) ||
	    !is_return_address(s, caller, &target))
		return false;
	/* what the function itself saved may lead into it: it calls itself */
	if (arch->link >= 0 && depth.saved_link < 0 && is_within(s, caller, pc))
		return false;
	*ret = (struct scry_regs) { .arch = arch,
				    .valid = (uint64_t)1 << arch->pc | (uint64_t)1 << arch->sp };
	ret->value[arch->pc] = caller;
	ret->value[arch->sp] = at + (arch->link < 0 ? arch->ptr_size : 0);
	fp = now->value[arch->fp];
	if (depth.saved_fp < 0 ? now->valid >> arch->fp & 1
			       : scry_read_ptr(s, at - (scry_addr)depth.saved_fp, &fp) == SCRY_OK) {
		ret->value[arch->fp] = fp;
		ret->valid |= (uint64_t)1 << arch->fp;
	}
	*ret_certain = target == place->symbol.addr;
	return true;
}

bool scry_unwind_code(struct scry_session *s, const struct scry_regs *now, bool is_call,
		      struct scry_regs *ret, bool *ret_certain)
{
	*ret_certain = false;
	return step_from_start(s, now, is_call, ret, ret_certain) ||
	       step_to_return(s, now, is_call, ret);
}
