/* malloc/malloc.c of glibc, struct malloc_chunk: the same since 2.3. */
#include "memory/chunk.h"

#include <string.h>

#include "memory/memory.h"

#define PREV_INUSE 1 /* of the size word: the chunk before is in use */
#define IS_MMAPPED 2
#define FLAGS      7
#define PAGE       4096u
#define ALIGN      16 /* MALLOC_ALIGNMENT, the largest */
#define CHUNK_MAX  ((uint64_t)1 << 40)

bool scry_chunk_at(struct scry_runtime *r, scry_addr start, struct scry_chunk *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t word, behind;

	if (start % (2 * ptr) || scry_word(r, start - ptr, &word) < 0)
		return false;
	uint64_t size = word & ~(uint64_t)FLAGS;
	scry_addr next = start - 2 * ptr + size;
	if (size < 4 * ptr || size % (2 * ptr) || size > CHUNK_MAX)
		return false;
	if (word & IS_MMAPPED) {
		/* glibc of 2026 (Debian's 2.43) does not count the header */
		scry_addr end = next % PAGE ? next + 2 * ptr : next;

		/* on i386 the header comes after what aligns the user's bytes to 16 */
		*ret = (struct scry_chunk) { end - start, PAGE };
		return end % PAGE == 0 && scry_word(r, start - 2 * ptr, &behind) == SCRY_OK &&
		       behind < 2 * ALIGN && (start - 2 * ptr - behind) % PAGE == 0;
	}
	/* what is in use may write into the first word of the next chunk */
	*ret = (struct scry_chunk) { size - ptr, 4 * ptr };
	return scry_word(r, next + ptr, &behind) == SCRY_OK && behind & PREV_INUSE &&
	       !(behind & IS_MMAPPED) && (behind & ~(uint64_t)FLAGS) >= 2 * ptr &&
	       (behind & ~(uint64_t)FLAGS) % (2 * ptr) == 0 &&
	       (behind & ~(uint64_t)FLAGS) < CHUNK_MAX;
}

/* libc.so.6, and libc-2.31.so after it before 2.34. */
static bool is_glibc(const char *name)
{
	return !strcmp(name, "libc.so.6") || !strncmp(name, "libc-2.", 7);
}

bool scry_has_chunks(struct scry_runtime *r)
{
	struct scry_memory *memory = scry_memory_of(r);

	if (memory && !memory->libc_known) {
		memory->libc_known = true;
		for (struct scry_module *m = scry_module_first(r->session); m; m = m->next)
			memory->has_chunks = memory->has_chunks || is_glibc(m->name);
	}
	return memory && memory->has_chunks;
}

/*
 * A block too large for Python's own allocator, of the kind that objects get. An application may
 * replace the allocators of objects alone (PyMem_SetAllocator(), 3.4+), so from 3.3 on an
 * interpreter's state says nothing.
 */
static bool evidence_of(struct scry_runtime *r, scry_addr *ret)
{
	*ret = r->interps->addr;
	return !scry_layout_has(r->layout, SCRY_F_DICT_KEYS) ||
	       scry_field_read(r, r->interps->builtins, SCRY_F_DICT_KEYS, ret) == SCRY_OK;
}

bool scry_chunks_sure(struct scry_runtime *r)
{
	struct scry_memory *memory = scry_memory_of(r);
	struct scry_chunk chunk;
	scry_addr at;

	if (memory && !memory->chunks_asked) {
		memory->chunks_asked = true;
		memory->chunks_sure = scry_has_chunks(r) && r->interps && evidence_of(r, &at) &&
				      scry_chunk_at(r, at, &chunk);
	}
	return memory && memory->chunks_sure;
}
