/**
 * What refers to what, as arrays: for paths, for what keeps an object alive, and for what would be
 * freed with it. Objects are given by their places in the index. The roots refer to objects but are
 * not objects: interpreters, threads, frames, data of files.
 */
#ifndef SCRY_GRAPH_H
#define SCRY_GRAPH_H

#include "heap/visit.h"

/** The kinds of roots. */
enum scry_root_kind {
	SCRY_ROOT_MODULE,      /* a module in sys.modules */
	SCRY_ROOT_INTERPRETER, /* the interpreter's state */
	SCRY_ROOT_FRAME,       /* a variable of a frame that runs */
	SCRY_ROOT_THREAD,      /* a thread's state: exceptions, context */
	SCRY_ROOT_STATIC,      /* data of a file: C variables, static types */
	SCRY_ROOT_COUNT
};
extern const char *const scry_root_names[];

/** A reference from a root. */
struct scry_root {
	uint32_t to;
	uint8_t kind;
	/* a word that is not certain may be stale: it counts where nothing else leads there */
	bool counted, certain;
	scry_addr at; /* the word */
	/* FRAME: the frame; THREAD: the state; INTERPRETER: the interpreter */
	scry_addr from;
	const struct scry_thread *thread; /* FRAME, THREAD; NULL: not known */
	const char *slot;                 /* name of the variable or field; NULL: none */
};

/** The graph of a heap, kept with it; made by scry_graph_roots() and scry_graph_of(). */
struct scry_graph {
	struct scry_heap *h;
	struct scry_root *roots; /* the more informative ones first */
	size_t root_count, root_room;
	/* which root is an object's first one, and which comes after each: their places plus one */
	struct scry_hash first_root;
	uint32_t *next_root;
	/* to[first[i]] ... to[first[i + 1] - 1] are what object i refers to */
	uint32_t *first, *to;
	size_t to_room;
	bool full; /* out of memory */
};

/** The graph of an index, made on first use. */
int scry_graph_of(struct scry_heap *h, struct scry_graph **ret);
/** Only its roots, which is quick. */
int scry_graph_roots(struct scry_heap *h, struct scry_graph **ret);
/** The roots of an object, in their order: `before` is NULL, then the last one; NULL: no more. */
const struct scry_root *scry_graph_root_of(const struct scry_graph *g, uint32_t object,
					   const struct scry_root *before);

/**
 * What refers to each object: *ret_first and *ret_from are like `first` and `to` above; free()
 * them.
 */
int scry_graph_reverse(const struct scry_graph *g, uint32_t **ret_first, uint32_t **ret_from);

/* scry_graph_reach(): how each object was reached first, in a breadth-first walk from the roots */
#define SCRY_REACHED_ROOT 0x80000000u /* the rest is the root's index */
#define SCRY_REACHED_NOT  0xffffffffu
/**
 * A path from a root to each object that avoids `without` (SCRY_HEAP_NONE: avoids nothing). *ret
 * has for each object the one before it on the path, or SCRY_REACHED_ROOT | root, or
 * SCRY_REACHED_NOT; free() it.
 */
int scry_graph_reach(const struct scry_graph *g, uint32_t without, uint32_t **ret);

/** What would be freed with an object: what only it leads to, itself included. */
struct scry_retained {
	uint64_t *bytes; /* by object */
	uint32_t *count;
	uint32_t *by; /* its immediate dominator; SCRY_HEAP_NONE: only the roots */
	/* by type: bytes of those of its objects that no other object of the type retains */
	uint64_t *by_type;
};
/**
 * Work it out for all objects. SCRY_ENOMEM leaves *ret zeroed; release it with
 * scry_retained_done().
 */
int scry_graph_retained(const struct scry_graph *g, struct scry_retained *ret);
/** Those immediately below `under` (SCRY_HEAP_NONE: the roots), the largest first; how many. */
size_t scry_retained_largest(const struct scry_heap *h, const struct scry_retained *r,
			     uint32_t under, size_t max, uint32_t *ret);
void scry_retained_done(struct scry_retained *r);

/**
 * The immediate dominator of each of `count` nodes of a graph with the edges `first` and `to`,
 * which is entered from outside at `starts`: its index, or SCRY_HEAP_NONE for the outside itself. A
 * node that no start leads to counts as entered from outside. Iterative: Cooper, Harvey, Kennedy,
 * "A Simple, Fast Dominance Algorithm". False when out of memory.
 */
bool scry_dominators(uint32_t count, const uint32_t *first, const uint32_t *to,
		     const uint32_t *starts, size_t start_count, uint32_t *ret_idom,
		     uint32_t *ret_order);

#endif
