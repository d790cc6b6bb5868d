/**
 * Where the memory of the process is: each byte that is mapped is counted once, by whose it is. And
 * what is known of the parts: blocks by size, chunks by state, files.
 */
#ifndef SCRY_CENSUS_H
#define SCRY_CENSUS_H

#include "heap/index.h"

/** A part of the process's memory. */
struct scry_heap_part {
	const char *what; /* "pymalloc", "blocks of 32", "C stacks" ...; as long as the session */
	uint64_t bytes, used, free;
	bool split;     /* `used` and `free` are known */
	uint64_t there; /* bytes of it that there are pages for */
	bool has_there; /* `there` is known */
	bool part;      /* of the last row that is no part: not for a sum */
	bool minor;     /* a part for those who want to know it all */
};

struct scry_census {
	struct scry_heap_part *parts; /* in the arena */
	size_t count, room;
	uint64_t bytes; /* of all that is mapped */
	bool has_there; /* the next one is known */
	uint64_t there; /* of all: resident, or in the dump */
	/* what is neither in Python's allocator, nor its objects in chunks, nor frames; of `there`
	 * where that is known, else of `bytes` */
	uint64_t others;
};

/** SCRY_OK, or SCRY_ENOMEM. */
int scry_census_take(struct scry_heap *h, struct scry_census *ret);
/** Resident memory of the process as the system counts it: false where that is not known. */
bool scry_heap_resident(struct scry_heap *h, uint64_t *ret);

#endif
