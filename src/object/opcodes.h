/** Names of byte codes by version, and the walk over a code object's instructions. */
#ifndef SCRY_OPCODES_H
#define SCRY_OPCODES_H

#include "object/object.h"

/** One instruction, decoded. */
struct scry_instruction {
	uint32_t offset; /* bytes from the start of the code */
	uint32_t size;   /* bytes, caches and EXTENDED_ARG prefixes included */
	unsigned opcode;
	/* the instruction as compiled; "<249>" for one that the table lacks */
	char name[48];
	/* the specialised or instrumented form that is in memory, "" where it is the same */
	char adapted[48];
	bool has_arg;
	uint32_t arg; /* with its EXTENDED_ARG prefixes */
	/*
	 * c constant, n name, l local, f cell or free, r and a jumps, '-' a number, '.' no argument
	 */
	char kind;
	int64_t target; /* offset of a jump's target, in bytes; -1 none */
	/* bytes of EXTENDED_ARG before it: `dis` counts the instruction as after them */
	uint32_t prefixes;
};

/** A walk over the instructions of one code object, in the target's own memory. */
struct scry_instructions {
	struct scry_code *code;
	const struct scry_opcode_row *row;
	const char *words[256]; /* the row's words for each number, NULL none */
	uint32_t at;
};

/**
 * What the argument of an instruction of this name is, by the oldest version of CPython that has
 * it: "NAME:KIND:CACHES" of its row; NULL: none has it. In names '_' may stand for '+'.
 */
const char *scry_opcode_named(const char *name);
/** Start a walk; SCRY_EUNSUPPORTED for a version without a table. It needs no release. */
int scry_instructions_open(struct scry_instructions *w, struct scry_code *c);
/** SCRY_ITEM, SCRY_OK at the end, SCRY_EFAULT where the code is not readable. */
int scry_instruction_next(struct scry_instructions *w, struct scry_instruction *ret);
/**
 * 3.12+: the opcode at a code unit that an instrumented one (sys.settrace(), sys.monitoring) has
 * replaced, which may be a specialised one; `opcode` itself where no other is known.
 */
uint8_t scry_opcode_original(const struct scry_instructions *w, uint32_t unit, uint8_t opcode);
/**
 * Append what the argument means, as dis has it in brackets ("to 34", "NULL + print"); nothing
 * where that is not known.
 */
void scry_instruction_text(struct scry_code *c, const struct scry_instruction *i,
			   struct scry_buf *out);

/**
 * The name that an instruction loads, stores or imports; NULL where it has none, or it is
 * unreadable.
 */
const char *scry_instruction_name(struct scry_code *c, const struct scry_instruction *i);

/** 3.11+: an entry of a code object's exception table; all but depth in bytes. */
struct scry_exception_entry {
	uint32_t start, end, target;
	uint32_t depth; /* items that stay on the stack */
	bool lasti;     /* the offset of the failing instruction is pushed as well */
};
/** A walk over the table. */
struct scry_exception_table {
	struct scry_runtime *runtime;
	scry_addr at, end;
};
/** Start it; an empty walk where the version has no table. */
void scry_exception_table_open(struct scry_exception_table *t, const struct scry_code *c);
/** SCRY_ITEM, SCRY_OK at the end or at what is not an entry. */
int scry_exception_table_next(struct scry_exception_table *t, struct scry_exception_entry *ret);
/**
 * Does the end of a handler that fails lie at this offset of the code? COPY 3 and POP_EXCEPT
 * bring back what was put aside, before it is raised again: POP_EXCEPT_AND_RERAISE of
 * Python/compile.c, v3.11.
 */
bool scry_code_is_cleanup(struct scry_code *c, uint32_t target);

#endif
