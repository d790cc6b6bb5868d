/** Items of sequences by index: objects, or values that have no object. */
#ifndef SCRY_ITEM_H
#define SCRY_ITEM_H

#include "object/printer.h"

/**
 * An item of a sequence: an object (`addr`), or a text ("'a'" of a str, in the arena), or a number
 * (of bytes, ranges and arrays; addr 0, text NULL). `type` is its type's name.
 */
struct scry_item {
	scry_addr addr;
	const char *text, *type;
	int64_t number;
};
/**
 * Item `index` of a list, tuple, deque, str, bytes, range ...; the caller has checked that it is
 * within the length. SCRY_EUNSUPPORTED for other types (scry_fail).
 */
int scry_item_at(struct scry_runtime *r, scry_addr seq, int64_t index, struct scry_item *ret);
/**
 * All items of a list or tuple of type `t`, for showing them: SCRY_ECORRUPT where the allocator
 * never gave it room for so many.
 */
int scry_items_open(struct scry_runtime *r, scry_addr seq, const struct scry_type *t,
		    uint64_t *ret_count, scry_addr *ret_items);
/** The bytes of a bytearray: SCRY_ECORRUPT where it has no room for so many. */
int scry_bytearray_open(struct scry_runtime *r, scry_addr addr, struct scry_text_view *v);
/**
 * Does a container have what it says: so many items, within its room, where their hashes lead? Else
 * SCRY_ECORRUPT (scry_fail). SCRY_OK for kinds that promise nothing. For callers that go through
 * all items.
 */
int scry_items_check(struct scry_runtime *r, scry_addr obj, const struct scry_type *t);

#endif
