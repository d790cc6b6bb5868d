/**
 * Where the memory of the process is: each mapped byte is counted once, by what it belongs to. And
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
	uint64_t there; /* bytes of it that have pages: resident, or in the dump */
	bool has_there; /* `there` is known */
	bool part;      /* it is a part of the last row without this flag: not to be summed up */
	bool minor;     /* shown only where all parts are asked for */
};

/** All parts. */
struct scry_census {
	struct scry_heap_part *parts; /* in the arena */
	size_t count, room;
	uint64_t bytes; /* of all that is mapped */
	bool has_there; /* the next one is known */
	uint64_t there; /* of all that is mapped: resident, or in the dump */
	/* bytes that are neither Python's allocator's, nor its objects in chunks, nor frames; of
	 * `there` where that is known, else of `bytes` */
	uint64_t others;
};

/** SCRY_OK, or SCRY_ENOMEM. */
int scry_census_take(struct scry_heap *h, struct scry_census *ret);
/** Bytes of the process's resident memory, as the system counts them; false: not known. */
bool scry_heap_resident(struct scry_heap *h, uint64_t *ret);

#endif
