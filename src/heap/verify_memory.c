/* What allocators say of their own memory: marks of the debug hooks, lists of free blocks. */
#include <inttypes.h>

#include "heap/verify.h"
#include "memory/block.h"
#include "memory/malloc.h"

#define FILLED_MAX 160 /* bytes of a block that is filled as a whole */

/* DEADBYTE, FORBIDDENBYTE: Objects/obmalloc.c, 3.8 and before */
static const struct marks {
	uint32_t since;
	uint8_t dead, forbidden;
} marks[] = { { 0, 0xdb, 0xfb }, { SCRY_VERSION_OF(3, 8), 0xdd, 0xfd } };

struct look {
	struct scry_verify *v;
	struct scry_runtime *r;
	const struct marks *marks;
	unsigned ptr;
	uint64_t hooked, used; /* blocks in use, and those that have the hooks' marks */
	bool hooks;            /* the hooks are at work */
};

static bool is_filled(struct look *l, scry_addr at, unsigned n, uint8_t byte)
{
	uint64_t word;

	for (unsigned i = 0; i < n; i++)
		if (!scry_reader_uint(&l->v->h->reader, at + i, 1, &word) || word != byte)
			return false;
	return true;
}

/* A letter and forbidden bytes after a size that its block has room for. */
static bool has_front(struct look *l, const struct scry_block *b, uint64_t *ret_size)
{
	struct scry_reader *rd = &l->v->h->reader;
	uint64_t letter, byte, size = 0;

	if (!scry_reader_uint(rd, b->start + l->ptr, 1, &letter) ||
	    (letter != 'o' && letter != 'm' && letter != 'r') ||
	    !is_filled(l, b->start + l->ptr + 1, l->ptr - 1, l->marks->forbidden))
		return false;
	for (unsigned i = 0; i < l->ptr && scry_reader_uint(rd, b->start + i, 1, &byte); i++)
		size = size << 8 | byte;
	*ret_size = size;
	return size <= b->size && size + 3 * l->ptr <= b->size;
}

static void check_used(struct look *l, const struct scry_block *b)
{
	uint64_t size;

	l->used++;
	if (!has_front(l, b, &size))
		return;
	l->hooked++;
	if (l->hooks && !is_filled(l, b->start + 2 * l->ptr + size, l->ptr, l->marks->forbidden))
		scry_verify_add(l->v, SCRY_FINDING_OVERRUN, b->start + 2 * l->ptr, NULL,
				scry_arena_printf(&l->r->session->arena,
						  "the debug hooks' bytes after its %" PRIu64
						  " bytes are overwritten",
						  size));
}

/*
 * What was freed through the hooks is filled: all of its block but for what the allocator rounded
 * up, and what realloc() left (a quarter at most). Of more than twice ERASED_SIZE realloc() fills
 * the two ends alone: Objects/obmalloc.c, _PyMem_DebugRawRealloc(). The first word is the
 * allocator's link; a block that has none, or is on no list, may never have been given out since
 * its pool was cut.
 */
static void check_free(struct look *l, const struct scry_block *b)
{
	unsigned words = (unsigned)(b->size * 3 / 4 / l->ptr), dead = 0, i;
	scry_addr other = 0;
	uint64_t link;

	if (words < 4 || b->size > FILLED_MAX ||
	    !scry_reader_word(&l->v->h->reader, b->start, &link) || !link)
		return;
	for (i = 1; i < words; i++)
		if (is_filled(l, b->start + i * l->ptr, l->ptr, l->marks->dead))
			dead++;
		else if (!other)
			other = b->start + i * l->ptr;
	if (!other || dead * 2 < words || !scry_block_order(l->r, b))
		return;
	scry_verify_add(l->v, SCRY_FINDING_FREED_WRITTEN, b->start + 2 * l->ptr, NULL,
			scry_arena_printf(&l->r->session->arena,
					  "a block of %" PRIu64 " bytes, which the debug hooks "
					  "filled when it was freed, has other bytes at 0x%" PRIx64,
					  b->size, other));
}

static void check_block(struct look *l, const struct scry_block *b)
{
	l->v->blocks++;
	if (b->broken)
		scry_verify_add(
			l->v, SCRY_FINDING_FREED_WRITTEN, b->start, NULL,
			scry_arena_printf(&l->r->session->arena,
					  "a free block of %" PRIu64
					  " bytes, whose link to the next one leads nowhere",
					  b->size));
	if (!b->free)
		check_used(l, b);
	else if (l->hooks && !b->broken && b->of->lists_freed)
		check_free(l, b);
}

static void look_at_blocks(struct look *l)
{
	struct scry_blocks blocks;
	struct scry_block b;

	if (scry_blocks_open(&blocks, l->r) < 0)
		return;
	while (!l->r->session->stopped && scry_blocks_next(&blocks, &b) == SCRY_ITEM)
		check_block(l, &b);
	scry_blocks_done(&blocks);
}

static void look_at_chunks(struct look *l)
{
	const struct scry_malloc_damage *damages = NULL;
	size_t count = scry_malloc_damages(l->r, &damages);

	for (size_t i = 0; i < count; i++) {
		const struct scry_malloc_damage *d = &damages[i];
		const char *why = d->what;

		if (!d->freed)
			why = scry_arena_printf(&l->r->session->arena,
						"malloc's own words after it are overwritten: "
						"of the chunk at 0x%" PRIx64 " %s",
						d->start, d->what);
		scry_verify_add(l->v, d->freed ? SCRY_FINDING_FREED_WRITTEN : SCRY_FINDING_OVERRUN,
				d->freed || !d->before ? d->start : d->before, NULL, why);
	}
}

/* Once to learn whether the hooks are at work: then almost all blocks have their marks. */
void scry_verify_memory(struct scry_verify *v)
{
	struct look l = { .v = v,
			  .r = v->h->runtime,
			  .marks = SCRY_SINCE(marks, v->h->runtime->version),
			  .ptr = v->h->reader.ptr };

	look_at_blocks(&l);
	if (l.hooked && l.hooked >= l.used - l.used / 8) {
		l.hooks = true;
		v->blocks = 0;
		look_at_blocks(&l);
	}
	if (!scry_verify_moves(l.r))
		look_at_chunks(&l);
}
