/* The chunks of the threads' data stacks. */
#include "heap/data_stack.h"

#include <stdlib.h>

#include "base/hash.h"

#define CHUNKS_MAX 100000 /* of one thread, of 16 KiB or more */

static int by_start(const void *a, const void *b)
{
	const struct scry_block_area *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

/* struct _PyStackChunk, Include/internal/pycore_interpframe_structs.h: previous, size */
static int find_of(struct scry_heap *h, const struct scry_thread *t, struct scry_hash *met,
		   struct scry_data_stacks *ret)
{
	struct scry_session *s = h->runtime->session;
	scry_addr at = scry_field_get(h->runtime, t->state, SCRY_F_THREAD_DATASTACK_CHUNK);
	uint64_t size;
	unsigned n = 0;

	for (; at && n < CHUNKS_MAX; n++) {
		if (!scry_reader_word(&h->reader, at + h->reader.ptr, &size) || !size ||
		    size > UINT32_MAX || size > UINT64_MAX - at)
			break;
		int new = scry_hash_add(met, at);
		struct scry_block_area *list =
			new > 0 ? scry_arena_grow(&s->arena, ret->list, ret->count, &ret->room,
						  sizeof(*list), 64)
				: NULL;

		if (!new)
			break;
		if (!list)
			return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
		ret->list = list;
		list[ret->count++] = (struct scry_block_area) { at, at + size, 0, 0 };
		if (!scry_reader_word(&h->reader, at, &at))
			break;
	}
	if (n == CHUNKS_MAX)
		scry_note(s,
			  "the data stack of a thread has more than %u chunks: no more of them "
			  "were looked at",
			  n);
	return SCRY_OK;
}

int scry_data_stacks_find(struct scry_heap *h, struct scry_data_stacks *ret)
{
	struct scry_hash met = { 0 };
	size_t n = 0;
	int rc = SCRY_OK;

	*ret = (struct scry_data_stacks) { 0 };
	for (struct scry_thread *t = scry_thread_first(h->runtime->session); t && rc == SCRY_OK;
	     t = t->next)
		if (t->runtime == h->runtime)
			rc = find_of(h, t, &met, ret);
	scry_hash_done(&met);
	if (ret->count)
		qsort(ret->list, ret->count, sizeof(*ret->list), by_start);
	for (size_t i = 0; i < ret->count; i++) {
		const struct scry_block_area *one = &ret->list[i];

		if (n && one->start <= ret->list[n - 1].end) {
			if (one->end > ret->list[n - 1].end)
				ret->list[n - 1].end = one->end;
			continue;
		}
		ret->list[n++] = *one;
	}
	ret->count = n;
	return rc;
}
