/**
 * Memory that belongs to an object but is elsewhere: a list's items, a dict's table, the bytes of a
 * bytearray. THE table of who owns what has a row for each owner, its pointer and its length.
 */
#ifndef SCRY_PART_H
#define SCRY_PART_H

#include "object/model.h"

/** Memory outside of an object that belongs to it: a list's items, a dict's table, a buffer. */
struct scry_part {
	scry_addr owner;
	struct scry_type *type; /* of the owner */
	const char *field;      /* "ob_start": the member that points there */
	scry_addr start;        /* where the memory begins */
	uint64_t size;          /* bytes; 0: not known, as far as the end of its block */
};

/** A walk over the parts of an object: set the first three, zero the rest. */
struct scry_parts {
	struct scry_runtime *runtime;
	scry_addr owner;
	struct scry_type *type;
	unsigned row;    /* the next row of the table */
	scry_addr block; /* the next block of a chain */
	unsigned steps;
};
/**
 * The next part: SCRY_ITEM, SCRY_OK at the end. What is in the object itself is not a part, nor is
 * what another object owns.
 */
int scry_part_next(struct scry_parts *p, struct scry_part *ret);
/**
 * Does each part begin where an allocator gives something out, as far as that is known? Else
 * SCRY_ECORRUPT (scry_fail): the pointer to it was changed.
 */
int scry_parts_check(struct scry_runtime *r, scry_addr owner, struct scry_type *t);
/** May objects of this type have parts? */
bool scry_type_has_parts(struct scry_runtime *r, struct scry_type *t);
/**
 * Do objects of this type have parts that none of their pointers leads to directly (a deque's
 * blocks)? The owner of such a part is found only by asking all objects of these types.
 */
bool scry_type_has_chain(struct scry_runtime *r, const struct scry_type *t);

/**
 * A buffer of another object that this one uses (Py_buffer): a memoryview's, or memory that a
 * ctypes object was laid over.
 */
struct scry_export {
	scry_addr user;
	scry_addr start;
	uint64_t size;
	scry_addr of; /* the object whose buffer it says it is, 0 not known */
};
/** False where the object uses no memory of another. ret->size 0: not known. */
bool scry_export_of(struct scry_runtime *r, scry_addr user, struct scry_type *t,
		    struct scry_export *ret);

#endif
