/* Fields of the target's structs: from one copy of the struct, or straight from memory. */
#include <inttypes.h>

#include "base/bytes.h"
#include "runtime/runtime.h"

/* How many bytes of each struct its known fields span, per layout, worked out on first use. */
static uint32_t span(struct scry_runtime *r, enum scry_struct what)
{
	if (r->span[what])
		return r->span[what];
	uint32_t end = 0;
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		const struct scry_slot *slot = &r->layout->slot[f];

		if (slot->size == 0 || scry_field_struct((enum scry_field)f) != what)
			continue;
		uint32_t size = slot->size < 8 ? slot->size : 8;
		if (slot->offset <= SCRY_RECORD_MAX - size && slot->offset + size > end)
			end = slot->offset + size;
	}
	return r->span[what] = end ? end : r->session->target->abi.ptr_size;
}

int scry_record_read(struct scry_runtime *r, enum scry_struct what, scry_addr addr,
		     struct scry_record *ret)
{
	uint32_t want = span(r, what);
	unsigned align = r->session->target->abi.ptr_size;

	ret->runtime = r;
	ret->addr = addr;
	ret->len = 0;
	if (addr % align)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "0x%" PRIx64 " is not the address of a %s", addr,
				 scry_struct_name(what));
	ret->len = (uint32_t)scry_read_some(r->session, addr, ret->data, want);
	if (ret->len >= align)
		return SCRY_OK;
	return scry_fail(r->session, SCRY_EFAULT, addr, "no memory at 0x%" PRIx64 " for a %s", addr,
			 scry_struct_name(what));
}

bool scry_record_has(const struct scry_record *rec, enum scry_field f)
{
	const struct scry_slot *slot = &rec->runtime->layout->slot[f];

	return slot->size && slot->offset <= rec->len &&
	       rec->len - slot->offset >= (slot->size < 8 ? slot->size : 8);
}

static uint64_t take_bits(uint64_t value, const struct scry_slot *slot)
{
	return slot->bits ? value >> slot->shift & (((uint64_t)1 << slot->bits) - 1) : value;
}

/* An array or nested struct has no value of its own: its first word stands for it. */
static unsigned width(const struct scry_runtime *r, const struct scry_slot *slot)
{
	return slot->size <= 8 ? slot->size : r->session->target->abi.ptr_size;
}

uint64_t scry_record_uint(const struct scry_record *rec, enum scry_field f)
{
	const struct scry_runtime *r = rec->runtime;
	const struct scry_slot *slot = &r->layout->slot[f];

	if (!scry_record_has(rec, f))
		return 0;
	return take_bits(scry_load(rec->data + slot->offset, width(r, slot),
				   r->session->target->abi.big_endian),
			 slot);
}

int64_t scry_record_int(const struct scry_record *rec, enum scry_field f)
{
	const struct scry_runtime *r = rec->runtime;
	const struct scry_slot *slot = &r->layout->slot[f];

	if (!scry_record_has(rec, f))
		return 0;
	return scry_load_signed(rec->data + slot->offset, width(r, slot),
				r->session->target->abi.big_endian);
}

static int missing(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	return scry_fail(r->session, SCRY_ENOFIELD, base, "the layout (%s) has no %s",
			 r->layout->name, scry_field_name(f));
}

int scry_field_read(struct scry_runtime *r, scry_addr base, enum scry_field f, uint64_t *ret)
{
	const struct scry_slot *slot = &r->layout->slot[f];

	if (!slot->size)
		return missing(r, base, f);
	int rc = scry_read_uint(r->session, base + slot->offset, width(r, slot), ret);
	if (rc == SCRY_OK)
		*ret = take_bits(*ret, slot);
	return rc;
}

int scry_field_read_int(struct scry_runtime *r, scry_addr base, enum scry_field f, int64_t *ret)
{
	const struct scry_slot *slot = &r->layout->slot[f];

	if (!slot->size)
		return missing(r, base, f);
	return scry_read_int(r->session, base + slot->offset, width(r, slot), ret);
}

scry_addr scry_field_addr(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	return scry_layout_has(r->layout, f) ? base + r->layout->slot[f].offset : 0;
}

uint64_t scry_field_get(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t value = 0;

	return base && scry_field_read(r, base, f, &value) == SCRY_OK ? value : 0;
}

int64_t scry_field_get_int(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	int64_t value = 0;

	return base && scry_field_read_int(r, base, f, &value) == SCRY_OK ? value : 0;
}

int scry_word(struct scry_runtime *r, scry_addr addr, uint64_t *ret)
{
	return scry_read_ptr(r->session, addr, ret);
}
