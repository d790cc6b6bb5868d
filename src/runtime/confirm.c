/*
 * Of a version that no rows were made for, what the target's own tables do not say but values do:
 * dictionaries' keys. A table that is read as one, to the last of its entries, is one.
 */
#include "runtime/find.h"

#define FLAG_STR    (1u << 28) /* Py_TPFLAGS_UNICODE_SUBCLASS, Include/object.h */
#define ENTRIES_MAX 100000

/*
 * The text keys of one dictionary. `keys` is where they stand, `entries` where the entries begin.
 */
struct table {
	struct scry_runtime *r;
	scry_addr keys, entries;
	uint64_t count, used, slots, index_bytes;
};

static bool is_str(struct scry_runtime *r, scry_addr object)
{
	uint64_t type, flags;

	return object % r->session->target->abi.ptr_size == 0 &&
	       scry_field_read(r, object, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK &&
	       scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK && flags & FLAG_STR;
}

/* DK_LOG_SIZE, DKIX_DUMMY ...: Objects/dictobject.c, Include/internal/pycore_dict.h, 3.11 */
static bool open_table(struct table *t, scry_addr dict)
{
	struct scry_runtime *r = t->r;
	uint64_t log2_size, log2_bytes, kind, usable;

	if (scry_field_read(r, dict, SCRY_F_DICT_KEYS, &t->keys) < 0 ||
	    scry_field_read(r, dict, SCRY_F_DICT_USED, &t->used) < 0 ||
	    scry_field_read(r, t->keys, SCRY_F_KEYS_LOG2_SIZE, &log2_size) < 0 ||
	    scry_field_read(r, t->keys, SCRY_F_KEYS_LOG2_INDEX_BYTES, &log2_bytes) < 0 ||
	    scry_field_read(r, t->keys, SCRY_F_KEYS_KIND, &kind) < 0 ||
	    scry_field_read(r, t->keys, SCRY_F_KEYS_NENTRIES, &t->count) < 0 ||
	    scry_field_read(r, t->keys, SCRY_F_KEYS_USABLE, &usable) < 0)
		return false;
	if (kind != 1 || log2_size < 3 || log2_size > 20 || log2_bytes < log2_size ||
	    log2_bytes > log2_size + 3 || t->count > ENTRIES_MAX)
		return false;
	t->slots = (uint64_t)1 << log2_size;
	t->index_bytes = (uint64_t)1 << log2_bytes;
	t->entries = scry_field_addr(r, t->keys, SCRY_F_KEYS_INDICES) + t->index_bytes;
	return t->count + usable == t->slots * 2 / 3 && t->used <= t->count;
}

/* Each entry that is in use has its number in one slot, as many as the dictionary says. */
static bool indices_agree(const struct table *t)
{
	unsigned width = (unsigned)(t->index_bytes / t->slots);
	uint64_t dummies =
		(uint64_t)-2 & (width == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * width) - 1);
	uint64_t found = 0, index;
	scry_addr at = scry_field_addr(t->r, t->keys, SCRY_F_KEYS_INDICES);

	for (uint64_t i = 0; i < t->slots; i++, at += width) {
		if (scry_read_uint(t->r->session, at, width, &index) < 0 ||
		    (index >= t->count && index < dummies))
			return false;
		found += index < t->count;
	}
	return found == t->used;
}

static bool entries_agree(const struct table *t)
{
	const struct scry_layout *l = t->r->layout;
	uint64_t used = 0, key, value, type;
	scry_addr at = t->entries;

	for (uint64_t i = 0; i < t->count; i++, at += l->size[SCRY_S_UNICODE_ENTRY]) {
		if (scry_field_read(t->r, at, SCRY_F_UNICODE_ENTRY_KEY, &key) < 0 ||
		    scry_field_read(t->r, at, SCRY_F_UNICODE_ENTRY_VALUE, &value) < 0)
			return false;
		if (!value)
			continue;
		if (!is_str(t->r, key) ||
		    scry_field_read(t->r, value, SCRY_F_OBJECT_TYPE, &type) < 0 || !type)
			return false;
		used++;
	}
	return used == t->used;
}

static void forget(struct scry_layout *l, enum scry_struct s)
{
	for (unsigned f = scry_struct_first_field(s);
	     f < SCRY_F_COUNT && scry_field_struct((enum scry_field)f) == s; f++)
		l->slot[f] = (struct scry_slot) { 0 };
	l->size[s] = 0;
}

void scry_layout_confirm(struct scry_runtime *r)
{
	scry_addr modules = r->interps ? r->interps->modules : 0;
	struct table t = { .r = r };

	if (!r->layout->guessed)
		return;
	/* entries whose keys are any objects look like others: nothing confirms them */
	forget(r->layout, SCRY_S_ENTRY);
	if (!modules || !open_table(&t, modules) || !indices_agree(&t) || !entries_agree(&t)) {
		forget(r->layout, SCRY_S_KEYS);
		forget(r->layout, SCRY_S_UNICODE_ENTRY);
	}
}
