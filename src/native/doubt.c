/* Reference counts that no living object has, and the bytes with which debug builds fill memory. */
#include "native/doubt.h"

#include "object/judge.h"

static const struct scry_doubt none = { NULL, false },
			       dead = { "its reference count is 0: freed, or being freed", false },
			       linked = { "its reference count is an address: freed, in a list of "
					  "free blocks",
					  true },
			       implausible = { "its reference count is implausible", false };

/*
 * Without a GIL the owner's count and the others' (above two bits of flags) add up; the owner's is
 * all ones in an immortal object (Include/object.h and refcount.h, v3.13 to v3.15).
 */
static struct scry_doubt shared_doubt(struct scry_runtime *r, scry_addr addr)
{
	uint64_t local;
	int64_t shared;

	if (scry_field_read(r, addr, SCRY_F_OBJECT_REFCNT, &local) < 0 ||
	    scry_field_read_int(r, addr, SCRY_F_OBJECT_REF_SHARED, &shared) < 0 ||
	    local == UINT32_MAX)
		return none;
	int64_t sum = (int64_t)local + shared / 4;
	return sum == 0 ? dead : sum < 0 ? implausible : none;
}

/*
 * Bits that are 0 in any count: allocators link free blocks by their first word, where the count
 * was.
 */
static uint64_t unused_bits(uint32_t version)
{
	/*
	 * 3.12: half of the word, immortal or not; 3.14 keeps flags in the last quarter
	 * (Include/object.h)
	 */
	static const struct {
		uint32_t since;
		uint64_t bits;
	} rows[] = { { 0, ~(uint64_t)UINT32_MAX },
		     { SCRY_VERSION_OF(3, 14), (uint64_t)0xffff << 32 } };

	return SCRY_SINCE(rows, version)->bits;
}

static struct scry_doubt count_doubt(struct scry_runtime *r, scry_addr addr)
{
	struct scry_session *s = r->session;
	unsigned size = s->target->abi.ptr_size;
	uint64_t word;

	if (scry_read_uint(s, scry_field_addr(r, addr, SCRY_F_OBJECT_REFCNT), size, &word) < 0)
		return none;
	if ((word & UINT32_MAX) == 0 && !(word & unused_bits(r->version)))
		return dead;
	bool is_address = word % size == 0 && scry_map_at(s->target, word) &&
			  !scry_is_initial_count(r, addr, word);
	if (size == 4)
		return is_address ? linked : none;
	return !(word & unused_bits(r->version)) ? none : is_address ? linked : implausible;
}

struct scry_doubt scry_object_doubt(struct scry_runtime *r, scry_addr addr)
{
	if (!scry_layout_has(r->layout, SCRY_F_OBJECT_REFCNT))
		return none;
	return r->layout->flavour.free_threaded ? shared_doubt(r, addr) : count_doubt(r, addr);
}

/*
 * PYMEM_CLEANBYTE and so on: Objects/obmalloc.c up to v3.7, Include/internal/pycore_pymem.h from
 * v3.8.
 */
struct scry_doubt scry_pattern_doubt(uint64_t word, unsigned size)
{
	static const struct {
		uint8_t byte;
		struct scry_doubt doubt;
	} patterns[] = {
		{ 0xdd, { "0xdd: a debug allocator's mark of freed memory", true } },
		{ 0xcd,
		  { "0xcd: a debug allocator's mark of memory that was never written", false } },
		{ 0xfd, { "0xfd: a debug allocator's mark around blocks", false } },
		{ 0xdb, { "0xdb: a debug allocator's mark of freed memory (up to 3.7)", true } },
		{ 0xcb,
		  { "0xcb: a debug allocator's mark of memory that was never written (up to 3.7)",
		    false } },
		{ 0xfb, { "0xfb: a debug allocator's mark around blocks (up to 3.7)", false } },
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (word == (size == 4 ? 0x01010101u : 0x0101010101010101u) * patterns[i].byte)
			return patterns[i].doubt;
	return none;
}
