/** What the commands about the whole heap share. */
#ifndef SCRY_HEAP_SHOW_H
#define SCRY_HEAP_SHOW_H

#include "command/command.h"
#include "heap/index.h"

/**
 * The index of the target's first Python, of CPython where the command knows no other; negative
 * after scry_fail().
 */
int scry_heap_first(struct scry_call *call, struct scry_heap **ret);

/** An object of the index. */
struct scry_heap_item {
	struct scry_heap *h;
	uint32_t object;
};
/** Address, type, repr (a short one) and bytes; the second one without the type. */
extern const struct scry_facts scry_facts_heap_item, scry_facts_heap_instance;
/** For facts whose subject begins with a struct scry_heap_item. */
void scry_heap_item_address(const void *subject, struct scry_said *ret);
void scry_heap_item_type(const void *subject, struct scry_said *ret);
bool scry_heap_item_repr(const void *subject, struct scry_buf *out);
/** Append the repr of an object, at most a line of it; false where it has none. */
bool scry_heap_short_repr(struct scry_heap *h, uint32_t object, struct scry_buf *out);

#endif
