/**
 * What is remembered of types and of the places of objects, and how a name is found along a type's
 * method resolution order. For type.c, mro.c, attr.c and judge_near.c; others ask model.h.
 */
#ifndef SCRY_MRO_H
#define SCRY_MRO_H

#include "object/model.h"

#define SCRY_TYPE_BUCKETS 1024
#define SCRY_HEADLESS     512 /* two megabytes, in pieces of a page */

struct scry_lookups;
struct scry_active;

/** In the arena, like all that was decoded, so it is lost at refresh and with each layout tried. */
struct scry_type_state {
	bool names_found;
	struct scry_type *bucket[SCRY_TYPE_BUCKETS];
	struct scry_lookups *lookups; /* NULL: nothing was looked up yet */
	struct scry_active *active;   /* of thread_names.c: a list */
	/* of judge_near.c: memory in which no object starts, each piece at its address's place */
	scry_addr headless[SCRY_HEADLESS];
};

/** The runtime's, made by the first call; NULL when out of memory. */
struct scry_type_state *scry_type_state(struct scry_runtime *r);
/** An object's type pointer, checked only to be aligned and neither NULL nor a fill pattern. */
int scry_type_pointer(struct scry_runtime *r, scry_addr obj, scry_addr *ret);
/** Is it an old-style class (2.7)? */
bool scry_is_old_class(struct scry_runtime *r, scry_addr addr);
/**
 * scry_type_lookup() that records no error: SCRY_ENOTFOUND without a text. The result, also a miss,
 * is remembered for each pair of type and name.
 */
int scry_type_find(struct scry_runtime *r, scry_addr type, const char *name, scry_addr *ret,
		   scry_addr *ret_owner);

#endif
