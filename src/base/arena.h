/** Memory that is freed all at once. Blocks are zeroed, and aligned for any type. */
#ifndef SCRY_ARENA_H
#define SCRY_ARENA_H

#include <stddef.h>

struct scry_arena_chunk;

/** Memory that is freed all at once; zeroed it is empty. One thread at a time. */
struct scry_arena {
	struct scry_arena_chunk *chunks;
};

/** `size` zeroed bytes; NULL only when out of memory. */
void *scry_arena_alloc(struct scry_arena *a, size_t size);
/**
 * Make room for one more item in an array of `count` items of `size` bytes: returns `list` itself,
 * or its copy in a block of twice the room (`first` items when list is NULL), and updates *room.
 * NULL when out of memory; list and *room are then as before.
 */
void *scry_arena_grow(struct scry_arena *a, void *list, size_t count, size_t *room, size_t size,
		      size_t first);
/** A NUL-terminated copy of `len` bytes; a formatted text. NULL only when out of memory. */
char *scry_arena_text(struct scry_arena *a, const char *text, size_t len);
char *scry_arena_printf(struct scry_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Free all of it; the arena can be used again. */
void scry_arena_done(struct scry_arena *a);

#endif
