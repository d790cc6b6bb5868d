/**
 * Is the heap sound? Reference counts against the references that were found, references to what is
 * no longer an object, what types, tables and lists say of themselves, and the marks of allocators.
 * Only what no sound heap has is reported: words that may be stale, and whatever is not known,
 * prove nothing.
 */
#ifndef SCRY_VERIFY_H
#define SCRY_VERIFY_H

#include "heap/graph.h"

#define SCRY_FINDINGS_MAX 10000 /* so many are kept; more are only counted */
#define SCRY_HOLDERS_MAX  100   /* so many holders of one finding are kept */

/** What is wrong. */
enum scry_finding_kind {
	SCRY_FINDING_OVER_RELEASED, /* more references than its count says */
	SCRY_FINDING_DANGLING,      /* what is referred to was freed */
	SCRY_FINDING_NO_OBJECT,     /* what is referred to as an object is not one */
	SCRY_FINDING_TYPE,          /* a type contradicts itself */
	SCRY_FINDING_SIZE,          /* an object or its table does not fit its block */
	SCRY_FINDING_TABLE,         /* a dict's or set's table contradicts itself */
	SCRY_FINDING_LINKS,         /* the collector's links around an object */
	SCRY_FINDING_FREED_WRITTEN, /* freed memory was written to */
	SCRY_FINDING_OVERRUN,       /* memory before or after what was given out was written to */
	SCRY_FINDING_COUNT
};
extern const char *const scry_finding_names[];

/** A reference to what a finding is about. */
struct scry_holding {
	uint32_t object; /* SCRY_HEAP_NONE: a frame or thread */
	scry_addr from;  /* the object, or the frame */
	const struct scry_thread *thread;
	const char *slot; /* in the arena */
};

/** One thing that is wrong. */
struct scry_finding {
	enum scry_finding_kind kind;
	scry_addr addr;
	const char *type; /* of the object, or of what was there; NULL not known */
	bool counted;     /* the next two are set */
	int64_t refcount;
	uint64_t found;  /* how many references were found */
	const char *why; /* in the arena; NULL: the kind says it all */
	struct scry_holding *holders;
	size_t holder_count;
};

/** The whole answer. */
struct scry_verify {
	struct scry_heap *h;
	uint64_t objects, references, blocks, chunks; /* how many were looked at */
	bool has_chunks;                              /* malloc() is glibc's, and was walked */
	struct scry_finding *findings;                /* by kind, then by address */
	size_t count, room;
	uint64_t omitted;
	struct scry_hash by_addr; /* kind and address: its index plus one */
	bool full;                /* memory ran out */
	bool collecting;          /* a collection runs: its lists are half changed */
	scry_addr page;           /* of PyPy's: whose free blocks were looked up last */
	uint64_t free[16];        /* a bit for each 8 bytes of it where one begins */
};

/** Check everything. Negative when out of memory; scry_verify_done() is needed all the same. */
int scry_verify(struct scry_heap *h, struct scry_verify *ret);
void scry_verify_done(struct scry_verify *v);

/**
 * For the files verify*.c: a finding, new or the one that already is there for the kind and
 * address. NULL where there are too many, or no memory. `type` and `why` must live as long as the
 * session.
 */
struct scry_finding *scry_verify_add(struct scry_verify *v, enum scry_finding_kind kind,
				     scry_addr addr, const char *type, const char *why);
/** A copy of the session's last error, in its arena. */
const char *scry_verify_reason(struct scry_verify *v);
/** Check the types; check an object, its tables and links. verify_objects.c */
void scry_verify_types(struct scry_verify *v);
void scry_cpython_check(struct scry_verify *v, uint32_t object);
/** Something certainly refers to what is not an object of the index: is that known? */
void scry_cpython_judge(struct scry_verify *v, const struct scry_reference *ref);
/** Does a collection run? */
bool scry_verify_moves(struct scry_runtime *r);
/** Check blocks and chunks. verify_memory.c */
void scry_verify_memory(struct scry_verify *v);

#endif
