/** What is at an address: what py-obj shows. */
#ifndef SCRY_WHATIS_H
#define SCRY_WHATIS_H

#include "memory/block.h"
#include "object/object.h"

struct scry_type;

/** Facts about an object, or about what does not look like one. Texts are in the arena. */
struct scry_whatis {
	scry_addr addr, type;
	const char *type_name; /* NULL: there is no object here, and `problem` says why */
	const char *problem;
	/* "freed (debug allocator, 0xdd)" where the words say so, or NULL */
	const char *pattern;
	bool immortal, biased; /* biased: free-threaded build, two counts */
	int64_t refcount;      /* of a biased one: the owner's count */
	int64_t shared;        /* the other threads' count, without what marks a deferred one */
	/* references from threads' stacks are not counted: only the collector frees it */
	bool deferred;
	bool merged;    /* nobody owns it any more: all are counted in `shared` */
	uint64_t owner; /* thread that owns it (free-threaded), 0 none */
	/* a collection runs, and has put its own count in the owner's place: `owner` is 0 */
	bool owner_hidden;
	uint64_t size; /* what __sizeof__() would say; 0 unknown */
	/*
	 * where its memory starts: before the GC head and managed words, which getsizeof() counts
	 */
	scry_addr block;
	bool head_unknown; /* it is not known how much comes before it */
	enum { SCRY_GC_NOT, SCRY_GC_UNTRACKED, SCRY_GC_TRACKED } gc;
	bool gc_finalized, gc_collecting, gc_frozen;
	/*
	 * where there is no object here: the one that contains the address, or one before it, or
	 * just after it; 0 none
	 */
	scry_addr near;
	const char *near_field; /* what part of it is there, or NULL */
	/* the type that it may have had before one bit of its type pointer changed; or NULL */
	const char *guess;
	scry_addr guessed_type;
	bool inside; /* `near` contains the address */
	bool has_memory, has_debug;
	struct scry_block memory;
	struct scry_debug_block debug;
};
/** Fill in the facts; SCRY_EFAULT only where no memory is there at all. */
int scry_whatis(struct scry_runtime *r, scry_addr addr, struct scry_whatis *ret);
/** The name (static) of the field of a struct that has the byte at an offset, or NULL. */
const char *scry_struct_field_at(struct scry_runtime *r, enum scry_struct what, uint64_t offset);
/**
 * What part of an object has the byte at an offset: a field, an item, an attribute's value. In the
 * arena; NULL where it is not known. The second is for what was once an object of type `t`.
 */
const char *scry_field_name_at(struct scry_runtime *r, scry_addr object, uint64_t offset);
const char *scry_field_name_of(struct scry_runtime *r, const struct scry_type *t, scry_addr object,
			       uint64_t offset);
/** A word of memory that is shown as such. Texts are in the arena. */
struct scry_dump_word {
	scry_addr addr;
	uint64_t word;
	unsigned size;       /* bytes of it */
	const char *fields;  /* names of the fields that start in it, or NULL */
	const char *meaning; /* "-> dict object", or NULL */
	const char *error;   /* why it cannot be read, or NULL */
};
/**
 * The word `index` words after `base`, with the names that it has in struct `what`. SCRY_OK, or
 * negative where it cannot be read; then `error` is set, and the rest of *ret all the same.
 */
int scry_whatis_word(struct scry_runtime *r, scry_addr base, enum scry_struct what, unsigned index,
		     struct scry_dump_word *ret);
/** Append "ADDRESS  WORD  FIELDS  MEANING", or "ADDRESS  <error>". */
void scry_whatis_word_text(const struct scry_dump_word *word, struct scry_buf *out);
/** The name of the slot (__slots__) or C member at an offset of a type's instances; NULL none. */
const char *scry_whatis_member(struct scry_runtime *r, const struct scry_type *t, uint64_t offset);
/** The struct of the layout that describes objects of this type (OBJECT where unknown). */
enum scry_struct scry_whatis_struct(struct scry_runtime *r, scry_addr type);

#endif
