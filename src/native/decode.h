/** Machine code of the target, read instruction by instruction with capstone. */
#ifndef SCRY_DECODE_H
#define SCRY_DECODE_H

#include "arch/insn.h"
#include "native/native.h"

/** capstone, opened for the target's machine; release it with scry_decoder_close(). */
struct scry_decoder {
	struct scry_session *session;
	const struct scry_arch *arch;
	const struct scry_capstone_library *library;
	csh details, words; /* two handles: AT&T's order of operands is the reverse */
};

/**
 * False where capstone is not installed or does not know the machine. Release with
 * scry_decoder_close().
 */
bool scry_decoder_open(struct scry_decoder *d, struct scry_session *s);
void scry_decoder_close(struct scry_decoder *d);
/** The instruction at an address; false where it is not valid, or memory is missing. */
bool scry_decode(struct scry_decoder *d, scry_addr at, struct scry_insn *ret);
/** Append it as gdb writes it: "mov    0x8(%rax),%rdx" with one space. */
void scry_decode_text(struct scry_decoder *d, const struct scry_insn *insn, struct scry_buf *out);

/** A function's instructions, from its first one on. */
struct scry_listing {
	struct scry_insn *insns; /* malloc()ed */
	size_t count;
	scry_addr start, end;
	bool indirect; /* it has a jump whose target only running it would show */
};
/**
 * Read the function that covers `at`; false where its start is not known, it is too long, or no
 * instruction of it begins at `at`. Release with scry_listing_done().
 */
bool scry_listing_read(struct scry_decoder *d, scry_addr at, struct scry_listing *ret);
void scry_listing_done(struct scry_listing *l);
/** Index of the instruction at an address, SIZE_MAX where none begins there. */
size_t scry_listing_find(const struct scry_listing *l, scry_addr at);
/**
 * Where a stub of the procedure linkage table jumps to; false where the code is none, or the word
 * that it jumps by is not known (stub.c).
 */
bool scry_stub_target(struct scry_decoder *d, scry_addr at, scry_addr *ret);
/**
 * What a register had when the frame's function was entered: the function copied it, before all
 * else, to a register that it never writes to again and that unwinding restored (recover.c).
 */
bool scry_entry_kept(struct scry_decoder *d, const struct scry_native_frame *f, int reg,
		     uint64_t *ret, int *ret_in);
/** Where tables of jumps lead, in a function (jump_table.c). */
struct scry_labels {
	scry_addr *at; /* malloc()ed, in order */
	size_t count;
};
/** None where the function has no such jump. Release with scry_labels_done(). */
void scry_labels_read(struct scry_decoder *d, const struct scry_listing *code,
		      struct scry_labels *ret);
bool scry_labels_have(const struct scry_labels *l, scry_addr at);
void scry_labels_done(struct scry_labels *l);
/**
 * Where the function that covers an address begins and ends: by its symbol, or by its entry in the
 * unwind tables. The hot and the cold part of a function count as two. False: nothing says.
 */
bool scry_function_at(struct scry_session *s, scry_addr at, scry_addr *ret_start,
		      scry_addr *ret_end);

#endif
