/**
 * What nothing in the whole process refers to: objects whose counts say that something holds them,
 * and chunks of malloc that are in use. Every word of memory that leads to an object, or anywhere
 * into it, counts as a reference, whether it is one or not, except words in freed memory, in the
 * object itself, and those known to hold nothing (weak references).
 */
#ifndef SCRY_LEAKS_H
#define SCRY_LEAKS_H

#include "heap/graph.h"

#define SCRY_LEAKS_KEPT 10 /* addresses of each kind */

/** Leaked objects of a type, or chunks of a size. */
struct scry_leak {
	uint32_t type; /* index in heap->types; SCRY_HEAP_NONE: chunks */
	uint64_t size; /* bytes of each chunk */
	uint64_t count, bytes;
	uint64_t retained; /* of objects: bytes with all that only they lead to */
	scry_addr first[SCRY_LEAKS_KEPT];
	size_t first_count;
};

/** The answer. */
struct scry_leaks {
	struct scry_leak *list; /* the largest first; in the arena */
	size_t count, room;
	bool has_chunks; /* malloc() is glibc's, and its chunks were looked at */
	/* bytes of memory that the dump lacks: references may be there, nothing is certain */
	uint64_t lacks;
	bool unknown; /* it lacks so much that nothing is said */
	bool moved;   /* the process ran while it was searched: nothing is certain either */
};

/** Negative when out of memory, or stopped. */
int scry_leaks_find(struct scry_heap *h, struct scry_leaks *ret);

#endif
