/**
 * The one judge: is there an object at an address? Nothing is taken for an object because it looks
 * like one: wherever there are pointers, some words look like a count and a type by chance.
 *
 * What must hold, wherever the memory is: the address is aligned and on no C stack; the type's
 * chain of types ends at `type`, and it was readied; the count is one that its version may have,
 * and is not an address. Then, by the kind of memory: - in a block of the allocator: the object is
 * where one of its type must be, after the collector's header and other words before it; it fits in
 * the block, which is in use; - in memory of the allocator that is not a block: never; - in a
 * file's data: the count is a living object's, and what its kind promises holds (lengths, ends,
 * digits); - elsewhere: the collector's links are sound, or the kind's own promise holds, or a
 * chunk of malloc() begins with it.
 */
#ifndef SCRY_JUDGE_H
#define SCRY_JUDGE_H

#include "memory/block.h"
#include "object/model.h"

/** Nothing is mapped below this (vm.mmap_min_addr), so a smaller word is not an address. */
#define SCRY_NULL_PAGE 65536

/** What is known of an object that the judge let pass. */
struct scry_verdict {
	struct scry_type *type;
	scry_addr head; /* where its memory starts, with the collector's header, managed words */
	/* bytes from its address on that are its own, never more than its block has */
	uint64_t extent;
	bool dead; /* no reference is left: kept for the next one, or being freed */
	/* in a file's data: all that speaks for it is a sound type and count */
	bool in_file;
	bool has_block; /* `block` is set */
	struct scry_block block;
};

/**
 * SCRY_OK where there is an object at `addr`, else negative and why in the session's error.
 */
int scry_judge(struct scry_runtime *r, scry_addr addr, struct scry_verdict *ret);
/**
 * The same for what the interpreter itself refers to as an object of type `t`: negative only where
 * it is proved not to be one, since what an extension allocates in its own way is an object too.
 */
int scry_judge_reference(struct scry_runtime *r, scry_addr addr, struct scry_type *t);
/** The same, supposing that its type were `t`: for a damaged type pointer. */
int scry_judge_as(struct scry_runtime *r, scry_addr addr, struct scry_type *t,
		  struct scry_verdict *ret);
/** Is the type sound: readied, its chain of types ending at `type`? Worked out once. */
bool scry_type_is_sound(struct scry_runtime *r, struct scry_type *t);
/**
 * The object that contains `addr`, as its first byte or a later one. SCRY_ENOTFOUND where none
 * does; then *ret_near is the nearest sound one before it, or 0.
 */
int scry_judge_inside(struct scry_runtime *r, scry_addr addr, scry_addr *ret_object,
		      scry_addr *ret_near, struct scry_verdict *ret);
/**
 * The object that comes after an address within its header (or other words before it);
 * SCRY_ENOTFOUND. Only where the allocator knows the block.
 */
int scry_judge_behind(struct scry_runtime *r, scry_addr addr, scry_addr *ret_object);
/** Has the object the collector's header before it? Of type objects, static ones have none. */
bool scry_is_collected(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/**
 * Bytes from the start of an object's memory to the object itself: the collector's header, and the
 * pre-header words of managed dicts and weak references (3.11+).
 */
uint64_t scry_object_head(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/**
 * Do `size` bytes from `addr` stay within the block that the allocator gave out? True also where it
 * does not know the address. On false SCRY_ECORRUPT is recorded, naming `what`.
 */
bool scry_fits(struct scry_runtime *r, scry_addr addr, uint64_t size, const char *what);

/** Is the address in a file's data, or in the anonymous memory that follows them (.bss)? */
bool scry_is_static(struct scry_runtime *r, scry_addr addr);
/** Is the word an address of the target, as far as its mappings show? */
static inline bool scry_is_mapped(const struct scry_runtime *r, uint64_t word)
{
	return word >= SCRY_NULL_PAGE && scry_map_at(r->session->target, word);
}
/**
 * SCRY_OK where the first word of an object may be its reference count, by the rules of the
 * version; SCRY_ECORRUPT where it may not. *ret_dead: it is 0. *ret_address: it leads somewhere as
 * well, so that something else must say that an object is there.
 */
int scry_count_check(struct scry_runtime *r, scry_addr addr, bool *ret_dead, bool *ret_address);
/**
 * Is it a count with which the interpreter begins, or one of what is immortal? Then it is none that
 * looks like an address by being one.
 */
bool scry_is_initial_count(struct scry_runtime *r, scry_addr addr, uint64_t count);

#endif
