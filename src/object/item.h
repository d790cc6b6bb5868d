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

#endif
