/** Exceptions as values: what py-exc shows. */
#ifndef SCRY_EXCEPTION_H
#define SCRY_EXCEPTION_H

#include "object/object.h"

/** An exception object, decoded. Addresses are 0 where there is nothing. */
struct scry_exception {
	struct scry_runtime *runtime;
	scry_addr addr, type;
	const char *type_name;  /* "module.Type" as a traceback's last line has it */
	const char *message;    /* str(exception); "" where it is empty. WTF-8 */
	scry_addr args, cause, context, traceback, notes, group; /* group: the tuple of member exceptions */
	bool suppress_context;
	const char *damaged;    /* why something is missing, or NULL */
};
/** Decode the exception instance at `addr` (2.7: also old-style instances). */
int scry_exception_at(struct scry_runtime *r, scry_addr addr, struct scry_exception *ret);
/** Next note (3.11+); *it is 0 at first. SCRY_ITEM with its text. */
int scry_exception_note_next(const struct scry_exception *e, uint64_t *it, const char **ret);
/** Next member of an exception group; *it is 0 at first. */
int scry_exception_member_next(const struct scry_exception *e, uint64_t *it, scry_addr *ret);

/** A walk over a traceback object's entries, oldest first. Zero it, set `runtime` and `next`. */
struct scry_traceback {
	struct scry_runtime *runtime;
	scry_addr next;   /* the traceback object that comes next, 0 the end */
	scry_addr anchor; /* Brent's cycle detection */
	uint64_t power, steps;
};
/**
 * The next entry: its frame (locals can be read from it) and the line it was at, which is the traceback's own:
 * the frame may have gone on. SCRY_ITEM, SCRY_OK at the end. Damage yields one last frame of kind
 * SCRY_FRAME_DAMAGED.
 */
int scry_traceback_next(struct scry_traceback *t, struct scry_frame *ret_frame, struct scry_location *ret_where);

#endif
