#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536

struct scry_arena_chunk {
	struct scry_arena_chunk *next;
	size_t used, size;
	max_align_t data[];
};

static struct scry_arena_chunk *add_chunk(struct scry_arena *a, size_t size)
{
	struct scry_arena_chunk *c = calloc(1, sizeof(*c) + size);

	if (!c)
		return NULL;
	c->size = size;
	/*
	 * a block of its own goes after the chunk in use, so that the rest of that one is not lost
	 */
	if (size > CHUNK && a->chunks) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

void *scry_arena_alloc(struct scry_arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct scry_arena_chunk *c = a->chunks;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!c || c->size - c->used < size)
		c = add_chunk(a, size > CHUNK ? size : CHUNK);
	if (!c)
		return NULL;
	void *block = (char *)c->data + c->used;
	c->used += size;
	return block;
}

void *scry_arena_grow(struct scry_arena *a, void *list, size_t count, size_t *room, size_t size,
		      size_t first)
{
	size_t more = *room ? *room * 2 : first;

	if (count < *room)
		return list;
	void *grown = more <= SIZE_MAX / size ? scry_arena_alloc(a, more * size) : NULL;
	if (!grown)
		return NULL;
	if (count)
		memcpy(grown, list, count * size);
	*room = more;
	return grown;
}

char *scry_arena_text(struct scry_arena *a, const char *text, size_t len)
{
	char *copy = scry_arena_alloc(a, len + 1);

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

char *scry_arena_printf(struct scry_arena *a, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	char *text = n < 0 ? NULL : scry_arena_alloc(a, (size_t)n + 1);
	if (text)
		vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void scry_arena_done(struct scry_arena *a)
{
	while (a->chunks) {
		struct scry_arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}
