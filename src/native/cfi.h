/**
 * Call frame information (.eh_frame, .debug_frame) as rules that are compiled once per pc: a deep
 * stack passes the same few places over and over. libdw finds and decodes the entries, in files
 * that the module layer has checked.
 */
#ifndef SCRY_CFI_H
#define SCRY_CFI_H

#include <elfutils/libdw.h>

#include "native/native.h"
#include "symbol/elf_image.h"

/** How the caller's value of a register, or the frame's address, is found. */
struct scry_rule {
	enum scry_rule_kind {
		SCRY_RULE_LOST,     /* it cannot be known */
		SCRY_RULE_SAME,     /* the callee's value */
		SCRY_RULE_MEMORY,   /* the word at the frame's address + offset */
		SCRY_RULE_VALUE,    /* the frame's address + offset */
		SCRY_RULE_REGISTER, /* register `reg` + offset */
		SCRY_RULE_EXPRESSION,
	} kind;
	int reg; /* index into arch->regs */
	int64_t offset;
	const Dwarf_Op *ops; /* SCRY_RULE_EXPRESSION */
	bool typed;          /* they have scry_ctype_code()'s numbers where they name a type */
	size_t count;
};

/** The rules of one pc. */
struct scry_cfi_row {
	/* false: no entry covers the pc, and `why` says what is missing */
	bool known;
	/* a signal handler's frame: its caller was interrupted, it did not call anything */
	bool signal;
	/* index of the register whose caller's value is the return address */
	int link;
	const char *why;
	struct scry_rule frame;  /* the frame's address (CFA) */
	struct scry_rule regs[]; /* arch->count of them */
};

/**
 * The rules at `pc`, remembered; of a return address give the byte before it, which belongs to the
 * call. NULL when out of memory.
 */
const struct scry_cfi_row *scry_cfi_at(struct scry_session *s, scry_addr pc);
/** One entry of the call frame information and its CIE, as libdw has them. */
struct scry_cfi_entry {
	char *image;
	Elf *elf;
	Dwarf_CFI *cfi;
};

/**
 * The entry that .eh_frame_hdr's table has for an address of the image (without the bias), read
 * from the mapped file or from target memory. True, and `cfi` is for dwarf_cfi_addrframe(), which
 * checks whether the entry covers the address. scry_cfi_entry_close() releases it, along with the
 * Dwarf_Frames made from it.
 */
bool scry_cfi_entry_open(const struct scry_elf *e, uint64_t vaddr, struct scry_cfi_entry *ret);
void scry_cfi_entry_close(struct scry_cfi_entry *entry);
/**
 * Apply the rules: the registers of the caller, whose pc is the return address. SCRY_ITEM, SCRY_OK
 * where the stack ends, or SCRY_EFAULT (scry_fail) where memory or a register is missing.
 */
int scry_cfi_step(struct scry_session *s, const struct scry_cfi_row *row,
		  const struct scry_regs *now, struct scry_regs *ret);
/**
 * Where scry_cfi_step() gave SCRY_OK and `outer`: is that an end, and not a return address that
 * something overwrote with 0?
 */
bool scry_cfi_is_end(struct scry_session *s, const struct scry_cfi_row *row,
		     const struct scry_regs *outer);
/** What a type of DWARF's typed stack is: how many bytes it has, and this bit if it has a sign. */
#define SCRY_CTYPE_SIGNED 0x100
/**
 * Evaluate a DWARF expression; `frame` is what DW_OP_call_frame_cfa pushes. Where an operation
 * names a type (DW_OP_convert) it has the type's number instead, 0 for numbers of no type, and the
 * rule is `typed`. False where it is malformed, or needs what is not known.
 */
bool scry_cfi_expression(struct scry_session *s, const struct scry_rule *rule,
			 const struct scry_regs *now, scry_addr frame, uint64_t *ret);
/** The index in arch->regs of a DWARF register number, or -1. */
int scry_reg_by_dwarf(const struct scry_arch *arch, uint64_t number);
/** Is there code at the address, as far as the mappings show? */
bool scry_is_code(struct scry_session *s, scry_addr at);
/** Without the signature above the address, where the machine has such. */
scry_addr scry_unsigned_code(struct scry_session *s, scry_addr pc);
/**
 * Is there a call instruction right before the address? False also for machines whose calls are not
 * known. *ret_target (may be NULL) gets the address that it calls, 0 for an indirect call.
 */
bool scry_follows_call(struct scry_session *s, scry_addr at, scry_addr *ret_target);
/**
 * The caller of a function that no table describes, by its instructions (unwind_code.c); false
 * where they do not show it. `is_call`: the pc is a return address. *ret_certain: the caller's call
 * instruction names this function.
 */
bool scry_unwind_code(struct scry_session *s, const struct scry_regs *now, bool is_call,
		      struct scry_regs *ret, bool *ret_certain);
/**
 * The caller of code that nothing describes (unwind_scan.c): the next word on the stack that
 * follows a call and can be unwound further. A guess.
 */
bool scry_unwind_scan(struct scry_session *s, const struct scry_regs *now, struct scry_regs *ret);
/** Does the code run straight into an instruction that nothing comes after (hlt of x86)? */
bool scry_unwind_halts(struct scry_session *s, scry_addr pc);
/**
 * Is there no return address from the stack pointer on, as far as the stack's memory goes, at most
 * for so many bytes?
 */
bool scry_nothing_above(struct scry_session *s, const struct scry_regs *now, uint64_t bytes);
/**
 * Is it the outermost frame? There is no return address at all from the stack pointer to the end of
 * the stack's memory; where its code halts when what it called returns, to the end or far enough,
 * and the frame pointer is not in use.
 */
bool scry_unwind_is_end(struct scry_session *s, const struct scry_regs *now);
/** Forget rules and handles. */
void scry_cfi_close(struct scry_session *s);

#endif
