/**
 * The one judge: is there an object at an address? Nothing is taken for one because it looks like
 * one: chance makes counts and types everywhere that pointers are.
 *
 * What must hold, wherever the memory is: an address that is aligned and on no C stack; a type
 * whose chain of types ends at `type`, and which was readied; a count that its version may have,
 * and which is not an address. Then, by the memory:
 * - in the allocator's block: the object stands where one of its type must, after the collector's
 *   header and other words before it; it fits in the block, which is in use;
 * - in memory of the allocator that is not a block: never;
 * - in a file's data: a living count, and what the kind itself says (lengths, ends, digits);
 * - elsewhere: sound links of the collector, or the kind's own, or a chunk of malloc() that begins
 *   with it.
 */
#ifndef SCRY_JUDGE_H
#define SCRY_JUDGE_H

#include "memory/block.h"
#include "object/model.h"

/** Nothing is mapped below (vm.mmap_min_addr): no address. */
#define SCRY_NULL_PAGE 65536

/** What is known of an object that the judge let pass. */
struct scry_verdict {
	struct scry_type *type;
	scry_addr head; /* where its memory starts: the collector's header, managed words */
	/* bytes from the object on that are its own, never more than its block has */
	uint64_t extent;
	bool dead; /* no reference is left: kept for the next one, or being freed */
	/* in a file's data: that type and count are sound is all that speaks for it */
	bool in_file;
	bool has_block; /* then: */
	struct scry_block block;
};

/**
 * SCRY_OK where an object stands at `addr`. Else a negative code, and why in the session's error.
 */
int scry_judge(struct scry_runtime *r, scry_addr addr, struct scry_verdict *ret);
/**
 * The same for what the interpreter itself refers to as an object of type `t`: only proof that
 * it is not one counts, since what an extension allocates in a way of its own is an object, too.
 */
int scry_judge_reference(struct scry_runtime *r, scry_addr addr, struct scry_type *t);
/** The same, were its type `t`: for a type pointer that is damaged. */
int scry_judge_as(struct scry_runtime *r, scry_addr addr, struct scry_type *t,
		  struct scry_verdict *ret);
/** May instances of the type be believed: readied, and its types end at `type`? Worked out once. */
bool scry_type_is_sound(struct scry_runtime *r, struct scry_type *t);
/**
 * The object that `addr` lies in, at its first byte or after. SCRY_ENOTFOUND where it lies in
 * none; then *ret_near is the nearest sound one before it that does not reach it, or 0.
 */
int scry_judge_inside(struct scry_runtime *r, scry_addr addr, scry_addr *ret_object,
		      scry_addr *ret_near, struct scry_verdict *ret);
/**
 * The object whose header or other words before it the address is one of; SCRY_ENOTFOUND. Only
 * where the allocator knows the block.
 */
int scry_judge_behind(struct scry_runtime *r, scry_addr addr, scry_addr *ret_object);
/** Is an object of this type one of the collector's? Static types are not, other types are. */
bool scry_is_collected(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/**
 * Bytes from the start of an object's memory to the object: the collector's header, and the words
 * for what a class manages. Of an object of a type that the collector knows.
 */
uint64_t scry_object_head(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/**
 * Do `size` bytes from `addr` stay in the block that the allocator gave out? True where it knows
 * nothing of the address. Else SCRY_ECORRUPT is recorded, naming `what`.
 */
bool scry_fits(struct scry_runtime *r, scry_addr addr, uint64_t size, const char *what);

/** Is the address in a file's data, or in what follows them without a file (.bss)? */
bool scry_is_static(struct scry_runtime *r, scry_addr addr);
/** Is the word an address of the target, as far as its mappings show? */
static inline bool scry_is_mapped(const struct scry_runtime *r, uint64_t word)
{
	return word >= SCRY_NULL_PAGE && scry_map_at(r->session->target, word);
}
/**
 * May the word at the start of an object be its reference count, by the rules of the version? An
 * address may not. *ret_dead: it is 0. Else SCRY_ECORRUPT.
 */
int scry_count_check(struct scry_runtime *r, scry_addr addr, bool *ret_dead);

#endif
