/**
 * Who refers to an object: other objects, frames, threads, data of files, C stacks, registers, and
 * memory that an extension has. What keeps it alive, and by which path.
 */
#ifndef SCRY_REFERRERS_H
#define SCRY_REFERRERS_H

#include "heap/graph.h"

enum scry_from {
	SCRY_FROM_OBJECT,
	SCRY_FROM_FRAME,
	SCRY_FROM_TASK, /* a generator, coroutine, asyncio's task, greenlet, tasklet */
	SCRY_FROM_THREAD,
	SCRY_FROM_STACK,
	SCRY_FROM_REGISTER,
	SCRY_FROM_STATIC, /* data of a file, the interpreter's state among them */
	SCRY_FROM_CHUNK,  /* memory that is not an object's */
};
extern const char *const scry_from_names[];

/** One reference to the object that was asked for, or to a byte of its memory. */
struct scry_found_ref {
	enum scry_from kind;
	uint32_t object; /* OBJECT, FRAME, TASK: who refers; SCRY_HEAP_NONE: no object */
	scry_addr from;  /* object, frame, thread state; else where the word stands */
	scry_addr frame; /* FRAME, TASK: the frame, 0 not known */
	const struct scry_thread *thread; /* NULL: none */
	const struct scry_os_thread *os;  /* STACK, REGISTER */
	const char *slot;                 /* in the arena */
	uint64_t offset;                  /* how far after the object's start it points */
	bool certain, counted;
	/* by scry_refs_holders(): the way down from this holder to the object */
	uint32_t *path;
	size_t path_len;
	bool cycle; /* only a circle of objects keeps it, which nothing leads to */
};

/** All references that were found; scry_refs_done() releases them. */
struct scry_refs {
	struct scry_heap *h;
	uint32_t target;
	struct scry_found_ref *list;
	size_t count, room;
	uint64_t found; /* how many of the references the count counts */
	bool full;      /* out of memory */
};

/** All references; with `memory`, also such from stacks, registers and memory of nobody. */
int scry_refs_find(struct scry_heap *h, uint32_t target, bool memory, struct scry_refs *ret);
/** Only frames, tasks and threads that keep it alive, be it through other objects. */
int scry_refs_holders(struct scry_heap *h, uint32_t target, struct scry_refs *ret);
void scry_refs_done(struct scry_refs *refs);
/** How `from` refers to `to`: the text of the first slot, in the arena; NULL: it does not. */
const char *scry_edge_text(struct scry_heap *h, uint32_t from, uint32_t to);
/** What kind of holder an object is: FRAME, TASK, or OBJECT; and its frame, 0 none. */
enum scry_from scry_from_kind(struct scry_heap *h, uint32_t object, scry_addr *ret_frame);

/* for referrers.c and referrers_memory.c */
void scry_refs_add(struct scry_refs *refs, const struct scry_found_ref *one);
/** Words that lead into the target, up to `end`, and that are not `known` yet. */
void scry_refs_in_memory(struct scry_refs *refs, scry_addr end, struct scry_hash *known);
/** A word in a file's data: "registry+0x18 of _bigfile.so", in the arena; NULL: in no module. */
const char *scry_static_name(struct scry_heap *h, scry_addr at);

#endif
