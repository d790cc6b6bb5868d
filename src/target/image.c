#include "target/image.h"

#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	scry_addr addr;
	size_t len;
	uint8_t bytes[];
};

static struct block *block_at(struct scry_target *t, scry_addr addr)
{
	for (struct block *b = t->state; b; b = b->next)
		if (addr - b->addr < b->len)
			return b;
	return NULL;
}

static const uint8_t *image_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	const struct block *b = block_at(t, addr);

	if (!b)
		return NULL;
	*ret_len = b->len - (size_t)(addr - b->addr);
	return b->bytes + (addr - b->addr);
}

static void image_close(struct scry_target *t)
{
	for (struct block *b = t->state, *next; b; b = next) {
		next = b->next;
		free(b);
	}
}

static const struct scry_target_ops image_ops = { .name = "image",
						  .view = image_view,
						  .close = image_close };

struct scry_session *scry_image_session(unsigned elf_machine, bool is64, bool big_endian)
{
	struct scry_session *s = scry_session_new();

	if (!s)
		return NULL;
	s->target = scry_target_new(s, &image_ops);
	if (!s->target) {
		scry_session_free(s);
		return NULL;
	}
	scry_target_set_machine(s->target, elf_machine, is64, big_endian);
	return s;
}

uint8_t *scry_image_add(struct scry_session *s, scry_addr addr, size_t len)
{
	struct block *b = calloc(1, sizeof(*b) + len), **end = (struct block **)&s->target->state;
	struct scry_map map = { .start = addr,
				.end = addr + len,
				.flags = SCRY_MAP_READ | SCRY_MAP_WRITE };

	if (!b || !scry_target_add_map(s->target, &map)) {
		free(b);
		return NULL;
	}
	b->addr = addr;
	b->len = len;
	while (*end)
		end = &(*end)->next;
	*end = b;
	scry_target_sort_maps(s->target);
	scry_target_forget_view(s->target);
	return b->bytes;
}

bool scry_image_add_bytes(struct scry_session *s, scry_addr addr, const void *bytes, size_t len)
{
	uint8_t *at = scry_image_add(s, addr, len);

	if (at)
		memcpy(at, bytes, len);
	return at != NULL;
}

bool scry_image_put(struct scry_session *s, scry_addr addr, unsigned size, uint64_t value)
{
	struct block *b = block_at(s->target, addr);

	if (!b || size > 8 || size > b->len - (addr - b->addr))
		return false;
	for (unsigned i = 0; i < size; i++) {
		unsigned at = s->target->abi.big_endian ? size - 1 - i : i;

		b->bytes[addr - b->addr + at] = (uint8_t)(value >> (8 * i));
	}
	return true;
}

bool scry_image_put_ptr(struct scry_session *s, scry_addr addr, scry_addr value)
{
	return scry_image_put(s, addr, s->target->abi.ptr_size, value);
}

void scry_image_remove(struct scry_session *s, scry_addr addr)
{
	struct scry_target *t = s->target;
	struct block **at = (struct block **)&t->state;

	while (*at && (*at)->addr != addr)
		at = &(*at)->next;
	if (!*at)
		return;
	struct block *gone = *at;
	*at = gone->next;
	free(gone);
	for (size_t i = 0; i < t->map_count; i++)
		if (t->maps[i].start == addr)
			t->maps[i].end = addr; /* empty: dropped by sorting */
	scry_target_sort_maps(t);
	scry_target_forget_view(t);
}
