/**
 * C variables of a frame, by DWARF: name, type, where they are at this pc, value; and what can be
 * said of those that are "optimized out".
 */
#ifndef SCRY_VARIABLES_H
#define SCRY_VARIABLES_H

#include <elfutils/libdw.h>

#include "native/c_stack.h"
#include "native/decode.h"

/** The C frames of a thread with their registers, innermost first; in malloc()ed memory. */
struct scry_frames {
	struct scry_thread *thread;
	struct scry_native_frame *frames;
	size_t count;
	struct scry_calls *calls; /* called.c's, in the session's arena; NULL: not asked yet */
};
/** Unwind and keep them; release with scry_frames_done(). */
int scry_frames_read(struct scry_thread *t, struct scry_frames *ret);
void scry_frames_done(struct scry_frames *f);
/** The index of a frame of the thread's C stack, SIZE_MAX where it stands there no more. */
size_t scry_frames_find(const struct scry_frames *f, const struct scry_c_frame *frame);

enum scry_variable_state { SCRY_VARIABLE_HERE, SCRY_VARIABLE_RECOVERED, SCRY_VARIABLE_LOST };

/** Texts live in the session's arena. */
struct scry_variable {
	const char *name, *type; /* of C */
	bool is_parameter;
	const char *location; /* "rbx", "0x7ffc12345678", "constant"; NULL: nowhere at this pc */
	const char *value;    /* NULL: not known */
	enum scry_variable_state state;
	const char *how;              /* RECOVERED: by which way; LOST: why; else NULL */
	struct scry_runtime *runtime; /* of a pointer to an object, else NULL */
	scry_addr object;
	Dwarf_Die ctype;
	scry_addr address; /* in memory, else 0 */
	int reg;           /* in this register, as an index, else -1 */
};

typedef void scry_variable_fn(void *arg, const struct scry_variable *v);
/**
 * The parameters and variables of function number `function` of frame `index`: as
 * scry_place_functions() has them, 0 the innermost inlined one. SCRY_ENOTFOUND without DWARF.
 */
int scry_variables(struct scry_frames *f, size_t index, size_t function, scry_variable_fn *each,
		   void *arg);

/** "full.in": append the name of the variable of a frame that covers an address. */
bool scry_name_of_address(struct scry_frames *f, size_t index, scry_addr at, struct scry_buf *out);
/**
 * "ob_type is at +8 of what op points to": a variable that is in the register, and the member
 * there.
 */
bool scry_name_behind_register(struct scry_frames *f, size_t index, int reg, uint64_t offset,
			       struct scry_buf *out);
/** The name of argument `number` (from 1) of the frame's function. */
bool scry_name_of_argument(struct scry_frames *f, size_t index, unsigned number,
			   struct scry_buf *out);

/* --- its parts --- */

/** A frame in which expressions are evaluated. */
struct scry_scope {
	struct scry_frames *frames;
	size_t index;
	const struct scry_native_frame *frame;
	Dwarf_Addr at; /* of the instruction, as the file has it */
	scry_addr bias;
	Dwarf_Die function;           /* the one that is not inlined: its frame base */
	unsigned depth;               /* of values of callers that are asked for */
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
		SCRY_IN_PIECES
	} kind;
	uint64_t word; /* address, or the value */
	int reg;       /* IN_REGISTER */
	const uint8_t *bytes;
	size_t len;
	bool recovered;   /* with the help of what follows */
	const char *how;  /* or, of NOTHING, why */
	const char *text; /* how the place is called */
};

/** Enter frame `index`; false where no DWARF covers it. Zeroed decoder: caller sets it. */
bool scry_scope_open(struct scry_scope *scope, struct scry_frames *f, size_t index);
/** Evaluate a location at the scope's pc (location.c). */
void scry_location(struct scry_scope *scope, Dwarf_Attribute *attr, struct scry_place_of *ret);
/**
 * The value that register `reg` had when the function of the scope was entered: by the caller's
 * call site, what unwinding restored, or the caller's code (recover.c).
 */
bool scry_entry_value(struct scry_scope *scope, int reg, uint64_t *ret, const char **ret_how);
/** The value of a register at the scope's call, lost since: by the code before it. */
bool scry_lost_value(struct scry_scope *scope, int reg, uint64_t *ret);

/** Append the name of a type, as C writes it (ctype.c). */
void scry_ctype_name(Dwarf_Die *type, struct scry_buf *out);
/** The type without typedefs and qualifiers; false for void. */
bool scry_ctype_plain(Dwarf_Die *type, Dwarf_Die *ret);
/** Is it a pointer to a Python object of any kind? */
bool scry_ctype_is_object(Dwarf_Die *type);
/** Is it a pointer to pointers to objects: vectorcall's args? */
bool scry_ctype_is_objects(Dwarf_Die *type);
/** Append so many objects that stand one after the other. */
void scry_ctype_objects(struct scry_session *s, scry_addr at, uint64_t count, struct scry_buf *out);
/** Append a value of `type` whose `len` bytes are given. *ret_object: where it points to one. */
void scry_ctype_value(struct scry_session *s, Dwarf_Die *type, const uint8_t *bytes, size_t len,
		      struct scry_buf *out);
/** Bytes of a value; 0 unknown. */
uint64_t scry_ctype_size(Dwarf_Die *type, unsigned ptr_size);

#endif
