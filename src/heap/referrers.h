/**
 * What refers to an object: other objects, frames, threads, data of files, C stacks, registers, and
 * memory of extensions. What keeps it alive, and along which path.
 */
#ifndef SCRY_REFERRERS_H
#define SCRY_REFERRERS_H

#include "heap/graph.h"

/** What a reference comes from. */
enum scry_from {
	SCRY_FROM_OBJECT,
	SCRY_FROM_FRAME,
	SCRY_FROM_TASK, /* a generator, coroutine, asyncio's task, greenlet, tasklet */
	SCRY_FROM_THREAD,
	SCRY_FROM_STACK,
	SCRY_FROM_REGISTER,
	SCRY_FROM_STATIC, /* data of a file, among it the interpreter's state */
	SCRY_FROM_CHUNK,  /* memory that is not an object's */
};
extern const char *const scry_from_names[];

/** One reference to the object that was asked for, or to a byte of its memory. */
struct scry_found_ref {
	enum scry_from kind;
	uint32_t object; /* OBJECT, FRAME, TASK: the object that refers; SCRY_HEAP_NONE: none */
	scry_addr from;  /* object, frame, thread state; else the address of the word */
	scry_addr frame; /* FRAME, TASK: the frame, 0 not known */
	const struct scry_thread *thread; /* NULL: none */
	const struct scry_os_thread *os;  /* STACK, REGISTER */
	const char *slot;                 /* what the word is, in the arena */
	uint64_t offset;                  /* how many bytes past the object's start it points */
	bool certain, counted;
	/* by scry_refs_holders(): the path from this holder to the object */
	uint32_t *path;
	size_t path_len;
	bool cycle; /* only a cycle of objects keeps it, to which nothing leads */
};

/** All references that were found; scry_refs_done() releases them. */
struct scry_refs {
	struct scry_heap *h;
	uint32_t target;
	struct scry_found_ref *list;
	size_t count, room;
	uint64_t found; /* how many of the references its refcount counts */
	bool full;      /* memory ran out */
};

/** All references; with `memory`, also those from stacks, registers and unowned memory. */
int scry_refs_find(struct scry_heap *h, uint32_t target, bool memory, struct scry_refs *ret);
/** Only frames, tasks and threads that keep it alive, directly or through other objects. */
int scry_refs_holders(struct scry_heap *h, uint32_t target, struct scry_refs *ret);
void scry_refs_done(struct scry_refs *refs);
/** How `from` refers to `to`: its first reference as text, in the arena; NULL: it does not. */
const char *scry_edge_text(struct scry_heap *h, uint32_t from, uint32_t to);
/** What kind of holder an object is: FRAME, TASK, or OBJECT; and its frame, 0 none. */
enum scry_from scry_from_kind(struct scry_heap *h, uint32_t object, scry_addr *ret_frame);

/* for referrers.c and referrers_memory.c */
void scry_refs_add(struct scry_refs *refs, const struct scry_found_ref *one);
/** Add the words that lead into the object, up to `end`, and are not in `known` yet. */
void scry_refs_in_memory(struct scry_refs *refs, scry_addr end, struct scry_hash *known);
/** A word in a file's data: "registry+0x18 of _bigfile.so", in the arena; NULL: in no module. */
const char *scry_static_name(struct scry_heap *h, scry_addr at);
/* CPython's rows: index.h */
scry_addr scry_cpython_frame_of(struct scry_heap *h, scry_addr addr, bool generator);
int scry_cpython_refs(struct scry_heap *h, uint32_t target, struct scry_hash *known,
		      struct scry_refs *refs);

#endif
