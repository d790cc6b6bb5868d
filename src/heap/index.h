/**
 * All objects of a runtime, in one list: those in the allocator's blocks, those that the collector
 * knows, and what both lead to (static types, None, what malloc() gave out). Made in one pass, and
 * kept until the target is read again. The judge decides what is an object (object/judge.h); for
 * blocks its rules are applied here, to save ten million calls.
 */
#ifndef SCRY_INDEX_H
#define SCRY_INDEX_H

#include "heap/reader.h"
#include "object/model.h"

#define SCRY_HEAP_NONE UINT32_MAX

/** An object: 16 bytes, in order of address. */
struct scry_heap_object {
	scry_addr addr;
	/* as sys.getsizeof() counts: with what comes before it, and its own tables; UINT32_MAX: at
	 * least 4 GiB */
	uint32_t bytes;
	uint32_t type; /* index of its type in heap->types */
};

struct scry_visit_row;

/** A type that has objects, and how their references are found (visit.c). */
struct scry_heap_type {
	struct scry_type *type;
	const char *name; /* its full name, NULL until scry_heap_type_name() */
	uint64_t head;    /* bytes before each object: the collector's header, managed words */
	uint64_t count, bytes;
	/* its __sizeof__(); NULL: not known, and the object's own extent counts */
	scry_sizer *size;
	const struct scry_visit_row *row; /* NULL: only its struct has references */
	bool planned;                     /* the next ones are set */
	bool own;                         /* the interpreter's own: its structs are known */
	bool managed;                     /* instances have a dict or values before them: 3.11+ */
	uint64_t objects; /* a bit for each word that is an object or NULL, as members say */
	uint32_t scan_from, scan_to; /* bytes of the struct whose words may be references */
	uint32_t weak[6];            /* offsets of words that are not references; 0 none */
	uint64_t certain;            /* a bit for each word that certainly is one */
	int64_t hidden;              /* items that ob_size does not count; -1 not known yet */
	/* a structure of the interpreter's own: no program can have it in hand (PyPy) */
	bool inner;
	bool no_repr; /* and nothing of it can be shown as a value */
};

/** Blocks of one size. */
struct scry_heap_class {
	uint64_t size, used, free;
};
#define SCRY_HEAP_CLASSES 128 /* how many sizes are told apart */

struct scry_heap_page;
struct scry_heap;
struct scry_graph;
struct scry_reference;
struct scry_refs;
struct scry_verify;

/** What differs between the kinds of interpreters: a row for each, as for models (model.h). */
struct scry_heap_kind {
	/* adds all objects, in any order; negative after scry_fail() */
	int (*fill)(struct scry_heap *h);
	/* bytes of an object: with tables of its own; and those from its start on alone */
	uint64_t (*measure)(struct scry_heap *h, scry_addr addr, struct scry_heap_type *t);
	uint64_t (*extent)(struct scry_heap *h, scry_addr addr, struct scry_heap_type *t);
	/* a type's full name, and its module; NULL unknown */
	const char *(*type_name)(struct scry_heap *h, struct scry_heap_type *t);
	const char *(*type_module)(struct scry_heap *h, struct scry_heap_type *t);
	/* scry_heap_visit_as(), scry_slot_text() and scry_roots_find() */
	void (*visit)(struct scry_heap *h, scry_addr addr, uint32_t type,
		      void (*visit)(void *arg, const struct scry_reference *ref), void *arg);
	void (*slot_text)(struct scry_heap *h, const struct scry_reference *ref,
			  struct scry_buf *out);
	int (*roots)(struct scry_graph *g);
	/* the frame that a frame object or a generator has, 0 none */
	scry_addr (*frame_of)(struct scry_heap *h, scry_addr addr, bool generator);
	/* what an object has at an offset, in the arena; NULL unknown, or not asked here */
	const char *(*field_at)(struct scry_heap *h, scry_addr addr, uint64_t offset);
	/* the namespace of a module, 0 unknown */
	scry_addr (*namespace_of)(struct scry_heap *h, scry_addr module);
	/* adds those that refer to an object, and to `known` the words that were told of */
	int (*refs)(struct scry_heap *h, uint32_t target, struct scry_hash *known,
		    struct scry_refs *refs);
	/* a reference to what is not in the list; an object of the list: verify.h */
	void (*judge)(struct scry_verify *v, const struct scry_reference *ref);
	void (*check)(struct scry_verify *v, uint32_t object);
	bool counts; /* objects have reference counts */
	bool parts;  /* objects may have memory elsewhere: object/part.h */
};
extern const struct scry_heap_kind scry_heap_cpython, scry_heap_pypy;

/** All objects of a runtime, in order of address. Pointers into it live until scry_heap_done(). */
struct scry_heap {
	struct scry_runtime *runtime;
	const struct scry_heap_kind *kind;
	struct scry_reader reader;
	struct scry_heap_object *objects;
	size_t count, room;
	struct scry_heap_type **types; /* each in the arena */
	size_t type_count, type_room;
	/* by the type's address, or what else tells it of an object: its index plus one */
	struct scry_hash type_index;
	struct scry_hash no_types;    /* what looked like a metatype but is not one */
	struct scry_heap_page *pages; /* open addressing: which objects begin in a page */
	size_t page_size, page_count;
	uint64_t bytes;        /* of all objects */
	const char *allocator; /* whose the blocks are; NULL: there are none */
	/* str and unicode objects that are not pure ASCII: they may have parts elsewhere */
	scry_addr *texts;
	size_t text_count, text_room;
	uint64_t file_bytes; /* of objects that are in a file's data, where that is counted */
	uint64_t kept_bytes; /* blocks of freed objects, kept for the next ones */
	struct scry_heap_class classes[SCRY_HEAP_CLASSES]; /* its blocks by size */
	size_t class_count, class_last;
	scry_sizer *plain_size; /* object's own __sizeof__() */
	/* heap/graph.h, NULL: not made yet; and what frees it */
	void *graph;
	void (*graph_done)(void *graph);
};

/**
 * The index of a runtime, made on first use. SCRY_ENOMEM, SCRY_ECORRUPT, or SCRY_EFAULT where the
 * command was stopped.
 */
int scry_heap_of(struct scry_runtime *r, struct scry_heap **ret);
/** The object that begins at the address: its place in the list; SCRY_HEAP_NONE: none does. */
uint32_t scry_heap_find(const struct scry_heap *h, scry_addr addr);
/** The last object that begins at or before the address; SCRY_HEAP_NONE: none does. */
uint32_t scry_heap_before(const struct scry_heap *h, scry_addr addr);
/** The same, but only where the address is within its bytes. */
uint32_t scry_heap_inside(struct scry_heap *h, scry_addr addr);
/** The type of an object of the list. */
static inline struct scry_heap_type *scry_heap_type_of(const struct scry_heap *h, uint32_t object)
{
	return h->types[h->objects[object].type];
}
/** Bytes from an object's start that are its own. */
uint64_t scry_heap_extent(struct scry_heap *h, uint32_t object);
/** What of an object is at an offset: a field, an item; NULL unknown. */
const char *scry_heap_field_at(struct scry_heap *h, uint32_t object, uint64_t offset);
/** The type's full name, "?" where it is not known. */
const char *scry_heap_type_name(struct scry_heap *h, struct scry_heap_type *t);
/** An object's size in bytes, also where the list has UINT32_MAX. */
uint64_t scry_heap_bytes(struct scry_heap *h, uint32_t object);
/**
 * The index of a type that may have sound instances; SCRY_HEAP_NONE for anything else. Cheap for
 * words that are not types at all.
 */
uint32_t scry_heap_type_at(struct scry_heap *h, scry_addr addr);
/** The same for a type that was met before, by its address alone ... */
static inline uint32_t scry_heap_known_type(struct scry_heap *h, scry_addr addr)
{
	uintptr_t known = (uintptr_t)scry_hash_find(&h->type_index, addr);

	return known ? (uint32_t)known - 1 : SCRY_HEAP_NONE;
}
/** ... and for one that was not. The address must be aligned, and not in the first page. */
uint32_t scry_heap_new_type(struct scry_heap *h, scry_addr addr);
/** Add a type: its index; SCRY_HEAP_NONE without memory. */
uint32_t scry_heap_add_type(struct scry_heap *h, const struct scry_heap_type *like);

#endif
