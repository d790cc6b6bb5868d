/** A frame's variables, wherever they are kept: for locals, and for the public API. */
#ifndef SCRY_NAMES_H
#define SCRY_NAMES_H

#include "runtime/runtime.h"

/**
 * A walk over those in slots, those in the namespace of a module or class body, and those of a
 * comprehension in it. Zero it and set `frame`, which must have code.
 */
struct scry_names {
	const struct scry_frame *frame;
	unsigned fast;  /* of scry_frame_local_next() */
	uint64_t items; /* of scry_dict_next() */
	enum { SCRY_NAMES_SLOTS, SCRY_NAMES_NAMESPACE, SCRY_NAMES_COMPREHENSION } part;
};
/** The next bound one: SCRY_ITEM, SCRY_OK at the end, negative after scry_fail(). */
int scry_names_next(struct scry_names *v, struct scry_local *ret);
/** Why not all are known; NULL: they are. */
const char *scry_names_lost(const struct scry_frame *f);
/** exec() and __prepare__() take any mapping: are the names in one that is not a dict? */
bool scry_names_in_no_dict(const struct scry_frame *f);
/** "arg", "local", "cell", "free". */
extern const char *const scry_local_kind_names[];

#endif
