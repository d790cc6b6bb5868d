/**
 * Is the heap sound? Reference counts beside the references that were found, references to what is
 * no object any more, what types, tables and lists say of themselves, and the marks of allocators.
 * Told is only what no sound heap has: words that may be left from before, and whatever else is not
 * known, speak for nothing.
 */
#ifndef SCRY_VERIFY_H
#define SCRY_VERIFY_H

#include "heap/graph.h"

#define SCRY_FINDINGS_MAX 10000 /* that are kept; more are counted */
#define SCRY_HOLDERS_MAX  100   /* of one finding */

enum scry_finding_kind {
	SCRY_FINDING_OVER_RELEASED, /* more references than its count says */
	SCRY_FINDING_DANGLING,      /* what is referred to was freed */
	SCRY_FINDING_NO_OBJECT,     /* what is referred to as an object is not one */
	SCRY_FINDING_TYPE,          /* a type contradicts itself */
	SCRY_FINDING_SIZE,          /* an object or its table would not be in its block */
	SCRY_FINDING_TABLE,         /* a dict's or set's table contradicts itself */
	SCRY_FINDING_LINKS,         /* the collector's links around an object */
	SCRY_FINDING_FREED_WRITTEN, /* freed memory was written to */
	SCRY_FINDING_OVERRUN,       /* written before or after what was given out */
	SCRY_FINDING_COUNT
};
extern const char *const scry_finding_names[];

/** Who refers to what a finding is about. */
struct scry_holding {
	uint32_t object; /* SCRY_HEAP_NONE: a frame or thread */
	scry_addr from;  /* the object, or the frame */
	const struct scry_thread *thread;
	const char *slot; /* in the arena */
};

struct scry_finding {
	enum scry_finding_kind kind;
	scry_addr addr;
	const char *type; /* of the object, or of what stood there; NULL not known */
	bool counted;     /* the next two are known */
	int64_t refcount;
	uint64_t found;  /* references that were found */
	const char *why; /* in the arena; NULL: the kind says it all */
	struct scry_holding *holders;
	size_t holder_count;
};

struct scry_verify {
	struct scry_heap *h;
	uint64_t objects, references, blocks, chunks; /* that were looked at */
	bool has_chunks;                              /* malloc() is glibc's and was walked */
	struct scry_finding *findings;                /* by kind, then by address */
	size_t count, room;
	uint64_t omitted;
	struct scry_hash by_addr; /* kind and address: its index plus one */
	bool full;                /* out of memory */
	bool collecting;          /* a collection runs: its lists are halfway changed */
};

/** Look at everything. scry_verify_done() all the same. */
int scry_verify(struct scry_heap *h, struct scry_verify *ret);
void scry_verify_done(struct scry_verify *v);

/**
 * For the files verify*.c: a finding, new or the one that is there for the kind and the address.
 * NULL where there are too many, or no memory. `type` and `why` live as long as the session.
 */
struct scry_finding *scry_verify_add(struct scry_verify *v, enum scry_finding_kind kind,
				     scry_addr addr, const char *type, const char *why);
/** The session's last error as a reason that stays. */
const char *scry_verify_reason(struct scry_verify *v);
/** The object itself, its type, tables and links. verify_objects.c */
void scry_verify_types(struct scry_verify *v);
void scry_verify_object(struct scry_verify *v, uint32_t object);
/** Does a collection run? */
bool scry_verify_moves(struct scry_runtime *r);
/** Blocks and chunks. verify_memory.c */
void scry_verify_memory(struct scry_verify *v);

#endif
