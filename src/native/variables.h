/**
 * C variables of a frame, by DWARF: name, type, where they are at this pc, value; and what can be
 * said of those that are "optimized out".
 */
#ifndef SCRY_VARIABLES_H
#define SCRY_VARIABLES_H

#include <elfutils/libdw.h>

#include "native/c_stack.h"
#include "native/decode.h"

/** The C frames of a thread with their registers, innermost first; malloc()ed. */
struct scry_frames {
	struct scry_thread *thread;
	struct scry_native_frame *frames;
	size_t count;
	struct scry_calls *calls; /* called.c's, in the session's arena; NULL: not read yet */
};
/** Unwind and keep them; release with scry_frames_done(). */
int scry_frames_read(struct scry_thread *t, struct scry_frames *ret);
void scry_frames_done(struct scry_frames *f);
/** The index of a frame of the thread's C stack; SIZE_MAX where it is no longer there. */
size_t scry_frames_find(const struct scry_frames *f, const struct scry_c_frame *frame);

/** HERE: DWARF says where; RECOVERED: the code or a caller gave the value; LOST: nothing did. */
enum scry_variable_state { SCRY_VARIABLE_HERE, SCRY_VARIABLE_RECOVERED, SCRY_VARIABLE_LOST };

/** A variable and its value. Texts live in the session's arena. */
struct scry_variable {
	const char *name, *type; /* in C */
	bool is_parameter;
	const char *location; /* "rbx", "0x7ffc12345678", "constant"; NULL: nowhere at this pc */
	const char *value;    /* NULL: not known */
	enum scry_variable_state state;
	const char *how;              /* RECOVERED: in what way; LOST: why; else NULL */
	struct scry_runtime *runtime; /* of a pointer to an object, else NULL */
	scry_addr object;
	Dwarf_Die ctype;
	scry_addr address; /* in memory, else 0 */
	int reg;           /* in this register, as an index, else -1 */
};

typedef void scry_variable_fn(void *arg, const struct scry_variable *v);
/**
 * Call `each` for the parameters and variables of function number `function` of frame `index`, in
 * scry_place_functions()'s order: 0 is the innermost inlined one. SCRY_ENOTFOUND without DWARF.
 */
int scry_variables(struct scry_frames *f, size_t index, size_t function, scry_variable_fn *each,
		   void *arg);

/** Append the name of the frame's variable that covers an address: "full.in". False: none does. */
bool scry_name_of_address(struct scry_frames *f, size_t index, scry_addr at, struct scry_buf *out);
/**
 * Append "ob_type is at +8 of what op points to": `op` is a variable in the register, ob_type the
 * member of its type at `offset`. False: no variable is there.
 */
bool scry_name_behind_register(struct scry_frames *f, size_t index, int reg, uint64_t offset,
			       struct scry_buf *out);
/** Append the name of argument `number` (from 1) of the frame's function; false: not known. */
bool scry_name_of_argument(struct scry_frames *f, size_t index, unsigned number,
			   struct scry_buf *out);

/* --- its parts --- */

/** A frame in which expressions are evaluated. */
struct scry_scope {
	struct scry_frames *frames;
	size_t index;
	const struct scry_native_frame *frame;
	Dwarf_Addr at; /* the instruction's address in the file, without `bias` */
	scry_addr bias;
	Dwarf_Die function; /* the one that is not inlined: its frame base */
	bool doubtful;      /* the last value came by memory that may have been written to since */
	unsigned depth;     /* how many callers were asked for a value so far */
	struct scry_decoder *decoder; /* NULL: no capstone */
};

/** Where a value is. */
struct scry_place_of {
	enum {
		SCRY_IN_NOTHING,
		SCRY_IN_MEMORY,
		SCRY_IN_REGISTER,
		SCRY_IN_VALUE,
		SCRY_IN_BYTES,
		SCRY_IN_PIECES, /* `bytes`, of which `mask` has the known ones */
		SCRY_IN_POINTER /* it has no value: it leads to what `to` describes, at `offset` */
	} kind;
	uint64_t word; /* address, or the value */
	int reg;       /* IN_REGISTER */
	const uint8_t *bytes, *mask;
	size_t len;
	Dwarf_Die to;
	int64_t offset;
	bool recovered;   /* not from DWARF alone: `how` says from what */
	const char *how;  /* of SCRY_IN_NOTHING: why */
	const char *text; /* the place, for people: scry_variable.location */
};

/**
 * Enter frame `index`; false where no DWARF covers it. The caller zeroes `scope` before, and sets
 * its `decoder` after.
 */
bool scry_scope_open(struct scry_scope *scope, struct scry_frames *f, size_t index);
/** Does the operation end a piece of a variable? */
bool scry_is_piece(unsigned atom);
/** Evaluate a location in pieces; any of them may be optimized out (pieces.c). */
void scry_in_pieces(struct scry_scope *scope, Dwarf_Attribute *attr, const Dwarf_Op *ops,
		    size_t count, struct scry_place_of *ret);
/** Evaluate one piece, or a location without pieces, that has operations (location.c). */
void scry_location_part(struct scry_scope *scope, Dwarf_Attribute *attr, const Dwarf_Op *ops,
			size_t count, struct scry_place_of *ret);
/** Evaluate a location at the scope's pc (location.c). */
void scry_location(struct scry_scope *scope, Dwarf_Attribute *attr, struct scry_place_of *ret);
/**
 * The value that register `reg` had when the function of the scope was entered: by the caller's
 * call site, what unwinding restored, or the caller's code (recover.c). False where none of them
 * shows it.
 */
bool scry_entry_value(struct scry_scope *scope, int reg, uint64_t *ret, const char **ret_how);
/** The call that ends at a return address; 0: none that is known. */
scry_addr scry_call_before(struct scry_decoder *d, scry_addr back);
/**
 * The value of a register that calls may change, and those of the scope's frame on did not: no
 * instruction that ran since wrote to it. False where that cannot be told.
 */
bool scry_survived(struct scry_scope *scope, int reg, uint64_t *ret);
/** The value that a register had at the scope's call and has lost since, by the code before it. */
bool scry_lost_value(struct scry_scope *scope, int reg, uint64_t *ret);

/** Append the name of a type, as C writes it (ctype.c). */
void scry_ctype_name(Dwarf_Die *type, struct scry_buf *out);
/** The type without typedefs and qualifiers; false for void. */
bool scry_ctype_plain(Dwarf_Die *type, Dwarf_Die *ret);
/** Is it a pointer to a Python object of any type? */
bool scry_ctype_is_object(Dwarf_Die *type);
/** Is it a pointer to pointers to objects: vectorcall's args? */
bool scry_ctype_is_objects(Dwarf_Die *type);
/** Append `count` objects whose pointers are one after the other from `at` on. */
void scry_ctype_objects(struct scry_session *s, scry_addr at, uint64_t count, struct scry_buf *out);
/**
 * Append a value of `type`, given its `len` bytes, as C would write it. `mask` has ones where they
 * are known; NULL: all are.
 */
void scry_ctype_value(struct scry_session *s, Dwarf_Die *type, const uint8_t *bytes,
		      const uint8_t *mask, size_t len, struct scry_buf *out);
/** Bytes of a value; 0 unknown. */
uint64_t scry_ctype_size(Dwarf_Die *type, unsigned ptr_size);

#endif
