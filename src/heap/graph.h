/**
 * Who refers to whom, as arrays: for paths, for what keeps an object alive, and for what would go
 * with it. Objects are their places in the index; the roots refer to objects without being any:
 * interpreters, threads, frames, data of files.
 */
#ifndef SCRY_GRAPH_H
#define SCRY_GRAPH_H

#include "heap/visit.h"

enum scry_root_kind {
	SCRY_ROOT_MODULE,      /* a module in sys.modules */
	SCRY_ROOT_INTERPRETER, /* the interpreter's state */
	SCRY_ROOT_FRAME,       /* of a frame that runs */
	SCRY_ROOT_THREAD,      /* a thread's state: exceptions, context */
	SCRY_ROOT_STATIC,      /* data of a file: C variables, static types */
	SCRY_ROOT_COUNT
};
extern const char *const scry_root_names[];

/** A reference from a root. */
struct scry_root {
	uint32_t to;
	uint8_t kind;
	/* a word that is not certain may be left from before: it leads where nothing else does */
	bool counted, certain;
	scry_addr at; /* the word */
	/* FRAME: the frame; THREAD: the state; INTERPRETER: the interpreter */
	scry_addr from;
	const struct scry_thread *thread; /* FRAME, THREAD; NULL: not known */
	const char *slot;                 /* name of the variable or the field; NULL: none */
};

/** The graph of a heap, kept with it; made by scry_graph_roots() and scry_graph_of(). */
struct scry_graph {
	struct scry_heap *h;
	struct scry_root *roots; /* the more telling ones first */
	size_t root_count, root_room;
	/* to[first[i]] ... to[first[i + 1] - 1] are what object i refers to */
	uint32_t *first, *to;
	size_t to_room;
	bool full; /* out of memory */
};

/** The graph of an index, made on first use. */
int scry_graph_of(struct scry_heap *h, struct scry_graph **ret);
/** Its roots alone: quick. */
int scry_graph_roots(struct scry_heap *h, struct scry_graph **ret);

/**
 * For each object who refers to it: *ret_first and *ret_from as `first` and `to` above, to be
 * freed.
 */
int scry_graph_reverse(const struct scry_graph *g, uint32_t **ret_first, uint32_t **ret_from);

/** From where each object was reached first, breadth first from the roots. */
#define SCRY_REACHED_ROOT 0x80000000u /* the rest is the root's index */
#define SCRY_REACHED_NOT  0xffffffffu
/**
 * A way from a root to each object that does not lead through `without` (SCRY_HEAP_NONE: any): for
 * each object the one before it, or SCRY_REACHED_ROOT and a root, or SCRY_REACHED_NOT. free() it.
 */
int scry_graph_reach(const struct scry_graph *g, uint32_t without, uint32_t **ret);

/** What would go with an object: bytes and number of what only it leads to, itself among them. */
struct scry_retained {
	uint64_t *bytes; /* by object */
	uint32_t *count;
	uint32_t *by; /* its immediate dominator; SCRY_HEAP_NONE: the roots alone */
	/* by type: of its objects that no other one of the type retains */
	uint64_t *by_type;
};
/**
 * Find out for all objects. SCRY_ENOMEM leaves *ret zeroed; release it with scry_retained_done().
 */
int scry_graph_retained(const struct scry_graph *g, struct scry_retained *ret);
/** Those that an object dominates (SCRY_HEAP_NONE: none does), the largest first; how many. */
size_t scry_retained_largest(const struct scry_heap *h, const struct scry_retained *r,
			     uint32_t under, size_t max, uint32_t *ret);
void scry_retained_done(struct scry_retained *r);

/**
 * The immediate dominator of each of `count` nodes of a graph whose edges are `first` and `to`, and
 * where `starts` are entered from outside: as its index, or SCRY_HEAP_NONE for the outside itself.
 * What no start leads to is entered by itself. Iterative: Cooper, Harvey, Kennedy, "A Simple, Fast
 * Dominance Algorithm". False when out of memory.
 */
bool scry_dominators(uint32_t count, const uint32_t *first, const uint32_t *to,
		     const uint32_t *starts, size_t start_count, uint32_t *ret_idom,
		     uint32_t *ret_order);

#endif
