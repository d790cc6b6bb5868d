/* Reference counts: which ones an object of a version may have. */
#include "object/judge.h"

#define COUNT_MAX ((int64_t)1 << 40)

static bool none_immortal(const struct scry_runtime *r, uint64_t count)
{
	(void)r;
	(void)count;
	return false;
}

/*
 * 3.12+: Include/object.h, _Py_IsImmortal(): the low 32 bits, as a signed number, are negative; on
 * 32-bit, the top two bits say so. Free-threaded: the owner's count is all ones.
 */
static bool is_immortal(const struct scry_runtime *r, uint64_t count)
{
	if (scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED))
		return count == UINT32_MAX;
	if (r->session->target->abi.ptr_size == 8)
		return (count >> 31 & 1) != 0;
	return count >= UINT32_MAX >> 2;
}

static const struct {
	uint32_t since;
	bool (*is)(const struct scry_runtime *r, uint64_t count);
} immortals[] = { { 0, none_immortal }, { SCRY_VERSION_OF(3, 12), is_immortal } };

bool scry_is_immortal(const struct scry_runtime *r, uint64_t count)
{
	return SCRY_SINCE(immortals, r->version)->is(r, count);
}

/* The whole word that a byte is of: a count beside flags, where another struct has a pointer. */
static bool is_address(struct scry_runtime *r, scry_addr byte)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t word;

	return ptr == 8 && scry_word(r, byte / ptr * ptr, &word) == SCRY_OK &&
	       scry_is_mapped(r, word);
}

/*
 * Free-threaded: a thread's id is its thread pointer. While a collection runs the field has the
 * collector's own counts and links (Python/gc_free_threading.c).
 */
static int check_shared(struct scry_runtime *r, scry_addr addr, uint64_t local, bool *ret_dead)
{
	scry_addr owner = scry_field_get(r, addr, SCRY_F_OBJECT_TID);
	int64_t shared = 0;
	bool collecting = false;

	/* a tuple of one class, from its counts on, looks like a head of that class's instance */
	if (is_address(r, scry_field_addr(r, addr, SCRY_F_OBJECT_GC_BITS)) ||
	    is_address(r, scry_field_addr(r, addr, SCRY_F_OBJECT_REF_SHARED)))
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "its reference count is an address");
	scry_field_read_int(r, addr, SCRY_F_OBJECT_REF_SHARED, &shared);
	for (struct scry_interp *i = r->interps; i; i = i->next)
		collecting = collecting || i->gc_running;
	if (owner && !collecting &&
	    (owner % r->session->target->abi.ptr_size || !scry_is_mapped(r, owner)))
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "its owner is not a thread");
	if (local == UINT32_MAX)
		return SCRY_OK; /* immortal */
	int64_t sum = (int64_t)local + shared / 4;
	if (sum < 0 || local > INT32_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "its reference count is implausible");
	*ret_dead = sum == 0;
	return SCRY_OK;
}

/*
 * Where a program has fixed addresses its break comes after them, so that these may be mapped. 3.11
 * gives 999999999 to what is part of its own data, and counts on from there
 * (_PyObject_IMMORTAL_REFCNT). What is immortal has a number where no object can be, an odd one or
 * the start of a page (Include/object.h, Include/refcount.h).
 */
static const struct initial {
	uint32_t since, until;
	unsigned ptr; /* 0: whatever the pointers' size */
	uint64_t first, more;
	bool is_static;
} initials[] = {
	{ SCRY_VERSION_OF(3, 11), SCRY_VERSION_OF(3, 12), 0, 999999999, 1u << 30, true },
	{ SCRY_VERSION_OF(3, 12), SCRY_VERSION_OF(3, 14), 8, UINT32_MAX, 0, false },
	{ SCRY_VERSION_OF(3, 12), SCRY_VERSION_OF(3, 14), 4, UINT32_MAX >> 2, 0, false },
	{ SCRY_VERSION_OF(3, 14), 0, 8, (uint64_t)3 << 30, 0, false },
	{ SCRY_VERSION_OF(3, 14), 0, 4, (uint64_t)5 << 28, 0, false },
	{ SCRY_VERSION_OF(3, 14), 0, 4, (uint64_t)7 << 28, 0, false },
};

bool scry_is_initial_count(struct scry_runtime *r, scry_addr addr, uint64_t count)
{
	for (size_t i = 0; i < sizeof(initials) / sizeof(*initials); i++)
		if (scry_version_in(r->version, initials[i].since, initials[i].until) &&
		    (!initials[i].ptr || initials[i].ptr == scry_ptr_size(r)) &&
		    count >= initials[i].first && count - initials[i].first <= initials[i].more)
			return !initials[i].is_static || scry_is_static(r, addr);
	return false;
}

/* The count's word as a whole: 3.14 has flags in its upper half, which no count of ours shows. */
int scry_count_check(struct scry_runtime *r, scry_addr addr, bool *ret_dead, bool *ret_address)
{
	uint64_t count, word;
	int rc = scry_field_read(r, addr, SCRY_F_OBJECT_REFCNT, &count);

	*ret_dead = *ret_address = false;
	if (rc == SCRY_OK && scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED))
		return check_shared(r, addr, count, ret_dead);
	rc = rc < 0 ? rc : scry_word(r, scry_field_addr(r, addr, SCRY_F_OBJECT_REFCNT), &word);
	if (rc < 0)
		return rc;
	if (scry_is_initial_count(r, addr, word))
		return SCRY_OK;
	/* above an immortal count stand flags at most: indices of a dict look like one */
	if (scry_is_immortal(r, count))
		return r->session->target->abi.ptr_size == 8 &&
				       (scry_is_mapped(r, word) || word >> 32 & 0xff00ffff)
			       ? scry_fail(r->session, SCRY_ECORRUPT, addr,
					   "its reference count is an address, or none")
			       : SCRY_OK;
	*ret_address = scry_is_mapped(r, word);
	if (count > (uint64_t)COUNT_MAX || word >> 48 > 0xff)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "its reference count is implausible, 0x%" PRIx64, word);
	*ret_dead = count == 0;
	return SCRY_OK;
}
