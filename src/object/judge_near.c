/* In which object an address lies, or before which. */
#include "base/bytes.h"
#include "memory/stack.h"
#include "object/judge.h"
#include "object/mro.h"

#define INSIDE_BYTES (1 << 20) /* how far before an address the object may start */
#define NEAR_BYTES   512
#define PIECE        4096u

/* The object of a block: it starts after the words before it, and the debug hooks' two. */
static bool object_of_block(struct scry_runtime *r, const struct scry_block *b, scry_addr *ret,
			    struct scry_verdict *ret_verdict)
{
	unsigned ptr = scry_ptr_size(r);

	for (scry_addr at = b->start; at < b->start + b->size && at < b->start + 8 * ptr; at += ptr)
		if (scry_judge(r, at, ret_verdict) == SCRY_OK) {
			*ret = at;
			return true;
		}
	return false;
}

/* May the word be a pointer to a type? Most words of text and numbers may not. */
static bool may_be_type(struct scry_runtime *r, scry_addr word, const struct scry_map **map)
{
	if (word < SCRY_NULL_PAGE || word % scry_ptr_size(r))
		return false;
	if (!*map || word < (*map)->start || word >= (*map)->end)
		*map = scry_map_at(r->session->target, word);
	return *map != NULL;
}

/* The last object that starts in `len` bytes from `start`. */
static bool search_piece(struct scry_runtime *r, scry_addr start, size_t len, scry_addr *ret,
			 struct scry_verdict *ret_verdict)
{
	unsigned ptr = scry_ptr_size(r), type = r->layout->slot[SCRY_F_OBJECT_TYPE].offset;
	const struct scry_map *map = NULL;
	uint8_t words[PIECE + 64];
	size_t got =
		type + ptr <= 64 ? scry_read_some(r->session, start, words, len + type + ptr) : 0;

	for (size_t at = len; at >= ptr; at -= ptr) {
		size_t i = at - ptr;
		scry_addr word = i + type + ptr <= got
					 ? scry_load(words + i + type, ptr,
						     r->session->target->abi.big_endian)
					 : 0;

		if (may_be_type(r, word, &map) &&
		    scry_judge(r, start + i, ret_verdict) == SCRY_OK) {
			*ret = start + i;
			return true;
		}
	}
	return false;
}

/*
 * Where a piece in which no object starts is remembered. Words that stand close together are asked
 * about one after the other, each of them back over the same text and code.
 */
static scry_addr *memo(struct scry_runtime *r, scry_addr piece)
{
	struct scry_type_state *state = scry_type_state(r);

	return state ? &state->headless[piece / PIECE % SCRY_HEADLESS] : NULL;
}

/* Back to the first object; none lies in another, so it is that one or none. */
static bool search_back(struct scry_runtime *r, scry_addr addr, scry_addr *ret,
			struct scry_verdict *ret_verdict)
{
	const struct scry_map *map = scry_map_at(r->session->target, addr);
	unsigned ptr = scry_ptr_size(r);
	scry_addr least = map ? map->start : SCRY_NULL_PAGE, end = addr / ptr * ptr + ptr;

	if (addr - least > INSIDE_BYTES)
		least = (addr - INSIDE_BYTES) / ptr * ptr;
	while (end > least) {
		scry_addr start = (end - 1) & ~(scry_addr)(PIECE - 1);

		if (start < least)
			start = least;
		if (scry_block_owns(r, start))
			return false; /* what is larger than a block is not the allocator's */
		scry_addr *headless = end - start == PIECE ? memo(r, start) : NULL;
		if (!headless || *headless != start) {
			if (search_piece(r, start, end - start, ret, ret_verdict))
				return true;
			if (headless)
				*headless = start;
		}
		end = start;
	}
	return false;
}

int scry_judge_inside(struct scry_runtime *r, scry_addr addr, scry_addr *ret_object,
		      scry_addr *ret_near, struct scry_verdict *ret)
{
	struct scry_verdict v;
	struct scry_block block;
	scry_addr found = 0;
	bool any;

	*ret_near = 0;
	if (scry_block_find(r, addr, &block))
		any = !block.free && object_of_block(r, &block, &found, &v);
	else
		any = !scry_block_owns(r, addr) && !scry_stack_has(r, addr) &&
		      search_back(r, addr, &found, &v);
	if (any && addr >= found && addr - found < v.extent) {
		*ret_object = found;
		*ret = v;
		return SCRY_OK;
	}
	if (any && addr >= found && addr - found < NEAR_BYTES)
		*ret_near = found;
	return scry_fail(r->session, SCRY_ENOTFOUND, addr, "0x%" PRIx64 " is in no object", addr);
}

int scry_judge_behind(struct scry_runtime *r, scry_addr addr, scry_addr *ret_object)
{
	unsigned ptr = scry_ptr_size(r);
	struct scry_verdict v;

	for (scry_addr at = addr / ptr * ptr + ptr; at <= addr + 6 * ptr; at += ptr)
		if (scry_judge(r, at, &v) == SCRY_OK) {
			if (v.head > addr)
				break;
			*ret_object = at;
			return SCRY_OK;
		}
	return scry_fail(r->session, SCRY_ENOTFOUND, addr, "no object after 0x%" PRIx64, addr);
}

bool scry_fits(struct scry_runtime *r, scry_addr addr, uint64_t size, const char *what)
{
	struct scry_block b;

	if (!size || !scry_block_guess(r, addr, &b) || size <= b.start + b.size - addr)
		return true;
	scry_fail(r->session, SCRY_ECORRUPT, addr,
		  "its %s would take %" PRIu64 " bytes from 0x%" PRIx64 " on, the block there "
		  "has %" PRIu64,
		  what, size, addr, b.start + b.size - addr);
	return false;
}
