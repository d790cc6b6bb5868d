#include "target/cache.h"

#include <stdlib.h>
#include <string.h>

#define PAGE  4096u
#define PAGES 16u /* of a block */
#define BLOCK (PAGE * PAGES)
/* pages fetched at a block's first touch: objects lie scattered, stacks do not */
#define FIRST_RUN 4u
#define WAYS      4u
#define SETS      512u /* 128 MB at most */
#define PIECES    16u

struct scry_cache_block {
	scry_addr addr;       /* of its first byte */
	uint8_t *bytes;       /* BLOCK of them; NULL: not in use */
	uint16_t asked;       /* bit i: page i was asked for */
	uint16_t have[PAGES]; /* bytes there from the page's begin on */
};

bool scry_cache_init(struct scry_cache *c)
{
	c->blocks = calloc((size_t)SETS * WAYS, sizeof(*c->blocks));
	c->turn = calloc(SETS, 1);
	c->pieces = c->exact ? calloc(PIECES, sizeof(*c->pieces)) : NULL;
	if (c->blocks && c->turn && (c->pieces || !c->exact))
		return true;
	scry_cache_done(c);
	return false;
}

void scry_cache_clear(struct scry_cache *c)
{
	for (size_t i = 0; c->blocks && i < SETS * WAYS; i++)
		c->blocks[i].asked = 0;
	for (size_t i = 0; c->pieces && i < PIECES; i++)
		c->pieces[i].len = 0;
}

void scry_cache_done(struct scry_cache *c)
{
	for (size_t i = 0; c->blocks && i < SETS * WAYS; i++)
		free(c->blocks[i].bytes);
	free(c->blocks);
	free(c->turn);
	free(c->pieces);
	c->blocks = NULL;
	c->turn = NULL;
	c->pieces = NULL;
}

/* The block for `addr`: the one there is, else an emptied one. NULL when out of memory. */
static struct scry_cache_block *block_for(struct scry_cache *c, scry_addr addr)
{
	scry_addr start = addr & ~(scry_addr)(BLOCK - 1);
	size_t set = (size_t)((start / BLOCK * 0x9e3779b97f4a7c15u) >> 55) % SETS;
	struct scry_cache_block *ways = &c->blocks[set * WAYS];

	for (size_t i = 0; i < WAYS; i++)
		if (ways[i].addr == start && ways[i].bytes)
			return &ways[i];
	struct scry_cache_block *victim = &ways[c->turn[set]];
	c->turn[set] = (uint8_t)((c->turn[set] + 1) % WAYS);
	if (!victim->bytes && !(victim->bytes = malloc(BLOCK)))
		return NULL;
	victim->addr = start;
	victim->asked = 0;
	return victim;
}

/* Fetch `count` pages from `page` on in one call; how many bytes came. */
static size_t fetch_run(struct scry_cache *c, struct scry_cache_block *b, unsigned page,
			unsigned count)
{
	size_t n = c->fetch(c->arg, b->addr + page * PAGE, b->bytes + page * PAGE,
			    (size_t)count * PAGE);

	if (n > (size_t)count * PAGE)
		n = (size_t)count * PAGE;
	for (unsigned i = 0; i < count && n > i * PAGE; i++) {
		b->asked |= (uint16_t)(1u << (page + i));
		b->have[page + i] = (uint16_t)(n - i * PAGE < PAGE ? n - i * PAGE : PAGE);
	}
	return n;
}

static void fetch_page(struct scry_cache *c, struct scry_cache_block *b, unsigned page)
{
	unsigned count = b->asked ? PAGES : FIRST_RUN;

	/* not over pages that are here already, nor over the block's end */
	for (unsigned i = 1; i < count; i++)
		if (page + i >= PAGES || b->asked >> (page + i) & 1)
			count = i;
	if (fetch_run(c, b, page, count) || (count > 1 && fetch_run(c, b, page, 1)))
		return;
	b->asked |= (uint16_t)(1u << page);
	b->have[page] = 0;
}

/* The most bytes at `addr` that a reader which refuses what it cannot give in whole will give. */
static size_t fetch_exact(struct scry_cache *c, scry_addr addr, uint8_t *buf, size_t len)
{
	if (!c->fetch(c->arg, addr, buf, 1))
		return 0;
	for (; len > 1; len /= 2) {
		size_t n = c->fetch(c->arg, addr, buf, len);

		if (n)
			return n < len ? n : len;
	}
	return 1;
}

static const uint8_t *view_piece(struct scry_cache *c, scry_addr addr, size_t *ret_len)
{
	struct scry_cache_piece *p;

	for (unsigned i = 0; i < PIECES; i++) {
		p = &c->pieces[i];
		if (addr - p->addr < p->len) {
			*ret_len = p->len - (size_t)(addr - p->addr);
			return p->bytes + (addr - p->addr);
		}
	}
	p = &c->pieces[c->next_piece];
	p->len = fetch_exact(c, addr, p->bytes, PAGE - (size_t)(addr % PAGE));
	p->addr = addr;
	if (!p->len)
		return NULL;
	c->next_piece = (c->next_piece + 1) % PIECES;
	*ret_len = p->len;
	return p->bytes;
}

const uint8_t *scry_cache_view(struct scry_cache *c, scry_addr addr, size_t *ret_len)
{
	struct scry_cache_block *b = block_for(c, addr);
	unsigned at = (unsigned)(addr % BLOCK), page = at / PAGE, end = page, begin = page;

	c->before = 0;
	if (!b)
		return NULL;
	if (!(b->asked >> page & 1))
		fetch_page(c, b, page);
	if (at % PAGE >= b->have[page])
		return c->exact ? view_piece(c, addr, ret_len) : NULL;
	while (end + 1 < PAGES && b->have[end] == PAGE && (b->asked >> (end + 1) & 1))
		end++;
	while (begin && b->have[begin - 1] == PAGE && (b->asked >> (begin - 1) & 1))
		begin--;
	c->before = at - begin * PAGE;
	*ret_len = end * PAGE + b->have[end] - at;
	return b->bytes + at;
}
