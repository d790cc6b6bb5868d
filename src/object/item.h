/** Items of sequences by index: objects, or what stands for one. */
#ifndef SCRY_ITEM_H
#define SCRY_ITEM_H

#include "object/printer.h"

/**
 * An item of a sequence: an object, or text ("'a'" of a str), or a number (of bytes, ranges and
 * arrays).
 */
struct scry_item {
	scry_addr addr;
	const char *text, *type;
	int64_t number;
};
/** Item `index` (0 <= index < length) of list, tuple, deque, str, bytes, range. */
int scry_item_at(struct scry_runtime *r, scry_addr seq, int64_t index, struct scry_item *ret);
/**
 * Items of a list or tuple of type `t` that are all to be shown: SCRY_ECORRUPT where the allocator
 * never gave room for so many.
 */
int scry_items_open(struct scry_runtime *r, scry_addr seq, const struct scry_type *t,
		    uint64_t *ret_count, scry_addr *ret_items);
/** The bytes of a bytearray, which has room for them. */
int scry_bytearray_open(struct scry_runtime *r, scry_addr addr, struct scry_text_view *v);
/**
 * Does a container keep to what it says of itself: as many items, in their room, where hashes lead?
 * SCRY_ECORRUPT. Of kinds that promise nothing SCRY_OK. For who goes through all of them.
 */
int scry_items_check(struct scry_runtime *r, scry_addr obj, const struct scry_type *t);

#endif
