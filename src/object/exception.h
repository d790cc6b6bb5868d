/** Exceptions as values: what py-exc shows. */
#ifndef SCRY_EXCEPTION_H
#define SCRY_EXCEPTION_H

#include "object/handled.h"

/** An exception object, decoded. Addresses are 0 where there is nothing. */
struct scry_exception {
	struct scry_runtime *runtime;
	scry_addr addr, type;
	const char *type_name; /* "module.Type", as in a traceback's last line */
	/* str(exception) in WTF-8; "" where it is empty, NULL: only its own Python code knows */
	const char *message;
	/* group: the tuple of member exceptions */
	scry_addr args, cause, context, traceback, notes, group;
	bool suppress_context;
	/* no instance yet (`addr` is 0): `args` is what the class will be called with */
	bool not_made;
};
/** Decode the exception instance at `addr` (2.7: also old-style instances). */
int scry_exception_at(struct scry_runtime *r, scry_addr addr, struct scry_exception *ret);
/**
 * Decode what a thread keeps, also where it is not an instance yet. The traceback is the one that
 * the thread keeps, if it keeps one.
 */
int scry_exception_kept(struct scry_runtime *r, const struct scry_kept *kept,
			struct scry_exception *ret);
/** How far scry_exception_attr_next() has come; zero it at first. */
struct scry_exception_attrs {
	size_t member;
	uint64_t rest;
};
/**
 * Its attributes: the C members of built-in ones (errno, filename ...), then its dict and slots.
 * SCRY_ITEM, SCRY_OK at the end.
 */
int scry_exception_attr_next(const struct scry_exception *e, struct scry_exception_attrs *it,
			     const char **ret_name, scry_addr *ret_value);
/**
 * The next note (3.11+); *it is 0 at first. SCRY_ITEM with its text (arena), SCRY_OK at the end.
 */
int scry_exception_note_next(const struct scry_exception *e, uint64_t *it, const char **ret);
/** The next member of an exception group; *it is 0 at first. SCRY_ITEM, SCRY_OK at the end. */
int scry_exception_member_next(const struct scry_exception *e, uint64_t *it, scry_addr *ret);

/** A walk over a traceback object's entries, oldest first. Zero it, set `runtime` and `next`. */
struct scry_traceback {
	struct scry_runtime *runtime;
	scry_addr next;   /* the next traceback object; 0: the end */
	scry_addr anchor; /* Brent's cycle detection */
	uint64_t power, steps;
};
/**
 * The next entry: its frame (locals can be read from it) and the line it was at, which is that of
 * the traceback: the frame may have gone on. SCRY_ITEM, SCRY_OK at the end. Damage yields one last
 * frame of kind SCRY_FRAME_DAMAGED.
 */
int scry_traceback_next(struct scry_traceback *t, struct scry_frame *ret_frame,
			struct scry_location *ret_where);

/**
 * How exceptions of one kind of interpreter are read: a part of its model, see model.h. Contracts
 * are those of the functions of the same name here and in handled.h.
 */
struct scry_exception_model {
	struct scry_kept (*raised)(struct scry_thread *t);
	struct scry_handled *(*handled)(struct scry_thread *t, size_t *ret_count);
	int (*at)(struct scry_runtime *r, scry_addr addr, struct scry_exception *ret);
	int (*kept)(struct scry_runtime *r, const struct scry_kept *kept,
		    struct scry_exception *ret);
	int (*attr_next)(const struct scry_exception *e, struct scry_exception_attrs *it,
			 const char **ret_name, scry_addr *ret_value);
	/* here damage is a failure: scry_traceback_next() makes a frame of it */
	int (*traceback_next)(struct scry_traceback *t, struct scry_frame *ret_frame,
			      struct scry_location *ret_where);
};
extern const struct scry_exception_model scry_pypy_exceptions;
/** Its traceback_next: in a file of its own. */
int scry_pypy_traceback_next(struct scry_traceback *t, struct scry_frame *ret_frame,
			     struct scry_location *ret_where);

/* --- what exception.c and message.c share --- */
/** The items of the exception's args; negative where it has no tuple. */
int scry_exception_args(struct scry_runtime *r, scry_addr exc, uint64_t *n, scry_addr *items);
/** Append str(exception); false, with nothing written, where only code of the target makes it. */
bool scry_exception_message(struct scry_printer *p, scry_addr exc, scry_addr type);
/** Append str() of the exception that type(value) or type(*value) would make. */
void scry_exception_message_of(struct scry_printer *p, scry_addr type, scry_addr value);

#endif
